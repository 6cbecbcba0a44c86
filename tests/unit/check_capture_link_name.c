#include "capture/link_name.h"

#include "suite.h"

#include "base/banned.h"

static const struct {
	uint32_t link_type;
	const char *text;
} rows[] = {
	{ 1, "1 (EN10MB)" },
	{ 105, "105 (IEEE802_11)" },
	{ 147, "147" },
	{ 65000, "65000" },
	{ UINT32_MAX, "4294967295" },
};

START_TEST(a_link_type_is_named_with_its_number)
{
	struct buf b = { 0 };

	link_name_add(rows[_i].link_type, &b);
	ck_assert_str_eq(buf_text(&b), rows[_i].text);
	buf_release(&b);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_link_type_is_named_with_its_number, 0, (int)(sizeof(rows) / sizeof(rows[0])));
}

SUITE_MAIN("capture_link_name")
