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
 * An answered SYN is kept until so many entries were added: a flood's SYNs are not answered, and a
 * connection should find its beginning when its first bytes come, a round trip later.
 */
#define ANSWERED_STAYS 65536u

struct syn_set {
	_Alignas(CACHE_LINE) struct syn_entry ways[WAYS];
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

static uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1; /* zero: an empty slot */
}

static struct syn_entry *
find_entry(struct syn_cache *cache, uint64_t hash)
{
	struct syn_entry *set = cache->sets[hash & cache->set_mask].ways;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].tag == tag_of(hash))
			return &set[i];
	}
	return NULL;
}

static uint32_t
age_of(const struct syn_cache *cache, const struct syn_entry *e)
{
	return cache->clock - e->stamp;
}

/*
 * An answered SYN that stays is worth more than another one; else the younger is.  One number, so
 * that to compare it takes no branch: of a flood's SYNs none could be predicted.
 */
static uint64_t
worth_of(const struct syn_cache *cache, const struct syn_entry *e)
{
	uint32_t age = age_of(cache, e);
	uint64_t stays = e->syn_ack & (age < ANSWERED_STAYS);

	return stays << 32 | (UINT32_MAX - age);
}

/* The entry of a set that is worth least. */
static struct syn_entry *
least_of(const struct syn_cache *cache, struct syn_entry *set)
{
	uint64_t least_worth = worth_of(cache, &set[0]);
	unsigned least = 0;

	for (unsigned i = 1; i < WAYS; i++) {
		uint64_t worth = worth_of(cache, &set[i]);

		least = worth < least_worth ? i : least;
		least_worth = worth < least_worth ? worth : least_worth;
	}
	return &set[least];
}

/* An entry of that hash with nothing in it: `e`, or where that is NULL, one that gives way. */
static struct syn_entry *
fresh_entry(struct syn_cache *cache, uint64_t hash, struct syn_entry *e)
{
	if (e == NULL)
		e = least_of(cache, cache->sets[hash & cache->set_mask].ways);
	*e = (struct syn_entry){ .tag = tag_of(hash), .stamp = ++cache->clock };
	return e;
}

void
syn_cache_prefetch(const struct syn_cache *cache, uint64_t hash)
{
	const struct syn_entry *set = cache->sets[hash & cache->set_mask].ways;

	__builtin_prefetch(&set[0], 1);
	__builtin_prefetch(&set[WAYS - 1], 1);
}

bool
syn_cache_add_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn)
{
	struct syn_entry *e = find_entry(cache, hash);

	if (e != NULL && e->has_isn[dir] && e->isn[dir] == isn) {
		bool known = e->syn;

		e->syn = true;
		e->opener = (int8_t)dir;
		return !known;
	}
	/* RFC 9293, section 3.5: both open at once, or one answers in two halves. */
	if (e != NULL && e->syn && !e->syn_ack && e->opener != (int)dir) {
		e->isn[dir] = isn;
		e->has_isn[dir] = true;
		return false;
	}
	e = fresh_entry(cache, hash, e);
	e->syn = true;
	e->opener = (int8_t)dir;
	e->isn[dir] = isn;
	e->has_isn[dir] = true;
	return true;
}

bool
syn_cache_add_syn_ack(
    struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn, uint32_t ack)
{
	struct syn_entry *e = find_entry(cache, hash);
	uint32_t peer_isn = ack - 1;
	bool answers;

	if (e == NULL || (e->has_isn[1 - dir] && e->isn[1 - dir] != peer_isn)) {
		e = fresh_entry(cache, hash, e);
		e->opener = (int8_t)(1 - dir);
	}
	answers = e->syn && !e->syn_ack;
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
	struct syn_entry *e = find_entry(cache, hash);

	if (e != NULL)
		*e = (struct syn_entry){ 0 };
}

const struct syn_entry *
syn_cache_find(struct syn_cache *cache, uint64_t hash)
{
	return find_entry(cache, hash);
}
