#include "suite.h"

#include "capture/capture_internal.h"

#include "capture_replays.h"

#include "base/banned.h"

#define MIB ((uint64_t)1 << 20)
/* So many words, numbered in order: 24 MiB. */
#define WORDS (6u << 20)

/* A turn, or what is before it, of that cost. */
static void
pass_turn(struct map_choice *c, int64_t read_ns, int64_t mapped_ns)
{
	unsigned turn = c->turn;

	while (c->turn == turn) {
		if (map_choice_is_trial(c))
			map_choice_spend(c, c->is_mapped ? mapped_ns : read_ns);
		map_choice_add(c, MIB);
	}
}

/* All of a trial, and what comes before it. */
static void
try_both(struct map_choice *c, int64_t read_ns, int64_t mapped_ns)
{
	do
		pass_turn(c, read_ns, mapped_ns);
	while (c->turn <= MAP_CHOICE_TURNS);
}

START_TEST(what_takes_less_is_chosen)
{
	struct map_choice c;

	map_choice_init(&c);
	try_both(&c, 100, 105);
	ck_assert(!c.is_mapped);
	map_choice_init(&c);
	try_both(&c, 105, 100);
	ck_assert(c.is_mapped);
}
END_TEST

START_TEST(a_file_is_read_before_anything_is_tried)
{
	struct map_choice c;

	map_choice_init(&c);
	map_choice_add(&c, MAP_CHOICE_FIRST_LEN - 1);
	ck_assert(!c.is_mapped && !map_choice_is_trial(&c));
	map_choice_add(&c, 1);
	ck_assert(!c.is_mapped && map_choice_is_trial(&c));
}
END_TEST

START_TEST(both_have_as_many_turns)
{
	unsigned mapped_count = 0;
	struct map_choice c;

	map_choice_init(&c);
	pass_turn(&c, 1, 1);
	for (; map_choice_is_trial(&c); pass_turn(&c, 1, 1))
		mapped_count += c.is_mapped;
	ck_assert_uint_eq(mapped_count, MAP_CHOICE_TURNS / 2);
}
END_TEST

/* Returns how many of so many readings are timed. */
static unsigned
count_sampled(struct map_choice *c, unsigned reading_count)
{
	unsigned sampled_count = 0;

	for (unsigned i = 0; i < reading_count; i++)
		sampled_count += map_choice_is_sampled(c);
	return sampled_count;
}

START_TEST(of_a_turns_readings_some_are_timed_however_many_there_are)
{
	struct map_choice c;

	map_choice_init(&c);
	ck_assert(!map_choice_is_sampled(NULL));
	ck_assert_uint_eq(count_sampled(&c, 100 * MAP_CHOICE_SAMPLES), 0);
	pass_turn(&c, 1, 1);
	ck_assert_uint_eq(count_sampled(&c, 100 * MAP_CHOICE_SAMPLES), MAP_CHOICE_SAMPLES);
	pass_turn(&c, 1, 1);
	ck_assert_uint_eq(count_sampled(&c, 2), 1);
	pass_turn(&c, 1, 1);
	ck_assert_uint_eq(count_sampled(&c, 2), 2);
}
END_TEST

/* Returns how many turns the trial took. */
static unsigned
count_turns(struct map_choice *c, int64_t read_ns, int64_t mapped_ns)
{
	unsigned count = 0;

	map_choice_init(c);
	pass_turn(c, 0, 0);
	for (; map_choice_is_trial(c); count++)
		pass_turn(c, read_ns, mapped_ns);
	return count;
}

START_TEST(a_clear_difference_ends_a_trial_after_four_turns)
{
	struct map_choice c;

	ck_assert_uint_eq(count_turns(&c, 100, 120), 4);
	ck_assert(!c.is_mapped);
	ck_assert_uint_eq(count_turns(&c, 120, 100), 4);
	ck_assert(c.is_mapped);
	ck_assert_uint_eq(count_turns(&c, 100, 110), MAP_CHOICE_TURNS);
}
END_TEST

/* The slow turn overlaps with the others, so that more of them are asked. */
START_TEST(one_slow_turn_decides_nothing)
{
	struct map_choice c;

	map_choice_init(&c);
	pass_turn(&c, 0, 0);
	pass_turn(&c, 1000, 0);
	while (c.turn <= MAP_CHOICE_TURNS)
		pass_turn(&c, 100, 150);
	ck_assert(!c.is_mapped);
}
END_TEST

START_TEST(a_turn_that_is_mapped_for_little_decides_nothing)
{
	struct map_choice c;

	map_choice_init(&c);
	pass_turn(&c, 0, 0);
	pass_turn(&c, 100, 0);
	pass_turn(&c, 0, 80);
	while (c.turn <= MAP_CHOICE_TURNS)
		pass_turn(&c, 100, 150);
	ck_assert(!c.is_mapped);
}
END_TEST

/* Until the next trial, behind one. */
static uint64_t
pass_what_lasts(struct map_choice *c)
{
	uint64_t len = 0;

	for (; !map_choice_is_trial(c); len += MIB)
		map_choice_add(c, MIB);
	return len;
}

START_TEST(both_are_tried_again_after_a_while)
{
	struct map_choice c;

	map_choice_init(&c);
	try_both(&c, 100, 150);
	ck_assert_uint_eq(pass_what_lasts(&c), MAP_CHOICE_LASTS_LEN_MIN);
	try_both(&c, 150, 100);
	ck_assert(c.is_mapped);
}
END_TEST

START_TEST(what_is_found_again_lasts_twice_as_long)
{
	uint64_t lasts = MAP_CHOICE_LASTS_LEN_MIN;
	struct map_choice c;

	map_choice_init(&c);
	for (unsigned i = 0; i < 6; i++) {
		try_both(&c, 150, 100);
		ck_assert_uint_eq(pass_what_lasts(&c), lasts);
		lasts = lasts < MAP_CHOICE_LASTS_LEN_MAX ? lasts * 2 : lasts;
	}
	try_both(&c, 100, 150);
	ck_assert_uint_eq(pass_what_lasts(&c), MAP_CHOICE_LASTS_LEN_MIN);
}
END_TEST

static void
save_words(const char *path)
{
	struct buf b = { 0 };

	for (uint32_t i = 0; i < WORDS; i++)
		buf_add(&b, &i, sizeof(i));
	save(path, &b);
	buf_release(&b);
}

static uint32_t
word_at(struct span bytes, size_t at)
{
	uint32_t word;

	memcpy(&word, bytes.data + at, sizeof(word));
	return word;
}

/* Takes whole words of what waits: all but some, as a reader that looks for the rest of a record.
 */
static uint32_t
take_words(struct source *s, uint32_t next, size_t left)
{
	struct span rest = source_rest(s);
	size_t len = (rest.len > left ? rest.len - left : rest.len) & ~(sizeof(next) - 1);

	for (size_t at = 0; at < len; at += sizeof(next))
		if (word_at(rest, at) != next++)
			ck_abort_msg("word %u is wrong", next - 1);
	source_take(s, len);
	return next;
}

/* Three fills of the map, and three that are read, in turn. */
START_TEST(bytes_are_the_same_however_often_it_is_chosen_anew)
{
	const size_t left = (size_t)_i * 4;
	struct map_choice choice = {
		.turn = MAP_CHOICE_TURNS + 1,
		.lasts_len = MAP_CHOICE_LASTS_LEN_MAX,
		.is_mapped = true,
	};
	unsigned mapped_count = 0, read_count = 0;
	uint32_t next = 0;
	struct source s;
	struct error err;

	save_words("words");
	ck_assert_int_eq(source_open(&s, "words", WINDOW_LEN, &err), 0);
	source_sniff(&s);
	source_choose(&s, &choice);
	for (unsigned fills = 0; !s.at_end; fills++) {
		next = take_words(&s, next, left);
		choice.is_mapped = fills / 3 % 2 == 0;
		source_fill(&s, left + 4);
		mapped_count += s.map.bytes != NULL;
		read_count += s.map.bytes == NULL;
	}
	next = take_words(&s, next, 0);
	ck_assert_uint_eq(next, WORDS);
	ck_assert(!s.failed);
	ck_assert_uint_gt(mapped_count, 3);
	ck_assert_uint_gt(read_count, 3);
	source_close(&s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, what_takes_less_is_chosen);
	tcase_add_test(tc, a_file_is_read_before_anything_is_tried);
	tcase_add_test(tc, both_have_as_many_turns);
	tcase_add_test(tc, of_a_turns_readings_some_are_timed_however_many_there_are);
	tcase_add_test(tc, a_clear_difference_ends_a_trial_after_four_turns);
	tcase_add_test(tc, one_slow_turn_decides_nothing);
	tcase_add_test(tc, a_turn_that_is_mapped_for_little_decides_nothing);
	tcase_add_test(tc, both_are_tried_again_after_a_while);
	tcase_add_test(tc, what_is_found_again_lasts_twice_as_long);
	tcase_add_loop_test(tc, bytes_are_the_same_however_often_it_is_chosen_anew, 0, 3);
}

SUITE_MAIN("capture_map_choice")
