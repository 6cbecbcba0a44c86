#include "report_world.h"

#include "base/banned.h"

START_TEST(clients_come_worst_first_then_by_address)
{
	static const struct {
		const char *client;
		enum verdict verdict;
	} wanted[] = {
		{ "10.0.0.5", VERDICT_BROKEN },
		{ "10.0.0.2", VERDICT_LEGACY },
		{ "10.0.0.3", VERDICT_CLEARTEXT },
		{ "10.0.0.4", VERDICT_UNCLEAR },
		{ "10.0.0.1", VERDICT_OK },
		{ "10.0.0.9", VERDICT_OK },
	};
	struct report r;
	char text[ADDR_TEXT_LEN];

	fill_some();
	load(&r, &plain);
	ck_assert_uint_eq(r.client_count, 6);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_str_eq(addr_to_text(&r.clients[i].ip, text), wanted[i].client);
		ck_assert_int_eq(r.clients[i].verdict, wanted[i].verdict);
	}
	ck_assert_uint_eq(r.totals[VERDICT_OK], 2);
	ck_assert_uint_eq(r.totals[VERDICT_BROKEN], 1);
	ck_assert(!r.several_sensors);
	report_release(&r);
}
END_TEST

START_TEST(line_of_a_client_sums_what_its_verdict_rests_on)
{
	const struct report_client *c;
	struct report r;

	fill_some();
	load(&r, &plain);
	c = find_client(&r, "10.0.0.5");
	ck_assert_uint_eq(c->count, 2);
	ck_assert_uint_eq(c->server_count, 2);
	ck_assert_str_eq(c->server, "b.example:993");
	ck_assert_uint_eq(c->worst_version, 0);
	ck_assert_uint_eq(c->offered_version, V10);
	ck_assert_int_eq(c->last_us, DAY + HOUR);
	ck_assert_ptr_nonnull(strstr(c->reason, "offers at most TLS 1.0; b.example:993 refused"));
	ck_assert_ptr_null(c->rows);
	report_release(&r);
}
END_TEST

START_TEST(interface_without_times_of_its_own_has_those_of_the_run)
{
	const struct store_source source = { .name = "eth1", .packet_count = 40 };
	struct store_run run = {
		.command = "capture",
		.started_us = DAY,
		.begin_us = DAY,
		.end_us = DAY + 4 * HOUR,
		.packet_count = 40,
		.sources = &source,
		.source_count = 1,
	};
	struct report r;

	fill_store("one", some, SOME_COUNT, &run);
	load(&r, &plain);
	ck_assert(r.observed.has_packets);
	ck_assert_int_eq(r.observed.begin_us, DAY);
	ck_assert_int_eq(r.observed.end_us, DAY + 4 * HOUR);
	ck_assert_int_eq(r.observed.covered_us, 4 * HOUR);
	report_release(&r);
}
END_TEST

START_TEST(rows_are_kept_where_asked_for_and_printable)
{
	struct report_options options = plain;
	const struct report_client *c;
	struct report r;
	bool escaped = false;

	options.keep_rows = true;
	fill_some();
	load(&r, &options);
	c = find_client(&r, "10.0.0.5");
	ck_assert_uint_eq(c->row_count, 2);
	for (size_t i = 0; i < c->row_count; i++) {
		ck_assert_uint_eq(c->rows[i].count, 1);
		ck_assert_int_eq(c->rows[i].verdict, VERDICT_BROKEN);
		escaped = escaped || strcmp(c->rows[i].server, "a\\x1b[2j:993") == 0;
	}
	ck_assert(escaped);
	report_release(&r);
}
END_TEST

START_TEST(other_minimum_is_judged_from_the_same_findings)
{
	struct report_options options = { .policy = { .minimum = V13 } };
	struct report r;

	fill_some();
	load(&r, &options);
	ck_assert_int_eq(find_client(&r, "10.0.0.1")->verdict, VERDICT_LEGACY);
	ck_assert_int_eq(find_client(&r, "10.0.0.9")->verdict, VERDICT_OK);
	report_release(&r);
	options.policy.minimum = V10;
	load(&r, &options);
	ck_assert_int_eq(find_client(&r, "10.0.0.2")->verdict, VERDICT_OK);
	ck_assert_int_eq(find_client(&r, "10.0.0.5")->verdict, VERDICT_UNCLEAR);
	report_release(&r);
}
END_TEST

START_TEST(rows_come_worst_first_whatever_they_were_when_they_were_stored)
{
	static const struct seen seen[] = {
		{ "10.0.0.1", OUTCOME_ESTABLISHED, V13, V13, DAY, "a.example" },
		{ "10.0.0.1", OUTCOME_ESTABLISHED, V10, V10, DAY, "b.example" },
		{ "10.0.0.1", OUTCOME_CLEARTEXT, 0, 0, DAY, "c.example" },
		{ "10.0.0.1", OUTCOME_ESTABLISHED, V12, V12, DAY, "d.example" },
	};
	static const char *const servers[] = { "b.example", "c.example", "a.example", "d.example" };
	struct report_options options = plain;
	struct report r;

	/* Without a judge: no row has a verdict there. */
	fill_store("one", seen, 4, NULL);
	options.keep_rows = options.keep_details = true;
	load(&r, &options);
	ck_assert_uint_eq(r.clients[0].row_count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(r.clients[0].details[i].server, servers[i]);
	ck_assert_int_eq(r.clients[0].rows[1].verdict, VERDICT_CLEARTEXT);
	report_release(&r);
}
END_TEST

START_TEST(window_judges_by_what_lies_in_it)
{
	struct report_options options = plain;
	struct report r;

	fill_some();
	/* Before the success, the refusals stand alone. */
	options.has_until = true;
	options.until_us = DAY + 3 * HOUR;
	load(&r, &options);
	ck_assert_int_eq(find_client(&r, "10.0.0.1")->verdict, VERDICT_BROKEN);
	ck_assert_int_eq(r.observed.end_us, DAY + 3 * HOUR);
	report_release(&r);
	options = plain;
	options.has_since = true;
	options.since_us = DAY + 3 * HOUR;
	load(&r, &options);
	ck_assert_uint_eq(r.client_count, 1);
	ck_assert_int_eq(find_client(&r, "10.0.0.1")->verdict, VERDICT_OK);
	ck_assert_uint_eq(r.observed.handshake_count, 1);
	report_release(&r);
}
END_TEST

START_TEST(network_limits_the_clients)
{
	struct report_options options = plain;
	struct network_set set = { 0 };
	struct error err;
	struct report r;

	fill_some();
	ck_assert_int_eq(network_set_add_text(&set, "10.0.0.2,10.0.0.8/29", &err), 0);
	options.clients = &set;
	load(&r, &options);
	ck_assert_uint_eq(r.client_count, 2);
	(void)find_client(&r, "10.0.0.2");
	(void)find_client(&r, "10.0.0.9");
	report_release(&r);
	network_set_release(&set);
}
END_TEST

START_TEST(same_address_at_two_sensors_is_two_clients)
{
	const struct seen one = { "10.0.0.1", OUTCOME_REFUSED, V10, 0, DAY, "mail.example" };
	const struct seen two = { "10.0.0.1", OUTCOME_ESTABLISHED, V13, V13, DAY + HOUR,
		"mail.example" };
	struct report r;

	fill_store("west", &one, 1, NULL);
	fill_store("east", &two, 1, NULL);
	load(&r, &plain);
	ck_assert_uint_eq(r.client_count, 2);
	ck_assert(r.several_sensors);
	ck_assert_str_eq(r.clients[0].sensor, "west");
	ck_assert_int_eq(r.clients[0].verdict, VERDICT_BROKEN);
	ck_assert_str_eq(r.clients[1].sensor, "east");
	ck_assert_int_eq(r.clients[1].verdict, VERDICT_OK);
	report_release(&r);
}
END_TEST

/* A sensor that listens for so many days, and a device that comes on some of them. */
static void
fill_days(const int *days, size_t count, const char *const *servers, int sensor_days)
{
	struct store_run run = {
		.command = "capture",
		.started_us = DAY,
		.begin_us = DAY,
		.end_us = DAY + sensor_days * 24 * HOUR - 1,
	};
	struct seen seen[16];

	ck_assert_uint_le(count, 16);
	for (size_t i = 0; i < count; i++)
		seen[i] = (struct seen){ "10.0.0.2", OUTCOME_ESTABLISHED, V10, V10,
			DAY + days[i] * 24 * HOUR, servers[i % 2] };
	fill_store("one", seen, count, &run);
}

static const char *const one_server[] = { "mail.example", "mail.example" };

START_TEST(a_device_that_comes_once_a_week_is_so_in_a_report_of_one_week)
{
	static const int days[] = { 0, 7, 14, 21, 28 };
	struct report_options options = plain;
	struct report r;

	fill_days(days, 5, one_server, 34);
	load(&r, &options);
	ck_assert(!find_client(&r, "10.0.0.2")->is_quiet);
	report_release(&r);
	options.has_since = true;
	options.since_us = DAY + 27 * 24 * HOUR;
	load(&r, &options);
	ck_assert_msg(!find_client(&r, "10.0.0.2")->is_quiet, "%s", r.clients[0].reason);
	ck_assert_int_eq(r.observed.begin_us, options.since_us);
	ck_assert_uint_eq(r.observed.day_count, 7);
	ck_assert_uint_eq(r.observed.sensors[0].day_count, 7);
	report_release(&r);
}
END_TEST

START_TEST(who_comes_in_the_evening_is_not_late_at_noon)
{
	struct store_run run = {
		.command = "capture",
		.started_us = DAY,
		.begin_us = DAY,
		.end_us = DAY + 3 * 24 * HOUR + _i * HOUR,
	};
	struct seen seen[3];
	struct report r;

	for (int i = 0; i < 3; i++)
		seen[i] = (struct seen){ "10.0.0.2", OUTCOME_ESTABLISHED, V10, V10,
			DAY + (24 * i + 18) * HOUR, "mail.example" };
	fill_store("one", seen, 3, &run);
	load(&r, &plain);
	ck_assert_msg(
	    find_client(&r, "10.0.0.2")->is_quiet == (_i >= 18), "%s", r.clients[0].reason);
	report_release(&r);
}
END_TEST

START_TEST(what_comes_after_the_time_asked_for_tells_nothing_of_it)
{
	static const int days[] = { 0, 9, 0, 9, 0, 9 };
	static const char *const servers[] = { "mail.example", "other.example" };
	struct report_options options = plain;
	struct report r;

	/* Three times on the first day; more with another server, after the time asked for. */
	fill_days(days, 6, servers, 12);
	options.has_until = true;
	options.until_us = DAY + 5 * 24 * HOUR;
	load(&r, &options);
	ck_assert_uint_eq(find_client(&r, "10.0.0.2")->total_count, 3);
	ck_assert_msg(!find_client(&r, "10.0.0.2")->is_quiet, "%s", r.clients[0].reason);
	report_release(&r);
}
END_TEST

/* As many clients as a report of those days, counted from DAY, has. */
static size_t
clients_between(int first_day, int end_day, struct report *r)
{
	struct report_options options = plain;

	options.has_since = options.has_until = true;
	options.since_us = DAY + first_day * 24 * HOUR;
	options.until_us = DAY + end_day * 24 * HOUR;
	load(r, &options);
	return r->client_count;
}

START_TEST(who_came_before_and_after_the_time_asked_for_was_not_seen_in_it)
{
	static const int days[] = { 0, 7, 20 };
	struct report r;

	fill_days(days, 3, one_server, 21);
	ck_assert_uint_eq(clients_between(3, 6, &r), 0);
	ck_assert_uint_eq(r.observed.handshake_count, 0);
	report_release(&r);
	ck_assert_uint_eq(clients_between(5, 8, &r), 1);
	ck_assert_uint_eq(r.observed.handshake_count, 3);
	ck_assert(r.observed.beyond);
	report_release(&r);
	ck_assert_uint_eq(clients_between(0, 21, &r), 1);
	ck_assert(!r.observed.beyond);
	report_release(&r);
	/* From the end of one of its days to the begin of another one. */
	ck_assert_uint_eq(clients_between(8, 20, &r), 0);
	report_release(&r);
}
END_TEST

START_TEST(what_the_client_did_otherwise_in_that_time_is_not_meant)
{
	static const struct seen seen[] = {
		{ "10.0.0.2", OUTCOME_ESTABLISHED, V10, V10, DAY, "mail.example" },
		{ "10.0.0.2", OUTCOME_REFUSED, V10, 0, DAY, "mail.example" },
		{ "10.0.0.2", OUTCOME_NEGOTIATED, V12, V12, DAY, "mail.example" },
		{ "10.0.0.2", OUTCOME_ESTABLISHED, V12, V12, DAY + 5 * 24 * HOUR, "mail.example" },
		{ "10.0.0.2", OUTCOME_ESTABLISHED, V10, V10, DAY + 20 * 24 * HOUR, "mail.example" },
		{ "10.0.0.2", OUTCOME_REFUSED, V10, 0, DAY + 20 * 24 * HOUR, "mail.example" },
		{ "10.0.0.2", OUTCOME_NEGOTIATED, V12, V12, DAY + 20 * 24 * HOUR, "mail.example" },
	};
	struct report r;

	fill_store("one", seen, ROWS(seen), NULL);
	ck_assert_uint_eq(clients_between(4, 7, &r), 1);
	ck_assert_int_eq(r.clients[0].verdict, VERDICT_OK);
	ck_assert_uint_eq(r.observed.handshake_count, 1);
	report_release(&r);
}
END_TEST

/* The days do not tell which one it was. */
START_TEST(a_version_that_nobody_knows_may_have_been_that_of_the_day)
{
	struct seen seen[3];
	struct report r;

	for (int i = 0; i < 3; i++)
		seen[i] = (struct seen){ "10.0.0.2", OUTCOME_ESTABLISHED, V12, 0x1234,
			DAY + i * 24 * HOUR, "mail.example" };
	fill_store("one", seen, 3, NULL);
	ck_assert_uint_eq(clients_between(1, 2, &r), 1);
	report_release(&r);
}
END_TEST

/* Without packets there is nothing of it that could be counted. */
START_TEST(a_run_with_packets_beyond_the_time_asked_for_is_told)
{
	const struct seen seen = { "10.0.0.2", OUTCOME_ESTABLISHED, V12, V12, DAY + 30 * HOUR,
		"mail.example" };
	struct store_run run = {
		.command = "capture",
		.started_us = DAY,
		.begin_us = DAY,
		.end_us = DAY + 72 * HOUR,
		.packet_count = _i == 0 ? 0 : 40,
	};
	struct report r;

	fill_store("one", &seen, 1, &run);
	ck_assert_uint_eq(clients_between(1, 2, &r), 1);
	ck_assert_int_eq(r.observed.beyond, _i == 1);
	report_release(&r);
}
END_TEST

START_TEST(of_days_that_were_removed_nothing_is_known)
{
	static const int days[] = { 0, 20 };
	struct error err = { "" };
	struct report r;
	struct store *s;
	size_t count;
	bool more;

	fill_days(days, 2, one_server, 21);
	s = store_open(path, STORE_WRITE, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_int_eq(store_prune(s, DAY + 10 * 24 * HOUR, 100, &count, &more, &err), 0);
	store_close(s);
	ck_assert_uint_eq(clients_between(3, 6, &r), 1);
	report_release(&r);
}
END_TEST

START_TEST(a_sensor_that_captured_nothing_is_one_all_the_same)
{
	static const int days[] = { 0, 5 };
	struct store_run run = {
		.command = "capture", .started_us = DAY, .begin_us = DAY, .end_us = DAY + HOUR
	};
	struct report_options options = plain;
	struct report r;

	fill_days(days, 2, one_server, 6);
	fill_store("two", NULL, 0, &run);
	options.has_since = true;
	options.since_us = DAY + 4 * 24 * HOUR;
	load(&r, &options);
	ck_assert_uint_eq(r.observed.run_count, 1);
	ck_assert_uint_eq(r.observed.sensor_count, 2);
	ck_assert_str_eq(r.observed.sensors[1].name, "two");
	ck_assert_uint_eq(r.observed.sensors[1].day_count, 0);
	report_release(&r);
}
END_TEST

START_TEST(database_without_anything_gives_an_empty_report)
{
	struct report r;

	fill_store("one", NULL, 0, NULL);
	load(&r, &plain);
	ck_assert_uint_eq(r.client_count, 0);
	ck_assert_uint_eq(r.observed.run_count, 0);
	ck_assert(!r.observed.has_packets);
	report_release(&r);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, clients_come_worst_first_then_by_address);
	tcase_add_test(tc, line_of_a_client_sums_what_its_verdict_rests_on);
	tcase_add_test(tc, interface_without_times_of_its_own_has_those_of_the_run);
	tcase_add_test(tc, rows_are_kept_where_asked_for_and_printable);
	tcase_add_test(tc, other_minimum_is_judged_from_the_same_findings);
	tcase_add_test(tc, rows_come_worst_first_whatever_they_were_when_they_were_stored);
	tcase_add_test(tc, window_judges_by_what_lies_in_it);
	tcase_add_test(tc, network_limits_the_clients);
	tcase_add_test(tc, same_address_at_two_sensors_is_two_clients);
	tcase_add_test(tc, a_device_that_comes_once_a_week_is_so_in_a_report_of_one_week);
	tcase_add_loop_test(tc, who_comes_in_the_evening_is_not_late_at_noon, 11, 20);
	tcase_add_test(tc, what_comes_after_the_time_asked_for_tells_nothing_of_it);
	tcase_add_test(tc, who_came_before_and_after_the_time_asked_for_was_not_seen_in_it);
	tcase_add_test(tc, what_the_client_did_otherwise_in_that_time_is_not_meant);
	tcase_add_test(tc, a_version_that_nobody_knows_may_have_been_that_of_the_day);
	tcase_add_loop_test(tc, a_run_with_packets_beyond_the_time_asked_for_is_told, 0, 2);
	tcase_add_test(tc, of_days_that_were_removed_nothing_is_known);
	tcase_add_test(tc, a_sensor_that_captured_nothing_is_one_all_the_same);
	tcase_add_test(tc, database_without_anything_gives_an_empty_report);
}

SUITE_MAIN("report_load")
