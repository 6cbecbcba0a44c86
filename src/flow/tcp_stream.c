#include "flow/tcp_stream.h"

#include <stdlib.h>

#include "flow/elapsed.h"
#include "flow/held.h"

#include "base/banned.h"

void
tcp_stream_set_base(struct tcp_stream *s, uint32_t seq, bool from_syn)
{
	s->base = seq;
	s->next = 0;
	s->has_base = true;
	s->has_syn = from_syn;
}

void
tcp_stream_begin(struct tcp_stream *s, uint32_t seq, bool from_syn)
{
	uint32_t hint = s->hint, behind = hint - seq, ahead = seq - hint;

	if (!s->has_hint) {
		tcp_stream_set_base(s, seq, from_syn);
	} else if (behind < TCP_STREAM_HINT_WINDOW) {
		tcp_stream_set_base(s, hint, from_syn);
		s->next = -(int64_t)behind;
		s->begins_below = behind > 0;
	} else {
		/* A SYN tells the first number there is; a segment may follow one that is late. */
		bool follows = !from_syn && ahead < TCP_STREAM_HINT_WINDOW;

		tcp_stream_set_base(s, follows ? hint : seq, from_syn);
	}
}

static bool
is_zeros(struct span bytes)
{
	/* Real data rarely begins with a zero byte, so this is one comparison as a rule. */
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i] != 0)
			return false;
	}
	return bytes.len > 0;
}

/* Cuts off what lies before `next`; false when nothing is left. */
static bool
piece_trim(struct piece *p, int64_t next)
{
	int64_t old = next - p->mark.offset;

	if (old > 0) {
		if (old > (int64_t)p->bytes.len + p->missing)
			return false;
		if ((uint64_t)old <= p->bytes.len) {
			p->bytes = span_from(p->bytes.data + old, p->bytes.len - (size_t)old);
		} else {
			p->missing -= (uint32_t)((uint64_t)old - p->bytes.len);
			p->bytes.len = 0;
		}
		p->mark.offset = next;
	}
	return p->bytes.len > 0 || p->missing > 0 || p->fin;
}

static void
deliver_gap(struct tcp_stream *s, int64_t len, const struct mark *mark,
    struct tcp_stream_budget *budget, const struct tcp_stream_sink *sink, void *arg)
{
	budget->gap_count++;
	budget->gap_len += (uint64_t)len;
	s->next += len;
	sink->gap(arg, len, mark);
}

/*
 * RFC 9293, section 3.4: a FIN takes a number, the last one there is.  What goes on behind `next`
 * with more than that byte, which a probe may have, shows that somebody else sent the FIN there.
 */
static bool
runs_past(const struct tcp_stream *s, int64_t begin, size_t len, bool zeros)
{
	return !zeros && begin <= s->next && begin + (int64_t)len > s->next + 1;
}

static void
deliver_fin(struct tcp_stream *s, struct mark *mark, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg)
{
	const struct held *h = held_at(s, 0);

	s->has_rest = false;
	if (h != NULL && runs_past(s, h->mark.offset, h->len, h->zeros))
		return;
	s->fin_seen = true;
	held_clear(s, budget);
	mark->offset = s->next;
	sink->fin(arg, mark);
}

/* Hands out a piece that begins at `next`. */
static void
deliver(struct tcp_stream *s, const struct piece *p, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg)
{
	struct mark mark = p->mark;

	if (p->bytes.len > 0) {
		s->next += (int64_t)p->bytes.len;
		s->has_rest = p->missing > 0 || p->fin;
		sink->data(arg, p->bytes, &mark);
	}
	if (p->missing > 0 && !s->stopped) {
		mark.offset = s->next;
		s->has_rest = p->fin;
		deliver_gap(s, p->missing, &mark, budget, sink, arg);
	}
	if (p->fin && !s->fin_seen && !s->stopped)
		deliver_fin(s, &mark, budget, sink, arg);
}

/* True when the index-th held segment's turn has come, as far as those in front of it have gone. */
static inline bool
held_is_due(const struct tcp_stream *s, size_t index)
{
	const struct held *h = held_at(s, index), *next = held_at(s, index + 1);

	if (h == NULL || h->mark.offset > s->next)
		return false;
	/*
	 * Zero bytes count only once something continues them, or the receiver took them.  Where it
	 * took more, what is late may as well stand in their place.  Once it does, they are over.
	 */
	return !h->zeros || h->fin || held_end(h) <= s->next ||
	       (s->acked == held_end(h) && !h->acked_before) ||
	       (next != NULL && next->mark.offset <= held_end(h));
}

/* Zero bytes give way to real data that begins inside them. */
static void
cut_zeros(struct piece *p, const struct held *next)
{
	int64_t len;

	if (!p->zeros || next == NULL || next->zeros)
		return;
	len = next->mark.offset - p->mark.offset;
	if (len < (int64_t)p->bytes.len) {
		p->bytes.len = (size_t)len;
		p->missing = 0;
		p->fin = false;
	}
}

static void
deliver_first_held(struct tcp_stream *s, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg)
{
	/* Detached before the callback, which may stop the stream. */
	struct held *h = held_detach_first(s, budget);
	struct piece p = {
		.bytes = span_from(h->data, h->len),
		.missing = h->missing,
		.fin = h->fin,
		.zeros = h->zeros,
		.mark = h->mark,
	};

	cut_zeros(&p, held_at(s, 0));
	if (piece_trim(&p, s->next))
		deliver(s, &p, budget, sink, arg);
	free(h);
}

void
tcp_stream_drain(struct tcp_stream *s, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg)
{
	while (!s->stopped && s->has_base && held_is_due(s, 0))
		deliver_first_held(s, budget, sink, arg);
}

__attribute__((noinline, cold)) bool
tcp_stream_has_more(const struct tcp_stream *s)
{
	const struct held *h;

	if (s->has_rest)
		return true;
	for (size_t i = 0; (h = held_at(s, i)) != NULL; i++) {
		/* Others bring nothing new; zeros in order, and nothing else, are perhaps no data.
		 */
		if (held_end(h) > s->next || (h->fin && held_end(h) == s->next))
			return h->mark.offset > s->next || held_is_due(s, i) ||
			       held_at(s, i + 1) != NULL;
	}
	return false;
}

/* The hole in front of the first held segment will not be filled any more. */
static void
give_up_hole(struct tcp_stream *s, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg)
{
	struct mark mark = s->queue->items[s->queue->first]->mark;
	int64_t len = mark.offset - s->next;

	mark.offset = s->next;
	if (len > 0)
		deliver_gap(s, len, &mark, budget, sink, arg);
	if (!s->stopped && held_count(s) > 0)
		deliver_first_held(s, budget, sink, arg);
	tcp_stream_drain(s, budget, sink, arg);
}

static bool
holds_too_much(const struct tcp_stream *s, const struct tcp_stream_budget *budget)
{
	return held_len(s) > budget->max_held_per_stream || held_count(s) > HELD_COUNT_MAX ||
	       budget->held_len > budget->max_held_len;
}

static bool
hole_is_hopeless(const struct tcp_stream *s, int64_t now_us, const struct tcp_stream_budget *budget)
{
	const struct held *h = held_at(s, 0);

	if (holds_too_much(s, budget))
		return true;
	return s->acked > h->mark.offset &&
	       elapsed_us(now_us, h->mark.time_us) > TCP_STREAM_PATIENCE_US;
}

/* False, and counted, for a segment that cannot be of this connection. */
static bool
is_in_window(
    const struct tcp_stream *s, const struct tcp_segment *segment, struct tcp_stream_budget *budget)
{
	int64_t ahead = tcp_stream_offset(s, segment->seq) - s->next;

	if (ahead <= TCP_STREAM_WINDOW && ahead >= -TCP_STREAM_WINDOW &&
	    segment->payload_len <= TCP_STREAM_WINDOW)
		return true;
	budget->out_of_window_count++;
	return false;
}

/* A FIN alone does not tell where its stream begins, unless its receiver waits for it. */
static bool
is_end_of_unseen(const struct tcp_stream *s, const struct tcp_segment *segment)
{
	return segment->payload_len == 0 && (!s->has_hint || s->queue != NULL ||
						segment->seq - s->hint >= TCP_STREAM_HINT_WINDOW);
}

static bool
prepare_base(struct tcp_stream *s, const struct tcp_segment *segment, bool zeros)
{
	if (s->has_base)
		return true;
	/* Zeros are as likely a keep-alive probe's: they must not set the base. */
	if (zeros)
		return false;
	if (is_end_of_unseen(s, segment))
		tcp_stream_set_hint(s, segment->seq);
	else
		tcp_stream_begin(s, segment->seq, false);
	return true;
}

static void
add_any(struct tcp_stream *s, const struct tcp_segment *segment, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg)
{
	struct piece p = {
		.bytes = segment->payload,
		.missing = segment->payload_len - (uint32_t)segment->payload.len,
		.fin = segment->fin,
		.zeros = is_zeros(segment->payload),
		.mark = { .time_us = segment->time_us, .peer_offset = segment->peer_offset },
	};

	if (s->stopped || segment->payload_len < segment->payload.len ||
	    !prepare_base(s, segment, p.zeros) || !is_in_window(s, segment, budget))
		return;
	p.mark.offset = tcp_stream_offset(s, segment->seq);
	/* Where the mirror is late with this direction, that tells nothing of zero bytes. */
	p.acked_before = s->acked >= p.mark.offset + (int64_t)segment->payload_len;
	if (p.missing > 0)
		budget->cut_count++;
	if (!s->has_base) {
		held_add(s, &p, budget);
		if (holds_too_much(s, budget))
			tcp_stream_flush(s, budget, sink, arg);
		return;
	}
	if (s->fin_seen && runs_past(s, p.mark.offset, p.bytes.len, p.zeros))
		s->fin_seen = false;
	/* RFC 9293, section 3.10.7.4: text behind a FIN is ignored. */
	if (s->fin_seen || !piece_trim(&p, s->next)) {
		budget->duplicate_count += segment->payload_len > 0;
	} else if (p.mark.offset == s->next && held_count(s) == 0 && !p.zeros) {
		deliver(s, &p, budget, sink, arg);
	} else {
		budget->reordered_count += p.mark.offset > s->next;
		held_add(s, &p, budget);
		tcp_stream_drain(s, budget, sink, arg);
	}
	while (!s->stopped && held_count(s) > 0 && hole_is_hopeless(s, segment->time_us, budget))
		give_up_hole(s, budget, sink, arg);
}

void
tcp_stream_add(struct tcp_stream *s, const struct tcp_segment *segment,
    struct tcp_stream_budget *budget, const struct tcp_stream_sink *sink, void *arg)
{
	struct mark mark = {
		.time_us = segment->time_us,
		.offset = s->next,
		.peer_offset = segment->peer_offset,
	};

	if (!segment->fin &&
	    tcp_stream_take_plain(s, segment->seq, segment->payload, segment->payload_len))
		sink->data(arg, segment->payload, &mark);
	else
		add_any(s, segment, budget, sink, arg);
}

void
tcp_stream_flush(struct tcp_stream *s, struct tcp_stream_budget *budget,
    const struct tcp_stream_sink *sink, void *arg)
{
	/* Nothing but a FIN was captured. */
	if (!s->has_base && held_count(s) > 0)
		tcp_stream_begin(s, s->hint + (uint32_t)held_at(s, 0)->mark.offset, false);
	while (!s->stopped && held_count(s) > 0)
		give_up_hole(s, budget, sink, arg);
}

void
tcp_stream_stop(struct tcp_stream *s, struct tcp_stream_budget *budget)
{
	s->stopped = true;
	held_clear(s, budget);
}
