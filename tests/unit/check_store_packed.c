/* What stands in a client's own row, and what moves out of it. */
#include "store/store_internal.h"
#include "store_fixture.h"

#include "base/banned.h"

#define OWN_MAX 48

static struct event
finding_number(unsigned number)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY + number);

	ev.server_port = (uint16_t)(1000 + number);
	ev.has_cipher_suite = true;
	ev.cipher_suite = 0xc02f;
	ev.capture_gap = number % 3 == 0;
	return ev;
}

static const char inventory_sql[] =
    "SELECT server_port, count, first_seen, last_seen, with_capture_gap, ended, verdict"
    " FROM inventory ORDER BY 1";

/* In as many flushes, the last ones first or last, twice. */
static void
flush_findings(struct store *s, unsigned count, bool backwards)
{
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < count; i++) {
			struct event ev = finding_number(backwards ? count - 1 - i : i);

			flush_event(s, &ev);
		}
	}
}

START_TEST(findings_are_told_alike_wherever_they_stand)
{
	struct store *s = open_store(STORE_WRITE);
	static char expected[1 << 16];

	flush_findings(s, OWN_MAX + 12, false);
	(void)snprintf(expected, sizeof(expected), "%s", sql(inventory_sql));
	ck_assert_str_eq(sql("SELECT count(*), sum(count) FROM inventory"), "60|120");
	ck_assert_str_eq(sql("SELECT count(*) FROM finding"), "12");
	(void)sql("DELETE FROM finding");
	(void)sql("DELETE FROM client");
	ck_assert_str_eq(
	    sql("SELECT (SELECT count(*) FROM kind), (SELECT count(*) FROM story)"), "0|0");
	/* Others have rows of their own now. */
	flush_findings(s, OWN_MAX + 12, true);
	ck_assert_str_eq(sql(inventory_sql), expected);
	ck_assert_str_eq(
	    sql("SELECT worst_version, best_version, count FROM clients"), "TLSv1.2|TLSv1.2|120");
	store_close(s);
}
END_TEST

START_TEST(a_number_that_is_too_wide_takes_a_row_of_its_own)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = finding_number(3);
	static const char counts[] = "SELECT count, with_capture_gap FROM inventory";

	flush_event(s, &ev);
	(void)sql("UPDATE client_state SET own_findings ="
		  " replace(own_findings, ' 0000001', ' 9999999')");
	ck_assert_str_eq(sql(counts), "9999999|1");
	flush_event(s, &ev);
	ck_assert_str_eq(sql(counts), "10000000|2");
	ck_assert_str_eq(sql("SELECT count(*) FROM finding"), "1");
	flush_event(s, &ev);
	ck_assert_str_eq(sql(counts), "10000001|3");
	store_close(s);
}
END_TEST

static const struct {
	size_t offset; /* of a number with 64 bits */
	uint64_t first_too_wide;
} widths[] = {
	{ offsetof(struct finding, count), 10000000 },
	{ offsetof(struct finding, ended_count), 10000000 },
	{ offsetof(struct finding, gap_count), 10000000 },
	{ offsetof(struct finding, login_count), 10000000 },
	{ offsetof(struct finding, scsv_count), 10000000 },
	{ offsetof(struct finding, fallback_count), 10000000 },
	{ offsetof(struct finding, dropped_early_count), 10000000 },
	{ offsetof(struct finding, dropped_early_us), UINT64_C(100000000000000) },
	{ offsetof(struct finding, dropped_early_len), UINT64_C(100000000000000) },
	{ offsetof(struct finding, last_us), DAY + UINT64_C(100000000000000) },
};

/* One digit more would be read as part of the number behind it. */
START_TEST(each_number_of_a_packed_finding_has_room)
{
	const struct store_finding_place place = { .kind = 1, .story = 1 };
	struct finding f = { .count = 1, .first_us = DAY, .last_us = DAY };
	uint64_t number = widths[_i].first_too_wide - 1;

	memcpy((char *)&f + widths[_i].offset, &number, sizeof(number));
	ck_assert(store_finding_fits(&place, &f));
	number++;
	memcpy((char *)&f + widths[_i].offset, &number, sizeof(number));
	ck_assert(!store_finding_fits(&place, &f));
}
END_TEST

static void
flush_at(struct store *s, int64_t at)
{
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V12, at);
	struct event end = session_end(&ev, HOUR / 3600, 100);

	ck_assert(tally_add(t, &ev));
	ck_assert(tally_add(t, &end));
	flush(s, t, NULL);
	tally_free(t);
}

/* In any order, and the same once more. */
START_TEST(days_and_hours_before_the_latest_move_into_their_tables)
{
	static const int64_t orders[][3] = {
		{ 0, 24, 48 },
		{ 48, 24, 0 },
		{ 24, 0, 48 },
		{ 24, 48, 0 },
	};
	struct store *s = open_store(STORE_WRITE);

	for (size_t i = 0; i < 6; i++)
		flush_at(s, DAY + orders[_i][i % 3] * HOUR);
	ck_assert_str_eq(sql("SELECT day, tls_version, outcome, count FROM days ORDER BY 1"),
	    "2026-11-19|TLSv1.2|established|2\n"
	    "2026-11-20|TLSv1.2|established|2\n"
	    "2026-11-21|TLSv1.2|established|2");
	ck_assert_str_eq(sql("SELECT hour, sessions FROM logins ORDER BY 1"),
	    "2026-11-19T00:00:00Z|2\n2026-11-20T00:00:00Z|2\n2026-11-21T00:00:00Z|2");
	ck_assert_str_eq(sql("SELECT days_seen FROM clients"), "3");
	ck_assert_str_eq(
	    sql("SELECT (SELECT count(*) FROM day), (SELECT count(*) FROM login_hour)"), "2|2");
	store_close(s);
}
END_TEST

/* As sqlite3 -safe does: views may then use only what can do no harm. */
START_TEST(views_can_be_read_by_who_trusts_no_schema)
{
	static const char *const views[] = { "inventory", "clients", "days", "logins", "coverage" };
	struct store *s = open_store(STORE_WRITE);
	sqlite3 *db;

	flush_findings(s, OWN_MAX + 1, false);
	store_close(s);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "PRAGMA trusted_schema = OFF", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < ROWS(views); i++) {
		char query[64];

		(void)snprintf(query, sizeof(query), "SELECT * FROM %s", views[i]);
		ck_assert_msg(sqlite3_exec(db, query, NULL, NULL, NULL) == SQLITE_OK, "%s: %s",
		    views[i], sqlite3_errmsg(db));
	}
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

static const struct {
	const char *query;
	const char *skipped; /* what it has not to work out */
} quick[] = {
	{ "SELECT count(*) FROM inventory", "printf" },
	{ "SELECT tls_version, sum(count) FROM inventory GROUP BY 1", "printf" },
	{ "SELECT verdict, count(DISTINCT client) FROM inventory GROUP BY 1", "printf" },
	{ "SELECT server FROM inventory ORDER BY count LIMIT 3", "printf" },
	{ "SELECT server FROM inventory WHERE client IN (SELECT client FROM clients)", "printf" },
	{ "SELECT i.server, c.verdict FROM inventory i JOIN clients c USING (client)", "printf" },
	{ "SELECT count(*) FROM clients", "printf" },
};

/* SQLite has no view as a table that it fills first, nor a column that nobody asked for. */
START_TEST(a_query_works_out_only_what_it_asks_for)
{
	char explain[256];

	store_close(open_store(STORE_WRITE));
	(void)snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", quick[_i].query);
	ck_assert_str_ne(sql(explain), "");
	ck_assert_ptr_null(strstr(sql(explain), "UNION"));
	ck_assert_ptr_null(strstr(sql(explain), "SCAN inventory"));
	ck_assert_ptr_null(strstr(sql(explain), "SCAN i\n"));
	ck_assert_ptr_null(strstr(sql(explain), "SCAN clients"));
	(void)snprintf(explain, sizeof(explain), "EXPLAIN %s", quick[_i].query);
	ck_assert_str_ne(sql(explain), "");
	ck_assert_ptr_null(strstr(sql(explain), quick[_i].skipped));
}
END_TEST

/* The client's row has room for them, or its rows have: of one handshake, of several, of more. */
START_TEST(what_most_findings_have_none_of_is_told_of_those_that_have)
{
	static const char columns[] =
	    "SELECT server_port, count, first_seen, last_seen, with_capture_gap, cleartext_logins,"
	    " ended, verdict, legacy_endpoint FROM inventory ORDER BY 1";
	static const char expected[] =
	    "1000|1|2026-11-19T00:00:00.000000Z|2026-11-19T00:00:00.000000Z|1|0|0|ok|0\n"
	    "1001|1|2026-11-19T00:00:00.000001Z|2026-11-19T00:00:00.000001Z|0|0|0|ok|0\n"
	    "1002|3|2026-11-19T00:00:00.000002Z|2026-11-19T00:00:00.000004Z|0|2|1|ok|0\n"
	    "1004|1|2026-11-19T00:00:00.000004Z|2026-11-19T00:00:00.000004Z|0|0|1|ok|0";
	struct store *s = open_store(STORE_WRITE);
	struct event events[6], end;

	for (unsigned i = 0; i < 4; i++)
		events[i] = finding_number(i < 3 ? i : 4);
	for (unsigned i = 4; i < 6; i++) {
		events[i] = events[2];
		events[i].timestamp_us += i - 3;
		events[i].login = true;
	}
	for (unsigned i = 0; i < 6; i++)
		flush_event(s, &events[i]);
	for (unsigned i = 2; i < 4; i++) {
		end = session_end(&events[i], 1, 100);
		flush_event(s, &end);
	}
	ck_assert_str_eq(sql(columns), expected);
	ck_assert_str_eq(sql("SELECT count(*) FROM finding"), "0");
	store_close(s);
}
END_TEST

/* Each client's row is written whole; what the others in it say stays as it was, byte for byte. */
START_TEST(a_flush_changes_only_the_findings_that_it_brings)
{
	static const char others[] = "SELECT key, value FROM client_state, json_each(own_findings)"
				     " WHERE substr(key, 8, 1) <> '2'";
	static char expected[1 << 12];
	struct store *s = open_store(STORE_WRITE);
	struct event ev = finding_number(1);

	flush_findings(s, 3, false);
	(void)snprintf(expected, sizeof(expected), "%s", sql(others));
	flush_event(s, &ev);
	ck_assert_str_eq(sql(others), expected);
	ck_assert_str_eq(
	    sql("SELECT server_port, count FROM inventory ORDER BY 1"), "1000|2\n1001|3\n1002|2");
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, findings_are_told_alike_wherever_they_stand);
	tcase_add_test(tc, a_number_that_is_too_wide_takes_a_row_of_its_own);
	tcase_add_loop_test(tc, each_number_of_a_packed_finding_has_room, 0, ROWS(widths));
	tcase_add_loop_test(tc, days_and_hours_before_the_latest_move_into_their_tables, 0, 4);
	tcase_add_test(tc, views_can_be_read_by_who_trusts_no_schema);
	tcase_add_loop_test(tc, a_query_works_out_only_what_it_asks_for, 0, ROWS(quick));
	tcase_add_test(tc, what_most_findings_have_none_of_is_told_of_those_that_have);
	tcase_add_test(tc, a_flush_changes_only_the_findings_that_it_brings);
}

SUITE_MAIN("store_packed")
