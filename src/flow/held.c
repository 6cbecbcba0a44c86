#include "flow/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

#define FIRST_ROOM 8

/* The limit is checked after a segment was added. */
_Static_assert(2 * HELD_COUNT_MAX <= UINT16_MAX, "indices of a queue");

/* What a segment costs: itself and its place. */
static uint32_t
cost_of(const struct held *h)
{
	return (uint32_t)(sizeof(*h) + sizeof(h)) + h->len;
}

/* How many of the held segments begin before `offset`. */
static size_t
count_before(const struct tcp_stream *s, int64_t offset)
{
	const struct held_queue *q = s->queue;
	size_t low = 0, high = held_count(s);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (q->items[q->first + middle]->mark.offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Of two segments with the same start: true when `p` brings what `h` does not.  Zero bytes give way
 * to real data or a FIN in their place, all of them, and never the other way round.
 */
static bool
brings_more(const struct piece *p, const struct held *h)
{
	int64_t end = p->mark.offset + (int64_t)p->bytes.len + p->missing;

	if (h->zeros != p->zeros)
		return h->zeros;
	if (p->bytes.len != h->len)
		return p->bytes.len > h->len;
	if (end != held_end(h))
		return end > held_end(h);
	return p->fin && !h->fin;
}

static struct held *
copy_of(const struct piece *p)
{
	struct held *h = xmalloc(sizeof(*h) + p->bytes.len);

	h->mark = p->mark;
	h->len = (uint32_t)p->bytes.len;
	h->missing = p->missing;
	h->fin = p->fin;
	h->zeros = p->zeros;
	h->acked_before = p->acked_before;
	if (p->bytes.len > 0)
		memcpy(h->data, p->bytes.data, p->bytes.len);
	return h;
}

/* Makes room for one more behind the last. */
static void
queue_grow(struct tcp_stream *s)
{
	struct held_queue *q = s->queue;
	uint16_t room;

	if (q != NULL && q->first + q->count < q->room)
		return;
	if (q != NULL && q->first > 0) {
		memmove(q->items, q->items + q->first, q->count * sizeof(q->items[0]));
		q->first = 0;
		return;
	}
	room = q == NULL ? FIRST_ROOM : (uint16_t)(q->room * 2);
	s->queue = xreallocarray(q, 1, sizeof(*q) + room * sizeof(q->items[0]));
	if (q == NULL)
		*s->queue = (struct held_queue){ 0 };
	s->queue->room = room;
}

static void
queue_insert(struct tcp_stream *s, size_t index, struct held *h)
{
	struct held **place;

	queue_grow(s);
	place = s->queue->items + s->queue->first + index;
	memmove(place + 1, place, (s->queue->count - index) * sizeof(*place));
	*place = h;
	s->queue->count++;
}

static void
count_in(struct tcp_stream *s, const struct held *h, struct tcp_stream_budget *budget)
{
	s->queue->held_len += cost_of(h);
	budget->held_len += cost_of(h);
}

static void
count_out(struct tcp_stream *s, const struct held *h, struct tcp_stream_budget *budget)
{
	s->queue->held_len -= cost_of(h);
	budget->held_len -= cost_of(h);
}

void
held_add(struct tcp_stream *s, const struct piece *p, struct tcp_stream_budget *budget)
{
	size_t index = count_before(s, p->mark.offset);
	struct held *same = held_at(s, index), *h;

	if (same == NULL || same->mark.offset != p->mark.offset) {
		h = copy_of(p);
		queue_insert(s, index, h);
	} else if (brings_more(p, same)) {
		h = copy_of(p);
		s->queue->items[s->queue->first + index] = h;
		count_out(s, same, budget);
		free(same);
	} else {
		budget->duplicate_count++;
		return;
	}
	count_in(s, h, budget);
}

struct held *
held_detach_first(struct tcp_stream *s, struct tcp_stream_budget *budget)
{
	struct held_queue *q = s->queue;
	struct held *h = q->items[q->first];

	count_out(s, h, budget);
	q->first++;
	q->count--;
	if (q->count == 0) {
		free(q);
		s->queue = NULL;
	}
	return h;
}

void
held_clear(struct tcp_stream *s, struct tcp_stream_budget *budget)
{
	while (held_count(s) > 0)
		free(held_detach_first(s, budget));
}
