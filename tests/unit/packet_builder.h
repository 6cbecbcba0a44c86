/*
 * packet_builder - frames made layer by layer, from the payload outwards.
 *
 * A header is put in front of what is there, so lengths come by themselves:
 *
 *     struct built b;
 *     build_start(&b, BYTES("payload"));
 *     build_tcp(&b, &(struct build_tcp){ .src_port = 49152, .dst_port = 993 });
 *     build_ipv4(&b, 6);
 *     build_ethernet(&b, 0x0800);
 */
#ifndef TLSTALLY_TESTS_PACKET_BUILDER_H
#define TLSTALLY_TESTS_PACKET_BUILDER_H

#include <string.h>

#include "suite.h"

#include "packet/packet.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define BUILD_PROTO_TCP 6
#define BUILD_LINK_ETHERNET 1
#define BUILD_LINK_RAW 101

/* Addresses of all built packets. */
#define BUILD_IPV4_SRC "\x0a\x00\x00\x01"
#define BUILD_IPV4_DST "\xc0\x00\x02\x05"
#define BUILD_IPV6_SRC "\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
#define BUILD_IPV6_DST "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"
#define BUILD_MAC_DST "\x02\x00\x00\x00\x00\x0d"
#define BUILD_MAC_SRC "\x02\x00\x00\x00\x00\x05"

struct built {
	uint8_t room[4096];
	size_t at; /* the frame is room[at] to the end of the room */
};

struct build_tcp {
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint8_t flags;
	uint8_t options_len; /* a multiple of 4, at most 40 */
};

static inline struct span
build_bytes(const struct built *b)
{
	return span_from(b->room + b->at, sizeof(b->room) - b->at);
}

static inline uint8_t *
build_front(struct built *b, size_t len)
{
	ck_assert_uint_ge(b->at, len);
	b->at -= len;
	memset(b->room + b->at, 0, len);
	return b->room + b->at;
}

static inline void
build_push(struct built *b, struct span bytes)
{
	uint8_t *front = build_front(b, bytes.len);

	if (bytes.len > 0)
		memcpy(front, bytes.data, bytes.len);
}

static inline void
build_start(struct built *b, struct span payload)
{
	b->at = sizeof(b->room);
	build_push(b, payload);
}

static inline void
build_u16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void
build_u32(uint8_t *at, uint32_t value)
{
	build_u16(at, value >> 16);
	build_u16(at + 2, value & 0xffff);
}

static inline void
build_tcp(struct built *b, const struct build_tcp *tcp)
{
	uint8_t *h = build_front(b, 20u + tcp->options_len);

	build_u16(h, tcp->src_port);
	build_u16(h + 2, tcp->dst_port);
	build_u32(h + 4, tcp->seq);
	build_u32(h + 8, tcp->ack);
	h[12] = (uint8_t)((5 + tcp->options_len / 4) << 4);
	h[13] = tcp->flags;
	memset(h + 20, 1, tcp->options_len); /* no-operation options */
}

/* Returns the header, for what a test wants to be different. */
static inline uint8_t *
build_ipv4_options(struct built *b, uint8_t proto, size_t options_len)
{
	size_t payload_len = build_bytes(b).len;
	uint8_t *h = build_front(b, 20 + options_len);

	h[0] = (uint8_t)(0x40 | (5 + options_len / 4));
	build_u16(h + 2, 20 + options_len + payload_len);
	h[8] = 64;
	h[9] = proto;
	memcpy(h + 12, BUILD_IPV4_SRC, 4);
	memcpy(h + 16, BUILD_IPV4_DST, 4);
	memset(h + 20, 1, options_len);
	return h;
}

static inline uint8_t *
build_ipv4(struct built *b, uint8_t proto)
{
	return build_ipv4_options(b, proto, 0);
}

static inline uint8_t *
build_ipv6(struct built *b, uint8_t next)
{
	size_t payload_len = build_bytes(b).len;
	uint8_t *h = build_front(b, 40);

	h[0] = 0x60;
	build_u16(h + 4, payload_len);
	h[6] = next;
	h[7] = 64;
	memcpy(h + 8, BUILD_IPV6_SRC, 16);
	memcpy(h + 24, BUILD_IPV6_DST, 16);
	return h;
}

static inline void
build_ethernet(struct built *b, uint16_t ethertype)
{
	uint8_t *h = build_front(b, 14);

	memcpy(h, BUILD_MAC_DST, 6);
	memcpy(h + 6, BUILD_MAC_SRC, 6);
	build_u16(h + 12, ethertype);
}

/* A TCP packet from 49152 to 993 that carries `payload`, in IPv4 or IPv6. */
static inline void
build_mail(struct built *b, unsigned version, struct span payload)
{
	const struct build_tcp tcp = {
		.src_port = 49152,
		.dst_port = 993,
		.seq = 0x01020304,
		.ack = 0xf5f6f7f8,
		.flags = TCP_ACK,
	};

	build_start(b, payload);
	build_tcp(b, &tcp);
	if (version == 4)
		(void)build_ipv4(b, BUILD_PROTO_TCP);
	else
		(void)build_ipv6(b, BUILD_PROTO_TCP);
}

/* Decodes bytes of a frame that had `wire_len` bytes; every port is of interest. */
static inline enum packet_kind
decode_cut(uint32_t link_type, struct span bytes, size_t wire_len, struct packet *out)
{
	/* A copy of that size, so that a sanitizer sees a read past the end. */
	uint8_t *copy = malloc(bytes.len + (bytes.len == 0));
	struct frame frame = {
		.wire_len = (uint32_t)wire_len,
		.link_type = link_type,
		.source = 7,
		.time_us = INT64_C(1700000000000000),
	};
	enum packet_kind kind;

	ck_assert_ptr_nonnull(copy);
	if (bytes.len > 0)
		memcpy(copy, bytes.data, bytes.len);
	frame.bytes = span_from(copy, bytes.len);
	memset(out, 0xee, sizeof(*out));
	kind = packet_decode(&frame, NULL, out);
	if (kind == PACKET_TCP) {
		ck_assert_uint_le(out->payload.len, out->payload_len);
		ck_assert_uint_le(out->payload.len, bytes.len);
		/* The copy goes; the same bytes stay in the caller's. */
		out->payload.data = bytes.data + (out->payload.data - copy);
		if (out->src_mac != NULL)
			out->src_mac = bytes.data + (out->src_mac - copy);
		if (out->dst_mac != NULL)
			out->dst_mac = bytes.data + (out->dst_mac - copy);
	}
	free(copy);
	return kind;
}

static inline enum packet_kind
decode(uint32_t link_type, struct span bytes, struct packet *out)
{
	return decode_cut(link_type, bytes, bytes.len, out);
}

static inline enum packet_kind
decode_built(uint32_t link_type, const struct built *b, struct packet *out)
{
	return decode(link_type, build_bytes(b), out);
}

/* What must be true of build_mail()'s packet, however it was wrapped. */
static inline void
assert_mail(const struct packet *p, unsigned version, struct span payload)
{
	ck_assert_uint_eq(p->src.family, version);
	ck_assert_mem_eq(
	    p->src.bytes, version == 4 ? BUILD_IPV4_SRC : BUILD_IPV6_SRC, version == 4 ? 4 : 16);
	ck_assert_mem_eq(
	    p->dst.bytes, version == 4 ? BUILD_IPV4_DST : BUILD_IPV6_DST, version == 4 ? 4 : 16);
	ck_assert_uint_eq(p->src_port, 49152);
	ck_assert_uint_eq(p->dst_port, 993);
	ck_assert_uint_eq(p->seq, 0x01020304);
	ck_assert_uint_eq(p->ack, 0xf5f6f7f8);
	ck_assert_uint_eq(p->flags, TCP_ACK);
	ck_assert_uint_eq(p->payload_len, payload.len);
	ck_assert(span_equals(p->payload, payload));
	ck_assert_int_eq(p->time_us, INT64_C(1700000000000000));
	ck_assert_uint_eq(p->source, 7);
}

#endif
