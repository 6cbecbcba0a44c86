/*
 * held - the segments of a stream that wait behind a hole, ordered by offset.
 *
 * An array of pointers: a segment's place is found in about ten comparisons, whatever order an
 * attacker chooses.  No two segments begin at the same offset.
 *
 * Memory: counted in the queue's and in the budget's `held_len`; an empty queue is NULL.
 */
#ifndef TLSTALLY_FLOW_HELD_H
#define TLSTALLY_FLOW_HELD_H

#include "flow/tcp_stream.h"

/* So many segments may wait in one stream. */
#define HELD_COUNT_MAX 1024

struct held {
	struct mark mark; /* of the first byte */
	uint32_t len;     /* bytes in `data` */
	uint32_t missing; /* bytes behind them that the snapshot length cut */
	bool fin;
	bool zeros;        /* nothing but zero bytes: perhaps no data at all */
	bool acked_before; /* all of it was acknowledged before it came */
	uint8_t data[];
};

struct held_queue {
	uint32_t held_len; /* bytes of memory */
	uint16_t room, first, count;
	struct held *items[]; /* items[first] to items[first + count - 1], owned */
};

/* What a segment or a held one still brings to its stream. */
struct piece {
	struct span bytes;
	uint32_t missing;
	bool fin;
	bool zeros;
	bool acked_before;
	struct mark mark;
};

static inline size_t
held_count(const struct tcp_stream *s)
{
	return s->queue == NULL ? 0 : s->queue->count;
}

/* Bytes of memory of what waits in a stream. */
static inline uint32_t
held_len(const struct tcp_stream *s)
{
	return s->queue == NULL ? 0 : s->queue->held_len;
}

/* The index-th in order; NULL: there are not so many.  Borrowed until the next change. */
static inline struct held *
held_at(const struct tcp_stream *s, size_t index)
{
	return index < held_count(s) ? s->queue->items[s->queue->first + index] : NULL;
}

/* Offset behind a held segment. */
static inline int64_t
held_end(const struct held *h)
{
	return h->mark.offset + h->len + h->missing;
}

/* Copies a piece to its place; one that brings nothing new is counted and dropped. */
void held_add(struct tcp_stream *s, const struct piece *p, struct tcp_stream_budget *budget);
/* Takes the first segment out, which must be there; the caller frees it. */
struct held *held_detach_first(struct tcp_stream *s, struct tcp_stream_budget *budget);
void held_clear(struct tcp_stream *s, struct tcp_stream_budget *budget);

#endif
