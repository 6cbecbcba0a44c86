#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/interface_drops.h"
#include "suite.h"

#include "base/banned.h"

static void
write_count(int file, const char *text)
{
	ck_assert_int_eq(ftruncate(file, 0), 0);
	ck_assert_int_eq(pwrite(file, text, strlen(text), 0), (ssize_t)strlen(text));
}

START_TEST(what_is_new_is_told_once)
{
	FILE *made = tmpfile();
	struct interface_drops d;
	int file;

	ck_assert_ptr_nonnull(made);
	file = dup(fileno(made));
	(void)fclose(made);
	interface_drops_init(&d);
	ck_assert_uint_eq(interface_drops_take(&d), 0);
	d.files[1] = file;
	d.last[1] = 1000;
	write_count(file, "1007\n");
	ck_assert_uint_eq(interface_drops_take(&d), 7);
	ck_assert_uint_eq(interface_drops_take(&d), 0);
	/* Nothing can be read for a moment. */
	write_count(file, "");
	ck_assert_uint_eq(interface_drops_take(&d), 0);
	write_count(file, "1010\n");
	ck_assert_uint_eq(interface_drops_take(&d), 3);
	/* The driver begins anew. */
	write_count(file, "0\n");
	ck_assert_uint_eq(interface_drops_take(&d), 0);
	write_count(file, "18446744073709551615\n");
	ck_assert_uint_eq(interface_drops_take(&d), UINT64_MAX);
	interface_drops_close(&d);
	ck_assert_int_eq(d.files[1], -1);
}
END_TEST

START_TEST(an_interface_that_is_not_there_drops_nothing)
{
	struct interface_drops d;

	interface_drops_init(&d);
	interface_drops_open(&d, "no-such-one");
	ck_assert_uint_eq(interface_drops_take(&d), 0);
	interface_drops_open(&d, "lo");
	ck_assert_uint_eq(interface_drops_take(&d), 0);
	interface_drops_close(&d);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_new_is_told_once);
	tcase_add_test(tc, an_interface_that_is_not_there_drops_nothing);
}

SUITE_MAIN("capture_interface_drops")
