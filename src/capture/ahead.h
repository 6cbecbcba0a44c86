/*
 * ahead - takes the compression off a capture in a thread of its own, a little ahead of the reader.
 *
 * What is read, and what is said of damage, is the same as without.
 *
 * Memory:  AHEAD_BLOCKS times AHEAD_BLOCK_LEN, beside what the decompressor needs.
 * Threads: the thread has the decompressor and its input for itself from ahead_start to ahead_stop;
 * the functions here are for one other.
 */
#ifndef TLSTALLY_CAPTURE_AHEAD_H
#define TLSTALLY_CAPTURE_AHEAD_H

#include "capture/capture_internal.h"

/* Measured: more, or larger ones, gain nothing and leave the processor's cache. */
#define AHEAD_BLOCKS 8
#define AHEAD_BLOCK_LEN (128u * 1024)

struct ahead; /* opaque */

/* Both are borrowed until ahead_stop.  NULL: there is no thread to be had. */
struct ahead *ahead_start(struct decompressor *decompressor, const struct input *input);
/* Soon, wherever the thread is; NULL is fine. */
void ahead_stop(struct ahead *a);
/* As decompressor_read. */
ssize_t ahead_read(struct ahead *a, uint8_t *out, size_t room, struct error *err);
/* Bytes of the input behind what was read. */
uint64_t ahead_offset(const struct ahead *a);

#endif
