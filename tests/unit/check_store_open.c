#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "store_fixture.h"

#include "base/banned.h"

/* Opens what cannot be opened, and expects a sentence with the path and `part` in it. */
static void
expect_failure(enum store_mode mode, const char *part)
{
	struct error err = { "" };
	struct store *s = store_open(path, mode, &err);

	ck_assert_msg(s == NULL, "opened %s", path);
	ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, part) != NULL, "%s", err.text);
	ck_assert_int_ne(err.text[strlen(err.text) - 1], '.');
}

static void
write_file(const char *name, const void *data, size_t len)
{
	FILE *file = fopen(name, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static size_t
read_file(const char *name, uint8_t *out, size_t room)
{
	FILE *file = fopen(name, "rb");
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(out, 1, room, file);
	ck_assert_int_eq(fclose(file), 0);
	return len;
}

/* A database of another program, or anything else that SQL can make. */
static void
make_db(const char *statements)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void
fill(void)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	flush_event(s, &ev);
	store_close(s);
}

static void
expect_filled(enum store_mode mode)
{
	struct store *s = open_store(mode);
	struct buf out = { 0 };

	dump_store(s, &out);
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "mail.example"));
	buf_release(&out);
	store_close(s);
}

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

START_TEST(what_was_written_can_be_opened_again)
{
	fill();
	expect_filled(STORE_READ);
	expect_filled(STORE_WRITE);
	expect_filled(STORE_READ);
	ck_assert_str_eq(sql("PRAGMA application_id"), "1414288212");
	ck_assert_str_eq(sql("PRAGMA user_version"), "1");
	ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal");
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
}
END_TEST

START_TEST(no_file_is_no_database_to_read)
{
	expect_failure(STORE_READ, "there is no database");
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named_as_such)
{
	(void)snprintf(path, sizeof(path), "%s/none/t.db", folder);
	expect_failure(STORE_WRITE, "its folder does not exist");
	expect_failure(STORE_READ, "there is no database");
}
END_TEST

START_TEST(a_file_is_no_folder)
{
	char file[128];

	(void)snprintf(file, sizeof(file), "%s/file", folder);
	write_file(file, "x", 1);
	(void)snprintf(path, sizeof(path), "%s/file/t.db", folder);
	expect_failure(_i == 0 ? STORE_READ : STORE_WRITE, strerror(ENOTDIR));
}
END_TEST

START_TEST(a_folder_is_no_database)
{
	(void)snprintf(path, sizeof(path), "%s", folder);
	expect_failure(_i == 0 ? STORE_READ : STORE_WRITE, "is a folder");
}
END_TEST

START_TEST(an_empty_name_is_no_database)
{
	path[0] = '\0';
	expect_failure(_i == 0 ? STORE_READ : STORE_WRITE, "is empty; give the name");
}
END_TEST

START_TEST(a_pipe_or_a_device_is_no_database)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_failure(_i == 0 ? STORE_READ : STORE_WRITE, "is no ordinary file");
	(void)snprintf(path, sizeof(path), "/dev/null");
	expect_failure(_i == 0 ? STORE_READ : STORE_WRITE, "is no ordinary file");
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
{
	char name[5001];

	for (size_t len = 300; len <= 5000; len += 4700) {
		struct error err = { "" };

		memset(name, 'n', len);
		name[0] = '/';
		name[len] = '\0';
		ck_assert_ptr_null(store_open(name, _i == 0 ? STORE_READ : STORE_WRITE, &err));
		ck_assert_msg(strstr(err.text, "nnnn") != NULL, "%s", err.text);
	}
}
END_TEST

/* Longer than SQLite's header, so that it looks. */
static const char text_file[] =
    "This is a text and no database at all, but it is long enough to be looked at in full: "
    "a hundred bytes are SQLite's header, and this is more than that.";

static const struct {
	const char *name;
	const void *data;
	size_t len;
} other_files[] = {
	{ "text", text_file, sizeof(text_file) },
	{ "short text", "x", 1 },
	{ "header only", "SQLite format 3", 16 },
	{ "pcap", "\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0", 24 },
};

START_TEST(a_file_of_another_kind_is_refused_and_left_alone)
{
	uint8_t after[512];

	write_file(path, other_files[_i].data, other_files[_i].len);
	expect_failure(STORE_READ, path);
	expect_failure(STORE_WRITE, path);
	ck_assert_uint_eq(read_file(path, after, sizeof(after)), other_files[_i].len);
	ck_assert_mem_eq(after, other_files[_i].data, other_files[_i].len);
}
END_TEST

static const struct {
	const char *statements, *part;
} other_dbs[] = {
	{ "CREATE TABLE t (a)", "another program" },
	{ "CREATE TABLE t (a); PRAGMA user_version = 1", "another program" },
	{ "PRAGMA user_version = 7; CREATE TABLE t (a); DROP TABLE t", "another program" },
	{ "PRAGMA application_id = 252006674; CREATE TABLE t (a)", "another program" },
	{ "PRAGMA application_id = 1; CREATE TABLE t (a); DROP TABLE t", "another program" },
	{ "PRAGMA application_id = 1414288212; PRAGMA user_version = 2; CREATE TABLE t (a)",
	    "newer tlstally (schema 2, this one knows 1)" },
	{ "PRAGMA application_id = 1414288212; PRAGMA user_version = 1;"
	  "CREATE TABLE finding (id); CREATE TABLE client_state (id)",
	    "from before the first release" },
	{ "PRAGMA application_id = 1414288212; PRAGMA user_version = 2147483647;"
	  "CREATE TABLE t (a)",
	    "newer tlstally" },
};

START_TEST(a_database_that_is_not_ours_is_refused_and_left_alone)
{
	static uint8_t before[65536], after[65536];
	size_t len;

	make_db(other_dbs[_i].statements);
	len = read_file(path, before, sizeof(before));
	expect_failure(STORE_READ, other_dbs[_i].part);
	expect_failure(STORE_WRITE, other_dbs[_i].part);
	ck_assert_uint_eq(read_file(path, after, sizeof(after)), len);
	ck_assert_mem_eq(before, after, len);
}
END_TEST

START_TEST(an_empty_file_is_filled_by_a_writer_and_named_to_a_reader)
{
	write_file(path, "", 0);
	expect_failure(STORE_READ, "is empty");
	fill();
	expect_filled(STORE_READ);
}
END_TEST

START_TEST(an_older_schema_is_migrated_by_a_writer_and_named_to_a_reader)
{
	/* Schema 0 is a database that is marked as ours and has nothing in it yet. */
	make_db("PRAGMA application_id = 1414288212; CREATE TABLE t (a); DROP TABLE t");
	expect_failure(STORE_READ, "older tlstally");
	fill();
	expect_filled(STORE_READ);
	ck_assert_str_eq(sql("PRAGMA user_version"), "1");
}
END_TEST

START_TEST(a_migration_that_fails_leaves_the_database_as_it_was)
{
	/* A table of the schema is there already. */
	make_db("PRAGMA application_id = 1414288212; CREATE TABLE run (a)");
	expect_failure(STORE_WRITE, "already exists");
	ck_assert_str_eq(sql("SELECT name FROM sqlite_master"), "run");
	ck_assert_str_eq(sql("PRAGMA user_version"), "0");
}
END_TEST

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

static bool
ignore_run(void *arg, const struct store_run *run)
{
	size_t *total = arg;

	*total += strlen(run->sensor) + strlen(run->command);
	for (size_t i = 0; i < run->counter_count; i++)
		*total += strlen(run->counters[i].name);
	for (size_t i = 0; i < run->source_count; i++)
		*total += strlen(run->sources[i].name);
	return true;
}

/* Reads and writes a file that may be damaged anywhere.  Failing is fine; a sentence is due. */
static void
use_damaged(void)
{
	struct error err = { "" };
	struct buf out = { 0 };
	struct store *s = store_open(path, STORE_READ, &err);
	size_t total = 0;
	int64_t id;

	if (s != NULL) {
		if (store_each_client(s, NULL, dump_one_client, &out, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (store_each_finding(s, NULL, dump_one_finding, &out, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (store_each_day(s, NULL, dump_one_day, &out, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (store_each_run(s, NULL, ignore_run, &total, &err) != 0)
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		store_close(s);
	} else {
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
	}
	s = store_open(path, STORE_WRITE, &err);
	if (s != NULL && store_sensor(s, "here", &id, &err) == 0) {
		struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
		struct tally *t = tally_new(NULL);

		store_set_judge(s, judge_by_policy, NULL);
		ck_assert(tally_add(t, &ev));
		if (store_flush(s, id, t, NULL, &err) != 0) {
			ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
			ck_assert_uint_eq(tally_event_count(t), 1);
		}
		tally_free(t);
	}
	store_close(s);
	buf_release(&out);
}

static size_t
fill_with_much(uint8_t *out, size_t room)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_counter counter = { "gaps", 3 };
	struct store_source source = { .name = "a.pcap", .has_identity = true };
	struct store_run run = { .command = "replay",
		.counters = &counter,
		.counter_count = 1,
		.sources = &source,
		.source_count = 1 };
	struct tally *t = tally_new(NULL);
	uint64_t state = 9;

	for (int i = 0; i < 400; i++) {
		struct event ev = random_event(&state, DAY + i * HOUR);

		ck_assert(tally_add(t, &ev));
	}
	flush(s, t, &run);
	tally_free(t);
	store_close(s);
	return read_file(path, out, room);
}

static void
remove_files(void)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal" };
	char name[300];

	for (int i = 0; i < ROWS(tails); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		(void)unlink(name);
	}
}

START_TEST(a_damaged_file_is_no_reason_to_crash)
{
	static uint8_t good[1 << 20], bad[1 << 20];
	size_t len = fill_with_much(good, sizeof(good));
	uint64_t state = 0x9e3779b97f4a7c15 + (uint64_t)_i;

	ck_assert_uint_gt(len, 8192);
	ck_assert_uint_lt(len, sizeof(good));
	for (int round = 0; round < 12; round++) {
		/* A few bits, a block of noise, or another page's content. */
		memcpy(bad, good, len);
		for (int i = 0; i < 40 && round % 3 == 0; i++)
			bad[100 + next_random(&state) % (len - 100)] ^=
			    (uint8_t)(1u << next_random(&state) % 8);
		for (size_t i = 0, at = next_random(&state) % (len - 64); i < 64 && round % 3 == 1;
		     i++)
			bad[at + i] = (uint8_t)next_random(&state);
		if (round % 3 == 2)
			memcpy(bad + 4096 * (next_random(&state) % (len / 4096)),
			    good + 4096 * (next_random(&state) % (len / 4096)), 4096);
		remove_files();
		write_file(path, bad, len);
		use_damaged();
	}
}
END_TEST

START_TEST(a_file_that_is_cut_short_is_no_reason_to_crash)
{
	static uint8_t good[1 << 20];
	size_t len = fill_with_much(good, sizeof(good));

	for (size_t cut = 0; cut < len; cut += cut < 200 ? 50 : 3000) {
		remove_files();
		write_file(path, good, cut);
		use_damaged();
	}
}
END_TEST

/* Moves it into a row of its own. */
#define FINDING_APART                                                                              \
	"INSERT INTO finding SELECT id << 32 | 1, 1, 1, first_us, last_us, 2, 0"                   \
	" FROM client_state; UPDATE client_state SET findings = NULL, marks = marks | 1 << 24; "

START_TEST(values_that_no_tlstally_writes_are_damage)
{
	static const char *const changes[] = {
		"UPDATE kind SET way = way | 99 << 24",
		"UPDATE kind SET way = -1",
		"UPDATE kind SET way = way | 255 << 16",
		"UPDATE kind SET way = way | 255 << 8",
		"UPDATE kind SET service = service | 255 << 8",
		"UPDATE kind SET service = service | 255",
		"UPDATE kind SET service = 1 << 40",
		"UPDATE kind SET service = -1",
		FINDING_APART "UPDATE finding SET judged = 1 << 11",
		FINDING_APART "UPDATE finding SET judged = -1",
		"UPDATE client_state SET findings = substr(findings, 1, 18) || 9999 ||"
		" substr(findings, 23)",
		"UPDATE client_state SET findings = NULL, marks = marks | 1 << 24;"
		"DELETE FROM kind; UPDATE client_state SET findings = '[\"00000001\"]'",
		"UPDATE client_state SET findings = replace(findings, '\"', '\"-')",
		"UPDATE client_state SET findings = '[' || findings",
		"UPDATE client_state SET findings = substr(findings, 1, length(findings) - 1)",
		"UPDATE client_state SET findings = replace(findings, '\"]', '')",
		"UPDATE client_state SET findings = substr(findings, 1, 20) || '\"]'",
		"UPDATE client_state SET findings = replace(findings, ']', ' 1]')",
		"UPDATE client_state SET days = replace(days, '\"]', 'x\"]')",
		"UPDATE client_state SET days = '[\"99999999999' || '1\"]'",
		"UPDATE client_state SET hour = '1'",
		"UPDATE story SET server_ip = 'nowhere'",
		"UPDATE client SET ip = 'nowhere'",
		"UPDATE client_state SET marks = -1",
	};
	struct error err = { "" };
	struct buf out = { 0 };
	struct store *s;

	fill();
	make_db(changes[_i]);
	s = open_store(STORE_READ);
	ck_assert_int_eq(store_each_finding(s, NULL, dump_one_finding, &out, &err), -1);
	ck_assert_msg(strstr(err.text, "is damaged") != NULL, "%s", err.text);
	buf_release(&out);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, what_was_written_can_be_opened_again);
	tcase_add_test(tc, no_file_is_no_database_to_read);
	tcase_add_test(tc, a_folder_that_is_not_there_is_named_as_such);
	tcase_add_loop_test(tc, a_file_is_no_folder, 0, 2);
	tcase_add_loop_test(tc, a_folder_is_no_database, 0, 2);
	tcase_add_loop_test(tc, an_empty_name_is_no_database, 0, 2);
	tcase_add_loop_test(tc, a_pipe_or_a_device_is_no_database, 0, 2);
	tcase_add_loop_test(tc, a_name_that_is_too_long_is_refused, 0, 2);
	tcase_add_loop_test(
	    tc, a_file_of_another_kind_is_refused_and_left_alone, 0, ROWS(other_files));
	tcase_add_loop_test(
	    tc, a_database_that_is_not_ours_is_refused_and_left_alone, 0, ROWS(other_dbs));
	tcase_add_test(tc, an_empty_file_is_filled_by_a_writer_and_named_to_a_reader);
	tcase_add_test(tc, an_older_schema_is_migrated_by_a_writer_and_named_to_a_reader);
	tcase_add_test(tc, a_migration_that_fails_leaves_the_database_as_it_was);
	tcase_add_test(tc, an_unreadable_file_is_named_with_the_reason);
	tcase_add_test(tc, a_read_only_file_is_read_but_not_written);
	tcase_add_test(tc, in_a_read_only_folder_no_database_is_made);
	tcase_add_test(tc, a_database_in_a_read_only_folder_cannot_be_written);
	tcase_add_loop_test(
	    tc, any_name_is_a_name_also_in_a_read_only_folder, 0, 2 * ROWS(odd_names));
	tcase_add_test(tc, a_log_that_cannot_be_read_is_not_passed_over_in_silence);
	tcase_add_loop_test(tc, what_a_killed_writer_had_flushed_is_there, 0, 2);
	tcase_add_test(tc, a_new_file_is_for_its_owner_and_group);
	tcase_add_loop_test(tc, a_link_leads_to_its_file, 0, 2);
	tcase_add_test(tc, a_lock_is_waited_for_and_then_named);
	tcase_add_test(tc, several_processes_may_make_the_same_database);
	tcase_add_loop_test(tc, a_damaged_file_is_no_reason_to_crash, 0, 6);
	tcase_add_test(tc, a_file_that_is_cut_short_is_no_reason_to_crash);
	tcase_add_loop_test(tc, values_that_no_tlstally_writes_are_damage, 0, 24);
}

SUITE_MAIN("store_open")
