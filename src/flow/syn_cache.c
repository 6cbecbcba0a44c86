#include "flow/syn_cache.h"

#include "base/xalloc.h"

#include "base/banned.h"

/*
 * 1 MiB, which stays in a second-level cache.  Of the connections in one set that begin at the same
 * time, as many as there are ways find their beginning again.
 */
#define SETS 8192
#define WAYS 5
/*
 * An answered SYN is as good as one that was added so many entries later: a flood's SYNs are not
 * answered, and a connection should find its beginning when its first bytes come, a round trip
 * later.
 */
#define ANSWERED_STAYS 65536u

/* Tags and stamps stand together: most SYNs are of no entry, and ask for nothing else of them. */
struct syn_set {
	_Alignas(CACHE_LINE) uint32_t tag[WAYS];   /* zero: an empty way */
	uint32_t stamp[WAYS];                      /* the clock when it was added */
	_Alignas(16) struct syn_entry entry[WAYS]; /* none in both lines */
};
_Static_assert(sizeof(struct syn_set) == 2 * CACHE_LINE, "as many as two lines hold");

struct syn_cache {
	uint32_t clock; /* counts what was added */
	uint64_t set_mask;
	struct syn_set sets[];
};

struct syn_cache *
syn_cache_new(unsigned share_count)
{
	size_t sets = SETS;
	struct syn_cache *cache;

	for (unsigned share = 1; share < share_count && sets > 1; share *= 2)
		sets /= 2;
	cache = xcalloc_aligned(sizeof(*cache) + sets * sizeof(struct syn_set));
	cache->set_mask = sets - 1;
	return cache;
}

void
syn_cache_free(struct syn_cache *cache)
{
	xfree_aligned(cache);
}

static inline struct syn_set *
set_of(struct syn_cache *cache, uint64_t hash)
{
	return &cache->sets[hash & cache->set_mask];
}

static inline uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

/* WAYS: it is not there. */
static inline unsigned
find_way(const struct syn_set *set, uint64_t hash)
{
#pragma GCC unroll 5
	for (unsigned way = 0; way < WAYS; way++)
		if (set->tag[way] == tag_of(hash))
			return way;
	return WAYS;
}

static struct syn_entry *
find_entry(struct syn_cache *cache, uint64_t hash)
{
	struct syn_set *set = set_of(cache, hash);
	unsigned way = find_way(set, hash);

	return way < WAYS ? &set->entry[way] : NULL;
}

/*
 * The way whose entry is the oldest.  Without a branch: of a flood's SYNs none could be predicted.
 * An age has the way behind it, so that both are compared and kept as one number.
 */
static inline unsigned
oldest_way(const struct syn_cache *cache, const struct syn_set *set)
{
	/* Numbers go round; none is later than this one. */
	uint32_t latest = cache->clock + ANSWERED_STAYS;
	uint64_t oldest = 0;

#pragma GCC unroll 5
	for (unsigned way = 0; way < WAYS; way++) {
		uint64_t age = (uint64_t)(uint32_t)(latest - set->stamp[way]) * 8 + way;

		oldest = age > oldest ? age : oldest;
	}
	return (unsigned)(oldest & 7);
}

/* A new entry in `way`, or where that is WAYS, in place of the oldest; it is to be filled in. */
static inline struct syn_entry *
put_entry(struct syn_cache *cache, struct syn_set *set, uint64_t hash, unsigned way)
{
	if (way == WAYS)
		way = oldest_way(cache, set);
	set->tag[way] = tag_of(hash);
	set->stamp[way] = ++cache->clock;
	return &set->entry[way];
}

void
syn_cache_prefetch(const struct syn_cache *cache, uint64_t hash)
{
	const struct syn_set *set = &cache->sets[hash & cache->set_mask];

	__builtin_prefetch(set, 1);
	__builtin_prefetch((const char *)set + CACHE_LINE, 1);
}

/* Of an entry that is there; false: it is that of another connection. */
static bool
add_syn_again(struct syn_entry *e, unsigned dir, uint32_t isn, bool *is_new)
{
	*is_new = false;
	if (e->has_isn[dir] && e->isn[dir] == isn) {
		*is_new = !e->syn;
		e->syn = true;
		e->opener = (int8_t)dir;
		return true;
	}
	/* RFC 9293, section 3.5: both open at once, or one answers in two halves. */
	if (e->syn && !e->syn_ack && e->opener != (int)dir) {
		e->isn[dir] = isn;
		e->has_isn[dir] = true;
		return true;
	}
	return false;
}

/* By direction. */
static const struct syn_entry new_syn[2] = {
	{ .has_isn = { true, false }, .opener = 0, .syn = true },
	{ .has_isn = { false, true }, .opener = 1, .syn = true },
};

static inline void
put_syn(struct syn_cache *cache, uint64_t hash, unsigned way, unsigned dir, uint32_t isn)
{
	struct syn_entry *e = put_entry(cache, set_of(cache, hash), hash, way);

	*e = new_syn[dir];
	e->isn[0] = e->isn[1] = isn;
}

/* Apart, so that the usual way needs few registers. */
static __attribute__((noinline)) bool
add_known_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn)
{
	struct syn_set *set = set_of(cache, hash);
	unsigned way = find_way(set, hash);
	bool is_new;

	if (add_syn_again(&set->entry[way], dir, isn, &is_new))
		return is_new;
	put_syn(cache, hash, way, dir, isn);
	return true;
}

bool
syn_cache_add_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn)
{
	if (find_way(set_of(cache, hash), hash) < WAYS)
		return add_known_syn(cache, hash, dir, isn);
	put_syn(cache, hash, WAYS, dir, isn);
	return true;
}

bool
syn_cache_add_syn_ack(
    struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn, uint32_t ack)
{
	struct syn_set *set = set_of(cache, hash);
	unsigned way = find_way(set, hash);
	uint32_t peer_isn = ack - 1;
	struct syn_entry *e;
	bool answers;

	if (way == WAYS ||
	    (set->entry[way].has_isn[1 - dir] && set->entry[way].isn[1 - dir] != peer_isn)) {
		e = put_entry(cache, set, hash, way);
		*e = (struct syn_entry){ .opener = (int8_t)(1 - dir) };
	} else {
		e = &set->entry[way];
	}
	answers = e->syn && !e->syn_ack;
	set->stamp[e - set->entry] += e->syn_ack ? 0 : ANSWERED_STAYS;
	e->syn_ack = true;
	e->isn[1 - dir] = peer_isn;
	e->has_isn[1 - dir] = true;
	if (e->has_isn[dir] && e->isn[dir] != isn) {
		e->other_isn = e->isn[dir];
		e->has_other_isn = true;
	}
	e->isn[dir] = isn;
	e->has_isn[dir] = true;
	return answers;
}

void
syn_cache_add_ack(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t ack)
{
	struct syn_entry *e = find_entry(cache, hash);

	if (e == NULL || e->opener != (int)dir || e->has_isn[1 - dir] || e->has_ack)
		return;
	e->isn[1 - dir] = ack - 1;
	e->has_ack = true;
}

void
syn_cache_mark_join(struct syn_cache *cache, uint64_t hash)
{
	struct syn_entry *e = find_entry(cache, hash);

	if (e != NULL)
		e->joins = true;
}

void
syn_cache_remove(struct syn_cache *cache, uint64_t hash)
{
	struct syn_set *set = set_of(cache, hash);
	unsigned way = find_way(set, hash);

	if (way == WAYS)
		return;
	set->tag[way] = set->stamp[way] = 0;
	set->entry[way] = (struct syn_entry){ 0 };
}

const struct syn_entry *
syn_cache_find(struct syn_cache *cache, uint64_t hash)
{
	return find_entry(cache, hash);
}
