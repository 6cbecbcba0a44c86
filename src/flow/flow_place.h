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

/* The family, and as much of the address as fits into the same word: of IPv4 all of it. */
static inline uint64_t
addr_head(const struct addr *a)
{
	uint64_t head;

	_Static_assert(offsetof(struct addr, bytes) == 1, "behind the family");
	memcpy(&head, a, sizeof(head));
	return head;
}

/* IPv4 address and port as one number: their order is addr_compare's. */
static inline uint64_t
endpoint_v4(const struct addr *a, uint16_t port)
{
	return be64toh(addr_head(a)) | port;
}

/* Of IPv6. */
struct place flow_place_v6(const struct hash_key *key, const struct packet *p);

static inline struct place
flow_place(const struct hash_key *key, const struct packet *p)
{
	uint64_t src, dst;

	if (p->src.family != 4)
		return flow_place_v6(key, p);
	src = endpoint_v4(&p->src, p->src_port);
	dst = endpoint_v4(&p->dst, p->dst_port);
	return (struct place){ hash_pair(key, src, dst), src > dst };
}

#endif
