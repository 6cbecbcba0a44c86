#include "packet_builder.h"

#include "base/banned.h"

#define PAYLOAD BYTES("hello")

static const struct build_tcp mail_tcp = {
	.src_port = 49152,
	.dst_port = 993,
	.seq = 0x01020304,
	.ack = 0xf5f6f7f8,
	.flags = TCP_ACK,
};

/* TCP with PAYLOAD, and no IP header yet. */
static void
build_inside(struct built *b)
{
	build_start(b, PAYLOAD);
	build_tcp(b, &mail_tcp);
}

START_TEST(ipv4_options_of_every_length_are_skipped)
{
	struct built b;
	struct packet p;

	for (size_t options_len = 0; options_len <= 40; options_len += 4) {
		build_inside(&b);
		(void)build_ipv4_options(&b, BUILD_PROTO_TCP, options_len);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
		assert_mail(&p, 4, PAYLOAD);
	}
}
END_TEST

START_TEST(an_ipv4_header_of_less_than_five_words_is_bad)
{
	struct built b;
	struct packet p;

	for (unsigned words = 0; words < 5; words++) {
		build_mail(&b, 4, PAYLOAD);
		b.room[b.at] = (uint8_t)(0x40 | words);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_IP);
	}
}
END_TEST

START_TEST(an_ipv4_header_longer_than_the_packet_is_bad)
{
	struct built b;
	struct packet p;

	build_start(&b, BYTES("\1\1\1\1"));
	*build_ipv4(&b, BUILD_PROTO_TCP) = 0x4f;
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_IP);
}
END_TEST

START_TEST(the_version_must_be_the_one_that_the_link_layer_names)
{
	/* Ethernet says one, the header's first nibble another. */
	struct built b;
	struct packet p;

	for (unsigned version = 0; version < 16; version++) {
		build_mail(&b, 4, PAYLOAD);
		b.room[b.at] = (uint8_t)(version << 4 | 5);
		build_ethernet(&b, 0x0800);
		ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p),
		    version == 4 ? PACKET_TCP : PACKET_BAD_IP);
		build_mail(&b, 6, PAYLOAD);
		b.room[b.at] = (uint8_t)(version << 4);
		build_ethernet(&b, 0x86dd);
		ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p),
		    version == 6 ? PACKET_TCP : PACKET_BAD_IP);
	}
}
END_TEST

START_TEST(raw_packets_of_no_known_version_are_not_ours)
{
	struct built b;
	struct packet p;

	for (unsigned version = 0; version < 16; version++) {
		if (version == 4 || version == 6)
			continue;
		build_mail(&b, 4, PAYLOAD);
		b.room[b.at] = (uint8_t)(version << 4 | 5);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_OTHER);
	}
	ck_assert_int_eq(decode(BUILD_LINK_RAW, BYTES(""), &p), PACKET_BAD_IP);
	ck_assert_int_eq(decode_cut(BUILD_LINK_RAW, BYTES(""), 1, &p), PACKET_CUT);
}
END_TEST

START_TEST(a_total_length_below_the_header_is_bad)
{
	struct built b;
	struct packet p;

	for (size_t total_len = 1; total_len < 24; total_len++) {
		build_inside(&b);
		build_u16(build_ipv4_options(&b, BUILD_PROTO_TCP, 4) + 2, total_len);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_IP);
	}
}
END_TEST

START_TEST(a_total_length_that_ends_inside_the_tcp_header_is_bad)
{
	struct built b;
	struct packet p;

	for (size_t tcp_len = 0; tcp_len < 20; tcp_len++) {
		build_inside(&b);
		build_u16(build_ipv4(&b, BUILD_PROTO_TCP) + 2, 20 + tcp_len);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_TCP);
		build_inside(&b);
		if (tcp_len == 0)
			continue; /* in IPv6 that is no length at all */
		build_u16(build_ipv6(&b, BUILD_PROTO_TCP) + 4, tcp_len);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_TCP);
	}
}
END_TEST

START_TEST(a_length_inside_the_payload_ends_it_there)
{
	struct built b;
	struct packet p;

	for (size_t len = 0; len <= PAYLOAD.len; len++) {
		build_inside(&b);
		build_u16(build_ipv4(&b, BUILD_PROTO_TCP) + 2, 40 + len);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
		assert_mail(&p, 4, span_first(PAYLOAD, len));
		build_inside(&b);
		build_u16(build_ipv6(&b, BUILD_PROTO_TCP) + 4, 20 + len);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
		assert_mail(&p, 6, span_first(PAYLOAD, len));
	}
}
END_TEST

/* What a mirror that shortens frames leaves behind. */
START_TEST(a_length_beyond_the_frame_means_a_shortened_frame)
{
	struct built b;
	struct packet p;

	build_inside(&b);
	build_u16(build_ipv4(&b, BUILD_PROTO_TCP) + 2, 65535);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	ck_assert_uint_eq(p.payload_len, 65535 - 40);
	ck_assert(span_equals(p.payload, PAYLOAD));
	build_inside(&b);
	build_u16(build_ipv6(&b, BUILD_PROTO_TCP) + 4, 65535);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	ck_assert_uint_eq(p.payload_len, 65535 - 20);
	ck_assert(span_equals(p.payload, PAYLOAD));
	/* The header itself may be behind the cut. */
	ck_assert_int_eq(decode(BUILD_LINK_RAW, span_first(build_bytes(&b), 59), &p), PACKET_CUT);
}
END_TEST

START_TEST(no_length_means_up_to_the_end_of_the_frame)
{
	struct built b;
	struct packet p;

	build_inside(&b);
	build_u16(build_ipv4(&b, BUILD_PROTO_TCP) + 2, 0);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	assert_mail(&p, 4, PAYLOAD);
	/* A super-segment of which the capture kept the beginning. */
	ck_assert_int_eq(decode_cut(BUILD_LINK_RAW, build_bytes(&b), 100000, &p), PACKET_TCP);
	ck_assert_uint_eq(p.payload_len, 100000 - 40);
	ck_assert(span_equals(p.payload, PAYLOAD));
	build_inside(&b);
	build_u16(build_ipv6(&b, BUILD_PROTO_TCP) + 4, 0);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	assert_mail(&p, 6, PAYLOAD);
}
END_TEST

START_TEST(fragments_of_ipv4_are_fragments)
{
	static const struct {
		uint16_t field;
		enum packet_kind kind;
	} rows[] = {
		{ 0x0000, PACKET_TCP },
		{ 0x4000, PACKET_TCP },      /* do not fragment */
		{ 0x8000, PACKET_TCP },      /* the reserved bit */
		{ 0x2000, PACKET_FRAGMENT }, /* the first one */
		{ 0x6000, PACKET_FRAGMENT },
		{ 0x2001, PACKET_FRAGMENT }, /* one in the middle */
		{ 0x0001, PACKET_FRAGMENT }, /* the last one */
		{ 0x1fff, PACKET_FRAGMENT },
	};
	struct built b;
	struct packet p;

	build_inside(&b);
	build_u16(build_ipv4(&b, BUILD_PROTO_TCP) + 6, rows[_i].field);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), rows[_i].kind);
}
END_TEST
#define IPV4_FRAGMENT_ROWS 8

/* IPv6 extension headers; `next` of the last one is what follows. */
static const struct {
	const char *name;
	uint8_t first;     /* next header of the IPv6 header */
	struct span bytes; /* the chain, TCP behind it */
	enum packet_kind kind;
} chains[] = {
#define CHAIN(literal)                                                                             \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
	{ "none", 6, CHAIN(""), PACKET_TCP },
	{ "hop-by-hop", 0, CHAIN("\x06\x00\x01\x04\0\0\0\0"), PACKET_TCP },
	{ "hop-by-hop of 24 bytes", 0,
	    CHAIN("\x06\x02\x01\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), PACKET_TCP },
	{ "routing", 43, CHAIN("\x06\x00\x04\x00\0\0\0\0"), PACKET_TCP },
	{ "destination", 60, CHAIN("\x06\x00\x01\x04\0\0\0\0"), PACKET_TCP },
	{ "mobility", 135, CHAIN("\x06\x00\x00\x00\0\0\0\0"), PACKET_TCP },
	{ "HIP", 139, CHAIN("\x06\x00\x00\x00\0\0\0\0"), PACKET_TCP },
	{ "shim6", 140, CHAIN("\x06\x00\x00\x00\0\0\0\0"), PACKET_TCP },
	/* Length in words of 4 bytes without two: 12 and 24 bytes. */
	{ "authentication", 51, CHAIN("\x06\x01\0\0\0\0\0\x01\0\0\0\x01"), PACKET_TCP },
	{ "authentication of 24 bytes", 51,
	    CHAIN("\x06\x04\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0"), PACKET_TCP },
	{ "atomic fragment", 44, CHAIN("\x06\x00\x00\x00\0\0\0\x01"), PACKET_TCP },
	{ "atomic fragment, reserved bits set", 44, CHAIN("\x06\xff\x00\x06\0\0\0\x01"),
	    PACKET_TCP },
	{ "first fragment", 44, CHAIN("\x06\x00\x00\x01\0\0\0\x01"), PACKET_FRAGMENT },
	{ "last fragment", 44, CHAIN("\x06\x00\x00\x08\0\0\0\x01"), PACKET_FRAGMENT },
	{ "fragment at the largest offset", 44, CHAIN("\x06\x00\xff\xf8\0\0\0\x01"),
	    PACKET_FRAGMENT },
	{ "hop-by-hop, routing, atomic fragment, authentication, destination", 0,
	    CHAIN("\x2b\x00\x01\x04\0\0\0\0"
		  "\x2c\x00\x04\x00\0\0\0\0"
		  "\x33\x00\x00\x00\0\0\0\x01"
		  "\x3c\x01\0\0\0\0\0\x01\0\0\0\x01"
		  "\x06\x00\x01\x04\0\0\0\0"),
	    PACKET_TCP },
	{ "hop-by-hop, then a fragment", 0,
	    CHAIN("\x2c\x00\x01\x04\0\0\0\0\x06\x00\x00\x01\0\0\0\x01"), PACKET_FRAGMENT },
	{ "nothing follows", 0, CHAIN("\x3b\x00\x01\x04\0\0\0\0"), PACKET_OTHER },
	{ "encrypted", 50, CHAIN("\0\0\0\x01\0\0\0\x01"), PACKET_ENCRYPTED },
	{ "ICMPv6", 58, CHAIN("\x80\0\0\0"), PACKET_OTHER },
	{ "UDP on ports of no tunnel", 17, CHAIN("\x03\xe1\xc0\x00\x00\x0c\0\0"), PACKET_OTHER },
};

static void
build_chain(struct built *b, int row)
{
	build_inside(b);
	build_push(b, chains[row].bytes);
	(void)build_ipv6(b, chains[row].first);
}

START_TEST(extension_headers_lead_to_what_follows)
{
	struct built b;
	struct packet p;

	build_chain(&b, _i);
	ck_assert_msg(
	    decode_built(BUILD_LINK_RAW, &b, &p) == chains[_i].kind, "%s", chains[_i].name);
	if (chains[_i].kind == PACKET_TCP)
		assert_mail(&p, 6, PAYLOAD);
}
END_TEST

/* Addresses are ten zeros, a digit and five zeros here; the packet's own is not among them. */
static const struct {
	const char *name;
	struct span bytes;
	char last; /* 0: the packet's own destination counts */
} routes[] = {
#define A(digit) "\0\0\0\0\0\0\0\0\0\0" digit "\0\0\0\0\0"
	{ "a segment is left", CHAIN("\x06\x04\x04\x01\x01\0\0\0" A("1") A("2")), '1' },
	{ "fewer in the list than are left", CHAIN("\x06\x02\x04\x01\0\0\0\0" A("1")), '1' },
	{ "behind the list a TLV", CHAIN("\x06\x03\x04\x01\0\0\0\0" A("1") "\x04\x06\0\0\0\0\0\0"),
	    '1' },
	{ "no segment is left", CHAIN("\x06\x04\x04\0\x01\0\0\0" A("1") A("2")), 0 },
	{ "no list", CHAIN("\x06\0\x04\x01\0\0\0\0"), 0 },
	{ "source routing", CHAIN("\x06\x04\0\x02\0\0\0\0" A("1") A("2")), '2' },
	{ "source routing at its end", CHAIN("\x06\x04\0\0\0\0\0\0" A("1") A("2")), 0 },
	{ "a mobile node's home", CHAIN("\x06\x02\x02\x01\0\0\0\0" A("1")), '1' },
	{ "addresses that are shortened", CHAIN("\x06\x02\x03\x01\x88\0\0\0" A("1")), 0 },
};

static const struct {
	const char *name;
	struct span bytes;
	char digit; /* 0: the packet's own source counts */
} homes[] = {
	{ "a mobile node's home", CHAIN("\x06\x02\0\x01\0\0\xc9\x10" A("1")), '1' },
	{ "none", CHAIN("\x06\0\x01\x04\0\0\0\0"), 0 },
	{ "too short", CHAIN("\x06\x02\x01\x02\0\0\xc9\x0f" A("1")), 0 },
	{ "beyond the header",
	    CHAIN("\x06\x02\x01\x03\0\0\0\xc9\x10\0\0\0\0\0\0\0\0\0\0\x31\0\0\0\0"), 0 },
#undef A
#undef CHAIN
};

/* Its peer's packets go there, too: both directions have the same addresses. */
START_TEST(what_a_mobile_node_sends_is_from_its_home)
{
	struct built b;
	struct packet p;

	build_inside(&b);
	build_push(&b, homes[_i].bytes);
	(void)build_ipv6(&b, 60);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	if (homes[_i].digit == 0)
		assert_mail(&p, 6, PAYLOAD);
	else
		ck_assert_msg(p.src.bytes[10] == homes[_i].digit, "%s", homes[_i].name);
}
END_TEST

START_TEST(a_packet_on_its_way_goes_to_the_last_segment)
{
	struct built b;
	struct packet p;

	build_inside(&b);
	build_push(&b, routes[_i].bytes);
	(void)build_ipv6(&b, 43);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	if (routes[_i].last == 0)
		assert_mail(&p, 6, PAYLOAD);
	else
		ck_assert_msg(p.dst.bytes[10] == routes[_i].last, "%s", routes[_i].name);
	/* In IPv4 there are no such addresses. */
	build_inside(&b);
	build_push(&b, routes[_i].bytes);
	(void)build_ipv4(&b, 43);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TCP);
	assert_mail(&p, 4, PAYLOAD);
}
END_TEST

START_TEST(extension_headers_that_the_capture_cut_are_cut)
{
	struct built b;
	struct packet p;
	struct span all;

	if (chains[_i].kind != PACKET_TCP)
		return;
	build_chain(&b, _i);
	all = build_bytes(&b);
	for (size_t len = 0; len < 40 + chains[_i].bytes.len + 20; len++)
		ck_assert_int_eq(
		    decode_cut(BUILD_LINK_RAW, span_first(all, len), all.len, &p), PACKET_CUT);
}
END_TEST

START_TEST(extension_headers_longer_than_the_packet_are_bad)
{
	struct built b;
	struct packet p;

	if (chains[_i].kind != PACKET_TCP)
		return;
	for (size_t len = 1; len < chains[_i].bytes.len; len++) {
		build_start(&b, span_first(chains[_i].bytes, len));
		(void)build_ipv6(&b, chains[_i].first);
		ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_IP);
	}
	/* The chain is whole, and TCP is not there at all. */
	if (chains[_i].bytes.len == 0)
		return;
	build_start(&b, chains[_i].bytes);
	(void)build_ipv6(&b, chains[_i].first);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_BAD_TCP);
}
END_TEST

START_TEST(a_chain_of_extension_headers_without_end_is_too_deep)
{
	struct built b;
	struct packet p;
	enum packet_kind kind = PACKET_TCP;
	unsigned count = 0;

	build_inside(&b);
	for (uint8_t next = BUILD_PROTO_TCP; kind == PACKET_TCP; next = 60, count++) {
		struct built whole = b;
		uint8_t *h;

		ck_assert_uint_le(count, PACKET_MAX_DEPTH);
		(void)build_ipv6(&whole, next);
		kind = decode_built(BUILD_LINK_RAW, &whole, &p);
		h = build_front(&b, 8);
		h[0] = next;
	}
	ck_assert_int_eq(kind, PACKET_TOO_DEEP);
	ck_assert_uint_ge(count, 8);
}
END_TEST

START_TEST(ip_in_ip_without_end_is_too_deep)
{
	struct built b;
	struct packet p;

	build_mail(&b, 4, PAYLOAD);
	while (build_bytes(&b).len < 4000)
		(void)build_ipv4(&b, 4);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TOO_DEEP);
	build_mail(&b, 6, PAYLOAD);
	while (build_bytes(&b).len < 4000)
		(void)build_ipv6(&b, 41);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_TOO_DEEP);
}
END_TEST

START_TEST(protocols_that_carry_no_tcp_are_other)
{
	static const uint8_t carriers[] = { 0, 4, 6, 17, 41, 43, 44, 47, 50, 51, 60, 108, 115, 135,
		139, 140 };
	struct built b;
	struct packet p;

	for (unsigned proto = 0; proto < 256; proto++) {
		if (memchr(carriers, (int)proto, sizeof(carriers)) != NULL)
			continue;
		build_inside(&b);
		(void)build_ipv4(&b, (uint8_t)proto);
		ck_assert_msg(decode_built(BUILD_LINK_RAW, &b, &p) == PACKET_OTHER, "%u", proto);
		build_inside(&b);
		(void)build_ipv6(&b, (uint8_t)proto);
		ck_assert_msg(decode_built(BUILD_LINK_RAW, &b, &p) == PACKET_OTHER, "%u", proto);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, ipv4_options_of_every_length_are_skipped);
	tcase_add_test(tc, an_ipv4_header_of_less_than_five_words_is_bad);
	tcase_add_test(tc, an_ipv4_header_longer_than_the_packet_is_bad);
	tcase_add_test(tc, the_version_must_be_the_one_that_the_link_layer_names);
	tcase_add_test(tc, raw_packets_of_no_known_version_are_not_ours);
	tcase_add_test(tc, a_total_length_below_the_header_is_bad);
	tcase_add_test(tc, a_total_length_that_ends_inside_the_tcp_header_is_bad);
	tcase_add_test(tc, a_length_inside_the_payload_ends_it_there);
	tcase_add_test(tc, a_length_beyond_the_frame_means_a_shortened_frame);
	tcase_add_test(tc, no_length_means_up_to_the_end_of_the_frame);
	tcase_add_loop_test(tc, fragments_of_ipv4_are_fragments, 0, IPV4_FRAGMENT_ROWS);
	tcase_add_loop_test(tc, extension_headers_lead_to_what_follows, 0, ROWS(chains));
	tcase_add_loop_test(tc, what_a_mobile_node_sends_is_from_its_home, 0, ROWS(homes));
	tcase_add_loop_test(tc, a_packet_on_its_way_goes_to_the_last_segment, 0, ROWS(routes));
	tcase_add_loop_test(tc, extension_headers_that_the_capture_cut_are_cut, 0, ROWS(chains));
	tcase_add_loop_test(tc, extension_headers_longer_than_the_packet_are_bad, 0, ROWS(chains));
	tcase_add_test(tc, a_chain_of_extension_headers_without_end_is_too_deep);
	tcase_add_test(tc, ip_in_ip_without_end_is_too_deep);
	tcase_add_test(tc, protocols_that_carry_no_tcp_are_other);
}

SUITE_MAIN("packet_ip")
