/*
 * The input is a list of operations on two streams that share a budget.  The first byte's lowest
 * bit says whether the segments tell the truth: then each byte is a function of its offset.
 */
#include "flow/held.h"
#include "flow/tcp_stream.h"

#include <assert.h>
#include <stdlib.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define STREAM_COUNT 2
#define SEGMENT_MAX 300

struct listener {
	struct tcp_stream stream;
	struct tcp_stream_budget *budget;
	int64_t next;     /* offset that the next call must have */
	unsigned stop_in; /* calls until it stops the stream; 0: never */
	bool truthful, stopped, fin;
	bool begun; /* it is known where the stream begins */
};

static uint8_t
byte_at(int64_t offset)
{
	uint32_t x = (uint32_t)offset * 2654435761u;

	/* Zeros are not to be told from probes: without them here. */
	return (uint8_t)(x >> 24) | 1;
}

static void
listen(struct listener *l, const struct mark *mark, int64_t len)
{
	if (!l->begun) {
		/* At the hint, or in front of it. */
		assert(mark->offset <= 0 && mark->offset > -(int64_t)TCP_STREAM_HINT_WINDOW);
		l->next = mark->offset;
		l->begun = true;
	}
	assert(mark->offset == l->next);
	assert(!l->stopped && !l->fin);
	l->next += len;
	if (l->stop_in > 0 && --l->stop_in == 0) {
		tcp_stream_stop(&l->stream, l->budget);
		l->stopped = true;
	}
}

static void
on_data(void *arg, struct span bytes, const struct mark *mark)
{
	struct listener *l = arg;

	assert(bytes.len > 0);
	for (size_t i = 0; l->truthful && i < bytes.len; i++)
		assert(bytes.data[i] == byte_at(mark->offset + (int64_t)i));
	/* A FIN that is followed by data was none. */
	l->fin = false;
	listen(l, mark, (int64_t)bytes.len);
}

static void
on_gap(void *arg, int64_t len, const struct mark *mark)
{
	assert(len > 0);
	listen(arg, mark, len);
}

static void
on_fin(void *arg, const struct mark *mark)
{
	struct listener *l = arg;

	listen(l, mark, 0);
	l->fin = true;
}

static const struct tcp_stream_sink sink = { .data = on_data, .gap = on_gap, .fin = on_fin };

/* What is held, counted again from the queues themselves. */
static void
check_books(const struct listener *listeners, const struct tcp_stream_budget *budget)
{
	size_t all = 0;

	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct tcp_stream *s = &listeners[i].stream;
		int64_t before = INT64_MIN;
		size_t sum = 0;

		for (size_t k = 0; k < held_count(s); k++) {
			const struct held *h = held_at(s, k);

			assert(h->mark.offset > before);
			before = h->mark.offset;
			sum += sizeof(*h) + sizeof(h) + h->len;
		}
		assert(sum == held_len(s));
		assert((s->queue == NULL) == (sum == 0));
		assert(held_count(s) <= HELD_COUNT_MAX);
		assert(held_len(s) <= budget->max_held_per_stream || sum == 0);
		assert(!s->stopped || sum == 0);
		all += sum;
	}
	assert(all == budget->held_len);
	assert(all <= budget->max_held_len);
}

/* Offset from `next` (signed), captured length, what was cut, flags. */
static void
add(struct listener *l, struct span *ops, uint8_t op, int64_t time_us)
{
	uint8_t bytes[SEGMENT_MAX] = { 0 };
	struct tcp_segment segment = { .time_us = time_us, .peer_offset = MARK_NO_PEER };
	uint16_t delta, len;
	int64_t offset;

	if (!span_read_u16(ops, &delta) || !span_read_u16(ops, &len))
		return;
	offset = l->next + ((op & 0x10) != 0 ? (int64_t)(int16_t)delta * 1024 : (int8_t)delta);
	if (!l->stream.has_base)
		offset = (int16_t)delta;
	segment.seq = l->stream.base + (uint32_t)offset;
	segment.payload = span_from(bytes, (len & 0xfffu) % (SEGMENT_MAX + 1u));
	segment.payload_len = (uint32_t)segment.payload.len + (len >> 12) * 5u;
	segment.fin = (op & 0x20) != 0;
	for (size_t i = 0; i < segment.payload.len; i++) {
		/* A lying stream has runs of zeros and whatever the input holds. */
		if (l->truthful)
			bytes[i] = byte_at(offset + (int64_t)i);
		else if ((op & 0x40) == 0)
			bytes[i] = (uint8_t)(len + i);
	}
	tcp_stream_add(&l->stream, &segment, l->budget, &sink, l);
}

static void
start(struct listener *l, struct span *ops, struct tcp_stream_budget *budget, bool truthful)
{
	uint8_t how = 0;
	uint32_t base = 0;

	*l = (struct listener){ .budget = budget, .truthful = truthful };
	if (!span_read_u8(ops, &how) || !span_read_u32(ops, &base))
		return;
	l->stop_in = how >> 4;
	/* Without a SYN the first segment is offset 0, whatever its bytes are. */
	if ((how & 1) != 0 || truthful)
		tcp_stream_set_base(&l->stream, base, true);
	else if ((how & 2) != 0)
		tcp_stream_set_hint(&l->stream, base);
	l->begun = l->stream.has_base;
}

static void
run(struct listener *l, struct span *ops, uint8_t op, int64_t *time_us)
{
	uint16_t amount;

	switch ((op >> 1) & 7) {
	case 0:
		if (span_read_u16(ops, &amount))
			*time_us = (int64_t)((uint64_t)*time_us + amount * UINT64_C(100000));
		return;
	case 1:
		if (span_read_u16(ops, &amount))
			l->stream.acked = l->next + amount;
		return;
	case 2:
		tcp_stream_flush(&l->stream, l->budget, &sink, l);
		return;
	case 3:
		if ((op & 0x70) == 0x70) {
			tcp_stream_stop(&l->stream, l->budget);
			l->stopped = true;
		}
		return;
	default:
		add(l, ops, op, *time_us);
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span ops = span_from(data, len);
	struct listener listeners[STREAM_COUNT];
	struct tcp_stream_budget budget = { 0 };
	uint8_t first, op;
	uint16_t max;
	int64_t time_us;

	if (!span_read_u8(&ops, &first) || !span_read_u16(&ops, &max))
		return 0;
	budget.max_held_len = max;
	budget.max_held_per_stream = (size_t)max * (first >> 4) / 8;
	time_us = (first & 2) != 0 ? INT64_MAX - 1000000 : 0;
	for (int i = 0; i < STREAM_COUNT; i++)
		start(&listeners[i], &ops, &budget, (first & 1) != 0);
	while (span_read_u8(&ops, &op)) {
		run(&listeners[op & 1], &ops, op, &time_us);
		check_books(listeners, &budget);
	}
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct listener *l = &listeners[i];

		tcp_stream_flush(&l->stream, &budget, &sink, l);
		assert(l->stream.queue == NULL);
		assert(!l->begun || l->stream.next == l->next);
		tcp_stream_stop(&l->stream, &budget);
	}
	assert(budget.held_len == 0);
	return 0;
}
