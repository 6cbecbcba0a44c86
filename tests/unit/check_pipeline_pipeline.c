#include "pipeline/pipeline.h"

#include "packet/packet.h"

#include "pipeline_script.h"
#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

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

/* Of the client's flight the first segment was not captured, so that the rest waits for it. */
static void
handshake_with_a_hole_that_the_server_closes(struct frames *f)
{
	connect_tcp(f, 1000);
	hello(f, BYTES(SAMPLE_OPENSSL_TLS10));
	put_plain_server_hello(&f->out, TLS_VERSION_1_0);
	put_message(&f->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	segment(f, 1, TCP_ACK);
	put_message(&f->out, TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE, 130);
	segment(f, 0, TCP_ACK);
	f->count--;
	put_ccs(&f->out);
	put_sealed(&f->out, TLS_RECORD_HANDSHAKE, 40);
	segment(f, 0, TCP_ACK);
	put_ccs(&f->out);
	put_sealed(&f->out, TLS_RECORD_HANDSHAKE, 40);
	segment(f, 1, TCP_ACK);
	segment(f, 1, TCP_ACK | TCP_FIN);
}

START_TEST(session_that_is_settled_late_ended_when_its_side_closed)
{
	const struct event *end = &fixture.endings[0];

	begin(&capture, LINK_ETHERNET, 993);
	handshake_with_a_hole_that_the_server_closes(&capture);
	add_all(&capture);
	ck_assert_uint_eq(fixture.event_count, 0);
	pipeline_advance(fixture.pipeline, START_US + INT64_C(3600000000));
	ck_assert_uint_eq(fixture.event_count, 1);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.ending_count, 1);
	ck_assert_int_eq(end->ending.how, SESSION_END_CLOSE);
	ck_assert_int_eq(end->ending.by, SIDE_SERVER);
	ck_assert_int_eq(end->ending.duration_us, 2000);
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

/* What follows the server's hello: so many of its bytes are lost, and who tells of it. */
static const struct {
	const char *fact;
	uint32_t lost;
	unsigned teller;
	bool gap;
} lost_ends[] = {
	{ "nothing", 0, 0, false },
	{ "a FIN, by its answer", 1, 0, true },
	{ "a FIN, by what its sender says next", 1, 1, true },
	{ "an alert and a FIN, by their answer", 8, 0, true },
	{ "an alert and a FIN, by what their sender says next", 8, 1, true },
};

START_TEST(what_is_missing_at_the_end_is_told)
{
	const struct event *ev = &fixture.events[0];

	begin(&capture, LINK_ETHERNET, 993);
	connect_tcp(&capture, 1000);
	hello(&capture, BYTES(SAMPLE_OPENSSL_TLS10));
	put_plain_server_hello(&capture.out, TLS_VERSION_1_0);
	segment(&capture, 1, TCP_ACK);
	capture.next[1] += lost_ends[_i].lost;
	segment(&capture, lost_ends[_i].teller, TCP_ACK);
	add_all(&capture);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.event_count, 1);
	ck_assert_int_eq(ev->outcome, OUTCOME_NEGOTIATED);
	ck_assert_msg(ev->capture_gap == lost_ends[_i].gap, "%s", lost_ends[_i].fact);
}
END_TEST

/* The server has refused already. */
START_TEST(lost_end_behind_a_refusal_is_no_gap)
{
	begin(&capture, LINK_ETHERNET, 993);
	connect_tcp(&capture, 1000);
	hello(&capture, BYTES(SAMPLE_OPENSSL_TLS10));
	put_alert(&capture.out, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	segment(&capture, 1, TCP_ACK | TCP_FIN);
	capture.next[0]++;
	segment(&capture, 1, TCP_ACK);
	add_all(&capture);
	pipeline_finish(fixture.pipeline);
	ck_assert_uint_eq(fixture.event_count, 1);
	ck_assert_int_eq(fixture.events[0].outcome, OUTCOME_REFUSED);
	ck_assert(!fixture.events[0].capture_gap);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, what_is_missing_at_the_end_is_told, 0, ROWS(lost_ends));
	tcase_add_test(tc, lost_end_behind_a_refusal_is_no_gap);
	tcase_add_test(tc, conversation_gives_one_event);
	tcase_add_test(tc, end_of_a_session_is_told_for_the_row_of_its_handshake);
	tcase_add_test(tc, session_that_is_settled_late_ended_when_its_side_closed);
	tcase_add_test(tc, session_that_goes_on_when_the_capture_ends_was_not_seen_to_end);
	tcase_add_loop_test(tc, sequence_numbers_may_wrap, 0, 400);
	tcase_add_test(tc, every_packet_twice_gives_one_event);
	tcase_add_loop_test(tc, directions_out_of_step_give_the_same_event, 0, 2);
	tcase_add_loop_test(tc, neighbours_swapped_give_the_same_event, 3, 7);
	tcase_add_test(tc, second_connection_on_the_same_ports_is_another_event);
	tcase_add_test(tc, what_is_open_is_settled_when_the_capture_ends);
	tcase_add_test(tc, refusal_is_settled_a_little_later_by_packet_time);
}

SUITE_MAIN("pipeline_pipeline")
