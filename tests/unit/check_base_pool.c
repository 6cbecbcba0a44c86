#include "suite.h"

#include "base/pool.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define COUNT 3000 /* more than a piece holds */

START_TEST(each_object_is_whole_and_one_of_its_own)
{
	static uint8_t *items[COUNT];
	size_t len = _i == 0 ? sizeof(void *) : 2 * CACHE_LINE;
	struct pool pool;

	pool_init(&pool, len);
	for (size_t i = 0; i < COUNT; i++) {
		items[i] = pool_take(&pool);
		memset(items[i], (int)(i % 251), len);
	}
	for (size_t i = 0; i < COUNT; i++) {
		for (size_t at = 0; at < len; at++)
			ck_assert_uint_eq(items[i][at], i % 251);
		if (len % CACHE_LINE == 0)
			ck_assert_uint_eq((uintptr_t)items[i] % CACHE_LINE, 0);
	}
	pool_release(&pool);
}
END_TEST

START_TEST(what_was_given_back_is_used_again)
{
	struct pool pool;
	void *first, *second;

	pool_init(&pool, 64);
	first = pool_take(&pool);
	second = pool_take(&pool);
	ck_assert_ptr_ne(first, second);
	pool_give_back(&pool, first);
	pool_give_back(&pool, second);
	ck_assert_ptr_eq(pool_take(&pool), second);
	ck_assert_ptr_eq(pool_take(&pool), first);
	ck_assert_ptr_ne(pool_take(&pool), first);
	pool_release(&pool);
}
END_TEST

START_TEST(behind_its_first_pointer_an_object_stays_as_it_was)
{
	struct pool pool;
	uint8_t *item;

	pool_init(&pool, 64);
	item = pool_take(&pool);
	memset(item, 7, 64);
	pool_give_back(&pool, item);
	for (size_t at = sizeof(void *); at < 64; at++)
		ck_assert_uint_eq(item[at], 7);
	pool_release(&pool);
}
END_TEST

START_TEST(a_released_pool_is_empty_and_can_be_used)
{
	struct pool pool;

	pool_init(&pool, 64);
	pool_give_back(&pool, pool_take(&pool));
	pool_release(&pool);
	ck_assert_ptr_nonnull(pool_take(&pool));
	pool_release(&pool);
	pool_release(&pool);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, each_object_is_whole_and_one_of_its_own, 0, 2);
	tcase_add_test(tc, what_was_given_back_is_used_again);
	tcase_add_test(tc, behind_its_first_pointer_an_object_stays_as_it_was);
	tcase_add_test(tc, a_released_pool_is_empty_and_can_be_used);
}

SUITE_MAIN("base_pool")
