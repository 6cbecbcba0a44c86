#include "suite.h"

#include "base/buf.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(an_empty_buf_has_an_empty_text)
{
	struct buf b = { 0 };

	ck_assert_str_eq(buf_text(&b), "");
	ck_assert_uint_eq(b.len, 0);
	buf_release(&b);
}
END_TEST

START_TEST(what_is_added_stands_in_order)
{
	struct buf b = { 0 };

	buf_add(&b, "a\0b", 3);
	buf_add_text(&b, "text");
	buf_add_char(&b, '!');
	buf_add_u64(&b, 42);
	buf_addf(&b, "%s-%03d", "x", 7);
	ck_assert_uint_eq(b.len, 3 + 4 + 1 + 2 + 5);
	ck_assert_mem_eq(b.data, "a\0btext!42x-007", b.len);
	buf_release(&b);
}
END_TEST

START_TEST(adding_nothing_changes_nothing)
{
	struct buf b = { 0 };

	buf_add(&b, NULL, 0);
	buf_add_text(&b, "");
	buf_addf(&b, "%s", "");
	ck_assert_uint_eq(b.len, 0);
	buf_add_char(&b, 'x');
	buf_add(&b, NULL, 0);
	buf_addf(&b, "%s", "");
	ck_assert_str_eq(buf_text(&b), "x");
	buf_release(&b);
}
END_TEST

START_TEST(the_text_ends_at_the_length_and_adds_nothing_to_it)
{
	struct buf b = { 0 };

	for (size_t len = 0; len < 2000; len++) {
		ck_assert_uint_eq(strlen(buf_text(&b)), len);
		ck_assert_uint_eq(b.len, len);
		buf_add_char(&b, 'x');
	}
	buf_release(&b);
}
END_TEST

/* 256 bytes is the first room: the sizes around it and around its double are the ones that grow. */
static const size_t sizes[] = { 1, 255, 256, 257, 511, 512, 513, 1000000 };

START_TEST(content_survives_growth)
{
	size_t len = sizes[_i];
	char *data = malloc(len);
	struct buf b = { 0 };

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 & 0x7f);
	buf_add_text(&b, "in front");
	buf_add(&b, data, len);
	ck_assert_uint_eq(b.len, 8 + len);
	ck_assert_uint_ge(b.room, b.len);
	ck_assert_mem_eq(b.data, "in front", 8);
	ck_assert_mem_eq(b.data + 8, data, len);
	buf_release(&b);
	free(data);
}
END_TEST

START_TEST(single_bytes_grow_the_room_by_doubling)
{
	struct buf b = { 0 };
	size_t growths = 0;

	for (size_t i = 0; i < 1000000; i++) {
		size_t room = b.room;

		buf_add_char(&b, (char)('a' + i % 26));
		growths += b.room != room;
	}
	ck_assert_uint_eq(b.len, 1000000);
	ck_assert_uint_le(growths, 20);
	ck_assert_uint_le(b.room, 2 * b.len);
	ck_assert_int_eq(b.data[999999], 'a' + 999999 % 26);
	buf_release(&b);
}
END_TEST

START_TEST(clear_keeps_the_room_and_release_gives_it_back)
{
	struct buf b = { 0 };
	size_t room;

	buf_addf(&b, "%0700d", 1);
	room = b.room;
	buf_clear(&b);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_uint_eq(b.room, room);
	ck_assert_str_eq(buf_text(&b), "");
	buf_release(&b);
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_uint_eq(b.room, 0);
	buf_release(&b);
	buf_add_text(&b, "usable again");
	ck_assert_str_eq(buf_text(&b), "usable again");
	buf_release(&b);
}
END_TEST

START_TEST(reserved_bytes_count_when_the_caller_says_so)
{
	struct buf b = { 0 };

	buf_add_text(&b, "ab");
	memcpy(buf_reserve(&b, 1000), "cdef", 4);
	ck_assert_uint_eq(b.len, 2);
	ck_assert_uint_ge(b.room, 1002);
	b.len += 4;
	ck_assert_str_eq(buf_text(&b), "abcdef");
	buf_release(&b);
}
END_TEST

static const struct {
	uint64_t value;
	const char *text;
} numbers[] = {
	{ 0, "0" },
	{ 9, "9" },
	{ 10, "10" },
	{ 1234567890, "1234567890" },
	{ UINT32_MAX, "4294967295" },
	{ UINT64_MAX, "18446744073709551615" },
};

START_TEST(a_number_is_written_in_decimal)
{
	struct buf b = { 0 };

	buf_add_u64(&b, numbers[_i].value);
	ck_assert_str_eq(buf_text(&b), numbers[_i].text);
	buf_release(&b);
}
END_TEST

START_TEST(a_formatted_text_of_any_length_is_whole)
{
	struct buf b = { 0 };

	for (int width = 1; width < 1100; width++) {
		buf_clear(&b);
		buf_addf(&b, "%*d", width, 7);
		ck_assert_uint_eq(b.len, (size_t)width);
		ck_assert_int_eq(b.data[b.len - 1], '7');
	}
	buf_release(&b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, an_empty_buf_has_an_empty_text);
	tcase_add_test(tc, what_is_added_stands_in_order);
	tcase_add_test(tc, adding_nothing_changes_nothing);
	tcase_add_test(tc, the_text_ends_at_the_length_and_adds_nothing_to_it);
	tcase_add_loop_test(tc, content_survives_growth, 0, ROWS(sizes));
	tcase_add_test(tc, single_bytes_grow_the_room_by_doubling);
	tcase_add_test(tc, clear_keeps_the_room_and_release_gives_it_back);
	tcase_add_test(tc, reserved_bytes_count_when_the_caller_says_so);
	tcase_add_loop_test(tc, a_number_is_written_in_decimal, 0, ROWS(numbers));
	tcase_add_test(tc, a_formatted_text_of_any_length_is_whole);
}

SUITE_MAIN("base_buf")
