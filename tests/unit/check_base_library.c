#include "suite.h"

#include <math.h>
#include <string.h>

#include "base/library.h"

#include "base/banned.h"

#define MATHS_FUNCTIONS(f) f(floor) f(fmax)

struct maths {
	MATHS_FUNCTIONS(LIBRARY_POINTER)
};

static const char *const maths_names[] = { MATHS_FUNCTIONS(LIBRARY_NAME) };

START_TEST(each_function_is_found_by_its_name)
{
	struct maths maths = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(library_load("libm.so.6", maths_names, 2, &maths, &err), 0);
	ck_assert(maths.floor(2.5) == 2.0);
	ck_assert(maths.fmax(2.5, 4.0) == 4.0);
}
END_TEST

START_TEST(a_library_that_is_loaded_again_is_the_same)
{
	struct maths first = { 0 }, second = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(library_load("libm.so.6", maths_names, 2, &first, &err), 0);
	ck_assert_int_eq(library_load("libm.so.6", maths_names, 2, &second, &err), 0);
	ck_assert(first.floor == second.floor);
}
END_TEST

START_TEST(a_library_that_is_missing_is_named)
{
	struct maths maths = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(library_load("libnowhere.so.7", maths_names, 2, &maths, &err), -1);
	ck_assert_msg(strstr(err.text, "not installed") != NULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, "libnowhere.so.7") != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_function_that_is_missing_is_named)
{
	static const char *const names[] = { "floor", "tlstally_knows_no_such" };
	struct maths maths = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(library_load("libm.so.6", names, 2, &maths, &err), -1);
	ck_assert_msg(strstr(err.text, "another version") != NULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, "tlstally_knows_no_such") != NULL, "%s", err.text);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, each_function_is_found_by_its_name);
	tcase_add_test(tc, a_library_that_is_loaded_again_is_the_same);
	tcase_add_test(tc, a_library_that_is_missing_is_named);
	tcase_add_test(tc, a_function_that_is_missing_is_named);
}

SUITE_MAIN("base_library")
