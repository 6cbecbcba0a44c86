#include "base/short_copy.h"

#include <string.h>

#include "suite.h"

#include "base/banned.h"

#define LEN_MAX 100

START_TEST(every_length_is_copied_and_nothing_else)
{
	char from[LEN_MAX], to[LEN_MAX + 1], wanted[LEN_MAX + 1];

	for (size_t i = 0; i < LEN_MAX; i++)
		from[i] = (char)(i + 1);
	for (size_t len = 0; len <= LEN_MAX; len++) {
		memset(to, 0, sizeof(to));
		memset(wanted, 0, sizeof(wanted));
		memcpy(wanted, from, len);
		short_copy(to, from, len);
		ck_assert_mem_eq(to, wanted, sizeof(to));
	}
	short_copy(to, NULL, 0);
	ck_assert_mem_eq(to, wanted, sizeof(to));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, every_length_is_copied_and_nothing_else);
}

SUITE_MAIN("base_short_copy")
