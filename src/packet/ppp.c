/* PPP, from its address byte on: which protocol follows. */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

/* IANA, Point-to-Point (PPP) Protocol Field Assignments. */
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057
#define PPP_MPLS 0x0281
#define PPP_MPLS_MULTICAST 0x0283

/* RFC 1661 and 1662: optional address and control bytes, then a protocol of one or two bytes. */
void
link_ppp(struct walk *w)
{
	struct span h;
	uint16_t proto;
	uint8_t first;

	/* No protocol begins with 0xff. */
	if (span_peek_u8(w->rest, &first) && first == 0xff && !walk_take(w, 2, PACKET_BAD_LINK, &h))
		return;
	if (!walk_take(w, 1, PACKET_BAD_LINK, &h))
		return;
	proto = h.data[0];
	/* RFC 1661, section 6.5: an odd byte is all of a protocol that is below 256. */
	if ((proto & 1) == 0) {
		if (!walk_take(w, 1, PACKET_BAD_LINK, &h))
			return;
		proto = (uint16_t)(proto << 8 | h.data[0]);
	}
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
	default:
		walk_end(w, PACKET_OTHER);
		return;
	}
}
