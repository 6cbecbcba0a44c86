/* Hours from events to the report: tally, store, and what stands out. */
#include "report/logins.h"

#include "store_fixture.h"
#include "tally/login_names.h"
#include <string.h>

#include "base/banned.h"

static struct store *store;

static void
setup(void)
{
	make_folder();
	store = open_store(STORE_WRITE);
}

static void
teardown(void)
{
	store_close(store);
	remove_folder();
}

/* `count` sessions inside TLS in that hour, all short; and the client's handshakes. */
static void
add_sessions(const char *client, int hour, unsigned count)
{
	struct event ev = handshake(client, "mail.example", V12, DAY + hour * HOUR);
	struct tally *t = tally_new(NULL);

	for (unsigned i = 0; i < count; i++) {
		struct event end = session_end(&ev, SECOND, 300);

		ck_assert(tally_add(t, &ev));
		ck_assert(tally_add(t, &end));
	}
	flush(store, t, NULL);
	tally_free(t);
}

/* One session in the clear with that many failed logins, each with a name of its own. */
static struct event
failed_logins(const char *client, int hour, uint32_t first_name, unsigned count)
{
	struct event ev = handshake(client, "mail.example", 0, DAY + hour * HOUR);

	ev.kind = EVENT_SESSION_END;
	ev.outcome = OUTCOME_CLEARTEXT;
	ev.ending = (struct event_ending){
		.failed_logins = (uint16_t)count,
		.failed_name_count = (uint8_t)count,
	};
	for (unsigned i = 0; i < count; i++)
		ev.ending.failed_names[i] = first_name + i;
	return ev;
}

static const char *
report(bool all, size_t *count)
{
	static struct buf out;
	struct logins_options options;
	struct error err = { "" };

	logins_options_init(&options);
	options.all = all;
	options.quiet = true;
	buf_clear(&out);
	ck_assert_msg(logins_report(store, &options, &out, count, &err) == 0, "%s", err.text);
	return buf_text(&out);
}

START_TEST(an_empty_database_has_nothing_that_stands_out)
{
	size_t count = 1;

	ck_assert_str_eq(report(true, &count), "");
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_client_that_is_busier_than_its_peers_stands_out)
{
	size_t count;

	add_sessions("10.0.0.1", 1, 12);
	add_sessions("10.0.0.2", 1, 10);
	add_sessions("10.0.0.3", 1, 100);
	ck_assert_str_eq(report(false, &count),
	    "2026-11-19 01:00  10.0.0.3: 100 of 100 sessions ended within seconds with little "
	    "data; others have 10 in their busiest hour\n");
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(what_is_usual_for_a_client_does_not_stand_out)
{
	size_t count;

	add_sessions("10.0.0.1", 1, 2);
	for (int hour = 0; hour < 10; hour++)
		add_sessions("10.0.0.9", hour, 60);
	ck_assert_str_eq(report(false, &count), "");
	add_sessions("10.0.0.9", 11, 400);
	ck_assert_str_eq(report(false, &count),
	    "2026-11-19 11:00  10.0.0.9: 400 of 400 sessions ended within seconds with little "
	    "data; in its other hours it has 60\n");
}
END_TEST

START_TEST(the_header_counts_in_good_english)
{
	struct logins_options options;
	struct error err = { "" };
	struct buf out = { 0 };
	size_t count;

	logins_options_init(&options);
	add_sessions("10.0.0.1", 1, 2);
	ck_assert_int_eq(logins_report(store, &options, &out, &count, &err), 0);
	ck_assert_ptr_nonnull(
	    strstr(buf_text(&out), "0 of 1 hour of 1 client stand out\n\nWhat this shows"));
	add_sessions("10.0.0.3", 1, 100);
	buf_clear(&out);
	ck_assert_int_eq(logins_report(store, &options, &out, &count, &err), 0);
	ck_assert_ptr_nonnull(
	    strstr(buf_text(&out), "1 of 2 hours of 2 clients stands out\n\n2026-11-19 01:00"));
	buf_release(&out);
}
END_TEST

/* The whole report, of those hours and clients. */
static const char *
report_of(const struct store_filter *filter)
{
	static struct buf out;
	struct logins_options options;
	struct error err = { "" };
	size_t count;

	logins_options_init(&options);
	options.filter = *filter;
	options.all = true;
	buf_clear(&out);
	ck_assert_msg(logins_report(store, &options, &out, &count, &err) == 0, "%s", err.text);
	return buf_text(&out);
}

START_TEST(what_is_usual_does_not_depend_on_the_time_asked_for)
{
	struct store_filter filter = { .has_since = true, .since_us = DAY + 9 * HOUR };

	add_sessions("10.0.0.1", 1, 2);
	for (int hour = 0; hour < 10; hour++)
		add_sessions("10.0.0.9", hour, 60);
	ck_assert_ptr_nonnull(strstr(report_of(&filter),
	    "0 of 1 hour of 1 client stand out\n\n2026-11-19 09:00  10.0.0.9: 60 of 60 sessions "
	    "ended within seconds with little data; in its other hours it has 60\n"));
}
END_TEST

START_TEST(of_clients_asked_for_only_theirs_are_counted)
{
	struct network_set clients = { 0 };
	struct store_filter filter = { .clients = &clients };
	struct error err;

	add_sessions("10.0.0.1", 1, 2);
	add_sessions("10.0.0.1", 2, 3);
	add_sessions("10.0.0.9", 1, 100);
	ck_assert_int_eq(network_set_add_text(&clients, "10.0.0.1", &err), 0);
	ck_assert_ptr_nonnull(strstr(report_of(&filter),
	    "0 of 2 hours of 1 client stand out\n\n2026-11-19 02:00  10.0.0.1: 3 of 3 sessions "
	    "ended within seconds with little data; others have 100 in their busiest hour\n\n"));
	network_set_release(&clients);
}
END_TEST

START_TEST(few_sessions_are_passed_over)
{
	size_t count;

	add_sessions("10.0.0.3", 1, 19);
	ck_assert_str_eq(report(false, &count), "");
	ck_assert_str_eq(report(true, &count),
	    "2026-11-19 01:00  10.0.0.3: 19 of 19 sessions ended within seconds with little data; "
	    "nothing to compare with\n");
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(one_session_more_than_the_factor_stands_out)
{
	size_t count;

	add_sessions("10.0.0.1", 1, 4);
	add_sessions("10.0.0.2", 1, 4);
	add_sessions("10.0.0.3", 1, 20);
	ck_assert_str_eq(report(false, &count), "");
	add_sessions("10.0.0.3", 1, 1);
	ck_assert_str_eq(report(false, &count),
	    "2026-11-19 01:00  10.0.0.3: 21 of 21 sessions ended within seconds with little data; "
	    "others have 4 in their busiest hour\n");
}
END_TEST

START_TEST(names_that_fail_stand_out_and_count_once)
{
	struct login_names *names = login_names_new();
	struct event clear = handshake("10.0.0.1", "mail.example", 0, DAY);
	size_t count;

	clear.kind = EVENT_CLEARTEXT_SESSION;
	clear.outcome = OUTCOME_CLEARTEXT;
	flush_event(store, &clear);
	for (unsigned session = 0; session < 4; session++) {
		/* Names 100 to 103, then 101 to 104, and so on. */
		struct event ev = failed_logins("10.0.0.1", 0, 100 + session, 4);

		login_names_apply(names, &ev);
		flush_event(store, &ev);
	}
	ck_assert_str_eq(report(false, &count),
	    "2026-11-19 00:00  10.0.0.1: 0 of 4 sessions ended within seconds with little data; "
	    "nothing to compare with; logins in the clear: 16 failed with at least 7 different "
	    "names, 0 accepted\n");
	ck_assert_str_eq(sql("SELECT client, hour, sessions, short_sessions, failed_logins,"
			     " accepted_logins, failed_names FROM logins"),
	    "10.0.0.1|2026-11-19T00:00:00Z|4|0|16|0|7");
	login_names_free(names);
}
END_TEST

START_TEST(names_of_another_hour_or_client_are_counted_by_themselves)
{
	struct login_names *names = login_names_new();
	struct event a = failed_logins("10.0.0.1", 0, 100, 3);
	struct event b = failed_logins("10.0.0.1", 1, 100, 2);
	struct event c = failed_logins("10.0.0.2", 0, 100, 1);
	struct event none = failed_logins("10.0.0.2", 0, 100, 0);

	login_names_apply(names, &a);
	login_names_apply(names, &b);
	login_names_apply(names, &c);
	login_names_apply(names, &none);
	ck_assert_uint_eq(a.ending.names_in_hour, 3);
	ck_assert_uint_eq(b.ending.names_in_hour, 2);
	ck_assert_uint_eq(c.ending.names_in_hour, 1);
	ck_assert_uint_eq(none.ending.names_in_hour, 0);
	login_names_free(names);
}
END_TEST

START_TEST(names_are_bounded_per_hour_and_in_all)
{
	struct login_names *names = login_names_new();
	struct event ev = failed_logins("10.0.0.1", 0, 0, 0);

	for (uint32_t n = 0; n < 2 * LOGIN_NAMES_MAX; n++) {
		ev = failed_logins("10.0.0.1", 0, 1000 + n, 1);
		login_names_apply(names, &ev);
	}
	ck_assert_uint_eq(ev.ending.names_in_hour, LOGIN_NAMES_MAX);
	for (int hour = 0; hour < 20000; hour++) {
		ev = failed_logins("10.0.0.2", hour, 1, 1);
		login_names_apply(names, &ev);
		ck_assert_uint_eq(ev.ending.names_in_hour, 1);
	}
	login_names_free(names);
}
END_TEST

START_TEST(of_many_hours_the_newest_and_the_worst_stay)
{
	add_sessions("10.0.0.1", 5, 50);
	for (int hour = 6; hour < 106; hour++)
		add_sessions("10.0.0.1", hour, 2);
	ck_assert_str_eq(sql("SELECT count(*), max(short_sessions) FROM logins"), "48|50");
	ck_assert_str_eq(sql("SELECT count(*) FROM logins WHERE hour > '2026-11-22T09:30'"), "24");
}
END_TEST

START_TEST(hours_go_with_retention)
{
	struct error err = { "" };
	size_t count;
	bool more = true;

	add_sessions("10.0.0.1", 1, 1);
	add_sessions("10.0.0.1", 30, 1);
	add_sessions("10.0.0.2", 1, 1);
	while (more)
		ck_assert_msg(store_prune(store, DAY + 24 * HOUR, 100, &count, &more, &err) == 0,
		    "%s", err.text);
	ck_assert_str_eq(sql("SELECT client, hour FROM logins"), "10.0.0.1|2026-11-20T06:00:00Z");
	ck_assert_str_eq(
	    sql("SELECT count(*) + (SELECT count(hour) FROM client_state) FROM login_hour"), "1");
}
END_TEST

START_TEST(hours_are_counted_on_after_a_flush_that_was_in_vain)
{
	struct event ev = handshake("10.0.0.2", "mail.example", V12, DAY);
	struct event other = handshake("10.0.0.1", "mail.example", V12, DAY + HOUR);
	struct event end = session_end(&ev, SECOND, 300), last = session_end(&other, SECOND, 300);
	struct tally *t = tally_new(NULL);

	ck_assert(tally_add(t, &ev) && tally_add(t, &end));
	tally_sort(t);
	ck_assert(tally_add(t, &other) && tally_add(t, &last) && tally_add(t, &end));
	flush(store, t, NULL);
	ck_assert_str_eq(sql("SELECT client, hour, sessions FROM logins ORDER BY client"),
	    "10.0.0.1|2026-11-19T01:00:00Z|1\n10.0.0.2|2026-11-19T00:00:00Z|2");
	tally_free(t);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_empty_database_has_nothing_that_stands_out);
	tcase_add_test(tc, a_client_that_is_busier_than_its_peers_stands_out);
	tcase_add_test(tc, what_is_usual_for_a_client_does_not_stand_out);
	tcase_add_test(tc, the_header_counts_in_good_english);
	tcase_add_test(tc, what_is_usual_does_not_depend_on_the_time_asked_for);
	tcase_add_test(tc, of_clients_asked_for_only_theirs_are_counted);
	tcase_add_test(tc, few_sessions_are_passed_over);
	tcase_add_test(tc, one_session_more_than_the_factor_stands_out);
	tcase_add_test(tc, names_that_fail_stand_out_and_count_once);
	tcase_add_test(tc, names_of_another_hour_or_client_are_counted_by_themselves);
	tcase_add_test(tc, names_are_bounded_per_hour_and_in_all);
	tcase_add_test(tc, of_many_hours_the_newest_and_the_worst_stay);
	tcase_add_test(tc, hours_go_with_retention);
	tcase_add_test(tc, hours_are_counted_on_after_a_flush_that_was_in_vain);
}

SUITE_MAIN("report_logins")
