#include "report/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PPM 1000000
#define PERCENT 10000
#define ANY 0 /* a single one is enough */
#define NEVER (PPM + 1)

#define ONE_CLIENT_EVENTS_MIN 20
#define NO_PAYLOAD_PACKETS_MIN 3
/* Segments that are acknowledged while a lost one is missed: so many per hole are its doing. */
#define ACKS_PER_HOLE 10

static const char *const counter_names[DOCTOR_COUNTER_COUNT] = {
	[DOCTOR_PACKETS] = "packets",
	[DOCTOR_TCP] = "tcp",
	[DOCTOR_SEGMENTS] = "payload_segments",
	[DOCTOR_FLOWS] = "flows",
	[DOCTOR_SYN] = "syn",
	[DOCTOR_EVENTS] = "events",
	[DOCTOR_EXTERNAL_CLIENT] = "external_client",
	[DOCTOR_KERNEL_DROPPED] = "kernel_dropped",
	[DOCTOR_INTERFACE_DROPPED] = "interface_dropped",
	[DOCTOR_CAPTURE_MS] = "capture_ms",
	[DOCTOR_INTERFACE_DOWN_MS] = "interface_down_ms",
	[DOCTOR_EVENTS_LOST] = "events_lost",
	[DOCTOR_ONE_WAY_FLOWS] = "one_way_flows",
	[DOCTOR_MID_START_FLOWS] = "mid_start_flows",
	[DOCTOR_FLOWS_EVICTED] = "flows_evicted",
	[DOCTOR_GAPS] = "gaps",
	[DOCTOR_SNAPPED] = "snapped",
	[DOCTOR_DUPLICATE_PACKETS] = "duplicate_packets",
	[DOCTOR_SUPER_SEGMENTS] = "super_segments",
	[DOCTOR_ACK_BEFORE_DATA] = "ack_before_data",
	[DOCTOR_CLOCK_BACK] = "clock_went_back",
	[DOCTOR_CLOCK_FORWARD] = "clock_jumped_forward",
	[DOCTOR_UNDECODABLE] = "undecodable",
	[DOCTOR_CUT_HEADER] = "cut_header",
	[DOCTOR_BAD_LINK_HEADER] = "bad_link_header",
	[DOCTOR_BAD_IP_HEADER] = "bad_ip_header",
	[DOCTOR_BAD_TCP_HEADER] = "bad_tcp_header",
	[DOCTOR_NESTED_TOO_DEEP] = "nested_too_deep",
	[DOCTOR_ENCRYPTED] = "encrypted",
	[DOCTOR_UNKNOWN_LINK] = "unknown_link_type",
};

/*
 * A rule that speaks from a certain share on.  Other rules have conditions of their own: see below.
 */
struct threshold {
	enum doctor_rule rule;
	enum doctor_severity severity; /* below `critical` */
	enum doctor_counter part, whole;
	uint32_t speaks, critical; /* parts per million of the whole */
};

static const struct threshold thresholds[] = {
	{ DOCTOR_RULE_UNKNOWN_LINK, DOCTOR_WARNING, DOCTOR_UNKNOWN_LINK, DOCTOR_PACKETS, ANY,
	    50 * PERCENT },
	{ DOCTOR_RULE_ONE_WAY, DOCTOR_WARNING, DOCTOR_ONE_WAY_FLOWS, DOCTOR_FLOWS, 5 * PERCENT,
	    50 * PERCENT },
	{ DOCTOR_RULE_SNAPPED, DOCTOR_WARNING, DOCTOR_SNAPPED, DOCTOR_SEGMENTS, ANY, 50 * PERCENT },
	{ DOCTOR_RULE_EVENTS_LOST, DOCTOR_WARNING, DOCTOR_EVENTS_LOST, DOCTOR_EVENTS, ANY,
	    50 * PERCENT },
	{ DOCTOR_RULE_EVICTED, DOCTOR_WARNING, DOCTOR_FLOWS_EVICTED, DOCTOR_FLOWS, PERCENT / 10,
	    10 * PERCENT },
	{ DOCTOR_RULE_CLOCK_BACK, DOCTOR_WARNING, DOCTOR_CLOCK_BACK, DOCTOR_PACKETS, ANY, NEVER },
	{ DOCTOR_RULE_CLOCK_FORWARD, DOCTOR_WARNING, DOCTOR_CLOCK_FORWARD, DOCTOR_PACKETS, ANY,
	    NEVER },
	{ DOCTOR_RULE_CUT_HEADER, DOCTOR_WARNING, DOCTOR_CUT_HEADER, DOCTOR_PACKETS, PERCENT / 10,
	    10 * PERCENT },
	{ DOCTOR_RULE_BAD_LINK_HEADER, DOCTOR_WARNING, DOCTOR_BAD_LINK_HEADER, DOCTOR_PACKETS,
	    PERCENT / 10, 10 * PERCENT },
	{ DOCTOR_RULE_BAD_IP_HEADER, DOCTOR_WARNING, DOCTOR_BAD_IP_HEADER, DOCTOR_PACKETS,
	    PERCENT / 10, 10 * PERCENT },
	{ DOCTOR_RULE_BAD_TCP_HEADER, DOCTOR_WARNING, DOCTOR_BAD_TCP_HEADER, DOCTOR_PACKETS,
	    PERCENT / 10, 10 * PERCENT },
	{ DOCTOR_RULE_NESTED_TOO_DEEP, DOCTOR_WARNING, DOCTOR_NESTED_TOO_DEEP, DOCTOR_PACKETS,
	    PERCENT / 10, 10 * PERCENT },
	{ DOCTOR_RULE_ENCRYPTED, DOCTOR_WARNING, DOCTOR_ENCRYPTED, DOCTOR_PACKETS, 5 * PERCENT,
	    50 * PERCENT },
	{ DOCTOR_RULE_DUPLICATES, DOCTOR_NOTE, DOCTOR_DUPLICATE_PACKETS, DOCTOR_SEGMENTS,
	    5 * PERCENT, NEVER },
	{ DOCTOR_RULE_SUPER_SEGMENTS, DOCTOR_NOTE, DOCTOR_SUPER_SEGMENTS, DOCTOR_SEGMENTS, PERCENT,
	    NEVER },
};

#define THRESHOLD_COUNT (sizeof(thresholds) / sizeof(thresholds[0]))

struct findings {
	struct doctor_finding *items;
	size_t count;
};

bool
doctor_feed_add(struct doctor_feed *feed, const char *name, uint64_t value)
{
	for (size_t i = 0; i < DOCTOR_COUNTER_COUNT; i++) {
		if (strcmp(counter_names[i], name) == 0) {
			feed->counters[i] += value;
			return true;
		}
	}
	return false;
}

void
doctor_feed_add_client(struct doctor_feed *feed, const struct addr *client, struct span fingerprint)
{
	char text[DOCTOR_FINGERPRINT_LEN] = { 0 };

	if (feed->first_client.family == 0)
		feed->first_client = *client;
	else if (!addr_equals(&feed->first_client, client))
		feed->several_clients = true;
	if (fingerprint.len == 0 || feed->fingerprint_count == DOCTOR_FINGERPRINTS_MAX)
		return;
	memcpy(text, fingerprint.data,
	    fingerprint.len < sizeof(text) ? fingerprint.len : sizeof(text));
	for (size_t i = 0; i < feed->fingerprint_count; i++) {
		if (memcmp(feed->fingerprints[i], text, sizeof(text)) == 0)
			return;
	}
	memcpy(feed->fingerprints[feed->fingerprint_count++], text, sizeof(text));
}

/* At least so many parts per million. */
static bool
reaches(uint64_t part, uint64_t whole, uint32_t ppm)
{
	return part > 0 && (double)part * PPM >= (double)whole * ppm;
}

static void
add(struct findings *f, enum doctor_rule rule, enum doctor_severity severity, uint64_t part,
    uint64_t whole)
{
	f->items[f->count++] = (struct doctor_finding){ rule, severity, part, whole };
}

static void
add_share(struct findings *f, enum doctor_rule rule, uint64_t part, uint64_t whole, uint32_t speaks,
    uint32_t critical)
{
	if (whole < part)
		whole = part; /* the two are counted at different places, a little apart */
	if (reaches(part, whole, critical))
		add(f, rule, DOCTOR_CRITICAL, part, whole);
	else if (reaches(part, whole, speaks))
		add(f, rule, DOCTOR_WARNING, part, whole);
}

/* Nothing came, or nothing of use. */
static void
examine_presence(const struct doctor_feed *feed, struct findings *f)
{
	const uint64_t *c = feed->counters;

	if (feed->has_no_run)
		add(f, DOCTOR_RULE_NO_RUN, DOCTOR_CRITICAL, 0, 0);
	else if (c[DOCTOR_PACKETS] == 0)
		add(f, DOCTOR_RULE_NO_PACKETS, DOCTOR_CRITICAL, 0, 0);
	/* Where nothing could be decoded, that is what is wrong. */
	else if (c[DOCTOR_TCP] == 0 && c[DOCTOR_UNDECODABLE] < c[DOCTOR_PACKETS])
		add(f, DOCTOR_RULE_NO_MAIL, DOCTOR_CRITICAL, 0, c[DOCTOR_PACKETS]);
	else if (c[DOCTOR_TCP] >= NO_PAYLOAD_PACKETS_MIN && c[DOCTOR_SEGMENTS] == 0)
		add(f, DOCTOR_RULE_NO_PAYLOAD, DOCTOR_CRITICAL, 0, c[DOCTOR_TCP]);
}

/* Packets that were on the wire and did not get here. */
static void
examine_loss(const uint64_t *c, struct findings *f)
{
	/* A packet that the snapshot length cut leaves a hole too, and has a rule of its own. */
	uint64_t lost = c[DOCTOR_GAPS] -
			(c[DOCTOR_GAPS] < c[DOCTOR_SNAPPED] ? c[DOCTOR_GAPS] : c[DOCTOR_SNAPPED]);

	add_share(f, DOCTOR_RULE_KERNEL_DROPPED, c[DOCTOR_KERNEL_DROPPED],
	    c[DOCTOR_PACKETS] + c[DOCTOR_KERNEL_DROPPED], PERCENT / 10, 5 * PERCENT);
	add_share(f, DOCTOR_RULE_INTERFACE_DROPPED, c[DOCTOR_INTERFACE_DROPPED],
	    c[DOCTOR_PACKETS] + c[DOCTOR_INTERFACE_DROPPED], PERCENT / 10, 5 * PERCENT);
	add_share(f, DOCTOR_RULE_INTERFACE_DOWN, c[DOCTOR_INTERFACE_DOWN_MS] / 1000,
	    c[DOCTOR_CAPTURE_MS] / 1000, PERCENT / 10, 50 * PERCENT);
	add_share(f, DOCTOR_RULE_LOST, lost, c[DOCTOR_SEGMENTS] + lost, PERCENT / 10, 5 * PERCENT);
	if (c[DOCTOR_ACK_BEFORE_DATA] / ACKS_PER_HOLE >= lost)
		add_share(f, DOCTOR_RULE_ACK_BEFORE_DATA, c[DOCTOR_ACK_BEFORE_DATA],
		    c[DOCTOR_SEGMENTS], PERCENT, NEVER);
}

static void
examine_openings(const uint64_t *c, struct findings *f)
{
	if (c[DOCTOR_FLOWS] == 0)
		return;
	if (c[DOCTOR_SYN] == 0)
		add(f, DOCTOR_RULE_NO_SYN, DOCTOR_WARNING, c[DOCTOR_FLOWS], c[DOCTOR_FLOWS]);
	else if (reaches(c[DOCTOR_MID_START_FLOWS], c[DOCTOR_FLOWS], 20 * PERCENT))
		add(f, DOCTOR_RULE_MID_START, DOCTOR_NOTE, c[DOCTOR_MID_START_FLOWS],
		    c[DOCTOR_FLOWS]);
}

/* On which side of the address translation does the sensor stand? */
static void
examine_clients(const struct doctor_feed *feed, struct findings *f)
{
	const uint64_t *c = feed->counters;

	add_share(f, DOCTOR_RULE_EXTERNAL_CLIENTS, c[DOCTOR_EXTERNAL_CLIENT],
	    c[DOCTOR_EXTERNAL_CLIENT] + c[DOCTOR_EVENTS], 50 * PERCENT, PPM);
	if (feed->first_client.family != 0 && !feed->several_clients &&
	    c[DOCTOR_EVENTS] >= ONE_CLIENT_EVENTS_MIN &&
	    feed->fingerprint_count == DOCTOR_FINGERPRINTS_MAX)
		add(f, DOCTOR_RULE_ONE_CLIENT, DOCTOR_WARNING, c[DOCTOR_EVENTS], c[DOCTOR_EVENTS]);
}

static void
examine_threshold(const uint64_t *c, const struct threshold *t, struct findings *f)
{
	size_t before = f->count;

	add_share(f, t->rule, c[t->part], c[t->whole], t->speaks, t->critical);
	if (f->count > before && f->items[before].severity != DOCTOR_CRITICAL)
		f->items[before].severity = t->severity;
}

static double
share_of(const struct doctor_finding *f)
{
	/* What is missing altogether comes before what is missing in part. */
	return f->part == 0 || f->whole == 0 ? 1.0 : (double)f->part / (double)f->whole;
}

static int
compare_findings(const void *a, const void *b)
{
	const struct doctor_finding *left = a, *right = b;
	double difference = share_of(right) - share_of(left);

	if (left->severity != right->severity)
		return left->severity < right->severity ? -1 : 1;
	if (difference < 0 || difference > 0)
		return difference < 0 ? -1 : 1;
	return (int)left->rule - (int)right->rule;
}

size_t
doctor_examine(const struct doctor_feed *feed, struct doctor_finding out[DOCTOR_RULE_COUNT])
{
	struct findings f = { .items = out };

	examine_presence(feed, &f);
	examine_loss(feed->counters, &f);
	examine_openings(feed->counters, &f);
	examine_clients(feed, &f);
	for (size_t i = 0; i < THRESHOLD_COUNT; i++)
		examine_threshold(feed->counters, &thresholds[i], &f);
	qsort(f.items, f.count, sizeof(*f.items), compare_findings);
	return f.count;
}
