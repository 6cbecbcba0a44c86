/*
 * NFLOG: what a Linux firewall rule logged, as attributes of a netlink message.
 *
 * Source: LINKTYPE_NFLOG of tcpdump.org.
 */
#include "packet/packet_internal.h"

#include "base/banned.h"

#define NFLOG_HEADER_LEN 4    /* family, version, resource */
#define NFLOG_ATTRIBUTE_LEN 4 /* length, type */
#define NFLOG_HWADDR 8
#define NFLOG_PAYLOAD 9
#define NFLOG_TYPE_MASK 0x7fff /* the highest bit marks nested attributes */

struct attribute {
	uint16_t len; /* with its own header, without padding */
	uint16_t type;
};

/* In the byte order of the machine that captured, which the frame does not tell. */
static struct attribute
attribute_at(struct span s, bool little)
{
	struct attribute a = { .len = u16_at(s, 0), .type = u16_at(s, 2) };

	if (little) {
		a.len = (uint16_t)(a.len << 8 | a.len >> 8);
		a.type = (uint16_t)(a.type << 8 | a.type >> 8);
	}
	a.type &= NFLOG_TYPE_MASK;
	return a;
}

/*
 * Finds the payload; `hwaddr` is empty where there is none.  False where the attributes do not fit
 * into each other: cut, damaged, or the other byte order.
 */
static bool
find_payload(struct walk *w, bool little, struct span *hwaddr)
{
	struct walk copy = *w;
	struct span h;

	*hwaddr = span_from(NULL, 0);
	while (copy.rest.len >= NFLOG_ATTRIBUTE_LEN) {
		struct attribute a = attribute_at(copy.rest, little);

		if (a.len < NFLOG_ATTRIBUTE_LEN || a.len > copy.wire_rest)
			return false;
		if (a.type == NFLOG_PAYLOAD) {
			walk_trim(&copy, a.len);
			if (!walk_take(&copy, NFLOG_ATTRIBUTE_LEN, PACKET_BAD_LINK, &h))
				return false;
			*w = copy;
			return true;
		}
		if (!walk_take(&copy, (a.len + 3u) & ~3u, PACKET_BAD_LINK, &h))
			return false;
		if (a.type == NFLOG_HWADDR)
			*hwaddr = h;
	}
	return false;
}

void
link_nflog(struct walk *w)
{
	struct span h, hwaddr;

	if (!walk_take(w, NFLOG_HEADER_LEN, PACKET_BAD_LINK, &h))
		return;
	if (!find_payload(w, true, &hwaddr) && !find_payload(w, false, &hwaddr)) {
		walk_end(w, w->rest.len < w->wire_rest ? PACKET_CUT : PACKET_BAD_LINK);
		return;
	}
	/* Attribute header, 2 bytes of length, 2 of padding, 8 of address. */
	if (hwaddr.len >= 16 && u16_at(hwaddr, 4) == 6)
		w->out->src_mac = hwaddr.data + 8;
	w->next = LAYER_IP;
}
