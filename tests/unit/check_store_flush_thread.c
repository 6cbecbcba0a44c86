/* Flushes of which a second thread writes the rows. */
#include "store_clients.h"
#include "store_fixture.h"

#include "base/banned.h"

/* How many threads the process has now.  No assertion, as in flush_within. */
static int
count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	int count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	if (dir != NULL)
		(void)closedir(dir);
	return count;
}

/* Before a flush, and the most in it, by judge_and_count.  (A sanitizer may have its own.) */
static int first_threads, most_threads;

static uint8_t
judge_and_count(void *arg, const struct finding *findings, size_t count,
    struct store_judgement *out, struct buf *reason)
{
	int threads = count_threads();

	most_threads = threads > most_threads ? threads : most_threads;
	return judge_by_policy(arg, findings, count, out, reason);
}

static struct store *
open_counting_store(void)
{
	struct store *s = open_store(STORE_FILL);

	store_set_judge(s, judge_and_count, NULL);
	first_threads = most_threads = count_threads();
	return s;
}

/* Ten events each of 3,000 clients, of three days. */
static void
add_many(struct tally *t)
{
	uint64_t state = 9;

	for (int i = 0; i < 30000; i++) {
		struct event ev = random_event(&state, DAY + i % 72 * HOUR + i * SECOND / 10);

		ev.client_ip.bytes[2] = (uint8_t)(i % 3000 >> 8);
		ev.client_ip.bytes[3] = (uint8_t)(i % 3000);
		add(t, &ev);
	}
}

START_TEST(a_flush_with_a_thread_stores_what_one_without_stores)
{
	struct store *s = open_counting_store();
	struct tally *t = tally_new(NULL);
	struct buf without = { 0 }, with = { 0 };

	add_many(t);
	flush(s, t, NULL);
	ck_assert_int_eq(most_threads, first_threads);
	dump_store(s, &without);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s/thread.db", folder);
	s = open_counting_store();
	store_use_thread(s);
	add_many(t);
	flush(s, t, NULL);
	ck_assert_int_gt(most_threads, first_threads);
	ck_assert_int_lt(count_threads(), most_threads);
	dump_store(s, &with);
	ck_assert_str_eq(buf_text(&without), buf_text(&with));
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	store_close(s);
	tally_free(t);
	buf_release(&without);
	buf_release(&with);
}
END_TEST

START_TEST(where_clients_are_stored_already_there_is_no_thread)
{
	struct store *s = open_counting_store();
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct tally *t = tally_new(NULL);

	store_use_thread(s);
	flush_event(s, &ev);
	add_clients(t, 3000);
	flush(s, t, NULL);
	ck_assert_int_eq(most_threads, first_threads);
	ck_assert_str_eq(sql("SELECT count(*), sum(count) FROM clients"), "3000|3001");
	tally_free(t);
	store_close(s);
}
END_TEST

/* Bytes that a file may have: the first rows fail, those in the middle, and the last ones. */
static const rlim_t rooms[] = { 200000, 400000, 1200000 };

START_TEST(a_disk_that_is_full_under_the_thread_leaves_an_empty_database)
{
	struct store *s = open_counting_store();
	struct tally *t = tally_new(NULL);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");

	store_use_thread(s);
	add_clients(t, 20000); /* more than the page cache holds */
	ck_assert_int_eq(flush_within(s, sensor, t, NULL, rooms[_i], &err), -1);
	ck_assert_int_gt(most_threads, first_threads);
	ck_assert_int_lt(count_threads(), most_threads);
	ck_assert_msg(strstr(err.text, "the disk is full") != NULL, "%s", err.text);
	ck_assert_uint_eq(tally_event_count(t), 20000);
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "0");
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "20000");
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	tally_free(t);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, a_flush_with_a_thread_stores_what_one_without_stores);
	tcase_add_test(tc, where_clients_are_stored_already_there_is_no_thread);
	tcase_add_loop_test(
	    tc, a_disk_that_is_full_under_the_thread_leaves_an_empty_database, 0, ROWS(rooms));
}

SUITE_MAIN("store_flush_thread")
