/* How a settled connection goes on: a few numbers per packet, and few bytes. */
#include "flow/flow_internal.h"

#include "base/banned.h"

/* No capture has lost more at a time: a number further ahead is of another connection. */
#define AHEAD_MAX (INT64_C(1) << 30)
/* Whoever has said more than this and ends is not early. */
#define LISTEN_LEN 4096

void
flow_watch(struct flow *flow, struct flow_watch *watch, bool listens)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		if (watch->from[dir] < 0)
			watch->from[dir] = flow->next[dir];
	}
	watch->closed_ack += flow->base[1 - (watch->closed_by & 1u)];
	flow->listens = listens;
	flow->watch = watch;
}

static bool
has_base(const struct flow *flow, unsigned dir)
{
	return (flow->base_dirs >> dir & 1) != 0;
}

/* How far a sequence number lies ahead of the last byte that was seen. */
static int64_t
ahead_of(const struct flow *flow, unsigned dir, uint32_t seq)
{
	return tcp_offset(flow->next[dir], flow->base[dir], seq) - flow->next[dir];
}

/*
 * Keeps `next`, which serves nothing else any more, behind the last byte that was seen.  True when
 * there are new ones.
 */
static bool
count_bytes(struct flow *flow, const struct packet *p, unsigned dir)
{
	int64_t ahead;

	if (!has_base(flow, dir)) {
		flow->base[dir] = p->seq;
		flow->next[dir] = 0;
		flow->base_dirs |= (uint8_t)(1u << dir);
	}
	ahead = ahead_of(flow, dir, p->seq) + p->payload_len;
	if (ahead <= 0 || ahead >= AHEAD_MAX)
		return false;
	flow->next[dir] += ahead;
	return true;
}

/* New bytes.  What their sender says behind its last words takes those back. */
static __attribute__((noinline)) void
note_words(const struct flow_table *table, struct flow *flow, struct span bytes, unsigned dir)
{
	struct flow_watch *watch = flow->watch;
	uint8_t mine = (uint8_t)(1u << dir), others = (uint8_t)(1u << (1 - dir));
	enum flow_words words;

	if (watch->close != FLOW_CLOSE_NONE || flow->next[dir] - watch->from[dir] > LISTEN_LEN) {
		flow->listens = false;
		return;
	}
	words = table->handler->words(bytes);
	if (words != FLOW_WORDS_END || (watch->asked_dirs & others) != 0)
		watch->ended_dirs &= (uint8_t)~mine;
	else if (watch->ended_dirs == 0)
		watch->ended_dirs = mine;
	watch->asked_dirs = words == FLOW_WORDS_ASK ? mine : 0;
}

static bool
is_far(const struct flow *flow, unsigned dir, uint32_t seq)
{
	int64_t ahead = has_base(flow, dir) ? ahead_of(flow, dir, seq) : 0;

	return ahead > TCP_STREAM_WINDOW || ahead < -TCP_STREAM_WINDOW;
}

bool
flow_is_credible_reset(const struct flow *flow, const struct packet *p, unsigned dir)
{
	return p->seq == 0 || !is_far(flow, dir, p->seq);
}

bool
flow_is_of_another(const struct flow *flow, const struct packet *p, unsigned dir)
{
	return is_far(flow, dir, p->seq) && is_far(flow, 1 - dir, p->ack);
}

static void
note_close(struct flow_watch *watch, uint8_t close, const struct packet *p, unsigned dir)
{
	uint32_t end = p->seq + p->payload_len + 1;

	if (watch->close == FLOW_CLOSE_NONE) {
		watch->close = close;
		watch->closed_by = (uint8_t)dir;
		watch->closed_us = p->time_us;
		watch->closed_ack = p->ack;
	} else if (close == FLOW_CLOSE_FIN && watch->close == FLOW_CLOSE_FIN &&
		   watch->closed_by != dir && watch->closed_ack == end) {
		/* A mirror may swap the directions: that FIN was the answer to this one. */
		watch->closed_by = (uint8_t)dir;
		watch->closed_ack = 0;
	}
}

void
flow_watch_packet(
    const struct flow_table *table, struct flow *flow, const struct packet *p, unsigned dir)
{
	if ((p->flags & TCP_RST) != 0) {
		if (flow_is_credible_reset(flow, p, dir))
			note_close(flow->watch, FLOW_CLOSE_RESET, p, dir);
		return;
	}
	if ((p->flags & TCP_SYN) == 0 && count_bytes(flow, p, dir) && flow->listens)
		note_words(table, flow, p->payload, dir);
	if ((p->flags & TCP_FIN) != 0)
		note_close(flow->watch, FLOW_CLOSE_FIN, p, dir);
}

void
flow_watch_end(struct flow_table *table, struct flow *flow)
{
	struct flow_watch *watch = flow->watch;

	for (unsigned dir = 0; dir < 2; dir++) {
		int64_t len = flow->next[dir] - watch->from[dir];

		watch->len[dir] = len > 0 ? len : 0;
	}
	if (watch->close != FLOW_CLOSE_NONE && watch->ended_dirs != 0)
		watch->closed_by = watch->ended_dirs >> 1;
	flow->watch = NULL;
	table->handler->watched(table->arg, flow, watch, table->now_us);
}
