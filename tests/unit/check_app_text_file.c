#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/text_file.h"
#include "suite.h"

#include "base/banned.h"

START_TEST(a_pipe_is_a_stream_and_a_file_or_device_is_none)
{
	char path[] = "/tmp/check_text_file.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert(!text_file_is_stream(path));
	ck_assert(!text_file_is_stream("/dev/null"));
	ck_assert(!text_file_is_stream("/nonexistent/file"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert(text_file_is_stream(path));
	(void)unlink(path);
}
END_TEST

START_TEST(a_default_that_is_not_there_or_cannot_be_read_is_none)
{
	char path[] = "/tmp/check_text_file.XXXXXX", below[64];
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_ptr_eq(text_file_default(path), path);
	(void)snprintf(below, sizeof(below), "%s/below", path);
	ck_assert_ptr_null(text_file_default(below));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_null(text_file_default(path));
}
END_TEST

START_TEST(faults_beyond_those_that_are_shown_are_counted)
{
	struct text_file_faults faults = { .path = "owners.csv" };

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	for (unsigned i = 0; i < TEXT_FILE_FAULTS_SHOWN + 5; i++)
		text_file_log_fault(&faults, i, "is wrong");
	ck_assert_uint_eq(faults.count, TEXT_FILE_FAULTS_SHOWN + 5);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_pipe_is_a_stream_and_a_file_or_device_is_none);
	tcase_add_test(tc, a_default_that_is_not_there_or_cannot_be_read_is_none);
	tcase_add_test(tc, faults_beyond_those_that_are_shown_are_counted);
}

SUITE_MAIN("app_text_file")
