#include "pipeline/front.h"

#include "suite.h"

#include "base/banned.h"

#define LINK_RAW 101
#define START_US INT64_C(1700000000000000)
#define FRAMES (2 * FRONT_EPOCH_PACKETS + 100)
#define PAYLOAD_MAX 60000

/* An IPv4 packet with a TCP header, to 993, and so many bytes behind it. */
static uint8_t bytes[40 + PAYLOAD_MAX] = {
	0x45, [8] = 64, [9] = 6, [12] = 10, [15] = 5, [16] = 192, [18] = 2, [19] = 25, [20] = 0x9c,
	[21] = 0x40, [22] = 993 >> 8, [23] = 993 & 0xff, [32] = 0x50, [33] = TCP_ACK
};
static struct frame frames[FRAMES];
static struct packet packets[FRAMES];
static struct service_set services;
static struct front *front;

static void
setup(void)
{
	struct pipeline_options options = { .services = &services };

	service_set_init_defaults(&services);
	front = front_new(&options);
}

static void
teardown(void)
{
	front_free(front);
}

static void
make_frames(size_t payload_len, int64_t step_us)
{
	size_t len = 40 + payload_len;

	bytes[2] = (uint8_t)(len >> 8 & 0xff);
	bytes[3] = (uint8_t)(len & 0xff);
	for (size_t i = 0; i < FRAMES; i++)
		frames[i] = (struct frame){ .bytes = span_from(bytes, len),
			.wire_len = (uint32_t)len,
			.link_type = LINK_RAW,
			.time_us = START_US + (int64_t)i * step_us };
}

/* Packets up to the end of the epoch, of frames from `at` on, so many at a time. */
static size_t
read_epoch(size_t at, size_t step)
{
	size_t begin = at, found;

	while (at < FRAMES && !front_epoch_is_over(front)) {
		size_t left = FRAMES - at;

		at += front_read(
		    front, frames + at, left < step ? left : step, packets, step, &found);
	}
	return at - begin;
}

START_TEST(an_epoch_has_so_many_packets_however_they_are_read)
{
	static const size_t steps[] = { 1, 7, 32, 512, FRAMES };

	make_frames(10, 1);
	ck_assert_uint_eq(read_epoch(0, steps[_i]), FRONT_EPOCH_PACKETS);
	ck_assert_int_eq(front_now(front), START_US + FRONT_EPOCH_PACKETS - 1);
	ck_assert_int_eq(front_next_epoch(front), 0);
	ck_assert_uint_eq(read_epoch(FRONT_EPOCH_PACKETS, steps[_i]), FRONT_EPOCH_PACKETS);
}
END_TEST

START_TEST(nothing_is_read_behind_the_end_of_an_epoch)
{
	size_t found;

	make_frames(10, 1);
	(void)read_epoch(0, 32);
	ck_assert_uint_eq(front_read(front, frames, FRAMES, packets, FRAMES, &found), 0);
	ck_assert_uint_eq(found, 0);
}
END_TEST

START_TEST(large_packets_make_a_shorter_epoch)
{
	make_frames(PAYLOAD_MAX, 1);
	ck_assert_uint_eq(read_epoch(0, 5), FRONT_EPOCH_LEN / PAYLOAD_MAX + 1);
}
END_TEST

START_TEST(packets_of_other_ports_belong_to_no_epoch)
{
	size_t found;

	make_frames(10, 1);
	bytes[22] = 0;
	ck_assert_uint_eq(front_read(front, frames, FRAMES, packets, FRAMES, &found), FRAMES);
	ck_assert_uint_eq(found, 0);
	ck_assert(!front_epoch_is_over(front));
	bytes[22] = 993 >> 8;
}
END_TEST

START_TEST(a_clock_that_is_set_back_ends_the_epoch)
{
	const int64_t back_us = INT64_C(7200) * 1000000;
	size_t at = 100;

	make_frames(10, 0);
	for (size_t i = at; i < FRAMES; i++)
		frames[i].time_us -= back_us;
	at = read_epoch(0, 32);
	ck_assert_uint_gt(at, 100);
	ck_assert_uint_lt(at, FRONT_EPOCH_PACKETS);
	/* Before it is set back, the clock stands where the latest packet was. */
	ck_assert_int_eq(front_now(front), START_US);
	ck_assert_int_eq(front_next_epoch(front), back_us);
	ck_assert_int_eq(front_now(front), START_US - back_us);
	ck_assert_uint_eq(read_epoch(at, 32), FRONT_EPOCH_PACKETS);
	ck_assert_int_eq(front_next_epoch(front), 0);
}
END_TEST

START_TEST(a_time_that_is_not_sure_ends_nothing)
{
	make_frames(10, 1);
	for (size_t i = FRONT_EPOCH_PACKETS - 2; i < FRAMES; i++)
		frames[i].time_us -= INT64_C(7200) * 1000000;
	(void)read_epoch(0, 32);
	ck_assert_int_eq(front_now(front), INT64_MIN);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, an_epoch_has_so_many_packets_however_they_are_read, 0, 5);
	tcase_add_test(tc, nothing_is_read_behind_the_end_of_an_epoch);
	tcase_add_test(tc, large_packets_make_a_shorter_epoch);
	tcase_add_test(tc, packets_of_other_ports_belong_to_no_epoch);
	tcase_add_test(tc, a_clock_that_is_set_back_ends_the_epoch);
	tcase_add_test(tc, a_time_that_is_not_sure_ends_nothing);
}

SUITE_MAIN("pipeline_front")
