/*
 * queue - what is due, by its time: conversations with their next step, and frames that are late.
 */
#ifndef TLSTALLY_BENCH_QUEUE_H
#define TLSTALLY_BENCH_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "conversation.h"

struct due {
	int64_t time_us;
	uint64_t order; /* of being put in: the queue's own */
	struct conversation *conversation;
	uint8_t *frame; /* malloc'ed; NULL: the conversation's next step is due */
	size_t frame_len;
};

struct queue {
	struct due *heap;
	size_t count, room;
	uint64_t order;
};

void queue_release(struct queue *q);
void queue_put(struct queue *q, struct due due);
/* The queue must not be empty. */
struct due queue_take(struct queue *q);

#endif
