/*
 * syn_cache - initial sequence numbers of connections that have no payload yet.
 *
 * Of fixed size and lossy: a flood of SYNs overwrites entries, those without an answer first, and a
 * connection whose entry is gone is followed like one whose beginning was not captured.
 *
 * What a flood's SYNs need is inline.
 */
#ifndef TLSTALLY_FLOW_SYN_CACHE_H
#define TLSTALLY_FLOW_SYN_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/xalloc.h"

/* Of the connections in one set that begin at the same time, so many find their beginning again. */
#define SYN_CACHE_WAYS 5
/*
 * An answered SYN is as good as one that was added so many entries later: a flood's SYNs are not
 * answered, and a connection should find its beginning when its first bytes come, a round trip
 * later.
 */
#define SYN_CACHE_ANSWERED_STAYS 65536u

/* ISNs by direction, as the connection counts them. */
struct syn_entry {
	uint32_t isn[2];    /* without has_isn: by what the opener waited for, if has_ack */
	uint32_t other_isn; /* a SYN/ACK that differed from the one in isn[] */
	bool has_isn[2];
	int8_t opener; /* direction of the SYN, told by the SYN/ACK too */
	bool has_other_isn : 1;
	bool syn : 1, syn_ack : 1; /* captured */
	bool has_ack : 1;          /* no SYN/ACK, but what the opener acknowledged first */
	bool joins : 1;            /* one more path of another connection */
};

/* Tags and stamps stand together: most SYNs are of no entry, and ask for nothing else of them. */
struct syn_set {
	_Alignas(CACHE_LINE) uint32_t tag[SYN_CACHE_WAYS];   /* zero: an empty way */
	uint32_t stamp[SYN_CACHE_WAYS];                      /* the clock when it was added */
	_Alignas(16) struct syn_entry entry[SYN_CACHE_WAYS]; /* none in both lines */
};
_Static_assert(sizeof(struct syn_set) == 2 * CACHE_LINE, "as many as two lines hold");

struct syn_cache {
	uint32_t clock; /* counts what was added */
	uint64_t set_mask;
	struct syn_set sets[];
};

/* One of so many that share the memory of one; 0 is 1. */
struct syn_cache *syn_cache_new(unsigned share_count);
void syn_cache_free(struct syn_cache *cache);

/* A SYN/ACK tells its own ISN and, by its acknowledgement, that of the other direction.  Returns
 * true for the first answer to a SYN that was seen.
 */
bool syn_cache_add_syn_ack(
    struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn, uint32_t ack);
/* An acknowledgement of no payload and no FIN in direction `dir`, as follows a SYN/ACK. */
void syn_cache_add_ack(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t ack);
/* What the SYN or SYN/ACK that was added last says of itself. */
void syn_cache_mark_join(struct syn_cache *cache, uint64_t hash);
void syn_cache_remove(struct syn_cache *cache, uint64_t hash);
/* NULL: nothing known.  Borrowed until the next change. */
const struct syn_entry *syn_cache_find(struct syn_cache *cache, uint64_t hash);

static inline struct syn_set *
syn_cache_set(struct syn_cache *cache, uint64_t hash)
{
	return &cache->sets[hash & cache->set_mask];
}

static inline uint32_t
syn_cache_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

/* SYN_CACHE_WAYS: it is not there. */
static inline unsigned
syn_cache_find_way(const struct syn_set *set, uint64_t hash)
{
#pragma GCC unroll 5
	for (unsigned way = 0; way < SYN_CACHE_WAYS; way++)
		if (set->tag[way] == syn_cache_tag(hash))
			return way;
	return SYN_CACHE_WAYS;
}

/*
 * The way whose entry is the oldest.  Without a branch: of a flood's SYNs none could be predicted.
 * An age has the way behind it, so that both are compared and kept as one number.
 */
static inline unsigned
syn_cache_oldest_way(const struct syn_cache *cache, const struct syn_set *set)
{
	/* Numbers go round; none is later than this one. */
	uint32_t latest = cache->clock + SYN_CACHE_ANSWERED_STAYS;
	uint64_t oldest = 0;

#pragma GCC unroll 5
	for (unsigned way = 0; way < SYN_CACHE_WAYS; way++) {
		uint64_t age = (uint64_t)(uint32_t)(latest - set->stamp[way]) * 8 + way;

		oldest = age > oldest ? age : oldest;
	}
	return (unsigned)(oldest & 7);
}

/* A new entry in `way`, or where that is none, in place of the oldest; it is to be filled in. */
static inline struct syn_entry *
syn_cache_put_entry(struct syn_cache *cache, struct syn_set *set, uint64_t hash, unsigned way)
{
	if (way == SYN_CACHE_WAYS)
		way = syn_cache_oldest_way(cache, set);
	set->tag[way] = syn_cache_tag(hash);
	set->stamp[way] = ++cache->clock;
	return &set->entry[way];
}

static inline void
syn_cache_put_syn(struct syn_cache *cache, uint64_t hash, unsigned way, unsigned dir, uint32_t isn)
{
	/* By direction. */
	static const struct syn_entry new_syn[2] = {
		{ .has_isn = { true, false }, .opener = 0, .syn = true },
		{ .has_isn = { false, true }, .opener = 1, .syn = true },
	};
	struct syn_set *set = syn_cache_set(cache, hash);
	struct syn_entry *e = syn_cache_put_entry(cache, set, hash, way);

	*e = new_syn[dir];
	e->isn[0] = e->isn[1] = isn;
}

/* syn_cache_add_syn of an entry that is there. */
bool syn_cache_add_known_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn);

/* Returns true when this is a new connection, false for a repeated SYN. */
static inline bool
syn_cache_add_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn)
{
	if (syn_cache_find_way(syn_cache_set(cache, hash), hash) < SYN_CACHE_WAYS)
		return syn_cache_add_known_syn(cache, hash, dir, isn);
	syn_cache_put_syn(cache, hash, SYN_CACHE_WAYS, dir, isn);
	return true;
}

/* Asks the memory for what one of the others will need. */
static inline void
syn_cache_prefetch(const struct syn_cache *cache, uint64_t hash)
{
	const struct syn_set *set = &cache->sets[hash & cache->set_mask];

	__builtin_prefetch(set, 1);
	__builtin_prefetch((const char *)set + CACHE_LINE, 1);
}

#endif
