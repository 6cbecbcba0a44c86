/* PPP, from its address byte on: which protocol follows, and those that carry others. */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

/* IANA, Point-to-Point (PPP) Protocol Field Assignments. */
#define PPP_IPV4 0x0021
#define PPP_BRIDGED 0x0031
#define PPP_MULTILINK 0x003d
#define PPP_ENCRYPTED 0x0053
#define PPP_ENCRYPTED_LINK 0x0055 /* each link of several by itself */
#define PPP_IPV6 0x0057
#define PPP_COMPRESSED_LINK 0x00fb
#define PPP_COMPRESSED 0x00fd /* MPPE too: RFC 3078, section 3 */
#define PPP_MPLS 0x0281
#define PPP_MPLS_MULTICAST 0x0283

#define MULTILINK_WHOLE 0xc0 /* the first fragment of a packet, and its last one */
#define MULTILINK_LONG 4
#define MULTILINK_SHORT 2

#define BRIDGED_HAS_LAN 0x40
#define BRIDGED_ETHERNET 1
#define LAN_LEN 4

/* Optional address and control bytes, then a protocol of one or two bytes. */
static bool
take_protocol(struct walk *w, uint16_t *proto)
{
	struct span h;
	uint8_t first;

	/* No protocol begins with 0xff. */
	if (span_peek_u8(w->rest, &first) && first == 0xff && !walk_take(w, 2, PACKET_BAD_LINK, &h))
		return false;
	if (!walk_take(w, 1, PACKET_BAD_LINK, &h))
		return false;
	*proto = h.data[0];
	/* RFC 1661, section 6.5: an odd byte is all of a protocol that is below 256. */
	if ((*proto & 1) == 0) {
		if (!walk_take(w, 1, PACKET_BAD_LINK, &h))
			return false;
		*proto = (uint16_t)(*proto << 8 | h.data[0]);
	}
	return true;
}

/* Does PPP begin behind so many bytes? */
static bool
fits_behind(const struct walk *w, size_t len)
{
	struct walk copy = *w;
	struct span h;
	uint16_t proto;

	if (!walk_take(&copy, len, PACKET_BAD_LINK, &h) || !take_protocol(&copy, &proto))
		return false;
	return proto == PPP_BRIDGED ||
	       (proto == PPP_IPV4 && guess_ipv4(copy.rest, copy.wire_rest)) ||
	       (proto == PPP_IPV6 && guess_ipv6(copy.rest, copy.wire_rest));
}

/*
 * RFC 1990, section 3: how long the sequence number is was agreed when the link came up, so what
 * follows it decides.  Packets in several fragments are not joined.
 */
static void
multilink(struct walk *w)
{
	struct span h;
	uint8_t first;

	if (!span_peek_u8(w->rest, &first)) {
		walk_end(w, w->wire_rest > 0 ? PACKET_CUT : PACKET_BAD_LINK);
		return;
	}
	if ((first & MULTILINK_WHOLE) != MULTILINK_WHOLE) {
		walk_end(w, PACKET_FRAGMENT);
		return;
	}
	walk_guess(w);
	if (walk_take(w, fits_behind(w, MULTILINK_LONG) ? MULTILINK_LONG : MULTILINK_SHORT,
		PACKET_BAD_LINK, &h))
		w->next = LAYER_PPP;
}

/* RFC 3518, section 5.1: flags, the kind of LAN; RFC 1638, section 4.1, had the LAN's number. */
static void
bridged(struct walk *w)
{
	struct span h, lan;

	if (!walk_take(w, 2, PACKET_BAD_LINK, &h))
		return;
	if (h.data[1] != BRIDGED_ETHERNET)
		walk_end(w, PACKET_OTHER);
	else if ((h.data[0] & BRIDGED_HAS_LAN) == 0 || walk_take(w, LAN_LEN, PACKET_BAD_LINK, &lan))
		w->next = LAYER_ETHERNET;
}

/* RFC 1661 and 1662. */
void
link_ppp(struct walk *w)
{
	uint16_t proto;

	if (!take_protocol(w, &proto))
		return;
	switch (proto) {
	case PPP_IPV4:
		w->next = LAYER_IPV4;
		return;
	case PPP_IPV6:
		w->next = LAYER_IPV6;
		return;
	case PPP_MPLS:
	case PPP_MPLS_MULTICAST:
		walk_ethertype(w, ETHERTYPE_MPLS); /* RFC 3032, section 4.3 */
		return;
	case PPP_MULTILINK:
		multilink(w);
		return;
	case PPP_BRIDGED:
		bridged(w);
		return;
	case PPP_ENCRYPTED:
	case PPP_ENCRYPTED_LINK:
	case PPP_COMPRESSED:
	case PPP_COMPRESSED_LINK:
		walk_end(w, PACKET_ENCRYPTED);
		return;
	default:
		walk_end(w, PACKET_OTHER);
		return;
	}
}
