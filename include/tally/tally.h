/*
 * tally - events, counted: what is known of each client since the last flush.
 *
 * Takes events one by one into a compact log; sorted, it tells each client's findings
 * (event/finding.h), days and hours, so that the store writes a row per finding and not one per
 * handshake.  Host names are put in lower case (RFC 4343: they are the same name in either).
 *
 * Where a finding knows only "the latest" of something (its cipher suite, its JA4), the event with
 * the latest packet time decides; an earlier one that arrives later fills what is not known yet.
 *
 * How sessions ended (EVENT_SESSION_END) is counted with the finding of their handshake; it makes
 * no handshake more, and may come in a later tally than that: then its finding has a count of 0
 * here, as with tally_mark_fallback().
 *
 * Memory:  bounded by tally_options.max_bytes, of which an event takes some 36 bytes (20 of them
 *          only while it is sorted), and once what many have in common.  When they are used up,
 *          events of one finding and one day are joined into one, as often as that gives room.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_TALLY_TALLY_H
#define TLSTALLY_TALLY_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "event/finding.h"
#include "tally/cadence.h"
#include "tally/fallback.h"

#define TALLY_DEFAULT_MAX_BYTES ((size_t)64 << 20)

struct tally; /* opaque */

struct tally_options {
	size_t max_bytes; /* 0: TALLY_DEFAULT_MAX_BYTES */
};

/* `options` may be NULL. */
struct tally *tally_new(const struct tally_options *options);
void tally_free(struct tally *t);
/* Empty, and usable again; keeps the room of its tables. */
void tally_clear(struct tally *t);

/*
 * Counts one event, or one ending.  Returns false, and changes nothing, when the tally is full and
 * the event would take more room (a new entry, a new text, a counter's last number): flush, then
 * add it again, or count it as lost.  A full tally leaves what it still takes out of the cadence.
 */
bool tally_add(struct tally *t, const struct event *ev);

/*
 * Where clients come in no order, counting is mostly waiting for memory.  This works out where the
 * events that are about to be added, TALLY_AHEAD_MAX at most, have their places, and asks for that
 * memory for all of them together.
 */
#define TALLY_AHEAD_MAX 16
void tally_look_ahead(struct tally *t, const struct event *events, size_t count);
/* As tally_add, for the event with that index in the latest tally_look_ahead() of this tally. */
bool tally_add_ahead(struct tally *t, const struct event *ev, size_t index);

/*
 * Counts what fallback_tracker_add() told of a handshake that was counted before: in this tally, or
 * in one that was flushed since.  In the latter case the finding, and perhaps its client, has a
 * count of 0 here, and is added only to what is stored already.  False: the tally is full, and
 * nothing changes.
 */
bool tally_mark_fallback(struct tally *t, const struct fallback_mark *mark);

/* True when the budget is used up: time to flush. */
bool tally_is_full(const struct tally *t);
bool tally_is_empty(const struct tally *t);
size_t tally_bytes(const struct tally *t);         /* of the budget, in use */
uint64_t tally_event_count(const struct tally *t); /* counted since the last clear */

/*
 * Reading, in order: clients by address; each client's findings by key; each client's days by day,
 * version, outcome; its hours.  tally_sort() first; the next tally_add or tally_clear ends it.
 * Spans borrow from the tally until tally_clear.
 */
struct tally_client {
	struct addr ip;
	bool has_mac;
	uint8_t mac[6];   /* of the latest event that had one */
	struct span name; /* what the device calls itself (event/device_name.h); empty: nothing */
	enum name_source name_source;
	int64_t name_us; /* when it did */
	int64_t first_us, last_us;
	uint64_t event_count;
	struct cadence cadence;
	size_t first_finding, finding_count; /* for tally_finding_at */
	size_t first_day, day_count;         /* for tally_day_at */
	size_t first_hour, hour_count;       /* for tally_hour_at */
};

/* What a client's sessions of an hour look like to somebody who looks for guessed passwords. */
struct tally_hour {
	int64_t hour;            /* UTC, hours since 1970-01-01; negative before */
	uint64_t sessions;       /* inside TLS, and those in cleartext that tried to log in */
	uint64_t short_sessions; /* of these inside TLS: event_ending.is_short */
	uint64_t failed_logins, accepted_logins; /* in cleartext */
	uint32_t failed_names; /* different names that failed in that hour up to now; not a sum */
};

struct tally_day {
	int64_t day; /* UTC, days since 1970-01-01; negative before */
	uint16_t tls_version;
	enum outcome outcome;
	uint64_t count;
};

/*
 * A finding in few words.  What many of them have in common is kept once and has a number, from 0
 * up to the counts below, until the next change: its kind (the key but for the client) and its
 * story (what the latest handshakes told, and fallback_from).
 */
struct tally_row {
	uint32_t kind, story;
	int64_t first_us, last_us;
	uint64_t count, gap_count, login_count, scsv_count, fallback_count;
	uint64_t ended_count, dropped_early_count;
	int64_t dropped_early_us;
	uint64_t dropped_early_len;
};

void tally_sort(struct tally *t);
size_t tally_client_count(const struct tally *t);
size_t tally_finding_count(const struct tally *t);
void tally_client_at(const struct tally *t, size_t index, struct tally_client *out);
void tally_finding_at(const struct tally *t, size_t index, struct finding *out);
/* The same finding; no two rows of a client have one kind. */
void tally_row_at(const struct tally *t, size_t index, struct tally_row *out);
/* Of the same row the numbers of kind and story alone, for less. */
void tally_row_shared(const struct tally *t, size_t index, uint32_t *kind, uint32_t *story);
/* tally_finding_at, for a row that tally_row_at gave. */
void tally_row_finding(
    const struct tally *t, size_t index, const struct tally_row *row, struct finding *out);
size_t tally_kind_count(const struct tally *t);
size_t tally_story_count(const struct tally *t);
/* These fill in what is theirs, and leave the rest of `out` as it is. */
void tally_kind_at(const struct tally *t, uint32_t kind, struct finding_key *out);
void tally_story_at(const struct tally *t, uint32_t story, struct finding *out);
void tally_day_at(const struct tally *t, size_t index, struct tally_day *out);
void tally_hour_at(const struct tally *t, size_t index, struct tally_hour *out);

/* The order of findings: client, server (bytes), port, then the rest of the key; <0, 0, >0. */
int tally_key_compare(const struct finding_key *a, const struct finding_key *b);
/*
 * Adds `from` to `into`, two findings with the same key: counts are summed, times widened, and the
 * rule for "the latest" (above) applied.
 */
void tally_finding_merge(struct finding *into, const struct finding *from);
/*
 * The opposite for counts: leaves in `f` what it counted beyond an earlier state of itself; its
 * times and what is known of the latest stay.  False when nothing is left.
 */
bool tally_finding_subtract(struct finding *f, const struct finding *before);

#endif
