/* What stands in a client's own row, and what moves out of it. */
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
	(void)sql("UPDATE client_state SET findings = substr(findings, 1, 38) || 9999999 ||"
		  " substr(findings, 40)");
	ck_assert_str_eq(sql(counts), "9999999|1");
	flush_event(s, &ev);
	ck_assert_str_eq(sql(counts), "10000000|2");
	ck_assert_str_eq(sql("SELECT count(*) FROM finding"), "1");
	flush_event(s, &ev);
	ck_assert_str_eq(sql(counts), "10000001|3");
	store_close(s);
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

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, findings_are_told_alike_wherever_they_stand);
	tcase_add_test(tc, a_number_that_is_too_wide_takes_a_row_of_its_own);
	tcase_add_loop_test(tc, days_and_hours_before_the_latest_move_into_their_tables, 0, 4);
	tcase_add_test(tc, views_can_be_read_by_who_trusts_no_schema);
}

SUITE_MAIN("store_packed")
