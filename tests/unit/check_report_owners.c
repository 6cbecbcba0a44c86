#include "report/owners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static void
on_fault(void *arg, unsigned line, const char *what)
{
	buf_addf(arg, "%u: %s\n", line, what);
}

static struct owners *
read_text(const char *text, const char *faults)
{
	struct buf found = { 0 };
	struct owners *o = owners_from_text(span_from_text(text), on_fault, &found);

	ck_assert_str_eq(buf_text(&found), faults);
	buf_release(&found);
	return o;
}

static void
expect(const struct owners *o, const char *addr, const char *name)
{
	struct addr a = { 0 };
	const struct owner *owner;

	ck_assert(addr_from_text(addr, &a));
	owner = owners_find(o, &a);
	ck_assert_msg((owner != NULL) == (name != NULL), "%s", addr);
	if (owner != NULL)
		ck_assert_str_eq(owner->name, name);
}

START_TEST(the_longest_prefix_counts)
{
	struct owners *o = read_text("address,name,owner,note\n"
				     "0.0.0.0/0,anywhere\n"
				     "10.1.0.0/16,site,Ann,\n"
				     "10.1.2.0/24,floor\n"
				     "10.1.2.14,scanner,Ben,by the lift\n"
				     "2001:db8::/32,v6\r\n"
				     "# comment\n\n"
				     "2001:db8::1,host6",
	    "");

	expect(o, "10.1.2.14", "scanner");
	expect(o, "::ffff:10.1.2.14", "scanner");
	expect(o, "10.1.2.15", "floor");
	expect(o, "10.1.3.1", "site");
	expect(o, "192.0.2.1", "anywhere");
	expect(o, "2001:db8::1", "host6");
	expect(o, "2001:db8:1::1", "v6");
	expect(o, "2001:db9::1", NULL);
	ck_assert_uint_eq(owners_bad_count(o), 0);
	owners_free(o);
}
END_TEST

START_TEST(the_first_line_shows_what_separates_fields)
{
	static const char *const texts[] = {
		"\357\273\277Address;Name;Owner;Note\r\n10.0.0.1;\"a; b\";;\r\n10.0.0.2;c,d\r\n",
		"Address\tName\n10.0.0.1\t\"a; b\"\n10.0.0.2\tc,d\n",
		"Address,Name\n10.0.0.1,a; b\n10.0.0.2,\"c,d\"\n",
		"10.0.0.1,a; b\n10.0.0.2,\"c,d\"\n",
		"address\n10.0.0.1;\"a; b\"\n10.0.0.2;c,d\n",
		"# of May, by hand\n\n10.0.0.1;\"a; b\";x, y\n10.0.0.2;c,d\n",
	};
	struct owners *o = read_text(texts[_i], "");

	expect(o, "10.0.0.1", "a; b");
	expect(o, "10.0.0.2", "c,d");
	owners_free(o);
}
END_TEST

START_TEST(fields_are_unquoted_and_empty_ones_are_none)
{
	struct owners *o = read_text("\xef\xbb\xbf"
				     "10.0.0.1,\"a, \"\"b\"\"\",,\"\x1b[2J\"\n10.0.0.0/8,,Ann\n",
	    "");
	struct addr a = { 0 };
	const struct owner *owner;

	ck_assert(addr_from_text("10.0.0.1", &a));
	owner = owners_find(o, &a);
	ck_assert_ptr_nonnull(owner);
	ck_assert_str_eq(owner->name, "a, \"b\"");
	ck_assert_ptr_null(owner->owner);
	ck_assert_str_eq(owner->note, "\x1b[2J");
	ck_assert(!owner->is_network);
	ck_assert(addr_from_text("10.0.0.2", &a));
	owner = owners_find(o, &a);
	ck_assert_ptr_nonnull(owner);
	ck_assert_ptr_null(owner->name);
	ck_assert_str_eq(owner->owner, "Ann");
	ck_assert(owner->is_network);
	owners_free(o);
}
END_TEST

START_TEST(lists_come_as_people_and_programs_write_them)
{
	static const char *const texts[] = {
		"address,name\r10.0.0.1,one\r10.0.0.2,two\r",
		"Adresse;Name;Besitzer\r\n10.0.0.1;one;\r\n;;\r\n10.0.0.2;two;\r\n",
		"IPv4 Address,Name\n10.0.0.1,one\n10.0.0.2,two\n",
		"# ours\nIP-Netz,x\n10.0.0.1 , one ,\n  \n\t10.0.0.2,\t\"two\"\n",
		"\"10.0.0.1\"\tone\n10.0.0.2\ttwo \n",
	};
	struct owners *o = read_text(texts[_i], "");

	expect(o, "10.0.0.1", "one");
	expect(o, "10.0.0.2", "two");
	owners_free(o);
}
END_TEST

START_TEST(a_quoted_field_may_go_on_in_the_next_line)
{
	struct owners *o = read_text("10.0.0.1;one;Ann;\"by the lift,\r\n2nd floor\n\"\n"
				     "10.0.0.2;\"two\nof them\"\n"
				     "10.0.0.3;\"three\n"
				     "10.0.0.4;\"four\";Ben\n"
				     "# a \"quote\n"
				     "10.0.0.5;five;\"\n",
	    "6: a quoted field does not end on its line, or has text behind its quote\n"
	    "9: a quoted field does not end on its line, or has text behind its quote\n");
	struct addr a = { 0 };

	ck_assert(addr_from_text("10.0.0.1", &a));
	ck_assert_str_eq(owners_find(o, &a)->note, "by the lift, 2nd floor ");
	expect(o, "10.0.0.2", "two of them");
	expect(o, "10.0.0.3", NULL);
	expect(o, "10.0.0.4", "four");
	expect(o, "10.0.0.5", NULL);
	owners_free(o);
}
END_TEST

START_TEST(an_address_with_a_slip_is_no_heading)
{
	owners_free(
	    read_text("10.0.0.256,a\n", "1: the first field is no address and no network\n"));
	owners_free(read_text("l0.0.0.1,a\n", "1: the first field is no address and no network\n"));
	owners_free(read_text("fe80:x,a\n", "1: the first field is no address and no network\n"));
}
END_TEST

static const struct {
	const char *line, *what;
} bad_lines[] = {
	{ "mail,x", "the first field is no address and no network" },
	{ "10.0.0.0/33,x", "the first field is no address and no network" },
	{ "10.0.0.1", "there is no name behind the address" },
	{ "10.0.0.1,\"x", "a quoted field does not end on its line, or has text behind its quote" },
	{ "10.0.0.1,\"x\"y",
	    "a quoted field does not end on its line, or has text behind its quote" },
	{ "10.0.0.1,a,b,c,d", "has more than four fields: address, name, owner, note" },
	{ "10.0.0.9/32,again", "this network was given before" },
};

START_TEST(a_bad_line_is_named_and_the_others_count)
{
	char text[200], fault[200];
	struct owners *o;

	(void)snprintf(
	    text, sizeof(text), "10.0.0.9,first\n%s\n10.0.0.8,last\n", bad_lines[_i].line);
	(void)snprintf(fault, sizeof(fault), "2: %s\n", bad_lines[_i].what);
	o = read_text(text, fault);
	expect(o, "10.0.0.9", "first");
	expect(o, "10.0.0.8", "last");
	ck_assert_uint_eq(owners_bad_count(o), 1);
	owners_free(o);
}
END_TEST

START_TEST(a_nul_is_no_end)
{
	static const char text[] = "10.0.0.1,a\0b\n10.0.0.2,c\n";
	struct buf found = { 0 };
	struct owners *o = owners_from_text(span_from(text, sizeof(text) - 1), on_fault, &found);

	ck_assert_str_eq(buf_text(&found), "1: a field has a NUL in it\n");
	expect(o, "10.0.0.1", NULL);
	expect(o, "10.0.0.2", "c");
	buf_release(&found);
	owners_free(o);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error)
{
	struct error err = { "" };

	ck_assert_ptr_null(owners_read_file("/no/such/file", on_fault, NULL, &err));
	ck_assert_str_eq(err.text, "cannot read /no/such/file: No such file or directory");
}
END_TEST

START_TEST(a_file_that_is_too_long_is_refused_as_such)
{
	char path[] = "/tmp/check_owners.XXXXXX";
	int fd = mkstemp(path);
	struct error err = { "" };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, OWNERS_FILE_MAX + 1), 0);
	(void)close(fd);
	ck_assert_ptr_null(owners_read_file(path, on_fault, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, " has more than 16 MiB"));
	(void)unlink(path);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, the_longest_prefix_counts);
	tcase_add_loop_test(tc, lists_come_as_people_and_programs_write_them, 0, 5);
	tcase_add_test(tc, a_quoted_field_may_go_on_in_the_next_line);
	tcase_add_test(tc, an_address_with_a_slip_is_no_heading);
	tcase_add_loop_test(tc, the_first_line_shows_what_separates_fields, 0, 6);
	tcase_add_test(tc, fields_are_unquoted_and_empty_ones_are_none);
	tcase_add_loop_test(tc, a_bad_line_is_named_and_the_others_count, 0, ROWS(bad_lines));
	tcase_add_test(tc, a_nul_is_no_end);
	tcase_add_test(tc, a_file_that_is_not_there_is_an_error);
	tcase_add_test(tc, a_file_that_is_too_long_is_refused_as_such);
}

SUITE_MAIN("report_owners")
