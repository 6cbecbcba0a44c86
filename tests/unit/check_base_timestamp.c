#include "suite.h"

#include <stdio.h>

#include "base/timestamp.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define SECS(n) ((n)*USEC_PER_SEC)
/* 2026-11-20T18:38:17Z */
#define NOW SECS(INT64_C(1795199897))

/* Seconds by GNU date, -u -d TEXT +%s. */
static const struct {
	int64_t time_us;
	const char *text, *date;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000Z", "1970-01-01" },
	{ 1, "1970-01-01T00:00:00.000001Z", "1970-01-01" },
	{ -1, "1969-12-31T23:59:59.999999Z", "1969-12-31" },
	{ USEC_PER_DAY - 1, "1970-01-01T23:59:59.999999Z", "1970-01-01" },
	{ USEC_PER_DAY, "1970-01-02T00:00:00.000000Z", "1970-01-02" },
	{ -USEC_PER_DAY, "1969-12-31T00:00:00.000000Z", "1969-12-31" },
	{ NOW, "2026-11-20T18:38:17.000000Z", "2026-11-20" },
	{ SECS(951782400), "2000-02-29T00:00:00.000000Z", "2000-02-29" },
	{ SECS(1709164800), "2024-02-29T00:00:00.000000Z", "2024-02-29" },
	{ SECS(1709251200), "2024-03-01T00:00:00.000000Z", "2024-03-01" },
	{ SECS(INT64_C(4107542400)), "2100-03-01T00:00:00.000000Z", "2100-03-01" },
	{ SECS(INT64_C(4107456000)), "2100-02-28T00:00:00.000000Z", "2100-02-28" },
	{ SECS(UINT32_MAX), "2106-02-07T06:28:15.000000Z", "2106-02-07" },
	{ SECS(INT64_C(253402300799)), "9999-12-31T23:59:59.000000Z", "9999-12-31" },
	{ SECS(INT64_C(-62135596800)), "0001-01-01T00:00:00.000000Z", "0001-01-01" },
};

START_TEST(a_time_is_written_in_utc_with_microseconds)
{
	char text[TIMESTAMP_TEXT_LEN], date[TIMESTAMP_TEXT_LEN];

	ck_assert_str_eq(timestamp_to_text(times[_i].time_us, text), times[_i].text);
	ck_assert_str_eq(timestamp_to_date(times[_i].time_us, date), times[_i].date);
}
END_TEST

/* Days that share a place, one after the other and again. */
START_TEST(a_date_that_is_kept_is_written_as_one_that_is_worked_out)
{
	struct timestamp_dates dates = { 0 };

	for (int i = 0; i < 1000; i++) {
		int64_t time_us =
		    times[i % ROWS(times)].time_us + i / 3 % 5 * TIMESTAMP_DATES * USEC_PER_DAY;
		char text[TIMESTAMP_TEXT_LEN], again[TIMESTAMP_TEXT_LEN];

		*timestamp_put_again(again, time_us, &dates) = '\0';
		ck_assert_str_eq(again, timestamp_to_text(time_us, text));
	}
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
	int64_t time_us;

	ck_assert(timestamp_from_text(times[_i].text, NOW, &time_us));
	ck_assert_int_eq(time_us, times[_i].time_us);
}
END_TEST

START_TEST(a_time_is_made_of_its_parts)
{
	struct tm tm = { 0 };
	int64_t time_us;

	ck_assert_int_eq(sscanf(times[_i].text, "%d-%d-%dT%d:%d:%d", &tm.tm_year, &tm.tm_mon,
			     &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec),
	    6);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	time_us = timestamp_from_tm(&tm);
	ck_assert_int_eq(time_us % USEC_PER_SEC, 0);
	ck_assert_int_ge(times[_i].time_us, time_us);
	ck_assert_int_lt(times[_i].time_us, time_us + USEC_PER_SEC);
}
END_TEST

START_TEST(every_day_of_four_centuries_follows_the_one_before)
{
	char before[TIMESTAMP_TEXT_LEN] = "", text[TIMESTAMP_TEXT_LEN];
	int64_t begin, back;

	ck_assert(timestamp_from_text("1970-01-01", NOW, &begin));
	for (int64_t day = 0; day < 146097; day++) {
		int64_t time_us = begin + day * USEC_PER_DAY;

		timestamp_to_date(time_us, text);
		if (strcmp(text, before) <= 0 || !timestamp_from_text(text, NOW, &back) ||
		    back != time_us)
			ck_abort_msg("%s after %s", text, before);
		memcpy(before, text, sizeof(before));
	}
	ck_assert_str_eq(before, "2369-12-31");
}
END_TEST

/* A capture file may say anything; a year has four digits all the same. */
START_TEST(a_time_beyond_all_reason_still_has_a_text_of_the_usual_length)
{
	static const int64_t odd[] = { INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1,
		SECS(INT64_C(253402300800)), SECS(INT64_C(-62167219201)) };
	char text[TIMESTAMP_TEXT_LEN];

	for (int i = 0; i < ROWS(odd); i++) {
		ck_assert_uint_eq(strlen(timestamp_to_text(odd[i], text)), 27);
		ck_assert_uint_eq(strlen(timestamp_to_date(odd[i], text)), 10);
	}
}
END_TEST

static const struct {
	const char *text;
	int64_t time_us;
} good[] = {
	{ "2026-11-20", NOW - SECS(18 * 3600 + 38 * 60 + 17) },
	{ "2026-11-20T18:38:17Z", NOW },
	{ "2026-11-20t18:38:17z", NOW },
	{ "2026-11-20 18:38:17Z", NOW },
	{ "2026-11-20T18:38:17+00:00", NOW },
	{ "2026-11-20T18:38:17-00:00", NOW },
	{ "2026-11-20T20:38:17+02:00", NOW },
	{ "2026-11-21T00:08:17+05:30", NOW },
	{ "2026-11-20T10:38:17-08:00", NOW },
	{ "2026-11-20T18:38:17.5Z", NOW + 500000 },
	{ "2026-11-20T18:38:17.000001Z", NOW + 1 },
	{ "2026-11-20T18:38:17.0000019Z", NOW + 1 },
	{ "2026-11-20T18:38:17.123456789123456789Z", NOW + 123456 },
	{ "2026-11-20T18:37:60Z", NOW - SECS(17) }, /* RFC 3339, section 5.7: a leap second */
	{ "0s", NOW },
	{ "90s", NOW - SECS(90) },
	{ "30m", NOW - SECS(1800) },
	{ "24h", NOW - USEC_PER_DAY },
	{ "7d", NOW - 7 * USEC_PER_DAY },
	{ "2w", NOW - 14 * USEC_PER_DAY },
	{ "1000000s", NOW - SECS(1000000) },
};

START_TEST(a_time_can_be_given_in_several_forms)
{
	int64_t time_us = 0;

	ck_assert_msg(timestamp_from_text(good[_i].text, NOW, &time_us), "%s", good[_i].text);
	ck_assert_int_eq(time_us, good[_i].time_us);
}
END_TEST

static const char *const bad[] = { "", " ", "now", "yesterday", "2026", "2026-11", "2026-11-",
	"26-11-20", "2026-1-20", "2026-11-2", "2026-00-20", "2026-13-20", "2026-11-00",
	"2026-11-31", "2023-02-29", "2100-02-29", "2024-02-30", "20261120", "2026-11-20T",
	"2026-11-20T18:38Z", "2026-11-20T18:38:17", "2026-11-20T18:38:17.Z", "2026-11-20T24:00:00Z",
	"2026-11-20T18:60:00Z", "2026-11-20T18:00:61Z", "2026-11-20T18:38:17ZZ",
	"2026-11-20T18:38:17Z ", " 2026-11-20", "2026-11-20 ", "2026-11-20T18:38:17+2:00",
	"2026-11-20T18:38:17+02", "2026-11-20T18:38:17+0200", "2026-11-20T18:38:17+24:00",
	"2026-11-20T18:38:17+02:60", "-7d", "+7d", "7", "d", "7 d", "7dd", "7D", "7y", "1.5h",
	"1000001s", "99999999999999999999999d" };

START_TEST(what_is_no_time_is_refused_and_changes_nothing)
{
	int64_t time_us = 4711;

	ck_assert_msg(!timestamp_from_text(bad[_i], NOW, &time_us), "'%s'", bad[_i]);
	ck_assert_int_eq(time_us, 4711);
}
END_TEST

START_TEST(of_all_prefixes_of_a_time_only_the_date_is_one)
{
	static const char whole[] = "2026-11-20T18:38:17.000001+02:00";
	char text[sizeof(whole)];
	int64_t time_us;

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		memcpy(text, whole, len);
		text[len] = '\0';
		ck_assert_msg(timestamp_from_text(text, NOW, &time_us) == (len == 10), "%s", text);
	}
	ck_assert(timestamp_from_text(whole, NOW, &time_us));
}
END_TEST

START_TEST(the_machines_clock_is_in_microseconds)
{
	int64_t past, future, now = timestamp_now();

	ck_assert(timestamp_from_text("2020-01-01", NOW, &past));
	ck_assert(timestamp_from_text("2120-01-01", NOW, &future));
	ck_assert(past < now && now < future);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_time_is_written_in_utc_with_microseconds, 0, ROWS(times));
	tcase_add_test(tc, a_date_that_is_kept_is_written_as_one_that_is_worked_out);
	tcase_add_loop_test(tc, what_is_written_is_read_back, 0, ROWS(times));
	tcase_add_loop_test(tc, a_time_is_made_of_its_parts, 0, ROWS(times));
	tcase_add_test(tc, every_day_of_four_centuries_follows_the_one_before);
	tcase_add_test(tc, a_time_beyond_all_reason_still_has_a_text_of_the_usual_length);
	tcase_add_loop_test(tc, a_time_can_be_given_in_several_forms, 0, ROWS(good));
	tcase_add_loop_test(tc, what_is_no_time_is_refused_and_changes_nothing, 0, ROWS(bad));
	tcase_add_test(tc, of_all_prefixes_of_a_time_only_the_date_is_one);
	tcase_add_test(tc, the_machines_clock_is_in_microseconds);
}

SUITE_MAIN("base_timestamp")
