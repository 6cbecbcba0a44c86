/* Each wrapping, and some of them in each other, around one TCP segment. */
#include "suite.h"

#include "packet/decoder.h"
#include "packet/packet.h"
#include "wrap.h"

#include "base/banned.h"

#define LINKTYPE_PPP_PPPD 166

static const char text[] = "mail server, client";

/* The innermost packet: 10.1.0.1:4001 > 10.1.0.2:993 or 2001:db8:1::1 > 2001:db8:1::2. */
static void
inner_ipv4(struct wrap *w)
{
	wrap_init(w);
	wrap_bytes(w, span_from_text(text));
	wrap_tcp(w, 4001, 993, 77);
	wrap_ipv4(w, 1, 6);
}

static void
inner_ipv6(struct wrap *w)
{
	wrap_init(w);
	wrap_bytes(w, span_from_text(text));
	wrap_tcp(w, 4001, 993, 77);
	wrap_ipv6(w, 1, 6);
}

static void
inner_ethernet(struct wrap *w)
{
	inner_ipv4(w);
	wrap_ethernet(w, 0x10, 0x0800);
}

static void
around_ipv4(struct wrap *w, uint8_t proto)
{
	wrap_ipv4(w, 9, proto);
	wrap_ethernet(w, 0x90, 0x0800);
}

static void
around_udp(struct wrap *w, uint16_t port)
{
	wrap_udp(w, 50000, port);
	around_ipv4(w, 17);
}

static void
around_gre(struct wrap *w, struct span header)
{
	wrap_bytes(w, header);
	around_ipv4(w, 47);
}

static void
tagged(struct wrap *w, struct span tags)
{
	inner_ipv4(w);
	wrap_bytes(w, tags);
	wrap_bytes(w, BYTES("\x02\0\0\0\0\x10\x02\0\0\0\0\x11"));
}

static void
plain(struct wrap *w)
{
	inner_ethernet(w);
}

static void
vlan(struct wrap *w)
{
	tagged(w, BYTES("\x81\x00\x20\x05\x08\x00"));
}

static void
vlan_three_kinds(struct wrap *w)
{
	tagged(w, BYTES("\x91\x00\x00\x05\x88\xa8\x00\x06\x81\x00\x00\x07\x08\x00"));
}

static void
cisco_metadata(struct wrap *w)
{
	tagged(w, BYTES("\x89\x09\x01\x01\x00\x01\x00\x64\x08\x00"));
}

static void
vn_tag(struct wrap *w)
{
	tagged(w, BYTES("\x89\x26\x00\x01\x00\x02\x08\x00"));
}

static void
e_tag(struct wrap *w)
{
	tagged(w, BYTES("\x89\x3f\x00\x01\x00\x02\x00\x00\x08\x00"));
}

static void
fabric_path(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x00\x42"));
	wrap_ethernet(w, 0x20, 0x8903);
}

static void
backbone_bridge(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x00\x01\x02\x03"));
	wrap_ethernet(w, 0x20, 0x88e7);
}

static void
snap(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\xaa\xaa\x03\x00\x00\x00\x08\x00"));
	wrap_ethernet(w, 0x20, (uint16_t)wrap_len(w));
}

static void
pppoe(struct wrap *w)
{
	size_t len;

	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x21"));
	len = wrap_len(w);
	put_u16(wrap_front(w, 2), len);
	wrap_bytes(w, BYTES("\x11\x00\x00\x09"));
	wrap_ethernet(w, 0x20, 0x8864);
}

static void
mpls_ipv4(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x01\x00\xff\x00\x02\x01\xff"));
	wrap_ethernet(w, 0x20, 0x8847);
}

static void
mpls_ipv6(struct wrap *w)
{
	inner_ipv6(w);
	wrap_bytes(w, BYTES("\x00\x02\x01\xff"));
	wrap_ethernet(w, 0x20, 0x8848);
}

static void
mpls_frame(struct wrap *w, uint8_t first, bool control_word)
{
	inner_ethernet(w);
	w->bytes[w->begin] = first;
	if (control_word)
		wrap_bytes(w, BYTES("\x00\x00\x12\x34"));
	wrap_bytes(w, BYTES("\x00\x02\x01\xff"));
	wrap_ethernet(w, 0x20, 0x8847);
}

static void
pseudowire_with_control_word(struct wrap *w)
{
	mpls_frame(w, 0x02, true);
}

static void
pseudowire_without_control_word(struct wrap *w)
{
	mpls_frame(w, 0x02, false);
}

static void
pseudowire_address_like_ipv4(struct wrap *w)
{
	mpls_frame(w, 0x46, false);
}

static void
pseudowire_address_like_ipv6(struct wrap *w)
{
	mpls_frame(w, 0x62, false);
}

static void
pseudowire_address_like_channel(struct wrap *w)
{
	mpls_frame(w, 0x12, false);
}

static void
pseudowire_address_like_channel_behind_control_word(struct wrap *w)
{
	mpls_frame(w, 0x12, true);
}

static void
mpls_in_ip(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x02\x01\xff"));
	around_ipv4(w, 137);
}

static void
gre(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\x00\x00\x08\x00"));
}

static void
gre_ipv6(struct wrap *w)
{
	inner_ipv6(w);
	around_gre(w, BYTES("\x00\x00\x86\xdd"));
}

static void
gre_checksum(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\x80\x00\x08\x00\x12\x34\x00\x00"));
}

static void
gre_checksum_key_sequence(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\xb0\x00\x08\x00\x12\x34\x00\x00KEY!SEQ!"));
}

static void
gre_routing(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\x60\x00\x08\x00\x12\x34\x00\x00KEY!"
			    "\x08\x00\x00\x08"
			    "ADDRADDR"
			    "\x08\x00\x00\x04"
			    "ADDR"
			    "\x00\x00\x00\x00"));
}

static void
gre_bridging(struct wrap *w)
{
	inner_ethernet(w);
	around_gre(w, BYTES("\x00\x00\x65\x58"));
}

static void
nvgre(struct wrap *w)
{
	inner_ethernet(w);
	around_gre(w, BYTES("\x20\x00\x65\x58\x00\x01\x02\x03"));
}

static void
gre_mpls(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x02\x01\xff"));
	around_gre(w, BYTES("\x00\x00\x88\x47"));
}

static void
gre_pptp(struct wrap *w)
{
	size_t len;

	inner_ipv4(w);
	wrap_bytes(w, BYTES("\xff\x03\x00\x21"));
	len = wrap_len(w);
	wrap_bytes(w, BYTES("\x00\x09SEQ!ACK!"));
	put_u16(wrap_front(w, 2), len);
	wrap_bytes(w, BYTES("\x30\x81\x88\x0b"));
	around_ipv4(w, 47);
}

static void
gre_wccp(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\x00\x00\x88\x3e"));
}

static void
gre_wccp_redirect(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\x00\x00\x88\x3e\x40\x00\x12\x34"));
}

static void
gre_cisco_metadata(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\x00\x00\x89\x09\x08\x00\x01\x01\x00\x01\x00\x64"));
}

static void
erspan_i(struct wrap *w)
{
	inner_ethernet(w);
	around_gre(w, BYTES("\x00\x00\x88\xbe"));
}

static void
erspan_ii(struct wrap *w)
{
	inner_ethernet(w);
	around_gre(w, BYTES("\x10\x00\x88\xbeSEQ!\x10\x05\x08\x01\x00\x00\x00\x02"));
}

static void
erspan_iii(struct wrap *w)
{
	inner_ethernet(w);
	around_gre(w, BYTES("\x10\x00\x22\xebSEQ!\x20\x05\x00\x01TIME\x00\x00\x00\x06"));
}

static void
erspan_iii_platform(struct wrap *w)
{
	inner_ethernet(w);
	around_gre(w, BYTES("\x10\x00\x22\xebSEQ!\x20\x05\x00\x01TIME\x00\x00\x00\x07PLATFORM"));
}

static void
erspan_iii_ip(struct wrap *w)
{
	inner_ipv4(w);
	around_gre(w, BYTES("\x10\x00\x22\xebSEQ!\x20\x05\x00\x01TIME\x00\x00\x08\x06"));
}

static void
vxlan(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
	around_udp(w, 4789);
}

static void
vxlan_linux_port_and_ipv6_outside(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x88\x00\x12\x34\x00\x00\x2a\x00"));
	wrap_udp(w, 50000, 8472);
	wrap_ipv6(w, 9, 17);
	wrap_ethernet(w, 0x90, 0x86dd);
}

static void
vxlan_gpe_ipv4(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x0c\x00\x00\x01\x00\x00\x2a\x00"));
	around_udp(w, 4790);
}

static void
vxlan_gpe_nsh_ipv6(struct wrap *w)
{
	inner_ipv6(w);
	wrap_bytes(w, BYTES("\x0f\xc6\x01\x02\x00\x00\x01\x0fMETAMETAMETAMETA"));
	wrap_bytes(w, BYTES("\x0c\x00\x00\x04\x00\x00\x2a\x00"));
	around_udp(w, 4790);
}

static void
geneve(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x00\x00\x65\x58\x00\x00\x2a\x00"));
	around_udp(w, 6081);
}

static void
geneve_with_options(struct wrap *w)
{
	inner_ipv6(w);
	wrap_bytes(w, BYTES("\x03\x40\x86\xdd\x00\x00\x2a\x00\x01\x02\x80\x02OPTIONS!"));
	around_udp(w, 6081);
}

static void
gtp(struct wrap *w, uint8_t flags, struct span optional)
{
	size_t len;

	wrap_bytes(w, optional);
	len = wrap_len(w);
	wrap_bytes(w, BYTES("TEID"));
	put_u16(wrap_front(w, 2), len);
	wrap_bytes(w, BYTES("\xff"));
	wrap_front(w, 1)[0] = flags;
	around_udp(w, 2152);
}

static void
gtp_u(struct wrap *w)
{
	inner_ipv4(w);
	gtp(w, 0x30, BYTES(""));
}

static void
gtp_u_sequence(struct wrap *w)
{
	inner_ipv6(w);
	gtp(w, 0x32, BYTES("\x00\x01\x00\x85")); /* the type counts with the E flag only */
}

static void
gtp_u_extensions(struct wrap *w)
{
	inner_ipv4(w);
	gtp(w, 0x34, BYTES("\x00\x00\x00\x85\x01\x00\x09\xc0\x02\x00\x00\x00\x00\x00\x00\x00"));
}

static void
gtp_u_ethernet(struct wrap *w)
{
	inner_ethernet(w);
	gtp(w, 0x30, BYTES(""));
}

static void
ip_in_ip(struct wrap *w)
{
	inner_ipv4(w);
	around_ipv4(w, 4);
}

static void
six_in_four(struct wrap *w)
{
	inner_ipv6(w);
	around_ipv4(w, 41);
}

static void
four_in_six(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x04\x00\x04\x01\x04\x01\x01\x00")); /* tunnel encapsulation limit */
	wrap_ipv6(w, 9, 60);
	wrap_ethernet(w, 0x90, 0x86dd);
}

static void
ether_ip(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x30\x00"));
	around_ipv4(w, 97);
}

static void
tzsp(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x01\x00\x00\x01\x00\x0a\x01\xcc\x01"));
	around_udp(w, 37008);
}

static void
teredo(struct wrap *w)
{
	inner_ipv6(w);
	wrap_bytes(w, BYTES("\x00\x01\x01\x02IAUNONCE!!!!\x00\x00\x12\x34\x0a\x0b\x0c\x0d"));
	/* client identifier 1, authentication 2, nonce 8, confirmation 1 */
	around_udp(w, 3544);
}

static void
l2tp_v2(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x02\x00\x01\x00\x02\xff\x03\x00\x21"));
	around_udp(w, 1701);
}

static void
l2tp_v2_everything(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x4a\x02\x00\x60\x00\x01\x00\x02NSNR\x00\x03PAD\xff\x03\x00\x21"));
	around_udp(w, 1701);
}

static void
l2tp_v3_ip_with_cookie(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("SESSCOOKIE!!\x40\x00\x00\x00"));
	around_ipv4(w, 115);
}

static void
l2tp_v3_udp(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x00\x03\x00\x00SESS"));
	around_udp(w, 1701);
}

static void
gre_in_udp(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x20\x00\x65\x58KEY!"));
	around_udp(w, 4754);
}

static void
mpls_in_udp(struct wrap *w)
{
	inner_ipv6(w);
	wrap_bytes(w, BYTES("\x00\x02\x01\xff"));
	around_udp(w, 6635);
}

static void
vxlan_in_geneve_in_gre_in_vlan(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
	around_udp(w, 4789);
	wrap_bytes(w, BYTES("\x00\x00\x65\x58\x00\x00\x2a\x00"));
	wrap_udp(w, 50000, 6081);
	wrap_ipv6(w, 8, 17);
	wrap_bytes(w, BYTES("\x00\x00\x86\xdd"));
	wrap_ipv4(w, 7, 47);
	wrap_bytes(w, BYTES("\x00\x2b\x08\x00"));
	wrap_ethernet(w, 0x70, 0x8100);
}

static const struct {
	const char *name;
	void (*build)(struct wrap *w);
	uint8_t family;
	bool ethernet_inside;
	int32_t vlan;
} rows[] = {
	{ "plain", plain, 4, true, -1 },
	{ "vlan", vlan, 4, true, 5 },
	{ "vlan_three_kinds", vlan_three_kinds, 4, true, 5 },
	{ "cisco_metadata", cisco_metadata, 4, true, -1 },
	{ "vn_tag", vn_tag, 4, true, -1 },
	{ "e_tag", e_tag, 4, true, -1 },
	{ "fabric_path", fabric_path, 4, true, -1 },
	{ "backbone_bridge", backbone_bridge, 4, true, -1 },
	{ "snap", snap, 4, false, -1 },
	{ "pppoe", pppoe, 4, false, -1 },
	{ "mpls_ipv4", mpls_ipv4, 4, false, -1 },
	{ "mpls_ipv6", mpls_ipv6, 6, false, -1 },
	{ "pseudowire_with_control_word", pseudowire_with_control_word, 4, true, -1 },
	{ "pseudowire_without_control_word", pseudowire_without_control_word, 4, true, -1 },
	{ "pseudowire_address_like_ipv4", pseudowire_address_like_ipv4, 4, true, -1 },
	{ "pseudowire_address_like_ipv6", pseudowire_address_like_ipv6, 4, true, -1 },
	{ "pseudowire_address_like_channel", pseudowire_address_like_channel, 4, true, -1 },
	{ "pseudowire_address_like_channel_behind_control_word",
	    pseudowire_address_like_channel_behind_control_word, 4, true, -1 },
	{ "mpls_in_ip", mpls_in_ip, 4, false, -1 },
	{ "gre", gre, 4, false, -1 },
	{ "gre_ipv6", gre_ipv6, 6, false, -1 },
	{ "gre_checksum", gre_checksum, 4, false, -1 },
	{ "gre_checksum_key_sequence", gre_checksum_key_sequence, 4, false, -1 },
	{ "gre_routing", gre_routing, 4, false, -1 },
	{ "gre_bridging", gre_bridging, 4, true, -1 },
	{ "nvgre", nvgre, 4, true, -1 },
	{ "gre_mpls", gre_mpls, 4, false, -1 },
	{ "gre_pptp", gre_pptp, 4, false, -1 },
	{ "gre_wccp", gre_wccp, 4, false, -1 },
	{ "gre_wccp_redirect", gre_wccp_redirect, 4, false, -1 },
	{ "gre_cisco_metadata", gre_cisco_metadata, 4, false, -1 },
	{ "erspan_i", erspan_i, 4, true, -1 },
	{ "erspan_ii", erspan_ii, 4, true, -1 },
	{ "erspan_iii", erspan_iii, 4, true, -1 },
	{ "erspan_iii_platform", erspan_iii_platform, 4, true, -1 },
	{ "erspan_iii_ip", erspan_iii_ip, 4, false, -1 },
	{ "vxlan", vxlan, 4, true, -1 },
	{ "vxlan_linux_port_and_ipv6_outside", vxlan_linux_port_and_ipv6_outside, 4, true, -1 },
	{ "vxlan_gpe_ipv4", vxlan_gpe_ipv4, 4, false, -1 },
	{ "vxlan_gpe_nsh_ipv6", vxlan_gpe_nsh_ipv6, 6, false, -1 },
	{ "geneve", geneve, 4, true, -1 },
	{ "geneve_with_options", geneve_with_options, 6, false, -1 },
	{ "gtp_u", gtp_u, 4, false, -1 },
	{ "gtp_u_sequence", gtp_u_sequence, 6, false, -1 },
	{ "gtp_u_extensions", gtp_u_extensions, 4, false, -1 },
	{ "gtp_u_ethernet", gtp_u_ethernet, 4, true, -1 },
	{ "ip_in_ip", ip_in_ip, 4, false, -1 },
	{ "six_in_four", six_in_four, 6, false, -1 },
	{ "four_in_six", four_in_six, 4, false, -1 },
	{ "ether_ip", ether_ip, 4, true, -1 },
	{ "tzsp", tzsp, 4, true, -1 },
	{ "teredo", teredo, 6, false, -1 },
	{ "l2tp_v2", l2tp_v2, 4, false, -1 },
	{ "l2tp_v2_everything", l2tp_v2_everything, 4, false, -1 },
	{ "l2tp_v3_ip_with_cookie", l2tp_v3_ip_with_cookie, 4, true, -1 },
	{ "l2tp_v3_udp", l2tp_v3_udp, 4, true, -1 },
	{ "gre_in_udp", gre_in_udp, 4, true, -1 },
	{ "mpls_in_udp", mpls_in_udp, 6, false, -1 },
	{ "vxlan_in_geneve_in_gre_in_vlan", vxlan_in_geneve_in_gre_in_vlan, 4, true, 43 },
};
#define ROW_COUNT ((int)(sizeof(rows) / sizeof(rows[0])))

static void
assert_is_inner(const struct packet *p, uint8_t family, const char *name)
{
	static const uint8_t v4[2][4] = { { 10, 1, 0, 1 }, { 10, 1, 0, 2 } };
	struct addr src = addr_from_v4(v4[0]), dst = addr_from_v4(v4[1]);

	if (family == 6) {
		ck_assert(addr_from_text("2001:db8:1::1", &src));
		ck_assert(addr_from_text("2001:db8:1::2", &dst));
	}
	ck_assert_msg(addr_equals(&p->src, &src) && addr_equals(&p->dst, &dst), "%s", name);
	ck_assert_uint_eq(p->src_port, 4001);
	ck_assert_uint_eq(p->dst_port, 993);
	ck_assert_uint_eq(p->seq, 77);
}

START_TEST(wrapped_segment_is_found)
{
	struct wrap w;
	struct frame f;
	struct packet p;
	enum packet_kind kind;

	rows[_i].build(&w);
	f = wrap_frame(&w, 1);
	kind = packet_decode(&f, NULL, &p);
	ck_assert_msg(kind == PACKET_TCP, "%s: %s", rows[_i].name, packet_kind_name(kind));
	assert_is_inner(&p, rows[_i].family, rows[_i].name);
	ck_assert_msg(span_equals(p.payload, span_from_text(text)), "%s", rows[_i].name);
	ck_assert_uint_eq(p.payload_len, p.payload.len);
	ck_assert_msg(p.vlan == rows[_i].vlan, "%s: vlan %d", rows[_i].name, (int)p.vlan);
	if (rows[_i].ethernet_inside)
		ck_assert_msg(p.src_mac[5] == 0x11, "%s", rows[_i].name);
}
END_TEST

START_TEST(wrapped_segment_with_padding_and_checksum_behind_is_the_same)
{
	struct wrap w, padded;
	struct frame f;
	struct packet p;

	rows[_i].build(&w);
	wrap_init(&padded);
	wrap_bytes(&padded, BYTES("\x45\0\0\0\0\0\0\0FCS!"));
	wrap_bytes(&padded, span_from(w.bytes + w.begin, wrap_len(&w)));
	f = wrap_frame(&padded, 1);
	ck_assert_int_eq(packet_decode(&f, NULL, &p), PACKET_TCP);
	assert_is_inner(&p, rows[_i].family, rows[_i].name);
	ck_assert_msg(span_equals(p.payload, span_from_text(text)), "%s", rows[_i].name);
}
END_TEST

/* A guess may fail where what it would go by is cut, but never to something that is not there. */
START_TEST(wrapped_segment_that_the_capture_cut_is_cut_or_short)
{
	struct wrap w;
	struct frame f;
	struct packet p;
	size_t shorter = 0;

	rows[_i].build(&w);
	f = wrap_frame(&w, 1);
	while (f.bytes.len > 0) {
		enum packet_kind kind;

		f.bytes.len--;
		kind = packet_decode(&f, NULL, &p);
		if (kind == PACKET_TCP) {
			shorter++;
			assert_is_inner(&p, rows[_i].family, rows[_i].name);
			ck_assert_uint_eq(p.payload_len, sizeof(text) - 1);
			ck_assert(span_equals(
			    p.payload, span_first(span_from_text(text), p.payload.len)));
		} else {
			ck_assert_msg(kind == PACKET_CUT || kind == PACKET_OTHER, "%s at %zu: %s",
			    rows[_i].name, f.bytes.len, packet_kind_name(kind));
		}
	}
	ck_assert_msg(shorter >= sizeof(text) - 1, "%s: %zu", rows[_i].name, shorter);
}
END_TEST

START_TEST(wrapped_segment_that_ends_early_gives_no_other_addresses)
{
	struct wrap w;
	struct frame f;
	struct packet p;

	rows[_i].build(&w);
	f = wrap_frame(&w, 1);
	while (f.bytes.len > 0) {
		f.bytes.len--;
		f.wire_len--;
		if (packet_decode(&f, NULL, &p) == PACKET_TCP)
			assert_is_inner(&p, rows[_i].family, rows[_i].name);
	}
}
END_TEST

/* Header fields of every value in turn: nothing but no crash is asked for. */
START_TEST(wrapped_segment_with_one_byte_changed_is_decoded_without_harm)
{
	struct wrap w;
	struct frame f;
	struct packet p;
	size_t kinds[PACKET_KIND_COUNT] = { 0 };

	rows[_i].build(&w);
	f = wrap_frame(&w, 1);
	for (size_t i = w.begin; i < sizeof(w.bytes); i++) {
		uint8_t keep = w.bytes[i];

		for (unsigned v = 0; v < 256; v++) {
			enum packet_kind kind;

			w.bytes[i] = (uint8_t)v;
			kind = packet_decode(&f, NULL, &p);
			ck_assert_uint_lt(kind, PACKET_KIND_COUNT);
			kinds[kind]++;
			if (kind == PACKET_TCP)
				ck_assert_uint_le(p.payload.len, p.payload_len);
		}
		w.bytes[i] = keep;
	}
	ck_assert_uint_gt(kinds[PACKET_TCP], 0);
	ck_assert_uint_gt(kinds[PACKET_OTHER], 0);
}
END_TEST

static enum packet_kind
decode(const struct wrap *w)
{
	struct frame f = wrap_frame(w, 1);
	struct packet p;

	return packet_decode(&f, NULL, &p);
}

START_TEST(tunnel_on_another_port_is_no_tunnel)
{
	struct wrap w;

	inner_ethernet(&w);
	wrap_bytes(&w, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
	around_udp(&w, 4788);
	ck_assert_int_eq(decode(&w), PACKET_OTHER);
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
	ck_assert_int_eq(decode(&w), PACKET_TCP);
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
	{ "tzsp_without_end", 37008, { (const uint8_t *)"\1\0\0\1\0\0\0\0", 8 } },
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
	kind = decode(&w);
	ck_assert_msg(kind == PACKET_OTHER, "%s: %s", nonsense[_i].name, packet_kind_name(kind));
}
END_TEST

START_TEST(bad_header_in_a_tunnel_that_is_no_guess_is_a_fault)
{
	struct wrap w;

	wrap_init(&w);
	wrap_bytes(&w, BYTES("\x41xxxxxxxxxxxxxxxxxxxxxx"));
	around_gre(&w, BYTES("\x00\x00\x08\x00"));
	ck_assert_int_eq(decode(&w), PACKET_BAD_IP);
}
END_TEST

START_TEST(layers_without_end_are_too_deep)
{
	struct wrap w;

	inner_ipv4(&w);
	for (int i = 0; i < 40; i++)
		wrap_ipv4(&w, 5, 4);
	wrap_ethernet(&w, 0x90, 0x0800);
	ck_assert_int_eq(decode(&w), PACKET_TOO_DEEP);
	inner_ethernet(&w);
	for (int i = 0; i < 12; i++) {
		wrap_bytes(&w, BYTES("\x08\x00\x00\x00\x00\x00\x2a\x00"));
		around_udp(&w, 4789);
	}
	ck_assert_int_eq(decode(&w), PACKET_TOO_DEEP);
}
END_TEST

START_TEST(route_list_without_end_is_a_fault)
{
	struct wrap w;

	wrap_init(&w);
	around_gre(&w, BYTES("\x40\x00\x08\x00\x00\x00\x00\x00"
			     "\x08\x00\x00\x00\x08\x00\x00\x00"));
	ck_assert_int_eq(decode(&w), PACKET_BAD_LINK);
}
END_TEST

START_TEST(control_and_keepalive_messages_are_other)
{
	struct wrap w;

	wrap_init(&w);
	around_gre(&w, BYTES("\x00\x00\x00\x00")); /* Cisco's keepalive */
	ck_assert_int_eq(decode(&w), PACKET_OTHER);
	wrap_init(&w);
	around_gre(&w, BYTES("\x20\x81\x88\x0b\x00\x00\x00\x09"
			     "ACK!"));
	ck_assert_int_eq(decode(&w), PACKET_OTHER);
	wrap_init(&w);
	around_gre(&w, BYTES("\x00\x05\x08\x00\x45\x00\x00\x14"));
	ck_assert_int_eq(decode(&w), PACKET_OTHER);
	wrap_init(&w);
	wrap_bytes(&w, BYTES("\0\0\0\0\xc8\x03\0\x14\0\0\0\0\0\0\0\0"));
	around_ipv4(&w, 115);
	ck_assert_int_eq(decode(&w), PACKET_OTHER);
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
	ck_assert_ptr_nonnull(packet_link_name(f.link_type));
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
	tcase_add_loop_test(tc, wrapped_segment_is_found, 0, ROW_COUNT);
	tcase_add_loop_test(
	    tc, wrapped_segment_with_padding_and_checksum_behind_is_the_same, 0, ROW_COUNT);
	tcase_add_loop_test(tc, wrapped_segment_that_the_capture_cut_is_cut_or_short, 0, ROW_COUNT);
	tcase_add_loop_test(
	    tc, wrapped_segment_that_ends_early_gives_no_other_addresses, 0, ROW_COUNT);
	tcase_add_loop_test(
	    tc, wrapped_segment_with_one_byte_changed_is_decoded_without_harm, 0, ROW_COUNT);
	tcase_add_test(tc, tunnel_on_another_port_is_no_tunnel);
	tcase_add_test(tc, vxlan_port_of_the_options_is_a_tunnel);
	tcase_add_test(tc, tunnel_from_its_port_is_a_tunnel);
	tcase_add_loop_test(
	    tc, nonsense_on_the_port_of_a_tunnel_is_other_and_no_fault, 0, NONSENSE_COUNT);
	tcase_add_test(tc, bad_header_in_a_tunnel_that_is_no_guess_is_a_fault);
	tcase_add_test(tc, layers_without_end_are_too_deep);
	tcase_add_test(tc, route_list_without_end_is_a_fault);
	tcase_add_test(tc, control_and_keepalive_messages_are_other);
	tcase_add_test(tc, padding_behind_pppoe_is_no_part_of_a_packet_without_a_length);
	tcase_add_test(tc, frame_that_the_mirror_shortened_keeps_its_length);
	tcase_add_loop_test(tc, rarer_link_type_is_read, 0, LINK_COUNT);
	tcase_add_test(tc, nflog_gives_the_senders_address);
	tcase_add_loop_test(tc, nflog_without_a_payload_is_bad, 0, BAD_NFLOG_COUNT);
}

SUITE_MAIN("packet_encapsulation")
