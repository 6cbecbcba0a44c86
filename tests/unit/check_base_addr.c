#include <arpa/inet.h>

#include "suite.h"

#include "base/addr.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* RFC 5952, section 4; the text on the right is the one that must be written. */
static const struct {
	const char *given, *written;
} texts[] = {
	{ "0.0.0.0", "0.0.0.0" },
	{ "192.0.2.1", "192.0.2.1" },
	{ "10.100.99.9", "10.100.99.9" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "2001:DB8::A", "2001:db8::a" },
	{ "2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "fe80:0:0:0:0:0:0:0", "fe80::" },
	{ "::ffff:c000:201", "::ffff:192.0.2.1" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
};

START_TEST(an_address_is_written_in_its_one_form)
{
	struct addr a, again;
	char text[ADDR_TEXT_LEN];

	ck_assert(addr_from_text(texts[_i].given, &a));
	ck_assert_str_eq(addr_to_text(&a, text), texts[_i].written);
	ck_assert(addr_from_text(text, &again));
	ck_assert(addr_equals(&a, &again));
}
END_TEST

START_TEST(every_ipv4_octet_is_written_as_it_is_read)
{
	for (unsigned value = 0; value < 256; value++) {
		uint8_t bytes[4] = { (uint8_t)value, 0, (uint8_t)(255 - value), (uint8_t)value };
		struct addr a = addr_from_v4(bytes), again;
		char text[ADDR_TEXT_LEN];

		ck_assert(addr_from_text(addr_to_text(&a, text), &again));
		ck_assert(addr_equals(&a, &again));
	}
}
END_TEST

static const char *const no_addresses[] = { "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256",
	"1.2.3.-4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/8", "mail.example.org", ":", ":::", "1::2::3",
	"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "fe80::1%eth0", "[::1]", "::g" };

/* Words of all lengths, and runs of zeros everywhere. */
static struct addr
some_ipv6(uint32_t *state)
{
	struct addr a = { .family = 6 };

	for (size_t i = 0; i < 8; i++) {
		unsigned word;

		*state = *state * 1664525u + 1013904223u;
		word = (*state >> 30) != 0 ? 0 : *state >> 8 & 0xffff;
		if (i == 5 && (*state >> 28) == 0xf)
			word = 0xffff;
		word >>= (*state >> 24) & 12;
		a.bytes[2 * i] = (uint8_t)(word >> 8);
		a.bytes[2 * i + 1] = (uint8_t)word;
	}
	return a;
}

START_TEST(an_ipv6_address_is_written_as_the_system_does)
{
	uint32_t state = 1;

	for (unsigned i = 0; i < 100000; i++) {
		struct addr a = some_ipv6(&state);
		char text[ADDR_TEXT_LEN], theirs[INET6_ADDRSTRLEN];

		ck_assert_ptr_nonnull(inet_ntop(AF_INET6, a.bytes, theirs, sizeof(theirs)));
		ck_assert_str_eq(addr_to_text(&a, text), theirs);
	}
}
END_TEST

START_TEST(what_is_no_address_is_refused_and_changes_nothing)
{
	struct addr a = { .family = 4, .bytes = { 1, 2, 3, 4 } }, before = a;

	ck_assert_msg(!addr_from_text(no_addresses[_i], &a), "'%s'", no_addresses[_i]);
	ck_assert(addr_equals(&a, &before));
}
END_TEST

START_TEST(no_address_has_an_empty_text)
{
	struct addr none = { 0 };
	char text[ADDR_TEXT_LEN] = "x";

	ck_assert_str_eq(addr_to_text(&none, text), "");
}
END_TEST

START_TEST(ipv4_sorts_before_ipv6_and_then_by_value)
{
	static const char *const sorted[] = { "0.0.0.1", "9.255.255.255", "10.0.0.0", "192.168.1.1",
		"255.0.0.0", "::", "::1", "2001:db8::", "fe80::1" };

	for (int i = 0; i < ROWS(sorted); i++) {
		for (int j = 0; j < ROWS(sorted); j++) {
			struct addr a, b;
			int order;

			ck_assert(addr_from_text(sorted[i], &a) && addr_from_text(sorted[j], &b));
			order = addr_compare(&a, &b);
			ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
			ck_assert(addr_equals(&a, &b) == (i == j));
		}
	}
}
END_TEST

START_TEST(an_ipv4_address_is_not_the_ipv6_address_with_the_same_bytes)
{
	static const uint8_t bytes[16] = { 10, 0, 0, 1 };
	struct addr v4 = addr_from_v4(bytes), v6 = addr_from_v6(bytes);

	ck_assert(!addr_equals(&v4, &v6));
	ck_assert_int_lt(addr_compare(&v4, &v6), 0);
}
END_TEST

static const struct {
	const char *network, *first, *last, *before, *behind; /* NULL: there is none */
} networks[] = {
	{ "10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0" },
	{ "172.16.0.0/12", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0" },
	{ "100.64.0.0/10", "100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0" },
	{ "192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6", "192.0.2.8" },
	{ "192.0.2.6/31", "192.0.2.6", "192.0.2.7", "192.0.2.5", "192.0.2.8" },
	{ "192.0.2.77/24", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0" },
	{ "128.0.0.0/1", "128.0.0.0", "255.255.255.255", "127.255.255.255", NULL },
	{ "1.2.3.4/0", "0.0.0.0", "255.255.255.255", NULL, NULL },
	{ "::ffff:10.1.0.0/104", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0" },
	{ "::ffff:c000:207", "192.0.2.7", "192.0.2.7", "192.0.2.6", "192.0.2.8" },
	{ "::fffe:10.0.0.0/104", "::fffe:10.0.0.0", "::fffe:10.255.255.255", "::fffe:9.255.255.255",
	    "::fffe:11.0.0.0" },
	{ "fc00::/7", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::" },
	{ "2001:db8::1/127", "2001:db8::", "2001:db8::1", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
	    "2001:db8::2" },
	{ "::1", "::1", "::1", "::", "::2" },
	{ "::1/128", "::1", "::1", "::", "::2" },
	{ "2001:db8::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, NULL },
};

static bool
holds(const struct network *net, const char *text)
{
	struct addr a;

	ck_assert(addr_from_text(text, &a));
	return network_contains(net, &a);
}

START_TEST(a_network_ends_where_its_prefix_says)
{
	struct network net;

	ck_assert(network_from_text(networks[_i].network, &net));
	ck_assert(holds(&net, networks[_i].first));
	ck_assert(holds(&net, networks[_i].last));
	ck_assert(networks[_i].before == NULL || !holds(&net, networks[_i].before));
	ck_assert(networks[_i].behind == NULL || !holds(&net, networks[_i].behind));
}
END_TEST

START_TEST(a_networks_own_address_is_its_first)
{
	struct network net;
	struct addr first;

	ck_assert(network_from_text(networks[_i].network, &net));
	ck_assert(addr_from_text(networks[_i].first, &first));
	ck_assert(addr_equals(&net.addr, &first));
}
END_TEST

/* The bit in front of the prefix' end matters, the one behind it does not. */
static void
check_prefix(uint8_t family, unsigned prefix_len)
{
	unsigned bits = family == 4 ? 32 : 128;
	struct network net = { .addr = { .family = family }, .prefix_len = prefix_len };
	struct addr a = { .family = family };

	ck_assert(network_contains(&net, &a));
	for (unsigned bit = 0; bit < bits; bit++) {
		a.bytes[bit / 8] = (uint8_t)(0x80u >> bit % 8);
		ck_assert_msg(network_contains(&net, &a) == (bit >= prefix_len),
		    "bit %u of a prefix of %u", bit, prefix_len);
		a.bytes[bit / 8] = 0;
	}
}

START_TEST(exactly_the_bits_of_the_prefix_are_compared)
{
	for (unsigned prefix_len = 0; prefix_len <= 32; prefix_len++)
		check_prefix(4, prefix_len);
	for (unsigned prefix_len = 0; prefix_len <= 128; prefix_len++)
		check_prefix(6, prefix_len);
}
END_TEST

START_TEST(an_ipv4_network_holds_its_addresses_mapped_into_ipv6)
{
	struct network_set internal = { 0 };
	struct network net;
	struct addr a;

	ck_assert(network_from_text("10.0.0.0/8", &net));
	ck_assert(holds(&net, "::ffff:10.0.0.5"));
	ck_assert(!holds(&net, "::ffff:11.0.0.5"));
	ck_assert(!holds(&net, "::fffe:10.0.0.5"));
	ck_assert(!holds(&net, "::10.0.0.5"));
	network_set_add_internal_defaults(&internal);
	ck_assert(addr_from_text("::ffff:192.168.1.1", &a));
	ck_assert(network_set_contains(&internal, &a));
	ck_assert(addr_from_text("::ffff:192.0.2.1", &a));
	ck_assert(!network_set_contains(&internal, &a));
	network_set_release(&internal);
}
END_TEST

START_TEST(a_network_holds_no_address_of_the_other_family)
{
	struct network v4, v6;

	ck_assert(network_from_text("0.0.0.0/0", &v4) && network_from_text("::/0", &v6));
	ck_assert(!holds(&v4, "::"));
	ck_assert(!holds(&v4, "2001:db8::1"));
	ck_assert(!holds(&v6, "0.0.0.0"));
}
END_TEST

static const char *const no_networks[] = { "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
	"10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0/8", "10.0.0.0/x",
	"10.0.0.0/255.0.0.0", "10.0.0.0/99999999999999999999999999", "::/129", "any",
	"::ffff:10.0.0.0/8", "fe80::1%1/64",
	"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/1" };

START_TEST(what_is_no_network_is_refused_and_changes_nothing)
{
	struct network net = { .addr = { .family = 4 }, .prefix_len = 7 };

	ck_assert_msg(!network_from_text(no_networks[_i], &net), "'%s'", no_networks[_i]);
	ck_assert_uint_eq(net.addr.family, 4);
	ck_assert_uint_eq(net.prefix_len, 7);
}
END_TEST

static bool
set_holds(const struct network_set *set, const char *text)
{
	struct addr a;

	ck_assert(addr_from_text(text, &a));
	return network_set_contains(set, &a);
}

START_TEST(private_addresses_are_internal_by_default)
{
	static const char *const inside[] = { "10.1.2.3", "172.16.0.1", "172.31.255.254",
		"192.168.255.255", "100.64.0.0", "100.127.255.255", "169.254.1.1", "127.0.0.1",
		"fd00::1", "fe80::1", "febf::1", "::1" };
	static const char *const outside[] = { "9.9.9.9", "11.0.0.0", "172.15.0.1", "172.32.0.1",
		"192.169.0.1", "100.63.255.255", "100.128.0.0", "169.253.255.255", "128.0.0.1",
		"0.0.0.0", "224.0.0.1", "2001:db8::1", "fec0::1", "ff02::1", "::", "::2" };
	struct network_set set = { 0 };

	network_set_add_internal_defaults(&set);
	for (int i = 0; i < ROWS(inside); i++)
		ck_assert_msg(set_holds(&set, inside[i]), "%s", inside[i]);
	for (int i = 0; i < ROWS(outside); i++)
		ck_assert_msg(!set_holds(&set, outside[i]), "%s", outside[i]);
	network_set_release(&set);
}
END_TEST

START_TEST(an_empty_set_holds_nothing)
{
	struct network_set set = { 0 };

	ck_assert(!set_holds(&set, "10.0.0.1"));
	ck_assert(!set_holds(&set, "::"));
	network_set_release(&set);
}
END_TEST

START_TEST(a_list_adds_to_what_is_there)
{
	struct network_set set = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(network_set_add_text(&set, "192.0.2.0/24", &err), 0);
	ck_assert_int_eq(network_set_add_text(&set, "198.51.100.7,2001:db8::/32", &err), 0);
	ck_assert_uint_eq(set.count, 3);
	ck_assert(set_holds(&set, "192.0.2.1"));
	ck_assert(set_holds(&set, "198.51.100.7"));
	ck_assert(set_holds(&set, "2001:db8:1::"));
	ck_assert(!set_holds(&set, "198.51.100.8"));
	network_set_release(&set);
	ck_assert_uint_eq(set.count, 0);
	ck_assert(!set_holds(&set, "192.0.2.1"));
}
END_TEST

START_TEST(any_holds_every_address)
{
	struct network_set set = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(network_set_add_text(&set, "10.0.0.0/8,any", &err), 0);
	ck_assert(set_holds(&set, "8.8.8.8"));
	ck_assert(set_holds(&set, "2001:db8::1"));
	network_set_release(&set);
	ck_assert(!set_holds(&set, "8.8.8.8"));
}
END_TEST

static const struct {
	const char *text, *named; /* the error names the bad item */
} bad_lists[] = {
	{ "", "''" },
	{ ",", "''" },
	{ "192.0.2.0/24,", "''" },
	{ "192.0.2.0/24,,10.0.0.0/8", "''" },
	{ "10.0.0.0/8,10.0.0.0/33", "'10.0.0.0/33'" },
	{ "10.0.0.0/8, 192.0.2.1", "' 192.0.2.1'" },
	{ "ANY", "'ANY'" },
	{ "any,nonsense", "'nonsense'" },
	{ "0000000000000000000000000000000000000000000000000000000000000000001", "'0000000000" },
};

START_TEST(a_bad_list_is_named_and_leaves_the_set_alone)
{
	struct network_set set = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(network_set_add_text(&set, "203.0.113.1", &err), 0);
	ck_assert_int_eq(network_set_add_text(&set, bad_lists[_i].text, &err), -1);
	ck_assert_msg(strstr(err.text, bad_lists[_i].named) != NULL, "%s", err.text);
	ck_assert_uint_eq(set.count, 1);
	ck_assert(!set.any);
	network_set_release(&set);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, an_address_is_written_in_its_one_form, 0, ROWS(texts));
	tcase_add_test(tc, every_ipv4_octet_is_written_as_it_is_read);
	tcase_add_test(tc, an_ipv6_address_is_written_as_the_system_does);
	tcase_add_loop_test(
	    tc, what_is_no_address_is_refused_and_changes_nothing, 0, ROWS(no_addresses));
	tcase_add_test(tc, no_address_has_an_empty_text);
	tcase_add_test(tc, ipv4_sorts_before_ipv6_and_then_by_value);
	tcase_add_test(tc, an_ipv4_address_is_not_the_ipv6_address_with_the_same_bytes);
	tcase_add_loop_test(tc, a_network_ends_where_its_prefix_says, 0, ROWS(networks));
	tcase_add_loop_test(tc, a_networks_own_address_is_its_first, 0, ROWS(networks));
	tcase_add_test(tc, exactly_the_bits_of_the_prefix_are_compared);
	tcase_add_test(tc, an_ipv4_network_holds_its_addresses_mapped_into_ipv6);
	tcase_add_test(tc, a_network_holds_no_address_of_the_other_family);
	tcase_add_loop_test(
	    tc, what_is_no_network_is_refused_and_changes_nothing, 0, ROWS(no_networks));
	tcase_add_test(tc, private_addresses_are_internal_by_default);
	tcase_add_test(tc, an_empty_set_holds_nothing);
	tcase_add_test(tc, a_list_adds_to_what_is_there);
	tcase_add_test(tc, any_holds_every_address);
	tcase_add_loop_test(tc, a_bad_list_is_named_and_leaves_the_set_alone, 0, ROWS(bad_lists));
}

SUITE_MAIN("base_addr")
