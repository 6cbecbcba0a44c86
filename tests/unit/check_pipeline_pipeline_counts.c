/* What a pipeline counts, and what it keeps. */
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <unistd.h>

#include "packet/packet.h"

#include "pipeline_script.h"
#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

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

/* RFC 7413: the SYN makes the connection known, before its answer comes. */
START_TEST(syn_with_payload_is_answered_once)
{
	begin(&capture, LINK_RAW, 993);
	capture.next[0] = 1000;
	capture.next[1] = 0;
	put_record(&capture.out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
	segment(&capture, 0, TCP_SYN);
	for (int i = 0; i < 2; i++) {
		capture.next[1] = 78777;
		segment(&capture, 1, TCP_SYN | TCP_ACK);
	}
	add_all(&capture);
	ck_assert_uint_eq(counter("syn"), 1);
	ck_assert_uint_eq(counter("syn_without_payload"), 0);
	ck_assert_uint_eq(counter("syn_unanswered"), 0);
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
	tcase_add_test(tc, connection_without_payload_gives_nothing);
	tcase_add_test(tc, syn_with_payload_is_answered_once);
	tcase_add_test(tc, ports_that_carry_no_mail_are_counted_only);
	tcase_add_test(tc, client_outside_gives_no_event);
	tcase_add_loop_test(tc, packets_cut_by_the_snapshot_length_are_counted, 20, 130);
	tcase_add_test(tc, unknown_link_types_are_named_up_to_a_bound);
	tcase_add_test(tc, counters_have_names_of_their_own);
	tcase_add_test(tc, an_idle_established_connection_takes_256_bytes_at_most);
}

SUITE_MAIN("pipeline_pipeline_counts")
