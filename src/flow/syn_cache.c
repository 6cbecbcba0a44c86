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
	unsigned way = 0;

	while (way < WAYS && set->tag[way] != tag_of(hash))
		way++;
	return way;
}

static struct syn_entry *
find_entry(struct syn_cache *cache, uint64_t hash)
{
	struct syn_set *set = set_of(cache, hash);
	unsigned way = find_way(set, hash);

	return way < WAYS ? &set->entry[way] : NULL;
}

/* The way whose entry is the oldest.  Without a branch: of a flood's SYNs none could be predicted.
 */
static inline unsigned
oldest_way(const struct syn_cache *cache, const struct syn_set *set)
{
	/* Numbers go round; none is later than this one. */
	uint32_t latest = cache->clock + ANSWERED_STAYS;
	uint32_t oldest_age = latest - set->stamp[0];
	unsigned oldest = 0;

	for (unsigned way = 1; way < WAYS; way++) {
		uint32_t age = latest - set->stamp[way];

		oldest = age > oldest_age ? way : oldest;
		oldest_age = age > oldest_age ? age : oldest_age;
	}
	return oldest;
}

/* A new entry in `way`, or where that is WAYS, in place of the oldest; returns which way it is. */
static inline unsigned
put_entry(struct syn_cache *cache, uint64_t hash, unsigned way, struct syn_entry entry)
{
	struct syn_set *set = set_of(cache, hash);

	if (way == WAYS)
		way = oldest_way(cache, set);
	set->tag[way] = tag_of(hash);
	set->stamp[way] = ++cache->clock;
	set->entry[way] = entry;
	return way;
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

bool
syn_cache_add_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn)
{
	struct syn_set *set = set_of(cache, hash);
	unsigned way = find_way(set, hash);
	bool is_new;

	if (way < WAYS && add_syn_again(&set->entry[way], dir, isn, &is_new))
		return is_new;
	put_entry(cache, hash, way,
	    (struct syn_entry){
		.isn = { isn, isn },
		.has_isn = { dir == 0, dir == 1 },
		.opener = (int8_t)dir,
		.syn = true,
	    });
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
	    (set->entry[way].has_isn[1 - dir] && set->entry[way].isn[1 - dir] != peer_isn))
		way =
		    put_entry(cache, hash, way, (struct syn_entry){ .opener = (int8_t)(1 - dir) });
	e = &set->entry[way];
	answers = e->syn && !e->syn_ack;
	set->stamp[way] += e->syn_ack ? 0 : ANSWERED_STAYS;
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
