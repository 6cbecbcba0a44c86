#include <string.h>
#include <sys/resource.h>

#include "daemon/open_files.h"
#include "suite.h"

#include "base/banned.h"

static void
limit_to(rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static rlim_t
soft_limit(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur;
}

START_TEST(what_is_enough_stays)
{
	struct error err;

	limit_to(40, 60);
	ck_assert_int_eq(open_files_allow(40, &err), 0);
	ck_assert_uint_eq(soft_limit(), 40);
}
END_TEST

START_TEST(the_soft_limit_is_raised_up_to_the_hard_one)
{
	struct error err;

	limit_to(40, 60);
	ck_assert_int_eq(open_files_allow(60, &err), 0);
	ck_assert_uint_eq(soft_limit(), 60);
}
END_TEST

START_TEST(a_hard_limit_that_is_too_low_is_told)
{
	struct error err = { "" };

	limit_to(40, 60);
	ck_assert_int_eq(open_files_allow(61, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "60 files may be open at once, and 61 are needed"));
	ck_assert_uint_eq(soft_limit(), 40);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_enough_stays);
	tcase_add_test(tc, the_soft_limit_is_raised_up_to_the_hard_one);
	tcase_add_test(tc, a_hard_limit_that_is_too_low_is_told);
}

SUITE_MAIN("daemon_open_files")
