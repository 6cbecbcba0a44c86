/* L2TP: version 2 carries PPP, version 3 mostly Ethernet. */
#include "packet/packet_internal.h"

#include "base/banned.h"

#define L2TP_CONTROL 0x8000
#define L2TP_LENGTH 0x4000
#define L2TP_SEQUENCE 0x0800
#define L2TP_OFFSET 0x0200
#define L2TP_VERSION 0x000f

#define COOKIE_STEP 4
#define COOKIE_MAX 12 /* with its sublayer */

/* Finds out behind how many bytes a frame begins, by what is in it or by its EtherType alone. */
static bool
find_frame(const struct walk *w, bool by_content, size_t *skipped)
{
	struct span frame = w->rest;

	for (*skipped = 0; *skipped <= COOKIE_MAX; *skipped += COOKIE_STEP) {
		if (by_content ? guess_ethernet(frame, w->wire_rest - (uint32_t)*skipped)
			       : guess_ethertype(frame))
			return true;
		if (!span_skip(&frame, COOKIE_STEP))
			return false;
	}
	return false;
}

/*
 * RFC 3931, section 4.1: a cookie of 0, 4 or 8 bytes and a sublayer of 0 or 4 follow; how many was
 * agreed when the session was made, so the frame must show where it begins.
 */
static void
version_3_session(struct walk *w)
{
	struct span h;
	size_t skipped;

	if (!find_frame(w, true, &skipped) && !find_frame(w, false, &skipped))
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
	walk_guess(w);
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
