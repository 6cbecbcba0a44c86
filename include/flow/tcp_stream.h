/*
 * tcp_stream - one direction of a TCP connection, put back in order.
 *
 * Takes segments as captured (late, repeated, overlapping, cut, with holes) and hands each byte out
 * once, in order.  Bytes that never arrive are reported as a gap, so that no parser runs across a
 * hole unawares.
 *
 * A hole is waited for: it becomes a gap when the receiver has acknowledged what lies behind it and
 * TCP_STREAM_PATIENCE_US of packet time have gone by, when more than the budget waits behind it, or
 * when the connection ends.  An acknowledgement alone is no proof: mirrors deliver it early.
 *
 * Of bytes that come twice with different content those count that were handed out first; behind a
 * hole, those of the segment that begins earlier, or is longer.  But a segment of nothing but zero
 * bytes (a keep-alive probe, padding) waits until the next segment continues it or the receiver has
 * taken it, and gives way to real data in its place.
 *
 * Nothing comes behind a FIN, except where the same direction goes on in its place: then it was
 * somebody else's, and the bytes are handed out behind it.
 *
 * Source:  RFC 9293, section 3.4 (sequence numbers), 3.8.4 (keep-alive probes).
 * Memory:  segments behind a hole, within `struct tcp_stream_budget`.
 * Threads: one thread at a time per stream.
 */
#ifndef TLSTALLY_FLOW_TCP_STREAM_H
#define TLSTALLY_FLOW_TCP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mark.h"
#include "base/span.h"

/* Segments further ahead than this are not of this connection. */
#define TCP_STREAM_WINDOW (INT64_C(1) << 24)
/* Only if it begins closer to the hint than this does a first segment belong to it. */
#define TCP_STREAM_HINT_WINDOW (1u << 17)
#define TCP_STREAM_PATIENCE_US INT64_C(3000000)

struct held_queue; /* segments that wait behind a hole */

/* Embedded in a connection; open for the size only.  Both directions are one line of a cache. */
struct tcp_stream {
	int64_t next;             /* offset of the next byte to hand out */
	int64_t acked;            /* highest offset that the other side acknowledged */
	struct held_queue *queue; /* owned; NULL: nothing waits */
	union {
		uint32_t base; /* sequence number of offset 0 */
		uint32_t hint; /* without a base: the first number that was seen of it */
	};
	/* Of one byte, so that several are asked for in one comparison. */
	bool has_base : 1;
	bool has_hint : 1;
	bool has_syn : 1;      /* a SYN told where the stream begins */
	bool begins_below : 1; /* in front of offset 0 */
	bool fin_seen : 1;     /* a FIN was handed out, and nothing behind it */
	bool stopped : 1;      /* nothing is handed out any more */
	bool has_rest : 1;     /* a segment's bytes are handed out, and more of it than these */
};
_Static_assert(sizeof(struct tcp_stream) <= 32, "half a line");

/* Shared by all streams of a table. */
struct tcp_stream_budget {
	size_t held_len; /* bytes held by all streams now */
	size_t max_held_len;
	size_t max_held_per_stream;
	uint64_t gap_count, gap_len; /* holes that became gaps, and their bytes */
	uint64_t duplicate_count;    /* segments that brought nothing new */
	uint64_t reordered_count;    /* segments that had to wait */
	uint64_t out_of_window_count;
	uint64_t cut_count; /* segments cut by the snapshot length */
};

struct tcp_segment {
	uint32_t seq; /* number of the first byte, host order; behind the SYN for one with data */
	struct span payload;  /* borrowed for the call */
	uint32_t payload_len; /* on the wire; more than payload.len where the capture cut it */
	bool fin;
	int64_t time_us;
	int64_t peer_offset; /* see base/mark.h */
};

struct tcp_stream_sink {
	void (*data)(void *arg, struct span bytes, const struct mark *mark);
	void (*gap)(void *arg, int64_t len, const struct mark *mark);
	void (*fin)(void *arg, const struct mark *mark);
};

/* The nearest offset to `next` that has this number: sequence numbers wrap. */
static inline int64_t
tcp_offset(int64_t next, uint32_t base, uint32_t seq)
{
	return next + (int32_t)(seq - (base + (uint32_t)next));
}

/* Offset of a sequence number; the stream must have its base, or a hint. */
static inline int64_t
tcp_stream_offset(const struct tcp_stream *s, uint32_t seq)
{
	return tcp_offset(s->next, s->base, seq);
}

/* Sets the sequence number of the first byte, where none is known yet. */
void tcp_stream_set_base(struct tcp_stream *s, uint32_t seq, bool from_syn);

/*
 * The same where a hint may be known, from which marks have been counted meanwhile: it keeps its
 * offset, and a stream that begins in front of it begins below zero.
 */
void tcp_stream_begin(struct tcp_stream *s, uint32_t seq, bool from_syn);

/*
 * Without a base: the receiver was seen to wait for `seq`, or the sender ended there.  If the first
 * segment begins beyond it, another one in front of that is still to come, or lost.
 */
static inline void
tcp_stream_set_hint(struct tcp_stream *s, uint32_t seq)
{
	if (s->has_base || s->has_hint)
		return;
	s->hint = seq;
	s->has_hint = true;
}

/*
 * Adds one segment and hands out what is in order now.  A callback may call tcp_stream_stop.
 */
void tcp_stream_add(struct tcp_stream *s, const struct tcp_segment *segment,
    struct tcp_stream_budget *budget, const struct tcp_stream_sink *sink, void *arg);

/* Hands out what waits, as far as it is in order. */
void tcp_stream_drain(struct tcp_stream *s, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg);

/*
 * The other side was seen to acknowledge everything before the offset `acked`; -1: nothing.  True
 * when something waits, which tcp_stream_drain may hand out now: zero bytes that waited for a sign
 * of being data.
 */
static inline bool
tcp_stream_acknowledge(struct tcp_stream *s, int64_t acked)
{
	if (acked <= s->acked)
		return false;
	s->acked = acked;
	return s->queue != NULL;
}

/*
 * The quick way for nearly all segments: true for real data that is whole and comes next, with
 * nothing that waits and without a FIN.  The stream has then gone on behind it, and the caller
 * hands it out.  Where this is false, nothing has changed.
 */
static inline bool
tcp_stream_take_plain(struct tcp_stream *s, uint32_t seq, struct span payload, uint32_t payload_len)
{
	if (seq != s->base + (uint32_t)s->next || !s->has_base || s->stopped || s->fin_seen ||
	    s->queue != NULL || payload.len == 0 || payload.len != payload_len ||
	    payload_len > TCP_STREAM_WINDOW || payload.data[0] == 0)
		return false;
	s->next += (int64_t)payload.len;
	return true;
}

/*
 * Something was captured that is still to be handed out: it waits behind a hole, or stands behind
 * what is handed out now.
 */
bool tcp_stream_has_more(const struct tcp_stream *s);

/* The connection ends: holes become gaps, and what waits behind them is handed out. */
void tcp_stream_flush(struct tcp_stream *s, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg);

/* Frees what waits; the stream hands out nothing any more. */
void tcp_stream_stop(struct tcp_stream *s, struct tcp_stream_budget *budget);

#endif
