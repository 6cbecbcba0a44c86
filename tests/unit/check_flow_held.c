#include "stream_recorder.h"

#include "base/banned.h"

START_TEST(a_stream_over_its_budget_gives_up_its_holes)
{
	struct fixture *f = fixture_new(1);
	char block[100];

	memset(block, 'x', sizeof(block));
	f->budget.max_held_per_stream = 4096;
	for (int64_t i = 0; i < 100; i++) {
		add(f, 1 + i * 200, span_from(block, 100), 100, false);
		ck_assert_uint_le(held_len(&f->s), 4096);
	}
	ck_assert_uint_gt(f->budget.gap_count, 50);
	ck_assert_uint_lt(f->budget.gap_count, 100);
	flush_stream(f);
	ck_assert_uint_eq(f->budget.gap_count, 100);
	ck_assert_uint_eq(f->budget.gap_len, 1 + 99 * 100);
	fixture_free(f);
}
END_TEST

START_TEST(one_segment_larger_than_the_budget_passes)
{
	struct fixture *f = fixture_new(1);

	f->budget.max_held_per_stream = f->budget.max_held_len = 0;
	add_text(f, 3, "def");
	add_text(f, 6, "g");
	add_text(f, 9, "j");
	ck_assert_str_eq(f->r.text, "(3)defg(2)j");
	fixture_free(f);
}
END_TEST

START_TEST(the_budget_of_all_streams_is_kept)
{
	struct tcp_stream streams[8] = { { 0 } };
	struct tcp_stream_budget budget = { .max_held_len = 2000, .max_held_per_stream = 1500 };
	struct recorder *recorders = calloc(8, sizeof(*recorders));
	uint32_t state = 1;

	ck_assert_ptr_nonnull(recorders);
	for (int i = 0; i < 8; i++)
		tcp_stream_set_base(&streams[i], (uint32_t)i * 0x30000000, true);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned n = random_below(&state, 8);
		struct tcp_segment segment = {
			.seq = streams[n].base + 1 + i * 10,
			.payload = BYTES("12345"),
			.payload_len = 5,
		};
		size_t sum = 0;

		tcp_stream_add(&streams[n], &segment, &budget, &recorder_sink, &recorders[n]);
		for (int k = 0; k < 8; k++)
			sum += held_len(&streams[k]);
		ck_assert_uint_eq(budget.held_len, sum);
		ck_assert_uint_le(budget.held_len, 2000);
	}
	for (int i = 0; i < 8; i++) {
		tcp_stream_flush(&streams[i], &budget, &recorder_sink, &recorders[i]);
		ck_assert_uint_eq(held_len(&streams[i]), 0);
	}
	ck_assert_uint_eq(budget.held_len, 0);
	free(recorders);
}
END_TEST

START_TEST(so_many_single_bytes_wait_and_not_more)
{
	struct fixture *f = fixture_new(1);
	size_t waited = 0;

	for (int64_t i = 0; i < 3000; i++) {
		add_text(f, 1 + 2 * i, "x");
		waited += f->budget.gap_count == 0;
	}
	ck_assert_uint_ge(waited, 1024);
	ck_assert_uint_le(waited, 1100);
	flush_stream(f);
	ck_assert_uint_eq(f->budget.gap_count, 3000);
	fixture_free(f);
}
END_TEST

/* What waits is found by its place: any order of many segments costs little and gives the same. */
START_TEST(a_thousand_segments_in_a_bad_order_come_out_whole)
{
	enum { COUNT = 1000 };
	struct fixture *f = fixture_new(0xffffff00);
	char letter[2] = "";

	/* From both ends to the middle, then from the front; the first byte comes last. */
	for (int64_t i = 0; i < COUNT; i++) {
		int64_t place = _i == 0   ? i
				: _i == 1 ? COUNT - 1 - i
				: i % 2   ? COUNT - 1 - i / 2
					  : i / 2;

		letter[0] = (char)('a' + place % 26);
		add_text(f, 1 + place, letter);
	}
	ck_assert_str_eq(f->r.text, "");
	add_text(f, 0, "-");
	ck_assert_uint_eq(f->r.len, COUNT + 1);
	for (int64_t i = 0; i < COUNT; i++)
		ck_assert_int_eq(f->r.text[1 + i], 'a' + i % 26);
	fixture_free(f);
}
END_TEST

/* The queue is emptied from the front while it is filled from behind. */
START_TEST(a_moving_hole_does_not_grow_the_queue)
{
	struct fixture *f = fixture_new(1);
	size_t most = 0;

	for (int64_t i = 0; i < 5000; i += 2) {
		add_text(f, i + 1, "b");
		add_text(f, i + 3, "b");
		add_text(f, i, "a");
		most = held_len(&f->s) > most ? held_len(&f->s) : most;
	}
	flush_stream(f);
	ck_assert_uint_eq(f->budget.gap_count, 1); /* in front of the very last */
	ck_assert_uint_lt(most, 400);
	fixture_free(f);
}
END_TEST

START_TEST(segments_with_the_same_beginning_take_one_place)
{
	struct fixture *f = fixture_new(1);
	char block[1000];
	uint32_t longest;

	memset(block, 'x', sizeof(block));
	add(f, 1, span_from(block, sizeof(block)), sizeof(block), false);
	longest = held_len(&f->s);
	for (size_t len = 1; len <= sizeof(block); len++)
		add(f, 1, span_from(block, len), len, false);
	ck_assert_uint_eq(held_len(&f->s), longest);
	ck_assert_uint_eq(f->budget.duplicate_count, sizeof(block));
	tcp_stream_stop(&f->s, &f->budget);
	fixture_free(f);
	f = fixture_new(1);
	for (size_t len = 1; len <= sizeof(block); len++)
		add(f, 1, span_from(block, len), len, false);
	ck_assert_uint_eq(held_len(&f->s), longest);
	tcp_stream_stop(&f->s, &f->budget);
	fixture_free(f);
}
END_TEST

/* Text of random letters, cut at random places, each piece perhaps twice with other boundaries. */
#define STORM_MAX 2048
struct storm_piece {
	size_t offset, len;
};

struct storm {
	char text[2048];
	size_t len;
	struct storm_piece pieces[STORM_MAX];
	unsigned count;
};

static void
storm_cut(struct storm *storm, uint32_t *state, uint32_t piece_max)
{
	for (size_t at = 0; at < storm->len;) {
		size_t len = 1 + random_below(state, piece_max);

		if (len > storm->len - at)
			len = storm->len - at;
		ck_assert_uint_lt(storm->count, STORM_MAX);
		storm->pieces[storm->count].offset = at;
		storm->pieces[storm->count++].len = len;
		at += len;
	}
}

static void
storm_repeat(struct storm *storm)
{
	memcpy(storm->pieces + storm->count, storm->pieces, storm->count * sizeof(*storm->pieces));
	storm->count *= 2;
}

static void
storm_shuffle(struct storm *storm, uint32_t *state, uint32_t window)
{
	for (unsigned i = 0; i < storm->count; i++) {
		unsigned other = i + random_below(state, window);

		struct storm_piece piece = storm->pieces[i];

		if (other < storm->count) {
			storm->pieces[i] = storm->pieces[other];
			storm->pieces[other] = piece;
		}
	}
}

static void
check_storm(uint32_t seed)
{
	uint32_t state = 0x1234567u + seed * 0x9e3779b9u;
	struct storm storm = { .len = 1 + random_below(&state, 700) };
	struct fixture *f = fixture_new(next_random(&state));
	uint32_t piece_max = 1 + random_below(&state, 60);
	bool zeros;

	/* Zero bytes only where no other boundaries come: they give way to what overlaps them. */
	zeros = random_below(&state, 2) == 0;
	for (size_t i = 0; i < storm.len; i++)
		storm.text[i] = zeros && random_below(&state, 3) != 0
				    ? '\0'
				    : (char)('a' + random_below(&state, 26));
	storm_cut(&storm, &state, piece_max);
	if (!zeros)
		storm_cut(&storm, &state, piece_max * 2);
	else
		storm_repeat(&storm);
	storm_shuffle(&storm, &state, 1 + random_below(&state, 300));
	for (unsigned i = 0; i < storm.count; i++)
		add(f, (int64_t)storm.pieces[i].offset,
		    span_from(storm.text + storm.pieces[i].offset, storm.pieces[i].len),
		    storm.pieces[i].len, false);
	add(f, (int64_t)storm.len, BYTES(""), 0, true);
	for (size_t i = 0; i < storm.len; i++)
		storm.text[i] = storm.text[i] == 0 ? '.' : storm.text[i];
	ck_assert_uint_eq(f->r.len, storm.len + 1);
	ck_assert_mem_eq(f->r.text, storm.text, storm.len);
	ck_assert(f->r.fin);
	ck_assert_uint_eq(f->budget.gap_count, 0);
	fixture_free(f);
}

START_TEST(a_shuffled_stream_with_duplicates_comes_out_whole)
{
	for (uint32_t i = 0; i < 50; i++)
		check_storm((uint32_t)_i * 50 + i);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_stream_over_its_budget_gives_up_its_holes);
	tcase_add_test(tc, one_segment_larger_than_the_budget_passes);
	tcase_add_test(tc, the_budget_of_all_streams_is_kept);
	tcase_add_test(tc, so_many_single_bytes_wait_and_not_more);
	tcase_add_loop_test(tc, a_thousand_segments_in_a_bad_order_come_out_whole, 0, 3);
	tcase_add_test(tc, a_moving_hole_does_not_grow_the_queue);
	tcase_add_test(tc, segments_with_the_same_beginning_take_one_place);
	tcase_add_loop_test(tc, a_shuffled_stream_with_duplicates_comes_out_whole, 0, 8);
}

SUITE_MAIN("flow_held")
