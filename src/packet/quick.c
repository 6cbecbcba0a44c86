/*
 * The headers that nearly every frame of a mirror has - Ethernet, at most one VLAN tag, IPv4
 * without options or IPv6 without extension headers, TCP, all of them captured - in a few loads.
 * Whatever is not just so is left to the walk, which knows all of it; where both know a frame, they
 * agree.
 */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

#define ETHERNET_LEN 14
#define VLAN_LEN 4
#define IPV4_LEN 20
#define IPV6_LEN 40
#define TCP_LEN 20
#define UDP_LEN 8

/* Where the layers of a frame are. */
struct layout {
	size_t ip, inner;   /* offsets: the IP header, and what it carries */
	uint32_t wire_rest; /* bytes from `inner` on, by the IP header's length */
};

/* Version 4, a header of 20 bytes, no fragment, `proto` in it; RFC 791, section 3.1. */
static inline bool
find_ipv4(struct span s, size_t ip, uint8_t proto, size_t header_len, struct layout *at)
{
	uint16_t total_len;

	/* One load: the fragment field, the time to live, which is masked out, and the protocol. */
	if (s.len < ip + IPV4_LEN + header_len || (u32_at(s, ip + 6) & 0x3fff00ff) != proto)
		return false;
	total_len = u16_at(s, ip + 2);
	*at = (struct layout){ ip, ip + IPV4_LEN, (uint32_t)total_len - IPV4_LEN };
	return total_len >= IPV4_LEN + header_len;
}

/* RFC 8200, section 3. */
static inline bool
find_ipv6(struct span s, size_t ip, uint8_t proto, size_t header_len, struct layout *at)
{
	if (s.len < ip + IPV6_LEN + header_len || s.data[ip + 6] != proto)
		return false;
	*at = (struct layout){ ip, ip + IPV6_LEN, u16_at(s, ip + 4) };
	return at->wire_rest >= header_len;
}

/* For a whole header of `proto`; `header_len`: the shortest that it can be. */
static inline bool
find_layers(const struct frame *frame, uint8_t proto, size_t header_len, struct layout *at)
{
	struct span s = frame->bytes;
	uint32_t first; /* the EtherType and the IP header's first bytes */
	size_t ip = ETHERNET_LEN;

	if (frame->link_type != LINKTYPE_ETHERNET || s.len < ETHERNET_LEN + VLAN_LEN + IPV4_LEN)
		return false;
	if (u16_at(s, ETHERNET_LEN - 2) == ETHERTYPE_VLAN)
		ip += VLAN_LEN;
	first = u32_at(s, ip - 2);
	if ((first & 0xffffff00) == ((uint32_t)ETHERTYPE_IPV4 << 16 | 0x4500))
		return find_ipv4(s, ip, proto, header_len, at);
	return (first & 0xfffff000) == ((uint32_t)ETHERTYPE_IPV6 << 16 | 0x6000) &&
	       find_ipv6(s, ip, proto, header_len, at);
}

static inline void
take_addresses(struct span s, size_t ip, bool is_v6, struct packet *out)
{
	if (is_v6) {
		out->ip_id = 0;
		addr_set_v6(&out->src, s.data + ip + 8);
		addr_set_v6(&out->dst, s.data + ip + 24);
	} else {
		out->ip_id = u16_at(s, ip + 4);
		addr_set_v4(&out->src, s.data + ip + 12);
		addr_set_v4(&out->dst, s.data + ip + 16);
	}
}

static inline void
take_frame(const struct frame *frame, size_t ip, size_t inner, struct packet *out)
{
	struct span s = frame->bytes;

	take_addresses(s, ip, inner - ip == IPV6_LEN, out);
	out->dst_mac = s.data;
	out->src_mac = s.data + 6;
	out->vlan = ip == ETHERNET_LEN ? -1 : vlan_id(u16_at(s, ETHERNET_LEN));
	out->time_us = frame->time_us;
	out->source = frame->source;
}

/* The longest options have 40 bytes, which are compared in pieces of a register's size. */
typedef uint8_t piece __attribute__((vector_size(16)));
#define PIECES_LEN ((size_t)48)
/* Of PIECES_LEN bytes that end with options of length n, those from n on here tell the options. */
#define NO8 "\0\0\0\0\0\0\0\0"
#define YES8 "\xff\xff\xff\xff\xff\xff\xff\xff"
static const char is_option[] = NO8 NO8 NO8 NO8 NO8 NO8 YES8 YES8 YES8 YES8 YES8;

/* True, for its only caller: a call that comes last. */
static __attribute__((noinline)) bool
note_joins(struct packet *out, size_t len)
{
	out->joins = tcp_join_is_among(span_from(out->payload.data - len, len));
	return true;
}

/* True, likewise. */
static __attribute__((noinline)) bool
note_data_fin(struct packet *out, size_t len)
{
	if (tcp_data_fin_is_among(span_from(out->payload.data - len, len), out->payload_len))
		out->flags |= TCP_FIN;
	return true;
}

/*
 * Is there a byte that could be the option's kind among a SYN's options, `len` bytes that end at
 * `end`?  In front of them are other headers, which are longer than PIECES_LEN.
 */
static inline bool
may_join(const uint8_t *end, size_t len)
{
	piece at, mask, found = { 0 };
	uint64_t half[2];

#pragma GCC unroll 3
	for (size_t i = 0; i < PIECES_LEN; i += sizeof(at)) {
		memcpy(&at, end - PIECES_LEN + i, sizeof(at));
		memcpy(&mask, is_option + len + i, sizeof(at));
		found |= (piece)(at == TCP_OPTION_MPTCP) & mask;
	}
	memcpy(half, &found, sizeof(half));
	return (half[0] | half[1]) != 0;
}

/*
 * All of a packet but its ports; RFC 9293, section 3.1.  False where its length makes no sense.  A
 * call of its own for packets of interest: what is asked of each frame then keeps the processor's
 * registers.
 */
static __attribute__((noinline)) bool
take_packet(
    const struct frame *frame, size_t ip, size_t inner, uint32_t wire_rest, struct packet *out)
{
	struct span s = frame->bytes;
	size_t header_len = (size_t)(s.data[inner + 12] >> 4) * 4;
	size_t captured = s.len - inner;

	/* What follows the IP packet is padding. */
	if (captured > wire_rest)
		captured = wire_rest;
	/* The wire has at least as many bytes, so it has room for the header too. */
	if (header_len < TCP_LEN || captured < header_len)
		return false;
	take_frame(frame, ip, inner, out);
	out->seq = u32_at(s, inner + 4);
	out->ack = u32_at(s, inner + 8);
	out->flags = s.data[inner + 13];
	out->joins = false;
	out->payload_len = wire_rest - (uint32_t)header_len;
	out->payload = span_from(s.data + inner + header_len, captured - header_len);
	if ((out->flags & TCP_SYN) != 0 && may_join(out->payload.data, header_len - TCP_LEN))
		return note_joins(out, header_len - TCP_LEN);
	if (tcp_may_end_data(out->flags, header_len - TCP_LEN))
		return note_data_fin(out, header_len - TCP_LEN);
	return true;
}

/* One branch for both ports: nobody can predict which of them is the service's. */
static inline bool
is_of_interest(const struct service_set *services, uint32_t ports)
{
	return services == NULL || ((unsigned)service_set_has(services, (uint16_t)(ports >> 16)) |
				       (unsigned)service_set_has(services, (uint16_t)ports)) != 0;
}

bool
packet_decode_quick(const struct frame *frame, const struct service_set *services,
    struct packet *out, enum packet_kind *kind)
{
	struct layout at;
	uint32_t ports; /* both with one load: from, to */

	if (!find_layers(frame, IP_PROTO_TCP, TCP_LEN, &at))
		return false;
	ports = u32_at(frame->bytes, at.inner);
	if (!is_of_interest(services, ports)) {
		*kind = PACKET_OTHER_PORT;
		/* Only the walk knows whether names are asked for. */
		return ports >> 16 != PORT_DNS;
	}
	out->src_port = (uint16_t)(ports >> 16);
	out->dst_port = (uint16_t)ports;
	*kind = PACKET_TCP;
	return take_packet(frame, at.ip, at.inner, at.wire_rest, out);
}

bool
quick_udp_find(const struct frame *frame, struct quick_udp *out)
{
	struct layout at;

	if (!find_layers(frame, IP_PROTO_UDP, UDP_LEN, &at))
		return false;
	*out = (struct quick_udp){
		.src = u16_at(frame->bytes, at.inner),
		.dst = u16_at(frame->bytes, at.inner + 2),
		.ip = at.ip,
		.inner = at.inner,
		.wire_rest = at.wire_rest,
	};
	return true;
}

void
quick_udp_take(const struct frame *frame, const struct quick_udp *udp, struct packet *out)
{
	struct span s = frame->bytes;
	uint32_t len = udp->wire_rest, udp_len = u16_at(s, udp->inner + 4);
	size_t captured = s.len - udp->inner;

	/* Zero: a super-segment, or a jumbogram. */
	if (udp_len > UDP_LEN && udp_len < len)
		len = udp_len;
	if (captured > len)
		captured = len;
	take_frame(frame, udp->ip, udp->inner, out);
	out->src_port = udp->src;
	out->dst_port = udp->dst;
	out->is_tcp = false;
	out->payload = span_from(s.data + udp->inner + UDP_LEN, captured - UDP_LEN);
	out->payload_len = len - UDP_LEN;
}
