/* Tags, labels, PPPoE, GRE and ERSPAN, each around one TCP segment. */
#include "suite.h"

#include "wrapped_segment.h"

#include "base/banned.h"

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
hsr(struct wrap *w)
{
	tagged(w, BYTES("\x89\x2f\x10\x46\x00\x01\x08\x00"));
}

static void
r_tag(struct wrap *w)
{
	tagged(w, BYTES("\xf1\xc1\x00\x00\x00\x07\x08\x00"));
}

static void
arista_48(struct wrap *w)
{
	tagged(w, BYTES("\xd2\x8b\x00\x01\x01\x20\x12\x34\x00\x01\x02\x03\x08\x00"));
}

static void
arista_64(struct wrap *w)
{
	tagged(w, BYTES("\xd2\x8b\x00\x01\x00\x11\x65\x53\xf1\x00\x00\x01\x02\x03\x08\x00"));
}

/* Integrity without encryption. */
static void
macsec(struct wrap *w)
{
	tagged(w, BYTES("\x88\xe5\x00\x2c\x00\x00\x00\x01\x08\x00"));
}

static void
macsec_with_channel(struct wrap *w)
{
	tagged(
	    w, BYTES("\x88\xe5\x20\x2c\x00\x00\x00\x01\x02\x00\x00\x00\x00\x01\x00\x01\x08\x00"));
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
around_pppoe(struct wrap *w)
{
	size_t len = wrap_len(w);

	put_u16(wrap_front(w, 2), len);
	wrap_bytes(w, BYTES("\x11\x00\x00\x09"));
	wrap_ethernet(w, 0x20, 0x8864);
}

static void
pppoe(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x21"));
	around_pppoe(w);
}

static void
multilink(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x3d\xc0\x00\x00\x21\x21"));
	around_pppoe(w);
}

static void
multilink_short(struct wrap *w)
{
	inner_ipv6(w);
	wrap_bytes(w, BYTES("\x00\x3d\xc0\x21\x00\x57"));
	around_pppoe(w);
}

static void
multilink_bridged(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x3d\xc0\x00\x00\x07\xff\x03\x00\x31\x00\x01"));
	around_pppoe(w);
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
pseudowire_around_a_backbone(struct wrap *w)
{
	backbone_bridge(w);
	wrap_bytes(w, BYTES("\x00\x01\x11\xff"));
	wrap_ethernet(w, 0x30, 0x8847);
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
gre_eoip(struct wrap *w)
{
	size_t len;

	inner_ethernet(w);
	len = wrap_len(w);
	wrap_bytes(w, BYTES("\x2a\x00"));
	put_u16(wrap_front(w, 2), len);
	wrap_bytes(w, BYTES("\x20\x01\x64\x00"));
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

static const struct wrapping rows[] = {
	{ "plain", plain, 4, true, -1 },
	{ "vlan", vlan, 4, true, 5 },
	{ "vlan_three_kinds", vlan_three_kinds, 4, true, 5 },
	{ "cisco_metadata", cisco_metadata, 4, true, -1 },
	{ "vn_tag", vn_tag, 4, true, -1 },
	{ "e_tag", e_tag, 4, true, -1 },
	{ "hsr", hsr, 4, true, -1 },
	{ "r_tag", r_tag, 4, true, -1 },
	{ "arista_48", arista_48, 4, true, -1 },
	{ "arista_64", arista_64, 4, true, -1 },
	{ "macsec", macsec, 4, true, -1 },
	{ "macsec_with_channel", macsec_with_channel, 4, true, -1 },
	{ "fabric_path", fabric_path, 4, true, -1 },
	{ "backbone_bridge", backbone_bridge, 4, true, -1 },
	{ "snap", snap, 4, false, -1 },
	{ "pppoe", pppoe, 4, false, -1 },
	{ "multilink", multilink, 4, false, -1 },
	{ "multilink_short", multilink_short, 6, false, -1 },
	{ "multilink_bridged", multilink_bridged, 4, true, -1 },
	{ "mpls_ipv4", mpls_ipv4, 4, false, -1 },
	{ "mpls_ipv6", mpls_ipv6, 6, false, -1 },
	{ "pseudowire_with_control_word", pseudowire_with_control_word, 4, true, -1 },
	{ "pseudowire_without_control_word", pseudowire_without_control_word, 4, true, -1 },
	{ "pseudowire_address_like_ipv4", pseudowire_address_like_ipv4, 4, true, -1 },
	{ "pseudowire_address_like_ipv6", pseudowire_address_like_ipv6, 4, true, -1 },
	{ "pseudowire_address_like_channel", pseudowire_address_like_channel, 4, true, -1 },
	{ "pseudowire_address_like_channel_behind_control_word",
	    pseudowire_address_like_channel_behind_control_word, 4, true, -1 },
	{ "pseudowire_around_a_backbone", pseudowire_around_a_backbone, 4, true, -1 },
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
	{ "gre_eoip", gre_eoip, 4, true, -1 },
	{ "gre_wccp", gre_wccp, 4, false, -1 },
	{ "gre_wccp_redirect", gre_wccp_redirect, 4, false, -1 },
	{ "gre_cisco_metadata", gre_cisco_metadata, 4, false, -1 },
	{ "erspan_i", erspan_i, 4, true, -1 },
	{ "erspan_ii", erspan_ii, 4, true, -1 },
	{ "erspan_iii", erspan_iii, 4, true, -1 },
	{ "erspan_iii_platform", erspan_iii_platform, 4, true, -1 },
	{ "erspan_iii_ip", erspan_iii_ip, 4, false, -1 },
};
#define ROW_COUNT ((int)(sizeof(rows) / sizeof(rows[0])))

static void
add_tests(TCase *tc)
{
	wrapped_add_tests(tc, rows, ROW_COUNT);
}

SUITE_MAIN("packet_encapsulation")
