/* Flushes that fail, are killed, or meet another writer. */
#include "store/store_internal.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "store_clients.h"
#include "store_fixture.h"

#include "base/banned.h"

START_TEST(a_client_of_a_flush_that_was_taken_back_is_not_known)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct error err;

	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	store_rollback(s);
	ck_assert_str_eq(sql("SELECT count(*) FROM client"), "0");
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT client, count FROM clients"), "10.0.0.1|1");
	ck_assert_str_eq(sql("SELECT client, count FROM inventory"), "10.0.0.1|1");
	store_close(s);
}
END_TEST

START_TEST(a_full_disk_leaves_the_tally_and_the_database_as_they_were)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct store_run run = { .command = "capture", .packet_count = 5 };
	struct buf tally_before = { 0 }, tally_after = { 0 }, before = { 0 }, after = { 0 };
	int64_t sensor = sensor_of(s, "here");
	int failures = 0;

	add_clients(t, 50);
	flush(s, t, &run);
	dump_store(s, &before);
	add_clients(t, 3000);
	dump_tally(t, &tally_before);
	for (rlim_t room = 0; room < 500000; room += room < 50000 ? 4100 : 110000) {
		struct store_run new_run = { .command = "capture", .packet_count = 5 };
		struct error err = { "" };

		if (flush_within(s, sensor, t, &new_run, room, &err) == 0)
			break;
		failures++;
		ck_assert_msg(strstr(err.text, "the disk is full") != NULL, "%s", err.text);
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		ck_assert_int_eq(new_run.id, 0);
		dump_tally(t, &tally_after);
		ck_assert_str_eq(buf_text(&tally_before), buf_text(&tally_after));
		dump_store(s, &after);
		ck_assert_str_eq(buf_text(&before), buf_text(&after));
		ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	}
	ck_assert_int_ge(failures, 5);
	if (!tally_is_empty(t))
		flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT count(*), sum(count) FROM inventory"), "3000|3050");
	ck_assert_str_eq(sql("SELECT sum(count) FROM days"), "3050");
	store_close(s);
	tally_free(t);
	buf_release(&tally_before);
	buf_release(&tally_after);
	buf_release(&before);
	buf_release(&after);
}
END_TEST

START_TEST(a_disk_that_is_full_at_the_first_flush_leaves_an_empty_database)
{
	struct store *s = open_store(STORE_FILL);
	struct tally *t = tally_new(NULL);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");

	add_clients(t, 20000); /* more than the page cache holds */
	ck_assert_int_eq(flush_within(s, sensor, t, NULL, 400000, &err), -1);
	ck_assert_msg(strstr(err.text, "the disk is full") != NULL, "%s", err.text);
	ck_assert_uint_eq(tally_event_count(t), 20000);
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "0");
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "20000");
	ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_log_that_took_all_room_behind_a_reader_makes_some_when_that_is_gone)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	const rlim_t room = 500000;
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");
	sqlite3 *reader;

	add_clients(t, 50);
	flush(s, t, NULL);
	ck_assert_int_eq(sqlite3_open(path, &reader), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM client", NULL, NULL, NULL),
	    SQLITE_OK);
	do
		add_clients(t, 50);
	while (flush_within(s, sensor, t, NULL, room, &err) == 0);
	ck_assert_msg(strstr(err.text, "the disk is full") != NULL, "%s", err.text);
	ck_assert_int_eq(flush_within(s, sensor, t, NULL, room, &err), -1);
	ck_assert_int_eq(sqlite3_close(reader), SQLITE_OK);
	/* The first one finds no room either, and sees to it that the next one does. */
	(void)flush_within(s, sensor, t, NULL, room, &err);
	ck_assert_int_eq(flush_within(s, sensor, t, NULL, room, &err), 0);
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_failure_in_between_undoes_all_flushes_of_a_transaction)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.9.9.9", "mail.example", V10, DAY);
	struct event large = handshake("10.0.0.1", "", V10, DAY);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");

	/* More than the page cache holds, so that it reaches the disk before the end. */
	large.server_name.len = large.certificate_subject.len = EVENT_NAME_MAX;
	memset(large.server_name.data, 'x', EVENT_NAME_MAX);
	memset(large.certificate_subject.data, 'x', EVENT_NAME_MAX);
	ck_assert(count_clients(t, &large, 50000));
	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	ck_assert_int_eq(flush_within(s, sensor, t, NULL, 100000, &err), -1);
	ck_assert_uint_eq(tally_event_count(t), 50000);
	/* It is over, also where a later flush would fit. */
	ck_assert_int_eq(store_flush(s, sensor, t, NULL, &err), -1);
	ck_assert_uint_eq(tally_event_count(t), 50000);
	ck_assert_int_eq(store_commit(s, &err), -1);
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "0");
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "50000");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_locked_database_keeps_the_tally_for_the_next_try)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");
	sqlite3 *other;

	store_set_busy_timeout(s, 50);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 3; i++) {
		add(t, &ev);
		ck_assert_int_eq(store_flush(s, sensor, t, NULL, &err), -1);
		ck_assert_msg(
		    strstr(err.text, "another program has locked it") != NULL, "%s", err.text);
		ck_assert_int_eq(store_begin(s, &err), -1);
		ck_assert_msg(
		    strstr(err.text, "another program has locked it") != NULL, "%s", err.text);
	}
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "3");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(without_the_key_of_what_is_there_nothing_is_stored)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");

	ck_assert_str_eq(sql("DROP TABLE origin"), "");
	add(t, &ev);
	ck_assert_int_eq(store_flush(s, sensor, t, NULL, &err), -1);
	ck_assert_msg(strstr(err.text, "no such table: origin") != NULL, "%s", err.text);
	ck_assert_str_eq(sql("SELECT count(*) FROM story"), "0");
	ck_assert_uint_eq(tally_event_count(t), 1);
	tally_free(t);
	store_close(s);
}
END_TEST

/* As SQLite does where memory is out while a column is read, which no statement fails for. */
START_TEST(behind_a_transaction_that_was_taken_back_nothing_is_stored)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");

	ck_assert_int_eq(store_begin(s, &err), 0);
	ck_assert_int_eq(sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	add(t, &ev);
	ck_assert_int_eq(store_flush(s, sensor, t, NULL, &err), -1);
	ck_assert_msg(strstr(err.text, "was taken back") != NULL, "%s", err.text);
	store_rollback(s);
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "0");
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "1");
	tally_free(t);
	store_close(s);
}
END_TEST

/*
 * A process that flushes the same hundred clients so many times, and ends.  It asserts nothing: it
 * shares the file by which Check hears of that.
 */
static pid_t
start_writer(int times)
{
	const struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };
	struct store_run run = { .command = "capture" };
	struct store *s;
	struct tally *t;
	int64_t id;
	bool good;
	pid_t pid = fork();

	if (pid != 0) {
		ck_assert_int_gt(pid, 0);
		return pid;
	}
	t = tally_new(NULL);
	s = store_open(path, STORE_WRITE, &err);
	good = s != NULL && store_sensor(s, "here", &id, &err) == 0;
	for (int i = 0; i < times && good; i++) {
		run.packet_count += 100;
		good = count_clients(t, &ev, 100) && store_flush(s, id, t, &run, &err) == 0;
	}
	if (!good)
		(void)fprintf(stderr, "%s\n", err.text);
	store_close(s);
	tally_free(t);
	_exit(good ? 0 : 1);
}

START_TEST(a_killed_writer_leaves_the_state_after_one_of_its_flushes)
{
	struct timespec patience = { .tv_nsec = (20 + 9 * _i) * 1000000L };
	pid_t pid;
	int status;

	store_close(open_store(STORE_WRITE));
	pid = start_writer(1000000);
	(void)nanosleep(&patience, NULL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	ck_assert_str_eq(sql("SELECT coalesce(sum(count), 0) = (SELECT coalesce(sum(packets), 0)"
			     " FROM coverage), min(count) IS max(count) FROM inventory"),
	    "1|1");
	ck_assert_str_eq(sql("SELECT coalesce(sum(count), 0) = (SELECT coalesce(sum(packets), 0)"
			     " FROM coverage) FROM days"),
	    "1");
}
END_TEST

START_TEST(what_is_not_in_its_place_is_not_written_to)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct buf aside = { 0 };
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");

	buf_addf(&aside, "%s.aside", path);
	flush(s, t, NULL);
	for (int replaced = 0; replaced < 2; replaced++) {
		ck_assert_int_eq(rename(path, buf_text(&aside)), 0);
		if (replaced)
			ck_assert_int_eq(symlink("/dev/null", path), 0);
		add(t, &ev);
		ck_assert_int_eq(store_flush(s, sensor, t, NULL, &err), -1);
		ck_assert_msg(
		    strstr(err.text, "was moved, removed or replaced") != NULL, "%s", err.text);
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		ck_assert_int_eq(rename(buf_text(&aside), path), 0);
	}
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "2");
	buf_release(&aside);
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(two_writers_wait_for_each_other_and_lose_nothing)
{
	pid_t pids[2];

	for (int i = 0; i < 2; i++)
		pids[i] = start_writer(40);
	for (int i = 0; i < 2; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_str_eq(
	    sql("SELECT count(*), min(count), max(count) FROM inventory"), "100|80|80");
	ck_assert_str_eq(sql("SELECT count(*), sum(packets) FROM coverage"), "2|8000");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, a_client_of_a_flush_that_was_taken_back_is_not_known);
	tcase_add_test(tc, a_full_disk_leaves_the_tally_and_the_database_as_they_were);
	tcase_add_test(tc, a_disk_that_is_full_at_the_first_flush_leaves_an_empty_database);
	tcase_add_test(tc, a_log_that_took_all_room_behind_a_reader_makes_some_when_that_is_gone);
	tcase_add_test(tc, a_failure_in_between_undoes_all_flushes_of_a_transaction);
	tcase_add_test(tc, without_the_key_of_what_is_there_nothing_is_stored);
	tcase_add_test(tc, behind_a_transaction_that_was_taken_back_nothing_is_stored);
	tcase_add_test(tc, a_locked_database_keeps_the_tally_for_the_next_try);
	tcase_add_loop_test(tc, a_killed_writer_leaves_the_state_after_one_of_its_flushes, 0, 12);
	tcase_add_test(tc, what_is_not_in_its_place_is_not_written_to);
	tcase_add_test(tc, two_writers_wait_for_each_other_and_lose_nothing);
}

SUITE_MAIN("store_flush_failures")
