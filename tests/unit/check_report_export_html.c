#include <stdlib.h>

#include "export_fixture.h"

#include "base/banned.h"

static bool
has(struct fixture *f, const char *text)
{
	return strstr(buf_text(&f->out), text) != NULL;
}

START_TEST(page_has_coverage_totals_clients_and_rows)
{
	static const char *const wanted[] = {
		"<!DOCTYPE html>\n",
		"<dt>Period<dd>2026-07-03 00:00 to 2026-11-19 22:14 UTC",
		"(25.0 %) lie within a capture",
		"<dt>Observed<dd>12,345,678 packets",
		"<dt>Not seen<dd>12 gaps in connections, at least 3 connections",
		"A client that is not listed was not seen, which does not make it clean.",
		"<td class=a>10.1.2.14<br><small>scanner-3 (ehlo)</small>",
		"<br><small>00:01:02:ab:cd:ef</small>",
		"mail.example:993 +1",
		"refused 212 of 212 tries",
		"refused by server: protocol_version",
		"TLS_AES_128_GCM_SHA256",
		"</html>\n",
	};
	struct fixture f;

	set_up(&f);
	export_as(&f, EXPORT_HTML);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_msg(has(&f, wanted[i]), "no %s in:\n%s", wanted[i], buf_text(&f.out));
	ck_assert(
	    strstr(buf_text(&f.out), "What was observed") < strstr(buf_text(&f.out), "10.1.2.14"));
	tear_down(&f);
}
END_TEST

/* Of the cells up to there; one may span several. */
static size_t
columns_of(const char *row, const char *end)
{
	static const char span[] = "colspan=";
	size_t count = 0;

	for (const char *p = strchr(row + 1, '<'); p != NULL && p < end; p = strchr(p + 1, '<')) {
		const char *wide = strstr(p, span), *close = strchr(p, '>');

		if ((strncmp(p, "<td", 3) != 0 && strncmp(p, "<th", 3) != 0) ||
		    (p[3] != ' ' && p[3] != '>'))
			continue;
		count += wide != NULL && wide < close
			     ? (size_t)strtoul(wide + sizeof(span) - 1, NULL, 10)
			     : 1;
	}
	return count;
}

START_TEST(each_row_has_as_many_columns_as_its_table)
{
	static const char head[] = "<thead>";
	size_t columns = 0, table_count = 0;
	const char *next;
	struct fixture f;

	set_up(&f);
	export_as(&f, EXPORT_HTML);
	for (const char *row = strstr(buf_text(&f.out), "<tr"); row != NULL; row = next) {
		next = strstr(row + 1, "<tr");
		if (strncmp(row - sizeof(head) + 1, head, sizeof(head) - 1) != 0) {
			ck_assert_uint_eq(
			    columns_of(row, next != NULL ? next : row + strlen(row)), columns);
			continue;
		}
		ck_assert_ptr_nonnull(next);
		columns = columns_of(row, next);
		table_count++;
	}
	ck_assert_uint_eq(table_count, 3);
	tear_down(&f);
}
END_TEST

START_TEST(page_fetches_and_runs_nothing)
{
	static const char *const unwanted[] = { "http:", "https:", "//", "<script", "<link", "<img",
		"url(", "@import", "src=", " onload" };
	struct fixture f;

	set_up(&f);
	export_as(&f, EXPORT_HTML);
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		ck_assert_msg(!has(&f, unwanted[i]), "%s", unwanted[i]);
	ck_assert(has(&f, "default-src 'none'"));
	tear_down(&f);
}
END_TEST

/* All that is markup on the page with a harmless name is markup on the page with a hostile one. */
static size_t
count_of(const char *text, char c)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == c;
	return count;
}

START_TEST(hostile_name_adds_no_markup)
{
	static const char signs[] = "<>\"'";
	struct fixture f;
	size_t before[4];

	set_up(&f);
	export_as(&f, EXPORT_HTML);
	for (size_t i = 0; i < 4; i++)
		before[i] = count_of(buf_text(&f.out), signs[i]);
	set_name(&f, hostile[_i].name);
	check_harmless(export_as(&f, EXPORT_HTML), false);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(count_of(buf_text(&f.out), signs[i]), before[i]);
	tear_down(&f);
}
END_TEST

static const struct {
	const char *name, *escaped;
} escapes[] = {
	{ "<b>", "<small>&lt;b&gt; (ehlo)" },
	{ "&lt;", "<small>&amp;lt; (ehlo)" },
	{ "\"a'", "<small>&quot;a&#39; (ehlo)" },
	{ "\033[2J", "<small>\\x1b[2J (ehlo)" },
	{ "\xff", "<small>\\xff (ehlo)" },
	{ "b\xc3\xbcro", "<small>b\xc3\xbcro (ehlo)" },
};

START_TEST(name_is_escaped)
{
	struct fixture f;

	set_up(&f);
	set_name(&f, escapes[_i].name);
	export_as(&f, EXPORT_HTML);
	ck_assert_msg(has(&f, escapes[_i].escaped), "no %s", escapes[_i].escaped);
	tear_down(&f);
}
END_TEST

START_TEST(text_of_every_kind_is_escaped)
{
	static char bad[] = "<i>x</i>";
	struct fixture f;

	set_up(&f);
	f.clients[0].sensor = f.clients[0].reason = f.clients[0].server = bad;
	f.rows[0].server = bad;
	f.report.several_sensors = true;
	export_as(&f, EXPORT_HTML);
	ck_assert(!has(&f, "<i>"));
	ck_assert(has(&f, "&lt;i&gt;x&lt;/i&gt;"));
	ck_assert(has(&f, "<th scope=col>Sensor"));
	tear_down(&f);
}
END_TEST

START_TEST(empty_page_is_not_sold_as_clean)
{
	struct fixture f;

	set_up(&f);
	f.report.client_count = 0;
	export_as(&f, EXPORT_HTML);
	ck_assert(has(&f, "12,345,678 packets"));
	ck_assert(has(&f, "no clean result"));
	ck_assert(!has(&f, "<table"));
	/* Nor are clients whose runs are not known any more. */
	f.report.client_count = 2;
	f.report.observed = (struct report_observed){ .handshake_count = 3 };
	export_as(&f, EXPORT_HTML);
	ck_assert(has(&f, "<dt>Not seen<dd>nothing is known of losses"));
	f.report = (struct report){ 0 };
	export_as(&f, EXPORT_HTML);
	ck_assert(has(&f, "Nothing was captured yet"));
	tear_down(&f);
}
END_TEST

START_TEST(hidden_clients_are_owned_up_to)
{
	struct fixture f;

	set_up(&f);
	f.view.verdicts = 1U << VERDICT_OK;
	export_as(&f, EXPORT_HTML);
	ck_assert(has(&f, "1 of 2 clients are listed below"));
	ck_assert(!has(&f, "10.1.2.14"));
	f.view.verdicts = 0;
	export_as(&f, EXPORT_HTML);
	ck_assert(!has(&f, "are listed below"));
	tear_down(&f);
}
END_TEST

START_TEST(what_is_known_of_a_device_stands_in_front_of_its_rows)
{
	static char owner[] = "Facility <1>", note[] = "2nd floor", cadence[] = "every 300 s",
		    vendor[] = "Maker & Sons";
	struct fixture f;

	set_up(&f);
	f.clients[0].owner = owner;
	f.clients[0].note = note;
	f.clients[0].cadence = cadence;
	f.clients[0].vendor = vendor;
	export_as(&f, EXPORT_HTML);
	ck_assert(has(&f,
	    "owner Facility &lt;1&gt;, 2nd floor, MAC 00:01:02:ab:cd:ef (Maker &amp; Sons), comes "
	    "every 300 s</small>\n"));
	tear_down(&f);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, page_has_coverage_totals_clients_and_rows);
	tcase_add_test(tc, each_row_has_as_many_columns_as_its_table);
	tcase_add_test(tc, page_fetches_and_runs_nothing);
	tcase_add_loop_test(tc, hostile_name_adds_no_markup, 0, ROWS(hostile));
	tcase_add_loop_test(tc, name_is_escaped, 0, ROWS(escapes));
	tcase_add_test(tc, what_is_known_of_a_device_stands_in_front_of_its_rows);
	tcase_add_test(tc, text_of_every_kind_is_escaped);
	tcase_add_test(tc, empty_page_is_not_sold_as_clean);
	tcase_add_test(tc, hidden_clients_are_owned_up_to);
}

SUITE_MAIN("report_export_html")
