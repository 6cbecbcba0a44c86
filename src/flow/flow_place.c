#include "flow/flow_place.h"

#include "base/banned.h"

static uint64_t
word_at(const struct addr *a, size_t at)
{
	uint64_t word;

	memcpy(&word, a->bytes + at, sizeof(word));
	return word;
}

/* The order is addr_compare's and then that of the ports, in few words and without a call. */
static bool
goes_down(const struct packet *p)
{
	uint64_t src = be64toh(word_at(&p->src, 0)), dst = be64toh(word_at(&p->dst, 0));

	if (src == dst) {
		src = be64toh(word_at(&p->src, 8));
		dst = be64toh(word_at(&p->dst, 8));
	}
	return src != dst ? src > dst : p->src_port > p->dst_port;
}

struct place
flow_place_v6(const struct hash_key *key, const struct packet *p)
{
	unsigned dir = goes_down(p);
	const struct addr *low = dir == 0 ? &p->src : &p->dst;
	const struct addr *high = dir == 0 ? &p->dst : &p->src;
	uint64_t ports = dir == 0 ? (uint64_t)p->src_port << 16 | p->dst_port
				  : (uint64_t)p->dst_port << 16 | p->src_port;
	uint64_t hash = hash_words(key, word_at(low, 0), word_at(low, 8));

	hash = hash_words(key, hash ^ word_at(high, 0), word_at(high, 8));
	return (struct place){ hash_words(key, hash, ports), dir };
}
