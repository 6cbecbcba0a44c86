#include "tally/cadence.h"

#include <string.h>

#include "base/timestamp.h"
#include "suite.h"

#include "base/banned.h"

#define SECOND USEC_PER_SEC
#define HOUR (INT64_C(3600) * SECOND)
#define DAY (24 * HOUR)

static struct cadence cadence;

static void
init(void)
{
	cadence = (struct cadence){ 0 };
}

/* `count` attempts from `time_us` on; returns when the next one would be. */
static int64_t
come(int64_t time_us, int64_t gap_us, unsigned count)
{
	for (unsigned i = 0; i < count; i++, time_us += gap_us) {
		cadence_add_time(&cadence, time_us);
		cadence_add_gap(&cadence, gap_us);
	}
	return time_us;
}

static void
expect_text(const char *text)
{
	struct cadence_summary summary;
	struct buf out = { 0 };

	cadence_summarise(&cadence, &summary);
	cadence_add_text(&summary, &out);
	ck_assert_str_eq(buf_text(&out), text);
	buf_release(&out);
}

static const struct {
	int64_t gap_us;
	const char *text;
} intervals[] = {
	{ SECOND / 10, "every second" },
	{ 2 * SECOND, "every 2 s" },
	{ 65 * SECOND, "every 65 s" },
	{ 298 * SECOND, "every 300 s" },
	{ 300 * SECOND + 7, "every 300 s" },
	{ 899 * SECOND, "every 900 s" },
	{ 900 * SECOND, "every 15 min" },
	{ HOUR, "every 60 min" },
	{ 4 * HOUR, "every 4 hours" },
	{ DAY, "every 24 hours" },
	{ 7 * DAY, "every 7 days" },
	{ 30 * DAY, "every 30 days" },
};

START_TEST(a_regular_client_is_told_by_its_interval)
{
	(void)come(0, intervals[_i].gap_us, 4);
	/* The hours are of another test. */
	memset(cadence.hours, 0, sizeof(cadence.hours));
	expect_text(intervals[_i].text);
}
END_TEST

START_TEST(who_comes_at_all_hours_is_unattended)
{
	(void)come(0, 300 * SECOND, 3 * 288);
	expect_text("every 300 s, day and night: unattended");
}
END_TEST

START_TEST(who_comes_in_working_hours_is_said_to)
{
	for (int day = 0; day < 5; day++)
		(void)come(day * DAY + 8 * HOUR, 600 * SECOND, 54);
	expect_text("every 600 s, between 08:00 and 16:59 UTC");
}
END_TEST

START_TEST(hours_may_go_past_midnight)
{
	struct cadence_summary summary;
	struct buf out = { 0 };

	(void)come(22 * HOUR, 600 * SECOND, 24);
	expect_text("every 600 s, between 22:00 and 01:59 UTC");
	cadence_summarise(&cadence, &summary);
	cadence_add_hours(&summary, &out);
	ck_assert_str_eq(buf_text(&out), "0-1,22-23");
	buf_release(&out);
}
END_TEST

START_TEST(connections_of_one_visit_are_no_interval)
{
	for (int i = 0; i < 288; i++) {
		cadence_add_gap(&cadence, SECOND / 5);
		cadence_add_gap(&cadence, SECOND);
		(void)come(i * 300 * SECOND, 298 * SECOND, 1);
	}
	expect_text("every 300 s, day and night: unattended");
}
END_TEST

START_TEST(a_quick_poller_with_a_few_pauses_is_one)
{
	(void)come(0, 2 * SECOND, 10000);
	for (int i = 0; i < 3; i++)
		cadence_add_gap(&cadence, 9 * HOUR);
	memset(cadence.hours, 0, sizeof(cadence.hours));
	expect_text("every 2 s");
}
END_TEST

START_TEST(who_comes_at_random_has_no_interval)
{
	struct cadence_summary summary;

	for (int i = 3; i < 20; i++)
		cadence_add_gap(&cadence, SECOND << i);
	expect_text("at no fixed interval");
	cadence_summarise(&cadence, &summary);
	ck_assert_int_eq(summary.interval_us, 0);
}
END_TEST

START_TEST(two_gaps_tell_nothing)
{
	(void)come(0, 300 * SECOND, 2);
	expect_text("");
	cadence_add_gap(&cadence, -1); /* out of order: none */
	expect_text("");
}
END_TEST

START_TEST(gaps_of_ages_in_a_damaged_database_are_no_interval)
{
	(void)come(0, HOUR, 10);
	for (unsigned i = 0; i < CADENCE_CLASSES; i++)
		cadence.gap_sum_ms[i] = UINT64_MAX / 2;
	expect_text("at no fixed interval, between 00:00 and 09:59 UTC");
}
END_TEST

START_TEST(counts_of_two_parts_are_those_of_the_whole)
{
	struct cadence whole, first;
	int64_t time_us = come(DAY, 300 * SECOND, 100);

	first = cadence;
	(void)come(time_us, 7 * HOUR, 50);
	whole = cadence;
	cadence = (struct cadence){ 0 };
	(void)come(time_us, 7 * HOUR, 50);
	cadence_merge(&cadence, &first);
	ck_assert_int_eq(memcmp(&cadence, &whole, sizeof(whole)), 0);
}
END_TEST

START_TEST(a_count_that_is_full_stays)
{
	struct cadence full = { 0 };

	full.hours[5] = full.gap_count[3] = UINT32_MAX;
	full.gap_sum_ms[3] = 77;
	cadence_add_time(&cadence, 5 * HOUR);
	cadence_add_gap(&cadence, 2 * SECOND);
	cadence_merge(&cadence, &full);
	ck_assert_uint_eq(cadence.hours[5], UINT32_MAX);
}
END_TEST

START_TEST(what_is_written_is_read_and_no_part_of_it)
{
	enum { HEAD = 1 + 4 + 4 * CADENCE_HOURS }; /* all hours are seen */
	struct buf bytes = { 0 };
	struct cadence read, zero = { 0 };

	for (int i = 0; i < 30; i++)
		(void)come(i * HOUR, SECOND / 2 << i, 2);
	cadence_write(&cadence, &bytes);
	ck_assert_uint_le(bytes.len, CADENCE_BYTES_MAX);
	ck_assert(cadence_read(span_from(bytes.data, bytes.len), &read));
	ck_assert_int_eq(memcmp(&read, &cadence, sizeof(read)), 0);
	for (size_t len = 0; len < bytes.len; len++) {
		bool good = cadence_read(span_from(bytes.data, len), &read);

		/* A class more or less is still a form of it. */
		ck_assert(good == (len >= HEAD && (len - HEAD) % 13 == 0));
		ck_assert(good || memcmp(&read, &zero, sizeof(read)) == 0);
	}
	/* A class that comes twice, and one that there is not. */
	bytes.data[HEAD + 13] = bytes.data[HEAD];
	ck_assert(!cadence_read(span_from(bytes.data, bytes.len), &read));
	bytes.data[HEAD] = CADENCE_CLASSES;
	ck_assert(!cadence_read(span_from(bytes.data, bytes.len), &read));
	/* An hour that the day does not have, and one that was seen not once. */
	bytes.data[1] = 1;
	ck_assert(!cadence_read(span_from(bytes.data, HEAD), &read));
	bytes.data[1] = 0;
	ck_assert(cadence_read(span_from(bytes.data, HEAD), &read));
	memset(bytes.data + 5, 0, 4);
	ck_assert(!cadence_read(span_from(bytes.data, HEAD), &read));
	bytes.data[0] = 9;
	ck_assert(!cadence_read(span_from(bytes.data, bytes.len), &read));
	buf_release(&bytes);
}
END_TEST

START_TEST(times_before_1970_have_hours_too)
{
	cadence_add_time(&cadence, -1);
	ck_assert_uint_eq(cadence.hours[23], 1);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, init, NULL);
	tcase_add_loop_test(tc, a_regular_client_is_told_by_its_interval, 0,
	    (int)(sizeof(intervals) / sizeof(intervals[0])));
	tcase_add_test(tc, who_comes_at_all_hours_is_unattended);
	tcase_add_test(tc, who_comes_in_working_hours_is_said_to);
	tcase_add_test(tc, hours_may_go_past_midnight);
	tcase_add_test(tc, connections_of_one_visit_are_no_interval);
	tcase_add_test(tc, a_quick_poller_with_a_few_pauses_is_one);
	tcase_add_test(tc, who_comes_at_random_has_no_interval);
	tcase_add_test(tc, two_gaps_tell_nothing);
	tcase_add_test(tc, gaps_of_ages_in_a_damaged_database_are_no_interval);
	tcase_add_test(tc, counts_of_two_parts_are_those_of_the_whole);
	tcase_add_test(tc, a_count_that_is_full_stays);
	tcase_add_test(tc, what_is_written_is_read_and_no_part_of_it);
	tcase_add_test(tc, times_before_1970_have_hours_too);
}

SUITE_MAIN("tally_cadence")
