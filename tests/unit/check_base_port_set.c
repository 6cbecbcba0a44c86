#include "base/port_set.h"

#include "suite.h"

#include "base/banned.h"

static const uint16_t members[] = { 0, 1, 63, 64, 993, 65534, 65535 };

START_TEST(ports_that_were_added_are_in_it_and_no_others)
{
	static struct port_set set;
	unsigned count = 0;

	for (unsigned port = 0; port <= 65535; port++)
		ck_assert(!port_set_has(&set, (uint16_t)port));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		port_set_add(&set, members[i]);
	port_set_add(&set, 993);
	for (unsigned port = 0; port <= 65535; port++)
		count += port_set_has(&set, (uint16_t)port);
	ck_assert_uint_eq(count, sizeof(members) / sizeof(members[0]));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		ck_assert(port_set_has(&set, members[i]));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, ports_that_were_added_are_in_it_and_no_others);
}

SUITE_MAIN("base_port_set")
