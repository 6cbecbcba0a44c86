#include "suite.h"

#include "flow/syn_cache.h"

#include "base/banned.h"

/* The lower bits choose the set, the upper ones tell its entries apart. */
#define HASH UINT64_C(0x1234567800000042)
#define SAME_SET(n) (HASH + ((uint64_t)(n) << 40))

static struct syn_cache *cache;

static void
setup(void)
{
	cache = syn_cache_new(1);
}

static void
teardown(void)
{
	syn_cache_free(cache);
}

START_TEST(an_empty_cache_knows_nothing)
{
	ck_assert_ptr_null(syn_cache_find(cache, 0));
	ck_assert_ptr_null(syn_cache_find(cache, HASH));
	ck_assert_ptr_null(syn_cache_find(cache, UINT64_MAX));
	syn_cache_remove(cache, HASH);
	syn_cache_free(NULL);
}
END_TEST

START_TEST(a_syn_tells_one_number)
{
	const struct syn_entry *e;
	unsigned dir = (unsigned)_i;

	ck_assert(syn_cache_add_syn(cache, HASH, dir, 0xfffffffe));
	e = syn_cache_find(cache, HASH);
	ck_assert_ptr_nonnull(e);
	ck_assert(e->has_isn[dir] && !e->has_isn[1 - dir] && !e->has_other_isn);
	ck_assert_uint_eq(e->isn[dir], 0xfffffffe);
	ck_assert_int_eq(e->opener, (int)dir);
	ck_assert(e->syn && !e->syn_ack);
}
END_TEST

START_TEST(a_syn_ack_tells_both_numbers_and_who_opened)
{
	const struct syn_entry *e;
	unsigned dir = (unsigned)_i;

	syn_cache_add_syn_ack(cache, HASH, dir, 77, 0); /* the number before wraps */
	e = syn_cache_find(cache, HASH);
	ck_assert_ptr_nonnull(e);
	ck_assert(e->has_isn[0] && e->has_isn[1] && !e->has_other_isn);
	ck_assert_uint_eq(e->isn[dir], 77);
	ck_assert_uint_eq(e->isn[1 - dir], 0xffffffff);
	ck_assert_int_eq(e->opener, 1 - (int)dir);
	ck_assert(!e->syn && e->syn_ack);
	/* The SYN itself comes late, and is new. */
	ck_assert(syn_cache_add_syn(cache, HASH, 1 - dir, 0xffffffff));
	ck_assert(e->syn && e->syn_ack && e->isn[dir] == 77);
	ck_assert(!syn_cache_add_syn(cache, HASH, 1 - dir, 0xffffffff));
}
END_TEST

START_TEST(without_a_syn_ack_the_openers_first_acknowledgement_tells_its_number)
{
	const struct syn_entry *e;
	unsigned dir = (unsigned)_i;

	syn_cache_add_ack(cache, HASH, dir, 78);
	ck_assert_ptr_null(syn_cache_find(cache, HASH));
	syn_cache_add_syn(cache, HASH, dir, 5);
	syn_cache_add_ack(cache, HASH, 1 - dir, 6);
	e = syn_cache_find(cache, HASH);
	ck_assert(!e->has_ack && !e->has_isn[1 - dir]);
	syn_cache_add_ack(cache, HASH, dir, 78);
	syn_cache_add_ack(cache, HASH, dir, 106);
	ck_assert(e->has_ack && !e->has_isn[1 - dir]);
	ck_assert_uint_eq(e->isn[1 - dir], 77);
	/* The SYN/ACK itself counts more. */
	syn_cache_add_syn_ack(cache, HASH, 1 - dir, 76, 6);
	ck_assert(e->has_isn[1 - dir] && !e->has_other_isn);
	ck_assert_uint_eq(e->isn[1 - dir], 76);
}
END_TEST

START_TEST(a_repeated_syn_is_not_new)
{
	ck_assert(syn_cache_add_syn(cache, HASH, 0, 5));
	ck_assert(!syn_cache_add_syn(cache, HASH, 0, 5));
	syn_cache_add_syn_ack(cache, HASH, 1, 9, 6);
	ck_assert(!syn_cache_add_syn(cache, HASH, 0, 5));
	ck_assert(syn_cache_find(cache, HASH)->has_isn[1]);
}
END_TEST

START_TEST(a_syn_with_another_number_replaces_everything)
{
	const struct syn_entry *e;

	ck_assert(syn_cache_add_syn(cache, HASH, 0, 5));
	syn_cache_add_syn_ack(cache, HASH, 1, 9, 6);
	syn_cache_add_syn_ack(cache, HASH, 1, 10, 6);
	ck_assert(syn_cache_add_syn(cache, HASH, 0, 6));
	e = syn_cache_find(cache, HASH);
	ck_assert(e->has_isn[0] && !e->has_isn[1] && !e->has_other_isn && !e->syn_ack);
}
END_TEST

/* RFC 9293, section 3.5, figure 7; a server may also answer with an ACK and a SYN of its own. */
START_TEST(of_two_that_open_at_once_the_first_is_the_opener)
{
	unsigned dir = (unsigned)_i;
	const struct syn_entry *e;

	ck_assert(syn_cache_add_syn(cache, HASH, dir, 1000));
	ck_assert(!syn_cache_add_syn(cache, HASH, 1 - dir, 5000));
	ck_assert(syn_cache_add_syn_ack(cache, HASH, dir, 1000, 5001));
	e = syn_cache_find(cache, HASH);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(e->opener, dir);
	ck_assert(e->has_isn[0] && e->has_isn[1]);
	ck_assert_uint_eq(e->isn[dir], 1000);
	ck_assert_uint_eq(e->isn[1 - dir], 5000);
	/* Behind a SYN/ACK it is a new connection. */
	ck_assert(syn_cache_add_syn(cache, HASH, 1 - dir, 9000));
	ck_assert_int_eq(syn_cache_find(cache, HASH)->opener, 1 - dir);
}
END_TEST

START_TEST(two_syn_acks_that_differ_are_both_known)
{
	const struct syn_entry *e;

	ck_assert(syn_cache_add_syn(cache, HASH, 0, 5));
	syn_cache_add_syn_ack(cache, HASH, 1, 9, 6);
	syn_cache_add_syn_ack(cache, HASH, 1, 9, 6);
	e = syn_cache_find(cache, HASH);
	ck_assert(!e->has_other_isn);
	syn_cache_add_syn_ack(cache, HASH, 1, 700, 6);
	ck_assert(e->has_other_isn && e->syn);
	ck_assert_uint_eq(e->isn[1], 700);
	ck_assert_uint_eq(e->other_isn, 9);
}
END_TEST

START_TEST(a_syn_ack_to_another_syn_begins_anew)
{
	const struct syn_entry *e;

	ck_assert(syn_cache_add_syn(cache, HASH, 0, 5));
	syn_cache_add_syn_ack(cache, HASH, 1, 9, 1006);
	e = syn_cache_find(cache, HASH);
	ck_assert_uint_eq(e->isn[0], 1005);
	ck_assert_int_eq(e->opener, 0);
	ck_assert(!e->syn && e->syn_ack);
}
END_TEST

START_TEST(a_path_that_joins_is_marked_until_another_one_begins)
{
	syn_cache_mark_join(cache, HASH); /* not there */
	ck_assert_ptr_null(syn_cache_find(cache, HASH));
	syn_cache_add_syn(cache, HASH, 0, 1);
	ck_assert(!syn_cache_find(cache, HASH)->joins);
	syn_cache_mark_join(cache, HASH);
	syn_cache_add_syn(cache, HASH, 0, 1);
	syn_cache_add_syn_ack(cache, HASH, 1, 7, 2);
	ck_assert(syn_cache_find(cache, HASH)->joins);
	syn_cache_add_syn(cache, HASH, 0, 1000);
	ck_assert(!syn_cache_find(cache, HASH)->joins);
}
END_TEST

START_TEST(a_removed_entry_is_gone)
{
	ck_assert(syn_cache_add_syn(cache, HASH, 0, 5));
	syn_cache_remove(cache, SAME_SET(1));
	ck_assert_ptr_nonnull(syn_cache_find(cache, HASH));
	syn_cache_remove(cache, HASH);
	ck_assert_ptr_null(syn_cache_find(cache, HASH));
	ck_assert(syn_cache_add_syn(cache, HASH, 0, 5));
}
END_TEST

START_TEST(five_that_begin_in_one_set_are_all_known)
{
	for (unsigned i = 0; i < 5; i++)
		ck_assert(syn_cache_add_syn(cache, SAME_SET(i), 0, i));
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(syn_cache_find(cache, SAME_SET(i))->isn[0], i);
		ck_assert(syn_cache_add_syn_ack(cache, SAME_SET(i), 1, 9, i + 1));
	}
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(syn_cache_find(cache, SAME_SET(i))->isn[1], 9);
}
END_TEST

START_TEST(of_six_in_one_set_the_oldest_is_forgotten)
{
	for (unsigned i = 0; i < 6; i++)
		ck_assert(syn_cache_add_syn(cache, SAME_SET(i), 0, i));
	ck_assert_ptr_null(syn_cache_find(cache, SAME_SET(0)));
	for (unsigned i = 1; i < 6; i++)
		ck_assert_uint_eq(syn_cache_find(cache, SAME_SET(i))->isn[0], i);
}
END_TEST

START_TEST(what_was_answered_outlives_syns_but_not_for_ever)
{
	uint64_t i;

	ck_assert(syn_cache_add_syn(cache, SAME_SET(0), 0, 5));
	ck_assert(syn_cache_add_syn_ack(cache, SAME_SET(0), 1, 9, 6));
	ck_assert(!syn_cache_add_syn_ack(cache, SAME_SET(0), 1, 9, 6)); /* once more */
	for (i = 1; i <= 60000; i++)
		ck_assert(syn_cache_add_syn(cache, SAME_SET(i), 0, 7));
	ck_assert_uint_eq(syn_cache_find(cache, SAME_SET(0))->isn[1], 9);
	ck_assert_ptr_nonnull(syn_cache_find(cache, SAME_SET(59997)));
	ck_assert_ptr_null(syn_cache_find(cache, SAME_SET(59996)));
	for (; i <= 70000; i++)
		ck_assert(syn_cache_add_syn(cache, SAME_SET(i), 0, 7));
	ck_assert_ptr_null(syn_cache_find(cache, SAME_SET(0)));
}
END_TEST

START_TEST(of_six_answered_ones_the_oldest_is_forgotten)
{
	for (unsigned i = 0; i < 6; i++) {
		ck_assert(syn_cache_add_syn(cache, SAME_SET(i), 0, 5));
		ck_assert(syn_cache_add_syn_ack(cache, SAME_SET(i), 1, 9, 6));
	}
	ck_assert_ptr_null(syn_cache_find(cache, SAME_SET(0)));
	for (unsigned i = 1; i < 6; i++)
		ck_assert_ptr_nonnull(syn_cache_find(cache, SAME_SET(i)));
}
END_TEST

START_TEST(a_removed_entry_gives_way_first)
{
	for (unsigned i = 0; i < 5; i++)
		ck_assert(syn_cache_add_syn(cache, SAME_SET(i), 0, i));
	syn_cache_remove(cache, SAME_SET(3));
	ck_assert(syn_cache_add_syn(cache, SAME_SET(5), 0, 7));
	for (unsigned i = 0; i < 6; i++)
		ck_assert((syn_cache_find(cache, SAME_SET(i)) != NULL) == (i != 3));
}
END_TEST

START_TEST(a_flood_is_survived_and_the_latest_is_known)
{
	for (uint64_t i = 0; i < 200000; i++) {
		uint64_t hash = i * UINT64_C(0x9e3779b97f4a7c15);

		ck_assert(syn_cache_add_syn(cache, hash, i & 1, (uint32_t)i));
		ck_assert_uint_eq(syn_cache_find(cache, hash)->isn[i & 1], (uint32_t)i);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_empty_cache_knows_nothing);
	tcase_add_loop_test(tc, a_syn_tells_one_number, 0, 2);
	tcase_add_loop_test(tc, a_syn_ack_tells_both_numbers_and_who_opened, 0, 2);
	tcase_add_loop_test(
	    tc, without_a_syn_ack_the_openers_first_acknowledgement_tells_its_number, 0, 2);
	tcase_add_test(tc, a_repeated_syn_is_not_new);
	tcase_add_test(tc, a_syn_with_another_number_replaces_everything);
	tcase_add_loop_test(tc, of_two_that_open_at_once_the_first_is_the_opener, 0, 2);
	tcase_add_test(tc, two_syn_acks_that_differ_are_both_known);
	tcase_add_test(tc, a_syn_ack_to_another_syn_begins_anew);
	tcase_add_test(tc, a_path_that_joins_is_marked_until_another_one_begins);
	tcase_add_test(tc, a_removed_entry_is_gone);
	tcase_add_test(tc, five_that_begin_in_one_set_are_all_known);
	tcase_add_test(tc, of_six_in_one_set_the_oldest_is_forgotten);
	tcase_add_test(tc, what_was_answered_outlives_syns_but_not_for_ever);
	tcase_add_test(tc, of_six_answered_ones_the_oldest_is_forgotten);
	tcase_add_test(tc, a_removed_entry_gives_way_first);
	tcase_add_test(tc, a_flood_is_survived_and_the_latest_is_known);
}

SUITE_MAIN("flow_syn_cache")
