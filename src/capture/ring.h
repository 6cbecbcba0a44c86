/*
 * ring - an Ethernet interface by way of a ring of memory that the kernel shares (TPACKET_V3).
 *
 * The frames are looked at where the kernel has put them: libpcap would hand them out one by one,
 * and none of them could be kept until the next one is there.
 *
 * Opening needs CAP_NET_RAW; everything after does not.
 *
 * Source:  packet(7).
 * Memory:  the ring's.
 * Threads: one at a time per ring.
 */
#ifndef TLSTALLY_CAPTURE_RING_H
#define TLSTALLY_CAPTURE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "capture/ring_block.h"

struct ring; /* opaque */

struct ring_options {
	uint32_t snap_len, buffer_len; /* as in live_options */
	unsigned timeout_ms;           /* a block is handed over after so long, full or not */
	struct ring_block_options block;
};

/* Bound to no interface; NULL, with errno, where the kernel gives none. */
struct ring *ring_open(const struct ring_options *options);
void ring_close(struct ring *r);

/* The socket: readable when a block waits, or an error does.  Filters are attached to it. */
int ring_fd(const struct ring *r);
/* Hears the interface with this index from now on, and no other; -1, with errno. */
int ring_bind(struct ring *r, int index, bool is_loopback);

/*
 * Hands out the frames of whole blocks until that are `max` or more, or none wait; returns how many
 * there were.  Their bytes are valid for the call.
 */
size_t ring_read(struct ring *r, size_t max, ring_frames_fn frames, void *arg);
/* errno of what has happened to the interface since this was last asked; 0: nothing. */
int ring_take_error(const struct ring *r);
/* Adds what was received and dropped since this was last asked; nothing where that is unknown. */
void ring_add_stats(const struct ring *r, uint64_t *received, uint64_t *dropped);

#endif
