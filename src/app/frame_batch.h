/*
 * frame_batch - copies of the frames that a live capture hands out one by one, so that the pipeline
 * gets many at once: what it looks up for one is fetched while it looks at the others.
 *
 * Memory:  fixed.
 * Threads: one at a time per batch.
 */
#ifndef TLSTALLY_APP_FRAME_BATCH_H
#define TLSTALLY_APP_FRAME_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"

#define FRAME_BATCH_MAX 32
/* As many of the largest that an Ethernet without jumbo frames carries. */
#define FRAME_BATCH_LEN ((size_t)FRAME_BATCH_MAX * 1536)

/* Open for the size; starts as { .count = 0 }. */
struct frame_batch {
	size_t count, len;
	struct frame frames[FRAME_BATCH_MAX]; /* their bytes are in `bytes` */
	uint8_t bytes[FRAME_BATCH_LEN];
};

/* False where it has no room: what is in it must go first, or no room would be enough. */
bool frame_batch_add(struct frame_batch *batch, const struct frame *frame);
void frame_batch_clear(struct frame_batch *batch);

#endif
