#include "names/name_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define SLOTS 2
#define BUCKETS_MIN 1024

struct slot {
	char *name; /* owned; NULL: empty */
	uint8_t len, rank;
	int64_t first_us, last_us, until_us;
};

struct entry {
	struct entry *next; /* in its bucket */
	struct entry *older, *newer;
	uint64_t hash;
	struct name_key key;
	struct slot slots[SLOTS]; /* the latest first */
};

struct name_cache {
	size_t max_bytes, bytes, count;
	struct hash_key hash_key;
	struct entry **buckets;
	size_t bucket_count; /* a power of two */
	struct entry *oldest, *newest;
};

struct name_cache *
name_cache_new(size_t max_bytes)
{
	struct name_cache *cache = xcalloc(1, sizeof(*cache));

	cache->max_bytes = max_bytes;
	cache->hash_key = hash_key_random();
	cache->bucket_count = BUCKETS_MIN;
	cache->buckets = xcalloc(cache->bucket_count, sizeof(struct entry *));
	return cache;
}

static void
free_entry(struct entry *e)
{
	for (unsigned i = 0; i < SLOTS; i++)
		free(e->slots[i].name);
	free(e);
}

void
name_cache_free(struct name_cache *cache)
{
	struct entry *next;

	if (cache == NULL)
		return;
	for (struct entry *e = cache->oldest; e != NULL; e = next) {
		next = e->newer;
		free_entry(e);
	}
	free(cache->buckets);
	free(cache);
}

/* The key without the holes of its struct. */
static uint64_t
hash_of(const struct name_cache *cache, const struct name_key *key)
{
	uint8_t bytes[1 + 6 + 2 + 17 + 17];

	bytes[0] = key->kind;
	memcpy(bytes + 1, key->mac, 6);
	memcpy(bytes + 7, &key->port, 2);
	bytes[9] = key->a.family;
	memcpy(bytes + 10, key->a.bytes, 16);
	bytes[26] = key->b.family;
	memcpy(bytes + 27, key->b.bytes, 16);
	return hash_bytes(&cache->hash_key, bytes, sizeof(bytes));
}

static bool
keys_equal(const struct name_key *x, const struct name_key *y)
{
	return x->kind == y->kind && x->port == y->port && memcmp(x->mac, y->mac, 6) == 0 &&
	       addr_equals(&x->a, &y->a) && addr_equals(&x->b, &y->b);
}

static struct entry *
find(const struct name_cache *cache, uint64_t hash, const struct name_key *key)
{
	struct entry *e = cache->buckets[hash & (cache->bucket_count - 1)];

	while (e != NULL && (e->hash != hash || !keys_equal(&e->key, key)))
		e = e->next;
	return e;
}

static void
unlink_age(struct name_cache *cache, struct entry *e)
{
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		cache->oldest = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		cache->newest = e->older;
}

static void
link_newest(struct name_cache *cache, struct entry *e)
{
	e->older = cache->newest;
	e->newer = NULL;
	if (cache->newest != NULL)
		cache->newest->newer = e;
	else
		cache->oldest = e;
	cache->newest = e;
}

static void
grow(struct name_cache *cache)
{
	free(cache->buckets);
	cache->bucket_count *= 2;
	cache->buckets = xcalloc(cache->bucket_count, sizeof(struct entry *));
	for (struct entry *e = cache->oldest; e != NULL; e = e->newer) {
		struct entry **bucket = &cache->buckets[e->hash & (cache->bucket_count - 1)];

		e->next = *bucket;
		*bucket = e;
	}
}

static void
evict_oldest(struct name_cache *cache)
{
	struct entry *e = cache->oldest;
	struct entry **at = &cache->buckets[e->hash & (cache->bucket_count - 1)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	unlink_age(cache, e);
	cache->bytes -= sizeof(*e);
	for (unsigned i = 0; i < SLOTS; i++)
		cache->bytes -= e->slots[i].len;
	cache->count--;
	free_entry(e);
}

static struct entry *
entry_of(struct name_cache *cache, const struct name_key *key)
{
	uint64_t hash = hash_of(cache, key);
	struct entry *e = find(cache, hash, key), **bucket;

	if (e != NULL) {
		unlink_age(cache, e);
		link_newest(cache, e);
		return e;
	}
	if (cache->count >= cache->bucket_count)
		grow(cache);
	e = xcalloc(1, sizeof(*e));
	e->hash = hash;
	e->key = *key;
	bucket = &cache->buckets[hash & (cache->bucket_count - 1)];
	e->next = *bucket;
	*bucket = e;
	link_newest(cache, e);
	cache->bytes += sizeof(*e);
	cache->count++;
	return e;
}

static bool
slot_has(const struct slot *slot, struct span name)
{
	return slot->name != NULL && slot->len == name.len &&
	       memcmp(slot->name, name.data, name.len) == 0;
}

static void
swap_slots(struct entry *e)
{
	struct slot first = e->slots[0];

	e->slots[0] = e->slots[1];
	e->slots[1] = first;
}

/* In place of the name that was learned longest ago. */
static void
add_name(struct name_cache *cache, struct entry *e, struct span name, uint8_t rank, int64_t time_us,
    int64_t until_us)
{
	struct slot *slot = &e->slots[SLOTS - 1];

	if (slot->name != NULL && slot->last_us > time_us)
		return;
	cache->bytes += name.len;
	cache->bytes -= slot->len;
	free(slot->name);
	*slot = (struct slot){
		.name = xmalloc(name.len),
		.len = (uint8_t)name.len,
		.rank = rank,
		.first_us = time_us,
		.last_us = time_us,
		.until_us = until_us,
	};
	memcpy(slot->name, name.data, name.len);
}

void
name_cache_learn(struct name_cache *cache, const struct name_key *key, struct span name,
    uint8_t rank, int64_t time_us, int64_t until_us)
{
	struct entry *e = entry_of(cache, key);
	unsigned i = 0;

	while (i < SLOTS && !(slot_has(&e->slots[i], name) && e->slots[i].rank == rank))
		i++;
	if (i == SLOTS) {
		add_name(cache, e, name, rank, time_us, until_us);
	} else {
		struct slot *s = &e->slots[i];

		s->first_us = time_us < s->first_us ? time_us : s->first_us;
		s->last_us = time_us > s->last_us ? time_us : s->last_us;
		s->until_us = until_us > s->until_us ? until_us : s->until_us;
	}
	if (e->slots[1].name != NULL &&
	    (e->slots[0].name == NULL || e->slots[1].last_us >= e->slots[0].last_us))
		swap_slots(e);
	while (cache->bytes > cache->max_bytes && cache->oldest != cache->newest)
		evict_oldest(cache);
}

static bool
holds(const struct slot *slot, int64_t time_us)
{
	return slot->name != NULL && slot->first_us <= time_us && time_us <= slot->until_us;
}

bool
name_cache_find(const struct name_cache *cache, const struct name_key *key, int64_t time_us,
    bool only, struct span *name, uint8_t *rank)
{
	const struct entry *e = find(cache, hash_of(cache, key), key);
	const struct slot *best;
	bool first, second;

	if (e == NULL)
		return false;
	first = holds(&e->slots[0], time_us);
	second = holds(&e->slots[1], time_us);
	if ((!first && !second) || (first && second && only))
		return false;
	best = first ? &e->slots[0] : &e->slots[1];
	if (first && second && e->slots[1].rank < e->slots[0].rank)
		best = &e->slots[1];
	*name = span_from(best->name, best->len);
	if (rank != NULL)
		*rank = best->rank;
	return true;
}

size_t
name_cache_bytes(const struct name_cache *cache)
{
	return cache->bytes;
}

size_t
name_cache_count(const struct name_cache *cache)
{
	return cache->count;
}
