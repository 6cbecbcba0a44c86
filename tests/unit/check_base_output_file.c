#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/output_file.h"
#include "base/timestamp.h"
#include "store_fixture.h"

#include "base/banned.h"

/* "folder/name", good until the next call but one. */
static const char *
in_folder(const char *name)
{
	static char text[2][512];
	static int turn;

	turn = 1 - turn;
	(void)snprintf(text[turn], sizeof(text[turn]), "%s/%s", folder, name);
	return text[turn];
}

static const char *
content_of(const char *file)
{
	static char text[256];
	FILE *in = fopen(file, "re");
	size_t len;

	if (in == NULL)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, in);
	text[len] = '\0';
	(void)fclose(in);
	return text;
}

static void
write_file(const char *file, const char *content)
{
	struct error err = { "" };

	ck_assert_msg(output_file_write(file, span_from_text(content), &err) == 0, "%s", err.text);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in the folder in order, "a b c"; good until the next call. */
static const char *
listing(void)
{
	static struct buf out;
	char *names[64];
	size_t count = 0;
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			names[count++] = xstrdup(entry->d_name);
		ck_assert_uint_lt(count, 64);
	}
	(void)closedir(dir);
	qsort(names, count, sizeof(names[0]), compare);
	buf_clear(&out);
	for (size_t i = 0; i < count; i++) {
		buf_addf(&out, "%s%s", i > 0 ? " " : "", names[i]);
		free(names[i]);
	}
	return buf_text(&out);
}

START_TEST(file_is_replaced_and_nothing_else_is_left)
{
	write_file(in_folder("a"), "one");
	ck_assert_str_eq(content_of(in_folder("a")), "one");
	write_file(in_folder("a"), "");
	ck_assert_str_eq(content_of(in_folder("a")), "");
	write_file(in_folder("a"), "three");
	ck_assert_str_eq(content_of(in_folder("a")), "three");
	ck_assert_str_eq(listing(), "a");
}
END_TEST

START_TEST(permissions_of_the_old_file_stay)
{
	struct stat st;

	write_file(in_folder("a"), "one");
	ck_assert_int_eq(chmod(in_folder("a"), 0604), 0);
	write_file(in_folder("a"), "two");
	ck_assert_int_eq(stat(in_folder("a"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0604);
}
END_TEST

START_TEST(new_file_follows_the_mask)
{
	mode_t old = umask(027);
	struct stat st;

	write_file(in_folder("a"), "one");
	(void)umask(old);
	ck_assert_int_eq(stat(in_folder("a"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(link_stays_a_link)
{
	struct stat st;

	write_file(in_folder("a"), "one");
	ck_assert_int_eq(symlink("a", in_folder("b")), 0);
	write_file(in_folder("b"), "two");
	ck_assert_str_eq(content_of(in_folder("a")), "two");
	ck_assert_int_eq(lstat(in_folder("b"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(link_stays_a_link_where_its_file_is_not_there_yet)
{
	struct stat st;

	ck_assert_int_eq(mkdir(in_folder("d"), 0700), 0);
	ck_assert_int_eq(symlink("d/b", in_folder("a")), 0);
	ck_assert_int_eq(symlink("c", in_folder("d/b")), 0);
	ck_assert_int_eq(symlink(in_folder("d/e"), in_folder("d/c")), 0);
	write_file(in_folder("a"), "new");
	ck_assert_int_eq(lstat(in_folder("d/e"), &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_str_eq(content_of(in_folder("a")), "new");
	ck_assert_str_eq(listing(), "a d");
}
END_TEST

START_TEST(device_is_written_to_and_not_replaced)
{
	struct stat st;

	write_file("/dev/null", "one");
	ck_assert_int_eq(stat("/dev/null", &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
}
END_TEST

START_TEST(a_name_may_be_as_long_as_the_system_lets_it)
{
	char name[NAME_MAX + 2] = "";
	struct error err;

	for (size_t len = NAME_MAX - 9; len <= NAME_MAX; len++) {
		memset(name, 'n', len);
		ck_assert_int_eq(
		    output_file_write(in_folder(name), span_from_text("one"), &err), 0);
		ck_assert_str_eq(listing(), name);
		ck_assert_int_eq(unlink(in_folder(name)), 0);
	}
	memset(name, 'n', NAME_MAX + 1);
	ck_assert_int_eq(output_file_write(in_folder(name), span_from_text("one"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, strerror(ENAMETOOLONG)));
	ck_assert_str_eq(listing(), "");
}
END_TEST

START_TEST(what_cannot_be_written_is_named_and_leaves_nothing)
{
	static const char *const names[] = { "", "no/such/file", "folder" };
	struct error err = { "" };
	const char *name = _i == 0 ? "" : in_folder(names[_i]);

	ck_assert_int_eq(mkdir(in_folder("folder"), 0700), 0);
	ck_assert_int_eq(output_file_write(name, span_from_text("one"), &err), -1);
	ck_assert_str_ne(err.text, "");
	ck_assert(_i == 0 || strstr(err.text, name) != NULL);
	ck_assert_str_eq(listing(), "folder");
}
END_TEST

START_TEST(database_and_what_is_kept_beside_it_are_not_replaced)
{
	static const char magic[] = "SQLite format 3";
	static const char *const beside[] = { "tlstally.db", "tlstally.db-wal", "tlstally.db-shm",
		"tlstally.db-journal" };
	const char *file = in_folder("tlstally.db"), *given = in_folder(beside[_i]);
	struct error err = { "" };
	FILE *out = fopen(file, "we");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(magic, 1, sizeof(magic), out), sizeof(magic));
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(output_file_write(given, span_from_text("one"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, given));
	ck_assert_str_eq(content_of(file), magic);
	ck_assert_str_eq(listing(), "tlstally.db");
	/* The same ending without a database is a name as any other. */
	ck_assert_int_eq(unlink(file), 0);
	write_file(in_folder("tlstally.db-wal"), "one");
}
END_TEST

/* One file a day from 2026-11-19 on. */
static int
write_day(int day, size_t keep, const char *ending)
{
	struct error err = { "" };
	int rc = output_file_write_dated(folder, DAY + day * USEC_PER_DAY + 3661 * SECOND + 999999,
	    ending, keep, span_from_text("x"), &err);

	ck_assert_msg(rc == 0, "%s", err.text);
	return rc;
}

START_TEST(oldest_go_when_there_are_more_than_wanted)
{
	for (int day = 0; day < 4; day++)
		write_day(day, 2, "csv");
	ck_assert_str_eq(listing(), "tlstally-20261121T010101Z.csv tlstally-20261122T010101Z.csv");
	write_day(4, 1, "csv");
	ck_assert_str_eq(listing(), "tlstally-20261123T010101Z.csv");
	write_day(5, 0, "csv");
	write_day(6, 3, "csv");
	ck_assert_str_eq(listing(), "tlstally-20261123T010101Z.csv tlstally-20261124T010101Z.csv "
				    "tlstally-20261125T010101Z.csv");
}
END_TEST

START_TEST(only_files_of_the_pattern_and_ending_go)
{
	static const char *const others[] = { "tlstally-20001121T010101Z.csv.bak",
		"tlstally-20001121T010101Z.json", "tlstally-2000112aT010101Z.csv",
		"tlstally-20001121T010101Z", "tlstally-20001121T010101Zxcsv", "tlstally-.csv",
		"a-tlstally-20001121T010101Z.csv", "tlstally.db" };
	const size_t count = sizeof(others) / sizeof(others[0]);

	for (size_t i = 0; i < count; i++)
		write_file(in_folder(others[i]), "mine");
	ck_assert_int_eq(mkdir(in_folder("tlstally-20001121T010102Z.csv"), 0700), 0);
	ck_assert_int_eq(symlink("tlstally.db", in_folder("tlstally-20001121T010103Z.csv")), 0);
	write_file(in_folder("tlstally-20001121T010104Z.csv"), "ours");
	write_day(0, 1, "csv");
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(content_of(in_folder(others[i])), "mine");
	ck_assert_int_eq(access(in_folder("tlstally-20001121T010102Z.csv"), F_OK), 0);
	ck_assert_int_eq(access(in_folder("tlstally-20001121T010103Z.csv"), F_OK), 0);
	ck_assert_ptr_null(content_of(in_folder("tlstally-20001121T010104Z.csv")));
	ck_assert_str_eq(content_of(in_folder("tlstally-20261119T010101Z.csv")), "x");
}
END_TEST

START_TEST(newest_stays_when_the_clock_was_set_back)
{
	write_day(10, 2, "csv");
	write_day(11, 2, "csv");
	write_day(0, 2, "csv");
	ck_assert_str_eq(listing(), "tlstally-20261119T010101Z.csv tlstally-20261130T010101Z.csv");
}
END_TEST

START_TEST(folder_that_is_not_there_is_named)
{
	struct error err = { "" };

	ck_assert_int_eq(
	    output_file_write_dated("/no/such/folder", DAY, "csv", 1, span_from_text("x"), &err),
	    -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/no/such/folder"));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, file_is_replaced_and_nothing_else_is_left);
	tcase_add_test(tc, permissions_of_the_old_file_stay);
	tcase_add_test(tc, new_file_follows_the_mask);
	tcase_add_test(tc, link_stays_a_link);
	tcase_add_test(tc, link_stays_a_link_where_its_file_is_not_there_yet);
	tcase_add_test(tc, device_is_written_to_and_not_replaced);
	tcase_add_loop_test(tc, database_and_what_is_kept_beside_it_are_not_replaced, 0, 4);
	tcase_add_test(tc, a_name_may_be_as_long_as_the_system_lets_it);
	tcase_add_loop_test(tc, what_cannot_be_written_is_named_and_leaves_nothing, 0, 3);
	tcase_add_test(tc, oldest_go_when_there_are_more_than_wanted);
	tcase_add_test(tc, only_files_of_the_pattern_and_ending_go);
	tcase_add_test(tc, newest_stays_when_the_clock_was_set_back);
	tcase_add_test(tc, folder_that_is_not_there_is_named);
}

SUITE_MAIN("base_output_file")
