/* MPLS: the label stack says nothing about what it carries. */
#include "packet/packet_internal.h"

#include "base/banned.h"

#define LABEL_LEN 4
#define CONTROL_WORD_LEN 4

/*
 * RFC 4448, section 4.6: the control word of a pseudowire begins with a zero nibble and is
 * optional, and many an Ethernet address begins with one too; so what fits decides.
 */
static bool
has_control_word(struct span s, uint32_t wire_len)
{
	struct span after = s;

	if (!span_skip(&after, CONTROL_WORD_LEN))
		return true;
	if (guess_ethernet(s, wire_len))
		return false;
	return !guess_ethertype(s) || guess_ethertype(after);
}

static void
pseudowire(struct walk *w, uint8_t nibble)
{
	struct span word;

	walk_guess(w);
	w->next = LAYER_ETHERNET;
	if (nibble == 0 && has_control_word(w->rest, w->wire_rest))
		(void)walk_take(w, CONTROL_WORD_LEN, PACKET_BAD_LINK, &word);
}

/* RFC 3032, section 2.1: labels up to the bottom of the stack; what follows shows by its form. */
void
tunnel_mpls(struct walk *w)
{
	struct span h;
	uint8_t first;

	do {
		if (w->depth++ >= PACKET_MAX_DEPTH) {
			walk_end(w, PACKET_TOO_DEEP);
			return;
		}
		if (!walk_take(w, LABEL_LEN, PACKET_BAD_LINK, &h))
			return;
	} while ((h.data[2] & 1) == 0);
	if (!span_peek_u8(w->rest, &first)) {
		walk_end(w, w->wire_rest > 0 ? PACKET_CUT : PACKET_BAD_LINK);
		return;
	}
	if (guess_ip(w->rest, w->wire_rest))
		w->next = first >> 4 == 4 ? LAYER_IPV4 : LAYER_IPV6;
	else
		pseudowire(w, first >> 4);
}
