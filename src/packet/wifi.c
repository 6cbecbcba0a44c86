/*
 * Wireless LAN: frames of IEEE 802.11, as they are heard in the air, and as access points send them
 * on to their controller.
 *
 * What is encrypted stays so, and is counted.  Of several packets in one frame (A-MSDU) the first
 * is read, the others are counted.
 *
 * Source: IEEE 802.11-2020, sections 9.2.3 and 9.3.2; https://www.radiotap.org; RFC 5415.
 */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

/* Frame control, first byte. */
#define WIFI_VERSION_AND_TYPE 0x0f
#define WIFI_DATA 0x08
#define WIFI_WITHOUT_DATA 0x40
#define WIFI_QOS 0x80
/* Its second byte. */
#define WIFI_TO_DS 0x01
#define WIFI_FROM_DS 0x02
#define WIFI_PROTECTED 0x40
#define WIFI_ORDER 0x80

#define WIFI_CONTROL_LEN 2
/* Behind frame control: duration, three addresses, fragment and sequence number. */
#define WIFI_ADDRESSES_LEN 22
#define WIFI_ADDRESS_1 2
#define WIFI_ADDRESS_2 8
#define WIFI_ADDRESS_3 14
#define WIFI_SEQUENCE 20
#define WIFI_ADDRESS_4 22
#define WIFI_A_MSDU 0x80 /* in the QoS field */
#define A_MSDU_HEADER_LEN 14u

#define RADIOTAP_LEN 8
#define RADIOTAP_HAS_TIME 0x01  /* of the first presence byte */
#define RADIOTAP_HAS_FLAGS 0x02 /* of the same */
#define RADIOTAP_MORE 0x80      /* of the fourth: another presence word follows */
#define RADIOTAP_PADDED 0x20
#define RADIOTAP_BAD_FCS 0x40

#define CAPWAP_LEN 8
#define CAPWAP_FRAGMENT 0x80
#define CAPWAP_KEEP_ALIVE 0x08
#define CAPWAP_WIFI 1
#define CAPWAP_DTLS 1 /* the first byte, in front of a record of DTLS */
#define DTLS_APPLICATION_DATA 0x17
#define DTLS_MAJOR_VERSION 0xfe

static bool
is_data(uint8_t first)
{
	return (first & WIFI_VERSION_AND_TYPE) == WIFI_DATA;
}

/*
 * Where the source and the destination stand depends on whether the frame comes from the
 * distribution system, goes to it, or both.
 */
static void
set_addresses(struct walk *w, uint8_t flags, const uint8_t *fields)
{
	size_t src = WIFI_ADDRESS_2;

	if ((flags & WIFI_FROM_DS) != 0)
		src = (flags & WIFI_TO_DS) != 0 ? WIFI_ADDRESS_4 : WIFI_ADDRESS_3;
	w->out->src_mac = fields + src;
	w->out->dst_mac = fields + ((flags & WIFI_TO_DS) != 0 ? WIFI_ADDRESS_3 : WIFI_ADDRESS_1);
}

/* Section 9.3.2.2: each has both addresses and a length, and begins at a multiple of four bytes. */
static void
count_unread(struct walk *w)
{
	struct span rest = w->rest, h;
	uint64_t count = 0;

	while (span_read_span(&rest, A_MSDU_HEADER_LEN, &h)) {
		size_t len = u16_at(h, 12);

		count++;
		if (!span_skip(&rest, len + (-(A_MSDU_HEADER_LEN + len) & 3)))
			break;
	}
	if (w->unread != NULL && count > 1)
		*w->unread += count - 1;
}

/* Several packets; the first is read as a frame of IEEE 802.3. */
static void
a_msdu(struct walk *w)
{
	count_unread(w);
	w->next = LAYER_ETHERNET;
}

/* `padded`: the body begins at a multiple of four bytes. */
static void
data_frame(struct walk *w, uint8_t first, uint8_t flags, bool padded)
{
	bool four = (flags & WIFI_TO_DS) != 0 && (flags & WIFI_FROM_DS) != 0;
	bool qos = (first & WIFI_QOS) != 0;
	size_t qos_at = WIFI_ADDRESSES_LEN + (four ? 6u : 0);
	size_t len = qos_at + (qos ? 2u : 0) + (qos && (flags & WIFI_ORDER) != 0 ? 4u : 0);
	struct span h, padding;

	if (!walk_take(w, len, PACKET_BAD_LINK, &h) ||
	    (padded && !walk_take(w, -(WIFI_CONTROL_LEN + len) & 3, PACKET_BAD_LINK, &padding)))
		return;
	set_addresses(w, flags, h.data);
	if ((h.data[WIFI_SEQUENCE] & 0x0f) != 0)
		walk_end(w, PACKET_OTHER); /* a later piece */
	else if (qos && (h.data[qos_at] & WIFI_A_MSDU) != 0)
		a_msdu(w);
	else
		walk_ethertype(w, ETHERTYPE_NONE);
}

static void
wifi_frame(struct walk *w, bool padded)
{
	struct span control;
	uint8_t first, flags;

	if (!walk_take(w, WIFI_CONTROL_LEN, PACKET_BAD_LINK, &control))
		return;
	first = control.data[0];
	flags = control.data[1];
	/* Some access points send the two bytes to their controller in network order. */
	if (!is_data(first) && is_data(flags)) {
		first = control.data[1];
		flags = control.data[0];
	}
	if (!is_data(first) || (first & WIFI_WITHOUT_DATA) != 0)
		walk_end(w, PACKET_OTHER);
	else if ((flags & WIFI_PROTECTED) != 0)
		walk_end(w, PACKET_ENCRYPTED);
	else
		data_frame(w, first, flags, padded);
}

void
link_wifi(struct walk *w)
{
	wifi_frame(w, false);
}

/* The field of flags, which stands behind a time of 8 bytes; 0 where it is missing. */
static uint8_t
radiotap_flags(const uint8_t *present, struct span fields)
{
	struct span word;
	const uint8_t *last = present;
	size_t begin = fields.len;
	uint8_t flags = 0;

	if ((present[0] & RADIOTAP_HAS_FLAGS) == 0)
		return 0;
	while ((last[3] & RADIOTAP_MORE) != 0 && span_read_span(&fields, 4, &word))
		last = word.data;
	if ((present[0] & RADIOTAP_HAS_TIME) != 0) {
		/* The time stands at a multiple of its length, counted from the header's start. */
		size_t at = RADIOTAP_LEN + begin - fields.len;

		if (!span_skip(&fields, (-at & 7) + 8))
			return 0;
	}
	return span_peek_u8(fields, &flags) ? flags : 0;
}

/* Version, padding, length of all, what is present; little-endian. */
void
link_radiotap(struct walk *w)
{
	struct span h, fields;
	size_t len;
	uint8_t flags;

	if (!walk_take(w, RADIOTAP_LEN, PACKET_BAD_LINK, &h))
		return;
	len = (size_t)h.data[3] << 8 | h.data[2];
	if (h.data[0] != 0 || len < RADIOTAP_LEN) {
		walk_end(w, PACKET_BAD_LINK);
		return;
	}
	if (!walk_take(w, len - RADIOTAP_LEN, PACKET_BAD_LINK, &fields))
		return;
	flags = radiotap_flags(h.data + 4, fields);
	if ((flags & RADIOTAP_BAD_FCS) != 0)
		walk_end(w, PACKET_OTHER); /* damaged in the air */
	else
		wifi_frame(w, (flags & RADIOTAP_PADDED) != 0);
}

/*
 * RFC 5415, section 4.3: type, header length in units of 4 bytes, what is inside, flags.  Of a
 * frame that was cut into fragments the first counts as a packet that the capture cut.
 */
void
tunnel_capwap(struct walk *w)
{
	struct span h, options;
	size_t len;

	if (!walk_take(w, CAPWAP_LEN, PACKET_OTHER, &h))
		return;
	len = (h.data[1] >> 3) * 4u;
	/* Section 4.2: four bytes, then DTLS. */
	if (h.data[0] == CAPWAP_DTLS && h.data[4] == DTLS_APPLICATION_DATA &&
	    h.data[5] == DTLS_MAJOR_VERSION) {
		walk_end(w, PACKET_ENCRYPTED);
		return;
	}
	if (h.data[0] != 0 || len < CAPWAP_LEN || (h.data[3] & CAPWAP_KEEP_ALIVE) != 0 ||
	    ((h.data[3] & CAPWAP_FRAGMENT) != 0 && u16_at(h, 6) >> 3 != 0)) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	if (!walk_take(w, len - CAPWAP_LEN, PACKET_OTHER, &options))
		return;
	if ((h.data[2] & 1) == 0)
		w->next = LAYER_ETHERNET;
	else if ((h.data[2] >> 1 & 0x1f) == CAPWAP_WIFI)
		link_wifi(w);
	else
		walk_end(w, PACKET_OTHER);
}
