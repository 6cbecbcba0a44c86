#include "suite.h"

#include "base/text.h"

#include "base/banned.h"

static const struct {
	const char *name, *text;
	size_t len;
} rows[] = {
	{ "plain", "a", 1 },
	{ "space", " ", 1 },
	{ "escape", "\x1b[2J", 0 },
	{ "newline", "\n", 0 },
	{ "DEL", "\x7f", 0 },
	{ "C1 CSI", "\xc2\x9b", 0 },
	{ "C1 CSI as a byte", "\x9b", 0 },
	{ "no-break space", "\xc2\xa0", 2 },
	{ "soft hyphen", "\xc2\xad", 0 },
	{ "two bytes", "\xc3\xa9", 2 },
	{ "two bytes, cut", "\xc3", 0 },
	{ "overlong slash", "\xc0\xaf", 0 },
	{ "three bytes", "\xe2\x82\xac", 3 },
	{ "zero width space", "\xe2\x80\x8b", 0 },
	{ "right-to-left override", "\xe2\x80\xae", 0 },
	{ "isolate", "\xe2\x81\xa6", 0 },
	{ "surrogate", "\xed\xa0\x80", 0 },
	{ "byte order mark", "\xef\xbb\xbf", 0 },
	{ "four bytes", "\xf0\x9f\x98\x80", 4 },
	{ "tag", "\xf3\xa0\x80\x81", 0 },
	{ "past the last plane", "\xf4\x90\x80\x80", 0 },
	{ "no lead byte", "\xff", 0 },
};

START_TEST(a_character_is_shown_or_it_is_not)
{
	size_t len = text_shown_char(span_from_text(rows[_i].text));

	ck_assert_msg(len == rows[_i].len, "%s: %zu", rows[_i].name, len);
}
END_TEST

static const struct {
	const char *name, *text;
	size_t len;
	uint32_t code_point;
} characters[] = {
	{ "nothing", "", 0, 0 },
	{ "control", "\x01", 1, 0x01 },
	{ "last of one byte", "\x7f", 1, 0x7f },
	{ "continuation alone", "\x80", 0, 0 },
	{ "overlong, two bytes", "\xc1\xbf", 0, 0 },
	{ "first of two bytes", "\xc2\x80", 2, 0x80 },
	{ "last of two bytes", "\xdf\xbf", 2, 0x7ff },
	{ "two bytes, second one wrong",
	    "\xc3"
	    "A",
	    0, 0 },
	{ "overlong, three bytes", "\xe0\x9f\xbf", 0, 0 },
	{ "first of three bytes", "\xe0\xa0\x80", 3, 0x800 },
	{ "before the surrogates", "\xed\x9f\xbf", 3, 0xd7ff },
	{ "last surrogate", "\xed\xbf\xbf", 0, 0 },
	{ "behind the surrogates", "\xee\x80\x80", 3, 0xe000 },
	{ "three bytes, cut", "\xe2\x82", 0, 0 },
	{ "overlong, four bytes", "\xf0\x8f\xbf\xbf", 0, 0 },
	{ "first of four bytes", "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "last of all", "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	{ "past the last plane", "\xf4\x90\x80\x80", 0, 0 },
	{ "four bytes, cut", "\xf0\x9f\x98", 0, 0 },
	{ "five bytes", "\xf8\x88\x80\x80\x80", 0, 0 },
};

START_TEST(a_character_is_utf8_in_its_shortest_form)
{
	uint32_t code_point = 0;
	size_t len = text_utf8_char(span_from_text(characters[_i].text), &code_point);

	ck_assert_msg(len == characters[_i].len && code_point == characters[_i].code_point,
	    "%s: %zu, U+%04X", characters[_i].name, len, (unsigned)code_point);
}
END_TEST

START_TEST(only_printable_ascii_is_plain)
{
	static const char all[] = " !mail.example.com~";

	ck_assert(text_is_plain(span_from_text("")));
	ck_assert(text_is_plain(span_from_text(all)));
	ck_assert(!text_is_plain(span_from_text("a\x1f")));
	ck_assert(!text_is_plain(span_from_text("a\x7f")));
	ck_assert(!text_is_plain(span_from_text("\xc3\xa9")));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_character_is_shown_or_it_is_not, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_loop_test(tc, a_character_is_utf8_in_its_shortest_form, 0,
	    (int)(sizeof(characters) / sizeof(characters[0])));
	tcase_add_test(tc, only_printable_ascii_is_plain);
}

SUITE_MAIN("base_text")
