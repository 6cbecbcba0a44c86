/* Link layers: from the frame's first byte to an EtherType, a PPP protocol or an IP header. */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

/* LINKTYPE_ values, https://www.tcpdump.org/linktypes.html. */
#define LINKTYPE_NULL 0
#define LINKTYPE_PPP 9
#define LINKTYPE_PPP_HDLC 50
#define LINKTYPE_PPP_ETHER 51
/* DLT_RAW of some systems, which some programs write into files. */
#define LINKTYPE_RAW_12 12
#define LINKTYPE_RAW_14 14
#define LINKTYPE_RAW 101
#define LINKTYPE_C_HDLC 104
#define LINKTYPE_IEEE802_11 105
#define LINKTYPE_LOOP 108
#define LINKTYPE_ENC 109
#define LINKTYPE_LINUX_SLL 113
#define LINKTYPE_PFLOG 117
#define LINKTYPE_IEEE802_11_RADIOTAP 127
#define LINKTYPE_PPP_PPPD 166
#define LINKTYPE_PPI 192
#define LINKTYPE_PPP_WITH_DIR 204
#define LINKTYPE_C_HDLC_WITH_DIR 205
#define LINKTYPE_MPLS 219
#define LINKTYPE_IPV4 228
#define LINKTYPE_IPV6 229
#define LINKTYPE_NFLOG 239
#define LINKTYPE_PKTAP 258
#define LINKTYPE_LINUX_SLL2 276
#define LINKTYPE_DSA_TAG_BRCM 281
#define LINKTYPE_DSA_TAG_BRCM_PREPEND 282
#define LINKTYPE_DSA_TAG_DSA 284
#define LINKTYPE_DSA_TAG_EDSA 285

#define ENC_LEN 12
#define PFLOG_LEN 4 /* up to the interface's name */
#define PPI_LEN 8
#define PKTAP_LEN 12 /* up to the link type */

static void
start_sll(struct walk *w)
{
	struct span h;

	/* 2 packet type, 2 ARPHRD, 2 address length, 8 address, 2 protocol. */
	if (!walk_take(w, 16, PACKET_BAD_LINK, &h))
		return;
	if (u16_at(h, 4) == 6)
		w->out->src_mac = h.data + 6;
	w->cooked = true;
	walk_ethertype(w, u16_at(h, 14));
}

static void
start_sll2(struct walk *w)
{
	struct span h;

	/* 2 protocol, 2 reserved, 4 interface, 2 ARPHRD, 1 packet type, 1 address length, 8
	 * address. */
	if (!walk_take(w, 20, PACKET_BAD_LINK, &h))
		return;
	if (h.data[11] == 6)
		w->out->src_mac = h.data + 12;
	w->cooked = true;
	walk_ethertype(w, u16_at(h, 0));
}

/*
 * BSD loopback: the address family in the byte order of the machine that captured (NULL) or of the
 * network (LOOP).  AF_INET is 2 everywhere, AF_INET6 differs, so the IP header's version decides.
 */
static void
start_null(struct walk *w)
{
	struct span h;

	if (walk_take(w, 4, PACKET_BAD_LINK, &h))
		w->next = LAYER_IP;
}

/* What IPsec carries, before or behind its cipher, on BSD: family, index, flags. */
static void
start_enc(struct walk *w)
{
	struct span h;

	if (walk_take(w, ENC_LEN, PACKET_BAD_LINK, &h))
		w->next = LAYER_IP;
}

/* What a firewall of BSD logged: length of all without padding, family, action, reason. */
static void
start_pflog(struct walk *w)
{
	struct span h;
	size_t len;

	if (!walk_take(w, PFLOG_LEN, PACKET_BAD_LINK, &h))
		return;
	len = (h.data[0] + 3u) & ~3u;
	if (len < PFLOG_LEN)
		walk_end(w, PACKET_BAD_LINK);
	else if (walk_take(w, len - PFLOG_LEN, PACKET_BAD_LINK, &h))
		w->next = LAYER_IP;
}

static void
start_c_hdlc(struct walk *w)
{
	struct span h;

	/* 1 address, 1 control, 2 protocol (an EtherType). */
	if (walk_take(w, 4, PACKET_BAD_LINK, &h))
		walk_ethertype(w, u16_at(h, 2));
}

/* RFC 1547, section 4.3.1: Cisco's framing is told by its address byte, unicast or broadcast. */
static void
start_ppp_hdlc(struct walk *w)
{
	uint8_t first;

	if (span_peek_u8(w->rest, &first) && (first == 0x0f || first == 0x8f))
		start_c_hdlc(w);
	else
		w->next = LAYER_PPP;
}

/* A direction in place of the address byte, then the control byte where there is one. */
static void
start_pppd(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 1, PACKET_BAD_LINK, &h))
		return;
	if (w->rest.len > 0 && w->rest.data[0] == 0x03 && !walk_take(w, 1, PACKET_BAD_LINK, &h))
		return;
	w->next = LAYER_PPP;
}

/* The unknown link type need not be the frame's. */
static void
unknown_link(struct walk *w, uint32_t link_type)
{
	w->out->unknown_link = link_type;
	walk_end(w, PACKET_UNKNOWN_LINK);
}

/*
 * What follows a header of `len` bytes, `taken` of which were taken, that gives the link type of
 * what it carries.  No such header carries another one.
 */
static void
start_inner(struct walk *w, size_t taken, size_t len, uint32_t link_type)
{
	struct span fields;

	if (len < taken) {
		walk_end(w, PACKET_BAD_LINK);
		return;
	}
	if (!walk_take(w, len - taken, PACKET_BAD_LINK, &fields))
		return;
	if (link_type == LINKTYPE_PPI || link_type == LINKTYPE_PKTAP)
		walk_end(w, PACKET_OTHER);
	else
		link_start(w, link_type);
}

/* Per-Packet Information: version, flags, length of all, link type; little-endian. */
static void
start_ppi(struct walk *w)
{
	struct span h;

	if (!walk_take(w, PPI_LEN, PACKET_BAD_LINK, &h))
		return;
	if (h.data[0] != 0)
		walk_end(w, PACKET_BAD_LINK);
	else
		start_inner(w, PPI_LEN, (size_t)h.data[3] << 8 | h.data[2],
		    __builtin_bswap32(u32_at(h, 4)));
}

/* macOS: length of all, kind of record (1: a packet), link type; little-endian. */
static void
start_pktap(struct walk *w)
{
	struct span h;

	if (walk_take(w, PKTAP_LEN, PACKET_BAD_LINK, &h))
		start_inner(
		    w, PKTAP_LEN, __builtin_bswap32(u32_at(h, 0)), __builtin_bswap32(u32_at(h, 8)));
}

static void
start_with_direction(struct walk *w, uint32_t link_type)
{
	struct span direction;

	if (walk_take(w, 1, PACKET_BAD_LINK, &direction))
		link_start(w, link_type);
}

/* What the chip of a switch puts into a frame for the processor beside it. */
static void
start_switch_tag(struct walk *w, void (*tag)(struct walk *w))
{
	struct span h;

	if (!walk_take(w, 12, PACKET_BAD_LINK, &h))
		return;
	w->out->dst_mac = h.data;
	w->out->src_mac = h.data + 6;
	tag(w);
}

static void
start_rarer(struct walk *w, uint32_t link_type)
{
	switch (link_type) {
	case LINKTYPE_DSA_TAG_BRCM:
		start_switch_tag(w, tag_broadcom);
		return;
	case LINKTYPE_DSA_TAG_BRCM_PREPEND:
		tag_broadcom_in_front(w);
		return;
	case LINKTYPE_DSA_TAG_DSA:
		start_switch_tag(w, tag_dsa);
		return;
	case LINKTYPE_DSA_TAG_EDSA:
		start_switch_tag(w, tag_dsa_with_ethertype);
		return;
	default:
		unknown_link(w, link_type);
		return;
	}
}

void
link_start(struct walk *w, uint32_t link_type)
{
	switch (link_type) {
	case LINKTYPE_ETHERNET:
		w->next = LAYER_ETHERNET;
		return;
	case LINKTYPE_LINUX_SLL:
		start_sll(w);
		return;
	case LINKTYPE_LINUX_SLL2:
		start_sll2(w);
		return;
	case LINKTYPE_RAW:
	case LINKTYPE_RAW_12:
	case LINKTYPE_RAW_14:
		w->next = LAYER_IP;
		return;
	case LINKTYPE_IPV4:
		w->next = LAYER_IPV4;
		return;
	case LINKTYPE_IPV6:
		w->next = LAYER_IPV6;
		return;
	case LINKTYPE_NULL:
	case LINKTYPE_LOOP:
		start_null(w);
		return;
	case LINKTYPE_ENC:
		start_enc(w);
		return;
	case LINKTYPE_PFLOG:
		start_pflog(w);
		return;
	case LINKTYPE_PPP:
		w->next = LAYER_PPP;
		return;
	case LINKTYPE_PPP_HDLC:
		start_ppp_hdlc(w);
		return;
	case LINKTYPE_PPP_ETHER:
		tunnel_pppoe(w);
		return;
	case LINKTYPE_C_HDLC:
		start_c_hdlc(w);
		return;
	case LINKTYPE_PPP_PPPD:
		start_pppd(w);
		return;
	case LINKTYPE_PPP_WITH_DIR:
		start_with_direction(w, LINKTYPE_PPP);
		return;
	case LINKTYPE_C_HDLC_WITH_DIR:
		start_with_direction(w, LINKTYPE_C_HDLC);
		return;
	case LINKTYPE_MPLS:
		tunnel_mpls(w);
		return;
	case LINKTYPE_NFLOG:
		link_nflog(w);
		return;
	case LINKTYPE_IEEE802_11:
		link_wifi(w);
		return;
	case LINKTYPE_IEEE802_11_RADIOTAP:
		link_radiotap(w);
		return;
	case LINKTYPE_PPI:
		start_ppi(w);
		return;
	case LINKTYPE_PKTAP:
		start_pktap(w);
		return;
	default:
		start_rarer(w, link_type);
		return;
	}
}

void
link_ethernet(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 14, PACKET_BAD_LINK, &h))
		return;
	w->out->dst_mac = h.data;
	w->out->src_mac = h.data + 6;
	walk_ethertype(w, u16_at(h, 12));
}

static void
vlan_tag(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 4, PACKET_BAD_LINK, &h))
		return;
	if (w->out->vlan < 0)
		w->out->vlan = vlan_id(u16_at(h, 0));
	walk_ethertype(w, u16_at(h, 2));
}

/* IEEE 802.2 SNAP with an EtherType inside: AA AA 03, organisation, type. */
static void
snap(struct walk *w)
{
	static const uint8_t begin[3] = { 0xaa, 0xaa, 0x03 };
	struct span seen = span_first(w->rest, sizeof(begin)), h;

	if (!span_equals(seen, span_from(begin, seen.len)))
		walk_end(w, PACKET_OTHER);
	else if (walk_take(w, 8, PACKET_BAD_LINK, &h))
		walk_ethertype(w, u16_at(h, 6));
}

/*
 * With two VLAN tags Linux gives a cooked socket the EtherType behind both, but a packet that
 * begins inside the second tag: with its VLAN number, and that EtherType once more.
 */
static bool
begins_in_a_tag(const struct walk *w, unsigned version)
{
	return w->cooked && w->rest.len > 4 && u16_at(w->rest, 2) == w->ethertype &&
	       w->rest.data[0] >> 4 != version && w->rest.data[4] >> 4 == version;
}

static void
ip_behind_tags(struct walk *w, enum layer layer, unsigned version)
{
	if (begins_in_a_tag(w, version))
		vlan_tag(w);
	else
		w->next = layer;
}

void
link_ethertype(struct walk *w)
{
	switch (w->ethertype) {
	case ETHERTYPE_IPV4:
		ip_behind_tags(w, LAYER_IPV4, 4);
		return;
	case ETHERTYPE_IPV6:
		ip_behind_tags(w, LAYER_IPV6, 6);
		return;
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
	case ETHERTYPE_QINQ_OLD:
	case ETHERTYPE_QINQ_OLD_2:
	case ETHERTYPE_QINQ_OLD_3:
		vlan_tag(w);
		return;
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		tunnel_mpls(w);
		return;
	case ETHERTYPE_PPPOE_SESSION:
		tunnel_pppoe(w);
		return;
	case ETHERTYPE_TEB:
		w->next = LAYER_ETHERNET;
		return;
	case ETHERTYPE_CISCO_METADATA:
		tag_cisco_metadata(w);
		return;
	default:
		if (tag_by_ethertype(w))
			return;
		if (w->ethertype < ETHERTYPE_MIN)
			snap(w);
		else
			walk_end(w, PACKET_OTHER);
		return;
	}
}

bool
link_knows_ethertype(uint16_t ethertype)
{
	switch (ethertype) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
	case ETHERTYPE_QINQ_OLD:
	case ETHERTYPE_QINQ_OLD_2:
	case ETHERTYPE_QINQ_OLD_3:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
	case ETHERTYPE_PPPOE_SESSION:
	case ETHERTYPE_TEB:
	case ETHERTYPE_CISCO_METADATA:
		return true;
	default:
		return tag_knows_ethertype(ethertype);
	}
}
