#include "packet_builder.h"

#include "base/banned.h"

#define PAYLOAD BYTES("hello")
#define MACS BUILD_MAC_DST BUILD_MAC_SRC
/* Of the Ethernet header inside a tunnel; the second pair begins with a zero nibble. */
#define INNER "\x02\x11\x11\x11\x11\x0d\x02\x11\x11\x11\x11\x05"
#define INNER_ZERO "\x00\x50\x56\x11\x11\x0d\x00\x50\x56\x11\x11\x05"

/* The bytes between the outer header and the IP packet inside. */
static const struct {
	const char *name;
	enum { IN_ETHERNET, IN_IPV4, IN_IPV6 } outer;
	unsigned type; /* EtherType or protocol of the outer header */
	struct span bytes;
	unsigned version; /* of the IP packet inside */
	const char *inner_macs;
} tunnels[] = {
#define BETWEEN(literal)                                                                           \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
	{ "IPv4 in IPv4", IN_IPV4, 4, BETWEEN(""), 4, NULL },
	{ "IPv6 in IPv4", IN_IPV4, 41, BETWEEN(""), 6, NULL },
	{ "IPv4 in IPv6", IN_IPV6, 4, BETWEEN(""), 4, NULL },
	{ "IPv6 in IPv6", IN_IPV6, 41, BETWEEN(""), 6, NULL },
	{ "GRE", IN_IPV4, 47, BETWEEN("\0\0\x08\x00"), 4, NULL },
	{ "GRE in IPv6", IN_IPV6, 47, BETWEEN("\0\0\x86\xdd"), 6, NULL },
	{ "GRE with checksum", IN_IPV4, 47,
	    BETWEEN("\x80\0\x08\x00"
		    "cccc"),
	    4, NULL },
	{ "GRE with key", IN_IPV4, 47, BETWEEN("\x20\0\x08\x00kkkk"), 4, NULL },
	{ "GRE with sequence number", IN_IPV4, 47, BETWEEN("\x10\0\x86\xddssss"), 6, NULL },
	{ "GRE with all three", IN_IPV4, 47,
	    BETWEEN("\xb0\0\x08\x00"
		    "cccckkkkssss"),
	    4, NULL },
	{ "GRE, Ethernet inside", IN_IPV4, 47, BETWEEN("\0\0\x65\x58" INNER "\x08\x00"), 4, INNER },
	{ "GRE, tagged Ethernet inside", IN_IPV4, 47,
	    BETWEEN("\x20\0\x65\x58kkkk" INNER "\x81\x00\x00\x2a\x86\xdd"), 6, INNER },
	{ "GRE version 1, PPP inside", IN_IPV4, 47,
	    BETWEEN("\x30\x01\x88\x0b\0\x31\0\x01ssss\xff\x03\0\x21"), 4, NULL },
	{ "GRE version 1 with sequence and acknowledgement", IN_IPV4, 47,
	    BETWEEN("\x30\x81\x88\x0b\0\x43\0\x01ssssaaaa\0\x57"), 6, NULL },
	{ "PPPoE", IN_ETHERNET, 0x8864, BETWEEN("\x11\0\0\x01\0\x2f\0\x21"), 4, NULL },
	{ "PPPoE, IPv6", IN_ETHERNET, 0x8864, BETWEEN("\x11\0\0\x01\0\x43\0\x57"), 6, NULL },
	{ "PPPoE, compressed protocol", IN_ETHERNET, 0x8864, BETWEEN("\x11\0\0\x01\0\x2e\x21"), 4,
	    NULL },
	{ "MPLS", IN_ETHERNET, 0x8847, BETWEEN("\0\x01\x01\x40"), 4, NULL },
	{ "MPLS multicast, IPv6", IN_ETHERNET, 0x8848, BETWEEN("\0\x01\x01\x40"), 6, NULL },
	{ "MPLS, three labels", IN_ETHERNET, 0x8847,
	    BETWEEN("\0\x01\0\x40\0\x02\0\x40\0\x03\x01\x40"), 4, NULL },
	{ "MPLS pseudowire with control word", IN_ETHERNET, 0x8847,
	    BETWEEN("\0\x01\x01\x40\0\0\0\0" INNER "\x08\x00"), 4, INNER },
	{ "MPLS pseudowire with control word, addresses like one", IN_ETHERNET, 0x8847,
	    BETWEEN("\0\x01\x01\x40\0\0\0\0" INNER_ZERO "\x86\xdd"), 6, INNER_ZERO },
	{ "MPLS pseudowire without control word, addresses like one", IN_ETHERNET, 0x8847,
	    BETWEEN("\0\x01\x01\x40" INNER_ZERO "\x08\x00"), 4, INNER_ZERO },
#undef BETWEEN
};

static void
build_tunnel(struct built *b, int row, struct span payload)
{
	build_mail(b, tunnels[row].version, payload);
	build_push(b, tunnels[row].bytes);
	switch (tunnels[row].outer) {
	case IN_ETHERNET:
		build_ethernet(b, (uint16_t)tunnels[row].type);
		break;
	case IN_IPV4:
		memcpy(build_ipv4(b, (uint8_t)tunnels[row].type) + 12, "\x0a\x09\x09\x09", 4);
		build_ethernet(b, 0x0800);
		break;
	case IN_IPV6:
		memcpy(build_ipv6(b, (uint8_t)tunnels[row].type) + 8, "\x20\x01\x0d\xb9", 4);
		build_ethernet(b, 0x86dd);
		break;
	}
}

static size_t
headers_len(int row)
{
	static const size_t outer_len[] = { [IN_ETHERNET] = 14, [IN_IPV4] = 34, [IN_IPV6] = 54 };

	return outer_len[tunnels[row].outer] + tunnels[row].bytes.len +
	       (tunnels[row].version == 4 ? 20 : 40) + 20;
}

START_TEST(the_innermost_packet_counts)
{
	struct built b;
	struct packet p;
	const char *macs = tunnels[_i].inner_macs != NULL ? tunnels[_i].inner_macs : MACS;

	build_tunnel(&b, _i, PAYLOAD);
	ck_assert_msg(
	    decode_built(BUILD_LINK_ETHERNET, &b, &p) == PACKET_TCP, "%s", tunnels[_i].name);
	assert_mail(&p, tunnels[_i].version, PAYLOAD);
	ck_assert_mem_eq(p.dst_mac, macs, 6);
	ck_assert_mem_eq(p.src_mac, macs + 6, 6);
}
END_TEST

START_TEST(a_tunnel_that_the_capture_cut_is_cut)
{
	struct built b;
	struct span all;
	struct packet p;

	build_tunnel(&b, _i, PAYLOAD);
	all = build_bytes(&b);
	for (size_t len = 0; len < headers_len(_i); len++) {
		enum packet_kind kind =
		    decode_cut(BUILD_LINK_ETHERNET, span_first(all, len), all.len, &p);

		ck_assert_msg(kind == PACKET_CUT, "%s at %zu: %s", tunnels[_i].name, len,
		    packet_kind_name(kind));
	}
	for (size_t len = headers_len(_i); len <= all.len; len++) {
		ck_assert_int_eq(
		    decode_cut(BUILD_LINK_ETHERNET, span_first(all, len), all.len, &p), PACKET_TCP);
		ck_assert(span_equals(p.payload, span_first(PAYLOAD, len - headers_len(_i))));
		ck_assert_uint_eq(p.payload_len, PAYLOAD.len);
	}
}
END_TEST

/* Some mirrors cut frames and do not say so: the outer packet's length does. */
START_TEST(a_tunnel_on_a_port_that_the_mirror_cut_is_cut)
{
	enum { INSIDE = 14 + 20 + 8, HEADERS = INSIDE + 8 + 14 + 20 + 20 };
	struct built b;
	struct span all;
	struct packet p;

	build_mail(&b, 4, PAYLOAD);
	build_push(&b, BYTES("\xc3\x50\x12\xb5\0\x4b\0\0\x08\0\0\0\0\0\x2a\0" INNER "\x08\x00"));
	build_ipv4(&b, 17);
	build_ethernet(&b, 0x0800);
	all = build_bytes(&b);
	for (size_t len = INSIDE; len < all.len; len++) {
		enum packet_kind kind = decode(BUILD_LINK_ETHERNET, span_first(all, len), &p);

		ck_assert_msg(kind == (len < HEADERS ? PACKET_CUT : PACKET_TCP), "%zu: %s", len,
		    packet_kind_name(kind));
	}
}
END_TEST

/* The outer packet ends inside the tunnel's header or the inner packet's ones. */
START_TEST(a_tunnel_that_ends_too_early_is_bad)
{
	struct built b, whole;
	struct packet p;
	size_t inner_len = headers_len(_i) - (tunnels[_i].outer == IN_ETHERNET  ? 14
						 : tunnels[_i].outer == IN_IPV4 ? 34
										: 54);

	if (tunnels[_i].outer == IN_ETHERNET)
		return;
	build_tunnel(&whole, _i, PAYLOAD);
	for (size_t len = 1; len < inner_len; len++) {
		enum packet_kind kind;

		b = whole;
		if (tunnels[_i].outer == IN_IPV4)
			build_u16(b.room + b.at + 14 + 2, 20 + len);
		else
			build_u16(b.room + b.at + 14 + 4, len);
		kind = decode_built(BUILD_LINK_ETHERNET, &b, &p);
		/* Once its own length is known, the inner packet is as good as a shortened one. */
		ck_assert_msg(kind == PACKET_BAD_LINK || kind == PACKET_BAD_IP ||
				  kind == PACKET_CUT || kind == PACKET_OTHER,
		    "%s at %zu: %s", tunnels[_i].name, len, packet_kind_name(kind));
		if (len < tunnels[_i].bytes.len)
			ck_assert_msg(kind == PACKET_BAD_LINK || kind == PACKET_OTHER,
			    "%s at %zu: %s", tunnels[_i].name, len, packet_kind_name(kind));
	}
}
END_TEST

START_TEST(padding_behind_the_outer_packet_is_no_payload)
{
	struct built b;
	struct packet p;

	build_start(&b, BYTES("\0\0\0\0\0\0\0\0"));
	for (size_t len = 0; len <= PAYLOAD.len; len++) {
		struct built tunnel;

		build_tunnel(&tunnel, _i, span_first(PAYLOAD, len));
		build_start(&b, BYTES("\0\0\0\0\0\0\0\0"));
		build_push(&b, build_bytes(&tunnel));
		ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_TCP);
		assert_mail(&p, tunnels[_i].version, span_first(PAYLOAD, len));
	}
}
END_TEST

START_TEST(the_outermost_vlan_counts_through_a_tunnel)
{
	struct built b;
	struct packet p;

	build_mail(&b, 4, PAYLOAD);
	build_push(&b, BYTES("\0\0\x65\x58" INNER "\x81\x00\x00\x2a\x08\x00"));
	(void)build_ipv4(&b, 47);
	build_push(&b, BYTES(MACS "\x81\x00\x00\x07\x08\x00"));
	ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_TCP);
	ck_assert_int_eq(p.vlan, 7);
	ck_assert_mem_eq(p.src_mac, "\x02\x11\x11\x11\x11\x05", 6);
}
END_TEST

START_TEST(labels_without_a_bottom_are_bad_or_too_deep)
{
	struct built b;
	struct packet p;

	/* The frame ends, on the wire too, before the stack does, or right behind it. */
	build_start(&b, BYTES("\0\x01\0\x40\0\x02\0\x40"));
	build_ethernet(&b, 0x8847);
	ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_BAD_LINK);
	ck_assert_int_eq(decode_cut(BUILD_LINK_ETHERNET, build_bytes(&b), 2000, &p), PACKET_CUT);
	build_start(&b, BYTES("\0\x01\x01\x40"));
	build_ethernet(&b, 0x8847);
	ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_BAD_LINK);
	build_mail(&b, 4, PAYLOAD);
	build_push(&b, BYTES("\0\x01\x01\x40"));
	while (build_bytes(&b).len < 2000)
		build_push(&b, BYTES("\0\x01\0\x40"));
	build_ethernet(&b, 0x8847);
	ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_TOO_DEEP);
}
END_TEST

START_TEST(all_kinds_of_nesting_share_one_depth)
{
	struct built b;
	struct packet p;
	enum packet_kind kind = PACKET_TCP;
	unsigned rounds = 0;

	build_mail(&b, 4, PAYLOAD);
	for (; kind == PACKET_TCP; rounds++) {
		struct built whole = b;

		ck_assert_uint_le(rounds, PACKET_MAX_DEPTH);
		build_ethernet(&whole, 0x0800);
		kind = decode_built(BUILD_LINK_ETHERNET, &whole, &p);
		/* A tag, a label, PPPoE, and GRE around them. */
		build_push(&b, BYTES("\0\x21"));
		build_push(&b, BYTES("\x11\0\0\x01\xff\xff"));
		build_push(&b, BYTES("\x88\x64"));
		build_push(&b, BYTES("\0\0\x65\x58" INNER "\x81\x00\x00\x01"));
		(void)build_ipv4(&b, 47);
	}
	ck_assert_int_eq(kind, PACKET_TOO_DEEP);
	ck_assert_uint_ge(rounds, 2);
}
END_TEST

START_TEST(gre_of_an_unknown_form_is_other)
{
	static const char *const forms[] = { "\0\x02\x08\x00", "\0\x07\x08\x00", "\0\0\x88\xcc" };
	struct built b;
	struct packet p;

	build_mail(&b, 4, PAYLOAD);
	build_push(&b, span_from(forms[_i], 4));
	(void)build_ipv4(&b, 47);
	ck_assert_int_eq(decode_built(BUILD_LINK_RAW, &b, &p), PACKET_OTHER);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_innermost_packet_counts, 0, ROWS(tunnels));
	tcase_add_loop_test(tc, a_tunnel_that_the_capture_cut_is_cut, 0, ROWS(tunnels));
	tcase_add_test(tc, a_tunnel_on_a_port_that_the_mirror_cut_is_cut);
	tcase_add_loop_test(tc, a_tunnel_that_ends_too_early_is_bad, 0, ROWS(tunnels));
	tcase_add_loop_test(tc, padding_behind_the_outer_packet_is_no_payload, 0, ROWS(tunnels));
	tcase_add_test(tc, the_outermost_vlan_counts_through_a_tunnel);
	tcase_add_test(tc, labels_without_a_bottom_are_bad_or_too_deep);
	tcase_add_test(tc, all_kinds_of_nesting_share_one_depth);
	tcase_add_loop_test(tc, gre_of_an_unknown_form_is_other, 0, 3);
}

SUITE_MAIN("packet_tunnel")
