/* IPv4 and IPv6, up to the header that follows. */
#include "packet/packet_internal.h"

#include "base/banned.h"

#define IP_PROTO_HOP_BY_HOP 0
#define IP_PROTO_IPV4 4
#define IP_PROTO_IPV6 41
#define IP_PROTO_ROUTING 43
#define IP_PROTO_FRAGMENT 44
#define IP_PROTO_GRE 47
#define IP_PROTO_ESP 50
#define IP_PROTO_AH 51
#define IP_PROTO_DESTINATION 60
#define IP_PROTO_ETHERIP 97
#define IP_PROTO_COMPRESSED 108 /* RFC 3173: IPComp */
#define IP_PROTO_L2TP 115
#define IP_PROTO_MOBILITY 135
#define IP_PROTO_MPLS 137 /* RFC 4023 */
#define IP_PROTO_HIP 139
#define IP_PROTO_SHIM6 140
#define IP_PROTO_ETHERNET 143 /* RFC 8986, section 10.1 */

#define ROUTING_LEN 8 /* up to the list */
#define ROUTING_SOURCE 0
#define ROUTING_MOBILE 2
#define ROUTING_SEGMENTS 4
#define ADDRESS_LEN 16

/* IANA, Destination Options and Hop-by-Hop Options. */
#define OPTION_PAD1 0
#define OPTION_HOME_ADDRESS 0xc9

void
ip_any(struct walk *w)
{
	uint8_t first;

	if (!span_peek_u8(w->rest, &first))
		walk_end(w, w->wire_rest > 0 ? PACKET_CUT : PACKET_BAD_IP);
	else if (first >> 4 == 4)
		w->next = LAYER_IPV4;
	else if (first >> 4 == 6)
		w->next = LAYER_IPV6;
	else
		walk_end(w, PACKET_OTHER);
}

/* RFC 791, section 3.1. */
void
ip_v4(struct walk *w)
{
	struct span h, options;
	uint16_t total_len, fragment;
	size_t header_len;

	if (!walk_take(w, 20, PACKET_BAD_IP, &h))
		return;
	header_len = (size_t)(h.data[0] & 15) * 4;
	total_len = u16_at(h, 2);
	fragment = u16_at(h, 6);
	if (h.data[0] >> 4 != 4 || header_len < 20) {
		walk_end(w, PACKET_BAD_IP);
		return;
	}
	if (!walk_take(w, header_len - 20, PACKET_BAD_IP, &options))
		return;
	/* Zero: a super-segment of a host that leaves cutting to its network card. */
	if (total_len != 0) {
		if (total_len < header_len) {
			walk_end(w, PACKET_BAD_IP);
			return;
		}
		walk_trim(w, total_len - (uint32_t)header_len);
	}
	w->out->ip_id = u16_at(h, 4);
	w->out->src = addr_from_v4(h.data + 12);
	w->out->dst = addr_from_v4(h.data + 16);
	/* More fragments, or an offset. */
	if ((fragment & 0x3fff) != 0) {
		ip_fragment(w, u16_at(h, 4), (uint16_t)(fragment << 3), (fragment & 0x2000) != 0,
		    h.data[9]);
		return;
	}
	w->next = LAYER_PROTO;
	w->ip_proto = h.data[9];
}

/* RFC 8200, section 3. */
void
ip_v6(struct walk *w)
{
	struct span h;
	uint16_t payload_len;

	if (!walk_take(w, 40, PACKET_BAD_IP, &h))
		return;
	if (h.data[0] >> 4 != 6) {
		walk_end(w, PACKET_BAD_IP);
		return;
	}
	payload_len = u16_at(h, 4);
	/* Zero: a jumbogram (RFC 2675) or a super-segment; the frame's end is the packet's. */
	if (payload_len != 0)
		walk_trim(w, payload_len);
	w->out->ip_id = 0;
	w->out->src = addr_from_v6(h.data + 8);
	w->out->dst = addr_from_v6(h.data + 24);
	w->next = LAYER_PROTO;
	w->ip_proto = h.data[6];
}

/* RFC 8200, section 4: next header, length in units of 8 bytes without the first. */
static void
extension_header(struct walk *w, unsigned unit, unsigned plus)
{
	struct span h, rest;

	if (!walk_take(w, 2, PACKET_BAD_IP, &h))
		return;
	if (walk_take(w, (size_t)h.data[1] * unit + plus - 2, PACKET_BAD_IP, &rest))
		w->ip_proto = h.data[0];
}

/* RFC 8200, section 4.5; RFC 6946: an atomic fragment is a whole packet. */
static void
fragment_header(struct walk *w)
{
	struct span h;

	if (!walk_take(w, 8, PACKET_BAD_IP, &h))
		return;
	if ((u16_at(h, 2) & 0xfff9) != 0)
		ip_fragment(
		    w, u32_at(h, 4), u16_at(h, 2) & 0xfff8, (h.data[3] & 1) != 0, h.data[0]);
	else
		w->ip_proto = h.data[0];
}

static void
tcp_follows(struct walk *w)
{
	w->next = LAYER_TCP;
}

static void
ipv4_follows(struct walk *w)
{
	w->next = LAYER_IPV4;
}

static void
ipv6_follows(struct walk *w)
{
	w->next = LAYER_IPV6;
}

static void
ethernet_follows(struct walk *w)
{
	w->next = LAYER_ETHERNET;
}

static void
option_header(struct walk *w)
{
	extension_header(w, 8, 8);
}

/*
 * RFC 8200, section 4.4: while segments are left, the packet is on its way to one of them, and goes
 * to the last one in the end.  RFC 8754, section 2, has that in front; the types of old (RFC 2460,
 * section 4.4; RFC 6275, section 6.4) have it behind the others.
 */
static void
routing_header(struct walk *w)
{
	struct span h = w->rest;
	size_t count, last = 0;

	option_header(w);
	if (w->next == LAYER_END || h.data[3] == 0 || w->out->dst.family != 6)
		return;
	count = h.data[1] / (ADDRESS_LEN / 8u);
	if (count == 0)
		return;
	if (h.data[2] == ROUTING_SOURCE || h.data[2] == ROUTING_MOBILE)
		last = count - 1;
	else if (h.data[2] != ROUTING_SEGMENTS)
		return;
	w->out->dst = addr_from_v6(h.data + ROUTING_LEN + last * ADDRESS_LEN);
}

/*
 * RFC 6275, section 6.3: what a mobile node sends is from its home address, to which routing_header
 * has its peer's packets go.
 */
static void
destination_options(struct walk *w)
{
	struct span options = w->rest, value;
	uint8_t type;

	option_header(w);
	if (w->next == LAYER_END || w->out->src.family != 6)
		return;
	options = span_from(options.data + 2, options.data[1] * 8u + 6);
	while (span_read_u8(&options, &type)) {
		if (type == OPTION_PAD1)
			continue;
		if (!span_read_vec8(&options, &value))
			return;
		if (type == OPTION_HOME_ADDRESS && value.len == ADDRESS_LEN)
			w->out->src = addr_from_v6(value.data);
	}
}

/* RFC 4302, section 2.2: units of 4 bytes, minus 2. */
static void
authentication_header(struct walk *w)
{
	extension_header(w, 4, 8);
}

static void (*const protos[256])(struct walk *w) = {
	[IP_PROTO_HOP_BY_HOP] = option_header,
	[IP_PROTO_IPV4] = ipv4_follows,
	[IP_PROTO_TCP] = tcp_follows,
	[IP_PROTO_UDP] = udp_header,
	[IP_PROTO_IPV6] = ipv6_follows,
	[IP_PROTO_ROUTING] = routing_header,
	[IP_PROTO_FRAGMENT] = fragment_header,
	[IP_PROTO_GRE] = tunnel_gre,
	[IP_PROTO_AH] = authentication_header,
	[IP_PROTO_DESTINATION] = destination_options,
	[IP_PROTO_ETHERIP] = tunnel_etherip,
	[IP_PROTO_L2TP] = l2tp_over_ip,
	[IP_PROTO_MOBILITY] = option_header,
	[IP_PROTO_MPLS] = tunnel_mpls,
	[IP_PROTO_HIP] = option_header,
	[IP_PROTO_SHIM6] = option_header,
	[IP_PROTO_ETHERNET] = ethernet_follows,
};

bool
ip_knows_proto(uint8_t proto)
{
	return protos[proto] != NULL;
}

void
ip_proto(struct walk *w)
{
	if (protos[w->ip_proto] != NULL)
		protos[w->ip_proto](w);
	else if (w->ip_proto == IP_PROTO_ESP || w->ip_proto == IP_PROTO_COMPRESSED)
		walk_end(w, PACKET_ENCRYPTED);
	else
		walk_end(w, PACKET_OTHER);
}
