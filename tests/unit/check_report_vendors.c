#include "report/vendors.h"

#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *form, *text;
} forms[] = {
	{ "ieee-data CSV", "Registry,Assignment,Organization Name,Organization Address\n"
			   "MA-L,001B21,\"Example, Inc.\",1 Street\nMA-M,001BC50,Block AG,x\n" },
	{ "ieee-data text", "OUI/MA-L   Organization\ncompany_id   Organization\n\n"
			    "00-1B-21   (hex)\t\tExample, Inc.\r\n001B21     (base 16)\t\tWrong\r\n"
			    "\t\t\t\t1 Street\r\n001BC50 Block AG\n" },
	{ "nmap", "# comment\n001B21 Example, Inc.\n001BC50 Block AG\n" },
	{ "manuf", "# comment\n00:1B:21\tExample\tExample, Inc.\n"
		   "00:1B:C5:00:00:00/28\tBlock\tBlock AG\n" },
	{ "hwdb", "OUI:001B21*\n ID_OUI_FROM_DATABASE=Example, Inc.\n\n"
		  "OUI:001BC50*\n ID_OUI_FROM_DATABASE=Block AG\n" },
};

START_TEST(each_registry_is_read)
{
	struct vendors *v = vendors_from_text(span_from_text(forms[_i].text));
	const char *name = vendors_find(v, (const uint8_t *)"\x00\x1b\x21\x0a\x0b\x0c");

	ck_assert_msg(name != NULL, "%s", forms[_i].form);
	ck_assert_str_eq(name, "Example, Inc.");
	name = vendors_find(v, (const uint8_t *)"\x00\x1b\xc5\x0f\xff\xff");
	ck_assert_msg(name != NULL, "%s", forms[_i].form);
	ck_assert_str_eq(name, "Block AG");
	ck_assert_ptr_null(vendors_find(v, (const uint8_t *)"\x00\x1b\xc5\x10\x00\x00"));
	ck_assert_ptr_null(vendors_find(v, (const uint8_t *)"\xff\xff\xff\xff\xff\xff"));
	vendors_free(v);
}
END_TEST

START_TEST(the_longest_prefix_counts)
{
	struct vendors *v =
	    vendors_from_text(span_from_text("001BC5 Authority\n001BC5000 Small AG\n"));

	ck_assert_str_eq(vendors_find(v, (const uint8_t *)"\x00\x1b\xc5\x00\x01\x01"), "Small AG");
	ck_assert_str_eq(vendors_find(v, (const uint8_t *)"\x00\x1b\xc5\x77\x01\x01"), "Authority");
	vendors_free(v);
}
END_TEST

START_TEST(lines_that_are_none_are_passed_over)
{
	static const char text[] = "\n\n00\n001B2\nxyzzyx Name\n001B21\n001B21   \n"
				   "OUI:001B21\n ID_OUI_FROM_DATABASE=No star\nMA-L,\nMA-L,001B21\n"
				   "00:1B:21/99\tx\n00:1B:21/8\tx\n";
	struct vendors *v = vendors_from_text(span_from_text(text));

	ck_assert_ptr_null(vendors_find(v, (const uint8_t *)"\x00\x1b\x21\x0a\x0b\x0c"));
	vendors_free(v);
	v = vendors_from_text(span_from_text(""));
	ck_assert_ptr_null(vendors_find(v, (const uint8_t *)"\x00\x1b\x21\x0a\x0b\x0c"));
	vendors_free(v);
}
END_TEST

START_TEST(a_made_up_address_is_told_by_its_bit)
{
	ck_assert(mac_is_made_up((const uint8_t *)"\xda\xa1\x19\0\0\1"));
	ck_assert(!mac_is_made_up((const uint8_t *)"\x00\x1b\x21\0\0\1"));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, each_registry_is_read, 0, ROWS(forms));
	tcase_add_test(tc, the_longest_prefix_counts);
	tcase_add_test(tc, lines_that_are_none_are_passed_over);
	tcase_add_test(tc, a_made_up_address_is_told_by_its_bit);
}

SUITE_MAIN("report_vendors")
