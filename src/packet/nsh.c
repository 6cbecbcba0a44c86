/* The network service header, and the short numbers that it and VXLAN-GPE give to protocols. */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

#define NSH_BASE_LEN 4

void
nsh_next_protocol(struct walk *w, uint8_t next)
{
	switch (next) {
	case 1:
		w->next = LAYER_IPV4;
		return;
	case 2:
		w->next = LAYER_IPV6;
		return;
	case 3:
		w->next = LAYER_ETHERNET;
		return;
	case 4:
		walk_ethertype(w, ETHERTYPE_NSH);
		return;
	case 5:
		walk_ethertype(w, ETHERTYPE_MPLS);
		return;
	default:
		walk_end(w, PACKET_OTHER);
		return;
	}
}

/* RFC 8300, section 2.2: length in units of 4 bytes, the base header included. */
void
nsh_header(struct walk *w)
{
	struct span h, rest;
	size_t len;

	if (!walk_take(w, NSH_BASE_LEN, PACKET_BAD_LINK, &h))
		return;
	len = (h.data[1] & 0x3fu) * 4;
	if (h.data[0] >> 6 != 0 || len < NSH_BASE_LEN + 4) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	if (walk_take(w, len - NSH_BASE_LEN, PACKET_BAD_LINK, &rest))
		nsh_next_protocol(w, h.data[3]);
}
