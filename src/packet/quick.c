/*
 * The headers that nearly every frame of a mirror has - Ethernet, at most one VLAN tag, IPv4
 * without options or IPv6 without extension headers, TCP, all of them captured - in a few loads.
 * Whatever is not just so is left to the walk, which knows all of it; where both know a frame, they
 * agree.
 */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

#define LINKTYPE_ETHERNET 1
#define ETHERNET_LEN 14
#define VLAN_LEN 4
#define IPV4_LEN 20
#define IPV6_LEN 40
#define TCP_LEN 20
#define UDP_LEN 8
#define IP_PROTO_TCP 6
#define IP_PROTO_UDP 17

/* Where the layers of a frame are. */
struct layout {
	bool is_v6;
	int32_t vlan;
	size_t ip, inner;   /* offsets in the frame: the IP header, and what it carries */
	uint32_t wire_rest; /* bytes from `inner` on, by the IP header's length */
};

/* Version 4, a header of 20 bytes, no fragment; RFC 791, section 3.1. */
static inline bool
find_ipv4(struct span s, uint8_t proto, size_t header_len, struct layout *at)
{
	uint16_t total_len;

	if (s.len < at->ip + IPV4_LEN + header_len || s.data[at->ip] != 0x45 ||
	    (u16_at(s, at->ip + 6) & 0x3fff) != 0 || s.data[at->ip + 9] != proto)
		return false;
	total_len = u16_at(s, at->ip + 2);
	at->inner = at->ip + IPV4_LEN;
	at->wire_rest = (uint32_t)total_len - IPV4_LEN;
	return total_len >= IPV4_LEN + header_len;
}

/* RFC 8200, section 3. */
static inline bool
find_ipv6(struct span s, uint8_t proto, size_t header_len, struct layout *at)
{
	if (s.len < at->ip + IPV6_LEN + header_len || s.data[at->ip] >> 4 != 6 ||
	    s.data[at->ip + 6] != proto)
		return false;
	at->is_v6 = true;
	at->inner = at->ip + IPV6_LEN;
	at->wire_rest = u16_at(s, at->ip + 4);
	return at->wire_rest >= header_len;
}

/* Where the IP header begins, and which EtherType announces it. */
static inline bool
find_ip(struct span s, struct layout *at, uint16_t *ethertype)
{
	if (s.len < ETHERNET_LEN + VLAN_LEN)
		return false;
	*at = (struct layout){ .vlan = -1, .ip = ETHERNET_LEN };
	*ethertype = u16_at(s, ETHERNET_LEN - 2);
	if (*ethertype == ETHERTYPE_VLAN) {
		at->vlan = u16_at(s, ETHERNET_LEN) & 0x0fff;
		at->ip = ETHERNET_LEN + VLAN_LEN;
		*ethertype = u16_at(s, ETHERNET_LEN + VLAN_LEN - 2);
	}
	return true;
}

static inline bool
find_version(struct span s, uint16_t ethertype, uint8_t proto, size_t header_len, struct layout *at)
{
	if (ethertype == ETHERTYPE_IPV4)
		return find_ipv4(s, proto, header_len, at);
	return ethertype == ETHERTYPE_IPV6 && find_ipv6(s, proto, header_len, at);
}

/* For a whole header of `proto`, which is at least `header_len` bytes long. */
static inline bool
find_layers(const struct frame *frame, uint8_t proto, size_t header_len, struct layout *at)
{
	uint16_t ethertype;

	return frame->link_type == LINKTYPE_ETHERNET && find_ip(frame->bytes, at, &ethertype) &&
	       find_version(frame->bytes, ethertype, proto, header_len, at);
}

/* RFC 9293, section 3.1.  False where the header's length makes no sense. */
static inline bool
take_tcp(struct span s, const struct layout *at, struct packet *out)
{
	size_t header_len = (size_t)(s.data[at->inner + 12] >> 4) * 4;
	size_t captured = s.len - at->inner;

	/* What follows the IP packet is padding. */
	if (captured > at->wire_rest)
		captured = at->wire_rest;
	/* So the wire has room for it too. */
	if (header_len < TCP_LEN || captured < header_len)
		return false;
	out->seq = u32_at(s, at->inner + 4);
	out->ack = u32_at(s, at->inner + 8);
	out->flags = s.data[at->inner + 13];
	out->payload_len = at->wire_rest - (uint32_t)header_len;
	out->payload = span_from(s.data + at->inner + header_len, captured - header_len);
	return true;
}

static inline void
take_addresses(struct span s, const struct layout *at, struct packet *out)
{
	if (at->is_v6) {
		out->ip_id = 0;
		addr_set_v6(&out->src, s.data + at->ip + 8);
		addr_set_v6(&out->dst, s.data + at->ip + 24);
	} else {
		out->ip_id = u16_at(s, at->ip + 4);
		addr_set_v4(&out->src, s.data + at->ip + 12);
		addr_set_v4(&out->dst, s.data + at->ip + 16);
	}
}

/* All of a packet but its ports.  Apart from what is asked for each frame, to leave that the
 * processor's registers. */
static __attribute__((noinline)) bool
take_packet(const struct frame *frame, const struct layout *at, struct packet *out)
{
	struct span s = frame->bytes;

	if (!take_tcp(s, at, out))
		return false;
	take_addresses(s, at, out);
	out->dst_mac = s.data;
	out->src_mac = s.data + 6;
	out->vlan = at->vlan;
	out->time_us = frame->time_us;
	out->source = frame->source;
	return true;
}

/* One branch: nothing tells beforehand which of the two it is. */
static inline bool
is_of_interest(const struct service_set *services, uint16_t src, uint16_t dst)
{
	return services == NULL || ((unsigned)service_set_has(services, src) |
				       (unsigned)service_set_has(services, dst)) != 0;
}

bool
packet_decode_quick(const struct frame *frame, const struct service_set *services,
    struct packet *out, enum packet_kind *kind)
{
	struct layout at;
	uint16_t src, dst;

	if (!find_layers(frame, IP_PROTO_TCP, TCP_LEN, &at))
		return false;
	src = u16_at(frame->bytes, at.inner);
	dst = u16_at(frame->bytes, at.inner + 2);
	if (!is_of_interest(services, src, dst)) {
		*kind = PACKET_OTHER_PORT;
		return src != PORT_DNS; /* the walk knows whether it is asked for */
	}
	out->src_port = src;
	out->dst_port = dst;
	*kind = PACKET_TCP;
	return take_packet(frame, &at, out);
}

bool
packet_find_udp_ports(const struct frame *frame, uint16_t *src, uint16_t *dst)
{
	struct layout at;

	if (!find_layers(frame, IP_PROTO_UDP, UDP_LEN, &at))
		return false;
	*src = u16_at(frame->bytes, at.inner);
	*dst = u16_at(frame->bytes, at.inner + 2);
	return true;
}
