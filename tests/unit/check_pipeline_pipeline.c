#include "pipeline/pipeline.h"

#include <stdio.h>
#include <unistd.h>

#include "packet/packet.h"

#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#define LINK_ETHERNET 1
#define LINK_RAW 101
#define LINK_UNHEARD_OF 9999
#define START_US INT64_C(1700000000000000)
#define FRAMES_MAX 32
#define CLIENT_PORT 40000

/* A capture under construction: one connection after another, between the same two hosts. */
struct frames {
	struct writer bytes;
	struct frame frames[FRAMES_MAX];
	size_t count;
	uint32_t link_type;
	uint16_t server_port;
	uint32_t next[2]; /* sequence numbers; 0: the client */
	struct writer out;
};

static void
put_u32(struct writer *w, uint32_t value)
{
	put_u16(w, value >> 16);
	put_u16(w, value & 0xffff);
}

static void
put_ethernet(struct writer *w, unsigned from)
{
	static const char *const macs[] = { "\x02\x00\x00\x00\x00\x05",
		"\x02\x00\x00\x00\x00\x19" };

	put_span(w, span_from(macs[1 - from], 6));
	put_span(w, span_from(macs[from], 6));
	put_span(w, BYTES("\x81\x00\x00\x2a\x08\x00")); /* VLAN 42 */
}

static void
put_ip(struct writer *w, unsigned from, size_t payload_len)
{
	static const char *const hosts[] = { "\x0a\x00\x00\x05", "\xc0\x00\x02\x19" };

	put_span(w, BYTES("\x45\x00"));
	put_u16(w, (unsigned)(40 + payload_len));
	put_span(w, BYTES("\x00\x00\x40\x00\x40\x06\x00\x00"));
	put_span(w, span_from(hosts[from], 4));
	put_span(w, span_from(hosts[1 - from], 4));
}

/* One segment with everything that was put into `out`. */
static void
segment(struct frames *f, unsigned from, unsigned flags)
{
	struct writer *w = &f->bytes;
	size_t begin = w->len;
	uint16_t ports[] = { CLIENT_PORT, f->server_port };

	ck_assert_uint_lt(f->count, FRAMES_MAX);
	if (f->link_type == LINK_ETHERNET)
		put_ethernet(w, from);
	put_ip(w, from, f->out.len);
	put_u16(w, ports[from]);
	put_u16(w, ports[1 - from]);
	put_u32(w, f->next[from]);
	put_u32(w, f->next[1 - from]);
	put_u8(w, 0x50);
	put_u8(w, flags);
	put_span(w, BYTES("\xff\xff\x00\x00\x00\x00"));
	put_span(w, written(&f->out));
	f->next[from] += (uint32_t)f->out.len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
	f->out.len = 0;
	f->frames[f->count] = (struct frame){ .bytes = span_from(w->data + begin, w->len - begin),
		.wire_len = (uint32_t)(w->len - begin),
		.link_type = f->link_type,
		.source = 1,
		.time_us = START_US + (int64_t)f->count * 1000 };
	f->count++;
}

static void
begin(struct frames *f, uint32_t link_type, uint16_t server_port)
{
	memset(f, 0, sizeof(*f));
	f->link_type = link_type;
	f->server_port = server_port;
}

static void
connect_tcp(struct frames *f, uint32_t isn)
{
	f->next[0] = isn;
	f->next[1] = 0;
	segment(f, 0, TCP_SYN);
	f->next[1] = isn + 77777;
	segment(f, 1, TCP_SYN | TCP_ACK);
	segment(f, 0, TCP_ACK);
}

static void
hello(struct frames *f, struct span message)
{
	put_record(&f->out, TLS_RECORD_HANDSHAKE, message);
	segment(f, 0, TCP_ACK);
}

/* The server's greeting, of `greeting_len` bytes inside TLS, comes with its Finished. */
static void
handshake_with_greeting(struct frames *f, uint32_t isn, size_t greeting_len)
{
	connect_tcp(f, isn);
	hello(f, BYTES(SAMPLE_OPENSSL_TLS10));
	put_plain_server_hello(&f->out, TLS_VERSION_1_0);
	put_message(&f->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	segment(f, 1, TCP_ACK);
	put_message(&f->out, TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE, 130);
	put_ccs(&f->out);
	put_sealed(&f->out, TLS_RECORD_HANDSHAKE, 40);
	segment(f, 0, TCP_ACK);
	put_ccs(&f->out);
	put_sealed(&f->out, TLS_RECORD_HANDSHAKE, 40);
	if (greeting_len > 0)
		put_sealed(&f->out, TLS_RECORD_APPLICATION_DATA, greeting_len);
	segment(f, 1, TCP_ACK);
	segment(f, 0, TCP_ACK | TCP_FIN);
	segment(f, 1, TCP_ACK | TCP_FIN);
}

static void
handshake(struct frames *f, uint32_t isn)
{
	handshake_with_greeting(f, isn, 0);
}

struct fixture {
	struct service_set services;
	struct network_set internal;
	struct pipeline *pipeline;
	struct event events[4], endings[4];
	size_t event_count, ending_count;
};

static struct fixture fixture;
static struct frames capture;

static void
on_event(void *arg, const struct event *ev)
{
	struct fixture *f = arg;

	ck_assert_uint_lt(f->event_count, 4);
	f->events[f->event_count++] = *ev;
}

static void
on_ending(void *arg, const struct event *ev)
{
	struct fixture *f = arg;

	ck_assert_int_eq(ev->kind, EVENT_SESSION_END);
	ck_assert_uint_lt(f->ending_count, 4);
	event_copy(&f->endings[f->ending_count++], ev);
}

static void
setup(void)
{
	struct pipeline_options options = { .services = &fixture.services,
		.internal = &fixture.internal,
		.minimum = TLS_VERSION_1_2,
		.event = on_event,
		.ending = on_ending,
		.arg = &fixture };

	fixture.event_count = fixture.ending_count = 0;
	service_set_init_defaults(&fixture.services);
	network_set_add_internal_defaults(&fixture.internal);
	flow_options_init(&options.flows);
	fixture.pipeline = pipeline_new(&options);
}

static void
teardown(void)
{
	pipeline_free(fixture.pipeline);
	network_set_release(&fixture.internal);
}

static void
add_all(const struct frames *f)
{
	for (size_t i = 0; i < f->count; i++)
		pipeline_add(fixture.pipeline, &f->frames[i]);
}

static uint64_t
counter(const char *name)
{
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	size_t count = pipeline_counters(fixture.pipeline, counters);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	}
	ck_abort_msg("no counter %s", name);
	return 0;
}

static void
check_event(void)
{
	const struct event *ev = &fixture.events[0];

	ck_assert_uint_eq(fixture.event_count, 1);
	ck_assert_int_eq(ev->outcome, OUTCOME_ESTABLISHED);
	ck_assert_uint_eq(ev->tls_version, TLS_VERSION_1_0);
	ck_assert_int_eq(ev->limited_by, SIDE_CLIENT);
	ck_assert_int_eq(ev->timestamp_us, START_US + 3000);
	ck_assert_uint_eq(ev->client_port, CLIENT_PORT);
	ck_assert_uint_eq(ev->source, 1);
	ck_assert(!ev->capture_gap);
}

START_TEST(conversation_gives_one_event)
{
	begin(&capture, LINK_ETHERNET, 993);
	handshake(&capture, 1000);
	add_all(&capture);
	/* Settled by what was seen, not by the end of the capture. */
	check_event();
	pipeline_finish(fixture.pipeline);
	check_event();
	ck_assert_int_eq(fixture.events[0].vlan, 42);
	ck_assert(fixture.events[0].has_client_mac);
	ck_assert_uint_eq(fixture.events[0].client_mac[5], 5);
	ck_assert_uint_eq(counter("events"), 1);
	ck_assert_uint_eq(counter("flows"), 1);
	ck_assert_uint_eq(counter("syn"), 1);
	ck_assert_uint_eq(counter("tcp"), capture.count);
}
END_TEST

/* Sequence numbers that wrap in the middle of the conversation, at each place of it. */
START_TEST(end_of_a_session_is_told_for_the_row_of_its_handshake)
{
	const struct event *ev = &fixture.events[0], *end = &fixture.endings[0];

	begin(&capture, LINK_ETHERNET, 993);
	handshake_with_greeting(&capture, 1000, 100);
	add_all(&capture);
	ck_assert_uint_eq(fixture.event_count, 1);
	ck_assert_uint_eq(fixture.ending_count, 1);
	ck_assert(addr_equals(&end->client_ip, &ev->client_ip));
	ck_assert(addr_equals(&end->server_ip, &ev->server_ip));
	ck_assert_uint_eq(end->client_port, ev->client_port);
	ck_assert_uint_eq(end->server_port, ev->server_port);
	ck_assert_int_eq(end->protocol, ev->protocol);
	ck_assert_int_eq(end->tls_mode, ev->tls_mode);
	ck_assert_uint_eq(end->tls_version, ev->tls_version);
	ck_assert_uint_eq(end->offered_version, ev->offered_version);
	ck_assert_int_eq(end->outcome, ev->outcome);
	ck_assert_int_eq(end->server_name_source, ev->server_name_source);
	ck_assert(
	    span_equals(event_text_span(&end->server_name), event_text_span(&ev->server_name)));
	ck_assert_int_eq(end->timestamp_us, ev->timestamp_us);
	ck_assert_int_eq(end->ending.how, SESSION_END_CLOSE);
	ck_assert_int_eq(end->ending.by, SIDE_CLIENT);
	/* Exactly what stands behind Finished, although that came in the same segment. */
	ck_assert_uint_eq(end->ending.server_len, 105);
	ck_assert_uint_eq(end->ending.client_len, 0);
	ck_assert_int_gt(end->ending.duration_us, 0);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.ending_count, 1);
	ck_assert_uint_eq(counter("events"), 1);
}
END_TEST

START_TEST(session_that_goes_on_when_the_capture_ends_was_not_seen_to_end)
{
	begin(&capture, LINK_ETHERNET, 993);
	handshake(&capture, 1000);
	capture.count -= 2; /* the FINs */
	add_all(&capture);
	ck_assert_uint_eq(fixture.ending_count, 0);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.ending_count, 1);
	ck_assert_int_eq(fixture.endings[0].ending.how, SESSION_END_UNSEEN);
	ck_assert_int_eq(fixture.endings[0].ending.by, SIDE_NONE);
}
END_TEST

START_TEST(sequence_numbers_may_wrap)
{
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, UINT32_MAX - (uint32_t)_i);
	add_all(&capture);
	check_event();
}
END_TEST

START_TEST(every_packet_twice_gives_one_event)
{
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, 1000);
	for (size_t i = 0; i < capture.count; i++) {
		pipeline_add(fixture.pipeline, &capture.frames[i]);
		pipeline_add(fixture.pipeline, &capture.frames[i]);
	}
	add_all(&capture);
	pipeline_finish(fixture.pipeline);
	check_event();
}
END_TEST

START_TEST(directions_out_of_step_give_the_same_event)
{
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, 1000);
	for (unsigned pass = 0; pass < 2; pass++) {
		/* The last byte of the source address tells the direction. */
		uint8_t from = (pass == 0) == (_i == 0) ? 5 : 25;

		for (size_t i = 0; i < capture.count; i++) {
			if (capture.frames[i].bytes.data[15] == from)
				pipeline_add(fixture.pipeline, &capture.frames[i]);
		}
	}
	pipeline_finish(fixture.pipeline);
	check_event();
}
END_TEST

START_TEST(neighbours_swapped_give_the_same_event)
{
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, 1000);
	for (size_t i = 0; i < capture.count; i++) {
		size_t at = i == (size_t)_i ? i + 1 : i == (size_t)_i + 1 ? i - 1 : i;

		pipeline_add(fixture.pipeline, &capture.frames[at]);
	}
	pipeline_finish(fixture.pipeline);
	check_event();
}
END_TEST

START_TEST(second_connection_on_the_same_ports_is_another_event)
{
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, 1000);
	handshake(&capture, 900000);
	add_all(&capture);
	ck_assert_uint_eq(fixture.event_count, 2);
	ck_assert_uint_eq(counter("flows"), 2);
	ck_assert_int_lt(fixture.events[0].timestamp_us, fixture.events[1].timestamp_us);
}
END_TEST

START_TEST(what_is_open_is_settled_when_the_capture_ends)
{
	begin(&capture, LINK_RAW, 993);
	connect_tcp(&capture, 1000);
	hello(&capture, BYTES(SAMPLE_OPENSSL_TLS10));
	add_all(&capture);
	ck_assert_uint_eq(fixture.event_count, 0);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.event_count, 1);
	ck_assert_int_eq(fixture.events[0].outcome, OUTCOME_UNANSWERED);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.event_count, 1);
}
END_TEST

START_TEST(refusal_is_settled_a_little_later_by_packet_time)
{
	begin(&capture, LINK_RAW, 993);
	connect_tcp(&capture, 1000);
	hello(&capture, BYTES(SAMPLE_OPENSSL_TLS10));
	put_alert(&capture.out, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	segment(&capture, 1, TCP_ACK | TCP_FIN);
	add_all(&capture);
	ck_assert_uint_eq(fixture.event_count, 0);
	begin(&capture, LINK_RAW, 993);
	connect_tcp(&capture, 500000);
	capture.frames[0].time_us = START_US + FLOW_LINGER_US + 10000;
	/* Another connection's packet moves the clock. */
	capture.bytes.data[15] = 6;
	pipeline_add(fixture.pipeline, &capture.frames[0]);
	ck_assert_uint_eq(fixture.event_count, 1);
	ck_assert_int_eq(fixture.events[0].outcome, OUTCOME_REFUSED);
	ck_assert_uint_eq(fixture.events[0].refusal_alert, TLS_ALERT_PROTOCOL_VERSION);
}
END_TEST

START_TEST(connection_without_payload_gives_nothing)
{
	begin(&capture, LINK_RAW, 993);
	connect_tcp(&capture, 1000);
	segment(&capture, 0, TCP_ACK | TCP_FIN);
	segment(&capture, 1, TCP_ACK | TCP_FIN);
	add_all(&capture);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.event_count, 0);
	ck_assert_uint_eq(counter("syn"), 1);
	ck_assert_uint_eq(counter("syn_without_payload"), 1);
	ck_assert_uint_eq(counter("syn_unanswered"), 0);
	ck_assert_uint_eq(counter("flows"), 0);
}
END_TEST

START_TEST(ports_that_carry_no_mail_are_counted_only)
{
	begin(&capture, LINK_RAW, 8080);
	handshake(&capture, 1000);
	add_all(&capture);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.event_count, 0);
	ck_assert_uint_eq(counter("other_port"), capture.count);
	ck_assert_uint_eq(counter("tcp"), 0);
}
END_TEST

START_TEST(client_outside_gives_no_event)
{
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, 1000);
	network_set_release(&fixture.internal);
	ck_assert(fixture.internal.count == 0 && !fixture.internal.any);
	add_all(&capture);
	ck_assert_uint_eq(fixture.event_count, 0);
	ck_assert_uint_eq(counter("external_client"), 1);
}
END_TEST

START_TEST(packets_cut_by_the_snapshot_length_are_counted)
{
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, 1000);
	for (size_t i = 0; i < capture.count; i++)
		capture.frames[i].bytes = span_first(capture.frames[i].bytes, (size_t)_i);
	add_all(&capture);
	pipeline_finish(fixture.pipeline);
	if (_i < 40) {
		ck_assert_uint_eq(counter("cut_header"), capture.count);
		ck_assert_uint_eq(counter("undecodable"), capture.count);
	} else {
		ck_assert_uint_eq(counter("cut_header"), 0);
		ck_assert_uint_gt(counter("snapped"), 0);
	}
	ck_assert_uint_le(fixture.event_count, 1);
}
END_TEST

START_TEST(unknown_link_types_are_named_up_to_a_bound)
{
	struct pipeline_unknown_link links[PIPELINE_UNKNOWN_LINKS_MAX];
	struct frame frame = { .bytes = BYTES("xxxxxxxxxxxxxxxxxxxx"), .wire_len = 20 };

	ck_assert_uint_eq(pipeline_unknown_links(fixture.pipeline, links), 0);
	for (uint32_t i = 0; i < 3 * PIPELINE_UNKNOWN_LINKS_MAX; i++) {
		frame.link_type = LINK_UNHEARD_OF + i / 2;
		frame.source = i;
		pipeline_add(fixture.pipeline, &frame);
	}
	ck_assert_uint_eq(
	    pipeline_unknown_links(fixture.pipeline, links), PIPELINE_UNKNOWN_LINKS_MAX);
	for (uint32_t i = 0; i < PIPELINE_UNKNOWN_LINKS_MAX; i++) {
		ck_assert_uint_eq(links[i].link_type, LINK_UNHEARD_OF + i);
		ck_assert_uint_eq(links[i].frame_count, 2);
		ck_assert_uint_eq(links[i].source, 2 * i);
	}
	ck_assert_uint_eq(counter("unknown_link_type"), 3 * PIPELINE_UNKNOWN_LINKS_MAX);
}
END_TEST

START_TEST(counters_have_names_of_their_own)
{
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	size_t count = pipeline_counters(fixture.pipeline, counters);

	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(counters[i].value, 0);
		ck_assert_uint_eq(strspn(counters[i].name, "abcdefghijklmnopqrstuvwxyz_"),
		    strlen(counters[i].name));
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(counters[i].name, counters[j].name);
	}
}
END_TEST

static void
count_event(void *arg, const struct event *ev)
{
	size_t *count = arg;

	*count += ev->kind == EVENT_TLS_HANDSHAKE && ev->outcome == OUTCOME_ESTABLISHED;
}

static void
ignore_event(void *arg, const struct event *ev)
{
	(void)arg;
	(void)ev;
}

/* The connection of `capture`, whose link type is RAW, from another client of 10.0.0.0/8. */
static void
add_from_client(struct pipeline *pipeline, unsigned number)
{
	uint8_t client[3] = { (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };

	for (size_t i = 0; i < capture.count; i++) {
		size_t begin = (size_t)(capture.frames[i].bytes.data - capture.bytes.data);
		uint8_t *ip = capture.bytes.data + begin;

		memcpy(ip + (ip[12] == 10 ? 13 : 17), client, sizeof(client));
		pipeline_add(pipeline, &capture.frames[i]);
	}
}

/* Bytes of memory that the process has. */
static size_t
resident_len(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t all = 0, resident = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%zu %zu", &all, &resident), 2);
	(void)fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

#define IDLE_COUNT 200000u
#define IDLE_LEN_MAX 256

START_TEST(an_idle_established_connection_takes_256_bytes_at_most)
{
	struct pipeline_options options = { .services = &fixture.services,
		.internal = &fixture.internal,
		.minimum = TLS_VERSION_1_2,
		.event = count_event,
		.ending = ignore_event };
	struct pipeline *pipeline;
	size_t established = 0, before, after;

	options.arg = &established;
	flow_options_init(&options.flows);
	options.flows.max_flows = IDLE_COUNT + 1000;
	pipeline = pipeline_new(&options);
	begin(&capture, LINK_RAW, 993);
	handshake(&capture, 1000);
	capture.count -= 2; /* the FINs */
	for (unsigned i = 0; i < 1000; i++)
		add_from_client(pipeline, i);
	before = resident_len();
	for (unsigned i = 0; i < IDLE_COUNT; i++)
		add_from_client(pipeline, 1000 + i);
	after = resident_len();
	ck_assert_uint_eq(established, IDLE_COUNT + 1000);
	ck_assert_uint_eq(pipeline_flow_count(pipeline), IDLE_COUNT + 1000);
	ck_assert_uint_eq(pipeline_unsettled_count(pipeline), 0);
	/* What a sanitizer adds is not counted here. */
	if (!SUITE_HAS_SANITIZER)
		ck_assert_uint_le((after - before) / IDLE_COUNT, IDLE_LEN_MAX);
	pipeline_free(pipeline);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, conversation_gives_one_event);
	tcase_add_test(tc, end_of_a_session_is_told_for_the_row_of_its_handshake);
	tcase_add_test(tc, session_that_goes_on_when_the_capture_ends_was_not_seen_to_end);
	tcase_add_loop_test(tc, sequence_numbers_may_wrap, 0, 400);
	tcase_add_test(tc, every_packet_twice_gives_one_event);
	tcase_add_loop_test(tc, directions_out_of_step_give_the_same_event, 0, 2);
	tcase_add_loop_test(tc, neighbours_swapped_give_the_same_event, 3, 7);
	tcase_add_test(tc, second_connection_on_the_same_ports_is_another_event);
	tcase_add_test(tc, what_is_open_is_settled_when_the_capture_ends);
	tcase_add_test(tc, refusal_is_settled_a_little_later_by_packet_time);
	tcase_add_test(tc, connection_without_payload_gives_nothing);
	tcase_add_test(tc, ports_that_carry_no_mail_are_counted_only);
	tcase_add_test(tc, client_outside_gives_no_event);
	tcase_add_loop_test(tc, packets_cut_by_the_snapshot_length_are_counted, 20, 130);
	tcase_add_test(tc, unknown_link_types_are_named_up_to_a_bound);
	tcase_add_test(tc, counters_have_names_of_their_own);
	tcase_add_test(tc, an_idle_established_connection_takes_256_bytes_at_most);
}

SUITE_MAIN("pipeline_pipeline")
