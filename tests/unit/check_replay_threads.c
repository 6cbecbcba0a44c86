#include "suite.h"

#include <signal.h>

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
	struct replay *r;
	pthread_t thread;
	size_t count;

	save_pcap(path, T0, 1, LARGE_COUNT, LARGE_LEN);
	r = replay_open(&path, 1, NULL);
	replay_keep(r);
	count = replay_read(r, frames, BATCH);
	ck_assert_uint_gt(count, 0);
	ck_assert_int_eq(truncate(path, 4096), 0);
	ck_assert_uint_eq(replay_threads_start(&thread, 1, read_last_byte, &frames[count - 1]), 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(frames[count - 1].wire_len, 0);
	replay_free(r);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, signals_that_ask_to_stop_are_left_to_who_was_there_before);
	tcase_add_test(tc, a_file_that_is_cut_turns_into_zeros_for_a_thread_that_was_started);
}

SUITE_MAIN("replay_threads")
