#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "full_disk.h"
#include "sink/event_writer.h"
#include "suite.h"

#include "base/banned.h"

static char folder[64], path[96], rotated[112];
static const struct event event = { .vlan = -1 };

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/check_sink_event_writer.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/events", folder);
	(void)snprintf(rotated, sizeof(rotated), "%s/rotated", folder);
}

static void
teardown(void)
{
	(void)unlink(path);
	(void)unlink(rotated);
	(void)rmdir(folder);
}

static struct event_writer *
open_writer(void)
{
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = path,
		.append = true,
		.sensor = "here",
	};
	struct error err = { "" };
	struct event_writer *w = event_writer_new(&options, &err);

	ck_assert_msg(w != NULL, "%s", err.text);
	return w;
}

static size_t
line_len(void)
{
	struct buf line = { 0 };
	size_t len;

	event_write_json(&event, "here", "eth0", &line);
	len = line.len;
	buf_release(&line);
	return len;
}

static void
add_events(struct event_writer *w, size_t count)
{
	for (size_t i = 0; i < count; i++)
		event_writer_add(w, &event, "eth0");
}

/* The file has so many whole lines and nothing else. */
static void
expect_lines(const char *file, size_t count)
{
	FILE *f = fopen(file, "r");
	char text[8192];
	size_t found = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(text, sizeof(text), f) != NULL) {
		ck_assert_uint_eq(strlen(text), line_len());
		ck_assert_int_eq(text[0], '{');
		ck_assert_str_eq(text + strlen(text) - 2, "}\n");
		found++;
	}
	(void)fclose(f);
	ck_assert_uint_eq(found, count);
}

static void
write_file(const char *text)
{
	FILE *f = fopen(path, "a");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	(void)fclose(f);
}

START_TEST(lines_come_whole_and_in_order)
{
	struct event_writer *w = open_writer();
	struct error err;

	add_events(w, 3);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	add_events(w, 2);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	event_writer_free(w);
	expect_lines(path, 5);
}
END_TEST

/* The disk is full after three lines and `_i` bytes. */
START_TEST(a_full_disk_delays_lines_and_cuts_none)
{
	struct event_writer *w = open_writer();
	struct error err = { "" };

	limit_files(3 * line_len() + (size_t)_i);
	add_events(w, 10);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	add_events(w, 2);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	ck_assert_uint_eq(event_writer_lost(w), 0);
	event_writer_free(w);
	expect_lines(path, 12);
}
END_TEST

START_TEST(a_rotation_on_a_full_disk_cuts_no_line)
{
	struct event_writer *w = open_writer();
	struct error err;

	limit_files(3 * line_len() + (size_t)_i);
	add_events(w, 5);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	ck_assert_int_eq(rename(path, rotated), 0);
	ck_assert_int_eq(event_writer_reopen(w, &err), 0);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	event_writer_free(w);
	expect_lines(rotated, 3);
	expect_lines(path, 2);
}
END_TEST

START_TEST(the_same_file_opened_anew_on_a_full_disk_cuts_no_line)
{
	struct event_writer *w = open_writer();
	struct error err;

	limit_files(3 * line_len() + (size_t)_i);
	add_events(w, 5);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	ck_assert_int_eq(event_writer_reopen(w, &err), 0);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(event_writer_reopen(w, &err), 0);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	event_writer_free(w);
	expect_lines(path, 5);
}
END_TEST

/* As one makes room, and as logrotate does with copytruncate. */
START_TEST(a_file_that_was_emptied_on_a_full_disk_begins_with_a_whole_line)
{
	struct event_writer *w = open_writer();
	struct error err;

	limit_files(3 * line_len() + (size_t)_i);
	add_events(w, 5);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	ck_assert_int_eq(truncate(path, 0), 0);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	event_writer_free(w);
	expect_lines(path, 2);
}
END_TEST

START_TEST(an_end_on_a_full_disk_cuts_no_line)
{
	struct event_writer *w = open_writer();
	struct error err;

	limit_files(3 * line_len() + (size_t)_i);
	add_events(w, 5);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	event_writer_free(w);
	limit_files(RLIM_INFINITY);
	expect_lines(path, 3);
}
END_TEST

START_TEST(what_has_no_room_is_lost_by_whole_lines_and_counted)
{
	struct event_writer *w = open_writer();
	struct error err;
	struct stat st;
	size_t count = ((size_t)16 << 20) / line_len() + 2000;

	limit_files(0);
	add_events(w, 1);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	add_events(w, count);
	ck_assert_uint_gt(event_writer_lost(w), 1000);
	ck_assert_uint_lt(event_writer_lost(w), 2010);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(
	    (size_t)st.st_size, (count + 1 - (size_t)event_writer_lost(w)) * line_len());
	event_writer_free(w);
}
END_TEST

static const struct {
	const char *name;
	const char *before;
	const char *after; /* once a writer has opened it */
} ends[] = {
	{ "nothing", "", "" },
	{ "a whole line", "{\"a\":1}\n", "{\"a\":1}\n" },
	{ "a line that was cut", "{\"a\":1}\n{\"a\":", "{\"a\":1}\n" },
	{ "a first line that was cut", "{\"a\":", "" },
	{ "the last byte is missing", "{\"a\":1}\n{\"a\":1}", "{\"a\":1}\n" },
	{ "not ours behind a line", "{\"a\":1}\nsome text", "{\"a\":1}\nsome text" },
};

START_TEST(a_line_that_a_killed_writer_cut_is_taken_away)
{
	char text[64] = "";
	int fd;

	write_file(ends[_i].before);
	event_writer_free(open_writer());
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	(void)close(fd);
	ck_assert_msg(strcmp(text, ends[_i].after) == 0, "%s: '%s'", ends[_i].name, text);
}
END_TEST

/* A pipe that nobody reads from, then somebody does; with `_i`, it is opened anew meanwhile. */
START_TEST(a_reader_that_does_not_keep_up_is_not_waited_for)
{
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = path,
		.append = true,
		.must_not_wait = true,
		.sensor = "here",
	};
	size_t count = 262144 / line_len(), got = 0;
	char text[65536];
	struct error err = { "" };
	struct event_writer *w;
	int reader;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	ck_assert_int_ge(reader, 0);
	w = event_writer_new(&options, &err);
	ck_assert_msg(w != NULL, "%s", err.text);
	add_events(w, count);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "does not keep up"));
	for (int i = 0; i < 100 && got < count * line_len(); i++) {
		ssize_t n;

		if (_i == 1)
			ck_assert_int_eq(event_writer_reopen(w, &err), 0);
		while ((n = read(reader, text, sizeof(text))) > 0)
			got += (size_t)n;
		(void)event_writer_flush(w, &err);
	}
	ck_assert_uint_eq(got, count * line_len());
	ck_assert_int_eq(event_writer_finish(w, &err), 0);
	ck_assert_uint_eq(event_writer_lost(w), 0);
	event_writer_free(w);
	(void)close(reader);
}
END_TEST

START_TEST(what_cannot_be_written_at_the_end_is_lost_and_counted)
{
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = "/dev/full",
		.append = true,
		.sensor = "here",
	};
	struct error err;
	struct event_writer *w = event_writer_new(&options, &err);

	add_events(w, 3);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	ck_assert_uint_eq(event_writer_lost(w), 0);
	ck_assert_int_eq(event_writer_finish(w, &err), -1);
	ck_assert_uint_eq(event_writer_lost(w), 3);
	event_writer_free(w);
}
END_TEST

START_TEST(a_pipe_that_others_made_not_wait_is_waited_for)
{
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = "-",
		.sensor = "here",
	};
	size_t count = 262144 / line_len(), got = 0;
	char text[65536];
	struct error err = { "" };
	struct event_writer *w;
	int pipe_ends[2];
	ssize_t n;

	ck_assert_int_eq(pipe(pipe_ends), 0);
	if (fork() == 0) {
		(void)close(pipe_ends[0]);
		(void)dup2(pipe_ends[1], STDOUT_FILENO);
		(void)close(pipe_ends[1]);
		(void)fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
		w = event_writer_new(&options, &err);
		add_events(w, count);
		_exit(event_writer_flush(w, &err) != 0);
	}
	(void)close(pipe_ends[1]);
	(void)usleep(50000); /* until the pipe is full */
	while ((n = read(pipe_ends[0], text, sizeof(text))) > 0)
		got += (size_t)n;
	ck_assert_uint_eq(got, count * line_len());
	(void)close(pipe_ends[0]);
}
END_TEST

START_TEST(a_file_that_cannot_be_made_anew_leaves_the_old_one)
{
	struct event_writer *w = open_writer();
	struct error err = { "" };

	add_events(w, 1);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	ck_assert_int_eq(rename(path, rotated), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(event_writer_reopen(w, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	add_events(w, 1);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	event_writer_free(w);
	ck_assert_int_eq(rmdir(path), 0);
	expect_lines(rotated, 2);
}
END_TEST

static void
put_file(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* A capture or a database that was given by mistake. */
START_TEST(what_is_no_file_of_events_is_neither_written_over_nor_added_to)
{
	static const char *const texts[] = { "SQLite format 3", "\xd4\xc3\xb2\xa1", "\n\r\r\n" };
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = path,
		.append = _i >= 3,
		.sensor = "here",
	};
	struct error err = { "" };
	struct stat st;

	put_file(texts[_i % 3]);
	ck_assert_ptr_null(event_writer_new(&options, &err));
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)strlen(texts[_i % 3]));
}
END_TEST

START_TEST(what_is_kept_beside_a_database_takes_no_events)
{
	static const char magic[] = "SQLite format 3";
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = rotated,
		.append = _i == 1,
		.sensor = "here",
	};
	struct error err = { "" };
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(magic, 1, sizeof(magic), file), sizeof(magic));
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(rotated, sizeof(rotated), "%s-wal", path);
	ck_assert_ptr_null(event_writer_new(&options, &err));
	ck_assert_ptr_nonnull(strstr(err.text, rotated));
	ck_assert_int_ne(access(rotated, F_OK), 0);
}
END_TEST

START_TEST(a_file_of_events_is_begun_anew)
{
	const struct event_writer_options options = {
		.target = EVENT_TARGET_FILE,
		.path = path,
		.sensor = "here",
	};
	struct error err = { "" };
	struct event_writer *w;

	put_file("{\"event\":\"old\"}\n{}\n{}\n");
	w = event_writer_new(&options, &err);
	ck_assert_ptr_nonnull(w);
	add_events(w, 1);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	event_writer_free(w);
	expect_lines(path, 1);
}
END_TEST

/* The system's log. */
static int
listen_to_log(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)unlink(path);
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)(const void *)&name, sizeof(name)), 0);
	return fd;
}

/* How many messages wait, each of which is one whole event behind its header. */
static size_t
read_log(int fd)
{
	char message[8192], *text;
	size_t count = 0, len = line_len() - 1; /* without the newline */
	ssize_t n;

	while ((n = recv(fd, message, sizeof(message) - 1, 0)) > 0) {
		message[n] = '\0';
		ck_assert_msg(strncmp(message, "<30>", 4) == 0, "%s", message);
		text = strstr(message, " tlstally[");
		ck_assert_ptr_nonnull(text);
		text = strstr(text, "]: {");
		ck_assert_ptr_nonnull(text);
		ck_assert_uint_eq(strlen(text + 3), len);
		count++;
	}
	return count;
}

static struct event_writer *
open_log_writer(void)
{
	const struct event_writer_options options = {
		.target = EVENT_TARGET_SYSLOG,
		.path = path,
		.must_not_wait = true,
		.sensor = "here",
	};
	struct error err;

	return event_writer_new(&options, &err);
}

START_TEST(the_systems_log_gets_a_message_per_event)
{
	struct event_writer *w = open_log_writer();
	struct error err = { "" };
	int fd;

	add_events(w, 2);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	ck_assert_str_eq(
	    err.text, "cannot write events to the system's log: No such file or directory");
	fd = listen_to_log();
	add_events(w, 1);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	ck_assert_uint_eq(read_log(fd), 3);
	/* It is started anew. */
	(void)close(fd);
	add_events(w, 1);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	fd = listen_to_log();
	ck_assert_int_eq(event_writer_reopen(w, &err), 0);
	ck_assert_int_eq(event_writer_flush(w, &err), 0);
	ck_assert_uint_eq(read_log(fd), 1);
	(void)close(fd);
	fd = listen_to_log();
	add_events(w, 1);
	ck_assert_int_eq(event_writer_finish(w, &err), 0);
	ck_assert_uint_eq(read_log(fd), 1);
	ck_assert_uint_eq(event_writer_lost(w), 0);
	event_writer_free(w);
	(void)close(fd);
}
END_TEST

START_TEST(a_systems_log_that_nobody_reads_is_not_waited_for)
{
	struct event_writer *w = open_log_writer();
	struct error err = { "" };
	int fd = listen_to_log();
	FILE *limit = fopen("/proc/sys/net/unix/max_dgram_qlen", "r");
	size_t kept = 0, count;

	/* The kernel keeps so many messages, and one, for who does not read. */
	ck_assert_ptr_nonnull(limit);
	ck_assert_int_eq(fscanf(limit, "%zu", &kept), 1);
	(void)fclose(limit);
	add_events(w, kept + 11);
	(void)alarm(4);
	ck_assert_int_eq(event_writer_flush(w, &err), -1);
	(void)alarm(0);
	ck_assert_str_eq(
	    err.text, "cannot write events to the system's log: who reads them does not keep up");
	count = read_log(fd);
	ck_assert_uint_gt(count, 0);
	while (event_writer_flush(w, &err) != 0)
		count += read_log(fd);
	count += read_log(fd);
	ck_assert_uint_eq(count, kept + 11);
	ck_assert_uint_eq(event_writer_lost(w), 0);
	event_writer_free(w);
	(void)close(fd);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, the_systems_log_gets_a_message_per_event);
	tcase_add_test(tc, a_systems_log_that_nobody_reads_is_not_waited_for);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lines_come_whole_and_in_order);
	tcase_add_loop_test(tc, a_full_disk_delays_lines_and_cuts_none, 0, 4);
	tcase_add_loop_test(tc, a_rotation_on_a_full_disk_cuts_no_line, 0, 4);
	tcase_add_loop_test(tc, the_same_file_opened_anew_on_a_full_disk_cuts_no_line, 0, 4);
	tcase_add_loop_test(
	    tc, a_file_that_was_emptied_on_a_full_disk_begins_with_a_whole_line, 0, 4);
	tcase_add_loop_test(tc, an_end_on_a_full_disk_cuts_no_line, 0, 4);
	tcase_add_test(tc, what_has_no_room_is_lost_by_whole_lines_and_counted);
	tcase_add_loop_test(tc, a_line_that_a_killed_writer_cut_is_taken_away, 0,
	    (int)(sizeof(ends) / sizeof(ends[0])));
	tcase_add_loop_test(
	    tc, what_is_no_file_of_events_is_neither_written_over_nor_added_to, 0, 6);
	tcase_add_loop_test(tc, what_is_kept_beside_a_database_takes_no_events, 0, 2);
	tcase_add_test(tc, a_file_of_events_is_begun_anew);
	tcase_add_loop_test(tc, a_reader_that_does_not_keep_up_is_not_waited_for, 0, 2);
	tcase_add_test(tc, what_cannot_be_written_at_the_end_is_lost_and_counted);
	tcase_add_test(tc, a_pipe_that_others_made_not_wait_is_waited_for);
	tcase_add_test(tc, a_file_that_cannot_be_made_anew_leaves_the_old_one);
}

SUITE_MAIN("sink_event_writer")
