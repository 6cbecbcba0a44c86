/* What a tally tells of a client's cadence is what counting each attempt would. */
#include "base/timestamp.h"
#include "store_fixture.h"

#include "base/banned.h"

#define MS INT64_C(1000)
#define GAPS_MAX 12

static void
expect_same(const char *name, const struct cadence *got, const struct cadence *wanted)
{
	for (unsigned i = 0; i < CADENCE_HOURS; i++)
		ck_assert_msg(got->hours[i] == wanted->hours[i], "%s: hour %u: %u, not %u", name, i,
		    got->hours[i], wanted->hours[i]);
	for (unsigned i = 0; i < CADENCE_CLASSES; i++)
		ck_assert_msg(got->gap_count[i] == wanted->gap_count[i] &&
				  got->gap_sum_ms[i] == wanted->gap_sum_ms[i],
		    "%s: class %u: %u gaps, not %u", name, i, got->gap_count[i],
		    wanted->gap_count[i]);
}

/* Attempts of one client, each so long after the one before; all the gaps again and again. */
static const struct {
	const char *name;
	int64_t begin_us;
	int64_t gaps_us[GAPS_MAX]; /* 0: no more */
	unsigned repeat;
} visits[] = {
	{ "one attempt", DAY, { 0 }, 1 },
	{ "two in one hour", DAY, { 300 * SECOND }, 1 },
	{ "two in two hours", DAY + HOUR - 1, { 1 }, 1 },
	{ "the last two of an hour", DAY + HOUR - 2, { 1 }, 1 },
	{ "two before 1970", -HOUR, { 300 * SECOND }, 1 },
	{ "one class, often", DAY, { 1 * MS }, 3000 },
	{ "one class, more often than 16 bits count", DAY, { 10 }, 70000 },
	{ "as many classes as are kept briefly", DAY,
	    { 100 * MS, SECOND, 1500 * MS, 2 * SECOND, 3 * SECOND, 4 * SECOND, 6 * SECOND,
		8 * SECOND },
	    3 },
	{ "one class more", DAY,
	    { 100 * MS, SECOND, 1500 * MS, 2 * SECOND, 3 * SECOND, 4 * SECOND, 6 * SECOND,
		8 * SECOND, 12 * SECOND },
	    3 },
	{ "fractions of milliseconds", DAY, { 1999999, 999, 1001, 1414213, 1414214 }, 4 },
	{ "the same hour of other days", DAY, { 24 * HOUR, 24 * HOUR, 48 * HOUR }, 2 },
	{ "gaps whose sum is more than 32 bits of milliseconds", DAY, { 720 * HOUR, 720 * HOUR },
	    1 },
	{ "a gap that is more than that by itself", DAY, { 24000 * HOUR, SECOND }, 1 },
};

START_TEST(a_cadence_is_the_same_as_if_each_attempt_were_counted)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V12, visits[_i].begin_us);
	struct tally *t = tally_new(NULL);
	struct cadence wanted = { 0 };
	struct tally_client c;

	ck_assert(tally_add(t, &ev));
	cadence_add_time(&wanted, ev.timestamp_us);
	for (unsigned n = 0; n < visits[_i].repeat; n++) {
		for (size_t i = 0; i < GAPS_MAX && visits[_i].gaps_us[i] != 0; i++) {
			ev.timestamp_us += visits[_i].gaps_us[i];
			ck_assert(tally_add(t, &ev));
			cadence_add_time(&wanted, ev.timestamp_us);
			cadence_add_gap(&wanted, visits[_i].gaps_us[i]);
		}
	}
	tally_sort(t);
	tally_client_at(t, 0, &c);
	expect_same(visits[_i].name, &c.cadence, &wanted);
	tally_free(t);
}
END_TEST

START_TEST(an_attempt_that_is_told_late_has_an_hour_and_no_gap)
{
	struct event late = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY + 10 * SECOND);
	struct tally *t = tally_new(NULL);
	struct cadence wanted = { .hours = { 2 } };
	struct tally_client c;

	ck_assert(tally_add(t, &ev));
	ck_assert(tally_add(t, &late));
	tally_sort(t);
	tally_client_at(t, 0, &c);
	expect_same("it", &c.cadence, &wanted);
	tally_free(t);
}
END_TEST

START_TEST(a_client_of_whom_only_ends_are_known_did_not_come)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct event end = session_end(&ev, SECOND, 9000);
	struct tally *t = tally_new(NULL);
	struct cadence wanted = { 0 };
	struct tally_client c;

	ck_assert(tally_add(t, &end));
	tally_sort(t);
	tally_client_at(t, 0, &c);
	expect_same("it", &c.cadence, &wanted);
	tally_free(t);
}
END_TEST

START_TEST(a_cleared_tally_has_forgotten_the_cadence)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct tally *t = tally_new(NULL);
	struct cadence wanted = { 0 };
	struct tally_client c;

	/* In every hour of the day, so that it is not kept briefly. */
	for (int i = 0; i < 48; i++, ev.timestamp_us += HOUR)
		ck_assert(tally_add(t, &ev));
	tally_clear(t);
	for (int i = 0; i < 2; i++, ev.timestamp_us += 5 * SECOND) {
		ck_assert(tally_add(t, &ev));
		cadence_add_time(&wanted, ev.timestamp_us);
	}
	cadence_add_gap(&wanted, 5 * SECOND);
	tally_sort(t);
	tally_client_at(t, 0, &c);
	expect_same("it", &c.cadence, &wanted);
	tally_free(t);
}
END_TEST

/* Each is a record of its own, until room is needed. */
START_TEST(ten_attempts_in_a_minute_take_less_than_half_a_kilobyte)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct tally *t = tally_new(NULL);
	size_t before;

	ck_assert(tally_add(t, &ev));
	before = tally_bytes(t);
	for (int i = 0; i < 10; i++) {
		ev.timestamp_us += 6 * SECOND;
		ck_assert(tally_add(t, &ev));
	}
	ck_assert_uint_lt(tally_bytes(t) - before, 500);
	tally_free(t);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_cadence_is_the_same_as_if_each_attempt_were_counted, 0, ROWS(visits));
	tcase_add_test(tc, an_attempt_that_is_told_late_has_an_hour_and_no_gap);
	tcase_add_test(tc, a_client_of_whom_only_ends_are_known_did_not_come);
	tcase_add_test(tc, a_cleared_tally_has_forgotten_the_cadence);
	tcase_add_test(tc, ten_attempts_in_a_minute_take_less_than_half_a_kilobyte);
}

SUITE_MAIN("tally_tally_cadence")
