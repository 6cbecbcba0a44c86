/*
 * solo - an epoch that one of several threads reads and follows by itself.
 *
 * For what is not worth sharing.  Each batch of packets is followed while it is in the first-level
 * cache and its bytes are where they were read: no lists, no copies, nothing that is kept.
 *
 * Threads: one at a time, while no other one reads or follows.
 */
#ifndef TLSTALLY_REPLAY_SOLO_H
#define TLSTALLY_REPLAY_SOLO_H

#include <stdbool.h>
#include <stdint.h>

#include "replay/epoch.h"
#include "replay/work_internal.h"

/* One batch in so many is timed: to look at the clock for each costs a flood some percent. */
#define REPLAY_SOLO_TIMED 17

/* What was done, and how long it took. */
struct replay_spent {
	int64_t read_ns, follow_ns;
	uint64_t frame_count, packet_count; /* read, and followed */
};

/* Adds what was timed to *spent.  Returns false where there is nothing behind this epoch. */
bool replay_solo_epoch(struct replay_work *w, struct epoch *e, struct replay_spent *spent);
/* Monotonic. */
int64_t replay_now_ns(void);

#endif
