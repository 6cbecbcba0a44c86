#include "suite.h"

#include "report/diff.h"
#include "tls/names.h"

#include "base/banned.h"

#define HEAD                                                                                       \
	"record,sensor,client,client_name,protocol,server,server_port,tls_version,offered_"        \
	"version,"                                                                                 \
	"outcome,count,first_seen,last_seen,verdict\r\n"
#define ROW(client, server, version, first, last, verdict)                                         \
	"inventory,a," client ",,IMAP," server ",993," version "," version ",established,9,2026-"  \
	"11-" first "T08:00:00Z,2026-11-" last "T08:00:00Z," verdict "\r\n"
#define UNCLEAR_ROW                                                                                \
	"inventory,a,10.0.0.1,,IMAP,a.example,993,,TLSv1.0,unanswered,9,"                          \
	"2026-11-01T08:00:00Z,2026-11-09T08:00:00Z,unclear\r\n"
#define COVERAGE(first, last)                                                                      \
	"coverage,,,,,,,,,,,2026-11-" first "T00:00:00Z,2026-11-" last "T23:00:00Z,\r\n"

static const struct diff_options options = { .policy = { .minimum = TLS_VERSION_1_2 } };

static void
import(struct diff_side *side, const char *text)
{
	struct error err;

	ck_assert_msg(diff_side_import(side, "test", span_from_text(text), &options, &err) == 0,
	    "%s", err.text);
}

static const char old_text[] =
    HEAD COVERAGE("01", "09") ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "09", "legacy");

/* What is known on the 12th, after nine times on nine days until the 9th. */
static const struct {
	const char *name, *text, *changes;
} cases[] = {
	{ "the same", ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "12", "legacy"), "" },
	{ "a success at that server", ROW("10.0.0.1", "a.example", "TLSv1.3", "11", "12", "ok"),
	    "fixed" },
	{ "a success that began before", ROW("10.0.0.1", "a.example", "TLSv1.3", "08", "12", "ok"),
	    "fixed" },
	{ "a success at another server, and overdue",
	    ROW("10.0.0.1", "b.example", "TLSv1.3", "10", "12", "ok"), "fixed" },
	{ "an old success at another server",
	    ROW("10.0.0.1", "b.example", "TLSv1.3", "01", "09", "ok"), "quiet" },
	{ "nothing", "", "quiet" },
	{ "a success while it goes on",
	    ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "12", "legacy")
		ROW("10.0.0.1", "a.example", "TLSv1.3", "11", "12", "ok"),
	    "" },
	{ "worse at another server",
	    ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "12", "legacy")
		ROW("10.0.0.1", "b.example", "TLSv1.0", "11", "12", "broken"),
	    "worse" },
	{ "another client",
	    ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "12", "legacy")
		ROW("10.0.0.2", "a.example", "TLSv1.0", "11", "12", "legacy"),
	    "new" },
	{ "another client, that is well",
	    ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "12", "legacy")
		ROW("10.0.0.2", "a.example", "TLSv1.3", "11", "12", "ok"),
	    "" },
	{ "rows out of order",
	    ROW("10.0.0.2", "a.example", "TLSv1.0", "11", "12", "legacy")
		ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "12", "legacy")
		    ROW("10.0.0.2", "b.example", "TLSv1.3", "11", "12", "ok"),
	    "new" },
};

START_TEST(a_change_is_a_pair_of_states)
{
	struct diff_side old, new;
	struct buf text = { 0 }, changes = { 0 };
	struct diff d;

	import(&old, old_text);
	buf_add_text(&text, HEAD COVERAGE("01", "12"));
	buf_add_text(&text, cases[_i].text);
	import(&new, buf_text(&text));
	diff_compare(&d, &old, &new, old.end_us, new.end_us);
	for (size_t i = 0; i < d.count; i++)
		buf_addf(&changes, "%s%s", i > 0 ? "," : "", diff_change_name(d.items[i].change));
	ck_assert_msg(strcmp(buf_text(&changes), cases[_i].changes) == 0, "%s: %s", cases[_i].name,
	    buf_text(&changes));
	diff_release(&d);
	diff_side_release(&old);
	diff_side_release(&new);
	buf_release(&text);
	buf_release(&changes);
}
END_TEST

/* Nine times on nine days, and then, of which it is said, nine times more or the same ones. */
static const struct {
	const char *text;
	uint64_t count;
} later[] = {
	{ HEAD COVERAGE("10", "12") ROW("10.0.0.1", "a.example", "TLSv1.0", "11", "12", "broken"),
	    18 },
	{ HEAD COVERAGE("01", "12") ROW("10.0.0.1", "a.example", "TLSv1.0", "01", "12", "broken"),
	    9 },
};

START_TEST(what_two_files_know_of_one_row_is_put_together)
{
	struct diff_side old, new;
	struct diff d;

	import(&old,
	    HEAD COVERAGE("01", "09") "inventory,a,10.0.0.1,scanner,IMAP,a.example,993,TLSv1.0,"
				      "TLSv1.0,established,9,"
				      "2026-11-01T08:00:00Z,2026-11-09T08:00:00Z,legacy\r\n");
	import(&new, later[_i].text);
	diff_compare(&d, &old, &new, old.end_us, new.end_us);
	ck_assert_uint_eq(d.count, 1);
	ck_assert_str_eq(d.items[0].client->name, "scanner");
	ck_assert_uint_eq(d.items[0].row->count, later[_i].count);
	ck_assert_int_eq(d.items[0].row->first_us, old.clients[0].rows[0].first_us);
	diff_release(&d);
	diff_side_release(&old);
	diff_side_release(&new);
}
END_TEST

START_TEST(what_was_unclear_is_not_said_to_have_been_ok)
{
	const struct diff_view view = { .coverage = "Seen." };
	struct diff_side old, new;
	struct buf text = { 0 };
	struct diff d;

	import(&old, HEAD COVERAGE("01", "09") UNCLEAR_ROW);
	import(&new, HEAD COVERAGE("01", "12")
			 UNCLEAR_ROW ROW("10.0.0.1", "a.example", "TLSv1.0", "11", "12", "legacy"));
	diff_compare(&d, &old, &new, old.end_us, new.end_us);
	diff_write_text(&d, &view, &text);
	ck_assert_ptr_nonnull(strstr(buf_text(&text), "\nworse  10.0.0.1 legacy, was unclear: "));
	diff_release(&d);
	diff_side_release(&old);
	diff_side_release(&new);
	buf_release(&text);
}
END_TEST

START_TEST(lines_fit_into_a_mail_also_without_utf8)
{
	const struct diff_view view = { .coverage = "Seen." };
	struct diff_side old, new;
	struct buf text = { 0 };
	struct diff d;

	import(&old, HEAD COVERAGE("01", "09"));
	import(&new,
	    HEAD COVERAGE("01", "12") "inventory,a,10.0.0.1,"
				      "\xc3\xa4 \xc3\xb6 \xc3\xbc \xc3\xa4 \xc3\xb6 \xc3\xbc "
				      "\xc3\xa4 \xc3\xb6 \xc3\xbc \xc3\xa4 \xc3\xb6 \xc3\xbc,"
				      "IMAP,a.example,993,TLSv1.0,TLSv1.0,established,9,"
				      "2026-11-11T08:00:00Z,2026-11-12T08:00:00Z,legacy\r\n");
	diff_compare(&d, &old, &new, old.end_us, new.end_us);
	diff_write_text(&d, &view, &text);
	ck_assert_ptr_nonnull(strstr(buf_text(&text), "\nnew    10.0.0.1 (\\xc3\\xa4 \\xc3"));
	for (const char *line = buf_text(&text); *line != '\0'; line += strcspn(line, "\n") + 1)
		ck_assert_msg(strcspn(line, "\n") <= 78, "%s", line);
	diff_release(&d);
	diff_side_release(&old);
	diff_side_release(&new);
	buf_release(&text);
}
END_TEST

START_TEST(a_field_may_be_quoted_and_defused)
{
	struct diff_side side;

	import(&side,
	    HEAD "inventory,\"a,\"\"b\"\"\",10.0.0.1,\"'=1+1\",IMAP,\"x\r\ny\",993,,TLSv1.0,"
		 "refused,1,2026-11-01T00:00:00Z,2026-11-01T00:00:00Z,broken\n");
	ck_assert_uint_eq(side.client_count, 1);
	ck_assert_str_eq(side.clients[0].sensor, "a,\"b\"");
	ck_assert_str_eq(side.clients[0].name, "=1+1");
	ck_assert_str_eq(side.clients[0].rows[0].server, "x\\x0d\\x0ay");
	diff_side_release(&side);
}
END_TEST

/* As the export writes them: an apostrophe in front of what a spreadsheet would calculate. */
static const struct {
	const char *field, *name;
} defused[] = {
	{ "'=1+1", "=1+1" },
	{ "' @x", " @x" },
	{ "'\xef\xbc\x9d"
	  "1+1",
	    "\xef\xbc\x9d"
	    "1+1" },
	{ "'x", "'x" },
	{ "' x", "' x" },
	{ "'", "'" },
};

START_TEST(an_apostrophe_goes_where_the_export_has_put_one)
{
	struct diff_side side;
	struct buf text = { 0 };

	buf_addf(&text,
	    HEAD "inventory,\"%s\",10.0.0.1,,IMAP,s,993,,TLSv1.0,refused,1,"
		 "2026-11-01T00:00:00Z,2026-11-01T00:00:00Z,broken\n",
	    defused[_i].field);
	import(&side, buf_text(&text));
	ck_assert_str_eq(side.clients[0].sensor, defused[_i].name);
	diff_side_release(&side);
	buf_release(&text);
}
END_TEST

static const char *const bad_exports[] = {
	"",
	"a,b\n1,2\n",
	HEAD "inventory,a,10.0.0.1\n",
	HEAD "inventory,a,10.0.0.1,,IMAP,s,70000,,,refused,1,2026-11-01T00:00:00Z,"
	     "2026-11-01T00:00:00Z,ok\n",
	HEAD "inventory,a,10.0.0.1,,IMAP,s,1,,,refused,-1,2026-11-01T00:00:00Z,"
	     "2026-11-01T00:00:00Z,ok\n",
	HEAD "inventory,a,10.0.0.1,,IMAP,s,1,,,refused,1,24h,2026-11-01T00:00:00Z,ok\n",
	HEAD "inventory,\"a,10.0.0.1\n",
	HEAD "inventory,a,10.0.0.1,,IMAP,s,1,,,refused,1,2026-11-01T00:00:00Z,"
	     "2026-11-01T00:00:00Z,ok,more\n",
	"{}",
	"{\"format\":\"tlstally-export\"",
	"{\"format\":\"tlstally-export\",\"schema_version\":99}",
	"{\"format\":\"tlstally-export\",\"clients\":[{\"inventory\":[{}]}]}",
	"{\"format\":\"tlstally-export\"} x",
	"{\"record\":\"inventory\"}",
};

START_TEST(what_is_no_export_is_refused_and_named)
{
	struct diff_side side;
	struct error err = { "" };

	ck_assert_int_eq(
	    diff_side_import(&side, "the file", span_from_text(bad_exports[_i]), &options, &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(err.text, "the file"));
	diff_side_release(&side);
}
END_TEST

START_TEST(every_prefix_of_an_export_is_read_or_refused)
{
	static const char json[] =
	    "{\"format\":\"tlstally-export\",\"filter\":{\"since\":null,\"clients\":[\"10.0.0.0/8"
	    "\"]},\"coverage\":{\"begin\":\"2026-11-01T00:00:00Z\",\"end\":\"2026-11-02T00:00:00Z"
	    "\",\"summary\":\"seen\"},\"clients\":[{\"sensor\":\"a\",\"client\":\"10.0.0.1\","
	    "\"client_mac\":\"02:00:00:00:00:0a\",\"inventory\":[{\"protocol\":\"IMAP\","
	    "\"server\":\"s\",\"outcome\":\"refused\",\"last_seen\":\"2026-11-01T00:00:00Z\","
	    "\"verdict\":\"broken\"}]}]}";
	struct diff_side side;
	struct error err;

	for (size_t len = 0; len < sizeof(json) - 1; len++) {
		ck_assert_int_eq(
		    diff_side_import(&side, "x", span_from(json, len), &options, &err), -1);
		diff_side_release(&side);
	}
	import(&side, json);
	ck_assert(side.is_partial);
	ck_assert_str_eq(side.coverage, "seen");
	ck_assert(side.clients[0].has_mac);
	ck_assert_int_eq(side.clients[0].mac[5], 10);
	diff_side_release(&side);
}
END_TEST

START_TEST(a_day_begins_at_midnight_also_before_1970)
{
	static const int64_t day_us = INT64_C(86400000000);

	ck_assert_int_eq(diff_day_floor(day_us), day_us);
	ck_assert_int_eq(diff_day_ceil(day_us), day_us);
	ck_assert_int_eq(diff_day_floor(2 * day_us - 1), day_us);
	ck_assert_int_eq(diff_day_ceil(day_us + 1), 2 * day_us);
	ck_assert_int_eq(diff_day_floor(-1), -day_us);
	ck_assert_int_eq(diff_day_ceil(-1), 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_change_is_a_pair_of_states, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_loop_test(tc, what_two_files_know_of_one_row_is_put_together, 0, 2);
	tcase_add_test(tc, what_was_unclear_is_not_said_to_have_been_ok);
	tcase_add_test(tc, lines_fit_into_a_mail_also_without_utf8);
	tcase_add_test(tc, a_field_may_be_quoted_and_defused);
	tcase_add_loop_test(tc, an_apostrophe_goes_where_the_export_has_put_one, 0,
	    (int)(sizeof(defused) / sizeof(defused[0])));
	tcase_add_loop_test(tc, what_is_no_export_is_refused_and_named, 0,
	    (int)(sizeof(bad_exports) / sizeof(bad_exports[0])));
	tcase_add_test(tc, every_prefix_of_an_export_is_read_or_refused);
	tcase_add_test(tc, a_day_begins_at_midnight_also_before_1970);
}

SUITE_MAIN("report_diff")
