#include "suite.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture_replays.h"
#include "replay/threads.h"

#include "base/banned.h"

#define LARGE_COUNT 4000u /* of 1500 bytes and a header of 16: 6 MB, which is mapped */
#define LARGE_LEN 1500u

static void *
find_blocked(void *arg)
{
	(void)pthread_sigmask(SIG_SETMASK, NULL, arg);
	return NULL;
}

START_TEST(signals_that_ask_to_stop_are_left_to_who_was_there_before)
{
	sigset_t blocked, own;
	pthread_t thread;

	ck_assert_uint_eq(replay_threads_start(&thread, 1, find_blocked, &blocked), 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(sigismember(&blocked, SIGINT), 1);
	ck_assert_int_eq(sigismember(&blocked, SIGTERM), 1);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &own), 0);
	ck_assert_int_eq(sigismember(&own, SIGINT), 0);
}
END_TEST

static void *
read_last_byte(void *arg)
{
	struct frame *frame = arg;

	frame->wire_len = frame->bytes.data[LARGE_LEN - 1];
	return NULL;
}

START_TEST(a_file_that_is_cut_turns_into_zeros_for_a_thread_that_was_started)
{
	const char *path = "a.pcap";
	struct frame frames[BATCH];
	struct saved *r;
	pthread_t thread;
	size_t count;

	save_pcap(path, T0, 1, LARGE_COUNT, LARGE_LEN);
	r = saved_open(&path, 1, NULL);
	saved_keep(r);
	count = saved_read(r, frames, BATCH);
	ck_assert_uint_gt(count, 0);
	ck_assert_int_eq(truncate(path, 4096), 0);
	ck_assert_uint_eq(replay_threads_start(&thread, 1, read_last_byte, &frames[count - 1]), 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(frames[count - 1].wire_len, 0);
	saved_free(r);
}
END_TEST

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_container_has_the_processors_of_its_quota)
{
	static const struct {
		const char *text;
		unsigned count;
	} rows[] = { { "200000 100000\n", 2 }, { "100000 100000\n", 1 }, { "350000 100000\n", 3 },
		{ "20000 100000\n", 1 }, { "max 100000\n", UINT_MAX }, { "", UINT_MAX },
		{ "100000\n", UINT_MAX }, { "5 0\n", UINT_MAX } };

	ck_assert_uint_eq(replay_quota("."), UINT_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file("cpu.max", rows[i].text);
		ck_assert_uint_eq(replay_quota("."), rows[i].count);
	}
}
END_TEST

START_TEST(the_older_form_of_a_quota_counts_too)
{
	ck_assert_int_eq(mkdir("cpu", 0700), 0);
	write_file("cpu/cpu.cfs_quota_us", "-1\n");
	write_file("cpu/cpu.cfs_period_us", "100000\n");
	ck_assert_uint_eq(replay_quota("."), UINT_MAX);
	write_file("cpu/cpu.cfs_quota_us", "200000\n");
	ck_assert_uint_eq(replay_quota("."), 2);
	ck_assert_int_eq(unlink("cpu/cpu.cfs_quota_us"), 0);
	ck_assert_uint_eq(replay_quota("."), UINT_MAX);
	ck_assert_int_eq(unlink("cpu/cpu.cfs_period_us"), 0);
	ck_assert_int_eq(rmdir("cpu"), 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, signals_that_ask_to_stop_are_left_to_who_was_there_before);
	tcase_add_test(tc, a_file_that_is_cut_turns_into_zeros_for_a_thread_that_was_started);
	tcase_add_test(tc, a_container_has_the_processors_of_its_quota);
	tcase_add_test(tc, the_older_form_of_a_quota_counts_too);
}

SUITE_MAIN("replay_threads")
