#include "names/dhcp.h"

#include "names_wire.h"
#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#define REQUEST 1
#define REPLY 2

/* RFC 2131, section 2, up to the options; addresses 10.0.0.LAST, 0: none. */
static void
put_fixed(struct names_wire *w, unsigned op, unsigned ciaddr, unsigned yiaddr)
{
	names_u8(w, op);
	names_u8(w, 1);
	names_u8(w, 6);
	names_zeros(w, 9);
	names_u32(w, ciaddr != 0 ? 0x0a000000 | ciaddr : 0);
	names_u32(w, yiaddr != 0 ? 0x0a000000 | yiaddr : 0);
	names_zeros(w, 8);
	names_put(w, BYTES("\x00\x1b\x21\x0a\x0b\x0c"));
	names_zeros(w, 10 + 64 + 128);
	names_u32(w, 0x63825363);
}

static void
put_option(struct names_wire *w, unsigned code, struct span value)
{
	names_u8(w, code);
	names_u8(w, (unsigned)value.len);
	names_put(w, value);
}

static void
put_end(struct names_wire *w)
{
	names_u8(w, 255);
	names_zeros(w, 16);
}

static const struct {
	const char *name;
	struct span options;
	const char *text;
	size_t len;
} named[] = {
	{ "host name", { (const uint8_t *)"\x0c\x09scanner-2", 11 }, "scanner-2", 9 },
	{ "padding in front", { (const uint8_t *)"\0\0\0\x0c\x02pc", 7 }, "pc", 2 },
	{ "NULs behind", { (const uint8_t *)"\x0c\x04pc\0\0", 6 }, "pc", 2 },
	{ "a FQDN as text", { (const uint8_t *)"\x51\x0a\0\0\0pc.lan.", 12 }, "pc.lan", 6 },
	{ "a FQDN as labels", { (const uint8_t *)"\x51\x0b\x04\0\0\2pc\3lan\0", 13 }, "pc.lan", 6 },
	{ "labels without an end", { (const uint8_t *)"\x51\x06\x04\0\0\2pc", 8 }, "pc", 2 },
	{ "a FQDN that is empty, and a host name",
	    { (const uint8_t *)"\x51\x03\0\0\0\x0c\x02pc", 9 }, "pc", 2 },
	{ "both", { (const uint8_t *)"\x0c\x02pc\x51\x09\0\0\0pc.lan", 15 }, "pc.lan", 6 },
	{ "control characters stay", { (const uint8_t *)"\x0c\x06\x1b[2J\r\n", 8 }, "\x1b[2J\r\n",
	    6 },
};

START_TEST(a_request_tells_the_name)
{
	struct names_wire w = { 0 };
	struct dhcp_facts f;

	put_fixed(&w, REQUEST, 0, 0);
	put_option(&w, 53, BYTES("\x03"));
	names_put(&w, named[_i].options);
	put_end(&w);
	ck_assert(dhcp_parse(names_bytes(&w), &f));
	ck_assert_msg(
	    f.name_len == named[_i].len && memcmp(f.name, named[_i].text, f.name_len) == 0,
	    "%s: %.*s", named[_i].name, f.name_len, f.name);
	ck_assert_int_eq(memcmp(f.mac, "\x00\x1b\x21\x0a\x0b\x0c", 6), 0);
	ck_assert(!f.is_reply && f.addr.family == 0);
}
END_TEST

START_TEST(an_acknowledgment_tells_the_address_and_its_time)
{
	struct names_wire w = { 0 };
	struct dhcp_facts f;
	char text[ADDR_TEXT_LEN];

	put_fixed(&w, REPLY, 0, 12);
	put_option(&w, 53, BYTES("\x05"));
	put_option(&w, 51, BYTES("\x00\x00\x0e\x10"));
	put_end(&w);
	ck_assert(dhcp_parse(names_bytes(&w), &f));
	ck_assert(f.is_reply);
	ck_assert_str_eq(addr_to_text(&f.addr, text), "10.0.0.12");
	ck_assert_uint_eq(f.lease_time, 3600);
	ck_assert_uint_eq(f.name_len, 0);
}
END_TEST

/* An offer may be declined, and a refusal gives nothing. */
START_TEST(other_replies_tell_nothing)
{
	static const char *const types[] = { "\x02", "\x06" };

	for (size_t i = 0; i < 2; i++) {
		struct names_wire w = { 0 };
		struct dhcp_facts f;

		put_fixed(&w, REPLY, 0, 12);
		put_option(&w, 53, span_from(types[i], 1));
		put_end(&w);
		ck_assert(!dhcp_parse(names_bytes(&w), &f));
	}
}
END_TEST

START_TEST(a_renewal_tells_its_own_address)
{
	struct names_wire w = { 0 };
	struct dhcp_facts f;
	char text[ADDR_TEXT_LEN];

	put_fixed(&w, REQUEST, 13, 0);
	put_option(&w, 53, BYTES("\x03"));
	put_end(&w);
	ck_assert(dhcp_parse(names_bytes(&w), &f));
	ck_assert_str_eq(addr_to_text(&f.addr, text), "10.0.0.13");
}
END_TEST

START_TEST(a_released_address_is_not_the_clients)
{
	struct names_wire w = { 0 };
	struct dhcp_facts f;

	put_fixed(&w, REQUEST, 12, 0);
	put_option(&w, 53, BYTES("\x07"));
	put_end(&w);
	ck_assert(!dhcp_parse(names_bytes(&w), &f));
}
END_TEST

START_TEST(no_prefix_is_read_past_its_end)
{
	struct names_wire w = { 0 };
	struct dhcp_facts f;

	put_fixed(&w, REQUEST, 13, 0);
	put_option(&w, 12, BYTES("scanner-2"));
	names_u8(&w, 255);
	for (size_t len = 0; len <= w.len; len++) {
		bool any = dhcp_parse(span_from(w.bytes, len), &f);

		/* With the magic cookie there, the address counts; with the option, the name. */
		ck_assert_msg(any == (len >= 240), "%zu", len);
		ck_assert_uint_eq(f.name_len, len >= 251 ? 9 : 0);
	}
}
END_TEST

static const struct {
	const char *name;
	size_t at;
	uint8_t value;
} damages[] = {
	{ "neither request nor reply", 0, 3 },
	{ "not Ethernet", 1, 6 },
	{ "no MAC address", 2, 16 },
	{ "no DHCP", 236, 0 },
};

START_TEST(what_is_no_dhcp_tells_nothing)
{
	struct names_wire w = { 0 };
	struct dhcp_facts f;

	put_fixed(&w, REQUEST, 13, 0);
	w.bytes[damages[_i].at] = damages[_i].value;
	ck_assert_msg(!dhcp_parse(names_bytes(&w), &f), "%s", damages[_i].name);
}
END_TEST

START_TEST(the_longest_name_is_cut)
{
	struct names_wire w = { 0 };
	struct dhcp_facts f;
	uint8_t name[255];

	memset(name, 'x', sizeof(name));
	put_fixed(&w, REQUEST, 0, 0);
	put_option(&w, 12, span_from(name, sizeof(name)));
	ck_assert(dhcp_parse(names_bytes(&w), &f));
	ck_assert_uint_eq(f.name_len, DHCP_NAME_MAX);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_request_tells_the_name, 0, ROWS(named));
	tcase_add_test(tc, an_acknowledgment_tells_the_address_and_its_time);
	tcase_add_test(tc, other_replies_tell_nothing);
	tcase_add_test(tc, a_renewal_tells_its_own_address);
	tcase_add_test(tc, a_released_address_is_not_the_clients);
	tcase_add_test(tc, no_prefix_is_read_past_its_end);
	tcase_add_loop_test(tc, what_is_no_dhcp_tells_nothing, 0, ROWS(damages));
	tcase_add_test(tc, the_longest_name_is_cut);
}

SUITE_MAIN("names_dhcp")
