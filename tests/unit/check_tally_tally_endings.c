/* Endings of sessions: they are counted with the finding of their handshake. */
#include "base/timestamp.h"
#include "store_fixture.h"
#include "tally/login_names.h"
#include "tally_rows.h"

#include "base/banned.h"

START_TEST(an_ending_is_counted_with_its_finding_and_is_no_handshake)
{
	struct event ev = handshake("10.0.0.1", "Mail.example", V10, DAY);
	struct event events[] = { ev, session_end(&ev, 2 * SECOND, 180), ev,
		session_end(&ev, SECOND, 190), ev, session_end(&ev, SECOND, 4000), ev,
		session_end(&ev, 0, 0) };
	struct tally *t;
	struct finding f;

	events[7].ending = (struct event_ending){ .how = SESSION_END_UNSEEN };
	t = tally_of(events, 8);
	f = finding_at(t, 0);
	ck_assert_uint_eq(tally_finding_count(t), 1);
	ck_assert_uint_eq(tally_event_count(t), 4);
	ck_assert_uint_eq(client_at(t, 0).event_count, 4);
	ck_assert_uint_eq(f.count, 4);
	ck_assert_uint_eq(f.ended_count, 3);
	ck_assert_uint_eq(f.dropped_early_count, 2);
	ck_assert_int_eq(f.dropped_early_us, 2 * SECOND);
	ck_assert_uint_eq(f.dropped_early_len, 190);
	tally_free(t);
}
END_TEST

START_TEST(an_ending_alone_is_a_finding_of_no_handshake)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event end = session_end(&ev, SECOND, 100);
	struct tally *t = tally_of(&end, 1);

	ck_assert(!tally_is_empty(t));
	ck_assert_uint_eq(tally_event_count(t), 0);
	ck_assert_uint_eq(finding_at(t, 0).count, 0);
	ck_assert_uint_eq(finding_at(t, 0).dropped_early_count, 1);
	ck_assert_uint_eq(client_at(t, 0).day_count, 0);
	tally_clear(t);
	ck_assert(tally_is_empty(t));
	tally_free(t);
}
END_TEST

START_TEST(a_full_tally_takes_the_endings_of_what_it_has)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event other = handshake("10.0.0.2", "mail.example", V10, DAY);
	struct event end = session_end(&ev, SECOND, 100), unknown = session_end(&other, 1, 1);
	struct tally *t = tally_of(&ev, 1);
	struct tally_options options = { .max_bytes = tally_bytes(t) + 1 };

	tally_free(t);
	t = tally_new(&options);
	ck_assert(tally_add(t, &ev));
	ck_assert(tally_add(t, &end));
	ck_assert(tally_is_full(t));
	ck_assert(tally_add(t, &end));
	ck_assert(!tally_add(t, &unknown));
	tally_free(t);
}
END_TEST

START_TEST(more_names_of_an_hour_than_are_told_apart_are_the_most_it_can_tell)
{
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event end = session_end(&ev, SECOND, 100);
	struct tally_hour hour;

	end.ending.names_in_hour = LOGIN_NAMES_MAX;
	ck_assert(tally_add(t, &end));
	tally_sort(t);
	tally_hour_at(t, 0, &hour);
	ck_assert_uint_eq(hour.failed_names, LOGIN_NAMES_MAX);
	end.ending.names_in_hour = UINT16_MAX;
	ck_assert(tally_add(t, &end));
	tally_sort(t);
	tally_hour_at(t, 0, &hour);
	ck_assert_uint_eq(hour.failed_names, UINT8_MAX);
	tally_free(t);
}
END_TEST

/* An hour that lies so far back that the tally makes a second entry for it. */
START_TEST(an_ending_after_sorting_is_counted_with_the_hour_of_two_entries)
{
	struct tally *t = tally_new(NULL);
	struct tally_hour hour;

	for (int i = 0; i < 67; i++) {
		int64_t hours = i < 65 ? i : 0;
		struct event ev =
		    handshake("10.0.0.1", "mail.example", V10, DAY + hours * USEC_PER_HOUR);
		struct event end = session_end(&ev, SECOND, 100);

		if (i == 66)
			tally_sort(t);
		ck_assert(tally_add(t, &end));
	}
	tally_sort(t);
	ck_assert_uint_eq(client_at(t, 0).hour_count, 65);
	tally_hour_at(t, 0, &hour);
	ck_assert_uint_eq(hour.sessions, 3);
	tally_free(t);
}
END_TEST

START_TEST(endings_are_merged_without_touching_what_is_known)
{
	struct finding into = { .count = 3, .last_us = 5, .ended_count = 1 };
	struct finding from = { .first_us = INT64_MAX,
		.last_us = INT64_MIN,
		.ended_count = 2,
		.dropped_early_count = 1,
		.dropped_early_us = 7,
		.dropped_early_len = 9 };

	tally_finding_merge(&into, &from);
	ck_assert_uint_eq(into.count, 3);
	ck_assert_int_eq(into.last_us, 5);
	ck_assert_uint_eq(into.ended_count, 3);
	ck_assert_uint_eq(into.dropped_early_count, 1);
	ck_assert_int_eq(into.dropped_early_us, 7);
	ck_assert_uint_eq(into.dropped_early_len, 9);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, an_ending_is_counted_with_its_finding_and_is_no_handshake);
	tcase_add_test(tc, an_ending_alone_is_a_finding_of_no_handshake);
	tcase_add_test(tc, a_full_tally_takes_the_endings_of_what_it_has);
	tcase_add_test(tc, more_names_of_an_hour_than_are_told_apart_are_the_most_it_can_tell);
	tcase_add_test(tc, an_ending_after_sorting_is_counted_with_the_hour_of_two_entries);
	tcase_add_test(tc, endings_are_merged_without_touching_what_is_known);
}

SUITE_MAIN("tally_tally_endings")
