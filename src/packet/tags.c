/* Rarer tags between an Ethernet header and the EtherType that counts; see link.c for VLANs. */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

static void
ethertype_behind(struct walk *w, size_t len)
{
	struct span h;

	if (walk_take(w, len + 2, PACKET_BAD_LINK, &h))
		walk_ethertype(w, u16_at(h, len));
}

static void
frame_behind(struct walk *w, size_t len)
{
	struct span h;

	if (walk_take(w, len, PACKET_BAD_LINK, &h))
		w->next = LAYER_ETHERNET;
}

/* Version, length of what follows in units of 4 bytes, options (the security group tag). */
static bool
skip_metadata(struct walk *w)
{
	struct span h, options;

	return walk_take(w, 2, PACKET_BAD_LINK, &h) &&
	       walk_take(w, (size_t)h.data[1] * 4, PACKET_BAD_LINK, &options);
}

void
tag_cisco_metadata(struct walk *w)
{
	if (skip_metadata(w))
		ethertype_behind(w, 0);
}

/* In GRE the EtherType stands in front. */
void
tag_cisco_metadata_in_gre(struct walk *w)
{
	struct span h;

	if (walk_take(w, 2, PACKET_BAD_LINK, &h) && skip_metadata(w))
		walk_ethertype(w, u16_at(h, 0));
}

bool
tag_by_ethertype(struct walk *w)
{
	switch (w->ethertype) {
	case ETHERTYPE_VN_TAG: /* direction, interfaces */
		ethertype_behind(w, 4);
		return true;
	case ETHERTYPE_E_TAG: /* IEEE 802.1BR, section 7.5 */
		ethertype_behind(w, 6);
		return true;
	case ETHERTYPE_FABRICPATH: /* tree and hops, then the frame */
		frame_behind(w, 2);
		return true;
	case ETHERTYPE_BACKBONE: /* IEEE 802.1Q, section 9.7 (802.1ah): I-SID, then the frame */
		frame_behind(w, 4);
		return true;
	case ETHERTYPE_NSH:
		nsh_header(w);
		return true;
	default:
		return false;
	}
}
