#include "suite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

/* Small ones out of what was used before, large ones fresh from the system. */
static const size_t lengths[] = { 1, 63, 64, 65, 4096, 65536, 300000, 1048576 };

#define LENGTHS ((int)(sizeof(lengths) / sizeof(lengths[0])))

START_TEST(an_aligned_object_begins_a_cache_line_and_is_zero)
{
	size_t len = lengths[_i];

	for (int round = 0; round < 3; round++) {
		uint8_t *object = xcalloc_aligned(len);

		ck_assert_uint_eq((uintptr_t)object % CACHE_LINE, 0);
		for (size_t i = 0; i < len; i++)
			ck_assert_uint_eq(object[i], 0);
		memset(object, 0xff, len);
		xfree_aligned(object);
	}
}
END_TEST

START_TEST(no_aligned_object_is_freed_in_peace)
{
	xfree_aligned(NULL);
}
END_TEST

START_TEST(a_list_that_grows_keeps_its_items_and_seldom_moves)
{
	size_t room = 0, moves = 0;
	uint32_t *items = NULL;

	for (size_t count = 0; count < 100000; count++) {
		size_t before = room;

		items = xgrow(items, count, &room, sizeof(*items));
		ck_assert_uint_gt(room, count);
		moves += room != before;
		items[count] = (uint32_t)count;
	}
	for (size_t i = 0; i < 100000; i++)
		ck_assert_uint_eq(items[i], i);
	ck_assert_uint_lt(moves, 20);
	free(items);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, an_aligned_object_begins_a_cache_line_and_is_zero, 0, LENGTHS);
	tcase_add_test(tc, a_list_that_grows_keeps_its_items_and_seldom_moves);
	tcase_add_test(tc, no_aligned_object_is_freed_in_peace);
}

SUITE_MAIN("base_xalloc")
