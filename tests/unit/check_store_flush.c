#include <sys/syscall.h>
#include <unistd.h>

#include "store_clients.h"
#include "store_fixture.h"

#include "base/banned.h"

START_TEST(an_empty_flush_changes_nothing)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	flush(s, t, NULL);
	flush(s, NULL, NULL);
	ck_assert_str_eq(sql("SELECT (SELECT count(*) FROM inventory),"
			     " (SELECT count(*) FROM clients), (SELECT count(*) FROM days),"
			     " (SELECT count(*) FROM coverage)"),
	    "0|0|0|0");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_tally_is_empty_after_its_flush)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	for (int i = 0; i < 3; i++) {
		add(t, &ev);
		flush(s, t, NULL);
		ck_assert(tally_is_empty(t));
	}
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "3");
	ck_assert_str_eq(sql("SELECT count FROM clients"), "3");
	ck_assert_str_eq(sql("SELECT count FROM days"), "3");
	tally_free(t);
	store_close(s);
}
END_TEST

static const int flush_sizes[] = { 1, 7, 50, 299, 300 };

START_TEST(many_flushes_give_what_one_flush_gives)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct buf one = { 0 }, many = { 0 };
	uint64_t state = 5;

	add_random(t, &state, 0, 300);
	flush(s, t, NULL);
	dump_store(s, &one);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s/many.db", folder);
	s = open_store(STORE_WRITE);
	state = 5;
	for (int at = 0; at < 300;) {
		int count = 300 - at < flush_sizes[_i] ? 300 - at : flush_sizes[_i];

		add_random(t, &state, at, count);
		flush(s, t, NULL);
		at += count;
		if (at % 3 == 0) { /* also across runs of the program */
			store_close(s);
			s = open_store(STORE_WRITE);
		}
	}
	dump_store(s, &many);
	ck_assert_uint_gt(one.len, 2000);
	ck_assert_str_eq(buf_text(&one), buf_text(&many));
	store_close(s);
	buf_release(&one);
	buf_release(&many);
	tally_free(t);
}
END_TEST

START_TEST(an_earlier_capture_that_is_read_later_does_not_take_over)
{
	struct store *s = open_store(STORE_WRITE);
	struct event late = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event early = late;

	late.has_client_mac = late.has_cipher_suite = true;
	late.client_mac[5] = 2;
	late.cipher_suite = 0xc02f;
	early.timestamp_us -= HOUR;
	early.has_client_mac = early.has_cipher_suite = true;
	early.client_mac[5] = 1;
	early.cipher_suite = 0xc030;
	event_text_set(&early.client_name, BYTES("scanner"));
	early.client_name_source = NAME_SOURCE_EHLO;
	flush_event(s, &late);
	flush_event(s, &early);
	ck_assert_str_eq(sql("SELECT client_mac, client_name, first_seen, last_seen FROM clients"),
	    "00:00:00:00:00:02|scanner|2026-11-18T23:00:00.000000Z|2026-11-19T00:00:00.000000Z");
	ck_assert_str_eq(sql("SELECT cipher_suite, count, first_seen FROM inventory"),
	    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256|2|2026-11-18T23:00:00.000000Z");
	store_close(s);
}
END_TEST

START_TEST(sensors_keep_their_clients_apart)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;
	int64_t a = sensor_of(s, "a"), b = sensor_of(s, "b");

	ck_assert_int_ne(a, b);
	ck_assert_int_eq(sensor_of(s, "a"), a);
	add(t, &ev);
	ck_assert_int_eq(store_flush(s, a, t, NULL, &err), 0);
	add(t, &ev);
	ck_assert_int_eq(store_flush(s, b, t, NULL, &err), 0);
	ck_assert_str_eq(sql("SELECT sensor, client, count FROM clients ORDER BY 1"),
	    "a|10.0.0.1|1\nb|10.0.0.1|1");
	tally_free(t);
	store_close(s);
}
END_TEST

/* By another process, in what would be the next flush of the same client. */
START_TEST(a_client_that_was_removed_is_made_anew)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	static const char counts[] = "SELECT client, count, (SELECT count(*) FROM client_state),"
				     " (SELECT sum(count) FROM inventory) FROM clients";

	for (unsigned i = 0; i < 3; i++) {
		flush_event(s, &ev);
		flush_event(s, &ev);
		ck_assert_str_eq(sql(counts), "10.0.0.1|2|1|2");
		(void)sql("DELETE FROM finding");
		(void)sql("DELETE FROM client");
		ck_assert_str_eq(sql("SELECT count(*) FROM client_state"), "0");
	}
	store_close(s);
}
END_TEST

START_TEST(what_fills_a_new_database_has_its_log_behind_the_first_flush)
{
	struct store *s = open_store(STORE_FILL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	ck_assert_str_eq(sql("PRAGMA journal_mode"), "delete");
	flush_event(s, &ev);
	ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal");
	flush_event(s, &ev);
	store_close(s);
	ck_assert_str_eq(sql("SELECT client, count FROM inventory"), "10.0.0.1|2");
	s = open_store(STORE_FILL);
	ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal");
	store_close(s);
}
END_TEST

/* In place of the C library's: SQLite calls this one. */
static unsigned sync_count;

int
fdatasync(int fd)
{
	sync_count++;
	return (int)syscall(SYS_fdatasync, fd);
}

START_TEST(what_fills_a_new_database_waits_for_the_disk_from_the_first_flush_on)
{
	struct store *s;
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	sync_count = 0;
	s = open_store(STORE_FILL);
	(void)sensor_of(s, "here");
	ck_assert_uint_eq(sync_count, 0);
	flush_event(s, &ev);
	ck_assert_uint_gt(sync_count, 0);
	store_close(s);
	/* What is there may not be lost. */
	sync_count = 0;
	s = open_store(STORE_FILL);
	(void)sensor_of(s, "there");
	store_close(s);
	ck_assert_uint_gt(sync_count, 0);
}
END_TEST

static bool
has_journal(void)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%s-journal", path);
	return access(name, F_OK) == 0;
}

START_TEST(what_fills_a_new_database_leaves_no_journal)
{
	struct store *s = open_store(STORE_FILL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	(void)sensor_of(s, "here");
	if (_i == 1)
		flush_event(s, &ev);
	ck_assert_int_eq(has_journal(), _i == 0);
	store_close(s);
	ck_assert(!has_journal());
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
}
END_TEST

START_TEST(the_log_of_another_one_stays)
{
	struct store *s = open_store(STORE_FILL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	store_close(open_store(STORE_WRITE));
	ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal");
	if (_i == 1)
		flush_event(s, &ev);
	store_close(s);
	ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal");
	ck_assert(!has_journal());
}
END_TEST

START_TEST(what_another_one_wrote_meanwhile_is_waited_for)
{
	struct store *s = open_store(STORE_FILL), *other = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	flush_event(other, &ev);
	(void)sensor_of(s, "here");
	sync_count = 0;
	store_close(s);
	ck_assert_uint_gt(sync_count, 0);
	store_close(other);
}
END_TEST

START_TEST(several_flushes_into_a_new_database_keep_no_reader_waiting)
{
	struct store *s = open_store(STORE_FILL), *reader;
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;

	ck_assert_int_eq(store_begin(s, &err), 0);
	ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal");
	flush_event(s, &ev);
	reader = store_open(path, STORE_READ, &err);
	ck_assert_ptr_nonnull(reader);
	store_close(reader);
	ck_assert_int_eq(store_commit(s, &err), 0);
	store_close(s);
}
END_TEST

/* store_begin and its kin */

START_TEST(several_flushes_are_one_when_committed)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;

	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "0");
	ck_assert_int_eq(store_commit(s, &err), 0);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "2");
	/* And each by itself afterwards. */
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "3");
	store_close(s);
}
END_TEST

START_TEST(what_is_not_committed_is_not_there)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };

	flush_event(s, &ev);
	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	if (_i == 0) {
		store_rollback(s);
		ck_assert_int_eq(store_commit(s, &err), -1);
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		flush_event(s, &ev);
	}
	store_close(s);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), _i == 0 ? "2" : "1");
	ck_assert_str_eq(sql("SELECT count FROM days"), _i == 0 ? "2" : "1");
}
END_TEST

START_TEST(the_log_of_a_small_database_is_small)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	char log[300];
	struct stat st;

	(void)snprintf(log, sizeof(log), "%s-wal", path);
	for (int i = 0; i < 40; i++) {
		ck_assert(count_clients(t, &ev, 500));
		flush(s, t, NULL);
	}
	ck_assert_int_eq(stat(log, &st), 0);
	/* A MiB, and what one flush writes. */
	ck_assert_int_lt(st.st_size, 2 << 20);
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(endings_of_a_later_flush_find_their_row)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event end = session_end(&ev, 2 * SECOND, 180);
	struct store *s = open_store(STORE_WRITE);

	flush_event(s, &ev);
	flush_event(s, &end);
	ck_assert_str_eq(sql("SELECT count, server_ip, ended, dropped_early, last_seen FROM "
			     "inventory"),
	    "1|192.0.2.1|1|1|2026-11-19T00:00:00.000000Z");
	ck_assert_str_eq(sql("SELECT count, dropped_early, last_seen FROM clients"),
	    "1|1|2026-11-19T00:00:00.000000Z");
	ck_assert_str_eq(sql("SELECT count FROM days"), "1");
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count, ended FROM inventory"), "2|1");
	store_close(s);
}
END_TEST

START_TEST(endings_of_what_is_not_there_are_dropped)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event end = session_end(&ev, 2 * SECOND, 180);
	struct event other = handshake("10.0.0.1", "other.example", V10, DAY);
	struct store *s = open_store(STORE_WRITE);

	flush_event(s, &end);
	ck_assert_str_eq(sql("SELECT count(*) FROM client"), "0");
	flush_event(s, &other);
	flush_event(s, &end);
	ck_assert_str_eq(sql("SELECT server, count, ended FROM inventory"), "other.example|1|0");
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, an_empty_flush_changes_nothing);
	tcase_add_test(tc, a_tally_is_empty_after_its_flush);
	tcase_add_test(tc, what_fills_a_new_database_has_its_log_behind_the_first_flush);
	tcase_add_test(tc, what_fills_a_new_database_waits_for_the_disk_from_the_first_flush_on);
	tcase_add_loop_test(tc, what_fills_a_new_database_leaves_no_journal, 0, 2);
	tcase_add_loop_test(tc, the_log_of_another_one_stays, 0, 2);
	tcase_add_test(tc, what_another_one_wrote_meanwhile_is_waited_for);
	tcase_add_test(tc, several_flushes_into_a_new_database_keep_no_reader_waiting);
	tcase_add_loop_test(tc, many_flushes_give_what_one_flush_gives, 0, ROWS(flush_sizes));
	tcase_add_test(tc, an_earlier_capture_that_is_read_later_does_not_take_over);
	tcase_add_test(tc, sensors_keep_their_clients_apart);
	tcase_add_test(tc, a_client_that_was_removed_is_made_anew);
	tcase_add_test(tc, several_flushes_are_one_when_committed);
	tcase_add_loop_test(tc, what_is_not_committed_is_not_there, 0, 2);
	tcase_add_test(tc, the_log_of_a_small_database_is_small);
	tcase_add_test(tc, endings_of_a_later_flush_find_their_row);
	tcase_add_test(tc, endings_of_what_is_not_there_are_dropped);
}

SUITE_MAIN("store_flush")
