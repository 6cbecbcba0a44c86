/* Rights, links, locks and logs: who may open a database, and who waits. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "store_files.h"
#include "store_fixture.h"

#include "base/banned.h"

/* What a user who is not root may not do is tested as one; the test's process ends as one. */
static void
become_nobody(void)
{
	const char *fork_mode = getenv("CK_FORK");

	if (geteuid() != 0 || (fork_mode != NULL && strcmp(fork_mode, "no") == 0))
		return;
	ck_assert_int_eq(chown(folder, 65534, 65534), 0);
	if (access(path, F_OK) == 0)
		ck_assert_int_eq(chown(path, 65534, 65534), 0);
	ck_assert_int_eq(setregid(65534, 65534), 0);
	ck_assert_int_eq(setreuid(65534, 65534), 0);
	/* Or the leak sanitizer cannot look at it. */
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

START_TEST(an_unreadable_file_is_named_with_the_reason)
{
	fill();
	ck_assert_int_eq(chmod(path, 0), 0);
	become_nobody();
	if (access(path, R_OK) == 0)
		return;
	expect_failure(STORE_READ, strerror(EACCES));
	expect_failure(STORE_WRITE, strerror(EACCES));
}
END_TEST

START_TEST(a_read_only_file_is_read_but_not_written)
{
	fill();
	ck_assert_int_eq(chmod(path, 0444), 0);
	become_nobody();
	expect_filled(STORE_READ);
	if (access(path, W_OK) != 0)
		expect_failure(STORE_WRITE, strerror(EACCES));
}
END_TEST

START_TEST(in_a_read_only_folder_no_database_is_made)
{
	become_nobody();
	ck_assert_int_eq(chmod(folder, 0555), 0);
	if (access(folder, W_OK) != 0)
		expect_failure(STORE_WRITE, strerror(EACCES));
}
END_TEST

START_TEST(a_database_in_a_read_only_folder_cannot_be_written)
{
	fill();
	become_nobody();
	ck_assert_int_eq(chmod(folder, 0555), 0);
	if (access(folder, W_OK) != 0)
		expect_failure(STORE_WRITE, "its folder, cannot be written to");
}
END_TEST

/* '?', '#' and '%' mean something in the URI by which a file that stands still is opened. */
static const char *const odd_names[] = { "with space.db", "q?mode=memory.db", "h#ash.db",
	"100%25.db", "%41.db", "quote'\"s.db", "semi;colon&amp.db", "\xc3\xbc\xff.db",
	"new\nline.db", ":memory:", "file:t.db", "file:t.db?mode=memory", "-dash.db", "a\\b.db" };

START_TEST(any_name_is_a_name_also_in_a_read_only_folder)
{
	ck_assert_int_eq(chdir(folder), 0);
	if ((_i & 1) != 0)
		(void)snprintf(path, sizeof(path), "%s", odd_names[_i / 2]);
	else
		(void)snprintf(path, sizeof(path), "%s//%s", folder, odd_names[_i / 2]);
	fill();
	ck_assert_int_eq(access(odd_names[_i / 2], F_OK), 0);
	expect_filled(STORE_READ);
	become_nobody();
	ck_assert_int_eq(chmod(folder, 0555), 0);
	expect_filled(STORE_READ);
}
END_TEST

/* Writes once more and dies, so that the latest data stays in the log beside the file. */
static void
leave_a_log(void)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct store *s = open_store(STORE_WRITE);
		struct event ev = handshake("10.0.0.2", "late.example", V10, DAY);

		flush_event(s, &ev);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

START_TEST(a_log_that_cannot_be_read_is_not_passed_over_in_silence)
{
	char name[300];

	fill();
	leave_a_log();
	(void)snprintf(name, sizeof(name), "%s-shm", path);
	ck_assert_int_eq(unlink(name), 0);
	(void)snprintf(name, sizeof(name), "%s-wal", path);
	ck_assert_int_eq(chmod(name, 0444), 0);
	become_nobody();
	ck_assert_int_eq(chmod(folder, 0555), 0);
	if (access(folder, W_OK) != 0)
		expect_failure(STORE_READ, "-wal");
	ck_assert_int_eq(chmod(folder, 0755), 0);
}
END_TEST

START_TEST(what_a_killed_writer_had_flushed_is_there)
{
	struct buf out = { 0 };
	struct store *s;

	fill();
	leave_a_log();
	s = open_store(_i == 0 ? STORE_READ : STORE_WRITE);
	dump_store(s, &out);
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "mail.example"));
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "late.example"));
	buf_release(&out);
	store_close(s);
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
}
END_TEST

/* Dies in a transaction that has reached the file, before there was a write-ahead log. */
static void
leave_a_journal(void)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		sqlite3 *db;

		(void)sqlite3_open(path, &db);
		(void)sqlite3_exec(db,
		    "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN;"
		    "CREATE TABLE t (a);"
		    "WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		    " INSERT INTO t SELECT zeroblob(1000) FROM n; DELETE FROM kind",
		    NULL, NULL, NULL);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

START_TEST(what_a_killed_writer_had_not_finished_is_taken_back)
{
	char name[300];

	fill();
	leave_a_journal();
	(void)snprintf(name, sizeof(name), "%s-journal", path);
	ck_assert_int_eq(access(name, F_OK), 0);
	if (_i == 1) {
		ck_assert(geteuid() != 0 || chown(name, 65534, 65534) == 0);
		become_nobody();
		ck_assert_int_eq(chmod(folder, 0555), 0);
		if (access(folder, W_OK) != 0)
			expect_failure(STORE_READ, "-journal");
		ck_assert_int_eq(chmod(folder, 0755), 0);
	}
	expect_filled(STORE_READ);
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
}
END_TEST

START_TEST(a_new_file_is_for_its_owner_and_group)
{
	static const struct {
		mode_t mask, mode;
	} masks[] = { { 0022, 0640 }, { 0, 0640 }, { 0077, 0600 } };

	for (int i = 0; i < ROWS(masks); i++) {
		struct store *s;
		struct error err;
		struct stat st;
		int64_t sensor;
		char wal[300];

		(void)umask(masks[i].mask);
		(void)snprintf(path, sizeof(path), "%s/%d.db", folder, i);
		s = open_store(STORE_WRITE);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_mode & 0777, masks[i].mode);
		ck_assert_int_eq(store_sensor(s, "here", &sensor, &err), 0);
		(void)snprintf(wal, sizeof(wal), "%s-wal", path);
		ck_assert_int_eq(stat(wal, &st), 0);
		ck_assert_uint_eq(st.st_mode & 0777, masks[i].mode);
		store_close(s);
	}
}
END_TEST

START_TEST(a_link_leads_to_its_file)
{
	char link[128];
	struct stat st;

	(void)snprintf(link, sizeof(link), "%s/link.db", folder);
	ck_assert_int_eq(symlink("t.db", link), 0);
	if (_i == 1)
		fill();
	(void)snprintf(path, sizeof(path), "%s", link);
	if (_i == 0)
		expect_failure(STORE_READ, "there is no database");
	fill();
	expect_filled(STORE_READ);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	(void)snprintf(path, sizeof(path), "%s/t.db", folder);
	expect_filled(STORE_READ);
}
END_TEST

/* Another program that keeps the whole file for itself until it is told to end. */
static pid_t
start_locker(int *pipe_end)
{
	int ends[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		sqlite3 *db;

		if (sqlite3_open(path, &db) == SQLITE_OK &&
		    sqlite3_exec(db,
			"PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;"
			"CREATE TABLE other (a)",
			NULL, NULL, NULL) == SQLITE_OK &&
		    write(ends[1], "x", 1) == 1)
			(void)pause();
		_exit(0);
	}
	(void)close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	*pipe_end = ends[0];
	return pid;
}

/* Opens a locked database in a process of its own, which ends with 0 when that is said. */
static pid_t
start_waiter(enum store_mode mode)
{
	struct error err = { "" };
	struct store *s;
	pid_t pid = fork();

	if (pid != 0) {
		ck_assert_int_gt(pid, 0);
		return pid;
	}
	s = store_open(path, mode, &err);
	_exit(s == NULL && strstr(err.text, "another program has locked it") != NULL ? 0 : 1);
}

START_TEST(a_lock_is_waited_for_and_then_named)
{
	struct timespec begin, end;
	pid_t locker, waiters[2];
	int pipe_end;

	fill();
	locker = start_locker(&pipe_end);
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	waiters[0] = start_waiter(STORE_READ);
	waiters[1] = start_waiter(STORE_WRITE);
	for (int i = 0; i < 2; i++) {
		int status;

		ck_assert_int_eq(waitpid(waiters[i], &status, 0), waiters[i]);
		ck_assert_int_eq(status, 0);
		(void)clock_gettime(CLOCK_MONOTONIC, &end);
		ck_assert_int_ge(end.tv_sec - begin.tv_sec, STORE_BUSY_TIMEOUT_MS / 1000 - 1);
	}
	ck_assert_int_le(end.tv_sec - begin.tv_sec, 2 * STORE_BUSY_TIMEOUT_MS / 1000 - 2);
	(void)kill(locker, SIGKILL);
	ck_assert_int_eq(waitpid(locker, NULL, 0), locker);
	(void)close(pipe_end);
	expect_filled(STORE_READ);
}
END_TEST

START_TEST(several_processes_may_make_the_same_database)
{
	pid_t pids[6];

	for (int i = 0; i < ROWS(pids); i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			struct error err;
			struct store *s = store_open(path, STORE_WRITE, &err);
			int64_t id;
			int status = s != NULL && store_sensor(s, "here", &id, &err) == 0 ? 0 : 1;

			if (status != 0)
				(void)fprintf(stderr, "%s\n", err.text);
			store_close(s);
			_exit(status);
		}
	}
	for (int i = 0; i < ROWS(pids); i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_str_eq(sql("SELECT count(*) FROM sensor"), "1");
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, an_unreadable_file_is_named_with_the_reason);
	tcase_add_test(tc, a_read_only_file_is_read_but_not_written);
	tcase_add_test(tc, in_a_read_only_folder_no_database_is_made);
	tcase_add_test(tc, a_database_in_a_read_only_folder_cannot_be_written);
	tcase_add_loop_test(
	    tc, any_name_is_a_name_also_in_a_read_only_folder, 0, 2 * ROWS(odd_names));
	tcase_add_test(tc, a_log_that_cannot_be_read_is_not_passed_over_in_silence);
	tcase_add_loop_test(tc, what_a_killed_writer_had_flushed_is_there, 0, 2);
	tcase_add_loop_test(tc, what_a_killed_writer_had_not_finished_is_taken_back, 0, 2);
	tcase_add_test(tc, a_new_file_is_for_its_owner_and_group);
	tcase_add_loop_test(tc, a_link_leads_to_its_file, 0, 2);
	tcase_add_test(tc, a_lock_is_waited_for_and_then_named);
	tcase_add_test(tc, several_processes_may_make_the_same_database);
}

SUITE_MAIN("store_open_access")
