#include "report/table.h"

#include <string.h>

#include "base/timestamp.h"
#include "suite.h"
#include "tls/names.h"
#include "utf8_locale.h"

#include "base/banned.h"

/* 2026-07-03 00:00 and 2026-11-19 22:14 UTC */
#define BEGIN INT64_C(1783036800000000)
#define END INT64_C(1795126440000000)

#define ADDR_LONG "2001:db8:1111:2222:3333:4444:5555:6666"
#define NAME_LONG "a-name-that-goes-on-and-on.and-on-and-on-and-on-and-on-and-on.example.com:993"

static char sensor_a[] = "a", sensor_b[] = "b", device[] = "scanner-3";
static char server_short[] = "mail.example.com:993", server_long[] = NAME_LONG;
static char reason_long[] =
    "offers at most TLS 1.0; mail.example.com:993 refused 212 of 212 tries since 2026-07-03 with "
    "alert protocol_version, last 2026-11-19 22:14 UTC; the client has to change";
static char reason_short[] = "negotiates TLS 1.3";

static struct report_row rows[] = {
	{ PROTOCOL_IMAP, TLS_MODE_IMPLICIT, server_short, 0, TLS_VERSION_1_0, OUTCOME_REFUSED,
	    SIDE_SERVER, REFUSAL_ALERT, 70, 212, BEGIN, END, VERDICT_BROKEN, 0, 0 },
	{ PROTOCOL_SMTP, TLS_MODE_STARTTLS, server_long, TLS_VERSION_1_0, TLS_VERSION_1_0,
	    OUTCOME_ESTABLISHED, SIDE_NONE, REFUSAL_NONE, 0, 5, BEGIN, BEGIN, VERDICT_LEGACY, 3,
	    TLS_VERSION_1_2 },
};

static struct report_counter counters[] = {
	{ NULL, 12, 2 },
	{ NULL, 3, 1 },
	{ NULL, 0, 2 },
};
static char counter_gaps[] = "gaps", counter_evicted[] = "flows_evicted",
	    counter_undecodable[] = "undecodable";

/* Two clients; what a test is about, it changes. */
struct fixture {
	struct report report;
	struct report_client clients[2];
	struct report_options options;
	struct report_view view;
};

static void
set_up(struct fixture *f)
{
	counters[0].name = counter_gaps;
	counters[1].name = counter_evicted;
	counters[2].name = counter_undecodable;
	*f = (struct fixture){
		.options = { .policy = { .minimum = TLS_VERSION_1_2 } },
		.view = { .terminal = { .width = 100 } },
		.clients = {
			{ .sensor = sensor_a, .name = device, .name_source = NAME_SOURCE_EHLO,
			    .has_mac = true, .mac = { 0, 1, 2, 0xab, 0xcd, 0xef },
			    .verdict = VERDICT_BROKEN, .reason = reason_long,
			    .worst_version = TLS_VERSION_1_0, .offered_version = TLS_VERSION_1_0,
			    .server = server_short, .server_count = 1, .count = 212,
			    .last_us = END, .rows = rows, .row_count = 2 },
			{ .sensor = sensor_a, .verdict = VERDICT_OK, .reason = reason_short,
			    .worst_version = TLS_VERSION_1_3, .offered_version = TLS_VERSION_1_3,
			    .server = server_long, .server_count = 3, .count = 4012,
			    .last_us = END },
		},
		.report = {
			.client_count = 2,
			.totals = { [VERDICT_BROKEN] = 1, [VERDICT_OK] = 1 },
			.observed = {
				.run_count = 2,
				.source_count = 3,
				.packet_count = 12345678,
				.has_packets = true,
				.begin_us = BEGIN,
				.end_us = END,
				.covered_us = END - BEGIN,
				.counters = counters,
				.counter_count = 3,
				.handshake_count = 4229,
				.cleartext_count = 1,
			},
		},
	};
	ck_assert(addr_from_text("10.1.2.14", &f->clients[0].ip));
	ck_assert(addr_from_text(ADDR_LONG, &f->clients[1].ip));
	f->report.clients = f->clients;
}

static const char *
write_report(struct fixture *f, struct buf *out)
{
	f->report.clients = f->clients;
	buf_clear(out);
	report_write(&f->report, &f->options, &f->view, out);
	return buf_text(out);
}

static size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

START_TEST(every_line_fits_the_terminal)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = (size_t)_i;
	f.view.terminal.utf8 = set_utf8_locale() && _i % 2 == 0;
	f.view.verbose = _i % 3 == 0;
	f.report.several_sensors = _i % 5 == 0;
	write_report(&f, &out);
	for (const char *line = buf_text(&out); *line != '\0';) {
		size_t len = strcspn(line, "\n");
		char copy[512];

		ck_assert_uint_lt(len, sizeof(copy));
		memcpy(copy, line, len);
		copy[len] = '\0';
		ck_assert_msg(
		    terminal_text_width(copy) <= (size_t)_i, "%d columns: \"%s\"", _i, copy);
		ck_assert_msg(len == 0 || copy[len - 1] != ' ', "space at the end of \"%s\"", copy);
		line += len + 1;
	}
	buf_release(&out);
}
END_TEST

START_TEST(address_is_whole_at_any_width)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = (size_t)_i;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out), ADDR_LONG));
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "broken"));
	buf_release(&out);
}
END_TEST

START_TEST(addresses_of_servers_are_whole_where_they_are_shown)
{
	static char servers[][64] = { "[" ADDR_LONG "]:993", "192.168.10.200:993" };
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.verbose = true;
	f.view.quiet = true;
	for (size_t width = 80; width <= 200; width++) {
		const char *text;

		f.view.terminal.width = width;
		f.clients[0].server = rows[0].server = servers[0];
		text = write_report(&f, &out);
		ck_assert_msg(strstr(text, servers[0]) != NULL, "%zu:\n%s", width, text);
		for (text = strstr(text, "[2001:db8:"); text != NULL;
		     text = strstr(text + 1, "[2001:db8:"))
			ck_assert_int_eq(strncmp(text, servers[0], strlen(servers[0])), 0);
	}
	f.view.terminal.width = 40;
	f.clients[0].server = rows[0].server = servers[1];
	write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(buf_text(&out), servers[1]));
	for (const char *line = buf_text(&out); *line != '\0'; line += strcspn(line, "\n") + 1) {
		/* With the client's address alone it is longer than that. */
		if (strncmp(line, "    ", 4) == 0)
			ck_assert_msg(strcspn(line, "\n") <= 40, "%s", line);
	}
	rows[0].server = server_short;
	buf_release(&out);
}
END_TEST

START_TEST(pipe_gets_one_whole_line_per_client)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *line;

	set_up(&f);
	f.view.terminal.width = 0;
	line = strstr(write_report(&f, &out), "broken ");
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(
	    strcspn(line, "\n"), (size_t)(strstr(line, reason_long) - line) + strlen(reason_long));
	ck_assert_ptr_nonnull(strstr(line, NAME_LONG " +2"));
	ck_assert_ptr_nonnull(strstr(line, "2026-11-19 22:14"));
	ck_assert_ptr_nonnull(strstr(line, "\nok "));
	buf_release(&out);
}
END_TEST

START_TEST(reasons_begin_in_one_column_beside_the_table)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *text, *heading, *first, *second;

	set_up(&f);
	f.view.terminal.width = 250;
	text = write_report(&f, &out);
	heading = strstr(text, "VERDICT");
	first = strstr(text, "broken ");
	second = strstr(text, "ok ");
	ck_assert(heading != NULL && first != NULL && second != NULL);
	ck_assert_int_eq(strstr(first, "offers at") - first, strstr(heading, "REASON") - heading);
	ck_assert_int_eq(
	    strstr(second, reason_short) - second, strstr(heading, "REASON") - heading);
	buf_release(&out);
}
END_TEST

START_TEST(narrow_terminal_gives_up_columns_before_client_and_verdict)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.view.terminal.width = 60;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "VERDICT  CLIENT"));
	ck_assert_ptr_null(strstr(text, "SERVER"));
	f.view.terminal.width = 140;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "SERVER"));
	buf_release(&out);
}
END_TEST

START_TEST(a_server_is_cut_in_front_of_its_port)
{
	struct fixture f;
	struct buf out = { 0 };
	unsigned cut = 0;

	set_up(&f);
	f.view.quiet = true;
	for (size_t width = 40; width <= 200; width += 4) {
		const char *text;

		f.view.terminal.width = width;
		text = write_report(&f, &out);
		if (strstr(text, "SERVER") == NULL)
			continue;
		ck_assert_msg(strstr(text, ":993 ") != NULL && strstr(text, ":993 +2") != NULL,
		    "%zu:\n%s", width, text);
		cut += strstr(text, NAME_LONG) == NULL;
	}
	ck_assert_uint_gt(cut, 3);
	buf_release(&out);
}
END_TEST

START_TEST(names_have_a_column_where_a_client_that_is_shown_has_one)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "NAME"));
	ck_assert_ptr_nonnull(strstr(text, device));
	f.view.verdicts = 1u << VERDICT_OK;
	text = write_report(&f, &out);
	ck_assert_ptr_null(strstr(text, "NAME"));
	f.view.verdicts = 0;
	f.clients[0].name = NULL;
	text = write_report(&f, &out);
	ck_assert_ptr_null(strstr(text, "NAME"));
	buf_release(&out);
}
END_TEST

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
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out), "no packet was captured"));
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
	f.report.observed.run_count = 0;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "Nothing was captured in the time asked for"));
	ck_assert_ptr_nonnull(strstr(text, "no clean result"));
	buf_release(&out);
}
END_TEST

START_TEST(hidden_clients_still_count_in_the_totals)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.view.verdicts = 1U << VERDICT_OK;
	text = write_report(&f, &out);
	ck_assert_ptr_null(strstr(text, "10.1.2.14"));
	ck_assert_ptr_nonnull(strstr(text, ADDR_LONG));
	ck_assert_ptr_nonnull(strstr(text, "2 clients: 1 broken, 1 ok; 1 shown\n"));
	f.view.verdicts = 1U << VERDICT_LEGACY;
	text = write_report(&f, &out);
	ck_assert_ptr_null(strstr(text, "VERDICT"));
	ck_assert_ptr_nonnull(strstr(text, "2 clients: 1 broken, 1 ok; 0 shown\n"));
	buf_release(&out);
}
END_TEST

START_TEST(quiet_report_is_the_table_alone)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.view.quiet = true;
	text = write_report(&f, &out);
	ck_assert(strncmp(text, "VERDICT", 7) == 0);
	ck_assert_ptr_null(strstr(text, "offers at most"));
	ck_assert_ptr_null(strstr(text, "Totals"));
	ck_assert_uint_eq(count_lines(text), 3);
	buf_release(&out);
}
END_TEST

START_TEST(verbose_report_has_device_rows_and_counters)
{
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.view.terminal.width = 0;
	f.view.verbose = true;
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(
	    strstr(text, "    calls itself scanner-3 (ehlo), MAC 00:01:02:ab:cd:ef\n"));
	ck_assert_ptr_nonnull(strstr(text, "    IMAP implicit  mail.example.com:993 "));
	ck_assert_ptr_nonnull(strstr(text, "refused by server: protocol_version"));
	ck_assert_ptr_nonnull(strstr(text, "    SMTP starttls  " NAME_LONG));
	ck_assert_ptr_nonnull(strstr(text, "Counters  gaps=12 flows_evicted=3\n"));
	f.view.verbose = false;
	text = write_report(&f, &out);
	ck_assert_ptr_null(strstr(text, "IMAP implicit"));
	ck_assert_ptr_null(strstr(text, "Counters"));
	buf_release(&out);
}
END_TEST

START_TEST(sensor_is_shown_where_there_are_several)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.terminal.width = 0;
	ck_assert_ptr_null(strstr(write_report(&f, &out), "SENSOR"));
	f.clients[1].sensor = sensor_b;
	f.report.several_sensors = true;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out), "SENSOR"));
	buf_release(&out);
}
END_TEST

START_TEST(colour_comes_only_where_it_is_wanted)
{
	struct fixture f;
	struct buf out = { 0 };

	set_up(&f);
	f.view.verbose = true;
	ck_assert_ptr_null(strchr(write_report(&f, &out), '\033'));
	f.view.terminal.colour = true;
	ck_assert_ptr_nonnull(strstr(write_report(&f, &out), "\033["));
	buf_release(&out);
}
END_TEST

/* Texts are the same with and without colour, so that colour is never the only carrier. */
START_TEST(colour_changes_no_text)
{
	struct fixture f;
	struct buf plain = { 0 }, coloured = { 0 }, stripped = { 0 };

	set_up(&f);
	f.view.terminal.width = _i == 0 ? 100 : 250;
	write_report(&f, &plain);
	f.view.terminal.colour = true;
	for (const char *p = write_report(&f, &coloured); *p != '\0'; p++) {
		if (*p == '\033')
			p += strcspn(p, "m");
		else
			buf_add_char(&stripped, *p);
	}
	ck_assert_str_eq(buf_text(&stripped), buf_text(&plain));
	buf_release(&plain);
	buf_release(&coloured);
	buf_release(&stripped);
}
END_TEST

START_TEST(text_beyond_ascii_is_escaped_where_the_locale_has_none)
{
	static char server[] = "b\xc3\xbcro.example:993";
	struct switch_off *list = switch_off_new();
	struct fixture f;
	struct buf out = { 0 };
	const char *text;

	set_up(&f);
	f.view.terminal.width = 0;
	f.clients[0].server = server;
	f.options.policy.services = list;
	f.options.services_path = "/etc/b\xc3\xbcro.conf";
	text = write_report(&f, &out);
	ck_assert_ptr_nonnull(strstr(text, "b\\xc3\\xbcro.example:993"));
	ck_assert_ptr_nonnull(strstr(text, "of /etc/b\\xc3\\xbcro.conf"));
	f.view.terminal.utf8 = set_utf8_locale();
	text = write_report(&f, &out);
	ck_assert(!f.view.terminal.utf8 || strstr(text, server) != NULL);
	switch_off_free(list);
	buf_release(&out);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, every_line_fits_the_terminal, 56, 260);
	tcase_add_loop_test(tc, address_is_whole_at_any_width, 40, 160);
	tcase_add_test(tc, addresses_of_servers_are_whole_where_they_are_shown);
	tcase_add_test(tc, pipe_gets_one_whole_line_per_client);
	tcase_add_test(tc, reasons_begin_in_one_column_beside_the_table);
	tcase_add_test(tc, narrow_terminal_gives_up_columns_before_client_and_verdict);
	tcase_add_test(tc, a_server_is_cut_in_front_of_its_port);
	tcase_add_test(tc, names_have_a_column_where_a_client_that_is_shown_has_one);
	tcase_add_test(tc, header_says_what_was_seen_and_what_was_not);
	tcase_add_test(tc, time_without_a_capture_is_owned_up_to);
	tcase_add_test(tc, the_sensor_that_captured_least_is_named);
	tcase_add_test(tc, packets_without_a_time_are_packets_all_the_same);
	tcase_add_test(tc, share_of_the_unclear_is_stated);
	tcase_add_test(tc, failed_and_cut_captures_are_stated);
	tcase_add_test(tc, empty_database_is_not_sold_as_clean);
	tcase_add_test(tc, packets_without_findings_are_not_sold_as_clean);
	tcase_add_test(tc, hidden_clients_still_count_in_the_totals);
	tcase_add_test(tc, quiet_report_is_the_table_alone);
	tcase_add_test(tc, verbose_report_has_device_rows_and_counters);
	tcase_add_test(tc, sensor_is_shown_where_there_are_several);
	tcase_add_test(tc, colour_comes_only_where_it_is_wanted);
	tcase_add_loop_test(tc, colour_changes_no_text, 0, 2);
	tcase_add_test(tc, text_beyond_ascii_is_escaped_where_the_locale_has_none);
}

SUITE_MAIN("report_table")
