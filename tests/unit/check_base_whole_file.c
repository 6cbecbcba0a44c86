#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/whole_file.h"
#include "suite.h"

#include "base/banned.h"

/* Longer than what is read at once. */
#define LONG_LEN ((size_t)200000)

static char path[64];

static void
make_file(void)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/check_whole_file.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	(void)close(fd);
}

static void
remove_file(void)
{
	(void)unlink(path);
}

START_TEST(a_file_is_read_behind_what_is_there)
{
	struct buf out = { 0 };

	buf_add_text(&out, "so: ");
	ck_assert_int_eq(whole_file_read(path, 100, &out), 0);
	ck_assert_str_eq(buf_text(&out), "so: 0123456789");
	buf_release(&out);
}
END_TEST

START_TEST(a_file_may_be_as_long_as_the_limit_and_no_longer)
{
	struct buf out = { 0 };

	ck_assert_int_eq(whole_file_read(path, 10, &out), 0);
	buf_clear(&out);
	ck_assert_int_eq(whole_file_read(path, 9, &out), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_str_eq(buf_text(&out), "0123456789");
	buf_release(&out);
}
END_TEST

START_TEST(why_a_file_cannot_be_read_is_told)
{
	struct buf out = { 0 };

	ck_assert_int_eq(whole_file_read("/nonexistent/file", 9, &out), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(whole_file_read("/", 9, &out), -1);
	ck_assert_int_eq(errno, EISDIR);
	buf_release(&out);
}
END_TEST

START_TEST(a_long_file_is_read_whole)
{
	struct buf out = { 0 }, in = { 0 };
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	while (in.len < LONG_LEN)
		buf_add_u64(&in, in.len);
	ck_assert_uint_eq(fwrite(in.data, 1, in.len, file), in.len);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(whole_file_read(path, in.len, &out), 0);
	ck_assert_uint_eq(out.len, in.len);
	ck_assert_mem_eq(out.data, in.data, in.len);
	buf_clear(&out);
	ck_assert_int_eq(whole_file_read(path, in.len - 1, &out), -1);
	ck_assert_int_eq(errno, EFBIG);
	buf_release(&in);
	buf_release(&out);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_file, remove_file);
	tcase_add_test(tc, a_file_is_read_behind_what_is_there);
	tcase_add_test(tc, a_file_may_be_as_long_as_the_limit_and_no_longer);
	tcase_add_test(tc, why_a_file_cannot_be_read_is_told);
	tcase_add_test(tc, a_long_file_is_read_whole);
}

SUITE_MAIN("base_whole_file")
