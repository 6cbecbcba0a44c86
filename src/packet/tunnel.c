/* Tunnels: what carries a whole frame or IP packet inside. */
#include "packet/packet_internal.h"

#include "base/banned.h"

/* RFC 2516, section 4: version and type, code, session, length; then PPP without HDLC framing. */
void
tunnel_pppoe(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 6, PACKET_BAD_LINK, &h))
		return;
	if (h.data[0] != 0x11 || h.data[1] != 0)
		walk_end(w, PACKET_OTHER);
	else
		w->next = LAYER_PPP;
	/* Padding of a short frame is no part of the packet. */
	walk_trim_to(w, u16_at(h, 4));
}

/*
 * RFC 3378, section 3: version 3 and twelve zero bits in front of the frame.  Routers of MikroTik
 * (EoIPv6) have the tunnel's number in those bits, and the first byte's halves swapped.
 */
void
tunnel_etherip(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 2, PACKET_BAD_LINK, &h))
		return;
	if (u16_at(h, 0) != 0x3000 && (h.data[0] & 0x0f) != 3)
		walk_end(w, PACKET_OTHER);
	else
		w->next = LAYER_ETHERNET;
}
