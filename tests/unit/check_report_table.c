#include "report_page.h"
#include "utf8_locale.h"

#include "base/banned.h"

static char sensor_b[] = "b";

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
	tcase_add_test(tc, hidden_clients_still_count_in_the_totals);
	tcase_add_test(tc, quiet_report_is_the_table_alone);
	tcase_add_test(tc, verbose_report_has_device_rows_and_counters);
	tcase_add_test(tc, sensor_is_shown_where_there_are_several);
	tcase_add_test(tc, colour_comes_only_where_it_is_wanted);
	tcase_add_loop_test(tc, colour_changes_no_text, 0, 2);
	tcase_add_test(tc, text_beyond_ascii_is_escaped_where_the_locale_has_none);
}

SUITE_MAIN("report_table")
