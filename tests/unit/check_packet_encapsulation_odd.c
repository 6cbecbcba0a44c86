/* Wrappings that are not what they seem, and the rarer link types. */
#include "suite.h"

#include "wrapped_segment.h"

#include "base/banned.h"

#define LINKTYPE_PPP_PPPD 166

START_TEST(tunnel_on_another_port_is_no_tunnel)
{
	struct wrap w;

	inner_ethernet(&w);
	wrap_bytes(&w, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
	around_udp(&w, 4788);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
}
END_TEST

START_TEST(vxlan_port_of_the_options_is_a_tunnel)
{
	struct packet_options options = { .vxlan_ports = { { 4788, 250 }, 2 } };
	struct packet_decoder *decoder = packet_decoder_new(NULL, &options);
	struct wrap w;
	struct frame f;
	struct packet p;

	inner_ethernet(&w);
	wrap_bytes(&w, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
	around_udp(&w, 250);
	f = wrap_frame(&w, 1);
	ck_assert_int_eq(packet_decoder_decode(decoder, &f, &p), PACKET_TCP);
	assert_is_inner(&p, 4, "option");
	packet_decoder_free(decoder);
}
END_TEST

START_TEST(tunnel_from_its_port_is_a_tunnel)
{
	struct wrap w;

	inner_ipv4(&w);
	wrap_bytes(&w, BYTES("\x30\xff\x00\x3bTEID"));
	wrap_udp(&w, 2152, 50000);
	around_ipv4(&w, 17);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_TCP);
}
END_TEST

static const struct {
	const char *name;
	uint16_t port;
	struct span bytes;
} nonsense[] = {
	{ "vxlan_empty", 4789, { NULL, 0 } },
	{ "vxlan_short", 4789, { (const uint8_t *)"\x08\0\0\0\0\0\0", 7 } },
	{ "vxlan_without_vni", 4789,
	    { (const uint8_t *)"\0\0\0\0\0\0\0\0frame of something", 26 } },
	{ "vxlan_with_short_frame", 4789, { (const uint8_t *)"\x08\0\0\0\0\0\0\0short", 13 } },
	{ "vxlan_frame_that_claims_more", 4789,
	    { (const uint8_t *)"\x08\0\0\0\0\0\0\0\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
			       "\x45\0\1\0\0\0\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2\x0f\xa0",
		44 } },
	{ "vxlan_gpe_unknown", 4790,
	    { (const uint8_t *)"\x0c\0\0\x77\0\0\0\0\x45xxxxxxxxxxxx", 21 } },
	{ "dns_on_8472", 8472,
	    { (const uint8_t *)"\x08\x01\1\0\0\1\0\0\0\0\0\0\7example\0\0\1\0\1", 25 } },
	{ "geneve_version", 6081, { (const uint8_t *)"\x40\0\x08\0\0\0\0\0\x45xxxxxxxxxxx", 20 } },
	{ "geneve_bad_ip", 6081,
	    { (const uint8_t *)"\0\0\x08\0\0\0\0\0\x41xxxxxxxxxxxxxxxxxxxxx", 30 } },
	{ "gtp_echo", 2152, { (const uint8_t *)"\x32\x01\0\4\0\0\0\0\0\0\0\0", 12 } },
	{ "gtp_version_2", 2152, { (const uint8_t *)"\x50\xff\0\4\0\0\0\0\x45\0\0\0", 12 } },
	{ "gtp_extension_of_no_length", 2152,
	    { (const uint8_t *)"\x34\xff\0\x08\0\0\0\0\0\0\0\x85\0\0\0\0", 16 } },
	{ "tzsp_keepalive", 37008, { (const uint8_t *)"\1\4\0\1\1", 5 } },
	{ "capwap_keep_alive", 5247, { (const uint8_t *)"\0\x10\x42\x08\0\0\0\0\0\x10", 10 } },
	{ "capwap_with_a_hello_of_dtls", 5247, { (const uint8_t *)"\1\0\0\0\x16\xfe\xfd\0\0", 9 } },
	{ "tzsp_without_end", 37008, { (const uint8_t *)"\1\0\0\1\0\0\0\0", 8 } },
	{ "lisp_of_something", 4341, { (const uint8_t *)"\xc0NCE\0\0\0\1SOME", 12 } },
	{ "teredo_bubble_cut", 3544, { (const uint8_t *)"\x60\0\0\0\0\0\x3b\x40", 8 } },
	{ "l2tp_control", 1701, { (const uint8_t *)"\xc8\x02\0\x14\0\0\0\0\0\0\0\0", 12 } },
	{ "l2tp_v3_of_something", 1701,
	    { (const uint8_t *)"\0\3\0\0SESSsomething or other, no frame", 36 } },
	{ "gre_in_udp_bad", 4754, { (const uint8_t *)"\0\0\x08\0\x15", 5 } },
	{ "mpls_in_udp_endless", 6635, { (const uint8_t *)"\0\0\0\0\0\0\0\0", 8 } },
};
#define NONSENSE_COUNT ((int)(sizeof(nonsense) / sizeof(nonsense[0])))

START_TEST(nonsense_on_the_port_of_a_tunnel_is_other_and_no_fault)
{
	struct wrap w;
	enum packet_kind kind;

	wrap_init(&w);
	if (nonsense[_i].bytes.len > 0)
		wrap_bytes(&w, nonsense[_i].bytes);
	around_udp(&w, nonsense[_i].port);
	kind = wrapped_kind(&w);
	ck_assert_msg(kind == PACKET_OTHER, "%s: %s", nonsense[_i].name, packet_kind_name(kind));
}
END_TEST

START_TEST(bad_header_in_a_tunnel_that_is_no_guess_is_a_fault)
{
	struct wrap w;

	wrap_init(&w);
	wrap_bytes(&w, BYTES("\x41xxxxxxxxxxxxxxxxxxxxxx"));
	around_gre(&w, BYTES("\x00\x00\x08\x00"));
	ck_assert_int_eq(wrapped_kind(&w), PACKET_BAD_IP);
}
END_TEST

START_TEST(tunnels_that_cannot_be_read_are_encrypted)
{
	static const char *const macsec[] = { "\x88\xe5\x0c\x2c", "\x88\xe5\x08\x2c",
		"\x88\xe5\x04\x2c" };
	struct wrap w;

	wrap_init(&w);
	wrap_bytes(&w, BYTES("\0\0\0\x10\0\0\0\1 nobody reads this"));
	around_ipv4(&w, 50);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_ENCRYPTED);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\4\0\0\2 nor this, which is compressed"));
	around_ipv4(&w, 108);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_ENCRYPTED);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\1\0\0\0\0\0\0\1 nor this"));
	around_udp(&w, 4341);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_ENCRYPTED);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\1\0\0\0\x17\xfe\xfd\0\1\0\0\0\0\0\1 nor this"));
	around_udp(&w, 5247);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_ENCRYPTED);
	for (size_t i = 0; i < sizeof(macsec) / sizeof(macsec[0]); i++) {
		wrap_init(&w);
		wrap_bytes(&w, BYTES("\0\0\0\1 nor this"));
		wrap_bytes(&w, span_from(macsec[i], 4));
		wrap_bytes(&w, BYTES("\2\0\0\0\0\2\2\0\0\0\0\1"));
		ck_assert_int_eq(wrapped_kind(&w), PACKET_ENCRYPTED);
	}
}
END_TEST

START_TEST(ppp_that_cannot_be_read_is_encrypted_or_a_fragment)
{
	static const struct {
		struct span front;
		enum packet_kind kind;
	} rows[] = {
		{ { (const uint8_t *)"\xff\x03\x00\xfd\x90\x01", 6 }, PACKET_ENCRYPTED },
		{ { (const uint8_t *)"\x00\x53\x00\x01", 4 }, PACKET_ENCRYPTED },
		{ { (const uint8_t *)"\x00\x3d\x80\x00\x00\x01\x00\x21", 8 }, PACKET_FRAGMENT },
		{ { (const uint8_t *)"\x00\x3d\x40\x00\x00\x02", 6 }, PACKET_FRAGMENT },
		{ { (const uint8_t *)"\x00\x3d\xc0\x00\x00\x02\xc0\x21", 8 }, PACKET_OTHER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wrap w;
		struct frame f;
		struct packet p;

		inner_ipv4(&w);
		wrap_bytes(&w, rows[i].front);
		f = wrap_frame(&w, 9);
		ck_assert_msg(packet_decode(&f, NULL, &p) == rows[i].kind, "%zu", i);
	}
}
END_TEST

START_TEST(wireguard_is_encrypted_but_not_its_exchange_of_keys)
{
	struct wrap w;

	wrap_init(&w);
	wrap_bytes(&w, BYTES("\4\0\0\0 nobody reads this"));
	around_udp(&w, 51820);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_ENCRYPTED);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\1\0\0\0 the exchange of keys"));
	around_udp(&w, 51820);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
}
END_TEST

START_TEST(behind_a_nat_an_index_tells_what_is_encrypted)
{
	struct wrap w;

	wrap_init(&w);
	wrap_bytes(&w, BYTES("\0\0\0\x10\0\0\0\1 nobody reads this"));
	around_udp(&w, 4500);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_ENCRYPTED);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\0\0\0\0 the exchange of keys"));
	around_udp(&w, 4500);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\xff")); /* keeps the NAT open */
	around_udp(&w, 4500);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
}
END_TEST

START_TEST(layers_without_end_are_too_deep)
{
	struct wrap w;

	inner_ipv4(&w);
	for (int i = 0; i < 40; i++)
		wrap_ipv4(&w, 5, 4);
	wrap_ethernet(&w, 0x90, 0x0800);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_TOO_DEEP);
	inner_ethernet(&w);
	for (int i = 0; i < 12; i++) {
		wrap_bytes(&w, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
		around_udp(&w, 4789);
	}
	ck_assert_int_eq(wrapped_kind(&w), PACKET_TOO_DEEP);
}
END_TEST

START_TEST(route_list_without_end_is_a_fault)
{
	struct wrap w;

	wrap_init(&w);
	around_gre(&w, BYTES("\x40\x00\x08\x00\x00\x00\x00\x00"
			     "\x08\x00\x00\x00\x08\x00\x00\x00"));
	ck_assert_int_eq(wrapped_kind(&w), PACKET_BAD_LINK);
}
END_TEST

START_TEST(control_and_keepalive_messages_are_other)
{
	struct wrap w;

	wrap_init(&w);
	around_gre(&w, BYTES("\x00\x00\x00\x00")); /* Cisco's keepalive */
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
	wrap_init(&w);
	around_gre(&w, BYTES("\x20\x81\x88\x0b\x00\x00\x00\x09"
			     "ACK!"));
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
	wrap_init(&w);
	around_gre(&w, BYTES("\x20\x01\x64\x00\x00\x00\x2a\x00")); /* of EoIP */
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
	wrap_init(&w);
	around_gre(&w, BYTES("\x00\x05\x08\x00\x45\x00\x00\x14"));
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
	inner_ipv4(&w);
	wrap_bytes(&w, BYTES("\x20\x04\x00\x00")); /* of GUE */
	around_udp(&w, 6080);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\0\0\0\0\xc8\x03\0\x14\0\0\0\0\0\0\0\0"));
	around_ipv4(&w, 115);
	ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
}
END_TEST

START_TEST(tag_of_an_unknown_form_is_other)
{
	static const struct span tags[] = {
		{ (const uint8_t *)"\xd2\x8b\0\1\0\x30\0\0\0", 9 },
		{ (const uint8_t *)"\xd2\x8b\0\2\0\x20\0\0\0", 9 },
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct wrap w;

		inner_ipv4(&w);
		wrap_bytes(&w, tags[i]);
		wrap_bytes(&w, BYTES("\x02\0\0\0\0\x10\x02\0\0\0\0\x11"));
		ck_assert_int_eq(wrapped_kind(&w), PACKET_OTHER);
	}
}
END_TEST

/* An IPv4 length of zero: the network card was to fill it in. */
START_TEST(padding_behind_pppoe_is_no_part_of_a_packet_without_a_length)
{
	struct wrap w, padded;
	struct frame f;
	struct packet p;
	size_t len;

	inner_ipv4(&w);
	put_u16(w.bytes + w.begin + 2, 0);
	wrap_bytes(&w, BYTES("\x00\x21"));
	len = wrap_len(&w);
	put_u16(wrap_front(&w, 2), len);
	wrap_bytes(&w, BYTES("\x11\x00\x00\x09"));
	wrap_ethernet(&w, 0x20, 0x8864);
	wrap_init(&padded);
	wrap_bytes(&padded, BYTES("padding"));
	wrap_bytes(&padded, span_from(w.bytes + w.begin, wrap_len(&w)));
	f = wrap_frame(&padded, 1);
	ck_assert_int_eq(packet_decode(&f, NULL, &p), PACKET_TCP);
	ck_assert(span_equals(p.payload, span_from_text(text)));
}
END_TEST

/* The mirror says how long the frame was, not how much of it it sends. */
START_TEST(frame_that_the_mirror_shortened_keeps_its_length)
{
	struct wrap w;
	struct frame f;
	struct packet p;
	size_t cut = 5;

	inner_ethernet(&w);
	memmove(w.bytes + w.begin + cut, w.bytes + w.begin, wrap_len(&w) - cut);
	w.begin += cut;
	around_gre(&w, BYTES("\x10\x00\x88\xbeSEQ!\x10\x05\x0c\x01\x00\x00\x00\x02"));
	f = wrap_frame(&w, 1);
	ck_assert_int_eq(packet_decode(&f, NULL, &p), PACKET_TCP);
	assert_is_inner(&p, 4, "shortened");
	ck_assert_uint_eq(p.payload_len, sizeof(text) - 1);
	ck_assert_uint_eq(p.payload.len, sizeof(text) - 1 - cut);
}
END_TEST

/* Of 34.243.0.1, whose first bytes are an EtherType where a frame would have it. */
START_TEST(packet_behind_a_label_that_the_mirror_shortened_is_no_frame)
{
	struct wrap w;
	struct frame f;
	struct packet p;
	size_t cut = 5;
	uint8_t *h;

	inner_ipv4(&w);
	h = w.bytes + w.begin;
	put_u16(h + 12, 0x22f3);
	put_u16(h + 4, 0xe714); /* keeps the checksum */
	memmove(h + cut, h, wrap_len(&w) - cut);
	w.begin += cut;
	wrap_bytes(&w, BYTES("\x00\x01\x11\xff"));
	wrap_ethernet(&w, 0x30, 0x8847);
	f = wrap_frame(&w, 1);
	ck_assert_int_eq(packet_decode(&f, NULL, &p), PACKET_TCP);
	ck_assert_uint_eq(p.src_port, 4001);
	ck_assert_uint_eq(p.payload_len, sizeof(text) - 1);
}
END_TEST

static const struct {
	const char *name;
	uint32_t link_type;
	struct span header;
} links[] = {
	{ "raw_12", 12, { NULL, 0 } },
	{ "raw_14", 14, { NULL, 0 } },
	{ "ppp_pppd", LINKTYPE_PPP_PPPD, { (const uint8_t *)"\1\3\0\x21", 4 } },
	{ "ppp_pppd_compressed", LINKTYPE_PPP_PPPD, { (const uint8_t *)"\0\x21", 2 } },
	{ "ppp_with_direction", 204, { (const uint8_t *)"\1\xff\3\0\x21", 5 } },
	{ "c_hdlc_with_direction", 205, { (const uint8_t *)"\0\x0f\0\x08\0", 5 } },
	{ "mpls", 219, { (const uint8_t *)"\0\1\1\xff", 4 } },
	{ "ppp_mpls", 9, { (const uint8_t *)"\xff\3\2\x81\0\1\1\xff", 8 } },
	{ "nflog_little", 239,
	    { (const uint8_t *)"\2\0\0\1\x08\0\1\0\x08\0\1\0\x05\0\x0a\0x\0\0\0"
			       "\x10\0\x08\0\0\6\0\0\2\0\0\0\0\x11\0\0\x3f\0\x09\0",
		40 } },
	{ "nflog_big", 239, { (const uint8_t *)"\2\0\0\1\0\x08\0\1\x08\0\1\0\0\x3f\0\x09", 16 } },
};
#define LINK_COUNT ((int)(sizeof(links) / sizeof(links[0])))

START_TEST(rarer_link_type_is_read)
{
	struct wrap w;
	struct frame f;
	struct packet p;
	enum packet_kind kind;

	inner_ipv4(&w);
	ck_assert_uint_eq(wrap_len(&w), 0x3f - 4);
	if (links[_i].header.len > 0)
		wrap_bytes(&w, links[_i].header);
	f = wrap_frame(&w, links[_i].link_type);
	kind = packet_decode(&f, NULL, &p);
	ck_assert_msg(kind == PACKET_TCP, "%s: %s", links[_i].name, packet_kind_name(kind));
	assert_is_inner(&p, 4, links[_i].name);
	ck_assert_uint_eq(p.payload.len, sizeof(text) - 1);
	while (f.bytes.len-- > 1) {
		kind = packet_decode(&f, NULL, &p);
		ck_assert_msg(kind == PACKET_TCP || kind == PACKET_CUT, "%s: %s at %zu",
		    links[_i].name, packet_kind_name(kind), f.bytes.len);
	}
}
END_TEST

START_TEST(nflog_gives_the_senders_address)
{
	struct wrap w;
	struct frame f;
	struct packet p;

	inner_ipv4(&w);
	wrap_bytes(&w, BYTES("\2\0\0\1\x10\0\x08\0\0\6\0\0\2\0\0\0\0\x11\0\0\x3f\0\x09\0"));
	f = wrap_frame(&w, 239);
	ck_assert_int_eq(packet_decode(&f, NULL, &p), PACKET_TCP);
	ck_assert(span_equals(span_from(p.src_mac, 6), BYTES("\2\0\0\0\0\x11")));
}
END_TEST

static const struct {
	const char *name;
	struct span bytes;
} bad_nflog[] = {
	{ "header_only", { (const uint8_t *)"\2\0\0\1", 4 } },
	{ "no_payload", { (const uint8_t *)"\2\0\0\1\x08\0\1\0\x08\0\1\0", 12 } },
	{ "attribute_of_no_length", { (const uint8_t *)"\2\0\0\1\0\0\0\0\0\0\0\0", 12 } },
	{ "attribute_past_the_end", { (const uint8_t *)"\2\0\0\1\x20\0\1\0\x08\0\1\0", 12 } },
	{ "payload_past_the_end", { (const uint8_t *)"\2\0\0\1\x20\0\x09\0\x45\0\1\0", 12 } },
};
#define BAD_NFLOG_COUNT ((int)(sizeof(bad_nflog) / sizeof(bad_nflog[0])))

START_TEST(nflog_without_a_payload_is_bad)
{
	struct wrap w;
	struct frame f;
	struct packet p;

	wrap_init(&w);
	wrap_bytes(&w, bad_nflog[_i].bytes);
	f = wrap_frame(&w, 239);
	ck_assert_msg(packet_decode(&f, NULL, &p) == PACKET_BAD_LINK, "%s", bad_nflog[_i].name);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, tunnel_on_another_port_is_no_tunnel);
	tcase_add_test(tc, vxlan_port_of_the_options_is_a_tunnel);
	tcase_add_test(tc, tunnel_from_its_port_is_a_tunnel);
	tcase_add_loop_test(
	    tc, nonsense_on_the_port_of_a_tunnel_is_other_and_no_fault, 0, NONSENSE_COUNT);
	tcase_add_test(tc, bad_header_in_a_tunnel_that_is_no_guess_is_a_fault);
	tcase_add_test(tc, tunnels_that_cannot_be_read_are_encrypted);
	tcase_add_test(tc, ppp_that_cannot_be_read_is_encrypted_or_a_fragment);
	tcase_add_test(tc, wireguard_is_encrypted_but_not_its_exchange_of_keys);
	tcase_add_test(tc, behind_a_nat_an_index_tells_what_is_encrypted);
	tcase_add_test(tc, layers_without_end_are_too_deep);
	tcase_add_test(tc, route_list_without_end_is_a_fault);
	tcase_add_test(tc, control_and_keepalive_messages_are_other);
	tcase_add_test(tc, tag_of_an_unknown_form_is_other);
	tcase_add_test(tc, padding_behind_pppoe_is_no_part_of_a_packet_without_a_length);
	tcase_add_test(tc, frame_that_the_mirror_shortened_keeps_its_length);
	tcase_add_test(tc, packet_behind_a_label_that_the_mirror_shortened_is_no_frame);
	tcase_add_loop_test(tc, rarer_link_type_is_read, 0, LINK_COUNT);
	tcase_add_test(tc, nflog_gives_the_senders_address);
	tcase_add_loop_test(tc, nflog_without_a_payload_is_bad, 0, BAD_NFLOG_COUNT);
}

SUITE_MAIN("packet_encapsulation_odd")
