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

/* What finds it comes first, and lies together. */
struct entry {
	struct entry *next; /* in its bucket */
	uint64_t hash;
	struct name_key key;
	struct entry *older, *newer;
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

static uint64_t
hash_addr(const struct name_cache *cache, uint64_t hash, const struct addr *a)
{
	uint64_t words[2];

	memcpy(words, a->bytes, sizeof(words));
	return hash_words(&cache->hash_key, hash ^ words[0], words[1]);
}

static uint64_t
hash_of(const struct name_cache *cache, const struct name_key *key)
{
	uint64_t mac = 0, rest;

	memcpy(&mac, key->mac, sizeof(key->mac));
	rest = (uint64_t)key->kind << 32 | (uint64_t)key->port << 16 |
	       (uint64_t)key->a.family << 8 | key->b.family;
	return hash_addr(
	    cache, hash_addr(cache, hash_words(&cache->hash_key, mac, rest), &key->a), &key->b);
}

static struct entry **
bucket_of(const struct name_cache *cache, uint64_t hash)
{
	return &cache->buckets[hash & (cache->bucket_count - 1)];
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
	struct entry *e = *bucket_of(cache, hash);

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
		struct entry **bucket = bucket_of(cache, e->hash);

		e->next = *bucket;
		*bucket = e;
	}
}

static void
evict_oldest(struct name_cache *cache)
{
	struct entry *e = cache->oldest;
	struct entry **at = bucket_of(cache, e->hash);

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
entry_of(struct name_cache *cache, const struct name_key *key, uint64_t hash)
{
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
	bucket = bucket_of(cache, hash);
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
add_name(struct name_cache *cache, struct entry *e, const struct name_lesson *l)
{
	struct slot *slot = &e->slots[SLOTS - 1];

	if (slot->name != NULL && slot->last_us > l->time_us)
		return;
	cache->bytes += l->name.len;
	cache->bytes -= slot->len;
	free(slot->name);
	*slot = (struct slot){
		.name = xmalloc(l->name.len),
		.len = (uint8_t)l->name.len,
		.rank = l->rank,
		.first_us = l->time_us,
		.last_us = l->time_us,
		.until_us = l->until_us,
	};
	memcpy(slot->name, l->name.data, l->name.len);
}

static void
learn(struct name_cache *cache, const struct name_lesson *l, uint64_t hash)
{
	struct entry *e = entry_of(cache, &l->key, hash);
	unsigned i = 0;

	while (i < SLOTS && !(slot_has(&e->slots[i], l->name) && e->slots[i].rank == l->rank))
		i++;
	if (i == SLOTS) {
		add_name(cache, e, l);
	} else {
		struct slot *s = &e->slots[i];

		s->first_us = l->time_us < s->first_us ? l->time_us : s->first_us;
		s->last_us = l->time_us > s->last_us ? l->time_us : s->last_us;
		s->until_us = l->until_us > s->until_us ? l->until_us : s->until_us;
	}
	if (e->slots[1].name != NULL &&
	    (e->slots[0].name == NULL || e->slots[1].last_us >= e->slots[0].last_us))
		swap_slots(e);
	while (cache->bytes > cache->max_bytes && cache->oldest != cache->newest)
		evict_oldest(cache);
}

void
name_cache_learn(struct name_cache *cache, const struct name_lesson *lesson)
{
	learn(cache, lesson, hash_of(cache, &lesson->key));
}

static void
prefetch_entry(const struct entry *e)
{
	if (e == NULL)
		return;
	__builtin_prefetch(e);
	__builtin_prefetch(&e->older, 1);
	__builtin_prefetch(&e->slots[0].until_us, 1);
}

/* What a lesson that was heard before compares and changes around its entry. */
static void
prefetch_neighbours(const struct entry *e, uint64_t hash)
{
	if (e == NULL || e->hash != hash)
		return;
	__builtin_prefetch(e->slots[0].name);
	if (e->older != NULL)
		__builtin_prefetch(&e->older->newer, 1);
	if (e->newer != NULL)
		__builtin_prefetch(&e->newer->older, 1);
}

/* Each pass asks the memory for what the next one needs: so it is waited for once, not each time.
 */
static void
learn_batch(struct name_cache *cache, const struct name_lesson *lessons, size_t count)
{
	uint64_t hashes[NAME_LESSONS_MAX];

	for (size_t i = 0; i < count; i++) {
		hashes[i] = hash_of(cache, &lessons[i].key);
		__builtin_prefetch(bucket_of(cache, hashes[i]));
	}
	for (size_t i = 0; i < count; i++)
		prefetch_entry(*bucket_of(cache, hashes[i]));
	for (size_t i = 0; i < count; i++)
		prefetch_neighbours(*bucket_of(cache, hashes[i]), hashes[i]);
	for (size_t i = 0; i < count; i++)
		learn(cache, &lessons[i], hashes[i]);
}

void
name_cache_learn_many(struct name_cache *cache, const struct name_lesson *lessons, size_t count)
{
	for (size_t i = 0; i < count; i += NAME_LESSONS_MAX)
		learn_batch(cache, lessons + i,
		    count - i < NAME_LESSONS_MAX ? count - i : NAME_LESSONS_MAX);
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
