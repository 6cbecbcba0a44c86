#include "flow/syn_cache.h"

#include "base/xalloc.h"

#include "base/banned.h"

/* 1 MiB, which stays in a second-level cache. */
#define SETS 8192

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

static struct syn_entry *
find_entry(struct syn_cache *cache, uint64_t hash)
{
	struct syn_set *set = syn_cache_set(cache, hash);
	unsigned way = syn_cache_find_way(set, hash);

	return way < SYN_CACHE_WAYS ? &set->entry[way] : NULL;
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
syn_cache_add_known_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn)
{
	struct syn_set *set = syn_cache_set(cache, hash);
	unsigned way = syn_cache_find_way(set, hash);
	bool is_new;

	if (add_syn_again(&set->entry[way], dir, isn, &is_new))
		return is_new;
	syn_cache_put_syn(cache, hash, way, dir, isn);
	return true;
}

bool
syn_cache_add_syn_ack(
    struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn, uint32_t ack)
{
	struct syn_set *set = syn_cache_set(cache, hash);
	unsigned way = syn_cache_find_way(set, hash);
	uint32_t peer_isn = ack - 1;
	struct syn_entry *e;
	bool answers;

	if (way == SYN_CACHE_WAYS ||
	    (set->entry[way].has_isn[1 - dir] && set->entry[way].isn[1 - dir] != peer_isn)) {
		e = syn_cache_put_entry(cache, set, hash, way);
		*e = (struct syn_entry){ .opener = (int8_t)(1 - dir) };
	} else {
		e = &set->entry[way];
	}
	answers = e->syn && !e->syn_ack;
	set->stamp[e - set->entry] += e->syn_ack ? 0 : SYN_CACHE_ANSWERED_STAYS;
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
	struct syn_set *set = syn_cache_set(cache, hash);
	unsigned way = syn_cache_find_way(set, hash);

	if (way == SYN_CACHE_WAYS)
		return;
	set->tag[way] = set->stamp[way] = 0;
	set->entry[way] = (struct syn_entry){ 0 };
}

const struct syn_entry *
syn_cache_find(struct syn_cache *cache, uint64_t hash)
{
	return find_entry(cache, hash);
}
