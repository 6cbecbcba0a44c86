#include "suite.h"

#include "base/banned.h"

/* For tables: an initializer, where BYTES is a call. */
#define LITERAL(text)                                                                              \
	{                                                                                          \
		(const uint8_t *)("" text), sizeof(text) - 1                                       \
	}
#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(numbers_are_in_network_byte_order)
{
	struct span s = BYTES("\x01\x02\x03\x04\x05\x06\xff\xfe\xfd\xfc");
	uint8_t u8;
	uint16_t u16;
	uint32_t u24, u32;

	ck_assert(span_read_u8(&s, &u8));
	ck_assert_uint_eq(u8, 0x01);
	ck_assert(span_read_u16(&s, &u16));
	ck_assert_uint_eq(u16, 0x0203);
	ck_assert(span_read_u24(&s, &u24));
	ck_assert_uint_eq(u24, 0x040506);
	ck_assert(span_read_u32(&s, &u32));
	ck_assert_uint_eq(u32, 0xfffefdfc);
	ck_assert(span_is_empty(s));
}
END_TEST

START_TEST(the_largest_number_of_each_width_is_read_whole)
{
	struct span s = BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	uint8_t u8;
	uint16_t u16;
	uint32_t u24, u32;

	ck_assert(span_read_u8(&s, &u8) && span_read_u16(&s, &u16));
	ck_assert(span_read_u24(&s, &u24) && span_read_u32(&s, &u32));
	ck_assert_uint_eq(u8, UINT8_MAX);
	ck_assert_uint_eq(u16, UINT16_MAX);
	ck_assert_uint_eq(u24, 0xffffff);
	ck_assert_uint_eq(u32, UINT32_MAX);
}
END_TEST

/* The reads that take a fixed number of bytes, each with that number. */
static bool
read_one(int kind, struct span *s, uint64_t *out)
{
	uint8_t u8 = 0xa5;
	uint16_t u16 = 0xa5a5;
	uint32_t u32 = 0xa5a5a5a5;
	struct span child = { .data = (const uint8_t *)"", .len = 0xa5 };
	bool done = false;

	switch (kind) {
	case 1:
		done = span_read_u8(s, &u8);
		*out = u8;
		break;
	case 2:
		done = span_read_u16(s, &u16);
		*out = u16;
		break;
	case 3:
		done = span_read_u24(s, &u32);
		*out = u32;
		break;
	case 4:
		done = span_read_u32(s, &u32);
		*out = u32;
		break;
	case 5:
		done = span_read_span(s, 5, &child);
		*out = child.len;
		break;
	default:
		ck_abort_msg("no read of %d bytes", kind);
	}
	return done;
}

START_TEST(a_read_that_does_not_fit_leaves_span_and_output_alone)
{
	static const uint64_t untouched[] = { 0, 0xa5, 0xa5a5, 0xa5a5a5a5, 0xa5a5a5a5, 0xa5 };
	static const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	for (size_t len = 0; len < (size_t)_i; len++) {
		struct span s = span_from(bytes, len);
		uint64_t out;

		ck_assert(!read_one(_i, &s, &out));
		ck_assert_ptr_eq(s.data, bytes);
		ck_assert_uint_eq(s.len, len);
		ck_assert_uint_eq(out, untouched[_i]);
	}
}
END_TEST

START_TEST(a_read_takes_its_width_and_no_more)
{
	static const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	for (size_t len = (size_t)_i; len <= sizeof(bytes); len++) {
		struct span s = span_from(bytes, len);
		uint64_t out;

		ck_assert(read_one(_i, &s, &out));
		ck_assert_ptr_eq(s.data, bytes + _i);
		ck_assert_uint_eq(s.len, len - (size_t)_i);
	}
}
END_TEST

static const struct {
	const char *name;
	struct span bytes;
	int prefix; /* bytes of the length in front */
	bool fits;
	size_t len, left; /* of the content, and behind it */
} vectors[] = {
	{ "vec8", LITERAL("\x02xyz"), 1, true, 2, 1 },
	{ "vec8 of length zero", LITERAL("\x00z"), 1, true, 0, 1 },
	{ "vec8 that ends with its parent", LITERAL("\x03xyz"), 1, true, 3, 0 },
	{ "vec8 one byte longer than its parent", LITERAL("\x04xyz"), 1, false, 0, 0 },
	{ "vec8 of the largest length", LITERAL("\xffxyz"), 1, false, 0, 0 },
	{ "vec8 without a length", LITERAL(""), 1, false, 0, 0 },
	{ "vec16", LITERAL("\x00\x02xyz"), 2, true, 2, 1 },
	{ "vec16 of length zero", LITERAL("\x00\x00"), 2, true, 0, 0 },
	{ "vec16 one byte longer than its parent", LITERAL("\x00\x04xyz"), 2, false, 0, 0 },
	{ "vec16 of the largest length", LITERAL("\xff\xffxyz"), 2, false, 0, 0 },
	{ "vec16 with half a length", LITERAL("\x00"), 2, false, 0, 0 },
	{ "vec24", LITERAL("\x00\x00\x02xyz"), 3, true, 2, 1 },
	{ "vec24 of length zero", LITERAL("\x00\x00\x00"), 3, true, 0, 0 },
	{ "vec24 one byte longer than its parent", LITERAL("\x00\x00\x04xyz"), 3, false, 0, 0 },
	{ "vec24 of the largest length", LITERAL("\xff\xff\xffxyz"), 3, false, 0, 0 },
	{ "vec24 with two bytes of length", LITERAL("\x00\x00"), 3, false, 0, 0 },
};

static bool
read_vector(int prefix, struct span *s, struct span *out)
{
	if (prefix == 1)
		return span_read_vec8(s, out);
	return prefix == 2 ? span_read_vec16(s, out) : span_read_vec24(s, out);
}

START_TEST(a_vector_is_read_whole_or_not_at_all)
{
	const char *name = vectors[_i].name;
	struct span s = vectors[_i].bytes, before = s;
	struct span content = { 0 };

	ck_assert_msg(
	    read_vector(vectors[_i].prefix, &s, &content) == vectors[_i].fits, "%s", name);
	if (!vectors[_i].fits) {
		ck_assert_msg(s.data == before.data && s.len == before.len, "%s", name);
		ck_assert_msg(content.data == NULL && content.len == 0, "%s", name);
		return;
	}
	ck_assert_msg(content.data == before.data + vectors[_i].prefix, "%s", name);
	ck_assert_msg(content.len == vectors[_i].len, "%s", name);
	ck_assert_msg(s.data == content.data + content.len, "%s", name);
	ck_assert_msg(s.len == vectors[_i].left, "%s", name);
}
END_TEST

START_TEST(a_vector_of_the_largest_length_is_read)
{
	static const size_t largest[] = { 0, 0xff, 0xffff, 0xffffff };
	size_t prefix = (size_t)_i, len = largest[_i];
	uint8_t *bytes = calloc(prefix + len, 1);
	struct span s, content;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < prefix; i++)
		bytes[i] = 0xff;
	s = span_from(bytes, prefix + len);
	ck_assert(read_vector(_i, &s, &content));
	ck_assert_uint_eq(content.len, len);
	ck_assert(span_is_empty(s));
	free(bytes);
}
END_TEST

START_TEST(every_prefix_of_a_vector_is_refused)
{
	struct span whole = BYTES("\x00\x05hello");

	for (size_t len = 0; len < whole.len; len++) {
		struct span s = span_first(whole, len), content;

		ck_assert(!span_read_vec16(&s, &content));
		ck_assert_uint_eq(s.len, len);
	}
}
END_TEST

START_TEST(nothing_read_through_a_vector_passes_its_end)
{
	struct span s = BYTES("\x02\x01\x02\x03\x04"), child;
	uint16_t u16;
	uint32_t u24;

	ck_assert(span_read_vec8(&s, &child));
	ck_assert(!span_read_u24(&child, &u24));
	ck_assert(!span_skip(&child, 3));
	ck_assert(span_read_u16(&child, &u16));
	ck_assert(span_is_empty(child));
	ck_assert_uint_eq(u16, 0x0102);
	ck_assert_uint_eq(s.len, 2);
}
END_TEST

START_TEST(a_copy_is_a_look_ahead)
{
	struct span s = BYTES("\x12\x34"), copy = s;
	uint16_t ahead;
	uint8_t peeked;

	ck_assert(span_read_u16(&copy, &ahead));
	ck_assert(span_peek_u8(s, &peeked));
	ck_assert_uint_eq(ahead, 0x1234);
	ck_assert_uint_eq(peeked, 0x12);
	ck_assert_uint_eq(s.len, 2);
}
END_TEST

START_TEST(nothing_can_be_taken_from_an_empty_span)
{
	struct span s = { 0 }, out;
	uint8_t u8;

	ck_assert(span_is_empty(s));
	ck_assert(!span_peek_u8(s, &u8));
	ck_assert(!span_skip(&s, 1));
	ck_assert(!span_read_span(&s, 1, &out));
	ck_assert(span_equals(s, BYTES("")));
}
END_TEST

START_TEST(a_length_of_the_whole_address_space_does_not_wrap)
{
	struct span s = BYTES("abc"), out;

	ck_assert(!span_skip(&s, SIZE_MAX));
	ck_assert(!span_read_span(&s, SIZE_MAX, &out));
	ck_assert_uint_eq(span_first(s, SIZE_MAX).len, 3);
	ck_assert(span_skip(&s, 3));
	ck_assert(span_is_empty(s));
}
END_TEST

START_TEST(first_is_at_most_what_there_is)
{
	struct span s = BYTES("abc");

	ck_assert(span_equals(span_first(s, 2), BYTES("ab")));
	ck_assert(span_equals(span_first(s, 3), s));
	ck_assert(span_equals(span_first(s, 4), s));
	ck_assert(span_is_empty(span_first(s, 0)));
}
END_TEST

START_TEST(spans_are_equal_by_content)
{
	ck_assert(span_equals(BYTES("abc"), span_from_text("abc")));
	ck_assert(!span_equals(BYTES("abc"), BYTES("abd")));
	ck_assert(!span_equals(BYTES("abc"), BYTES("ab")));
	ck_assert(!span_equals(BYTES("abc"), BYTES("abc\0")));
	ck_assert(!span_equals(BYTES(""), BYTES("a")));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, numbers_are_in_network_byte_order);
	tcase_add_test(tc, the_largest_number_of_each_width_is_read_whole);
	tcase_add_loop_test(tc, a_read_that_does_not_fit_leaves_span_and_output_alone, 1, 6);
	tcase_add_loop_test(tc, a_read_takes_its_width_and_no_more, 1, 6);
	tcase_add_loop_test(tc, a_vector_is_read_whole_or_not_at_all, 0, ROWS(vectors));
	tcase_add_loop_test(tc, a_vector_of_the_largest_length_is_read, 1, 4);
	tcase_add_test(tc, every_prefix_of_a_vector_is_refused);
	tcase_add_test(tc, nothing_read_through_a_vector_passes_its_end);
	tcase_add_test(tc, a_copy_is_a_look_ahead);
	tcase_add_test(tc, nothing_can_be_taken_from_an_empty_span);
	tcase_add_test(tc, a_length_of_the_whole_address_space_does_not_wrap);
	tcase_add_test(tc, first_is_at_most_what_there_is);
	tcase_add_test(tc, spans_are_equal_by_content);
}

SUITE_MAIN("base_span")
