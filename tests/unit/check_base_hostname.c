#include "suite.h"

#include <string.h>

#include "base/hostname.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	bool is_name, is_pattern;
} names[] = {
	{ "a", true, true },
	{ "imap.example.com", true, true },
	{ "_x.7-eleven.example", true, true },
	{ LABEL_63 ".example", true, true },
	{ "a" LABEL_63 ".example", false, false },
	{ LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, false, false },
	{ "*.example.com", false, true },
	{ "*", false, false },
	{ "*.", false, false },
	{ "*.*.example", false, false },
	{ "a.*.example", false, false },
	{ "", false, false },
	{ ".", false, false },
	{ "a.", false, false },
	{ ".a", false, false },
	{ "a..b", false, false },
	{ "A.example", false, false },
	{ "a b.example", false, false },
	{ "192.0.2.1", false, false },
	{ "b\xc3\xbcro.example", false, false },
};

START_TEST(a_host_name_is_told_from_what_is_none)
{
	ck_assert_msg(hostname_is_valid(names[_i].text) == names[_i].is_name, "%s", names[_i].text);
	ck_assert_msg(hostname_pattern_is_valid(names[_i].text) == names[_i].is_pattern, "%s",
	    names[_i].text);
}
END_TEST

START_TEST(case_goes_and_nothing_else)
{
	char name[] = "AZaz09-.@[\xc3\x84";

	hostname_to_lower(name);
	ck_assert_str_eq(name, "azaz09-.@[\xc3\x84");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_host_name_is_told_from_what_is_none, 0, ROWS(names));
	tcase_add_test(tc, case_goes_and_nothing_else);
}

SUITE_MAIN("base_hostname")
