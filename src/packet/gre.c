/* GRE, and the mirrored frames that it carries (ERSPAN). */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING 0x4000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_ACK 0x0080 /* version 1 */
#define GRE_VERSION 0x0007

#define GRE_PROTO_ERSPAN 0x88be
#define GRE_PROTO_ERSPAN_III 0x22eb
#define GRE_PROTO_WCCP 0x883e
#define GRE_PROTO_PPP 0x880b
#define GRE_PROTO_EOIP 0x6400
/* Access points of Aruba: the third digit tells their networks apart. */
#define GRE_PROTO_ARUBA_MASK 0xfe0f
#define GRE_PROTO_ARUBA 0x8200

#define ERSPAN_II_LEN 8
#define ERSPAN_III_LEN 12
#define ERSPAN_III_PLATFORM_LEN 8
#define ERSPAN_VERSION_III 2
#define ERSPAN_FRAME_TYPE_IP 2
#define WCCP_REDIRECT_LEN 4

/* RFC 1701: a list of routes, each with its length; the last one is empty. */
static bool
skip_routes(struct walk *w)
{
	struct span h, route;

	do {
		if (!walk_take(w, 4, PACKET_BAD_LINK, &h) ||
		    !walk_take(w, h.data[3], PACKET_BAD_LINK, &route))
			return false;
	} while (u16_at(h, 0) != 0 || h.data[3] != 0);
	return true;
}

/* draft-foschiano-erspan, section 4.3: 12 bytes, and 8 more where the O bit is set. */
static void
erspan_iii(struct walk *w)
{
	struct span h, platform;

	if (!walk_take(w, ERSPAN_III_LEN, PACKET_BAD_LINK, &h))
		return;
	if ((h.data[11] & 1) != 0 &&
	    !walk_take(w, ERSPAN_III_PLATFORM_LEN, PACKET_BAD_LINK, &platform))
		return;
	w->next = (h.data[10] >> 2 & 0x1f) == ERSPAN_FRAME_TYPE_IP ? LAYER_IP : LAYER_ETHERNET;
}

/*
 * draft-foschiano-erspan, sections 4.1 and 4.2: type I has neither a GRE sequence number nor a
 * header of its own; type II has both.
 */
static void
erspan_i_or_ii(struct walk *w, bool has_sequence)
{
	struct span h;

	w->next = LAYER_ETHERNET;
	if (!has_sequence)
		return;
	if (w->rest.len > 0 && w->rest.data[0] >> 4 == ERSPAN_VERSION_III)
		erspan_iii(w);
	else
		(void)walk_take(w, ERSPAN_II_LEN, PACKET_BAD_LINK, &h);
}

/* draft-wilson-wrec-wccp-v2, section 4.12: version 2 puts a redirect header in front of the packet,
 * version 1 does not, and nothing else tells them apart. */
static void
wccp(struct walk *w)
{
	struct span h;

	if (!guess_ipv4(w->rest, w->wire_rest) &&
	    !walk_take(w, WCCP_REDIRECT_LEN, PACKET_BAD_LINK, &h))
		return;
	w->next = LAYER_IP;
}

/* RFC 2637, section 4.1: the key is payload length and call; an acknowledgement has no payload. */
static void
enhanced_gre(struct walk *w, uint16_t flags)
{
	struct span key, h;
	uint32_t len = 4 + ((flags & GRE_ACK) != 0 ? 4u : 0);

	if (!walk_take(w, 4, PACKET_BAD_LINK, &key))
		return;
	if ((flags & GRE_KEY) == 0 || (flags & GRE_SEQUENCE) == 0 || u16_at(key, 0) == 0) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	if (!walk_take(w, len, PACKET_BAD_LINK, &h))
		return;
	w->next = LAYER_PPP;
}

/*
 * Ethernet between routers of MikroTik, which has no standard: the key is the frame's length, and
 * the tunnel's number in little-endian; a keep-alive has no frame.
 */
static void
eoip(struct walk *w, uint16_t flags)
{
	struct span key;

	if (!walk_take(w, 4, PACKET_BAD_LINK, &key))
		return;
	if ((flags & GRE_KEY) == 0 || u16_at(key, 0) == 0) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	walk_trim_to(w, u16_at(key, 0));
	w->next = LAYER_ETHERNET;
}

/* RFC 1701, 2784 and 2890: each flag stands for a field of 4 bytes, in this order. */
void
tunnel_gre(struct walk *w)
{
	struct span h;
	uint16_t flags, proto;
	size_t len;

	if (!walk_take(w, 4, PACKET_BAD_LINK, &h))
		return;
	flags = u16_at(h, 0);
	proto = u16_at(h, 2);
	if ((flags & GRE_VERSION) == 1 && proto == GRE_PROTO_PPP) {
		enhanced_gre(w, flags);
		return;
	}
	if ((flags & GRE_VERSION) == 1 && proto == GRE_PROTO_EOIP) {
		eoip(w, flags);
		return;
	}
	if ((flags & GRE_VERSION) != 0) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	len = ((flags & (GRE_CHECKSUM | GRE_ROUTING)) != 0 ? 4u : 0) +
	      ((flags & GRE_KEY) != 0 ? 4u : 0) + ((flags & GRE_SEQUENCE) != 0 ? 4u : 0);
	if (!walk_take(w, len, PACKET_BAD_LINK, &h))
		return;
	if ((flags & GRE_ROUTING) != 0 && !skip_routes(w))
		return;
	switch (proto) {
	case GRE_PROTO_ERSPAN:
		erspan_i_or_ii(w, (flags & GRE_SEQUENCE) != 0);
		return;
	case GRE_PROTO_ERSPAN_III:
		erspan_iii(w);
		return;
	case GRE_PROTO_WCCP:
		wccp(w);
		return;
	case GRE_PROTO_PPP:
		w->next = LAYER_PPP;
		return;
	case ETHERTYPE_CISCO_METADATA:
		tag_cisco_metadata_in_gre(w);
		return;
	default:
		if (proto < ETHERTYPE_MIN) /* keepalives have 0 */
			walk_end(w, PACKET_OTHER);
		else if ((proto & GRE_PROTO_ARUBA_MASK) == GRE_PROTO_ARUBA)
			link_wifi(w);
		else
			walk_ethertype(w, proto);
		return;
	}
}
