#include "suite.h"

#include "base/error.h"

#include "base/banned.h"

START_TEST(what_is_set_is_the_text)
{
	struct error err = { 0 };

	error_set(&err, "cannot open %s: %d", "x.db", 7);
	ck_assert_str_eq(err.text, "cannot open x.db: 7");
	error_set(&err, "again");
	ck_assert_str_eq(err.text, "again");
}
END_TEST

START_TEST(each_layer_adds_what_it_knows_in_front)
{
	struct error err = { 0 };

	error_set(&err, "no such network");
	error_prefix(&err, "line %d", 12);
	error_prefix(&err, "%s", "tlstally.conf");
	ck_assert_str_eq(err.text, "tlstally.conf: line 12: no such network");
}
END_TEST

START_TEST(a_percent_sign_in_the_text_is_no_format)
{
	struct error err = { 0 };

	error_set(&err, "%s", "100%s%n");
	error_prefix(&err, "%s", "%d");
	ck_assert_str_eq(err.text, "%d: 100%s%n");
}
END_TEST

START_TEST(a_long_text_is_cut_and_ends)
{
	struct error err = { 0 };
	char text[2 * ERROR_TEXT_LEN];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, "%s", text);
	ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_LEN - 1);
	error_prefix(&err, "%s", "in front");
	ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_LEN - 1);
	ck_assert_int_eq(strncmp(err.text, "in front: xxx", 13), 0);
	error_prefix(&err, "%s", text);
	ck_assert_uint_eq(strlen(err.text), ERROR_TEXT_LEN - 1);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_set_is_the_text);
	tcase_add_test(tc, each_layer_adds_what_it_knows_in_front);
	tcase_add_test(tc, a_percent_sign_in_the_text_is_no_format);
	tcase_add_test(tc, a_long_text_is_cut_and_ends);
}

SUITE_MAIN("base_error")
