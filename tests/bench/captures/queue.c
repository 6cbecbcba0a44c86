#include "queue.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

void
queue_release(struct queue *q)
{
	free(q->heap);
}

static bool
is_before(const struct due *a, const struct due *b)
{
	return a->time_us < b->time_us || (a->time_us == b->time_us && a->order < b->order);
}

void
queue_put(struct queue *q, struct due due)
{
	size_t at = q->count++;

	if (q->count > q->room) {
		q->room = q->room == 0 ? 4096 : q->room * 2;
		q->heap = xreallocarray(q->heap, q->room, sizeof(*q->heap));
	}
	due.order = q->order++;
	for (; at > 0 && is_before(&due, &q->heap[(at - 1) / 2]); at = (at - 1) / 2)
		q->heap[at] = q->heap[(at - 1) / 2];
	q->heap[at] = due;
}

struct due
queue_take(struct queue *q)
{
	struct due first = q->heap[0], last = q->heap[--q->count];
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < q->count; at = child) {
		if (child + 1 < q->count && is_before(&q->heap[child + 1], &q->heap[child]))
			child++;
		if (!is_before(&q->heap[child], &last))
			break;
		q->heap[at] = q->heap[child];
	}
	q->heap[at] = last;
	return first;
}
