#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/sole_capture.h"
#include "suite.h"

#include "base/banned.h"

static char name[32];

static void
set_up(void)
{
	(void)snprintf(name, sizeof(name), "eth%ld", (long)getpid());
}

START_TEST(the_same_is_claimed_once_until_it_is_given_up)
{
	int first = sole_capture_claim("/", "berlin", name), second;

	ck_assert_int_ge(first, 0);
	errno = 0;
	ck_assert_int_eq(sole_capture_claim("/", "berlin", name), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	(void)close(first);
	second = sole_capture_claim("/", "berlin", name);
	ck_assert_int_ge(second, 0);
	(void)close(second);
}
END_TEST

START_TEST(another_sensor_interface_or_database_is_another_one)
{
	int claims[] = {
		sole_capture_claim("/", "berlin", name),
		sole_capture_claim("/", "vienna", name),
		sole_capture_claim("/", "berlin", name + 1),
		sole_capture_claim("/dev/null", "berlin", name),
	};

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		ck_assert_int_ge(claims[i], 0);
		(void)close(claims[i]);
	}
}
END_TEST

START_TEST(a_database_that_is_not_there_is_claimed_by_nobody)
{
	ck_assert_int_eq(sole_capture_claim("/nonexistent/file", "berlin", name), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, the_same_is_claimed_once_until_it_is_given_up);
	tcase_add_test(tc, another_sensor_interface_or_database_is_another_one);
	tcase_add_test(tc, a_database_that_is_not_there_is_claimed_by_nobody);
}

SUITE_MAIN("daemon_sole_capture")
