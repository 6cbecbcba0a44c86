#include "pipeline/mirror.h"

#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))
#define START_US INT64_C(1700000000000000)
#define DAY_US INT64_C(86400000000)

static struct mirror mirror;

static struct packet
sample(void)
{
	return (struct packet){ .src = addr_from_v4((const uint8_t[]){ 10, 0, 0, 5 }),
		.dst = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 }),
		.src_port = 40000,
		.dst_port = 993,
		.seq = 1000,
		.ack = 2000,
		.flags = TCP_ACK,
		.payload_len = 517,
		.ip_id = 7,
		.vlan = 1,
		.time_us = START_US };
}

static void
add(const struct packet *p)
{
	if (mirror_looks_at(p))
		mirror_add_payload(&mirror, p);
}

static uint64_t
copies_of(const struct packet *first, const struct packet *second)
{
	mirror_init(&mirror, hash_key_random(), 1);
	add(first);
	add(second);
	return mirror.duplicate_packets;
}

/* A copy made by a mirror differs in what lies around the IP packet only. */
START_TEST(the_same_packet_again_with_other_wrapping_is_a_copy)
{
	struct packet first = sample(), second = sample();

	second.vlan = 2;
	second.source = 1;
	second.time_us += 10;
	ck_assert_uint_eq(copies_of(&first, &second), 1);
}
END_TEST

START_TEST(every_copy_counts)
{
	struct packet p = sample();

	mirror_init(&mirror, hash_key_random(), 1);
	for (int i = 0; i < 5; i++)
		add(&p);
	ck_assert_uint_eq(mirror.duplicate_packets, 4);
}
END_TEST

static void
other_id(struct packet *p)
{
	p->ip_id++;
}
static void
other_seq(struct packet *p)
{
	p->seq++;
}
static void
other_ack(struct packet *p)
{
	p->ack++;
}
static void
other_len(struct packet *p)
{
	p->payload_len++;
}
static void
other_flags(struct packet *p)
{
	p->flags |= TCP_FIN;
}
static void
other_src(struct packet *p)
{
	p->src.bytes[3]++;
}
static void
other_dst(struct packet *p)
{
	p->dst.bytes[3]++;
}
static void
other_src_port(struct packet *p)
{
	p->src_port++;
}
static void
other_dst_port(struct packet *p)
{
	p->dst_port++;
}
static void
other_direction(struct packet *p)
{
	struct addr src = p->src;
	uint16_t port = p->src_port;

	p->src = p->dst;
	p->dst = src;
	p->src_port = p->dst_port;
	p->dst_port = port;
}
static void
no_payload(struct packet *p)
{
	p->payload_len = 0;
}

static void (*const changes[])(struct packet *) = { other_id, other_seq, other_ack, other_len,
	other_flags, other_src, other_dst, other_src_port, other_dst_port, other_direction,
	no_payload };

START_TEST(a_packet_that_differs_is_no_copy)
{
	struct packet first = sample(), second = sample();

	changes[_i](&second);
	ck_assert_uint_eq(copies_of(&first, &second), 0);
}
END_TEST

START_TEST(an_acknowledgment_alone_is_never_a_copy)
{
	struct packet first = sample();

	first.payload_len = 0;
	ck_assert_uint_eq(copies_of(&first, &first), 0);
}
END_TEST

static const struct {
	uint16_t ip_id;
	int64_t after_us;
	uint64_t copies;
} moments[] = {
	{ 7, 0, 1 },
	{ 7, MIRROR_COPY_US, 1 },
	{ 7, MIRROR_COPY_US + 1, 0 },
	{ 7, -MIRROR_COPY_US, 1 },
	{ 7, -MIRROR_COPY_US - 1, 0 },
	{ 0, MIRROR_COPY_NO_ID_US, 1 },
	{ 0, MIRROR_COPY_NO_ID_US + 1, 0 },
	{ 0, -MIRROR_COPY_NO_ID_US, 1 },
	{ 0, -MIRROR_COPY_NO_ID_US - 1, 0 },
	{ 7, DAY_US, 0 },
};

START_TEST(what_comes_later_was_sent_again)
{
	struct packet first = sample(), second;

	first.ip_id = moments[_i].ip_id;
	second = first;
	second.time_us += moments[_i].after_us;
	ck_assert_uint_eq(copies_of(&first, &second), moments[_i].copies);
}
END_TEST

START_TEST(the_lower_half_of_an_ipv6_address_counts)
{
	static const uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct packet first = sample(), second;

	first.src = first.dst = addr_from_v6(bytes);
	first.ip_id = 0;
	second = first;
	ck_assert_uint_eq(copies_of(&first, &second), 1);
	second.src.bytes[15] = 2;
	ck_assert_uint_eq(copies_of(&first, &second), 0);
}
END_TEST

START_TEST(a_segment_larger_than_a_frame_is_a_super_segment)
{
	struct packet p = sample();

	mirror_init(&mirror, hash_key_random(), 1);
	p.payload_len = MIRROR_SUPER_LEN;
	add(&p);
	ck_assert_uint_eq(mirror.super_segments, 0);
	p.payload_len = MIRROR_SUPER_LEN + 1;
	add(&p);
	ck_assert_uint_eq(mirror.super_segments, 1);
}
END_TEST

static const struct {
	int64_t step_us;
	uint32_t source; /* of the second frame; the first has 0 */
	uint64_t back, forward;
} steps[] = {
	{ 0, 0, 0, 0 },
	{ 1, 0, 0, 0 },
	{ -MIRROR_BACK_US, 0, 0, 0 },
	{ -MIRROR_BACK_US - 1, 0, 1, 0 },
	{ -MIRROR_BACK_US - 1, 1, 1, 0 },
	{ -START_US, 0, 1, 0 },
	{ MIRROR_FORWARD_US, 0, 0, 0 },
	{ MIRROR_FORWARD_US + 1, 0, 0, 1 },
	{ MIRROR_FORWARD_US + 1, 1, 0, 0 }, /* the next capture, days later */
	{ INT64_MAX - START_US, 0, 0, 1 },
	{ INT64_MIN + START_US, 0, 1, 0 },
};

START_TEST(a_clock_that_jumps_is_counted)
{
	struct frame frame = { .time_us = START_US };
	struct mirror_clock clock;

	mirror_clock_init(&clock);
	mirror_clock_add(&clock, &frame);
	ck_assert_uint_eq(clock.back + clock.forward, 0);
	frame.time_us += steps[_i].step_us;
	frame.source = steps[_i].source;
	mirror_clock_add(&clock, &frame);
	ck_assert_uint_eq(clock.back, steps[_i].back);
	ck_assert_uint_eq(clock.forward, steps[_i].forward);
}
END_TEST

START_TEST(setting_the_clock_where_it_goes_on_is_adding)
{
	const struct frame frames[] = {
		{ .time_us = START_US },
		{ .time_us = START_US + steps[_i].step_us, .source = steps[_i].source },
		{ .time_us = START_US, .source = steps[_i].source },
	};
	struct mirror_clock set, added;

	mirror_clock_init(&set);
	mirror_clock_init(&added);
	for (size_t i = 0; i < ROWS(frames); i++) {
		if (mirror_clock_goes_on(set.last_us, frames[i].time_us))
			mirror_clock_set(&set, &frames[i]);
		else
			mirror_clock_add(&set, &frames[i]);
		mirror_clock_add(&added, &frames[i]);
	}
	ck_assert_uint_eq(set.back, added.back);
	ck_assert_uint_eq(set.forward, added.forward);
	ck_assert_int_eq(set.last_us, added.last_us);
	ck_assert_uint_eq(set.last_source, added.last_source);
}
END_TEST

START_TEST(the_first_packet_is_no_jump_whatever_its_time)
{
	static const int64_t times[] = { 0, 1, -1, START_US, INT64_MAX, INT64_MIN };
	struct frame frame = { .time_us = times[_i] };
	struct mirror_clock clock;

	mirror_clock_init(&clock);
	mirror_clock_add(&clock, &frame);
	ck_assert_uint_eq(clock.back + clock.forward, 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, the_same_packet_again_with_other_wrapping_is_a_copy);
	tcase_add_test(tc, every_copy_counts);
	tcase_add_loop_test(tc, a_packet_that_differs_is_no_copy, 0, ROWS(changes));
	tcase_add_test(tc, an_acknowledgment_alone_is_never_a_copy);
	tcase_add_loop_test(tc, what_comes_later_was_sent_again, 0, ROWS(moments));
	tcase_add_test(tc, the_lower_half_of_an_ipv6_address_counts);
	tcase_add_test(tc, a_segment_larger_than_a_frame_is_a_super_segment);
	tcase_add_loop_test(tc, setting_the_clock_where_it_goes_on_is_adding, 0, ROWS(steps));
	tcase_add_loop_test(tc, a_clock_that_jumps_is_counted, 0, ROWS(steps));
	tcase_add_loop_test(tc, the_first_packet_is_no_jump_whatever_its_time, 0, 6);
}

SUITE_MAIN("pipeline_mirror")
