#include "suite.h"

#include "base/few.h"

#include "base/banned.h"

/* Random enough; equal ones among them. */
static uint64_t
number(unsigned seed, unsigned i, unsigned different)
{
	return (seed * UINT64_C(2862933555777941757) + i * UINT64_C(3202034522624059733)) %
	       different;
}

START_TEST(each_number_gets_its_place_and_equal_ones_stay_in_order)
{
	uint64_t keys[FEW_MAX], sorted[FEW_MAX];
	uint32_t places[FEW_MAX], from[FEW_MAX];

	for (unsigned count = 0; count <= FEW_MAX; count++) {
		for (unsigned i = 0; i < count; i++)
			keys[i] = number(count, i, 1 + (unsigned)_i * 20);
		few_places(keys, count, places);
		for (unsigned i = 0; i < count; i++) {
			ck_assert_uint_lt(places[i], count);
			sorted[places[i]] = keys[i];
			from[places[i]] = i;
		}
		for (unsigned i = 1; i < count; i++) {
			ck_assert(sorted[i - 1] <= sorted[i]);
			ck_assert(sorted[i - 1] < sorted[i] || from[i - 1] < from[i]);
		}
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, each_number_gets_its_place_and_equal_ones_stay_in_order, 0, 4);
}

SUITE_MAIN("base_few")
