#include "flow/flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "flow/elapsed.h"
#include "flow/flow_internal.h"
#include "flow/flow_place.h"
#include "flow/held.h"

#include "base/banned.h"

/* A settled connection's place in its list is renewed no more often than this. */
#define RENEW_US INT64_C(1000000)
/*
 * So many packets are looked up at once: what they ask for fits into a first-level cache, and the
 * first answers are there when the last ones have been asked for.
 */
#define BATCH 32

void
flow_options_init(struct flow_options *o)
{
	*o = (struct flow_options){
		.max_flows = 131072,
		.max_unsettled = 16384,
		.max_closed = 16384,
		.max_held_len = 32u << 20,
		.max_held_per_stream = 256u << 10,
		.idle_unsettled_us = 600 * INT64_C(1000000),
		.idle_settled_us = 600 * INT64_C(1000000),
		.keep_closed_us = 60 * INT64_C(1000000),
	};
}

struct flow_table *
flow_table_new(const struct flow_options *options, const struct flow_handler *handler, void *arg)
{
	struct flow_table *table = xcalloc(1, sizeof(*table));

	table->options = *options;
	/* Whatever is configured, the connection at hand has a place. */
	if (table->options.max_flows == 0)
		table->options.max_flows = 1;
	if (table->options.max_unsettled == 0)
		table->options.max_unsettled = 1;
	table->handler = handler;
	table->arg = arg;
	table->key = hash_key_random();
	table->syn_key = options->is_saved ? hash_key_fixed() : table->key;
	flow_slots_init(table);
	table->syns = syn_cache_new(options->share_count);
	table->now_us = table->clock.packet_us = INT64_MIN;
	table->due_us = INT64_MAX;
	table->counters.streams.max_held_len = options->max_held_len;
	table->counters.streams.max_held_per_stream = options->max_held_per_stream;
	return table;
}

void
flow_table_free(struct flow_table *table)
{
	if (table == NULL)
		return;
	flow_table_finish(table);
	syn_cache_free(table->syns);
	flow_slots_release(table);
	free(table);
}

static bool
flow_matches(const struct flow *f, const struct packet *p, unsigned dir)
{
	const struct connection *conn = &f->conn;

	return conn->port[dir] == p->src_port && conn->port[1 - dir] == p->dst_port &&
	       addr_equals(&conn->addr[dir], &p->src) && addr_equals(&conn->addr[1 - dir], &p->dst);
}

static struct flow *
find(const struct flow_table *table, const struct packet *p, unsigned dir, uint64_t hash)
{
	struct flow *f = flow_at(table, *flow_bucket(table, hash));

	while (f != NULL && (f->hash != (uint32_t)hash || !flow_matches(f, p, dir)))
		f = flow_at(table, f->hash_next);
	return f;
}

/* The streams' callbacks: from one direction to the user. */
struct flow_stream_arg {
	struct flow *flow;
	struct flow_open *open;
	unsigned dir;
};

static void
on_data(void *arg, struct span bytes, const struct mark *mark)
{
	struct flow_stream_arg *a = arg;

	a->open->table->handler->data(a->open->user, a->dir, bytes, mark);
}

static void
on_gap(void *arg, int64_t len, const struct mark *mark)
{
	struct flow_stream_arg *a = arg;

	a->open->table->handler->gap(a->open->user, a->dir, len, mark);
}

static void
on_fin(void *arg, const struct mark *mark)
{
	struct flow_stream_arg *a = arg;
	struct flow *flow = a->flow;

	flow->fin_dirs |= (uint8_t)(1u << a->dir);
	flow->closed = flow->closed || flow->fin_dirs == 3;
	a->open->table->handler->fin(a->open->user, a->dir, mark);
}

static const struct tcp_stream_sink stream_sink = { .data = on_data, .gap = on_gap, .fin = on_fin };

/* The direction whose waiting bytes came first; not the one of the lower address. */
static unsigned
first_to_flush(const struct flow *flow)
{
	const struct tcp_stream *stream = flow->open->stream;
	const struct held *a = held_at(&stream[0], 0), *b = held_at(&stream[1], 0);

	if (a != NULL && b != NULL && a->mark.time_us != b->mark.time_us)
		return a->mark.time_us < b->mark.time_us ? 0 : 1;
	return flow->conn.opener == 1 ? 1 : 0;
}

void
flow_conclude(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us)
{
	struct flow_open *open = flow->open;
	unsigned first = first_to_flush(flow);

	for (unsigned i = 0; i < 2; i++) {
		struct flow_stream_arg arg = { flow, open, i == 0 ? first : 1 - first };

		tcp_stream_flush(
		    &open->stream[arg.dir], &table->counters.streams, &stream_sink, &arg);
	}
	/* What the flush handed out may have settled it. */
	if (flow_is_settled(flow))
		return;
	table->handler->end(open->user, why, time_us);
	flow_settle(table, flow);
}

void
flow_end(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us)
{
	if (!flow_is_settled(flow))
		flow_conclude(table, flow, why, time_us);
	if (flow->watch != NULL)
		flow_watch_end(table, flow);
	if (!flow->conn.seen[0] || !flow->conn.seen[1])
		table->counters.one_way++;
	flow_list_remove(table, flow);
	flow_slot_give_back(table, flow);
}

static void
set_connection(struct connection *conn, const struct packet *p, unsigned dir)
{
	*conn = (struct connection){
		.vlan = (int16_t)p->vlan,
		.source = p->source,
		.opener = CONNECTION_NO_DIR,
		.mid_start = { true, true },
	};
	conn->addr[dir] = p->src;
	conn->addr[1 - dir] = p->dst;
	conn->port[dir] = p->src_port;
	conn->port[1 - dir] = p->dst_port;
	if (p->src_mac != NULL) {
		memcpy(conn->mac[dir], p->src_mac, 6);
		conn->has_mac[dir] = true;
	}
	if (p->dst_mac != NULL) {
		memcpy(conn->mac[1 - dir], p->dst_mac, 6);
		conn->has_mac[1 - dir] = true;
	}
}

static struct flow *
open_flow(struct flow_table *table, const struct packet *p, unsigned dir, uint64_t hash)
{
	struct flow *f;

	flow_list_make_room(table);
	f = flow_slot_take(table, hash);
	set_connection(&f->conn, p, dir);
	flow_list_put(table, f, FLOW_LIST_UNSETTLED);
	flow_take_syns(table, f, p, dir);
	table->counters.flows++;
	table->counters.mid_start += f->conn.mid_start[dir];
	f->open->user = table->handler->open(table->arg, f);
	return f;
}

/* Renews the connection's place in its list. */
static void
touch(struct flow_table *table, struct flow *f)
{
	enum flow_list list = (enum flow_list)f->list;

	switch (list) {
	case FLOW_LIST_LINGERING: /* its time runs from flow_linger */
		return;
	case FLOW_LIST_SETTLED:
	case FLOW_LIST_CLOSED:
		if (f->closed && list == FLOW_LIST_SETTLED)
			list = FLOW_LIST_CLOSED;
		else if (elapsed_us(table->now_us, f->last_us) < RENEW_US)
			return;
		break;
	case FLOW_LIST_UNSETTLED:
	case FLOW_LIST_ANSWERED:
	case FLOW_LIST_HANDSHAKE:
		if (f->newer == 0) {
			f->last_us = table->now_us;
			return;
		}
		break;
	}
	flow_list_remove(table, f);
	f->last_us = table->now_us;
	flow_list_put(table, f, list);
}

/* True when the packet is done with. */
static bool
add_syn(struct flow_table *table, const struct packet *p, unsigned dir, struct flow **flow)
{
	bool is_ack = (p->flags & TCP_ACK) != 0;
	uint64_t hash = place_of(&table->syn_key, p).hash;

	if (*flow != NULL && flow_is_new_syn(*flow, p, dir)) {
		flow_end(table, *flow, FLOW_END_REUSED, table->now_us);
		*flow = NULL;
	}
	if (*flow == NULL) {
		if (is_ack)
			table->counters.syn_answered +=
			    syn_cache_add_syn_ack(table->syns, hash, dir, p->seq, p->ack);
		else
			table->counters.syn += syn_cache_add_syn(table->syns, hash, dir, p->seq);
	}
	return p->payload_len == 0;
}

static void
add_reset(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	struct tcp_stream *s = &f->open->stream[dir];
	struct mark mark = { .time_us = p->time_us };

	mark.peer_offset = flow_acked_offset(&f->open->stream[1 - dir], p);
	mark.offset = s->next;
	if (s->has_base && p->seq != 0) {
		int64_t offset = tcp_stream_offset(s, p->seq);

		if (offset < s->next - TCP_STREAM_WINDOW || offset > s->next + TCP_STREAM_WINDOW) {
			table->counters.streams.out_of_window_count++;
			return;
		}
		mark.offset = offset;
	}
	f->closed = true;
	table->handler->reset(f->open->user, dir, &mark);
}

/* `peer_offset`: how much of the other direction the packet acknowledges. */
static void
add_payload(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir,
    int64_t peer_offset)
{
	struct flow_stream_arg arg = { f, f->open, dir };
	struct tcp_stream *s = &f->open->stream[dir];
	struct tcp_segment segment = {
		.seq = p->seq + ((p->flags & TCP_SYN) != 0),
		.payload = p->payload,
		.payload_len = p->payload_len,
		.fin = (p->flags & TCP_FIN) != 0,
		.time_us = p->time_us,
		.peer_offset = peer_offset,
	};

	if (p->payload_len > 0 && s->has_base && s->acked > s->next &&
	    tcp_stream_offset(s, segment.seq) >= s->next)
		table->counters.ack_before_data++;
	tcp_stream_add(s, &segment, &table->counters.streams, &stream_sink, &arg);
}

void
flow_table_advance(struct flow_table *table, int64_t now_us)
{
	if (now_us <= table->now_us)
		return;
	table->now_us = now_us;
	if (now_us > table->due_us)
		flow_list_expire(table);
}

/* Of a settled connection the end still matters, for how long it is remembered. */
static inline void
note_end(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	if (f->watch != NULL)
		flow_watch_packet(f, p, dir);
	if ((p->flags & TCP_FIN) != 0)
		f->fin_dirs |= (uint8_t)(1u << dir);
	f->closed = f->closed || (p->flags & TCP_RST) != 0 || f->fin_dirs == 3;
	if (f->closed && f->watch != NULL && f->watch->close != FLOW_CLOSE_NONE)
		flow_watch_end(table, f);
}

void
flow_table_set_back(struct flow_table *table, int64_t step_us)
{
	flow_list_set_back(table, step_us);
}

static inline void
follow_clock(struct flow_table *table, int64_t time_us)
{
	/* One of several tables does not see enough to know by itself. */
	if (table->options.share_count <= 1) {
		int64_t step_us = flow_clock_add(&table->clock, time_us);

		if (step_us != 0)
			flow_list_set_back(table, step_us);
	}
	flow_table_advance(table, time_us);
}

/* What a packet says of the other direction; returns how much of it it acknowledges. */
static int64_t
acknowledge(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	struct flow_stream_arg arg = { f, f->open, 1 - dir };
	struct tcp_stream *peer = &f->open->stream[1 - dir];
	int64_t offset;

	if ((p->flags & TCP_ACK) != 0)
		tcp_stream_set_hint(peer, p->ack);
	offset = flow_acked_offset(peer, p);
	tcp_stream_acknowledge(peer, offset, &table->counters.streams, &stream_sink, &arg);
	return offset;
}

static void
add_to_open(struct flow_table *table, struct flow *f, const struct packet *p, unsigned dir)
{
	int64_t peer_offset = acknowledge(table, f, p, dir);

	/* What that made the other direction hand out may have settled it. */
	if (flow_is_settled(f))
		return;
	if ((p->flags & TCP_RST) != 0)
		add_reset(table, f, p, dir);
	else if (p->payload_len > 0 || (p->flags & TCP_FIN) != 0)
		add_payload(table, f, p, dir, peer_offset);
}

static void
add_at(struct flow_table *table, const struct packet *p, struct place at)
{
	unsigned dir = at.dir;
	/* RFC 9293, section 3.5.2: what a RST carries is a diagnosis, not data of the stream. */
	uint32_t payload_len = (p->flags & TCP_RST) != 0 ? 0 : p->payload_len;
	struct flow *f;

	follow_clock(table, p->time_us);
	/* RFC 9293, section 3.10.7.4: what acknowledges nothing is dropped by its receiver. */
	if ((p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) == 0) {
		table->counters.streams.out_of_window_count++;
		return;
	}
	f = find(table, p, dir, at.hash);
	if ((p->flags & TCP_SYN) != 0 && add_syn(table, p, dir, &f))
		return;
	if (f == NULL) {
		/* Without payload there is nothing to follow yet. */
		if (payload_len == 0)
			return;
		f = open_flow(table, p, dir, at.hash);
	}
	table->counters.payload_segments += payload_len > 0;
	f->conn.seen[dir] = true;
	if (!flow_is_settled(f))
		add_to_open(table, f, p, dir);
	if (flow_is_settled(f))
		note_end(table, f, p, dir);
	touch(table, f);
}

void
flow_table_add(struct flow_table *table, const struct packet *packet)
{
	add_at(table, packet, place_of(&table->key, packet));
}

/* A packet of a batch: its place, and the connection that most likely stands there. */
struct lookup {
	struct place at;
	const struct flow *likely; /* number 0 where there is none */
};

/* NULL and what is gone already do no harm: nothing is read. */
static inline void
prefetch_two_lines(const void *object)
{
	__builtin_prefetch(object);
	__builtin_prefetch((const void *)((uintptr_t)object + CACHE_LINE));
}

/* What adding a packet to this connection will need behind the connection itself. */
static inline void
prefetch_around(const struct flow_table *table, const struct flow *f)
{
	/* Of a settled one this is its watch; to ask for it costs less than to find out. */
	prefetch_two_lines(f->open);
	/* Its neighbours, when it moves to its list's end. */
	__builtin_prefetch(&table->flows[f->older].newer, 1);
	__builtin_prefetch(&table->flows[f->newer].older, 1);
}

/*
 * Each pass asks the memory for what the next one needs, so that the waiting for one packet's
 * connection goes on while the others' are asked for.
 */
static void
prefetch_batch(struct flow_table *const *tables, const struct packet *packets, size_t count,
    struct lookup *batch)
{
	for (size_t i = 0; i < count; i++) {
		batch[i].likely = &tables[i]->flows[*flow_bucket(tables[i], batch[i].at.hash)];
		prefetch_two_lines(batch[i].likely);
	}
	for (size_t i = 0; i < count; i++)
		prefetch_around(tables[i], batch[i].likely);
	for (size_t i = 0; i < count && tables[i]->handler->prefetch != NULL; i++) {
		const struct flow *f = batch[i].likely;

		/* One branch, because nothing tells beforehand which way it goes. */
		if ((f->hash == (uint32_t)batch[i].at.hash) & !flow_is_settled(f) &
		    (packets[i].payload_len > 0))
			tables[i]->handler->prefetch(f->open->user, batch[i].at.dir);
	}
}

static void
add_batch(struct flow_table *const *tables, const struct packet *packets, size_t count)
{
	struct lookup batch[BATCH];

	for (size_t i = 0; i < count; i++) {
		batch[i].at = place_of(&tables[i]->key, &packets[i]);
		__builtin_prefetch(flow_bucket(tables[i], batch[i].at.hash));
		if ((packets[i].flags & TCP_SYN) != 0)
			syn_cache_prefetch(
			    tables[i]->syns, place_of(&tables[i]->syn_key, &packets[i]).hash);
	}
	prefetch_batch(tables, packets, count, batch);
	for (size_t i = 0; i < count; i++)
		add_at(tables[i], &packets[i], batch[i].at);
}

void
flow_tables_add(struct flow_table *const *tables, const struct packet *packets, size_t count)
{
	for (size_t i = 0; i < count; i += BATCH)
		add_batch(tables + i, packets + i, count - i < BATCH ? count - i : BATCH);
}

void
flow_table_finish(struct flow_table *table)
{
	struct flow *flow;

	while ((flow = flow_list_oldest_open(table)) != NULL)
		flow_end(table, flow, FLOW_END_FINISHED, table->now_us);
	for (unsigned list = 0; list < FLOW_LIST_COUNT; list++) {
		while ((flow = flow_list_oldest(table, (enum flow_list)list)) != NULL)
			flow_end(table, flow, FLOW_END_FINISHED, table->now_us);
	}
}

void *
flow_arg(const struct flow *flow)
{
	return flow->open->table->arg;
}

const struct connection *
flow_connection(const struct flow *flow)
{
	return &flow->conn;
}

void
flow_settle(struct flow_table *table, struct flow *flow)
{
	struct flow_open *open = flow->open;

	for (unsigned dir = 0; dir < 2; dir++)
		tcp_stream_stop(&open->stream[dir], &table->counters.streams);
	flow_remember_streams(flow, open->stream);
	flow->watch = NULL;
	/* A stream that is just handing out something sees that it was stopped. */
	pool_give_back(&table->opens, open);
	flow_list_remove(table, flow);
	flow->last_us = table->now_us;
	flow_list_put(table, flow, flow->closed ? FLOW_LIST_CLOSED : FLOW_LIST_SETTLED);
}

const struct flow_counters *
flow_table_counters(const struct flow_table *table)
{
	return &table->counters;
}

size_t
flow_table_count(const struct flow_table *table)
{
	return table->count;
}
