#include "pipeline/pipeline.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "packet/decoder.h"
#include "packet/packet.h"
#include "pipeline/mirror.h"
#include "pipeline/watch.h"
#include "session/session.h"
#include "tls/cache.h"
#include "tls/record_stream.h"

#include "base/banned.h"

/* Of unfinished handshake messages, in all. */
#define MAX_KEPT_LEN ((size_t)16 << 20)

/* Packets that are looked up together. */
#define BATCH 32

struct pipeline {
	struct pipeline_options options;
	struct session_options session_options;
	struct session_counters session_counters;
	struct tls_record_budget records;
	struct tls_cache *cache;
	struct session_pool *sessions;
	struct packet_decoder *decoder;
	struct flow_table *flows;
	uint64_t kinds[PACKET_KIND_COUNT];
	uint64_t snapped; /* packets on mail ports cut by the snapshot length */
	uint64_t names_seen;
	struct mirror mirror;
	struct pipeline_unknown_link unknown_links[PIPELINE_UNKNOWN_LINKS_MAX];
	size_t unknown_link_count;
};

static enum flow_rank
rank_of(const struct session *session)
{
	switch (session_phase(session)) {
	case SESSION_ONE_SIDED:
		return FLOW_RANK_ONE_SIDED;
	case SESSION_ANSWERED:
		return FLOW_RANK_ANSWERED;
	case SESSION_IN_HANDSHAKE:
		return FLOW_RANK_HANDSHAKE;
	}
	return FLOW_RANK_ONE_SIDED;
}

static void
settle(struct pipeline *p, struct session *session, struct flow *flow)
{
	struct watch *watch = NULL;

	if (p->options.ending != NULL)
		watch = watch_new(session, flow_connection(flow));
	flow_settle(p->flows, flow);
	if (watch != NULL)
		flow_watch(p->flows, flow, watch_flow(watch));
	session_free(session);
}

static void
obey(struct session *session, enum session_wish wish)
{
	struct flow *flow = session_owner(session);
	struct pipeline *p;

	switch (wish) {
	case SESSION_GO_ON:
		p = flow_arg(flow);
		flow_set_rank(p->flows, flow, rank_of(session));
		return;
	case SESSION_LINGER:
		p = flow_arg(flow);
		flow_linger(p->flows, flow);
		return;
	case SESSION_SETTLED:
		p = flow_arg(flow);
		settle(p, session, flow);
		return;
	}
}

static void *
on_open(void *arg, struct flow *flow)
{
	struct pipeline *p = arg;
	struct session *session = session_new(&p->session_options, flow_connection(flow));

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
	(void)why;
	session_end(user, time_us);
}

static void
on_watched(void *arg, const struct flow *flow, struct flow_watch *flow_watch, int64_t now_us)
{
	struct pipeline *p = arg;
	struct watch *watch = watch_of(flow_watch);
	struct event ev;

	watch_to_event(watch, flow_connection(flow), now_us, &ev);
	watch_free(watch);
	p->options.ending(p->options.arg, &ev);
}

static const struct flow_handler flow_handler = {
	.open = on_open,
	.data = on_data,
	.gap = on_gap,
	.fin = on_fin,
	.reset = on_reset,
	.prefetch = on_prefetch,
	.end = on_end,
	.watched = on_watched,
};

struct pipeline *
pipeline_new(const struct pipeline_options *options)
{
	struct pipeline *p = xcalloc(1, sizeof(*p));

	p->options = *options;
	p->records.max_kept_len = MAX_KEPT_LEN;
	mirror_init(&p->mirror, options->flows.is_saved ? hash_key_fixed() : hash_key_random());
	p->cache = tls_cache_new();
	p->sessions = session_pool_new();
	p->session_options = (struct session_options){
		.services = options->services,
		.internal = options->internal,
		.minimum = options->minimum,
		.counters = &p->session_counters,
		.records = &p->records,
		.cache = p->cache,
		.pool = p->sessions,
		.event = options->event,
		.ending = options->ending,
		.name_key = options->name_key,
		.arg = options->arg,
	};
	p->options.packets.names = options->name != NULL;
	p->decoder = packet_decoder_new(options->services, &p->options.packets);
	p->flows = flow_table_new(&options->flows, &flow_handler, p);
	return p;
}

void
pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	flow_table_free(p->flows);
	packet_decoder_free(p->decoder);
	session_pool_free(p->sessions);
	tls_cache_free(p->cache);
	free(p);
}

static void
count_unknown_link(struct pipeline *p, const struct frame *frame)
{
	size_t i = 0;

	while (i < p->unknown_link_count && p->unknown_links[i].link_type != frame->link_type)
		i++;
	if (i == PIPELINE_UNKNOWN_LINKS_MAX)
		return;
	if (i == p->unknown_link_count) {
		p->unknown_link_count++;
		p->unknown_links[i] = (struct pipeline_unknown_link){
			.link_type = frame->link_type,
			.source = frame->source,
		};
	}
	p->unknown_links[i].frame_count++;
}

static inline void
count_packet(struct pipeline *p, const struct packet *packet)
{
	p->snapped += packet->payload.len < packet->payload_len;
	mirror_add_packet(&p->mirror, packet);
}

static void
on_name(void *arg, const struct name_seen *seen)
{
	struct pipeline *p = arg;

	p->names_seen++;
	p->options.name(p->options.arg, seen);
}

static void
observe_names(struct pipeline *p, const struct packet *packet)
{
	const struct name_packet names = {
		.src = packet->src,
		.dst = packet->dst,
		.src_port = packet->src_port,
		.dst_port = packet->dst_port,
		.tcp = packet->is_tcp,
		.payload = packet->payload,
		.time_us = packet->time_us,
	};

	names_observe(&names, on_name, p);
}

void
pipeline_add(struct pipeline *p, const struct frame *frame)
{
	struct packet packet;
	enum packet_kind kind = packet_decoder_decode(p->decoder, frame, &packet);

	p->kinds[kind]++;
	mirror_add_time(&p->mirror, frame);
	if (kind == PACKET_TCP) {
		count_packet(p, &packet);
		flow_table_add(p->flows, &packet);
	} else if (kind == PACKET_NAMES) {
		observe_names(p, &packet);
	} else if (kind == PACKET_UNKNOWN_LINK) {
		count_unknown_link(p, frame);
	}
}

void
pipeline_add_many(struct pipeline *p, const struct frame *frames, size_t count)
{
	struct packet packets[BATCH];
	size_t waiting = 0;

	for (size_t i = 0; i < count; i++) {
		struct packet *packet = &packets[waiting];
		enum packet_kind kind;
		bool quick = packet_decode_quick(&frames[i], p->options.services, packet, &kind);

		if (quick) {
			p->kinds[kind]++;
			mirror_add_time(&p->mirror, &frames[i]);
			if (kind != PACKET_TCP)
				continue;
			count_packet(p, packet);
			waiting++;
		}
		if (!quick || waiting == BATCH) {
			flow_table_add_many(p->flows, packets, waiting);
			waiting = 0;
		}
		/* Not together with others: what it may borrow from the decoder does not last. */
		if (!quick)
			pipeline_add(p, &frames[i]);
	}
	flow_table_add_many(p->flows, packets, waiting);
}

void
pipeline_advance(struct pipeline *p, int64_t now_us)
{
	flow_table_advance(p->flows, now_us);
}

void
pipeline_finish(struct pipeline *p)
{
	packet_decoder_finish(p->decoder);
	flow_table_finish(p->flows);
}

size_t
pipeline_flow_count(const struct pipeline *p)
{
	return flow_table_count(p->flows);
}

size_t
pipeline_unsettled_count(const struct pipeline *p)
{
	return flow_table_unsettled_count(p->flows);
}

size_t
pipeline_held_len(const struct pipeline *p)
{
	return flow_table_counters(p->flows)->streams.held_len;
}

void
pipeline_set_minimum(struct pipeline *p, uint16_t minimum)
{
	p->session_options.minimum = minimum;
}

static uint64_t
undecodable(const struct pipeline *p)
{
	return p->kinds[PACKET_CUT] + p->kinds[PACKET_BAD_LINK] + p->kinds[PACKET_BAD_IP] +
	       p->kinds[PACKET_BAD_TCP] + p->kinds[PACKET_TOO_DEEP] + p->kinds[PACKET_UNKNOWN_LINK];
}

size_t
pipeline_counters(const struct pipeline *p, struct pipeline_counter out[PIPELINE_COUNTERS_MAX])
{
	const struct flow_counters *f = flow_table_counters(p->flows);
	const struct session_counters *s = &p->session_counters;
	const struct packet_fragment_counters *g = packet_decoder_fragments(p->decoder);
	const struct pipeline_counter all[] = {
		{ "undecodable", undecodable(p) },
		{ "cut_header", p->kinds[PACKET_CUT] },
		{ "bad_link_header", p->kinds[PACKET_BAD_LINK] },
		{ "bad_ip_header", p->kinds[PACKET_BAD_IP] },
		{ "bad_tcp_header", p->kinds[PACKET_BAD_TCP] },
		{ "nested_too_deep", p->kinds[PACKET_TOO_DEEP] },
		{ "unknown_link_type", p->kinds[PACKET_UNKNOWN_LINK] },
		{ "fragment", p->kinds[PACKET_FRAGMENT] },
		{ "fragments_seen", g->seen },
		{ "duplicate_fragments", g->duplicates },
		{ "datagrams_reassembled", g->reassembled },
		{ "datagrams_overlapping", g->overlapping },
		{ "datagrams_in_too_many_pieces", g->too_many },
		{ "datagrams_timed_out", g->timed_out },
		{ "datagrams_evicted", g->evicted },
		{ "other", p->kinds[PACKET_OTHER] },
		{ "other_port", p->kinds[PACKET_OTHER_PORT] },
		{ "tcp", p->kinds[PACKET_TCP] },
		{ "name_packets", p->kinds[PACKET_NAMES] },
		{ "names_seen", p->names_seen },
		{ "snapped", p->snapped },
		{ "duplicate_packets", p->mirror.duplicate_packets },
		{ "super_segments", p->mirror.super_segments },
		{ "clock_went_back", p->mirror.clock_back },
		{ "clock_jumped_forward", p->mirror.clock_forward },
		{ "flows", f->flows },
		{ "flows_evicted", f->evicted_unsettled },
		{ "settled_flows_evicted", f->evicted_settled },
		{ "one_way_flows", f->one_way },
		{ "mid_start_flows", f->mid_start },
		{ "syn", f->syn },
		{ "syn_without_payload", f->syn - f->syn_with_payload },
		{ "syn_unanswered", f->syn > f->syn_answered ? f->syn - f->syn_answered : 0 },
		{ "payload_segments", f->payload_segments },
		{ "gaps", f->streams.gap_count },
		{ "gap_bytes", f->streams.gap_len },
		{ "duplicate_segments", f->streams.duplicate_count },
		{ "reordered_segments", f->streams.reordered_count },
		{ "out_of_window_segments", f->streams.out_of_window_count },
		{ "ack_before_data", f->ack_before_data },
		{ "events", s->events },
		{ "external_client", s->external_client },
		{ "banner_only", s->banner_only },
		{ "quit_only", s->quit_only },
		{ "http", s->http },
		{ "half_hello", s->half_hello },
		{ "starttls_no_hello", s->starttls_no_hello },
		{ "garbage", s->garbage },
		{ "no_hello", s->no_hello },
		{ "messages_cut", p->records.exceeded_count },
		{ "bad_certificate", s->bad_certificate },
	};
	size_t count = sizeof(all) / sizeof(all[0]);

	_Static_assert(sizeof(all) / sizeof(all[0]) <= PIPELINE_COUNTERS_MAX, "room");
	for (size_t i = 0; i < count; i++)
		out[i] = all[i];
	return count;
}

size_t
pipeline_unknown_links(
    const struct pipeline *p, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX])
{
	for (size_t i = 0; i < p->unknown_link_count; i++)
		out[i] = p->unknown_links[i];
	return p->unknown_link_count;
}
