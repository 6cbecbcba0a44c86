#include "suite.h"

#include <stdio.h>

#include "base/digits.h"

#include "base/banned.h"

START_TEST(numbers_below_a_hundred_have_two_digits)
{
	char out[3] = "", wanted[3];

	for (unsigned value = 0; value < 100; value++) {
		*digits_put_two(out, value) = '\0';
		(void)snprintf(wanted, sizeof(wanted), "%02u", value % 100);
		ck_assert_str_eq(out, wanted);
	}
}
END_TEST

START_TEST(small_numbers_have_as_many_as_they_need)
{
	char out[4] = "", wanted[4];

	for (unsigned value = 0; value < 1000; value++) {
		*digits_put_small(out, value) = '\0';
		(void)snprintf(wanted, sizeof(wanted), "%u", value % 1000);
		ck_assert_str_eq(out, wanted);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, numbers_below_a_hundred_have_two_digits);
	tcase_add_test(tc, small_numbers_have_as_many_as_they_need);
}

SUITE_MAIN("base_digits")
