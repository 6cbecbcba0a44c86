/*
 * doctor - what is wrong with a feed, and what to change: counters in, findings out.
 *
 * The shares from which a rule speaks are in doctor.c.  What only costs time or room is a note;
 * what hides part of the traffic is a warning; where most of it is hidden, verdicts are worth
 * nothing.
 */
#ifndef TLSTALLY_REPORT_DOCTOR_H
#define TLSTALLY_REPORT_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"

/* The counters of a run that are of interest here; doctor_feed_add has their names. */
enum doctor_counter {
	DOCTOR_PACKETS, /* all that were captured */
	DOCTOR_TCP,     /* of these, TCP on ports of interest */
	DOCTOR_SEGMENTS,
	DOCTOR_FLOWS,
	DOCTOR_SYN,
	DOCTOR_EVENTS,
	DOCTOR_EXTERNAL_CLIENT,
	DOCTOR_KERNEL_DROPPED,
	DOCTOR_INTERFACE_DROPPED,
	DOCTOR_CAPTURE_MS, /* of a live capture: so long it ran, for each interface */
	DOCTOR_INTERFACE_DOWN_MS,
	DOCTOR_EVENTS_LOST,
	DOCTOR_ONE_WAY_FLOWS,
	DOCTOR_MID_START_FLOWS,
	DOCTOR_FLOWS_EVICTED,
	DOCTOR_GAPS,
	DOCTOR_SNAPPED,
	DOCTOR_DUPLICATE_PACKETS,
	DOCTOR_SUPER_SEGMENTS,
	DOCTOR_ACK_BEFORE_DATA,
	DOCTOR_CLOCK_BACK,
	DOCTOR_CLOCK_FORWARD,
	DOCTOR_UNDECODABLE,
	DOCTOR_CUT_HEADER,
	DOCTOR_BAD_LINK_HEADER,
	DOCTOR_BAD_IP_HEADER,
	DOCTOR_BAD_TCP_HEADER,
	DOCTOR_NESTED_TOO_DEEP,
	DOCTOR_ENCRYPTED,
	DOCTOR_UNKNOWN_LINK,
};
#define DOCTOR_COUNTER_COUNT (DOCTOR_UNKNOWN_LINK + 1)

/* So many different fingerprints are enough to tell that there are several programs. */
#define DOCTOR_FINGERPRINTS_MAX 4
#define DOCTOR_FINGERPRINT_LEN 36 /* of a JA4 */

struct doctor_feed {
	bool has_no_run; /* a database without any in the time asked for */
	uint64_t counters[DOCTOR_COUNTER_COUNT];
	struct addr first_client; /* family 0: none */
	bool several_clients;     /* internal ones */
	size_t fingerprint_count; /* different ones */
	char fingerprints[DOCTOR_FINGERPRINTS_MAX][DOCTOR_FINGERPRINT_LEN];
	const char *unknown_links; /* their numbers as text; NULL: not known; borrowed */
};

/* Adds a counter by its name in the view `coverage`; false: it is of no interest here. */
bool doctor_feed_add(struct doctor_feed *feed, const char *name, uint64_t value);
/* An internal client that was seen with that fingerprint; empty: without one. */
void doctor_feed_add_client(
    struct doctor_feed *feed, const struct addr *client, struct span fingerprint);

enum doctor_severity {
	DOCTOR_CRITICAL, /* most of the traffic is hidden */
	DOCTOR_WARNING,  /* part of it is */
	DOCTOR_NOTE,     /* the results are right all the same */
};

enum doctor_rule {
	DOCTOR_RULE_NO_RUN,
	DOCTOR_RULE_NO_PACKETS,
	DOCTOR_RULE_UNKNOWN_LINK,
	DOCTOR_RULE_NO_MAIL,
	DOCTOR_RULE_NO_PAYLOAD,
	DOCTOR_RULE_EXTERNAL_CLIENTS,
	DOCTOR_RULE_ONE_CLIENT,
	DOCTOR_RULE_KERNEL_DROPPED,
	DOCTOR_RULE_INTERFACE_DROPPED,
	DOCTOR_RULE_INTERFACE_DOWN,
	DOCTOR_RULE_EVENTS_LOST,
	DOCTOR_RULE_ONE_WAY,
	DOCTOR_RULE_LOST,
	DOCTOR_RULE_SNAPPED,
	DOCTOR_RULE_NO_SYN,
	DOCTOR_RULE_MID_START,
	DOCTOR_RULE_EVICTED,
	DOCTOR_RULE_ACK_BEFORE_DATA,
	DOCTOR_RULE_CLOCK_BACK,
	DOCTOR_RULE_CLOCK_FORWARD,
	DOCTOR_RULE_CUT_HEADER,
	DOCTOR_RULE_BAD_LINK_HEADER,
	DOCTOR_RULE_BAD_IP_HEADER,
	DOCTOR_RULE_BAD_TCP_HEADER,
	DOCTOR_RULE_NESTED_TOO_DEEP,
	DOCTOR_RULE_ENCRYPTED,
	DOCTOR_RULE_DUPLICATES,
	DOCTOR_RULE_SUPER_SEGMENTS,
};
#define DOCTOR_RULE_COUNT (DOCTOR_RULE_SUPER_SEGMENTS + 1)

struct doctor_finding {
	enum doctor_rule rule;
	enum doctor_severity severity;
	uint64_t part, whole; /* the share is part / whole; whole 0: there is none */
};

/* The worst first: by severity, then by share.  Returns how many. */
size_t doctor_examine(const struct doctor_feed *feed, struct doctor_finding out[DOCTOR_RULE_COUNT]);

const char *doctor_severity_name(enum doctor_severity severity); /* "critical", ... */
/* One sentence with the number and the share, without a newline. */
void doctor_add_sentence(
    const struct doctor_finding *finding, const struct doctor_feed *feed, struct buf *out);
/* How much was looked at, without a newline. */
void doctor_add_examined(const struct doctor_feed *feed, struct buf *out);
/* What to do, in a sentence or two. */
const char *doctor_advice(enum doctor_rule rule);

#endif
