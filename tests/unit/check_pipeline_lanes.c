#include "pipeline/lanes.h"

#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

#define START_US INT64_C(1700000000000000)
#define SECOND_US INT64_C(1000000)
#define CLIENTS 200

static struct service_set services;
static struct network_set internal;
static struct writer hello;
static size_t event_counts[LANES];

static void
on_event(void *arg, const struct event *ev)
{
	size_t *count = arg;

	ck_assert_int_eq(ev->outcome, OUTCOME_UNANSWERED);
	(*count)++;
}

static struct lanes *
open_lanes(unsigned first, unsigned step, size_t max_unsettled)
{
	struct pipeline_options options = { .services = &services,
		.internal = &internal,
		.event = on_event,
		.arg = &event_counts[first] };

	flow_options_init(&options.flows);
	options.flows.is_saved = true;
	options.flows.max_unsettled = max_unsettled;
	return lanes_new(&options, first, step);
}

static void
setup(void)
{
	memset(event_counts, 0, sizeof(event_counts));
	service_set_init_defaults(&services);
	network_set_add_internal_defaults(&internal);
	hello.len = 0;
	put_record(&hello, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
}

static void
teardown(void)
{
	network_set_release(&internal);
}

/* A ClientHello of one of many clients, that nobody answers. */
static struct packet
hello_of(unsigned client, int64_t time_us)
{
	return (struct packet){ .src = addr_from_v4((const uint8_t[]){ 10, 0, 1, (uint8_t)client }),
		.dst = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 }),
		.src_port = (uint16_t)(40000 + client),
		.dst_port = 993,
		.seq = 1,
		.flags = TCP_ACK,
		.payload = written(&hello),
		.payload_len = (uint32_t)hello.len,
		.vlan = -1,
		.time_us = time_us };
}

START_TEST(both_directions_have_the_same_lane)
{
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	unsigned seen = 0;

	for (unsigned i = 0; i < CLIENTS; i++) {
		struct packet there = hello_of(i, 0), back;

		if (i % 2 == 1) {
			there.src = there.dst = addr_from_v6(v6);
			there.src.bytes[9] = (uint8_t)i;
		}
		back = there;
		back.src = there.dst;
		back.dst = there.src;
		back.src_port = there.dst_port;
		back.dst_port = there.src_port;
		ck_assert_uint_lt(lane_of(&there), LANES);
		ck_assert_uint_eq(lane_of(&there), lane_of(&back));
		seen |= 1u << lane_of(&there);
	}
	ck_assert_uint_eq(seen, (1u << LANES) - 1);
}
END_TEST

static uint64_t
value_of(const struct pipeline_counter *counters, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	}
	ck_abort_msg("no counter %s", name);
	return 0;
}

/* In so many groups: what comes of the same packets, under budgets that do not suffice. */
static void
run_groups(unsigned groups, struct pipeline_counter *counters, size_t *count, size_t *early)
{
	struct pipeline_options options = { .services = &services };
	struct front *front = front_new(&options);
	struct lanes *lanes[LANES];
	const struct lanes *all[LANES];

	memset(event_counts, 0, sizeof(event_counts));
	for (unsigned g = 0; g < groups; g++)
		all[g] = lanes[g] = open_lanes(g, groups, CLIENTS / 2);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct packet packet = hello_of(i, START_US + i);

		lanes_add(lanes[lane_of(&packet) % groups], &packet, 1);
	}
	*early = 0;
	for (unsigned g = 0; g < groups; g++)
		*early += event_counts[g];
	for (unsigned g = 0; g < groups; g++)
		lanes_finish(lanes[g]);
	*count = lanes_counters(front, all, groups, counters);
	for (unsigned g = 0; g < groups; g++)
		lanes_free(lanes[g]);
	front_free(front);
}

START_TEST(what_is_given_up_does_not_depend_on_who_serves_the_lanes)
{
	struct pipeline_counter one[PIPELINE_COUNTERS_MAX], other[PIPELINE_COUNTERS_MAX];
	size_t one_count, other_count, one_early, other_early;

	run_groups(1, one, &one_count, &one_early);
	run_groups((unsigned)_i, other, &other_count, &other_early);
	ck_assert_uint_gt(value_of(one, one_count, "flows_evicted"), 0);
	ck_assert_uint_eq(value_of(one, one_count, "events"), CLIENTS);
	ck_assert_uint_eq(one_early, other_early);
	ck_assert_uint_eq(one_count, other_count);
	for (size_t i = 0; i < one_count; i++)
		ck_assert_uint_eq(one[i].value, other[i].value);
}
END_TEST

START_TEST(time_of_other_lanes_settles_what_is_due)
{
	struct lanes *lanes = open_lanes(0, 1, 1000);
	struct packet packet = hello_of(1, START_US);

	lanes_add(lanes, &packet, 1);
	lanes_advance(lanes, START_US + 600 * SECOND_US);
	ck_assert_uint_eq(event_counts[0], 0);
	lanes_advance(lanes, START_US + 601 * SECOND_US);
	ck_assert_uint_eq(event_counts[0], 1);
	lanes_free(lanes);
}
END_TEST

START_TEST(what_is_open_keeps_its_age_when_the_clock_is_set_back)
{
	struct lanes *lanes = open_lanes(0, 1, 1000);
	struct packet packet = hello_of(1, START_US);

	lanes_add(lanes, &packet, 1);
	lanes_advance(lanes, START_US + 2 * SECOND_US);
	lanes_set_back(lanes, START_US + 300 * SECOND_US, 7200 * SECOND_US);
	lanes_advance(lanes, START_US + (600 - 7200) * SECOND_US);
	ck_assert_uint_eq(event_counts[0], 0);
	lanes_advance(lanes, START_US + (601 - 7200) * SECOND_US);
	ck_assert_uint_eq(event_counts[0], 1);
	lanes_free(lanes);
}
END_TEST

/* The lane has had no packet for hours, and then one of the new time. */
START_TEST(what_came_since_the_clock_was_set_back_is_not_as_old_as_its_lane)
{
	struct lanes *lanes = open_lanes(0, 1, 1000);
	struct packet old = hello_of(1, START_US),
		      packet = hello_of(1, START_US - 3600 * SECOND_US);

	old.flags = TCP_RST;
	lanes_add(lanes, &old, 1);
	lanes_add(lanes, &packet, 1);
	lanes_set_back(lanes, START_US + 3600 * SECOND_US, 7200 * SECOND_US);
	lanes_advance(lanes, START_US + (600 - 3600) * SECOND_US);
	ck_assert_uint_eq(event_counts[0], 0);
	lanes_advance(lanes, START_US + (601 - 3600) * SECOND_US);
	ck_assert_uint_eq(event_counts[0], 1);
	lanes_free(lanes);
}
END_TEST

static void
on_cleartext(void *arg, const struct event *ev)
{
	size_t *count = arg;

	ck_assert_int_eq(ev->outcome, OUTCOME_CLEARTEXT);
	(*count)++;
}

/* Where the other side of a client is in its stream. */
static const uint32_t server_start = 5000;

static void
client_says(struct lanes *lanes, unsigned client, uint32_t at, const char *text, int64_t time_us)
{
	struct packet packet = hello_of(client, time_us);

	packet.dst_port = 587;
	packet.seq = at;
	packet.ack = server_start;
	packet.payload = span_from_text(text);
	packet.payload_len = (uint32_t)packet.payload.len;
	lanes_add(lanes, &packet, 1);
}

static void
server_says(struct lanes *lanes, unsigned client, uint32_t acked, const char *text, int64_t time_us)
{
	struct packet packet = hello_of(client, time_us);

	packet.dst = packet.src;
	packet.src = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 });
	packet.dst_port = packet.src_port;
	packet.src_port = 587;
	packet.seq = server_start;
	packet.ack = acked;
	packet.payload = span_from_text(text);
	packet.payload_len = (uint32_t)packet.payload.len;
	lanes_add(lanes, &packet, 1);
}

START_TEST(session_in_the_clear_that_was_given_up_behind_its_login_is_told_once)
{
	struct pipeline_options options = { .services = &services,
		.internal = &internal,
		.event = on_cleartext,
		.arg = &event_counts[0] };
	static const char login[] = "AUTH PLAIN AGEAYg==\r\n";
	uint32_t behind = sizeof(login);
	struct lanes *lanes;

	flow_options_init(&options.flows);
	options.flows.max_unsettled = 1;
	lanes = lanes_new_single(&options);
	client_says(lanes, 1, 1, login, START_US);
	server_says(lanes, 1, behind, "235 ok\r\n", START_US + 1);
	ck_assert_uint_eq(event_counts[0], 0);
	client_says(lanes, 2, 1, "QUIT\r\n", START_US + 2);
	ck_assert_uint_eq(event_counts[0], 1);
	lanes_advance(lanes, START_US + 300 * SECOND_US);
	client_says(
	    lanes, 1, behind, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", START_US + 300 * SECOND_US);
	lanes_finish(lanes);
	ck_assert_uint_eq(event_counts[0], 1);
	lanes_free(lanes);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_directions_have_the_same_lane);
	tcase_add_loop_test(
	    tc, what_is_given_up_does_not_depend_on_who_serves_the_lanes, 1, LANES + 1);
	tcase_add_test(tc, time_of_other_lanes_settles_what_is_due);
	tcase_add_test(tc, what_is_open_keeps_its_age_when_the_clock_is_set_back);
	tcase_add_test(tc, what_came_since_the_clock_was_set_back_is_not_as_old_as_its_lane);
	tcase_add_test(tc, session_in_the_clear_that_was_given_up_behind_its_login_is_told_once);
}

SUITE_MAIN("pipeline_lanes")
