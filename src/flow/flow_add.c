/* A packet's way through its table. */
#include "flow/elapsed.h"
#include "flow/flow_lookup.h"

#include "base/banned.h"

/* So far ahead of a payload: beyond the packets that were read already, which are some dozens. */
#define BYTES_AHEAD ((uintptr_t)24 << 10)

static inline bool
flow_matches(const struct flow *f, const struct packet *p, unsigned dir)
{
	const struct connection *conn = &f->conn;
	const struct addr *src = &conn->addr[dir], *dst = &conn->addr[1 - dir];
	uint64_t heads =
	    (addr_head(src) ^ addr_head(&p->src)) | (addr_head(dst) ^ addr_head(&p->dst));
	unsigned ports = (conn->port[dir] ^ p->src_port) | (conn->port[1 - dir] ^ p->dst_port);

	/* One branch for all, because only one way is usual. */
	if ((heads | ports) != 0)
		return false;
	return p->src.family == 4 || (addr_equals(src, &p->src) && addr_equals(dst, &p->dst));
}

static APART struct flow *
find_in_chain(
    const struct flow_table *table, const struct packet *p, struct place at, uint32_t first)
{
	struct flow *f = flow_at(table, first);

	while (f != NULL && (f->hash != (uint32_t)at.hash || !flow_matches(f, p, at.dir)))
		f = flow_at(table, f->hash_next);
	return f;
}

/* NULL where there is none: that no chain begins there is told without a call. */
static inline struct flow *
find(const struct flow_table *table, const struct packet *p, struct place at)
{
	uint32_t first = *flow_bucket(table, at.hash);

	return first == 0 ? NULL : find_in_chain(table, p, at, first);
}

static inline void
note_link(struct flow *f, const struct packet *p, unsigned dir)
{
	if (f->conn.vlan[dir] == CONNECTION_VLAN_UNKNOWN)
		flow_set_link(&f->conn, p, dir);
}

static APART void
renew(struct flow_table *table, struct flow *f, enum flow_list list)
{
	flow_list_remove(table, f);
	f->last_us = table->now_us;
	flow_list_put(table, f, list);
}

static inline void
touch_open(struct flow_table *table, struct flow *f)
{
	if (!flow_list_is_open(f)) /* it lingers: its time runs from flow_linger */
		return;
	f->last_us = table->now_us;
	if (flow_list_is_behind(table, f))
		renew(table, f, (enum flow_list)f->list);
}

static inline void
touch_settled(struct flow_table *table, struct flow *f)
{
	if (f->closed && f->list == FLOW_LIST_SETTLED)
		renew(table, f, FLOW_LIST_CLOSED);
	else if (elapsed_us(table->now_us, f->last_us) >= FLOW_LIST_RENEW_US)
		renew(table, f, (enum flow_list)f->list);
}

static void
add_reset(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	struct tcp_stream *s = &f->streams->of[dir];
	struct mark mark = { .time_us = p->time_us };

	mark.peer_offset = flow_acked_offset(&f->streams->of[1 - dir], p);
	/* Where nothing tells what was in front of it, that is counted back from here. */
	if (p->seq != 0)
		tcp_stream_set_hint(s, p->seq);
	mark.offset = s->next;
	if (p->seq != 0) {
		int64_t offset = tcp_stream_offset(s, p->seq);

		if (offset < s->next - TCP_STREAM_WINDOW || offset > s->next + TCP_STREAM_WINDOW) {
			table->counters.streams.out_of_window_count++;
			return;
		}
		mark.offset = offset;
	}
	f->closed = true;
	table->handler->reset(f->user, dir, &mark);
}

/* The number of the first byte, behind the SYN for a packet that is one. */
static inline uint32_t
first_seq_of(const struct packet *p)
{
	return p->seq + ((p->flags & TCP_SYN) != 0);
}

/* `peer_offset`: how much of the other direction the packet acknowledges. */
static APART void
add_segment(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir,
    int64_t peer_offset)
{
	struct flow_stream_arg arg = flow_stream_arg_of(table, f, dir);
	struct tcp_segment segment = {
		.seq = first_seq_of(p),
		.payload = p->payload,
		.payload_len = p->payload_len,
		.fin = (p->flags & TCP_FIN) != 0,
		.time_us = p->time_us,
		.peer_offset = peer_offset,
	};

	tcp_stream_add(
	    &f->streams->of[dir], &segment, &table->counters.streams, &flow_stream_sink, &arg);
}

/* A segment of an unsettled connection: payload, a FIN, or both. */
static inline void
add_payload(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir,
    int64_t peer_offset)
{
	struct tcp_stream *s = &f->streams->of[dir];
	struct mark mark = {
		.time_us = p->time_us,
		.offset = s->next,
		.peer_offset = peer_offset,
	};

	if (s->acked > s->next && s->has_base && p->payload_len > 0 &&
	    tcp_stream_offset(s, first_seq_of(p)) >= s->next)
		table->counters.ack_before_data++;
	/* As nearly always.  tcp_stream_add would hand the bytes out through a callback. */
	if ((p->flags & (TCP_FIN | TCP_SYN)) == 0 &&
	    tcp_stream_take_plain(s, p->seq, p->payload, p->payload_len))
		table->handler->data(f->user, dir, p->payload, &mark);
	else
		add_segment(table, f, p, dir, peer_offset);
}

static APART void
drain(struct flow_table *table, struct flow *f, unsigned dir)
{
	struct flow_stream_arg arg = flow_stream_arg_of(table, f, dir);

	tcp_stream_drain(&f->streams->of[dir], &table->counters.streams, &flow_stream_sink, &arg);
}

/* The receiver waits for `seq` of a stream without a base. */
static inline void
note_wanted(struct tcp_stream *s, uint32_t seq)
{
	/* A FIN waits for what is in front of it. */
	if (s->queue != NULL && tcp_stream_offset(s, seq) <= 0)
		tcp_stream_begin(s, seq, false);
	else
		tcp_stream_set_hint(s, seq);
}

/*
 * A packet without payload that is ahead of its own direction: what stands in front of it was sent,
 * and is late, or was not captured.  It tells what its receiver's acknowledgement would.
 */
static APART void
note_sent(struct flow_table *table, struct flow *f, unsigned dir, int64_t sent)
{
	struct tcp_stream *s = &f->streams->of[dir];

	if (s->has_base && sent < s->next + TCP_STREAM_WINDOW && tcp_stream_acknowledge(s, sent))
		drain(table, f, dir);
}

/* A packet with neither payload nor FIN, of an unsettled connection. */
static inline void
add_bare(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	const struct tcp_stream *s = &f->streams->of[dir];
	int64_t sent = tcp_stream_offset(s, p->seq);

	if (sent > s->next)
		note_sent(table, f, dir, sent);
}

/*
 * What a packet tells of the other direction.  Returns how far it acknowledges that one's bytes.
 */
static inline int64_t
acknowledge(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	struct tcp_stream *peer = &f->streams->of[1 - dir];
	int64_t offset;

	if (!peer->has_base && (p->flags & TCP_ACK) != 0)
		note_wanted(peer, p->ack);
	offset = flow_acked_offset(peer, p);
	if (tcp_stream_acknowledge(peer, offset))
		drain(table, f, 1 - dir);
	return offset;
}

static APART void
add_to_open(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	int64_t peer_offset = acknowledge(table, f, p, dir);

	/* What the other direction could hand out by now may have settled the connection. */
	if (flow_is_settled(f))
		return;
	if ((p->flags & TCP_RST) != 0)
		add_reset(table, f, p, dir);
	else if (p->payload_len > 0 || (p->flags & TCP_FIN) != 0)
		add_payload(table, f, p, dir, peer_offset);
	else if ((p->flags & TCP_SYN) == 0)
		add_bare(table, f, p, dir);
}

/*
 * The same for a packet with ACK and without SYN or RST: the short way where the other direction is
 * known, the number makes sense there, and nothing waits for it.
 */
static inline void
add_usual_to_open(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	struct tcp_stream *peer = &f->streams->of[1 - dir];
	int64_t acked = tcp_stream_offset(peer, p->ack);

	if (!peer->has_base || peer->queue != NULL || acked < 0 ||
	    acked >= peer->next + TCP_STREAM_WINDOW) {
		add_to_open(table, f, p, dir);
		return;
	}
	if (acked > peer->acked)
		peer->acked = acked;
	if (p->payload_len > 0 || (p->flags & TCP_FIN) != 0)
		add_payload(table, f, p, dir, acked);
	else
		add_bare(table, f, p, dir);
}

/* How long a settled connection is remembered depends on whether it has ended. */
static inline void
note_settled(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	if (f->watch != NULL)
		flow_watch_packet(table, f, p, dir);
	if ((p->flags & (TCP_FIN | TCP_RST)) == 0)
		return;
	if ((p->flags & TCP_FIN) != 0)
		f->fin_dirs |= (uint8_t)(1u << dir);
	if ((p->flags & TCP_RST) != 0 && flow_is_credible_reset(f, p, dir))
		f->closed = true;
	f->closed = f->closed || f->fin_dirs == 3;
	if (f->closed && f->watch != NULL && f->watch->close != FLOW_CLOSE_NONE)
		flow_watch_end(table, f);
}

/*
 * What is left to do once the packet's connection is known.  A call of it costs as much as all that
 * it does for most packets.
 */
static inline __attribute__((always_inline)) void
close_packet(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	if (!flow_is_settled(f)) {
		touch_open(table, f);
		return;
	}
	note_settled(table, f, p, dir);
	touch_settled(table, f);
}

/* The SYN came with payload (RFC 7413), or the mirror is late with what answers it. */
static bool
lacks_syn_ack(const struct flow *f, unsigned dir)
{
	return f->conn.mid_start[dir] && !f->conn.mid_start[1 - dir];
}

static APART void
note_syn_ack(struct flow_table *table, const struct packet *p, const struct flow_lookup *l)
{
	table->counters.syn_answered +=
	    syn_cache_add_syn_ack(table->syns, l->syn_hash, l->at.dir, p->seq, p->ack);
}

static APART void
note_first_syn(struct flow_table *table, const struct packet *p, const struct flow_lookup *l)
{
	table->counters.syn += syn_cache_add_syn(table->syns, l->syn_hash, l->at.dir, p->seq);
}

static APART void
note_join(struct flow_table *table, const struct flow_lookup *l)
{
	syn_cache_mark_join(table->syns, l->syn_hash);
}

/* A connection's beginning: in parts, so that a flood's SYNs pay for few registers. */
static inline void
note_syn(struct flow_table *table, const struct packet *p, const struct flow_lookup *l)
{
	if ((p->flags & TCP_ACK) != 0)
		note_syn_ack(table, p, l);
	else
		note_first_syn(table, p, l);
	if (p->joins)
		note_join(table, l);
}

/* True when the packet is done with. */
static bool
add_syn(struct flow_table *table, const struct packet *p, const struct flow_lookup *l,
    struct flow **flow)
{
	bool is_ack = (p->flags & TCP_ACK) != 0;
	unsigned dir = l->at.dir;
	bool answers = *flow != NULL && is_ack && lacks_syn_ack(*flow, dir);

	if (*flow != NULL && flow_is_new_syn(*flow, p, dir)) {
		flow_end(table, *flow, FLOW_END_REUSED, table->now_us);
		*flow = NULL;
	}
	table->counters.syn_answered += *flow != NULL && answers;
	if (*flow == NULL)
		note_syn(table, p, l);
	return p->payload_len == 0;
}

/*
 * A SYN with nothing else in it.  One with RST begins nothing: its receiver looks at the RST first.
 */
static inline bool
is_bare_syn(const struct packet *p)
{
	return (p->flags & (TCP_SYN | TCP_RST)) == TCP_SYN && p->payload_len == 0;
}

/*
 * Payload on the ports of a connection that has ended: that of a new one, of which neither SYN nor
 * SYN/ACK was captured.
 */
static APART bool
begins_another(const struct flow *f, const struct packet *p, unsigned dir)
{
	return (p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK && p->payload_len > 0 &&
	       flow_is_settled(f) && flow_is_of_another(f, p, dir);
}

/*
 * A packet of no known connection (`f` is NULL), one with SYN or RST or without ACK, or the first
 * of another connection on the ports of one that has ended.
 */
static APART void
add_unusual(
    struct flow_table *table, struct flow *f, const struct packet *p, const struct flow_lookup *l)
{
	/* RFC 9293, section 3.5.2: what a RST carries is a diagnosis, not data of the stream. */
	uint32_t payload_len = (p->flags & TCP_RST) != 0 ? 0 : p->payload_len;

	/* RFC 9293, section 3.10.7.4: what acknowledges nothing is dropped by its receiver. */
	if ((p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) == 0) {
		table->counters.streams.out_of_window_count++;
		return;
	}
	if ((p->flags & TCP_SYN) != 0 && (p->flags & TCP_RST) == 0 && add_syn(table, p, l, &f))
		return;
	/* Asked a second time, so that the usual way has one end. */
	if (f != NULL && f->closed && begins_another(f, p, l->at.dir)) {
		flow_end(table, f, FLOW_END_REUSED, table->now_us);
		f = NULL;
	}
	if (f == NULL) {
		/* Without payload there is nothing to follow yet. */
		if (payload_len == 0 && !flow_ends_unseen(table, p, l->at.dir))
			return;
		f = flow_open(table, p, l->at.hash, l->at.dir);
	}
	table->counters.payload_segments += payload_len > 0;
	f->conn.seen[l->at.dir] = true;
	if (!flow_is_settled(f)) {
		note_link(f, p, l->at.dir);
		add_to_open(table, f, p, l->at.dir);
	}
	close_packet(table, f, p, l->at.dir);
}

static inline void
add_found(struct flow_table *table, const struct packet *p, const struct flow_lookup *l)
{
	struct flow *f = l->likely;

	flow_follow_clock(table, p->time_us);
	/*
	 * The connection may have gone since it was looked up; then it matches nothing.  Number 0
	 * is what a flood's SYNs find, which need not be compared with it.
	 */
	if (f == table->flows || !flow_matches(f, p, l->at.dir))
		f = find(table, p, l->at);
	if (f == NULL || (p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK ||
	    (f->closed && begins_another(f, p, l->at.dir))) {
		/* A flood's, which would be done with all the same. */
		if (f == NULL && is_bare_syn(p))
			note_syn(table, p, l);
		else
			add_unusual(table, f, p, l);
		return;
	}
	table->counters.payload_segments += p->payload_len > 0;
	f->conn.seen[l->at.dir] = true;
	if (!flow_is_settled(f)) {
		note_link(f, p, l->at.dir);
		add_usual_to_open(table, f, p, l->at.dir);
	}
	close_packet(table, f, p, l->at.dir);
}

/* NULL, or what has gone by now, does no harm: a prefetch reads nothing. */
static inline void
prefetch_two_lines(const void *object)
{
	__builtin_prefetch(object);
	__builtin_prefetch((const void *)((uintptr_t)object + CACHE_LINE));
}

static inline void
look_up_syn(const struct flow_table *table, const struct packet *p, struct flow_lookup *l)
{
	l->syn_hash = flow_place(&table->syn_key, p).hash;
	syn_cache_prefetch(table->syns, l->syn_hash);
}

/*
 * What the users of unsettled connections need.  The packets with payload are listed first, without
 * a branch, because nobody could predict it.
 */
static inline void
prefetch_users(const struct flow_handler *handler, const struct packet *const *packets,
    size_t count, const struct flow_lookup *batch)
{
	uint8_t with_user[FLOW_BATCH];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const struct flow *f = batch[i].likely;

		/* Of a settled one this is its watch. */
		__builtin_prefetch(f->streams);
		with_user[n] = (uint8_t)i;
		n += !flow_is_settled(f) & (packets[i]->payload_len > 0);
	}
	if (handler->prefetch == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct flow_lookup *l = &batch[with_user[i]];

		handler->prefetch(l->likely->user, l->at.dir);
	}
}

/* Each pass prefetches what the next one reads, so that the packets' waits for memory overlap. */
void
flow_look_up(struct flow_table *const *tables, const struct packet *const *packets, size_t count,
    struct flow_lookup *batch)
{
	uint32_t any = 0;

	for (size_t i = 0; i < count; i++) {
		batch[i].at = flow_place(&tables[i]->key, packets[i]);
		batch[i].bucket = flow_bucket(tables[i], batch[i].at.hash);
		__builtin_prefetch(batch[i].bucket);
		batch[i].syn_hash = 0;
		if ((packets[i]->flags & TCP_SYN) != 0)
			look_up_syn(tables[i], packets[i], &batch[i]);
	}
	for (size_t i = 0; i < count; i++) {
		any |= *batch[i].bucket;
		batch[i].likely = &tables[i]->flows[*batch[i].bucket];
		prefetch_two_lines(batch[i].likely);
	}
	if (any != 0) /* most batches of a flood are of no connection */
		prefetch_users(tables[0]->handler, packets, count, batch);
}

/*
 * In a mapped file these are bytes of later packets.  To prefetch a few of them at a time, beside
 * everything else, costs nothing; the reader would only wait for them.
 */
static inline void
ask_for_bytes_ahead(const struct packet *p)
{
	const char *bytes = (const char *)((uintptr_t)p->payload.data + BYTES_AHEAD);

	for (unsigned i = 0; i < 4; i++)
		__builtin_prefetch(bytes + (size_t)i * CACHE_LINE, 0, 2);
}

APART void
flow_add_looked_up(struct flow_table *const *tables, const struct packet *const *packets,
    size_t count, const struct flow_lookup *batch)
{
	for (size_t i = 0; i < count; i++) {
		ask_for_bytes_ahead(packets[i]);
		add_found(tables[i], packets[i], &batch[i]);
	}
}

void
flow_tables_add(struct flow_table *const *tables, const struct packet *const *packets, size_t count)
{
	struct flow_lookup batch[FLOW_BATCH];

	for (size_t i = 0; i < count; i += FLOW_BATCH) {
		size_t n = count - i < FLOW_BATCH ? count - i : FLOW_BATCH;

		if (flow_is_flood(packets + i, n)) {
			flow_add_flood(tables + i, packets + i, n);
			continue;
		}
		flow_look_up(tables + i, packets + i, n, batch);
		flow_add_looked_up(tables + i, packets + i, n, batch);
	}
}

void
flow_table_add(struct flow_table *table, const struct packet *packet)
{
	flow_tables_add(&table, &packet, 1);
}
