/*
 * stream_recorder - writes down what a tcp_stream hands out.
 *
 * Bytes stand for themselves, a zero byte for '.', a gap of n bytes is "(n)", a FIN '|'.  Each call
 * is checked against the ones before: offsets go on where they stopped, nothing follows a FIN, and
 * what followed at once was told before.
 */
#ifndef TLSTALLY_TESTS_STREAM_RECORDER_H
#define TLSTALLY_TESTS_STREAM_RECORDER_H

#include <stdio.h>
#include <string.h>

#include "suite.h"

#include "flow/held.h"
#include "flow/tcp_stream.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

struct recorder {
	char text[65536];
	size_t len;
	int64_t next;
	bool fin;
	unsigned calls;
	struct mark last_mark;
	struct tcp_stream *stop_stream; /* stopped by the call number `stop_at`; NULL: never */
	struct tcp_stream_budget *stop_budget;
	unsigned stop_at;
	const struct tcp_stream *stream; /* NULL: it is not asked whether more follows */
	bool has_more;                   /* what it said of itself in the latest call, */
	bool is_further; /* which was for the same segment as the next one, if there is one */
};

static inline void
recorder_note(struct recorder *r, const struct mark *mark)
{
	ck_assert_int_eq(mark->offset, r->next);
	ck_assert(!r->fin);
	/* Nothing is heard of a stream that was stopped. */
	ck_assert(r->stop_stream == NULL || !r->stop_stream->stopped);
	ck_assert(!r->is_further || r->has_more);
	r->has_more = r->stream == NULL || tcp_stream_has_more(r->stream);
	r->is_further = true;
	r->last_mark = *mark;
	r->calls++;
	if (r->stop_stream != NULL && r->calls == r->stop_at)
		tcp_stream_stop(r->stop_stream, r->stop_budget);
}

static inline void
recorder_data(void *arg, struct span bytes, const struct mark *mark)
{
	struct recorder *r = arg;

	ck_assert_uint_gt(bytes.len, 0);
	ck_assert_uint_lt(r->len + bytes.len, sizeof(r->text));
	for (size_t i = 0; i < bytes.len; i++)
		r->text[r->len++] = bytes.data[i] == 0 ? '.' : (char)bytes.data[i];
	r->text[r->len] = '\0';
	/* A FIN that is followed by data was none. */
	r->fin = false;
	recorder_note(r, mark);
	r->next += (int64_t)bytes.len;
}

static inline void
recorder_gap(void *arg, int64_t len, const struct mark *mark)
{
	struct recorder *r = arg;
	int n = snprintf(r->text + r->len, sizeof(r->text) - r->len, "(%lld)", (long long)len);

	ck_assert_int_gt(len, 0);
	ck_assert_uint_lt(r->len + (size_t)n, sizeof(r->text));
	r->len += (size_t)n;
	recorder_note(r, mark);
	r->next += len;
}

static inline void
recorder_fin(void *arg, const struct mark *mark)
{
	struct recorder *r = arg;

	r->text[r->len++] = '|';
	r->text[r->len] = '\0';
	recorder_note(r, mark);
	r->fin = true;
}

static const struct tcp_stream_sink recorder_sink = {
	.data = recorder_data,
	.gap = recorder_gap,
	.fin = recorder_fin,
};

struct fixture {
	struct tcp_stream s;
	struct tcp_stream_budget budget;
	struct recorder r;
	int64_t time_us;
};

/* A stream whose SYN was captured; `base` is the number of its first byte. */
static inline struct fixture *
fixture_new(uint32_t base)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	f->budget.max_held_len = f->budget.max_held_per_stream = 1 << 20;
	f->time_us = INT64_C(1700000000000000);
	f->r.stream = &f->s;
	tcp_stream_set_base(&f->s, base, true);
	return f;
}

/* Frees it; nothing may be held by then. */
static inline void
fixture_free(struct fixture *f)
{
	ck_assert_uint_eq(f->budget.held_len, 0);
	ck_assert_uint_eq(held_len(&f->s), 0);
	ck_assert_ptr_null(f->s.queue);
	free(f);
}

static inline void
add(struct fixture *f, int64_t offset, struct span payload, size_t payload_len, bool fin)
{
	/* A copy of its own, so that a sanitizer sees what is kept without being copied. */
	uint8_t *copy = malloc(payload.len + (payload.len == 0));
	struct tcp_segment segment = {
		.seq = f->s.base + (uint32_t)offset,
		.payload_len = (uint32_t)payload_len,
		.fin = fin,
		.time_us = f->time_us,
		.peer_offset = MARK_NO_PEER,
	};

	ck_assert_ptr_nonnull(copy);
	if (payload.len > 0)
		memcpy(copy, payload.data, payload.len);
	segment.payload = span_from(copy, payload.len);
	f->r.is_further = false;
	tcp_stream_add(&f->s, &segment, &f->budget, &recorder_sink, &f->r);
	free(copy);
	ck_assert_uint_le(f->budget.held_len, f->budget.max_held_len);
	ck_assert_uint_le(held_len(&f->s), f->budget.max_held_per_stream);
	ck_assert_uint_eq(f->budget.held_len, held_len(&f->s));
}

static inline void
add_text(struct fixture *f, int64_t offset, const char *text)
{
	add(f, offset, span_from_text(text), strlen(text), false);
}

static inline void
flush_stream(struct fixture *f)
{
	f->r.is_further = false;
	tcp_stream_flush(&f->s, &f->budget, &recorder_sink, &f->r);
}

/* The same numbers on every machine and in every run. */
static inline uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline uint32_t
random_below(uint32_t *state, uint32_t limit)
{
	return next_random(state) % limit;
}

#endif
