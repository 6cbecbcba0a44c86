/*
 * ring_block - the frames in one block of the kernel's ring (TPACKET_V3), where they lie.
 *
 * Source:  packet(7), Linux' Documentation/networking/packet_mmap.rst.
 * Threads: one at a time per block.
 */
#ifndef TLSTALLY_CAPTURE_RING_BLOCK_H
#define TLSTALLY_CAPTURE_RING_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"

/* Frames that are handed out together. */
#define RING_BATCH 32
/* Before each frame is so much room for a tag that the kernel took out of it. */
#define RING_TAG_LEN 4

/* What the frames of a ring have in common. */
struct ring_block_options {
	uint32_t link_type, source; /* for the frames */
	bool skips_outgoing;        /* of a loopback, where each frame comes twice */
};

typedef void (*ring_frames_fn)(void *arg, const struct frame *frames, size_t count);

/*
 * Hands out the frames of a block that the kernel has filled, RING_BATCH at a time, and returns how
 * many.  Their bytes are those of the block: a tag that the kernel took out is put back there.
 */
size_t ring_block_read(
    void *block, const struct ring_block_options *options, ring_frames_fn frames, void *arg);

#endif
