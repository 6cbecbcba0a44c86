#include "packet_builder.h"

#include "base/buf.h"
#include "packet/decoder.h"

#include "base/banned.h"

#define MACS BUILD_MAC_DST BUILD_MAC_SRC
#define PAYLOAD BYTES("hello")
#define LINK_TYPES 29 /* that are read, the three of raw IP among them */
/* IEEE 802.11: duration and addresses to, and from, an access point; what its body begins with. */
#define WIFI_TO_AP "\0\0BSSID!" BUILD_MAC_SRC BUILD_MAC_DST "\x10\0"
#define WIFI_FROM_AP "\0\0" BUILD_MAC_DST "BSSID!" BUILD_MAC_SRC "\x10\0"
#define SNAP_IPV4 "\xaa\xaa\x03\0\0\0\x08\x00"
#define SNAP_IPV6 "\xaa\xaa\x03\0\0\0\x86\xdd"

/* What stands in front of an IP packet, and what it tells. */
static const struct {
	const char *name;
	uint32_t link_type;
	struct span front;
	unsigned version; /* of the IP packet behind it */
	int vlan;
	int macs; /* how many are known: 0, 1 (the source's), 2 */
} links[] = {
#define FRONT(literal)                                                                             \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
	{ "NULL, little-endian AF_INET", 0, FRONT("\x02\0\0\0"), 4, -1, 0 },
	{ "NULL, big-endian AF_INET", 0, FRONT("\0\0\0\x02"), 4, -1, 0 },
	{ "NULL, AF_INET6 of FreeBSD", 0, FRONT("\x1c\0\0\0"), 6, -1, 0 },
	{ "NULL, AF_INET6 of Darwin", 0, FRONT("\x1e\0\0\0"), 6, -1, 0 },
	{ "LOOP", 108, FRONT("\0\0\0\x02"), 4, -1, 0 },
	{ "LOOP, IPv6", 108, FRONT("\0\0\0\x18"), 6, -1, 0 },
	{ "ETHERNET", 1, FRONT(MACS "\x08\x00"), 4, -1, 2 },
	{ "ETHERNET, IPv6", 1, FRONT(MACS "\x86\xdd"), 6, -1, 2 },
	{ "802.1Q", 1, FRONT(MACS "\x81\x00\x00\x2a\x08\x00"), 4, 42, 2 },
	{ "802.1Q with pcp and dei", 1, FRONT(MACS "\x81\x00\xff\xfe\x08\x00"), 4, 0xffe, 2 },
	{ "802.1Q with pcp and no id", 1, FRONT(MACS "\x81\x00\xe0\x00\x08\x00"), 4, -1, 2 },
	{ "802.1Q with pcp and no id, IPv6", 1, FRONT(MACS "\x81\x00\xe0\x00\x86\xdd"), 6, -1, 2 },
	{ "802.1Q behind one without an id", 1,
	    FRONT(MACS "\x81\x00\xe0\x00\x81\x00\x00\x2a\x08\x00"), 4, 42, 2 },
	{ "802.1Q, IPv6", 1, FRONT(MACS "\x81\x00\x00\x2a\x86\xdd"), 6, 42, 2 },
	{ "802.1ad", 1, FRONT(MACS "\x88\xa8\x00\x07\x81\x00\x00\x2a\x08\x00"), 4, 7, 2 },
	{ "QinQ with 0x9100", 1, FRONT(MACS "\x91\x00\x00\x07\x81\x00\x00\x2a\x08\x00"), 4, 7, 2 },
	{ "QinQ with 0x9200", 1, FRONT(MACS "\x92\x00\x00\x07\x08\x00"), 4, 7, 2 },
	{ "QinQ with 0x9300", 1, FRONT(MACS "\x93\x00\x00\x07\x92\x00\x00\x2a\x86\xdd"), 6, 7, 2 },
	{ "two 802.1Q tags", 1, FRONT(MACS "\x81\x00\x00\x07\x81\x00\x00\x2a\x08\x00"), 4, 7, 2 },
	{ "SNAP", 1, FRONT(MACS "\x00\x35\xaa\xaa\x03\0\0\0\x08\x00"), 4, -1, 2 },
	{ "SNAP behind 802.1Q", 1, FRONT(MACS "\x81\x00\x00\x2a\x00\x35\xaa\xaa\x03\0\0\0\x86\xdd"),
	    6, 42, 2 },
	{ "Cisco MetaData", 1, FRONT(MACS "\x89\x09\x01\x01\x00\x01\x00\x10\x08\x00"), 4, -1, 2 },
	{ "Cisco MetaData, two options", 1,
	    FRONT(MACS "\x89\x09\x01\x02\x00\x01\x00\x10\x00\x02\x00\x20\x86\xdd"), 6, -1, 2 },
	{ "TRILL with options", 1,
	    FRONT("\2OUTER\2outer\x22\xf3\0\x7f\0\1\0\2OPTS" MACS "\x81\x00\x00\x2a\x08\x00"), 4,
	    42, 2 },
	{ "TRILL with a fine-grained label", 1,
	    FRONT("\2OUTER\2outer\x22\xf3\0\x3f\0\1\0\2" MACS
		  "\x89\x3b\x00\x01\x89\x3b\x00\x02\x86\xdd"),
	    6, -1, 2 },
	{ "Marvell's tag behind its EtherType", 1,
	    FRONT(MACS "\xda\xda\0\0\xc0\x10\x00\x01\x08\x00"), 4, -1, 2 },
	{ "DSA_TAG_BRCM", 281, FRONT(MACS "\x20\0\0\x03\x81\x00\x00\x2a\x08\x00"), 4, 42, 2 },
	{ "DSA_TAG_BRCM_PREPEND", 282, FRONT("\x20\0\0\x03" MACS "\x86\xdd"), 6, -1, 2 },
	{ "DSA_TAG_DSA", 284, FRONT(MACS "\xc0\x10\x00\x01\x08\x00"), 4, -1, 2 },
	{ "DSA_TAG_DSA in the place of a VLAN tag", 284, FRONT(MACS "\xe0\x10\x60\x2a\x86\xdd"), 6,
	    42, 2 },
	{ "DSA_TAG_EDSA", 285, FRONT(MACS "\x91\0\0\0\xe0\x10\x00\x07\x81\x00\x00\x2a\x08\x00"), 4,
	    7, 2 },
	{ "PPP", 9, FRONT("\x00\x21"), 4, -1, 0 },
	{ "PPP, bridged", 9, FRONT("\xff\x03\x00\x31\x00\x01" MACS "\x08\x00"), 4, -1, 2 },
	{ "PPP, bridged, the LAN's number", 9,
	    FRONT("\x31\xc0\x01LAN!" MACS "\x81\x00\x00\x2a\x86\xdd"), 6, 42, 2 },
	{ "PPP, IPv6", 9, FRONT("\x00\x57"), 6, -1, 0 },
	{ "PPP, compressed protocol", 9, FRONT("\x21"), 4, -1, 0 },
	{ "PPP, compressed protocol, IPv6", 9, FRONT("\x57"), 6, -1, 0 },
	{ "PPP with address and control", 9, FRONT("\xff\x03\x00\x21"), 4, -1, 0 },
	{ "PPP_HDLC", 50, FRONT("\xff\x03\x00\x57"), 6, -1, 0 },
	{ "PPP_HDLC in Cisco's framing", 50, FRONT("\x0f\x00\x08\x00"), 4, -1, 0 },
	{ "PPP_HDLC in Cisco's framing, broadcast", 50, FRONT("\x8f\x00\x86\xdd"), 6, -1, 0 },
	{ "PPP_ETHER", 51, FRONT("\x11\x00\x12\x34\x00\x2f\x00\x21"), 4, -1, 0 },
	{ "C_HDLC", 104, FRONT("\x0f\x00\x08\x00"), 4, -1, 0 },
	{ "C_HDLC, IPv6", 104, FRONT("\x8f\x00\x86\xdd"), 6, -1, 0 },
	{ "ENC", 109, FRONT("\x02\0\0\0\0\0\x30\x39\x01\0\0\0"), 4, -1, 0 },
	{ "ENC, IPv6", 109, FRONT("\x1c\0\0\0\0\0\x30\x39\x01\0\0\0"), 6, -1, 0 },
	{ "PFLOG", 117, FRONT("\x08\x02\0\0em0\0"), 4, -1, 0 },
	{ "PFLOG with padding", 117, FRONT("\x0d\x1c\0\0em0\0RULE!\0\0\0"), 6, -1, 0 },
	{ "RAW", 101, FRONT(""), 4, -1, 0 },
	{ "RAW, IPv6", 101, FRONT(""), 6, -1, 0 },
	{ "IPV4", 228, FRONT(""), 4, -1, 0 },
	{ "IPV6", 229, FRONT(""), 6, -1, 0 },
	{ "LINUX_SLL", 113, FRONT("\0\0\0\x01\0\x06" BUILD_MAC_SRC "\0\0\x08\x00"), 4, -1, 1 },
	{ "LINUX_SLL without an address", 113, FRONT("\0\0\xff\xfe\0\0\0\0\0\0\0\0\0\0\x86\xdd"), 6,
	    -1, 0 },
	{ "LINUX_SLL, 802.1Q", 113,
	    FRONT("\0\0\0\x01\0\x06" BUILD_MAC_SRC "\0\0\x81\x00\x00\x2a\x08\x00"), 4, 42, 1 },
	{ "LINUX_SLL2", 276, FRONT("\x08\x00\0\0\0\0\0\x02\0\x01\x04\x06" BUILD_MAC_SRC "\0\0"), 4,
	    -1, 1 },
	{ "LINUX_SLL2, IPv6, no address", 276,
	    FRONT("\x86\xdd\0\0\0\0\0\x02\xff\xfe\x04\x00\0\0\0\0\0\0\0\0"), 6, -1, 0 },
	{ "IEEE802_11 to the access point", 105, FRONT("\x08\x01" WIFI_TO_AP SNAP_IPV4), 4, -1, 2 },
	{ "IEEE802_11 from it, with QoS", 105, FRONT("\x88\x02" WIFI_FROM_AP "\x05\0" SNAP_IPV6), 6,
	    -1, 2 },
	{ "IEEE802_11 with QoS and HT control", 105,
	    FRONT("\x88\x81" WIFI_TO_AP "\0\0HTCT" SNAP_IPV4), 4, -1, 2 },
	{ "IEEE802_11 without an access point", 105,
	    FRONT("\x08\0\0\0" BUILD_MAC_DST BUILD_MAC_SRC "BSSID!\x10\0" SNAP_IPV4), 4, -1, 2 },
	{ "IEEE802_11 between access points", 105,
	    FRONT("\x08\x03\0\0RECEIVSENDER" BUILD_MAC_DST "\x10\0" BUILD_MAC_SRC SNAP_IPV4), 4, -1,
	    2 },
	{ "IEEE802_11, several packets in a frame", 105,
	    FRONT("\x88\x01" WIFI_TO_AP "\x80\0" MACS "\x00\x35" SNAP_IPV4), 4, -1, 2 },
	{ "IEEE802_11_RADIOTAP", 127, FRONT("\0\0\x08\0\0\0\0\0\x08\x01" WIFI_TO_AP SNAP_IPV4), 4,
	    -1, 2 },
	{ "IEEE802_11_RADIOTAP with flags", 127,
	    FRONT("\0\0\x0a\0\x06\0\0\0\x10\x02\x88\x01" WIFI_TO_AP "\0\0" SNAP_IPV4), 4, -1, 2 },
	{ "IEEE802_11_RADIOTAP with padding behind the header", 127,
	    FRONT("\0\0\x11\0\x03\0\0\0TIMETIME\x20\x88\x01" WIFI_TO_AP "\0\0PA" SNAP_IPV4), 4, -1,
	    2 },
	{ "IEEE802_11_RADIOTAP with two words of what is present", 127,
	    FRONT("\0\0\x19\0\x03\0\0\x80\0\0\0\0ALIGTIMETIME\x20\x88\x01" WIFI_TO_AP
		  "\0\0PA" SNAP_IPV4),
	    4, -1, 2 },
	{ "PPI around Ethernet", 192,
	    FRONT("\0\0\x0c\0\x01\0\0\0"
		  "GPS!" MACS "\x08\x00"),
	    4, -1, 2 },
	{ "PPI around IEEE802_11", 192,
	    FRONT("\0\0\x08\0\x69\0\0\0\x08\x02" WIFI_FROM_AP SNAP_IPV6), 6, -1, 2 },
	{ "PKTAP around Ethernet", 258,
	    FRONT("\x10\0\0\0\x01\0\0\0\x01\0\0\0"
		  "NAME" MACS "\x08\x00"),
	    4, -1, 2 },
	{ "PKTAP around a tunnel of raw IP", 258, FRONT("\x0c\0\0\0\x01\0\0\0\x0c\0\0\0"), 6, -1,
	    0 },
#undef FRONT
};

static void
build_link(struct built *b, int row, struct span payload)
{
	build_mail(b, links[row].version, payload);
	build_push(b, links[row].front);
}

static size_t
headers_len(int row)
{
	return links[row].front.len + (links[row].version == 4 ? 20 : 40) + 20;
}

START_TEST(a_link_layer_is_taken_off)
{
	struct built b;
	struct packet p;

	build_link(&b, _i, PAYLOAD);
	ck_assert_msg(
	    decode_built(links[_i].link_type, &b, &p) == PACKET_TCP, "%s", links[_i].name);
	assert_mail(&p, links[_i].version, PAYLOAD);
	ck_assert_int_eq(p.vlan, links[_i].vlan);
	ck_assert_int_eq((p.src_mac != NULL) + (p.dst_mac != NULL), links[_i].macs);
	if (links[_i].macs > 0)
		ck_assert_mem_eq(p.src_mac, BUILD_MAC_SRC, 6);
	if (links[_i].macs > 1)
		ck_assert_mem_eq(p.dst_mac, BUILD_MAC_DST, 6);
}
END_TEST

START_TEST(headers_that_the_capture_cut_are_cut)
{
	struct built b;
	struct span all;
	struct packet p;

	build_link(&b, _i, PAYLOAD);
	all = build_bytes(&b);
	for (size_t len = 0; len < headers_len(_i); len++) {
		enum packet_kind kind =
		    decode_cut(links[_i].link_type, span_first(all, len), all.len, &p);

		ck_assert_msg(kind == PACKET_CUT, "%s at %zu: %s", links[_i].name, len,
		    packet_kind_name(kind));
	}
}
END_TEST

START_TEST(a_payload_that_the_capture_cut_keeps_its_length)
{
	struct built b;
	struct span all;
	struct packet p;

	build_link(&b, _i, PAYLOAD);
	all = build_bytes(&b);
	for (size_t len = headers_len(_i); len <= all.len; len++) {
		ck_assert_int_eq(
		    decode_cut(links[_i].link_type, span_first(all, len), all.len, &p), PACKET_TCP);
		ck_assert_uint_eq(p.payload_len, PAYLOAD.len);
		ck_assert(span_equals(p.payload, span_first(PAYLOAD, len - headers_len(_i))));
	}
}
END_TEST

START_TEST(a_link_header_that_the_wire_itself_had_not_whole_is_bad)
{
	struct built b;
	struct packet p;

	build_link(&b, _i, PAYLOAD);
	for (size_t len = 0; len < links[_i].front.len; len++) {
		enum packet_kind kind =
		    decode(links[_i].link_type, span_first(build_bytes(&b), len), &p);

		ck_assert_msg(kind == PACKET_BAD_LINK, "%s at %zu: %s", links[_i].name, len,
		    packet_kind_name(kind));
	}
	ck_assert_int_eq(
	    decode(links[_i].link_type, span_first(build_bytes(&b), links[_i].front.len), &p),
	    PACKET_BAD_IP);
}
END_TEST

START_TEST(what_follows_the_ip_packet_is_no_payload)
{
	/* Padding to the shortest frame, and a frame check sequence. */
	static const char trailer[] = "\0\0\0\0\0\0\0\0\0\0\xde\xad\xbe\xef";
	struct built packet, b;
	struct packet p;

	for (size_t payload_len = 0; payload_len <= PAYLOAD.len; payload_len++) {
		struct span payload = span_first(PAYLOAD, payload_len);

		build_link(&packet, _i, payload);
		for (size_t len = 0; len < sizeof(trailer); len++) {
			build_start(&b, span_from(trailer, len));
			build_push(&b, build_bytes(&packet));
			ck_assert_int_eq(decode_built(links[_i].link_type, &b, &p), PACKET_TCP);
			assert_mail(&p, links[_i].version, payload);
		}
	}
}
END_TEST

START_TEST(a_frame_holds_at_least_what_was_captured)
{
	struct built b;
	struct packet p;

	build_link(&b, _i, PAYLOAD);
	ck_assert_int_eq(decode_cut(links[_i].link_type, build_bytes(&b), 0, &p), PACKET_TCP);
	assert_mail(&p, links[_i].version, PAYLOAD);
}
END_TEST

/* Frames that are none of ours and well-formed. */
static const struct {
	const char *name;
	uint32_t link_type;
	struct span bytes;
} others[] = {
#define FRAME(literal)                                                                             \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
	{ "ARP", 1, FRAME(MACS "\x08\x06\0\x01\x08\0\x06\x04\0\x01") },
	{ "LLDP", 1, FRAME(MACS "\x88\xcc\x02\x07\x04") },
	{ "spanning tree", 1, FRAME(MACS "\x00\x26\x42\x42\x03\0\0\0\0\0") },
	{ "802.3 of length 0", 1, FRAME(MACS "\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff") },
	{ "802.3 with one byte of SNAP", 1, FRAME(MACS "\x00\x10\xaa\xab\x03\0\0\0\x08\x00") },
	{ "length field of 1535", 1, FRAME(MACS "\x05\xff\x42\x42\x03") },
	{ "PPPoE discovery", 1, FRAME(MACS "\x88\x63\x11\x09\0\0\0\0") },
	{ "PPPoE of another version", 1, FRAME(MACS "\x88\x64\x21\0\0\0\0\x02\0\x21") },
	{ "PPPoE session with a code", 1, FRAME(MACS "\x88\x64\x11\xa7\0\0\0\x02\0\x21") },
	{ "LCP", 9, FRAME("\xff\x03\xc0\x21\x01") },
	{ "CCP, protocol of two bytes", 9, FRAME("\x80\xfd\x01") },
	{ "compressed protocol that is not IP", 9, FRAME("\x2b\x01") },
	{ "bridged frame of a LAN that is no Ethernet", 9, FRAME("\0\x31\0\x03\0\0\0\0\0\0") },
	{ "TRILL of another version", 1, FRAME(MACS "\x22\xf3\x40\x3f\0\1\0\2" MACS "\x08\0\x45") },
	{ "CDP in Cisco's framing", 104, FRAME("\x0f\0\x20\0\x01") },
	{ "keep-alive in Cisco's framing", 104, FRAME("\x8f\0\x80\x35\0\0\0\x02") },
	{ "AppleTalk on a BSD loopback", 0, FRAME("\x10\0\0\0\x01\x02\x03") },
	{ "a beacon", 105, FRAME("\x80\0\0\0\xff\xff\xff\xff\xff\xff") },
	{ "an acknowledgment in the air", 105, FRAME("\xd4\0\0\0" BUILD_MAC_SRC) },
	{ "a frame that says it sleeps", 105, FRAME("\x48\x11" WIFI_TO_AP) },
	{ "a later piece of a frame", 105,
	    FRAME("\x08\x01\0\0BSSID!" BUILD_MAC_SRC BUILD_MAC_DST "\x11\0" SNAP_IPV4) },
	{ "a frame that the air damaged", 127,
	    FRAME("\0\0\x09\0\x02\0\0\0\x40\x08\x01" WIFI_TO_AP SNAP_IPV4) },
	{ "PPI in PPI", 192, FRAME("\0\0\x08\0\xc0\0\0\0\0\0\x08\0\x01\0\0\0") },
	{ "SLL with an 802.2 frame", 113,
	    FRAME("\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x04\x42\x42\x03") },
#undef FRAME
};

START_TEST(what_is_not_ip_is_other)
{
	struct packet p;

	ck_assert_msg(decode(others[_i].link_type, others[_i].bytes, &p) == PACKET_OTHER, "%s",
	    others[_i].name);
}
END_TEST

START_TEST(what_is_encrypted_on_its_link_is_told_apart)
{
	struct packet p;

	ck_assert_int_eq(
	    decode(105, BYTES("\x88\x41" WIFI_TO_AP "\0\0\x12\x34"), &p), PACKET_ENCRYPTED);
	/* A frame without data has nothing to hide. */
	ck_assert_int_eq(decode(105, BYTES("\x48\x51" WIFI_TO_AP), &p), PACKET_OTHER);
}
END_TEST

START_TEST(packets_behind_the_first_of_a_frame_are_counted)
{
	static const struct {
		struct span frames; /* each with both addresses and its length */
		uint64_t unread;
	} rows[] = {
#define FRAMES(bytes) { (const uint8_t *)(bytes), sizeof(bytes) - 1 }
		{ FRAMES(MACS "\0\x09" SNAP_IPV4 "x"), 0 },
		{ FRAMES(MACS "\0\x09" SNAP_IPV4 "xp" MACS "\0\x08" SNAP_IPV4), 1 },
		{ FRAMES(MACS "\0\x09" SNAP_IPV4 "xp" MACS "\0\x0a" SNAP_IPV4 "xx" MACS
			      "\0\x08" SNAP_IPV4 "FCS."),
		    2 },
		{ FRAMES(MACS "\xff\xff" SNAP_IPV4 "xp" MACS "\0\x08" SNAP_IPV4), 0 },
		{ FRAMES("short"), 0 },
#undef FRAMES
	};
	uint64_t unread = 0;
	struct packet_decoder *decoder = packet_decoder_new(NULL, NULL);
	struct packet p;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf air = { 0 };
		struct frame frame = { .link_type = 105 };

		buf_add(&air, "\x88\x01" WIFI_TO_AP "\x80\0", 26);
		buf_add(&air, rows[i].frames.data, rows[i].frames.len);
		frame.bytes = span_from(air.data, air.len);
		frame.wire_len = (uint32_t)air.len;
		(void)packet_decoder_decode(decoder, &frame, &p);
		unread += rows[i].unread;
		ck_assert_msg(packet_decoder_unread(decoder) == unread, "row %zu", i);
		buf_release(&air);
	}
	packet_decoder_free(decoder);
}
END_TEST

START_TEST(a_link_type_inside_that_is_unknown_is_told_like_the_frames)
{
	struct packet p;

	ck_assert_int_eq(
	    decode(258, BYTES("\x0c\0\0\0\x01\0\0\0\x93\0\0\0\x45"), &p), PACKET_UNKNOWN_LINK);
	ck_assert_uint_eq(p.unknown_link, 147);
	ck_assert_int_eq(decode(192, BYTES("\0\0\x08\0\x94\0\0\0\x45"), &p), PACKET_UNKNOWN_LINK);
	ck_assert_uint_eq(p.unknown_link, 148);
	ck_assert_int_eq(decode(149, BYTES("\x45"), &p), PACKET_UNKNOWN_LINK);
	ck_assert_uint_eq(p.unknown_link, 149);
}
END_TEST

START_TEST(so_many_link_types_are_read)
{
	struct built b;
	struct packet p;
	unsigned known = 0;

	build_mail(&b, 4, PAYLOAD);
	for (uint32_t link_type = 0; link_type < 70000; link_type++)
		known += decode_built(link_type, &b, &p) != PACKET_UNKNOWN_LINK;
	ck_assert_uint_eq(known, LINK_TYPES);
	ck_assert_int_eq(decode_built(UINT32_MAX, &b, &p), PACKET_UNKNOWN_LINK);
}
END_TEST

START_TEST(as_many_tags_as_the_depth_allows_and_not_one_more)
{
	struct built b;
	struct packet p;
	enum packet_kind kind = PACKET_TCP;
	unsigned tags = 0;

	build_mail(&b, 4, PAYLOAD);
	build_push(&b, BYTES("\x08\x00"));
	for (; kind == PACKET_TCP; tags++) {
		struct built whole = b;

		ck_assert_uint_le(tags, PACKET_MAX_DEPTH);
		build_push(&whole, BYTES(MACS));
		kind = decode_built(BUILD_LINK_ETHERNET, &whole, &p);
		/* One more: vid 0x0f0, and what was the frame's type behind it. */
		build_push(&b, BYTES("\x81\x00\x00\xf0"));
	}
	ck_assert_int_eq(kind, PACKET_TOO_DEEP);
	ck_assert_uint_ge(tags, 8);
	/* And any number beyond. */
	while (build_bytes(&b).len < 4000)
		build_push(&b, BYTES("\x81\x00\x00\xf0"));
	build_push(&b, BYTES(MACS));
	ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_TOO_DEEP);
}
END_TEST

START_TEST(a_kind_has_a_name_of_its_own)
{
	for (int a = 0; a < PACKET_KIND_COUNT; a++) {
		ck_assert_ptr_nonnull(packet_kind_name((enum packet_kind)a));
		for (int b = 0; b < a; b++)
			ck_assert_str_ne(packet_kind_name((enum packet_kind)a),
			    packet_kind_name((enum packet_kind)b));
	}
}
END_TEST

/* What Linux gives of two tags: see link.c. */
START_TEST(of_two_tags_the_inner_one_may_be_left_over)
{
	struct built b;
	struct packet p;

	build_mail(&b, 6, BYTES("hello"));
	build_push(&b, BYTES("\x00\x19\x86\xdd"));
	build_push(&b, BYTES("\x86\xdd\0\0\0\0\0\x02\0\x01\x04\x06" BUILD_MAC_SRC "\0\0"));
	ck_assert_int_eq(decode_built(276, &b, &p), PACKET_TCP);
	ck_assert_int_eq(p.vlan, 25);
	build_mail(&b, 4, BYTES("hello"));
	build_push(&b, BYTES("\x00\x19\x08\x00"));
	build_push(&b, BYTES("\0\0\0\x01\0\x06" BUILD_MAC_SRC "\0\0\x88\xa8\x00\x64\x08\x00"));
	ck_assert_int_eq(decode_built(113, &b, &p), PACKET_TCP);
	ck_assert_int_eq(p.vlan, 100);
	/* Ethernet leaves none over. */
	build_mail(&b, 4, BYTES("hello"));
	build_push(&b, BYTES("\x00\x19\x08\x00"));
	build_ethernet(&b, 0x0800);
	ck_assert_int_eq(decode_built(BUILD_LINK_ETHERNET, &b, &p), PACKET_BAD_IP);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, of_two_tags_the_inner_one_may_be_left_over);
	tcase_add_loop_test(tc, a_link_layer_is_taken_off, 0, ROWS(links));
	tcase_add_loop_test(tc, headers_that_the_capture_cut_are_cut, 0, ROWS(links));
	tcase_add_loop_test(tc, a_payload_that_the_capture_cut_keeps_its_length, 0, ROWS(links));
	tcase_add_loop_test(
	    tc, a_link_header_that_the_wire_itself_had_not_whole_is_bad, 0, ROWS(links));
	tcase_add_loop_test(tc, what_follows_the_ip_packet_is_no_payload, 0, ROWS(links));
	tcase_add_loop_test(tc, a_frame_holds_at_least_what_was_captured, 0, ROWS(links));
	tcase_add_loop_test(tc, what_is_not_ip_is_other, 0, ROWS(others));
	tcase_add_test(tc, what_is_encrypted_on_its_link_is_told_apart);
	tcase_add_test(tc, packets_behind_the_first_of_a_frame_are_counted);
	tcase_add_test(tc, a_link_type_inside_that_is_unknown_is_told_like_the_frames);
	tcase_add_test(tc, so_many_link_types_are_read);
	tcase_add_test(tc, as_many_tags_as_the_depth_allows_and_not_one_more);
	tcase_add_test(tc, a_kind_has_a_name_of_its_own);
}

SUITE_MAIN("packet_link")
