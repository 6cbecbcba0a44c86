/*
 * wrap - packets built from the inside out: each call puts one header in front.
 */
#ifndef TLSTALLY_TESTS_WRAP_H
#define TLSTALLY_TESTS_WRAP_H

#include <string.h>

#include "base/frame.h"
#include "suite.h"

#define WRAP_ROOM 70000

struct wrap {
	uint8_t bytes[WRAP_ROOM];
	size_t begin; /* the packet goes from here to the end */
};

static inline void
wrap_init(struct wrap *w)
{
	w->begin = sizeof(w->bytes);
}

static inline size_t
wrap_len(const struct wrap *w)
{
	return sizeof(w->bytes) - w->begin;
}

static inline uint8_t *
wrap_front(struct wrap *w, size_t len)
{
	ck_assert_uint_ge(w->begin, len);
	w->begin -= len;
	memset(w->bytes + w->begin, 0, len);
	return w->bytes + w->begin;
}

static inline void
wrap_bytes(struct wrap *w, struct span bytes)
{
	memcpy(wrap_front(w, bytes.len), bytes.data, bytes.len);
}

static inline void
put_u16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void
put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value & 0xffff);
}

static inline struct frame
wrap_frame(const struct wrap *w, uint32_t link_type)
{
	return (struct frame){
		.bytes = span_from(w->bytes + w->begin, wrap_len(w)),
		.wire_len = (uint32_t)wrap_len(w),
		.link_type = link_type,
		.time_us = 1000000,
	};
}

static inline void
wrap_tcp(struct wrap *w, uint16_t src_port, uint16_t dst_port, uint32_t seq)
{
	uint8_t *h = wrap_front(w, 20);

	put_u16(h, src_port);
	put_u16(h + 2, dst_port);
	put_u32(h + 4, seq);
	h[12] = 0x50;
	h[13] = 0x18;
}

static inline void
wrap_udp(struct wrap *w, uint16_t src_port, uint16_t dst_port)
{
	size_t len = wrap_len(w) + 8;
	uint8_t *h = wrap_front(w, 8);

	put_u16(h, src_port);
	put_u16(h + 2, dst_port);
	put_u16(h + 4, len);
}

/* Addresses 10.`net`.0.1 > 10.`net`.0.2; `fragment`: flags and offset as in the header. */
static inline void
wrap_ipv4_part(struct wrap *w, uint8_t net, uint8_t proto, uint16_t id, uint16_t fragment)
{
	size_t len = wrap_len(w) + 20;
	uint8_t *h = wrap_front(w, 20);
	uint32_t sum = 0;

	h[0] = 0x45;
	put_u16(h + 2, len);
	put_u16(h + 4, id);
	put_u16(h + 6, fragment);
	h[8] = 64;
	h[9] = proto;
	h[12] = h[16] = 10;
	h[13] = h[17] = net;
	h[15] = 1;
	h[19] = 2;
	for (size_t i = 0; i < 20; i += 2)
		sum += (uint32_t)(h[i] << 8 | h[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put_u16(h + 10, ~sum & 0xffff);
}

static inline void
wrap_ipv4(struct wrap *w, uint8_t net, uint8_t proto)
{
	wrap_ipv4_part(w, net, proto, 7, 0);
}

/* Addresses 2001:db8:`net`::1 > 2001:db8:`net`::2. */
static inline void
wrap_ipv6(struct wrap *w, uint8_t net, uint8_t next_header)
{
	static const uint8_t prefix[4] = { 0x20, 0x01, 0x0d, 0xb8 };
	size_t len = wrap_len(w);
	uint8_t *h = wrap_front(w, 40);

	h[0] = 0x60;
	put_u16(h + 4, len);
	h[6] = next_header;
	h[7] = 64;
	memcpy(h + 8, prefix, 4);
	memcpy(h + 24, prefix, 4);
	h[13] = h[29] = net;
	h[23] = 1;
	h[39] = 2;
}

/* `tail`: the last byte of both addresses. */
static inline void
wrap_ethernet(struct wrap *w, uint8_t tail, uint16_t ethertype)
{
	uint8_t *h = wrap_front(w, 14);

	h[0] = h[6] = 0x02;
	h[5] = tail;
	h[11] = (uint8_t)(tail + 1);
	put_u16(h + 12, ethertype);
}

#endif
