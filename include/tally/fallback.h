/*
 * fallback - clients that try a lower version when a higher one has failed.
 *
 * Takes events as they are counted, in any order of settling, and tells which handshake was such a
 * second try: within `window_us` after a failed try of the same client at the same server (its
 * name, where the client said it, else its address; and port) that offered more; or marked so by
 * the client itself (RFC 7507, TLS_FALLBACK_SCSV). Tries that fail in between belong to the same
 * fallback.  One device may run two programs, so the first kind is an inference.
 *
 * A refusal is settled some seconds after it, and by then the client may have gone on with several
 * connections: the latest eight successes that belong to one finding are remembered.
 *
 * Memory:  FALLBACK_ENTRIES clients and servers that failed, or succeeded below TLS 1.3, lately;
 *          the oldest gives way, and with it what it would have told.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_TALLY_FALLBACK_H
#define TLSTALLY_TALLY_FALLBACK_H

#include "event/finding.h"

#define FALLBACK_ENTRIES 4096
#define FALLBACK_DEFAULT_WINDOW_US INT64_C(10000000)

struct fallback_tracker; /* opaque */

/* For tally_mark_fallback(): a finding of which one handshake was a fallback. */
struct fallback_mark {
	struct finding_key key;
	unsigned count; /* 1; 0: it was told before, and more is known of it now */
	uint16_t from;  /* the highest offer that failed before; 0: not seen */
};

struct fallback_tracker *fallback_tracker_new(int64_t window_us);
void fallback_tracker_free(struct fallback_tracker *t);
void fallback_tracker_set_window(struct fallback_tracker *t, int64_t window_us);

/*
 * Asks for the memory that adding these events, FALLBACK_AHEAD_MAX at most, will look at: for all
 * of them together.
 */
#define FALLBACK_AHEAD_MAX 16
void fallback_tracker_look_ahead(
    const struct fallback_tracker *t, const struct event *events, size_t count);
/* True when there is something to count: `out` is set.  Count the event itself before that. */
bool fallback_tracker_add(
    struct fallback_tracker *t, const struct event *ev, struct fallback_mark *out);

#endif
