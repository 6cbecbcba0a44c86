/*
 * epoch - the packets and names of one epoch, kept until lanes and sink have had them.
 *
 * Memory:  owned by the epoch and used again for the next one; packets borrow where that lasts.
 * Threads: one at a time, and then any that only read.
 */
#ifndef TLSTALLY_REPLAY_EPOCH_H
#define TLSTALLY_REPLAY_EPOCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "event/event_list.h"
#include "packet/packet.h"
#include "pipeline/lanes.h"
#include "replay/name_list.h"

struct packet_list {
	const struct packet **items; /* owned; each borrowed from the epoch */
	size_t count, room;
};

/* Begins as zeros. */
struct epoch {
	struct packet *packets; /* owned; room for FRONT_EPOCH_PACKETS */
	size_t packet_count;
	uint64_t frame_count;            /* read for it */
	struct packet_list lists[LANES]; /* per group */
	uint8_t *copies; /* owned: what packets borrow that the replay does not keep */
	size_t copies_len;
	bool borrows;  /* ... and else from what the replay keeps, */
	uint64_t mark; /* from there on: saved_mark */
	struct name_list names;
	int64_t now_us, set_back_us;
	bool last; /* nothing follows: all that is open settles */
	struct event_list outboxes[LANES];
	size_t followed_count; /* groups that are done with it */
};

/* Without packets, names and events: for whoever follows packets where they were read. */
void epoch_clear(struct epoch *e);
/* A new epoch in this one's memory. */
void epoch_begin(struct epoch *e, uint64_t mark, bool borrows);
/*
 * Takes the next packet, which stands behind the last one in `packets` already: to copy it there
 * would cost nearly as much as to decode it.  `kept`: saved_kept, which lasts as long as this
 * epoch borrows.
 */
void epoch_add(struct epoch *e, size_t group, struct span kept);
/* Copies what is borrowed: an epoch that lies in many bytes would have them all kept for little. */
void epoch_stop_borrowing(struct epoch *e);
void epoch_release(struct epoch *e);

#endif
