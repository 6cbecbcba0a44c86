#include "suite.h"

#include "base/json.h"

#include "base/banned.h"

#define LITERAL(text)                                                                              \
	{                                                                                          \
		(const uint8_t *)("" text), sizeof(text) - 1                                       \
	}
#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* RFC 8259, section 7; RFC 3629, section 4 for what is UTF-8. */
static const struct {
	const char *name;
	struct span value;
	const char *json;
} strings[] = {
	{ "empty", LITERAL(""), "\"\"" },
	{ "plain", LITERAL("mail.example.org"), "\"mail.example.org\"" },
	{ "eight plain bytes and one", LITERAL("!#[]^~}Z "), "\"!#[]^~}Z \"" },
	{ "a quote among eight", LITERAL("abcdefg\"hijklmno"), "\"abcdefg\\\"hijklmno\"" },
	{ "a backslash among eight", LITERAL("\\abcdefghijklmno"), "\"\\\\abcdefghijklmno\"" },
	{ "DEL among eight", LITERAL("xyzw\x7fmnopqrstu"), "\"xyzw\\u007fmnopqrstu\"" },
	{ "control behind eight", LITERAL("abcdefgh\x1fijklmno"), "\"abcdefgh\\u001fijklmno\"" },
	{ "0xff among eight", LITERAL("xyz\xffmnopqrs"), "\"xyz\\\\xffmnopqrs\"" },
	{ "quote", LITERAL("a\"b"), "\"a\\\"b\"" },
	{ "backslash", LITERAL("a\\b"), "\"a\\\\b\"" },
	{ "solidus stays", LITERAL("a/b"), "\"a/b\"" },
	{ "newline", LITERAL("a\nb"), "\"a\\u000ab\"" },
	{ "NUL", LITERAL("a\0b"), "\"a\\u0000b\"" },
	{ "escape", LITERAL("\x1b[31m"), "\"\\u001b[31m\"" },
	{ "last control", LITERAL("\x1f "), "\"\\u001f \"" },
	{ "DEL", LITERAL("\x7f"), "\"\\u007f\"" },
	{ "first C1 control", LITERAL("\xc2\x80"), "\"\\u0080\"" },
	{ "C1 CSI", LITERAL("\xc2\x9b"), "\"\\u009b\"" },
	{ "last C1 control", LITERAL("\xc2\x9f"), "\"\\u009f\"" },
	{ "no-break space is no control", LITERAL("\xc2\xa0"), "\"\xc2\xa0\"" },
	{ "two bytes", LITERAL("\xc3\xa9"), "\"\xc3\xa9\"" },
	{ "largest of two bytes", LITERAL("\xdf\xbf"), "\"\xdf\xbf\"" },
	{ "smallest of three bytes", LITERAL("\xe0\xa0\x80"), "\"\xe0\xa0\x80\"" },
	{ "last before the surrogates", LITERAL("\xed\x9f\xbf"), "\"\xed\x9f\xbf\"" },
	{ "first behind the surrogates", LITERAL("\xee\x80\x80"), "\"\xee\x80\x80\"" },
	{ "smallest of four bytes", LITERAL("\xf0\x90\x80\x80"), "\"\xf0\x90\x80\x80\"" },
	{ "U+10FFFF", LITERAL("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"" },
	{ "U+110000", LITERAL("\xf4\x90\x80\x80"), "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"" },
	{ "five bytes", LITERAL("\xf8\x88\x80\x80"), "\"\\\\xf8\\\\x88\\\\x80\\\\x80\"" },
	{ "lone continuation", LITERAL("a\x80z"), "\"a\\\\x80z\"" },
	{ "Latin-1", LITERAL("caf\xe9!"), "\"caf\\\\xe9!\"" },
	{ "0xff", LITERAL("\xff"), "\"\\\\xff\"" },
	{ "overlong of two bytes", LITERAL("\xc0\xaf"), "\"\\\\xc0\\\\xaf\"" },
	{ "overlong, largest", LITERAL("\xc1\xbf"), "\"\\\\xc1\\\\xbf\"" },
	{ "overlong of three bytes", LITERAL("\xe0\x9f\xbf"), "\"\\\\xe0\\\\x9f\\\\xbf\"" },
	{ "overlong of four bytes", LITERAL("\xf0\x8f\xbf\xbf"),
	    "\"\\\\xf0\\\\x8f\\\\xbf\\\\xbf\"" },
	{ "first surrogate", LITERAL("\xed\xa0\x80"), "\"\\\\xed\\\\xa0\\\\x80\"" },
	{ "last surrogate", LITERAL("\xed\xbf\xbf"), "\"\\\\xed\\\\xbf\\\\xbf\"" },
	{ "two bytes, cut", LITERAL("\xc3"), "\"\\\\xc3\"" },
	{ "three bytes, cut by one", LITERAL("\xe2\x82"), "\"\\\\xe2\\\\x82\"" },
	{ "four bytes, cut by one", LITERAL("\xf0\x9f\x92"), "\"\\\\xf0\\\\x9f\\\\x92\"" },
	{ "cut, and a quote behind it", LITERAL("\xe2\x82\""), "\"\\\\xe2\\\\x82\\\"\"" },
	{ "lead byte and a letter", LITERAL("\xc3z"), "\"\\\\xc3z\"" },
};

START_TEST(a_string_of_any_bytes_is_valid_json)
{
	struct buf b = { 0 };

	json_string(&b, strings[_i].value);
	ck_assert_msg(strcmp(buf_text(&b), strings[_i].json) == 0, "%s: %s instead of %s",
	    strings[_i].name, buf_text(&b), strings[_i].json);
	buf_release(&b);
}
END_TEST

/* RFC 8259, section 7: quotes, backslashes and controls stand in a string as escapes only. */
static bool
is_one_string(struct span json)
{
	if (json.len < 2 || json.data[0] != '"' || json.data[json.len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < json.len; i++) {
		if (json.data[i] < 0x20 || json.data[i] == '"')
			return false;
		if (json.data[i] != '\\')
			continue;
		i++;
		if (i + 1 == json.len || strchr("\\\"u", json.data[i]) == NULL)
			return false;
	}
	return true;
}

START_TEST(no_three_bytes_break_out_of_a_string)
{
	static const uint8_t edges[] = { 0x00, 0x0a, 0x1f, 0x20, '"', '\\', 'u', 0x7f, 0x80, 0x9f,
		0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff };
	uint8_t bytes[3];
	struct buf b = { 0 };

	for (size_t i = 0; i < 256 * sizeof(edges) * sizeof(edges); i++) {
		bytes[0] = (uint8_t)(i % 256);
		bytes[1] = edges[i / 256 % sizeof(edges)];
		bytes[2] = edges[i / 256 / sizeof(edges)];
		buf_clear(&b);
		json_string(&b, span_from(bytes, sizeof(bytes)));
		if (!is_one_string(span_from(b.data, b.len)))
			ck_abort_msg("%s", buf_text(&b));
	}
	buf_release(&b);
}
END_TEST

START_TEST(members_are_separated_by_commas)
{
	struct buf b = { 0 };

	json_begin_object(&b);
	json_member_text(&b, "text", "a");
	json_member_text(&b, "no_text", NULL);
	json_member_span(&b, "span", BYTES("b\0"));
	json_member_span(&b, "empty", BYTES(""));
	json_member_span(&b, "no_span", (struct span){ 0 });
	json_member_u64(&b, "number", UINT64_MAX);
	json_member_bool(&b, "yes", true);
	json_member_bool(&b, "no", false);
	json_member_null(&b, "nothing");
	json_end_object(&b);
	ck_assert_str_eq(buf_text(&b),
	    "{\"text\":\"a\",\"no_text\":null,\"span\":\"b\\u0000\",\"empty\":\"\","
	    "\"no_span\":null,\"number\":18446744073709551615,\"yes\":true,\"no\":false,"
	    "\"nothing\":null}");
	buf_release(&b);
}
END_TEST

START_TEST(an_object_may_stand_in_an_object)
{
	struct buf b = { 0 };

	json_begin_object(&b);
	json_key(&b, "inner");
	json_begin_object(&b);
	json_member_u64(&b, "a", 1);
	json_end_object(&b);
	json_key(&b, "empty");
	json_begin_object(&b);
	json_end_object(&b);
	json_member_u64(&b, "b", 2);
	json_end_object(&b);
	ck_assert_str_eq(buf_text(&b), "{\"inner\":{\"a\":1},\"empty\":{},\"b\":2}");
	buf_release(&b);
}
END_TEST

START_TEST(a_value_that_ends_in_a_brace_does_not_lose_the_comma)
{
	struct buf b = { 0 };

	json_begin_object(&b);
	json_member_text(&b, "a", "{");
	json_member_text(&b, "b", "}");
	json_end_object(&b);
	ck_assert_str_eq(buf_text(&b), "{\"a\":\"{\",\"b\":\"}\"}");
	buf_release(&b);
}
END_TEST

START_TEST(lines_follow_each_other_in_one_buf)
{
	struct buf b = { 0 };

	for (uint64_t i = 0; i < 2; i++) {
		json_begin_object(&b);
		json_member_u64(&b, "n", i);
		json_end_object(&b);
		buf_add_char(&b, '\n');
	}
	ck_assert_str_eq(buf_text(&b), "{\"n\":0}\n{\"n\":1}\n");
	buf_release(&b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_string_of_any_bytes_is_valid_json, 0, ROWS(strings));
	tcase_add_test(tc, no_three_bytes_break_out_of_a_string);
	tcase_add_test(tc, members_are_separated_by_commas);
	tcase_add_test(tc, an_object_may_stand_in_an_object);
	tcase_add_test(tc, a_value_that_ends_in_a_brace_does_not_lose_the_comma);
	tcase_add_test(tc, lines_follow_each_other_in_one_buf);
}

SUITE_MAIN("base_json")
