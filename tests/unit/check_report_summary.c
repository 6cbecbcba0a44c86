#include "report_page.h"

#include "base/banned.h"

START_TEST(header_says_what_was_seen_and_what_was_not)
{
	static const char *const wanted[] = {
		"2026-07-03 00:00 to 2026-11-19 22:14 UTC (139d 22h)\n",
		"12,345,678 packets in 3 captures (2 runs)",
		"4,229 TLS handshakes and 1 mail session in cleartext of 2 clients",
		"12 gaps in connections, at least 3 connections given up for lack of room",
		"not known: packets dropped by the kernel, packets dropped by the interface",
		"TLSv1.2; a client that is not listed was not seen, which does not make it clean",
	};
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.view.terminal.width = 0;
	text = write_report(&f, &out);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_msg(
		    strstr(text, wanted[i]) != NULL, "no \"%s\" in:\n%s", wanted[i], text);
	/* Known, and zero: nothing to say. */
	ck_assert_ptr_null(strstr(text, "undecodable"));
	ck_assert_ptr_null(strstr(text, "unclear"));
	buf_release(&out);
}
END_TEST

START_TEST(time_without_a_capture_is_owned_up_to)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = 0;
	f.report.observed.covered_us = (END - BEGIN) / 4;
	ck_assert_ptr_nonnull(
	    strstr(write_report(&f, &out), ", of which 34d 23h (25.0 %) lie within a capture\n"));
	buf_clear(&out);
	f.report.observed.gap_count = 2;
	f.report.observed.longest_gap = (struct report_interval){ BEGIN, BEGIN + 7200000000 };
	ck_assert_ptr_nonnull(
	    strstr(write_report(&f, &out), " without a capture in 2 gaps, the longest "));
	buf_release(&out);
}
END_TEST

START_TEST(a_mirror_that_was_turned_off_is_told)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = 0;
	f.report.observed.heard_us = END - INT64_C(86400000000);
	ck_assert_ptr_nonnull(
	    strstr(write_report(&f, &out), " UTC (139d 22h); no packet since 2026-11-18 22:14\n"));
	buf_clear(&out);
	f.report.observed.heard_us++;
	ck_assert_ptr_null(strstr(write_report(&f, &out), "no packet since"));
	buf_release(&out);
}
END_TEST

START_TEST(the_sensor_that_captured_least_is_named)
{
	static char berlin[] = "berlin", vienna[] = "vienna";
	struct report_day days[] = { { 20000, 86400000000 }, { 20001, 86400000000 } };
	struct report_sensor sensors[] = { { vienna, days, 2 }, { berlin, days, 1 } };
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = 0;
	f.report.observed.covered_us = 2 * INT64_C(86400000000);
	f.report.observed.sensors = sensors;
	f.report.observed.sensor_count = 2;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out),
	    " lie within a capture; the least of 2 sensors, berlin, captured 1d\n"));
	buf_clear(&out);
	sensors[1].day_count = 0;
	ck_assert_ptr_nonnull(
	    strstr(write_report(&f, &out), "; the least of 2 sensors, berlin, captured nothing\n"));
	buf_clear(&out);
	f.report.observed.sensors = &sensors[1];
	f.report.observed.sensor_count = 1;
	ck_assert_ptr_null(strstr(write_report(&f, &out), "the least of"));
	buf_clear(&out);
	f.report.observed.sensors = sensors;
	f.report.observed.sensor_count = 2;
	/* Of those that captured as much as all together there is nothing to say. */
	sensors[1].day_count = 2;
	ck_assert_ptr_null(strstr(write_report(&f, &out), "the least of"));
	buf_release(&out);
}
END_TEST

START_TEST(packets_without_a_time_are_packets_all_the_same)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.report.observed.has_packets = false;
	ck_assert_ptr_nonnull(
	    strstr(write_report(&f, &out), "not known, the packets have no time"));
	/* There may be some, but none between these times. */
	f.options.has_since = true;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out), "no capture of that time is known"));
	buf_release(&out);
}
END_TEST

/* Their runs were removed by retention, say. */
START_TEST(clients_of_a_time_without_a_capture_do_not_stand_alone)
{
	struct fixture f;
	struct buf out = { 0 }, sentence = { 0 };
	const char *text;

	set_up(&f);
	f.view.terminal.width = 0;
	f.report.observed = (struct report_observed){ .handshake_count = 3, .beyond = true };
	f.options.has_since = true;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "Period    no capture of that time is known; since "));
	ck_assert_ptr_nonnull(strstr(text, "0 packets in 0 captures (0 runs): 3 TLS handshakes"));
	ck_assert_ptr_nonnull(strstr(
	    text, "; runs and rows are counted as a whole, with what lies outside that time\n"));
	ck_assert_ptr_nonnull(strstr(text, "Not seen  nothing is known of losses\n"));
	report_add_coverage(&f.report, &f.options, &sentence);
	ck_assert_ptr_nonnull(strstr(buf_text(&sentence), "no capture of that time is known"));
	buf_release(&sentence);
	buf_release(&out);
}
END_TEST

START_TEST(share_of_the_unclear_is_stated)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = 0;
	f.report.observed.unclear_count = 423;
	ck_assert_ptr_nonnull(
	    strstr(write_report(&f, &out), "; 423 of these (10.0 %) are unclear\n"));
	buf_clear(&out);
	f.report.observed.unclear_by[REPORT_UNCLEAR_UNANSWERED] = 400;
	f.report.observed.unclear_by[REPORT_UNCLEAR_ONE_WAY] = 23;
	f.report.observed.open_end_count = 7;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out),
	    "are unclear: 23 seen in one direction only, 400 unanswered; of 7 the end was not "
	    "seen\n"));
	buf_release(&out);
}
END_TEST

START_TEST(clients_that_are_not_internal_are_left_out_aloud)
{
	static char name[] = "external_client";
	struct report_counter own = { name, 14791, 1 };
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = 0;
	f.report.observed.counters = &own;
	f.report.observed.counter_count = 1;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out),
	    " of 2 clients; 14,791 more of clients that are not internal were left out\n"));
	buf_clear(&out);
	/* They are none of those. */
	f.report.observed.unclear_count = 423;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out),
	    "of 2 clients; 423 of these (10.0 %) are unclear; 14,791 more of clients"));
	buf_clear(&out);
	own.value = 0;
	ck_assert_ptr_null(strstr(write_report(&f, &out), "left out"));
	buf_release(&out);
}
END_TEST

START_TEST(failed_and_cut_captures_are_stated)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = 0;
	f.report.observed.failed_source_count = 1;
	f.report.observed.snapped_count = 9;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out),
	    "9 packets cut by the snapshot length, 1 capture not readable to its end"));
	buf_release(&out);
}
END_TEST

/* On a terminal that is wide enough for any sentence. */
static void
set_up_with_counters(struct fixture *f, struct report_counter *own, size_t count)
{
	set_up(f);
	f->view.terminal.width = 0;
	f->report.observed.counters = own;
	f->report.observed.counter_count = count;
}

START_TEST(what_came_and_could_not_be_read_is_stated)
{
	static char encrypted[] = "encrypted", unread[] = "unread_in_frames";
	struct report_counter own[] = { { encrypted, 1234, 1 }, { unread, 1, 1 } };
	struct fixture f;
	struct buf out = { 0 };

	set_up_with_counters(&f, own, 2);
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out),
	    "Not seen  1,234 packets encrypted on their way (IPsec, WireGuard and the like), 1 "
	    "packet behind another one in a wireless frame; not known: "));
	buf_release(&out);
}
END_TEST

START_TEST(what_a_live_capture_lost_is_stated)
{
	static char down[] = "interface_down_ms", lost[] = "events_lost";
	struct report_counter own[] = { { down, 43385000, 2 }, { lost, 1234, 2 } };
	struct fixture f;
	struct buf out = { 0 };

	set_up_with_counters(&f, own, 2);
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out),
	    "an interface down, or not there, for 12h 3min, 1,234 handshakes and sessions that did "
	    "not get into the database; not known: "));
	buf_clear(&out);
	/* Of a start there are some milliseconds. */
	own[0].value = 999;
	own[1].value = 0;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out), "no loss was noticed"));
	buf_release(&out);
}
END_TEST

START_TEST(empty_database_is_not_sold_as_clean)
{
	const struct network_set clients = { .count = 1 };
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.report = (struct report){ 0 };
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "Nothing was captured yet"));
	ck_assert_ptr_nonnull(strstr(text, "no clean result"));
	ck_assert_ptr_null(strstr(text, "VERDICT"));
	ck_assert_ptr_null(strstr(text, "Totals"));
	buf_clear(&out);
	/* No sensor was there that such traffic could have passed. */
	f.options.clients = &clients;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out), "Nothing was captured yet"));
	buf_release(&out);
}
END_TEST

START_TEST(packets_without_findings_are_not_sold_as_clean)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.report.client_count = 0;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "12,345,678 packets"));
	ck_assert_ptr_nonnull(strstr(text, "no clean result"));
	ck_assert_ptr_nonnull(strstr(text, "--internal"));
	f.options.has_since = true;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "Nothing that was seen fits"));
	ck_assert_ptr_nonnull(strstr(text, "no clean result"));
	f.report.observed.has_packets = false;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "Nothing was captured in the time asked for"));
	ck_assert_ptr_nonnull(strstr(text, "no clean result"));
	buf_release(&out);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, header_says_what_was_seen_and_what_was_not);
	tcase_add_test(tc, time_without_a_capture_is_owned_up_to);
	tcase_add_test(tc, a_mirror_that_was_turned_off_is_told);
	tcase_add_test(tc, the_sensor_that_captured_least_is_named);
	tcase_add_test(tc, packets_without_a_time_are_packets_all_the_same);
	tcase_add_test(tc, clients_of_a_time_without_a_capture_do_not_stand_alone);
	tcase_add_test(tc, share_of_the_unclear_is_stated);
	tcase_add_test(tc, clients_that_are_not_internal_are_left_out_aloud);
	tcase_add_test(tc, failed_and_cut_captures_are_stated);
	tcase_add_test(tc, what_came_and_could_not_be_read_is_stated);
	tcase_add_test(tc, what_a_live_capture_lost_is_stated);
	tcase_add_test(tc, empty_database_is_not_sold_as_clean);
	tcase_add_test(tc, packets_without_findings_are_not_sold_as_clean);
}

SUITE_MAIN("report_summary")
