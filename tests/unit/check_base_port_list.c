#include "base/port_list.h"

#include <stdio.h>

#include "suite.h"

#include "base/banned.h"

START_TEST(ports_are_added_once_in_their_order)
{
	struct port_list list = { 0 };
	struct error err;

	ck_assert(!port_list_has(&list, 0));
	ck_assert_int_eq(port_list_add_text(&list, "4788", &err), 0);
	ck_assert_int_eq(port_list_add_text(&list, "250,4788,65535", &err), 0);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_uint_eq(list.ports[0], 4788);
	ck_assert_uint_eq(list.ports[1], 250);
	ck_assert_uint_eq(list.ports[2], 65535);
	ck_assert(port_list_has(&list, 250));
	ck_assert(!port_list_has(&list, 251));
}
END_TEST

static const char *const bad[] = { "", ",", "4788,", ",4788", "4788,,250", "0", "65536", "-1", "+1",
	" 1", "1 ", "4788 250", "vxlan", "99999999999999999999", "4788;250" };

START_TEST(what_is_no_list_is_refused)
{
	struct port_list list = { 0 };
	struct error err = { 0 };

	ck_assert_msg(port_list_add_text(&list, bad[_i], &err) == -1, "%s", bad[_i]);
	ck_assert_ptr_nonnull(strstr(err.text, "is no list of ports"));
}
END_TEST

START_TEST(there_is_room_for_so_many_and_not_one_more)
{
	struct port_list list = { 0 };
	struct error err = { 0 };
	char text[16];

	for (unsigned i = 1; i <= PORT_LIST_MAX; i++) {
		(void)snprintf(text, sizeof(text), "%u", i);
		ck_assert_int_eq(port_list_add_text(&list, text, &err), 0);
	}
	ck_assert_int_eq(port_list_add_text(&list, "1", &err), 0);
	ck_assert_int_eq(port_list_add_text(&list, "17", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "port 17 is one too many"));
	ck_assert_uint_eq(list.count, PORT_LIST_MAX);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, ports_are_added_once_in_their_order);
	tcase_add_loop_test(tc, what_is_no_list_is_refused, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, there_is_room_for_so_many_and_not_one_more);
}

SUITE_MAIN("base_port_list")
