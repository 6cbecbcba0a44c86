#include "suite.h"

#include <sys/mman.h>

#include "capture_replays.h"

#include "base/banned.h"

#define LARGE_COUNT 4000u /* of 1500 bytes and a header of 16: 6 MB, which is mapped */
#define LARGE_LEN 1500u

/* Frames, and which of them lay in what was kept when they were handed out. */
struct kept_frames {
	struct frame frames[2 * LARGE_COUNT];
	bool is_kept[2 * LARGE_COUNT];
	uint64_t marks[2 * LARGE_COUNT]; /* when the frame was handed out */
	size_t count, kept_count;
};

static bool
lies_in(struct span kept, const uint8_t *at)
{
	return kept.len > 0 && at >= kept.data && at < kept.data + kept.len;
}

static struct kept_frames *
read_kept(struct saved *r)
{
	struct kept_frames *all = xcalloc(1, sizeof(*all));
	struct frame batch[BATCH];
	size_t count;

	while ((count = saved_read(r, batch, BATCH)) > 0) {
		for (size_t i = 0; i < count; i++, all->count++) {
			bool is_kept = lies_in(saved_kept(r), batch[i].bytes.data);

			ck_assert_uint_lt(all->count, 2 * LARGE_COUNT);
			all->frames[all->count] = batch[i];
			all->marks[all->count] = saved_mark(r);
			all->is_kept[all->count] = is_kept;
			all->kept_count += is_kept;
		}
	}
	return all;
}

static struct saved *
open_two(int64_t second_us)
{
	static const char *const paths[] = { "a.pcap", "b.pcap" };
	struct saved *r;

	save_pcap(paths[0], T0, 1, LARGE_COUNT, LARGE_LEN);
	save_pcap(paths[1], second_us, 1, LARGE_COUNT, LARGE_LEN);
	r = saved_open(paths, 2, NULL);
	saved_keep(r);
	return r;
}

static bool
is_mapped(const uint8_t *at)
{
	unsigned char in_core;

	return mincore((void *)((uintptr_t)at & ~(uintptr_t)4095), 1, &in_core) == 0;
}

START_TEST(kept_frames_outlast_the_reading_of_the_next_file)
{
	struct saved *r = open_two(T0 + LARGE_COUNT);
	struct kept_frames *all = read_kept(r);

	ck_assert_uint_eq(all->count, 2 * LARGE_COUNT);
	ck_assert_uint_eq(all->kept_count, 2 * LARGE_COUNT);
	for (size_t i = 0; i < all->count; i++)
		ck_assert(
		    packet_bytes_are(all->frames[i].bytes, (unsigned)(i % LARGE_COUNT), LARGE_LEN));
	free(all);
	saved_free(r);
}
END_TEST

START_TEST(what_lies_before_a_mark_goes_when_that_is_released_and_nothing_else)
{
	struct saved *r = open_two(T0 + LARGE_COUNT);
	struct kept_frames *all = read_kept(r);
	uint64_t mark = all->marks[LARGE_COUNT];
	size_t gone_count = 0;

	ck_assert_uint_gt(mark, 0);
	saved_release(r, mark);
	for (size_t i = 0; i < all->count; i++) {
		if (all->marks[i] >= mark)
			ck_assert(packet_bytes_are(
			    all->frames[i].bytes, (unsigned)(i % LARGE_COUNT), LARGE_LEN));
		else
			gone_count += !is_mapped(all->frames[i].bytes.data);
	}
	/* But for what lies in pieces with later frames. */
	ck_assert_uint_gt(gone_count, LARGE_COUNT / 3);
	saved_release(r, saved_mark(r));
	ck_assert(!is_mapped(all->frames[0].bytes.data));
	ck_assert(!is_mapped(all->frames[2 * LARGE_COUNT - 1].bytes.data));
	free(all);
	saved_free(r);
}
END_TEST

/* The first frame of what was read up to the first border. */
static struct frame
read_to_border(struct saved *r)
{
	struct frame batch[BATCH], first;

	ck_assert_uint_gt(saved_read(r, batch, BATCH), 0);
	first = batch[0];
	while (!saved_is_at_border(r))
		ck_assert_uint_gt(saved_read(r, batch, BATCH), 0);
	ck_assert_uint_eq(saved_mark(r), 0);
	return first;
}

START_TEST(at_a_border_the_next_mark_can_be_released_and_its_bytes_go_with_the_next_read)
{
	struct saved *r = open_two(T0 + LARGE_COUNT);
	struct frame first = read_to_border(r), batch[BATCH];

	saved_release(r, 1);
	ck_assert(packet_bytes_are(first.bytes, 0, LARGE_LEN));
	ck_assert_uint_gt(saved_read(r, batch, BATCH), 0);
	ck_assert_uint_eq(saved_mark(r), 1);
	ck_assert(!is_mapped(first.bytes.data));
	/* It was for one piece. */
	first = batch[1];
	while (saved_mark(r) == 1)
		ck_assert_uint_gt(saved_read(r, batch, BATCH), 0);
	ck_assert(packet_bytes_are(first.bytes, first.bytes.data[0], LARGE_LEN));
	saved_free(r);
}
END_TEST

START_TEST(what_was_released_at_a_border_is_kept_where_it_is_wanted_again)
{
	struct saved *r = open_two(T0 + LARGE_COUNT);
	struct frame first = read_to_border(r), batch[BATCH];

	saved_release(r, 1);
	saved_release(r, 0);
	ck_assert_uint_gt(saved_read(r, batch, BATCH), 0);
	ck_assert_uint_eq(saved_mark(r), 1);
	ck_assert(packet_bytes_are(first.bytes, 0, LARGE_LEN));
	saved_free(r);
}
END_TEST

START_TEST(a_file_that_is_cut_while_its_frames_are_kept_turns_into_zeros)
{
	struct saved *r = open_two(T0 + LARGE_COUNT);
	struct kept_frames *all = read_kept(r);

	ck_assert_int_eq(truncate("a.pcap", 4096), 0);
	ck_assert(packet_bytes_are(all->frames[0].bytes, 0, LARGE_LEN));
	ck_assert_uint_eq(all->frames[100].bytes.data[0], 0);
	ck_assert_uint_eq(all->frames[LARGE_COUNT - 1].bytes.data[LARGE_LEN - 1], 0);
	ck_assert(packet_bytes_are(all->frames[LARGE_COUNT].bytes, 0, LARGE_LEN));
	free(all);
	saved_free(r);
}
END_TEST

START_TEST(of_files_that_are_read_at_the_same_time_nothing_is_kept)
{
	struct saved *r = open_two(T0);
	struct kept_frames *all = read_kept(r);

	ck_assert_uint_eq(all->count, 2 * LARGE_COUNT);
	/* But for the end, when one is left. */
	ck_assert_uint_lt(all->kept_count, BATCH + 1);
	free(all);
	saved_free(r);
}
END_TEST

START_TEST(small_files_are_not_kept)
{
	struct kept_frames *all;
	const char *path = "small.pcap";
	struct saved *r;

	save_pcap(path, T0, 1, 1000, LARGE_LEN);
	r = saved_open(&path, 1, NULL);
	saved_keep(r);
	all = read_kept(r);
	ck_assert_uint_eq(all->count, 1000);
	ck_assert_uint_eq(all->kept_count, 0);
	ck_assert_uint_eq(saved_mark(r), 0);
	free(all);
	saved_free(r);
}
END_TEST

START_TEST(without_being_asked_a_replay_keeps_nothing)
{
	struct kept_frames *all;
	const char *path = "a.pcap";
	struct saved *r;

	save_pcap(path, T0, 1, LARGE_COUNT, LARGE_LEN);
	r = saved_open(&path, 1, NULL);
	all = read_kept(r);
	ck_assert_uint_eq(all->count, LARGE_COUNT);
	ck_assert_uint_eq(all->kept_count, 0);
	ck_assert(!is_mapped(all->frames[0].bytes.data));
	free(all);
	saved_free(r);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, kept_frames_outlast_the_reading_of_the_next_file);
	tcase_add_test(tc, what_lies_before_a_mark_goes_when_that_is_released_and_nothing_else);
	tcase_add_test(
	    tc, at_a_border_the_next_mark_can_be_released_and_its_bytes_go_with_the_next_read);
	tcase_add_test(tc, what_was_released_at_a_border_is_kept_where_it_is_wanted_again);
	tcase_add_test(tc, a_file_that_is_cut_while_its_frames_are_kept_turns_into_zeros);
	tcase_add_test(tc, of_files_that_are_read_at_the_same_time_nothing_is_kept);
	tcase_add_test(tc, small_files_are_not_kept);
	tcase_add_test(tc, without_being_asked_a_replay_keeps_nothing);
}

SUITE_MAIN("capture_kept")
