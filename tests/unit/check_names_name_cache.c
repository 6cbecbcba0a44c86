#include "names/name_cache.h"

#include <string.h>

#include "suite.h"

#include "base/banned.h"

static struct name_cache *cache;

static void
init(void)
{
	cache = name_cache_new(1 << 20);
}

static void
release(void)
{
	name_cache_free(cache);
}

static struct name_key
key_of(unsigned n)
{
	struct name_key key = { .kind = 1 };

	key.a = addr_from_v4((const uint8_t[]){
	    10, (uint8_t)(n >> 16 & 0xff), (uint8_t)(n >> 8 & 0xff), (uint8_t)(n & 0xff) });
	return key;
}

static struct name_lesson
lesson_of(unsigned n, struct span name, int64_t time_us, int64_t until_us)
{
	return (struct name_lesson){
		.key = key_of(n), .name = name, .time_us = time_us, .until_us = until_us
	};
}

static void
learn(unsigned n, const char *name, int64_t time_us, int64_t until_us)
{
	struct name_lesson lesson = lesson_of(n, span_from_text(name), time_us, until_us);

	name_cache_learn(cache, &lesson);
}

static void
expect(unsigned n, int64_t time_us, bool only, const char *name)
{
	struct name_key key = key_of(n);
	struct span found = { 0 };
	bool any = name_cache_find(cache, &key, time_us, only, &found, NULL);

	ck_assert_msg(any == (name != NULL), "at %lld", (long long)time_us);
	if (any)
		ck_assert_msg(
		    span_equals(found, span_from_text(name)), "%.*s", (int)found.len, found.data);
}

START_TEST(a_name_holds_from_its_time_to_its_end)
{
	learn(1, "a", 100, 200);
	expect(1, 99, false, NULL);
	expect(1, 100, false, "a");
	expect(1, 200, false, "a");
	expect(1, 201, false, NULL);
	expect(2, 150, false, NULL);
}
END_TEST

START_TEST(learning_it_again_makes_it_hold_longer)
{
	learn(1, "a", 100, 200);
	learn(1, "a", 180, 280);
	expect(1, 100, false, "a");
	expect(1, 280, false, "a");
	learn(1, "a", 50, 150); /* late */
	expect(1, 50, false, "a");
	expect(1, 280, false, "a");
}
END_TEST

START_TEST(what_was_learned_later_does_not_count)
{
	learn(1, "a", 100, 1000);
	learn(1, "b", 200, 1000);
	expect(1, 150, false, "a");
	expect(1, 200, false, "b");
}
END_TEST

START_TEST(names_may_come_in_any_order)
{
	learn(1, "b", 200, 1000);
	learn(1, "a", 100, 1000);
	expect(1, 150, false, "a");
	expect(1, 300, false, "b");
}
END_TEST

START_TEST(a_second_name_makes_a_key_ambiguous_while_both_hold)
{
	learn(1, "a", 100, 300);
	expect(1, 150, true, "a");
	learn(1, "b", 200, 1000);
	expect(1, 150, true, "a");
	expect(1, 250, true, NULL);
	expect(1, 301, true, "b");
}
END_TEST

START_TEST(of_three_names_the_two_latest_are_kept)
{
	learn(1, "a", 100, 1000);
	learn(1, "b", 200, 1000);
	learn(1, "c", 300, 1000);
	learn(1, "z", 50, 1000);
	expect(1, 250, false, "b");
	expect(1, 300, false, "c");
	expect(1, 100, false, NULL);
}
END_TEST

START_TEST(a_name_that_comes_back_is_the_one_that_was_there)
{
	char again[] = "a"; /* the same name, at another place */
	size_t bytes;

	learn(1, "a", 100, 200);
	learn(1, "b", 150, 1000);
	bytes = name_cache_bytes(cache);
	learn(1, again, 300, 400);
	again[0] = 'c';
	ck_assert_uint_eq(name_cache_bytes(cache), bytes);
	expect(1, 120, false, "a");
	expect(1, 350, false, "a");
	expect(1, 350, true, NULL);
	expect(1, 500, true, "b");
}
END_TEST

START_TEST(of_two_names_that_hold_the_lower_rank_counts)
{
	struct name_key key = key_of(1);
	struct span name;
	uint8_t rank;
	struct name_lesson netbios = lesson_of(1, span_from_text("nb"), 100, 1000);
	struct name_lesson mdns = lesson_of(1, span_from_text("md"), 50, 300);

	netbios.rank = 9;
	mdns.rank = 8;
	name_cache_learn(cache, &netbios);
	name_cache_learn(cache, &mdns);
	ck_assert(name_cache_find(cache, &key, 200, false, &name, &rank));
	ck_assert_uint_eq(rank, 8);
	ck_assert(name_cache_find(cache, &key, 400, false, &name, &rank));
	ck_assert_uint_eq(rank, 9);
}
END_TEST

START_TEST(many_lessons_are_learned_in_their_order)
{
	static const char *const names[] = { "a", "b", "c" };
	struct name_lesson lessons[3 * NAME_LESSONS_MAX + 1];
	unsigned count = sizeof(lessons) / sizeof(lessons[0]);

	for (unsigned i = 0; i < count; i++)
		lessons[i] = lesson_of(i % 5, span_from_text(names[i / 5 % 3]), i, 1000 + i);
	name_cache_learn_many(cache, lessons, 0);
	name_cache_learn_many(cache, lessons, count);
	ck_assert_uint_eq(name_cache_count(cache), 5);
	for (unsigned i = count - 5; i < count; i++) {
		expect(i % 5, i, false, names[i / 5 % 3]);
		expect(i % 5, i - 5, false, names[(i / 5 - 1) % 3]);
		expect(i % 5, 1001 + i, false, NULL);
	}
}
END_TEST

START_TEST(keys_differ_in_each_of_their_parts)
{
	struct name_key key = key_of(1), other;
	struct span name;

	learn(1, "a", 100, 200);
	other = key;
	other.kind = 2;
	ck_assert(!name_cache_find(cache, &other, 100, false, &name, NULL));
	other = key;
	other.port = 993;
	ck_assert(!name_cache_find(cache, &other, 100, false, &name, NULL));
	other = key;
	other.mac[5] = 1;
	ck_assert(!name_cache_find(cache, &other, 100, false, &name, NULL));
	other = key;
	other.b = key.a;
	ck_assert(!name_cache_find(cache, &other, 100, false, &name, NULL));
	ck_assert(name_cache_find(cache, &key, 100, false, &name, NULL));
}
END_TEST

/* Ten times as many as fit, each of its own and as long as names get. */
START_TEST(a_flood_stays_within_the_bytes_and_the_oldest_give_way)
{
	char name[255];
	unsigned count = 40000;

	memset(name, 'x', sizeof(name));
	for (unsigned n = 0; n < count; n++) {
		struct name_lesson lesson =
		    lesson_of(n, span_from(name, sizeof(name)), n, INT64_MAX);

		memcpy(name, &n, sizeof(n));
		name_cache_learn(cache, &lesson);
		ck_assert_uint_le(name_cache_bytes(cache), 1 << 20);
	}
	ck_assert_uint_gt(name_cache_count(cache), 1000);
	for (unsigned n = 0; n < count; n++) {
		struct name_key key = key_of(n);
		struct span found;
		bool expected = n >= count - name_cache_count(cache);

		ck_assert(name_cache_find(cache, &key, count, false, &found, NULL) == expected);
	}
}
END_TEST

/* What one kind of entry gave back serves another. */
START_TEST(keys_of_all_lengths_give_way_to_each_other)
{
	struct addr v6 = { .family = 6, .bytes = { 0x20, 0x01, 0x0d, 0xb8 } };
	size_t bytes = 0;

	for (unsigned n = 0; n < 60000; n++) {
		struct name_lesson lesson =
		    lesson_of(n, span_from_text("a"), (int64_t)n, INT64_MAX);

		if (n / 20000 == 1)
			lesson.key.a = lesson.key.b = v6;
		memcpy(lesson.key.a.bytes + (n / 20000 == 1 ? 12 : 0), &n, 4);
		name_cache_learn(cache, &lesson);
		bytes = name_cache_bytes(cache) > bytes ? name_cache_bytes(cache) : bytes;
	}
	ck_assert_uint_le(bytes, 1 << 20);
	ck_assert_uint_gt(name_cache_count(cache), 7000); /* a third may lie idle */
}
END_TEST

START_TEST(a_long_key_has_two_names_as_well)
{
	struct name_lesson lesson = lesson_of(1, span_from_text("a"), 100, 1000);
	struct span name;
	uint8_t rank;

	lesson.key.a.family = lesson.key.b.family = 6;
	memset(lesson.key.a.bytes, 1, 16);
	memset(lesson.key.b.bytes, 2, 16);
	name_cache_learn(cache, &lesson);
	lesson.name = span_from_text("b");
	lesson.time_us = 200;
	lesson.rank = 1;
	name_cache_learn(cache, &lesson);
	ck_assert(name_cache_find(cache, &lesson.key, 150, true, &name, &rank));
	ck_assert(span_equals(name, span_from_text("a")));
	ck_assert(!name_cache_find(cache, &lesson.key, 200, true, &name, &rank));
	ck_assert(name_cache_find(cache, &lesson.key, 200, false, &name, &rank));
	ck_assert_uint_eq(rank, 0);
	lesson.key.b.bytes[15] = 3;
	ck_assert(!name_cache_find(cache, &lesson.key, 150, true, &name, &rank));
}
END_TEST

START_TEST(a_name_that_many_keys_have_is_kept_once)
{
	char name[255];
	size_t bytes;

	memset(name, 'x', sizeof(name));
	for (unsigned n = 0; n < 2; n++) {
		struct name_lesson lesson = lesson_of(n, span_from(name, sizeof(name)), 1, 2);

		bytes = name_cache_bytes(cache);
		name_cache_learn(cache, &lesson);
	}
	ck_assert_uint_lt(name_cache_bytes(cache) - bytes, sizeof(name));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, init, release);
	tcase_add_test(tc, a_name_holds_from_its_time_to_its_end);
	tcase_add_test(tc, learning_it_again_makes_it_hold_longer);
	tcase_add_test(tc, what_was_learned_later_does_not_count);
	tcase_add_test(tc, names_may_come_in_any_order);
	tcase_add_test(tc, a_second_name_makes_a_key_ambiguous_while_both_hold);
	tcase_add_test(tc, of_three_names_the_two_latest_are_kept);
	tcase_add_test(tc, a_name_that_comes_back_is_the_one_that_was_there);
	tcase_add_test(tc, of_two_names_that_hold_the_lower_rank_counts);
	tcase_add_test(tc, many_lessons_are_learned_in_their_order);
	tcase_add_test(tc, keys_differ_in_each_of_their_parts);
	tcase_add_test(tc, a_long_key_has_two_names_as_well);
	tcase_add_test(tc, a_name_that_many_keys_have_is_kept_once);
	tcase_add_test(tc, keys_of_all_lengths_give_way_to_each_other);
	tcase_add_test(tc, a_flood_stays_within_the_bytes_and_the_oldest_give_way);
}

SUITE_MAIN("names_name_cache")
