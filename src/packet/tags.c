/* Rarer tags between an Ethernet header and the EtherType that counts; see link.c for VLANs. */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

#define MACSEC_HAS_CHANNEL 0x20
#define MACSEC_ENCRYPTED 0x08
#define MACSEC_CHANGED 0x04

#define BROADCOM_LEN 4

#define DSA_LEN 4
#define DSA_TAGGED 0x20 /* it stands for a tag of IEEE 802.1Q */

#define TRILL_LEN 6

#define ARISTA_TIME_STAMP 1
#define ARISTA_TIME_64 0x0010
#define ARISTA_TIME_48 0x0020
#define ARISTA_VERSION_BITS 0x0101 /* UTC and not TAI; the kind of switch */

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

void
tag_broadcom(struct walk *w)
{
	ethertype_behind(w, BROADCOM_LEN);
}

void
tag_broadcom_in_front(struct walk *w)
{
	frame_behind(w, BROADCOM_LEN);
}

/* Linux' net/dsa/tag_dsa.c: to or from which port, then priority and VLAN as in IEEE 802.1Q. */
void
tag_dsa(struct walk *w)
{
	struct span h;

	if (!walk_take(w, DSA_LEN, PACKET_BAD_LINK, &h))
		return;
	if ((h.data[0] & DSA_TAGGED) != 0 && w->out->vlan < 0)
		w->out->vlan = vlan_id(u16_at(h, 2));
	ethertype_behind(w, 0);
}

/* The same behind an EtherType of its own, and two bytes of zero. */
void
tag_dsa_with_ethertype(struct walk *w)
{
	struct span h;

	if (walk_take(w, 4, PACKET_BAD_LINK, &h))
		tag_dsa(w);
}

/* The EtherType was taken. */
static void
tag_dsa_by_ethertype(struct walk *w)
{
	struct span h;

	if (walk_take(w, 2, PACKET_BAD_LINK, &h))
		tag_dsa(w);
}

/* RFC 6325, section 3: version, options' length in units of 4 bytes, hops; two nicknames. */
static void
trill(struct walk *w)
{
	struct span h;

	if (!walk_take(w, TRILL_LEN, PACKET_BAD_LINK, &h))
		return;
	if (h.data[0] >> 6 != 0)
		walk_end(w, PACKET_OTHER);
	else
		frame_behind(w, (u16_at(h, 0) >> 6 & 0x1fu) * 4);
}

/*
 * What an aggregation switch puts in front of a frame to say when it came: subtype, version, and a
 * time of 64 or 48 bits.  Two bits of the version do not change the length.
 */
static void
arista_time_stamp(struct walk *w)
{
	struct span h;
	unsigned version;

	if (!walk_take(w, 4, PACKET_BAD_LINK, &h))
		return;
	version = u16_at(h, 2) & ~(unsigned)ARISTA_VERSION_BITS;
	if (u16_at(h, 0) != ARISTA_TIME_STAMP ||
	    (version != ARISTA_TIME_64 && version != ARISTA_TIME_48))
		walk_end(w, PACKET_OTHER);
	else
		ethertype_behind(w, version == ARISTA_TIME_64 ? 8 : 6);
}

/*
 * IEEE 802.1AE, section 9: flags, length, packet number, channel.  What is encrypted stays so; the
 * check value stands behind the packet, as padding does.
 */
static void
macsec(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 6, PACKET_BAD_LINK, &h))
		return;
	if ((h.data[0] & (MACSEC_ENCRYPTED | MACSEC_CHANGED)) != 0)
		walk_end(w, PACKET_ENCRYPTED);
	else
		ethertype_behind(w, (h.data[0] & MACSEC_HAS_CHANNEL) != 0 ? 8 : 0);
}

bool
tag_by_ethertype(struct walk *w)
{
	switch (w->ethertype) {
	case ETHERTYPE_VN_TAG: /* direction, interfaces */
	case ETHERTYPE_HSR:    /* path and size, sequence number */
	case ETHERTYPE_R_TAG:  /* reserved, sequence number */
		ethertype_behind(w, 4);
		return true;
	case ETHERTYPE_MACSEC:
		macsec(w);
		return true;
	case ETHERTYPE_ARISTA:
		arista_time_stamp(w);
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
	case ETHERTYPE_TRILL:
		trill(w);
		return true;
	case ETHERTYPE_FINE_LABEL: /* half of it; the other half has the EtherType once more */
		ethertype_behind(w, 2);
		return true;
	case ETHERTYPE_DSA:
		tag_dsa_by_ethertype(w);
		return true;
	case ETHERTYPE_NSH:
		nsh_header(w);
		return true;
	default:
		return false;
	}
}

bool
tag_knows_ethertype(uint16_t ethertype)
{
	switch (ethertype) {
	case ETHERTYPE_VN_TAG:
	case ETHERTYPE_HSR:
	case ETHERTYPE_R_TAG:
	case ETHERTYPE_MACSEC:
	case ETHERTYPE_ARISTA:
	case ETHERTYPE_E_TAG:
	case ETHERTYPE_FABRICPATH:
	case ETHERTYPE_BACKBONE:
	case ETHERTYPE_TRILL:
	case ETHERTYPE_FINE_LABEL:
	case ETHERTYPE_DSA:
	case ETHERTYPE_NSH:
		return true;
	default:
		return false;
	}
}
