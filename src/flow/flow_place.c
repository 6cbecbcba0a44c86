#include "flow/flow_place.h"

#include "base/banned.h"

static uint64_t
word_at(const struct addr *a, size_t at)
{
	uint64_t word;

	memcpy(&word, a->bytes + at, sizeof(word));
	return word;
}

struct place
flow_place_v6(const struct hash_key *key, const struct packet *p)
{
	int order = addr_compare(&p->src, &p->dst);
	unsigned dir = order != 0 ? order > 0 : p->src_port > p->dst_port;
	const struct addr *low = dir == 0 ? &p->src : &p->dst;
	const struct addr *high = dir == 0 ? &p->dst : &p->src;
	uint64_t ports = dir == 0 ? (uint64_t)p->src_port << 16 | p->dst_port
				  : (uint64_t)p->dst_port << 16 | p->src_port;
	uint64_t hash = hash_words(key, word_at(low, 0), word_at(low, 8));

	hash = hash_words(key, hash ^ word_at(high, 0), word_at(high, 8));
	return (struct place){ hash_words(key, hash, ports), dir };
}
