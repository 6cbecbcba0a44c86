/* What is carried in IP and UDP: VXLAN, Geneve, GTP, L2TP and kin, each around one TCP segment. */
#include "suite.h"

#include "wrapped_segment.h"

#include "base/banned.h"

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
vxlan_with_all_that_is_reserved(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\xff\xff\xff\xff\x00\x00\x2a\xff"));
	around_udp(w, 4789);
}

static void
vxlan_without_any_bit(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x00\x00\x00\x00\x00\x00\x2a\x00"));
	around_udp(w, 4789);
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
gue_with_options(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x02\x04\x00\x00OPTIONS!"));
	around_udp(w, 6080);
}

static void
gue_without_a_header(struct wrap *w)
{
	inner_ipv6(w);
	around_udp(w, 6080);
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

/* Addresses that begin like an IP header. */
static void
gtp_u_ethernet_like_ip(struct wrap *w, struct span begin)
{
	inner_ethernet(w);
	memcpy(w->bytes + w->begin, begin.data, begin.len);
	gtp(w, 0x30, BYTES(""));
}

static void
gtp_u_ethernet_like_ipv4(struct wrap *w)
{
	gtp_u_ethernet_like_ip(w, BYTES("\x46\x3a\x9d\x01"));
}

static void
gtp_u_ethernet_like_ipv4_that_fits(struct wrap *w)
{
	gtp_u_ethernet_like_ip(w, BYTES("\x45\0\0\x28\0\x10\0\0"));
}

static void
gtp_u_ethernet_like_ipv6(struct wrap *w)
{
	gtp_u_ethernet_like_ip(w, BYTES("\x62\x3a\x9d\x01"));
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
ether_ip_of_mikrotik(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x43\xd2"));
	wrap_ipv6(w, 9, 97);
	wrap_ethernet(w, 0x90, 0x86dd);
}

static void
lisp(struct wrap *w)
{
	inner_ipv6(w);
	wrap_bytes(w, BYTES("\xc8NCE\0\0\1\1"));
	around_udp(w, 4341);
}

static void
lisp_gpe(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x0c\0\0\x03\0\0\1\0"));
	around_udp(w, 4341);
}

static void
tzsp(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x01\x00\x00\x01\x00\x0a\x01\xcc\x01"));
	around_udp(w, 37008);
}

static void
inner_wifi(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\xaa\xaa\x03\0\0\0\x08\x00"));
	wrap_bytes(w, BYTES("\x88\x01\0\0BSSID!\x02\0\0\0\0\x11\x02\0\0\0\0\x22\x10\0\0\0"));
}

static void
tzsp_wifi(struct wrap *w)
{
	inner_wifi(w);
	wrap_bytes(w, BYTES("\x01\x00\x00\x12\x0a\x01\xcc\x01"));
	around_udp(w, 37008);
}

static void
capwap_wifi(struct wrap *w)
{
	inner_wifi(w);
	wrap_bytes(w, BYTES("\x00\x10\x43\x00\x00\x00\x00\x00"));
	around_udp(w, 5247);
}

/* An optional radio address of 7 bytes with its length; frame control in network order. */
static void
capwap_wifi_swapped(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\xaa\xaa\x03\0\0\0\x08\x00"));
	wrap_bytes(w, BYTES("\x02\x08\0\0\x02\0\0\0\0\x22"
			    "BSSID!\x02\0\0\0\0\x11\x10\0"));
	wrap_bytes(w, BYTES("\x00\x20\x43\x10\x00\x00\x00\x00\x06RADIO!\x00"));
	around_udp(w, 5247);
}

static void
capwap_ethernet(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x00\x10\x42\x00\x00\x00\x00\x00"));
	around_udp(w, 5247);
}

static void
gre_aruba(struct wrap *w)
{
	inner_wifi(w);
	wrap_bytes(w, BYTES("\x00\x00\x83\x10"));
	around_ipv4(w, 47);
}

/* RFC 8986, section 4.9: a segment routing header, then the frame. */
static void
ethernet_in_ipv6(struct wrap *w)
{
	inner_ethernet(w);
	wrap_bytes(w, BYTES("\x8f\x02\x04\x00\x00\x00\x00\x00SEGMENTSEGMENT!!"));
	wrap_ipv6(w, 9, 43);
	wrap_ethernet(w, 0x90, 0x86dd);
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
l2tp_v3_around_pppoe(struct wrap *w)
{
	size_t len;

	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x00\x21"));
	len = wrap_len(w);
	put_u16(wrap_front(w, 2), len);
	wrap_bytes(
	    w, BYTES("\x88\xa8\x00\x05\x81\x00\x00\x06\x81\x00\x00\x07\x88\x64\x11\x00\x00\x09"));
	wrap_bytes(w, BYTES("\x02\0\0\0\0\x20\x02\0\0\0\0\x11"));
	wrap_bytes(w, BYTES("SESSCOOK"));
	around_ipv4(w, 115);
}

static void
l2tp_v3_around_a_tag(struct wrap *w)
{
	inner_ipv4(w);
	wrap_bytes(w, BYTES("\x89\x26\x00\x01\x00\x02\x08\x00"));
	wrap_bytes(w, BYTES("\x02\0\0\0\0\x10\x02\0\0\0\0\x11"));
	wrap_bytes(w, BYTES("SESSCOOKIE!!"));
	around_ipv4(w, 115);
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

static const struct wrapping rows[] = {
	{ "vxlan", vxlan, 4, true, -1 },
	{ "vxlan_linux_port_and_ipv6_outside", vxlan_linux_port_and_ipv6_outside, 4, true, -1 },
	{ "vxlan_with_all_that_is_reserved", vxlan_with_all_that_is_reserved, 4, true, -1 },
	{ "vxlan_without_any_bit", vxlan_without_any_bit, 4, true, -1 },
	{ "vxlan_gpe_ipv4", vxlan_gpe_ipv4, 4, false, -1 },
	{ "vxlan_gpe_nsh_ipv6", vxlan_gpe_nsh_ipv6, 6, false, -1 },
	{ "geneve", geneve, 4, true, -1 },
	{ "geneve_with_options", geneve_with_options, 6, false, -1 },
	{ "gue_with_options", gue_with_options, 4, false, -1 },
	{ "gue_without_a_header", gue_without_a_header, 6, false, -1 },
	{ "gtp_u", gtp_u, 4, false, -1 },
	{ "gtp_u_sequence", gtp_u_sequence, 6, false, -1 },
	{ "gtp_u_extensions", gtp_u_extensions, 4, false, -1 },
	{ "gtp_u_ethernet", gtp_u_ethernet, 4, true, -1 },
	{ "gtp_u_ethernet_like_ipv4", gtp_u_ethernet_like_ipv4, 4, true, -1 },
	{ "gtp_u_ethernet_like_ipv4_that_fits", gtp_u_ethernet_like_ipv4_that_fits, 4, true, -1 },
	{ "gtp_u_ethernet_like_ipv6", gtp_u_ethernet_like_ipv6, 4, true, -1 },
	{ "ip_in_ip", ip_in_ip, 4, false, -1 },
	{ "six_in_four", six_in_four, 6, false, -1 },
	{ "four_in_six", four_in_six, 4, false, -1 },
	{ "ether_ip", ether_ip, 4, true, -1 },
	{ "ether_ip_of_mikrotik", ether_ip_of_mikrotik, 4, true, -1 },
	{ "lisp", lisp, 6, false, -1 },
	{ "lisp_gpe", lisp_gpe, 4, true, -1 },
	{ "tzsp", tzsp, 4, true, -1 },
	{ "tzsp_wifi", tzsp_wifi, 4, true, -1 },
	{ "capwap_wifi", capwap_wifi, 4, true, -1 },
	{ "capwap_wifi_swapped", capwap_wifi_swapped, 4, true, -1 },
	{ "capwap_ethernet", capwap_ethernet, 4, true, -1 },
	{ "gre_aruba", gre_aruba, 4, true, -1 },
	{ "ethernet_in_ipv6", ethernet_in_ipv6, 4, true, -1 },
	{ "teredo", teredo, 6, false, -1 },
	{ "l2tp_v2", l2tp_v2, 4, false, -1 },
	{ "l2tp_v2_everything", l2tp_v2_everything, 4, false, -1 },
	{ "l2tp_v3_ip_with_cookie", l2tp_v3_ip_with_cookie, 4, true, -1 },
	{ "l2tp_v3_udp", l2tp_v3_udp, 4, true, -1 },
	{ "l2tp_v3_around_pppoe", l2tp_v3_around_pppoe, 4, true, 5 },
	{ "l2tp_v3_around_a_tag", l2tp_v3_around_a_tag, 4, true, -1 },
	{ "gre_in_udp", gre_in_udp, 4, true, -1 },
	{ "mpls_in_udp", mpls_in_udp, 6, false, -1 },
	{ "vxlan_in_geneve_in_gre_in_vlan", vxlan_in_geneve_in_gre_in_vlan, 4, true, 43 },
};
#define ROW_COUNT ((int)(sizeof(rows) / sizeof(rows[0])))

static void
add_tests(TCase *tc)
{
	wrapped_add_tests(tc, rows, ROW_COUNT);
}

SUITE_MAIN("packet_encapsulation_ip")
