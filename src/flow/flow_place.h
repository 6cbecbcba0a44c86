/*
 * flow_place - where a packet's connection stands in a table: once per packet, so it is inline.
 */
#ifndef TLSTALLY_FLOW_FLOW_PLACE_H
#define TLSTALLY_FLOW_FLOW_PLACE_H

#include <endian.h>
#include <string.h>

#include "base/hash.h"
#include "packet/packet.h"

/* Where a packet's connection stands in a table, and which way the packet goes. */
struct place {
	uint64_t hash;
	unsigned dir; /* 0: from the endpoint that is the lower one in order */
};

static inline uint32_t
u32_of(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return be32toh(value);
}

static inline uint64_t
u64_of(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return be64toh(value);
}

/* Address and port of an endpoint as one number each: their order is addr_compare's. */
static inline struct place
place_of_v4(const struct hash_key *key, const struct packet *p)
{
	uint64_t src = (uint64_t)u32_of(p->src.bytes) << 16 | p->src_port;
	uint64_t dst = (uint64_t)u32_of(p->dst.bytes) << 16 | p->dst_port;
	unsigned dir = src > dst;

	return (struct place){ hash_words(key, dir ? dst : src, dir ? src : dst), dir };
}

static inline struct place
place_of_v6(const struct hash_key *key, const struct packet *p)
{
	int order = addr_compare(&p->src, &p->dst);
	unsigned dir = order != 0 ? order > 0 : p->src_port > p->dst_port;
	const struct addr *low = dir == 0 ? &p->src : &p->dst;
	const struct addr *high = dir == 0 ? &p->dst : &p->src;
	uint64_t ports = dir == 0 ? (uint64_t)p->src_port << 16 | p->dst_port
				  : (uint64_t)p->dst_port << 16 | p->src_port;
	uint64_t hash = hash_words(key, u64_of(low->bytes), u64_of(low->bytes + 8));

	hash = hash_words(key, hash ^ u64_of(high->bytes), u64_of(high->bytes + 8));
	return (struct place){ hash_words(key, hash, ports), dir };
}

static inline struct place
place_of(const struct hash_key *key, const struct packet *p)
{
	return p->src.family == 4 ? place_of_v4(key, p) : place_of_v6(key, p);
}

#endif
