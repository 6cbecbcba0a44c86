/* How connections begin: the initial sequence numbers of SYN and SYN/ACK. */
#include "flow/flow_internal.h"
#include "flow/flow_place.h"

#include "base/banned.h"

/* RFC 7413, section 4.2: a SYN/ACK may acknowledge as much as a SYN carries. */
#define SYN_PAYLOAD_MAX 65535
/* The PROXY protocol, section 2.1: its first version's header, with the line's end. */
#define FIRST_WORDS_MAX 107

/* The ISN of direction `dir`; where two SYN/ACKs differ, the nearest one before `shown`. */
static uint32_t
isn_of(const struct syn_entry *e, unsigned dir, uint32_t shown)
{
	uint32_t isn = e->isn[dir];

	if ((int)dir == e->opener || !e->has_other_isn)
		return isn;
	/* The number behind a SYN is later than the SYN's own by one at least. */
	return shown - 1 - e->other_isn < shown - 1 - isn ? e->other_isn : isn;
}

/* Begins direction `d` where its SYN says, if the packet's numbers can follow that. */
static bool
take_isn(
    struct flow *flow, const struct syn_entry *e, const struct packet *p, unsigned dir, unsigned d)
{
	bool known = d == dir || (p->flags & TCP_ACK) != 0;
	uint32_t shown = d == dir ? p->seq : p->ack;
	uint32_t isn = e->isn[d];

	if (!e->has_isn[d])
		return false;
	if (known) {
		isn = isn_of(e, d, shown);
		/* An old entry of another connection on these ports is of no use. */
		if (shown - isn > TCP_STREAM_WINDOW)
			return false;
	}
	tcp_stream_set_base(&flow->streams->of[d], isn + 1, true);
	flow->conn.mid_start[d] = false;
	return true;
}

void
flow_take_syns(struct flow_table *table, struct flow *flow, const struct packet *p, unsigned dir)
{
	uint64_t hash = flow_place(&table->syn_key, p).hash;
	const struct syn_entry *e = syn_cache_find(table->syns, hash);
	bool own, peer;

	if (e == NULL)
		return;
	own = take_isn(flow, e, p, dir, dir);
	if (!own && e->has_isn[dir])
		return;
	peer = take_isn(flow, e, p, dir, 1 - dir);
	if (!own && !peer)
		return;
	/*
	 * Where the mirror is late with the SYN/ACK, what it would tell: all that is acknowledged
	 * is counted from there.
	 */
	if (e->has_ack && !e->has_isn[1 - e->opener])
		tcp_stream_set_hint(&flow->streams->of[1 - e->opener], e->isn[1 - e->opener] + 1);
	flow->conn.opener = e->opener;
	flow->conn.seen[e->opener] |= e->syn;
	flow->conn.seen[1 - e->opener] |= e->syn_ack;
	flow->conn.joins = e->joins;
	table->counters.syn_with_payload += e->syn;
	table->counters.joined += e->joins;
	/* Taken: a later connection on these ports has numbers of its own. */
	syn_cache_remove(table->syns, hash);
}

bool
flow_ends_unseen(struct flow_table *table, const struct packet *p, unsigned dir)
{
	uint64_t hash = flow_place(&table->syn_key, p).hash;
	unsigned peer = 1 - dir;
	const struct syn_entry *e;
	uint32_t acked, sent;

	if ((p->flags & TCP_ACK) == 0)
		return false;
	if ((p->flags & (TCP_FIN | TCP_RST)) == 0) {
		syn_cache_add_ack(table->syns, hash, dir, p->ack);
		return false;
	}
	e = syn_cache_find(table->syns, hash);
	if (e == NULL || !e->has_isn[peer])
		return false;
	acked = p->ack - (e->isn[peer] + 1);
	sent = e->has_isn[dir] ? p->seq - (e->isn[dir] + 1) : 0;
	return (acked > 1 && acked <= TCP_STREAM_WINDOW) || (sent > 0 && sent <= TCP_STREAM_WINDOW);
}

/*
 * RFC 7413, section 4.2: a SYN/ACK may acknowledge what the SYN carries.  Where it is captured
 * before the SYN, it seems to tell that the direction begins behind that, or behind more where this
 * SYN has only a part of it.  What was acknowledged meanwhile is counted from there, so what is in
 * front of it has numbers below zero.
 */
static bool
begins_earlier(struct tcp_stream *s, const struct packet *p)
{
	uint32_t acked = s->base - (p->seq + 1);

	if (p->payload_len == 0 || acked < p->payload_len || acked > SYN_PAYLOAD_MAX)
		return false;
	/* Nothing was handed out yet. */
	if (s->next == 0 && !s->begins_below) {
		s->next = -(int64_t)acked;
		s->begins_below = true;
	}
	return true;
}

/* The stream, which has its base, may begin with this number. */
static bool
may_begin_at(const struct tcp_stream *s, uint32_t seq)
{
	uint32_t behind = s->base - seq;

	return behind == 0 || (s->begins_below && behind < TCP_STREAM_HINT_WINDOW);
}

/* The least that the first offset of the stream, which has its base, may be. */
static int64_t
first_offset(const struct tcp_stream *s)
{
	/* Without a SYN the base is but the first number that was seen. */
	return s->has_syn && !s->begins_below ? 0 : -(int64_t)TCP_STREAM_HINT_WINDOW;
}

/* Of a stream without a base: what the other side was seen to wait for rules this number out. */
static bool
cannot_begin_at(const struct tcp_stream *s, uint32_t seq)
{
	return s->has_hint && s->hint - seq >= TCP_STREAM_HINT_WINDOW;
}

/*
 * The stream's own SYN, captured behind what follows its first bytes, which are late, too: few, as
 * of a load balancer's header, that are sent together with what follows.  What is longer may be
 * worth more than what came.  RFC 6528, section 3: a new connection's numbers are ahead of those of
 * the last one.  What comes is still the middle, as they are not handed out any more.
 */
static bool
is_late_syn(const struct flow *f, const struct tcp_stream *s, const struct packet *p, unsigned dir)
{
	return f->conn.mid_start[dir] && s->base - (p->seq + 1) <= FIRST_WORDS_MAX;
}

/* A SYN on the ports of a connection that is known: true when it begins a new one. */
static bool
syn_is_new(struct flow *f, struct tcp_stream stream[2], const struct packet *p, unsigned dir)
{
	struct tcp_stream *s = &stream[dir];
	bool begins = true;

	if (!s->has_base) {
		/* The other side was captured first; one that is settled has no use for it. */
		if (flow_is_settled(f) || cannot_begin_at(s, p->seq + 1))
			return true;
		tcp_stream_begin(s, p->seq + 1, true);
	} else if (!may_begin_at(s, p->seq + 1) && !begins_earlier(s, p)) {
		if (!is_late_syn(f, s, p, dir))
			return true;
		begins = false;
	}
	/* Late or repeated: it belongs to what is here. */
	if (f->conn.opener == CONNECTION_NO_DIR)
		f->conn.opener = (int8_t)dir;
	if (begins) {
		s->has_syn = true;
		f->conn.mid_start[dir] = false;
	}
	return false;
}

/* The same for a SYN/ACK, where the SYN itself may not be captured at all. */
static bool
syn_ack_is_new(struct flow *f, struct tcp_stream stream[2], const struct packet *p, unsigned dir)
{
	struct tcp_stream *s = &stream[dir], *peer = &stream[1 - dir];
	int64_t acked = flow_acked_offset(peer, p);

	/* It acknowledges the SYN, and with Fast Open the data in it. */
	if (peer->has_base && (acked < first_offset(peer) || acked > SYN_PAYLOAD_MAX))
		return true;
	/*
	 * A second SYN/ACK to the same SYN is no new connection; data says which one counts.  One
	 * that acknowledges a SYN not far behind what the opener has sent comes from a mirror that
	 * is late with that SYN.
	 */
	if (!s->has_base)
		tcp_stream_begin(s, p->seq + 1, true);
	else if (!may_begin_at(s, p->seq + 1))
		return (s->next > 0 && (!peer->has_base || acked > 0)) || acked > peer->next + 1;
	if (f->conn.opener == CONNECTION_NO_DIR)
		f->conn.opener = (int8_t)(1 - dir);
	f->conn.mid_start[dir] = false;
	return false;
}

void
flow_remember_streams(struct flow *flow, const struct tcp_stream stream[2])
{
	flow->base_dirs = 0;
	for (unsigned dir = 0; dir < 2; dir++) {
		flow->next[dir] = stream[dir].next;
		flow->base[dir] = stream[dir].base;
		flow->base_dirs |=
		    (uint8_t)(stream[dir].has_base << dir | stream[dir].begins_below << (2 + dir));
	}
}

static void
recall_streams(const struct flow *flow, struct tcp_stream stream[2])
{
	for (unsigned dir = 0; dir < 2; dir++) {
		stream[dir] = (struct tcp_stream){
			.next = flow->next[dir],
			.base = flow->base[dir],
			.has_base = (flow->base_dirs >> dir & 1) != 0,
			.begins_below = (flow->base_dirs >> (2 + dir) & 1) != 0,
			.stopped = true,
		};
	}
}

static bool
is_new(struct flow *f, struct tcp_stream stream[2], const struct packet *p, unsigned dir)
{
	if ((p->flags & TCP_ACK) != 0 ? syn_ack_is_new(f, stream, p, dir)
				      : syn_is_new(f, stream, p, dir))
		return true;
	f->conn.seen[dir] = true;
	return false;
}

bool
flow_is_new_syn(struct flow *f, const struct packet *p, unsigned dir)
{
	struct tcp_stream stream[2];
	bool result;

	if (!flow_is_settled(f))
		return is_new(f, f->streams->of, p, dir);
	recall_streams(f, stream);
	result = is_new(f, stream, p, dir);
	flow_remember_streams(f, stream);
	return result;
}
