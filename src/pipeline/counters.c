/* What both halves of a pipeline have counted, by name. */
#include "pipeline/pipeline_internal.h"

#include "base/banned.h"

void
counters_add_flows(struct flow_counters *to, const struct flow_counters *f)
{
	to->flows += f->flows;
	to->syn += f->syn;
	to->syn_answered += f->syn_answered;
	to->syn_with_payload += f->syn_with_payload;
	to->mid_start += f->mid_start;
	to->joined += f->joined;
	to->one_way += f->one_way;
	to->evicted_unsettled += f->evicted_unsettled;
	to->evicted_settled += f->evicted_settled;
	to->evicted_closed += f->evicted_closed;
	to->ack_before_data += f->ack_before_data;
	to->payload_segments += f->payload_segments;
	to->streams.gap_count += f->streams.gap_count;
	to->streams.gap_len += f->streams.gap_len;
	to->streams.duplicate_count += f->streams.duplicate_count;
	to->streams.reordered_count += f->streams.reordered_count;
	to->streams.out_of_window_count += f->streams.out_of_window_count;
}

void
counters_add_sessions(struct session_counters *to, const struct session_counters *s)
{
	to->banner_only += s->banner_only;
	to->quit_only += s->quit_only;
	to->half_hello += s->half_hello;
	to->starttls_no_hello += s->starttls_no_hello;
	to->http += s->http;
	to->garbage += s->garbage;
	to->no_hello += s->no_hello;
	to->external_client += s->external_client;
	to->bad_certificate += s->bad_certificate;
	to->login_before_tls += s->login_before_tls;
	to->events += s->events;
}

static struct lane_counters
sum_of(const struct lanes *const *lanes, size_t lanes_count)
{
	struct lane_counters sum = { 0 };

	for (size_t i = 0; i < lanes_count; i++)
		lanes_sum(lanes[i], &sum);
	return sum;
}

static uint64_t
undecodable(const uint64_t *kinds)
{
	return kinds[PACKET_CUT] + kinds[PACKET_BAD_LINK] + kinds[PACKET_BAD_IP] +
	       kinds[PACKET_BAD_TCP] + kinds[PACKET_TOO_DEEP] + kinds[PACKET_UNKNOWN_LINK];
}

size_t
lanes_counters(const struct front *front, const struct lanes *const *lanes, size_t lanes_count,
    struct pipeline_counter out[PIPELINE_COUNTERS_MAX])
{
	const uint64_t *kinds = front_counters(front)->kinds;
	const struct mirror_clock *clock = &front_counters(front)->clock;
	const struct packet_fragment_counters *g = front_fragments(front);
	const struct lane_counters l = sum_of(lanes, lanes_count);
	const struct flow_counters *f = &l.flows;
	const struct session_counters *s = &l.sessions;
	const struct pipeline_counter all[] = {
		{ "undecodable", undecodable(kinds) },
		{ "cut_header", kinds[PACKET_CUT] },
		{ "bad_link_header", kinds[PACKET_BAD_LINK] },
		{ "bad_ip_header", kinds[PACKET_BAD_IP] },
		{ "bad_tcp_header", kinds[PACKET_BAD_TCP] },
		{ "nested_too_deep", kinds[PACKET_TOO_DEEP] },
		{ "unknown_link_type", kinds[PACKET_UNKNOWN_LINK] },
		{ "fragment", kinds[PACKET_FRAGMENT] },
		{ "fragments_seen", g->seen },
		{ "duplicate_fragments", g->duplicates },
		{ "datagrams_reassembled", g->reassembled },
		{ "datagrams_overlapping", g->overlapping },
		{ "datagrams_in_too_many_pieces", g->too_many },
		{ "datagrams_timed_out", g->timed_out },
		{ "datagrams_evicted", g->evicted },
		{ "encrypted", kinds[PACKET_ENCRYPTED] },
		{ "unread_in_frames", front_unread(front) },
		{ "other", kinds[PACKET_OTHER] },
		{ "other_port", kinds[PACKET_OTHER_PORT] },
		{ "tcp", kinds[PACKET_TCP] },
		{ "name_packets", kinds[PACKET_NAMES] },
		{ "names_seen", front_counters(front)->names_seen },
		{ "snapped", l.snapped },
		{ "duplicate_packets", l.duplicate_packets },
		{ "super_segments", l.super_segments },
		{ "clock_went_back", clock->back },
		{ "clock_jumped_forward", clock->forward },
		{ "flows", f->flows },
		{ "flows_evicted", f->evicted_unsettled },
		{ "settled_flows_evicted", f->evicted_settled },
		{ "one_way_flows", f->one_way },
		{ "mid_start_flows", f->mid_start },
		{ "multipath_flows", f->joined },
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
		{ "messages_cut", l.messages_cut },
		{ "bad_certificate", s->bad_certificate },
		{ "login_before_tls", s->login_before_tls },
	};
	size_t count = sizeof(all) / sizeof(all[0]);

	_Static_assert(sizeof(all) / sizeof(all[0]) <= PIPELINE_COUNTERS_MAX, "room");
	for (size_t i = 0; i < count; i++)
		out[i] = all[i];
	return count;
}
