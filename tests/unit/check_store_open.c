#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "store_files.h"
#include "store_fixture.h"

#include "base/banned.h"

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

START_TEST(a_larger_cache_changes_nothing_that_is_written)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;

	ck_assert_int_eq(store_set_cache_len(s, 4 * STORE_CACHE_KIB, &err), 0);
	flush_event(s, &ev);
	store_close(s);
	expect_filled(STORE_READ);
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

START_TEST(a_stream_is_no_database)
{
	(void)snprintf(path, sizeof(path), "-");
	expect_failure(
	    _i == 0 ? STORE_READ : STORE_WRITE, "standard output; give the name of a file");
}
END_TEST

START_TEST(a_path_may_be_as_long_as_sqlite_lets_it)
{
	char name[506], *ends[2];
	struct error err = { "" };
	size_t len = strlen(folder);
	struct store *s;

	memset(name, 'd', sizeof(name));
	memcpy(name, folder, len);
	name[len] = '/';
	for (int i = 0; i < 2; i++) {
		ends[i] = name + len + (size_t)(i + 1) * 200;
		*ends[i] = '\0';
		ck_assert_int_eq(mkdir(name, 0700), 0);
		*ends[i] = '/';
	}
	name[504] = '\0';
	s = store_open(name, STORE_WRITE, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	store_close(s);
	ck_assert_int_eq(unlink(name), 0);
	name[504] = 'd';
	name[505] = '\0';
	ck_assert_ptr_null(store_open(name, _i == 0 ? STORE_READ : STORE_WRITE, &err));
	ck_assert_msg(strstr(err.text, "longer than the 504 bytes") != NULL, "%s", err.text);
	ck_assert_int_ne(access(name, F_OK), 0);
	for (int i = 1; i >= 0; i--) {
		*ends[i] = '\0';
		ck_assert_int_eq(rmdir(name), 0);
	}
}
END_TEST

START_TEST(too_few_descriptors_are_no_lack_of_permission)
{
	struct rlimit usual, none;

	fill();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = usual.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	expect_failure(_i == 0 ? STORE_READ : STORE_WRITE, strerror(EMFILE));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
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
	  "CREATE TABLE finding (id); CREATE TABLE client_state (id, findings)",
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

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, what_was_written_can_be_opened_again);
	tcase_add_test(tc, a_larger_cache_changes_nothing_that_is_written);
	tcase_add_test(tc, no_file_is_no_database_to_read);
	tcase_add_test(tc, a_folder_that_is_not_there_is_named_as_such);
	tcase_add_loop_test(tc, a_file_is_no_folder, 0, 2);
	tcase_add_loop_test(tc, a_folder_is_no_database, 0, 2);
	tcase_add_loop_test(tc, an_empty_name_is_no_database, 0, 2);
	tcase_add_loop_test(tc, too_few_descriptors_are_no_lack_of_permission, 0, 2);
	tcase_add_loop_test(tc, a_stream_is_no_database, 0, 2);
	tcase_add_loop_test(tc, a_path_may_be_as_long_as_sqlite_lets_it, 0, 2);
	tcase_add_loop_test(tc, a_pipe_or_a_device_is_no_database, 0, 2);
	tcase_add_loop_test(tc, a_name_that_is_too_long_is_refused, 0, 2);
	tcase_add_loop_test(
	    tc, a_file_of_another_kind_is_refused_and_left_alone, 0, ROWS(other_files));
	tcase_add_loop_test(
	    tc, a_database_that_is_not_ours_is_refused_and_left_alone, 0, ROWS(other_dbs));
	tcase_add_test(tc, an_empty_file_is_filled_by_a_writer_and_named_to_a_reader);
	tcase_add_test(tc, an_older_schema_is_migrated_by_a_writer_and_named_to_a_reader);
	tcase_add_test(tc, a_migration_that_fails_leaves_the_database_as_it_was);
}

SUITE_MAIN("store_open")
