#include "app/frame_batch.h"

#include "suite.h"

#include "base/banned.h"

static struct frame_batch batch;

static struct frame
frame_of(const uint8_t *bytes, size_t len, int64_t time_us)
{
	return (struct frame){ .bytes = span_from(bytes, len),
		.wire_len = (uint32_t)len + 4,
		.link_type = 1,
		.source = 7,
		.time_us = time_us };
}

START_TEST(a_frame_outlives_the_bytes_it_came_with)
{
	uint8_t bytes[] = "abc";
	struct frame frame = frame_of(bytes, 3, 5);

	frame_batch_clear(&batch);
	ck_assert(frame_batch_add(&batch, &frame));
	bytes[0] = 'x';
	frame = frame_of(NULL, 0, 6);
	ck_assert(frame_batch_add(&batch, &frame));
	ck_assert_uint_eq(batch.count, 2);
	ck_assert(span_equals(batch.frames[0].bytes, span_from("abc", 3)));
	ck_assert_uint_eq(batch.frames[0].wire_len, 7);
	ck_assert_uint_eq(batch.frames[0].source, 7);
	ck_assert_int_eq(batch.frames[0].time_us, 5);
	ck_assert_uint_eq(batch.frames[1].bytes.len, 0);
	ck_assert_int_eq(batch.frames[1].time_us, 6);
}
END_TEST

START_TEST(a_full_batch_takes_no_more_until_it_is_cleared)
{
	static const uint8_t bytes[1];
	struct frame frame = frame_of(bytes, 1, 0);

	frame_batch_clear(&batch);
	for (size_t i = 0; i < FRAME_BATCH_MAX; i++)
		ck_assert(frame_batch_add(&batch, &frame));
	ck_assert(!frame_batch_add(&batch, &frame));
	ck_assert_uint_eq(batch.count, FRAME_BATCH_MAX);
	frame_batch_clear(&batch);
	ck_assert(frame_batch_add(&batch, &frame));
}
END_TEST

START_TEST(bytes_that_do_not_fit_are_not_taken)
{
	static const uint8_t bytes[FRAME_BATCH_LEN + 1];
	struct frame most = frame_of(bytes, FRAME_BATCH_LEN - 1, 0);
	struct frame two = frame_of(bytes, 2, 0), one = frame_of(bytes, 1, 0);
	struct frame too_long = frame_of(bytes, FRAME_BATCH_LEN + 1, 0);

	frame_batch_clear(&batch);
	ck_assert(!frame_batch_add(&batch, &too_long));
	ck_assert(frame_batch_add(&batch, &most));
	ck_assert(!frame_batch_add(&batch, &two));
	ck_assert(frame_batch_add(&batch, &one));
	ck_assert_uint_eq(batch.count, 2);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_frame_outlives_the_bytes_it_came_with);
	tcase_add_test(tc, a_full_batch_takes_no_more_until_it_is_cleared);
	tcase_add_test(tc, bytes_that_do_not_fit_are_not_taken);
}

SUITE_MAIN("app_frame_batch")
