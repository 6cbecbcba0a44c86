/* L2TP: version 2 carries PPP, version 3 mostly Ethernet. */
#include "packet/packet_internal.h"

#include "base/banned.h"

#define L2TP_CONTROL 0x8000
#define L2TP_LENGTH 0x4000
#define L2TP_SEQUENCE 0x0800
#define L2TP_OFFSET 0x0200
#define L2TP_VERSION 0x000f

/*
 * RFC 3931, section 4.1: a cookie of 0, 4 or 8 bytes and a sublayer of 0 or 4 follow; how many was
 * agreed when the session was made, so the frame must show where it begins.
 */
static void
version_3_session(struct walk *w)
{
	struct span h, frame = w->rest;
	uint32_t wire_len = w->wire_rest;
	size_t skipped = 0;

	while (skipped <= 12 && !guess_ethernet(frame, wire_len)) {
		if (!span_skip(&frame, 4)) {
			walk_end(w, PACKET_OTHER);
			return;
		}
		wire_len -= 4;
		skipped += 4;
	}
	if (skipped > 12)
		walk_end(w, PACKET_OTHER);
	else if (walk_take(w, skipped, PACKET_BAD_LINK, &h))
		w->next = LAYER_ETHERNET;
}

/* RFC 3931, section 4.1.1.2: the session's number; zero is for control messages. */
void
l2tp_over_ip(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 4, PACKET_OTHER, &h))
		return;
	w->guess = true;
	if (u32_at(h, 0) == 0)
		walk_end(w, PACKET_OTHER);
	else
		version_3_session(w);
}

/* RFC 2661, section 3.1: flags say which of length, sequence numbers and padding are there. */
static void
version_2(struct walk *w, uint16_t flags)
{
	struct span h;
	size_t len =
	    4 + ((flags & L2TP_LENGTH) != 0 ? 2u : 0) + ((flags & L2TP_SEQUENCE) != 0 ? 4u : 0);

	if (!walk_take(w, len, PACKET_BAD_LINK, &h))
		return;
	if ((flags & L2TP_OFFSET) != 0 && (!walk_take(w, 2, PACKET_BAD_LINK, &h) ||
					      !walk_take(w, u16_at(h, 0), PACKET_BAD_LINK, &h)))
		return;
	w->next = LAYER_PPP;
}

void
l2tp_over_udp(struct walk *w)
{
	struct span h;
	uint16_t flags;

	if (!walk_take(w, 2, PACKET_BAD_LINK, &h))
		return;
	flags = u16_at(h, 0);
	if ((flags & L2TP_CONTROL) == 0 && (flags & L2TP_VERSION) == 2) {
		version_2(w, flags);
	} else if ((flags & L2TP_CONTROL) == 0 && (flags & L2TP_VERSION) == 3) {
		/* RFC 3931, section 4.1.2.1: 2 bytes reserved, 4 of the session. */
		if (walk_take(w, 6, PACKET_BAD_LINK, &h))
			version_3_session(w);
	} else {
		walk_end(w, PACKET_OTHER);
	}
}
