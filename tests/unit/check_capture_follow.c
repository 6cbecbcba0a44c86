#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/follow.h"
#include "capture_files.h"
#include "suite.h"

#include "base/banned.h"

#define T0 INT64_C(1700000000000000)
#define SECOND INT64_C(1000000)

static char folder[64];
static struct follow *follow;

static const char *
path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/check_capture_follow.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
teardown(void)
{
	char command[128];

	follow_free(follow);
	follow = NULL;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void
begin(void)
{
	struct error err = { "" };

	follow = follow_open(folder, &err);
	ck_assert_msg(follow != NULL, "%s", err.text);
}

/* A capture of `count` packets from `first_us` on; the descriptor stays open. */
static int
start_file(const char *name, int64_t first_us, unsigned count)
{
	struct buf content = { 0 };
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	put_pcap(&content, first_us, 1000, count, 60);
	ck_assert_int_eq(write(fd, content.data, content.len), (ssize_t)content.len);
	buf_release(&content);
	return fd;
}

static void
write_capture(const char *name, int64_t first_us, unsigned count)
{
	(void)close(start_file(name, first_us, count));
}

/* Its last change was so long ago. */
static void
make_older(const char *name, time_t seconds)
{
	struct stat st;
	struct timespec times[2];

	ck_assert_int_eq(stat(path_of(name), &st), 0);
	times[0] = times[1] = st.st_mtim;
	times[0].tv_sec -= seconds;
	times[1].tv_sec -= seconds;
	ck_assert_int_eq(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

/* `name` NULL: no file is finished. */
static void
expect_next(const char *name)
{
	const char *path = follow_next(follow, name == NULL ? 0 : 2000);

	if (name == NULL) {
		ck_assert_msg(path == NULL, "%s", path);
		return;
	}
	ck_assert_msg(path != NULL, "%s is not given", name);
	ck_assert_str_eq(path, path_of(name));
}

START_TEST(a_folder_that_is_not_there_is_said)
{
	struct error err = { "" };

	ck_assert_ptr_null(follow_open("/no/such/folder", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "/no/such/folder"));
}
END_TEST

START_TEST(an_empty_folder_gives_nothing)
{
	begin();
	expect_next(NULL);
}
END_TEST

START_TEST(a_file_is_given_once_when_its_writer_closes_it)
{
	int fd;

	begin();
	fd = start_file("a.pcap", T0, 3);
	expect_next(NULL);
	(void)close(fd);
	expect_next("a.pcap");
	expect_next(NULL);
}
END_TEST

START_TEST(a_file_that_is_moved_in_is_finished)
{
	char from[128];

	begin();
	write_capture(".hidden", T0, 3);
	expect_next(NULL);
	(void)snprintf(from, sizeof(from), "%s", path_of(".hidden"));
	ck_assert_int_eq(rename(from, path_of("a.pcap")), 0);
	expect_next("a.pcap");
}
END_TEST

START_TEST(files_come_in_the_order_of_their_packets)
{
	begin();
	/* tcpdump's names without leading zeros, and a clock that has nothing to do with it. */
	write_capture("c.pcap10", T0 + 10 * SECOND, 2);
	write_capture("c.pcap2", T0 + 2 * SECOND, 2);
	write_capture("c.pcap", T0, 2);
	write_capture("c.pcap1", T0 + SECOND, 2);
	expect_next("c.pcap");
	expect_next("c.pcap1");
	expect_next("c.pcap2");
	expect_next("c.pcap10");
	expect_next(NULL);
}
END_TEST

START_TEST(what_was_there_before_is_given_but_for_the_file_being_written)
{
	int fd;

	write_capture("1.pcap", T0, 2);
	write_capture("2.pcap", T0 + SECOND, 2);
	fd = start_file("3.pcap", T0 + 2 * SECOND, 2);
	make_older("1.pcap", 60);
	make_older("2.pcap", 30);
	begin();
	expect_next("1.pcap");
	expect_next("2.pcap");
	expect_next(NULL);
	write_capture("4.pcap", T0 + 3 * SECOND, 2);
	(void)close(fd);
	expect_next("3.pcap");
	expect_next("4.pcap");
	expect_next(NULL);
}
END_TEST

/* Two programs capture into one folder, and that of the quiet interface seldom writes. */
START_TEST(a_file_that_is_open_is_not_finished_because_another_is_later)
{
	int fd = start_file("quiet.pcap", T0, 2);

	begin();
	make_older("quiet.pcap", 15);
	write_capture("busy.pcap", T0 - SECOND, 2);
	expect_next("busy.pcap");
	expect_next(NULL);
	(void)close(fd);
	expect_next("quiet.pcap");
	expect_next(NULL);
}
END_TEST

/* As when it was rotated while nobody followed, and quickly. */
START_TEST(what_nobody_writes_to_is_finished_however_fresh)
{
	write_capture("2.pcap", T0 + SECOND, 2);
	write_capture("1.pcap", T0, 2);
	begin();
	expect_next("1.pcap");
	expect_next("2.pcap");
	expect_next(NULL);
}
END_TEST

START_TEST(a_finished_file_waits_for_one_that_began_before_it_and_rests)
{
	int fd = start_file("1.pcap", T0, 2);

	begin();
	write_capture("2.pcap", T0 + SECOND, 2);
	expect_next(NULL);
	(void)close(fd);
	expect_next("1.pcap");
	expect_next("2.pcap");
	expect_next(NULL);
}
END_TEST

START_TEST(a_finished_file_does_not_wait_for_another_writer)
{
	int fd = start_file("other.pcap", T0, 2);

	begin();
	write_capture("2.pcap", T0 + SECOND, 2);
	/* It is written to after the file beside it was. */
	make_older("2.pcap", 1);
	expect_next("2.pcap");
	expect_next(NULL);
	(void)close(fd);
	expect_next("other.pcap");
}
END_TEST

START_TEST(a_file_that_grew_is_given_again)
{
	begin();
	write_capture("a.pcap", T0, 2);
	expect_next("a.pcap");
	write_capture("a.pcap", T0, 5);
	expect_next("a.pcap");
	expect_next(NULL);
}
END_TEST

START_TEST(a_name_that_is_used_again_is_given_again)
{
	begin();
	write_capture("ring0", T0, 2);
	expect_next("ring0");
	ck_assert_int_eq(unlink(path_of("ring0")), 0);
	write_capture("ring0", T0 + 100 * SECOND, 2);
	expect_next("ring0");
	expect_next(NULL);
}
END_TEST

START_TEST(what_is_no_capture_is_passed_over)
{
	int fd;

	begin();
	fd = open(path_of("notes.txt"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "no capture\n", 11), 11);
	(void)close(fd);
	(void)close(open(path_of("empty"), O_WRONLY | O_CREAT, 0600));
	write_capture("header-only.pcap", T0, 0);
	ck_assert_int_eq(mkdir(path_of("folder"), 0700), 0);
	ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
	expect_next(NULL);
	write_capture("a.pcap", T0, 1);
	expect_next("a.pcap");
	expect_next(NULL);
}
END_TEST

START_TEST(a_capture_that_cannot_be_read_is_given_for_that_to_be_told)
{
	struct buf b = { 0 };
	int fd;

	begin();
	put_pcap(&b, T0, 1, 1, 60);
	fd = open(path_of("cut-header.pcap"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, b.data, 20), 20);
	expect_next(NULL); /* it is being written */
	write_capture("later.pcap", T0, 1);
	expect_next("later.pcap");
	(void)close(fd);
	expect_next("cut-header.pcap");
	expect_next(NULL);
	fd = open(path_of("cut-packet.pcap"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, b.data, b.len - 1), (ssize_t)b.len - 1);
	(void)close(fd);
	expect_next("cut-packet.pcap");
	expect_next(NULL);
	ck_assert_int_eq(chmod(path_of("cut-packet.pcap"), 0640), 0);
	ck_assert_int_eq(chmod(path_of("later.pcap"), 0640), 0);
	write_capture("last.pcap", T0 + SECOND, 1); /* the folder is looked at again */
	expect_next("last.pcap");
	expect_next("cut-packet.pcap");
	expect_next(NULL);
	buf_release(&b);
}
END_TEST

START_TEST(a_file_that_is_removed_before_its_turn_is_forgotten)
{
	begin();
	write_capture("a.pcap", T0, 1);
	write_capture("b.pcap", T0 + SECOND, 1);
	ck_assert_int_eq(unlink(path_of("a.pcap")), 0);
	expect_next("b.pcap");
	expect_next(NULL);
}
END_TEST

START_TEST(a_folder_that_goes_is_said_and_one_that_is_back_is_read)
{
	struct error err = { "" };
	char away[96];

	begin();
	ck_assert_ptr_null(follow_next(follow, 0));
	ck_assert(follow_is_readable(follow, &err));
	(void)snprintf(away, sizeof(away), "%s.away", folder);
	(void)close(start_file("1", T0, 1));
	ck_assert_int_eq(rename(folder, away), 0);
	ck_assert_ptr_null(follow_next(follow, 0));
	ck_assert(!follow_is_readable(follow, &err));
	ck_assert_ptr_nonnull(strstr(err.text, folder));
	ck_assert_int_eq(rename(away, folder), 0);
	(void)close(start_file("2", T0 + SECOND, 1));
	ck_assert_ptr_nonnull(follow_next(follow, 0));
	ck_assert(follow_is_readable(follow, &err));
}
END_TEST

START_TEST(two_thousand_files_take_no_time_to_speak_of)
{
	struct timespec from, to;
	char name[32];
	int fd;

	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "%u.pcap", (i * 7919) % 2000);
		write_capture(name, T0 + (int64_t)((i * 7919) % 2000) * SECOND, 1);
		make_older(name, 100);
	}
	fd = start_file("last.pcap", T0 + 3000 * SECOND, 1);
	begin();
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "%u.pcap", i);
		expect_next(name);
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ck_assert_int_lt(to.tv_sec - from.tv_sec, 10);
	expect_next(NULL);
	(void)close(fd);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_folder_that_is_not_there_is_said);
	tcase_add_test(tc, an_empty_folder_gives_nothing);
	tcase_add_test(tc, a_file_is_given_once_when_its_writer_closes_it);
	tcase_add_test(tc, a_file_that_is_moved_in_is_finished);
	tcase_add_test(tc, files_come_in_the_order_of_their_packets);
	tcase_add_test(tc, what_was_there_before_is_given_but_for_the_file_being_written);
	tcase_add_test(tc, a_file_that_is_open_is_not_finished_because_another_is_later);
	tcase_add_test(tc, what_nobody_writes_to_is_finished_however_fresh);
	tcase_add_test(tc, a_finished_file_waits_for_one_that_began_before_it_and_rests);
	tcase_add_test(tc, a_finished_file_does_not_wait_for_another_writer);
	tcase_add_test(tc, a_file_that_grew_is_given_again);
	tcase_add_test(tc, a_name_that_is_used_again_is_given_again);
	tcase_add_test(tc, what_is_no_capture_is_passed_over);
	tcase_add_test(tc, a_capture_that_cannot_be_read_is_given_for_that_to_be_told);
	tcase_add_test(tc, a_file_that_is_removed_before_its_turn_is_forgotten);
	tcase_add_test(tc, a_folder_that_goes_is_said_and_one_that_is_back_is_read);
	tcase_add_test(tc, two_thousand_files_take_no_time_to_speak_of);
}

SUITE_MAIN("capture_follow")
