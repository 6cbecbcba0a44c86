#include "capture/ahead.h"

#include "capture_replays.h"
#include "suite.h"

#include "base/banned.h"

/* More than all blocks together, and no multiple of one. */
#define LEN (2 * AHEAD_BLOCKS * AHEAD_BLOCK_LEN + 12345)

static const int filters[] = { ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ,
	ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_LZ4 };

/* What a file gives, read in pieces of up to `room` bytes, and how it ends. */
struct whole {
	struct buf bytes;
	ssize_t end;
	struct error error;
	uint64_t offset;
};

static void
save_random(const char *name, int filter)
{
	struct buf b = { 0 };
	uint32_t state = 1;

	for (size_t i = 0; i < LEN; i++) {
		uint8_t byte;

		state = state * 1664525 + 1013904223;
		byte = (uint8_t)(state >> 28);
		buf_add(&b, &byte, 1);
	}
	save_archive(name, filter, &b);
	buf_release(&b);
}

static void
damage(const char *name)
{
	static const uint8_t bytes[200000] = { 1, 2, 3 };
	FILE *file = fopen(name, "r+b");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 700000, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	ck_assert_int_eq(fclose(file), 0);
}

static struct decompressor *
open_decoder(struct input *in, const char *name)
{
	uint8_t head[MAGIC_LEN];
	struct error err;

	ck_assert_int_eq(input_open(in, name, &err), 0);
	ck_assert_int_eq(input_read(in, head, sizeof(head), &err), (ssize_t)sizeof(head));
	return decompressor_new(
	    compression_detect(span_from(head, sizeof(head))), in, span_from(head, sizeof(head)));
}

static struct whole
read_whole(const char *name, bool in_thread, size_t room)
{
	struct whole w = { .error.text = "" };
	struct input in;
	struct decompressor *decompressor = open_decoder(&in, name);
	struct ahead *ahead = in_thread ? ahead_start(decompressor, &in) : NULL;
	static uint8_t piece[AHEAD_BLOCK_LEN * 3];

	ck_assert_uint_le(room, sizeof(piece));
	ck_assert(!in_thread || ahead != NULL);
	do {
		w.end = in_thread ? ahead_read(ahead, piece, room, &w.error)
				  : decompressor_read(decompressor, piece, room, &w.error);
		if (w.end > 0)
			buf_add(&w.bytes, piece, (size_t)w.end);
	} while (w.end > 0);
	w.offset = in_thread ? ahead_offset(ahead) : in.offset;
	ahead_stop(ahead);
	decompressor_free(decompressor);
	input_close(&in);
	return w;
}

static void
compare(const char *name, size_t room)
{
	struct whole one = read_whole(name, false, AHEAD_BLOCK_LEN);
	struct whole other = read_whole(name, true, room);

	ck_assert_uint_eq(one.bytes.len, other.bytes.len);
	if (one.bytes.len > 0)
		ck_assert_mem_eq(one.bytes.data, other.bytes.data, one.bytes.len);
	ck_assert_int_eq(one.end, other.end);
	ck_assert_str_eq(one.error.text, other.error.text);
	ck_assert_uint_eq(one.offset, other.offset);
	buf_release(&one.bytes);
	buf_release(&other.bytes);
}

START_TEST(what_is_read_ahead_is_what_is_there)
{
	static const size_t rooms[] = { 1000, AHEAD_BLOCK_LEN, 3 * AHEAD_BLOCK_LEN };

	save_random("a", filters[_i]);
	for (int i = 0; i < ROWS(rooms); i++)
		compare("a", rooms[i]);
}
END_TEST

START_TEST(damage_is_told_in_the_same_words_at_the_same_place)
{
	save_random("a", filters[_i]);
	damage("a");
	compare("a", 5000);
}
END_TEST

START_TEST(a_file_that_is_cut_gives_the_same_as_without)
{
	save_random("a", filters[_i]);
	cut_file("a", 300000);
	compare("a", 5000);
}
END_TEST

START_TEST(the_end_is_told_whenever_it_is_asked_for)
{
	static uint8_t piece[AHEAD_BLOCK_LEN];
	struct error err;
	struct input in;
	struct decompressor *decompressor;
	struct ahead *ahead;

	save_random("a", ARCHIVE_FILTER_GZIP);
	decompressor = open_decoder(&in, "a");
	ahead = ahead_start(decompressor, &in);
	while (ahead_read(ahead, piece, sizeof(piece), &err) > 0)
		;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ahead_read(ahead, piece, sizeof(piece), &err), 0);
	ahead_stop(ahead);
	decompressor_free(decompressor);
	input_close(&in);
}
END_TEST

START_TEST(it_stops_wherever_it_is)
{
	static uint8_t piece[AHEAD_BLOCK_LEN];
	struct error err;

	save_random("a", ARCHIVE_FILTER_ZSTD);
	for (int reads = 0; reads < 40; reads++) {
		struct input in;
		struct decompressor *decompressor = open_decoder(&in, "a");
		struct ahead *ahead = ahead_start(decompressor, &in);

		for (int i = 0; i < reads; i++)
			(void)ahead_read(ahead, piece, sizeof(piece), &err);
		ahead_stop(ahead);
		decompressor_free(decompressor);
		input_close(&in);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, what_is_read_ahead_is_what_is_there, 0, ROWS(filters));
	tcase_add_loop_test(
	    tc, damage_is_told_in_the_same_words_at_the_same_place, 0, ROWS(filters));
	tcase_add_loop_test(tc, a_file_that_is_cut_gives_the_same_as_without, 0, ROWS(filters));
	tcase_add_test(tc, the_end_is_told_whenever_it_is_asked_for);
	tcase_add_test(tc, it_stops_wherever_it_is);
}

SUITE_MAIN("capture_ahead")
