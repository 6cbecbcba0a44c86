/* Wrapped text, durations, shares and numbers. */
#include <string.h>

#include "base/timestamp.h"
#include "report/phrase.h"
#include "report/terminal.h"
#include "suite.h"
#include "utf8_locale.h"

#include "base/banned.h"

static const struct {
	const char *text;
	size_t indent, width;
	const char *lines;
} wrapped[] = {
	{ "", 4, 10, "\n" },
	{ "one two", 4, 0, "one two\n" },
	{ "one two", 4, 7, "one two\n" },
	{ "one two", 4, 6, "one\n    two\n" },
	{ "one two", 0, 3, "one\ntwo\n" },
	{ "one two", 0, 4, "one\ntwo\n" },
	{ "one  two", 0, 4, "one\ntwo\n" },
	{ "abcdefgh", 2, 3, "abc\n  def\n  gh\n" },
	{ "a bcdefgh", 0, 3, "a\nbcd\nefg\nh\n" },
	{ "\xc3\xbc\xc3\xbc \xc3\xbc", 0, 2, "\xc3\xbc\xc3\xbc\n\xc3\xbc\n" },
	{ "\xe6\x97\xa5\xe6\x9c\xac", 0, 3, "\xe6\x97\xa5\n\xe6\x9c\xac\n" },
	{ "\xe6\x97\xa5\xe6\x9c\xac", 0, 1, "\xe6\x97\xa5\n\xe6\x9c\xac\n" },
};

START_TEST(text_is_wrapped_between_words)
{
	struct buf out = { 0 };

	if (!set_utf8_locale() && strchr(wrapped[_i].text, '\xe6') != NULL)
		return; /* how wide these are is the locale's to say */
	terminal_add_wrapped(&out, wrapped[_i].text, wrapped[_i].indent, wrapped[_i].width);
	ck_assert_str_eq(buf_text(&out), wrapped[_i].lines);
	buf_release(&out);
}
END_TEST

static const struct {
	int64_t us;
	const char *text;
} durations[] = {
	{ 0, "less than 1s" },
	{ USEC_PER_SEC - 1, "less than 1s" },
	{ USEC_PER_SEC, "1s" },
	{ 60 * USEC_PER_SEC, "1min" },
	{ 61 * USEC_PER_SEC, "1min 1s" },
	{ 3601 * USEC_PER_SEC, "1h" },
	{ 3661 * USEC_PER_SEC, "1h 1min" },
	{ USEC_PER_DAY - 1, "23h 59min" },
	{ USEC_PER_DAY, "1d" },
	{ 400 * USEC_PER_DAY + 7200 * USEC_PER_SEC, "400d 2h" },
};

START_TEST(duration_has_two_units_at_most)
{
	struct buf out = { 0 };

	phrase_add_duration(&out, durations[_i].us);
	ck_assert_str_eq(buf_text(&out), durations[_i].text);
	buf_release(&out);
}
END_TEST

static const struct {
	uint64_t part, whole;
	const char *text;
} shares[] = {
	{ 0, 0, "0.0 %" },
	{ 0, 10, "0.0 %" },
	{ 1, 100000, "<0.1 %" },
	{ 1, 1000, "0.1 %" },
	{ 18, 1000, "1.8 %" },
	{ 99999, 100000, ">99.9 %" },
	{ 100000, 100000, "100.0 %" },
};

START_TEST(share_of_some_is_never_none_and_of_most_never_all)
{
	struct buf out = { 0 };

	phrase_add_share(&out, shares[_i].part, shares[_i].whole);
	ck_assert_str_eq(buf_text(&out), shares[_i].text);
	buf_release(&out);
}
END_TEST

static const struct {
	uint64_t value;
	const char *text;
} numbers[] = {
	{ 0, "0 gaps" },
	{ 1, "1 gap" },
	{ 999, "999 gaps" },
	{ 1000, "1,000 gaps" },
	{ 123456, "123,456 gaps" },
	{ UINT64_MAX, "18,446,744,073,709,551,615 gaps" },
};

START_TEST(number_is_grouped_by_thousands)
{
	struct buf out = { 0 };

	phrase_add_count(&out, numbers[_i].value, "gap", "gaps");
	ck_assert_str_eq(buf_text(&out), numbers[_i].text);
	buf_release(&out);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, text_is_wrapped_between_words, 0, ROWS(wrapped));
	tcase_add_loop_test(tc, duration_has_two_units_at_most, 0, ROWS(durations));
	tcase_add_loop_test(tc, share_of_some_is_never_none_and_of_most_never_all, 0, ROWS(shares));
	tcase_add_loop_test(tc, number_is_grouped_by_thousands, 0, ROWS(numbers));
}

SUITE_MAIN("report_text")
