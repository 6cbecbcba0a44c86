#include "suite.h"

#include "base/json.h"
#include "base/json_reader.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct {
	const char *name, *json, *value;
	bool good, is_null;
} scalars[] = {
	{ "empty string", "\"\"", "", true, false },
	{ "blanks in front", " \t\r\n\"a\"", "a", true, false },
	{ "short escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", true, false },
	{ "escape of two bytes", "\"\\u00e9\"", "\xc3\xa9", true, false },
	{ "escape of three bytes", "\"\\u20AC\"", "\xe2\x82\xac", true, false },
	{ "pair of surrogates", "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", true, false },
	{ "half a pair", "\"\\ud83dx\"", "\\xd8\\x3dx", true, false },
	{ "half a pair and another", "\"\\ud83d\\u0041\"",
	    "\\xd8\\x3d"
	    "A",
	    true, false },
	{ "NUL", "\"a\\u0000b\"", "a\\x00b", true, false },
	{ "number", "-12.5e3", "-12.5e3", true, false },
	{ "true", "true", "true", true, false },
	{ "null", "null", "null", true, true },
	{ "nothing", "", "", false, false },
	{ "not ended", "\"a", "", false, false },
	{ "control inside", "\"a\nb\"", "", false, false },
	{ "unknown escape", "\"\\x41\"", "", false, false },
	{ "cut escape", "\"\\u00\"", "", false, false },
	{ "cut word", "nul", "", false, false },
	{ "object", "{}", "", false, false },
	{ "end", "]", "", false, false },
};

START_TEST(a_scalar_is_read_or_refused)
{
	struct span in = span_from_text(scalars[_i].json);
	struct buf out = { 0 };
	bool is_null, good = json_read_scalar(&in, &out, &is_null);

	ck_assert_msg(good == scalars[_i].good, "%s", scalars[_i].name);
	if (good) {
		ck_assert_str_eq(buf_text(&out), scalars[_i].value);
		ck_assert(is_null == scalars[_i].is_null);
		ck_assert_uint_eq(in.len, 0);
	}
	buf_release(&out);
}
END_TEST

static const struct {
	const char *name, *json;
	size_t left;
	bool good;
} values[] = {
	{ "object", "{\"a\": [1, {\"b\": null}], \"c\": {}}x", 1, true },
	{ "empty array", "[ ]", 0, true },
	{ "array without a comma", "[1 2]", 0, false },
	{ "comma in front", "[,1]", 0, false },
	{ "member without a colon", "{\"a\" 1}", 0, false },
	{ "member without a name", "{1: 2}", 0, false },
	{ "not ended", "{\"a\": [", 0, false },
	{ "wrong end", "[1}", 0, false },
};

START_TEST(a_value_is_passed_over_or_refused)
{
	struct span in = span_from_text(values[_i].json);
	bool good = json_skip(&in);

	ck_assert_msg(good == values[_i].good, "%s", values[_i].name);
	if (good)
		ck_assert_uint_eq(in.len, values[_i].left);
}
END_TEST

START_TEST(nesting_has_a_bound)
{
	char text[2 * JSON_DEPTH_MAX + 8];
	struct span in;

	for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		in = span_from(text, 2 * depth);
		ck_assert(json_skip(&in) == (depth <= JSON_DEPTH_MAX));
	}
	memset(text, '[', sizeof(text));
	in = span_from(text, sizeof(text));
	ck_assert(!json_skip(&in));
}
END_TEST

START_TEST(members_come_in_their_order)
{
	struct span in = BYTES("{\"one\":1,\"two\":[2,3]}");
	struct buf name = { 0 }, value = { 0 };
	bool first = true, first_item = true, is_null;

	ck_assert_int_eq(json_peek(&in), JSON_OBJECT);
	ck_assert(json_read_begin(&in, JSON_OBJECT));
	ck_assert_int_eq(json_read_member(&in, &first, &name), JSON_STEP_ITEM);
	ck_assert_str_eq(buf_text(&name), "one");
	ck_assert(json_read_scalar(&in, &value, &is_null));
	ck_assert_int_eq(json_read_member(&in, &first, &name), JSON_STEP_ITEM);
	ck_assert_str_eq(buf_text(&name), "two");
	ck_assert(json_read_begin(&in, JSON_ARRAY));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(json_read_item(&in, &first_item), JSON_STEP_ITEM);
		ck_assert(json_read_scalar(&in, &value, &is_null));
	}
	ck_assert_int_eq(json_read_item(&in, &first_item), JSON_STEP_END);
	ck_assert_int_eq(json_read_member(&in, &first, &name), JSON_STEP_END);
	ck_assert_int_eq(json_peek(&in), JSON_NOTHING);
	buf_release(&name);
	buf_release(&value);
}
END_TEST

START_TEST(what_the_writer_writes_is_read_back)
{
	struct buf text = { 0 }, value = { 0 };
	bool is_null;

	for (unsigned c = 1; c < 0x80; c++) {
		char byte = (char)c;
		struct span in;

		buf_clear(&text);
		json_string(&text, span_from(&byte, 1));
		in = span_from(text.data, text.len);
		ck_assert(json_read_scalar(&in, &value, &is_null));
		ck_assert_uint_eq(value.len, 1);
		ck_assert_int_eq(value.data[0], byte);
	}
	buf_release(&text);
	buf_release(&value);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_scalar_is_read_or_refused, 0, ROWS(scalars));
	tcase_add_loop_test(tc, a_value_is_passed_over_or_refused, 0, ROWS(values));
	tcase_add_test(tc, nesting_has_a_bound);
	tcase_add_test(tc, members_come_in_their_order);
	tcase_add_test(tc, what_the_writer_writes_is_read_back);
}

SUITE_MAIN("base_json_reader")
