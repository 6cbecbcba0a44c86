#include "suite.h"

#include <inttypes.h>
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

/* Around each power of ten, and some in between. */
static uint32_t
number_below_1e8(int i)
{
	uint32_t power = 1;

	for (int k = 0; k < i / 3 % 8; k++)
		power *= 10;
	return i < 24 ? power * 10 + (uint32_t)(i % 3) - 2
		      : (uint32_t)i * UINT32_C(982451) % 100000000;
}

START_TEST(eight_digits_are_put_at_once_and_read_back)
{
	char out[9] = "", wanted[9];

	for (int i = 0; i < 2000; i++) {
		uint32_t value = number_below_1e8(i) % 100000000, again = 1;

		*digits_put_eight(out, value) = '\0';
		(void)snprintf(wanted, sizeof(wanted), "%08" PRIu32, value);
		ck_assert_str_eq(out, wanted);
		ck_assert(digits_take_eight(out, &again));
		ck_assert_uint_eq(again, value);
	}
}
END_TEST

START_TEST(up_to_eight_digits_have_no_leading_zeros)
{
	char out[9] = "", wanted[9];

	for (int i = 0; i < 2000; i++) {
		uint32_t value = number_below_1e8(i) % 100000000;

		*digits_put_up_to_eight(out, value) = '\0';
		(void)snprintf(wanted, sizeof(wanted), "%" PRIu32, value);
		ck_assert_str_eq(out, wanted);
	}
	*digits_put_up_to_eight(out, 0) = '\0';
	ck_assert_str_eq(out, "0");
}
END_TEST

START_TEST(a_byte_that_is_no_digit_is_told_at_each_place)
{
	uint32_t value;

	for (int place = 0; place < 8; place++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[9] = "12345678";

			text[place] = (char)byte;
			ck_assert(digits_take_eight(text, &value) == (byte >= '0' && byte <= '9'));
		}
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, numbers_below_a_hundred_have_two_digits);
	tcase_add_test(tc, small_numbers_have_as_many_as_they_need);
	tcase_add_test(tc, eight_digits_are_put_at_once_and_read_back);
	tcase_add_test(tc, up_to_eight_digits_have_no_leading_zeros);
	tcase_add_test(tc, a_byte_that_is_no_digit_is_told_at_each_place);
}

SUITE_MAIN("base_digits")
