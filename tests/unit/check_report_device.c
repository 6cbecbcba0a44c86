#include "report/report_internal.h"

#include <string.h>

#include "base/xalloc.h"
#include "no_fault.h"
#include "suite.h"

#include "base/banned.h"

/* A report of one client, joined with both lists, as a sentence. */
static void
expect(const struct store_client *from, const char *addr, const char *name, const char *text)
{
	struct vendors *vendors = vendors_from_text(span_from_text("001B21 Example, Inc.\n"));
	struct owners *owners = owners_from_text(
	    span_from_text("10.0.0.1,host\x1b[2J,Ann,\n10.0.0.0/24,floor,Ben,by the lift\n"),
	    no_fault, NULL);
	struct report r = { .clients = xcalloc(1, sizeof(struct report_client)),
		.client_count = 1 };
	struct report_client *c = r.clients;
	struct buf out = { 0 };

	report_device_fill(from, c);
	ck_assert(addr_from_text(addr, &c->ip));
	if (name != NULL) {
		c->name = xstrdup(name);
		c->name_source = NAME_SOURCE_DHCP;
	}
	report_join_devices(&r, vendors, owners);
	report_add_device(c, &out);
	ck_assert_str_eq(buf_text(&out), text);
	buf_release(&out);
	report_release(&r);
	vendors_free(vendors);
	owners_free(owners);
}

static const struct store_client plain = {
	.has_mac = true,
	.mac = { 0x00, 0x1b, 0x21, 0x0a, 0x0b, 0x0c },
	.cadence = "every 300 s",
	.interval_us = 300000000,
	.active_hours = "0-23",
};

START_TEST(what_is_known_is_said_and_nothing_else)
{
	struct store_client nothing = { .cadence = "", .active_hours = "" };

	expect(&plain, "192.0.2.1", "scanner-2",
	    "calls itself scanner-2 (dhcp), MAC 00:1b:21:0a:0b:0c (Example, Inc.), comes every 300 "
	    "s");
	expect(&nothing, "192.0.2.1", NULL, "");
}
END_TEST

START_TEST(a_name_of_the_list_outranks_others_where_it_is_of_one_address)
{
	expect(&plain, "10.0.0.1", "scanner-2",
	    "host\\x1b[2J (names-file), owner Ann, MAC 00:1b:21:0a:0b:0c (Example, Inc.), comes "
	    "every 300 s");
	expect(&plain, "10.0.0.2", "scanner-2",
	    "calls itself scanner-2 (dhcp), owner Ben, by the lift, MAC 00:1b:21:0a:0b:0c "
	    "(Example, Inc.), comes every 300 s");
	expect(&plain, "10.0.0.2", NULL,
	    "floor (names-file), owner Ben, by the lift, MAC 00:1b:21:0a:0b:0c (Example, Inc.), "
	    "comes every 300 s");
}
END_TEST

START_TEST(a_name_that_says_nothing_stands_until_there_is_another)
{
	const char *const names[] = { "localhost", "localhost.localdomain", "[10.0.0.2]",
		"10.0.0.2" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect(&plain, "10.0.0.2", names[i],
		    "floor (names-file), owner Ben, by the lift, MAC 00:1b:21:0a:0b:0c (Example, "
		    "Inc.), comes every 300 s");
	expect(&plain, "192.0.2.1", "localhost",
	    "calls itself localhost (dhcp), MAC 00:1b:21:0a:0b:0c (Example, Inc.), comes every "
	    "300 s");
}
END_TEST

START_TEST(a_router_s_address_is_not_the_device_s)
{
	struct store_client behind = plain;

	behind.is_routers_mac = true;
	behind.cadence = "";
	expect(&behind, "192.0.2.1", NULL, "behind a router (MAC 00:1b:21:0a:0b:0c)");
}
END_TEST

START_TEST(a_made_up_address_has_no_vendor)
{
	struct store_client made_up = plain;

	made_up.mac[0] = 0x02;
	made_up.cadence = "";
	expect(&made_up, "192.0.2.1", NULL,
	    "MAC 02:1b:21:0a:0b:0c (made up by the device: no vendor)");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_known_is_said_and_nothing_else);
	tcase_add_test(tc, a_name_of_the_list_outranks_others_where_it_is_of_one_address);
	tcase_add_test(tc, a_name_that_says_nothing_stands_until_there_is_another);
	tcase_add_test(tc, a_router_s_address_is_not_the_device_s);
	tcase_add_test(tc, a_made_up_address_has_no_vendor);
}

SUITE_MAIN("report_device")
