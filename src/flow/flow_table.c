#include "flow/flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "flow/flow_internal.h"
#include "flow/held.h"

#include "base/banned.h"

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
		/* RFC 9051, section 5.4: an IMAP session may be silent for half an hour. */
		.idle_settled_us = 2100 * INT64_C(1000000),
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
	table->now_us = table->clock.packet_us = table->due_us = INT64_MIN;
	table->renew_after = table->options.max_unsettled / 16;
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

/* The streams' callbacks: from one direction to the user. */
static void
on_data(void *arg, struct span bytes, const struct mark *mark)
{
	struct flow_stream_arg *a = arg;

	/* It may go on behind somebody else's. */
	a->flow->fin_dirs &= (uint8_t) ~(1u << a->dir);
	a->handler->data(a->user, a->dir, bytes, mark);
}

static void
on_gap(void *arg, int64_t len, const struct mark *mark)
{
	struct flow_stream_arg *a = arg;

	a->handler->gap(a->user, a->dir, len, mark);
}

static void
on_fin(void *arg, const struct mark *mark)
{
	struct flow_stream_arg *a = arg;
	struct flow *flow = a->flow;

	flow->fin_dirs |= (uint8_t)(1u << a->dir);
	flow->closed = flow->closed || flow->fin_dirs == 3;
	a->handler->fin(a->user, a->dir, mark);
}

const struct tcp_stream_sink flow_stream_sink = {
	.data = on_data,
	.gap = on_gap,
	.fin = on_fin,
};

/* The direction whose waiting bytes came first; not the one of the lower address. */
static unsigned
first_to_flush(const struct flow *flow)
{
	const struct tcp_stream *stream = flow->streams->of;
	const struct held *a = held_at(&stream[0], 0), *b = held_at(&stream[1], 0);

	if (a != NULL && b != NULL && a->mark.time_us != b->mark.time_us)
		return a->mark.time_us < b->mark.time_us ? 0 : 1;
	return flow->conn.opener == 1 ? 1 : 0;
}

/* The receiver has more of a direction than was captured; one byte of that may be a FIN. */
static void
count_lost_end(struct flow_table *table, const struct flow *flow)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		const struct tcp_stream *s = &flow->streams->of[dir];

		if (s->has_base && s->acked > s->next + 1) {
			table->counters.streams.gap_count++;
			table->counters.streams.gap_len += (uint64_t)(s->acked - s->next);
		}
	}
}

void
flow_conclude(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us)
{
	/*
	 * Where the first flush settles the connection, its streams read as stopped: see
	 * flow_settle.
	 */
	struct tcp_stream *stream = flow->streams->of;
	unsigned first = first_to_flush(flow);
	struct flow_stream_arg arg = flow_stream_arg_of(table, flow, first);

	for (unsigned i = 0; i < 2; i++) {
		arg.dir = i == 0 ? first : 1 - first;
		tcp_stream_flush(
		    &stream[arg.dir], &table->counters.streams, &flow_stream_sink, &arg);
	}
	/* What the flush handed out may have settled it. */
	if (!flow_is_settled(flow)) {
		/* The other direction may come yet, too late to be heard. */
		flow->one_way = !flow->conn.seen[0] || !flow->conn.seen[1];
		if (!flow->one_way)
			count_lost_end(table, flow);
		/* A flood's connections must not push out what is remembered of real ones. */
		if (why == FLOW_END_EVICTED)
			flow->closed = true;
		table->handler->end(flow->user, why, time_us);
		flow_settle(table, flow);
	}
	/* It is remembered from this time on, even where the next packet comes much later. */
	flow->last_us = time_us;
}

void
flow_end(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us)
{
	if (!flow_is_settled(flow))
		flow_conclude(table, flow, why, time_us);
	if (flow->watch != NULL)
		flow_watch_end(table, flow);
	if (flow->one_way || !flow->conn.seen[0] || !flow->conn.seen[1])
		table->counters.one_way++;
	flow_list_remove(table, flow);
	flow_slot_give_back(table, flow);
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

void
flow_table_set_back(struct flow_table *table, int64_t now_us, int64_t step_us)
{
	flow_list_set_back(table, now_us, step_us);
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
	return flow->table->arg;
}

const struct connection *
flow_connection(const struct flow *flow)
{
	return &flow->conn;
}

int64_t
flow_acked(const struct flow *flow, unsigned dir)
{
	return flow->streams->of[dir].acked;
}

bool
flow_has_more(const struct flow *flow)
{
	const struct tcp_stream *stream = flow->streams->of;

	/* As nearly always. */
	if (stream[0].queue == NULL && stream[1].queue == NULL &&
	    (stream[0].has_rest | stream[1].has_rest) == 0)
		return false;
	return tcp_stream_has_more(&stream[0]) || tcp_stream_has_more(&stream[1]);
}

void
flow_settle(struct flow_table *table, struct flow *flow)
{
	struct flow_streams *streams = flow->streams;

	for (unsigned dir = 0; dir < 2; dir++)
		tcp_stream_stop(&streams->of[dir], &table->counters.streams);
	flow_remember_streams(flow, streams->of);
	flow->watch = NULL;
	/* A stream that is just handing something out still sees that it was stopped. */
	pool_give_back(&table->streams, streams);
	flow_list_remove(table, flow);
	flow->last_us = table->now_us;
	flow_list_put(table, flow, flow->closed ? FLOW_LIST_CLOSED : FLOW_LIST_SETTLED);
}

void
flow_remember(struct flow *flow)
{
	flow->closed = flow->fin_dirs == 3;
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
