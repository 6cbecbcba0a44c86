#include "pipeline/lanes.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "pipeline/mirror.h"
#include "pipeline/pipeline_internal.h"
#include "pipeline/watch.h"
#include "session/session.h"
#include "tls/cache.h"
#include "tls/record_stream.h"

#include "base/banned.h"

/* Of unfinished handshake messages, in all. */
#define MAX_KEPT_LEN ((size_t)16 << 20)

/* Packets that are looked up together. */
#define BATCH 32

struct lane {
	struct lanes *lanes;
	struct flow_table *flows;
	struct session_options session_options;
	struct tls_record_budget records;
	uint64_t snapped;
	struct mirror mirror;
};

struct lane_map {
	bool single;                   /* number 0 takes all packets */
	struct lane *by_number[LANES]; /* NULL: not one of these */
};

struct lanes {
	struct pipeline_options options;
	struct session_counters session_counters;
	/* These change no result, only how long it takes. */
	struct tls_cache *cache;
	struct session_pool *sessions;
	struct watch_pool *watches;
	struct pool message_rooms[TLS_MESSAGE_POOLS];
	struct lane_map map; /* into `lane` */
	size_t count;
	struct lane lane[];
};

static void
settle(struct lane *lane, struct session *session, struct flow *flow)
{
	struct watch *watch = NULL;

	if (lane->lanes->options.ending != NULL)
		watch = watch_new(lane->lanes->watches, session, flow_connection(flow));
	flow_settle(lane->flows, flow);
	if (watch != NULL)
		flow_watch(flow, watch_flow(watch), watch_listens(watch));
	session_free(session);
}

_Static_assert((int)SESSION_ONE_SIDED == FLOW_RANK_ONE_SIDED, "a phase is a rank");
_Static_assert((int)SESSION_ANSWERED == FLOW_RANK_ANSWERED, "a phase is a rank");
_Static_assert((int)SESSION_IN_HANDSHAKE == FLOW_RANK_HANDSHAKE, "a phase is a rank");

/* What most segments need once their session has read them: a look whether the rank has changed. */
static inline void
go_on(struct flow *flow, enum flow_rank rank)
{
	if (flow_can_rise(flow, rank)) {
		struct lane *lane = flow_arg(flow);

		flow_set_rank(lane->flows, flow, rank);
	}
}

static inline void
obey(struct session *session, enum session_wish wish)
{
	struct flow *flow = session_owner(session);
	struct lane *lane;

	switch (wish) {
	case SESSION_GO_ON:
		go_on(flow, (enum flow_rank)session_phase(session));
		return;
	case SESSION_LINGER:
		lane = flow_arg(flow);
		flow_linger(lane->flows, flow);
		return;
	case SESSION_SETTLED:
		lane = flow_arg(flow);
		settle(lane, session, flow);
		return;
	}
}

static bool
has_more(const struct session *session)
{
	return flow_has_more(session_owner(session));
}

static void *
on_open(void *arg, struct flow *flow)
{
	struct lane *lane = arg;
	struct session *session = session_new(&lane->session_options, flow_connection(flow));

	session_set_owner(session, flow);
	return session;
}

static void
on_data(void *user, unsigned dir, struct span bytes, const struct mark *mark)
{
	obey(user, session_data(user, dir, bytes, mark));
}

static void
on_gap(void *user, unsigned dir, int64_t len, const struct mark *mark)
{
	obey(user, session_gap(user, dir, len, mark));
}

static void
on_fin(void *user, unsigned dir, const struct mark *mark)
{
	obey(user, session_fin(user, dir, mark));
}

static void
on_reset(void *user, unsigned dir, const struct mark *mark)
{
	obey(user, session_reset(user, dir, mark));
}

static void
on_prefetch(const void *user, unsigned dir)
{
	session_prefetch(user, dir);
}

static void
on_end(void *user, enum flow_end why, int64_t time_us)
{
	struct flow *flow = session_owner(user);

	if (why == FLOW_END_EVICTED && session_has_logged_in(user))
		flow_remember(flow);
	for (unsigned dir = 0; dir < 2; dir++)
		session_acked(user, dir, flow_acked(flow, dir));
	session_end(user, time_us);
}

static void
on_watched(void *arg, const struct flow *flow, struct flow_watch *flow_watch, int64_t now_us)
{
	struct lane *lane = arg;
	struct watch *watch = watch_of(flow_watch);
	struct event ev;

	watch_to_event(watch, flow_connection(flow), now_us, &ev);
	watch_free(lane->lanes->watches, watch);
	lane->lanes->options.ending(lane->lanes->options.arg, &ev);
}

static const struct flow_handler flow_handler = {
	.open = on_open,
	.data = on_data,
	.gap = on_gap,
	.fin = on_fin,
	.reset = on_reset,
	.prefetch = on_prefetch,
	.end = on_end,
	.words = watch_words,
	.watched = on_watched,
};

static void
open_lane(struct lanes *l, struct lane *lane, unsigned share_count)
{
	const struct pipeline_options *o = &l->options;
	struct flow_options flows = o->flows;

	flows.max_flows /= share_count;
	flows.max_unsettled /= share_count;
	flows.max_closed /= share_count;
	flows.max_held_len /= share_count;
	flows.share_count = share_count;
	lane->lanes = l;
	lane->records.max_kept_len = MAX_KEPT_LEN / share_count;
	lane->records.rooms = l->message_rooms;
	mirror_init(
	    &lane->mirror, flows.is_saved ? hash_key_fixed() : hash_key_random(), share_count);
	lane->session_options = (struct session_options){
		.services = o->services,
		.internal = o->internal,
		.minimum = o->minimum,
		.counters = &l->session_counters,
		.records = &lane->records,
		.cache = l->cache,
		.pool = l->sessions,
		.event = o->event,
		.ending = o->ending,
		.has_more = has_more,
		.name_key = o->name_key,
		.arg = o->arg,
	};
	lane->flows = flow_table_new(&flows, &flow_handler, lane);
}

static struct lanes *
new_lanes(const struct pipeline_options *options, size_t count, unsigned share_count)
{
	struct lanes *l = xcalloc(1, sizeof(*l) + count * sizeof(struct lane));

	l->options = *options;
	l->count = count;
	l->cache = tls_cache_new();
	l->sessions = session_pool_new();
	l->watches = watch_pool_new();
	tls_message_pools_init(l->message_rooms);
	for (size_t i = 0; i < count; i++)
		open_lane(l, &l->lane[i], share_count);
	return l;
}

struct lanes *
lanes_new(const struct pipeline_options *options, unsigned first, unsigned step)
{
	size_t count = 0;
	struct lanes *l;

	for (unsigned i = first; i < LANES; i += step)
		count++;
	l = new_lanes(options, count, LANES);
	for (size_t i = 0; i < count; i++)
		l->map.by_number[first + i * step] = &l->lane[i];
	return l;
}

struct lanes *
lanes_new_single(const struct pipeline_options *options)
{
	struct lanes *l = new_lanes(options, 1, 1);

	l->map.single = true;
	l->map.by_number[0] = l->lane;
	return l;
}

void
lanes_free(struct lanes *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		flow_table_free(l->lane[i].flows);
	tls_message_pools_release(l->message_rooms);
	watch_pool_free(l->watches);
	session_pool_free(l->sessions);
	tls_cache_free(l->cache);
	free(l);
}

static inline struct lane *
find_lane(const struct lane_map *map, const struct packet *packet)
{
	return map->single ? map->by_number[0] : map->by_number[lane_of(packet)];
}

static inline void
look_at_payload(struct lane *lane, const struct packet *packet)
{
	lane->snapped += packet->payload.len < packet->payload_len;
	mirror_add_payload(&lane->mirror, packet);
}

static void
add_batch(const struct lane_map *map, const struct packet *const *packets, size_t count)
{
	struct flow_table *tables[BATCH];
	struct lane *lanes[BATCH];
	uint8_t with_payload[BATCH];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		lanes[i] = find_lane(map, packets[i]);
		tables[i] = lanes[i]->flows;
		/* A list, as a branch could not be predicted. */
		with_payload[n] = (uint8_t)i;
		n += mirror_looks_at(packets[i]);
	}
	for (size_t i = 0; i < n; i++)
		look_at_payload(lanes[with_payload[i]], packets[with_payload[i]]);
	flow_tables_add(tables, packets, count);
}

void
lanes_add_listed(struct lanes *l, const struct packet *const *packets, size_t count)
{
	for (size_t i = 0; i < count; i += BATCH)
		add_batch(&l->map, packets + i, count - i < BATCH ? count - i : BATCH);
}

static void
add_to(const struct lane_map *map, const struct packet *packets, size_t count)
{
	const struct packet *listed[BATCH];

	for (size_t i = 0; i < count; i += BATCH) {
		size_t n = count - i < BATCH ? count - i : BATCH;

		for (size_t k = 0; k < n; k++)
			listed[k] = &packets[i + k];
		add_batch(map, listed, n);
	}
}

void
lanes_add(struct lanes *l, const struct packet *packets, size_t count)
{
	add_to(&l->map, packets, count);
}

void
lanes_add_to_all(
    struct lanes *const *all, size_t all_count, const struct packet *packets, size_t count)
{
	struct lane_map map = { 0 };

	for (size_t g = 0; g < all_count; g++) {
		for (size_t number = g; number < LANES; number += all_count)
			map.by_number[number] = all[g]->map.by_number[number];
	}
	add_to(&map, packets, count);
}

void
lanes_advance(struct lanes *l, int64_t now_us)
{
	for (size_t i = 0; i < l->count; i++)
		flow_table_advance(l->lane[i].flows, now_us);
}

void
lanes_set_back(struct lanes *l, int64_t now_us, int64_t step_us)
{
	for (size_t i = 0; i < l->count; i++)
		flow_table_set_back(l->lane[i].flows, now_us, step_us);
}

void
lanes_finish(struct lanes *l)
{
	for (size_t i = 0; i < l->count; i++)
		flow_table_finish(l->lane[i].flows);
}

void
lanes_set_minimum(struct lanes *l, uint16_t minimum)
{
	for (size_t i = 0; i < l->count; i++)
		l->lane[i].session_options.minimum = minimum;
}

size_t
lanes_flow_count(const struct lanes *l)
{
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		count += flow_table_count(l->lane[i].flows);
	return count;
}

size_t
lanes_unsettled_count(const struct lanes *l)
{
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		count += flow_table_unsettled_count(l->lane[i].flows);
	return count;
}

size_t
lanes_held_len(const struct lanes *l)
{
	size_t len = 0;

	for (size_t i = 0; i < l->count; i++)
		len += flow_table_counters(l->lane[i].flows)->streams.held_len;
	return len;
}

void
lanes_sum(const struct lanes *l, struct lane_counters *sum)
{
	counters_add_sessions(&sum->sessions, &l->session_counters);
	for (size_t i = 0; i < l->count; i++) {
		const struct lane *lane = &l->lane[i];

		counters_add_flows(&sum->flows, flow_table_counters(lane->flows));
		sum->snapped += lane->snapped;
		sum->duplicate_packets += lane->mirror.duplicate_packets;
		sum->super_segments += lane->mirror.super_segments;
		sum->messages_cut += lane->records.exceeded_count;
	}
}
