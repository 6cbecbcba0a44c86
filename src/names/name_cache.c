#include "names/name_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/shared_names.h"
#include "base/xalloc.h"
#include "names/name_cache_internal.h"

#include "base/banned.h"

struct slot {
	struct shared_name *name; /* held; NULL: empty */
	int64_t first_us, last_us, until_us;
};

#define KEY_NEAR_LEN 14
#define KEY_FAR_LEN (NAME_KEY_PACKED_MAX - KEY_NEAR_LEN)

/* A key with its names, in a pair of cells. */
struct entry {
	struct slot latest;
	uint32_t older, newer; /* by when they were learned */
	uint32_t before;       /* a slot, the name before the latest; NAME_CELL_NONE: none */
	uint32_t far_key;      /* KEY_FAR_LEN bytes; NAME_CELL_NONE: the key is shorter */
	uint8_t latest_rank, before_rank;
	uint8_t key[KEY_NEAR_LEN]; /* the beginning of the packed key */
};

_Static_assert(sizeof(struct entry) <= 2 * NAME_CELL_LEN, "an entry is a pair");
_Static_assert(sizeof(struct slot) <= NAME_CELL_LEN, "a slot is a single");
_Static_assert(KEY_FAR_LEN <= NAME_CELL_LEN, "the rest of a key is one");

struct name_cache {
	size_t max_bytes, count;
	struct hash_key hash_key;
	struct name_index index;
	struct name_cells cells;
	struct shared_names *names;
	uint32_t oldest, newest;
};

struct name_cache *
name_cache_new(size_t max_bytes)
{
	struct name_cache *cache = xcalloc(1, sizeof(*cache));

	cache->max_bytes = max_bytes;
	cache->hash_key = hash_key_random();
	cache->names = shared_names_new();
	cache->oldest = cache->newest = NAME_CELL_NONE;
	name_index_init(&cache->index);
	name_cells_init(&cache->cells);
	return cache;
}

void
name_cache_free(struct name_cache *cache)
{
	if (cache == NULL)
		return;
	name_index_release(&cache->index);
	name_cells_release(&cache->cells);
	shared_names_free(cache->names);
	free(cache);
}

static struct entry *
entry_at(const struct name_cache *cache, uint32_t number)
{
	return name_cell(&cache->cells, number);
}

/* NULL: there is none. */
static struct slot *
before_of(const struct name_cache *cache, const struct entry *e)
{
	return e->before != NAME_CELL_NONE ? name_cell(&cache->cells, e->before) : NULL;
}

static bool
has_key(const struct name_cache *cache, const struct entry *e, const struct name_packed_key *key)
{
	const uint8_t *bytes = name_key_bytes(key);

	return memcmp(e->key, bytes, KEY_NEAR_LEN) == 0 &&
	       (e->far_key == NAME_CELL_NONE || memcmp(name_cell(&cache->cells, e->far_key),
						    bytes + KEY_NEAR_LEN, KEY_FAR_LEN) == 0);
}

static uint32_t
find(const struct name_cache *cache, uint64_t hash, const struct name_packed_key *key)
{
	uint32_t probe = 0, number;

	do {
		number = name_index_next(&cache->index, hash, &probe);
	} while (number != NAME_CELL_NONE && !has_key(cache, entry_at(cache, number), key));
	return number;
}

static void
unlink_age(struct name_cache *cache, const struct entry *e)
{
	if (e->older != NAME_CELL_NONE)
		entry_at(cache, e->older)->newer = e->newer;
	else
		cache->oldest = e->newer;
	if (e->newer != NAME_CELL_NONE)
		entry_at(cache, e->newer)->older = e->older;
	else
		cache->newest = e->older;
}

static void
link_newest(struct name_cache *cache, uint32_t number)
{
	struct entry *e = entry_at(cache, number);

	e->older = cache->newest;
	e->newer = NAME_CELL_NONE;
	if (cache->newest != NAME_CELL_NONE)
		entry_at(cache, cache->newest)->newer = number;
	else
		cache->oldest = number;
	cache->newest = number;
}

static uint64_t
hash_of_entry(const struct name_cache *cache, const struct entry *e)
{
	struct name_packed_key key = { .len = name_key_packed_len(e->key) };
	uint8_t *bytes = (uint8_t *)key.words;

	memcpy(bytes, e->key, KEY_NEAR_LEN);
	if (e->far_key != NAME_CELL_NONE)
		memcpy(bytes + KEY_NEAR_LEN, name_cell(&cache->cells, e->far_key), KEY_FAR_LEN);
	return name_key_hash(&cache->hash_key, &key);
}

static void
evict_oldest(struct name_cache *cache)
{
	uint32_t number = cache->oldest;
	struct entry *e = entry_at(cache, number);
	struct slot *before = before_of(cache, e);

	name_index_remove(&cache->index, hash_of_entry(cache, e), number);
	unlink_age(cache, e);
	shared_name_give_back(cache->names, e->latest.name);
	if (before != NULL) {
		shared_name_give_back(cache->names, before->name);
		name_cells_give_back_single(&cache->cells, e->before);
	}
	if (e->far_key != NAME_CELL_NONE)
		name_cells_give_back_single(&cache->cells, e->far_key);
	name_cells_give_back_pair(&cache->cells, number);
	cache->count--;
}

static struct entry *
make_entry(struct name_cache *cache, uint64_t hash, const struct name_packed_key *key)
{
	uint32_t number = name_cells_take_pair(&cache->cells);
	struct entry *e = entry_at(cache, number);

	*e = (struct entry){ .before = NAME_CELL_NONE, .far_key = NAME_CELL_NONE };
	memcpy(e->key, name_key_bytes(key), KEY_NEAR_LEN);
	if (key->len > KEY_NEAR_LEN) {
		e->far_key = name_cells_take_single(&cache->cells);
		memcpy(name_cell(&cache->cells, e->far_key), name_key_bytes(key) + KEY_NEAR_LEN,
		    KEY_FAR_LEN);
	}
	name_index_add(&cache->index, hash, number);
	link_newest(cache, number);
	cache->count++;
	return e;
}

/* The key's, now the newest. */
static struct entry *
entry_of(struct name_cache *cache, uint64_t hash, const struct name_packed_key *key)
{
	uint32_t number = find(cache, hash, key);

	if (number == NAME_CELL_NONE)
		return make_entry(cache, hash, key);
	if (number != cache->newest) {
		unlink_age(cache, entry_at(cache, number));
		link_newest(cache, number);
	}
	return entry_at(cache, number);
}

static void
fill(struct slot *slot, const struct name_lesson *l, struct shared_name *name)
{
	shared_name_hold(name);
	*slot = (struct slot){ name, l->time_us, l->time_us, l->until_us };
}

static void
extend(struct slot *s, const struct name_lesson *l)
{
	s->first_us = l->time_us < s->first_us ? l->time_us : s->first_us;
	s->last_us = l->time_us > s->last_us ? l->time_us : s->last_us;
	s->until_us = l->until_us > s->until_us ? l->until_us : s->until_us;
}

/* Puts the latest of both names first. */
static void
put_in_order(struct entry *e, struct slot *before)
{
	struct slot latest = e->latest;
	uint8_t rank = e->latest_rank;

	if (before == NULL || before->last_us < latest.last_us)
		return;
	e->latest = *before;
	e->latest_rank = e->before_rank;
	*before = latest;
	e->before_rank = rank;
}

/*
 * A name other than the latest: it takes the place of the one before the latest, if it was learned
 * later.
 */
static void
learn_other(struct name_cache *cache, struct entry *e, const struct name_lesson *l,
    struct shared_name *name)
{
	struct slot *before = before_of(cache, e);

	if (before == NULL) {
		e->before = name_cells_take_single(&cache->cells);
		before = name_cell(&cache->cells, e->before);
	} else if (before->name == name && e->before_rank == l->rank) {
		extend(before, l);
		return;
	} else if (before->last_us > l->time_us) {
		return;
	} else {
		shared_name_give_back(cache->names, before->name);
	}
	fill(before, l, name);
	e->before_rank = l->rank;
}

static size_t
bytes_of(const struct name_cache *cache)
{
	return cache->cells.used * NAME_CELL_LEN + name_index_bytes(&cache->index) +
	       shared_names_bytes(cache->names);
}

static bool
has_name(const struct slot *slot, struct span name)
{
	return slot != NULL && span_equals(shared_name_span(slot->name), name);
}

/* The name, held.  What the key has already is not searched for among all names. */
static struct shared_name *
take_name(struct name_cache *cache, const struct entry *e, struct span name)
{
	const struct slot *before = before_of(cache, e);
	struct shared_name *known = has_name(&e->latest, name) ? e->latest.name
				    : has_name(before, name)   ? before->name
							       : NULL;

	if (known == NULL)
		return shared_name_take(cache->names, name);
	shared_name_hold(known);
	return known;
}

/* `name`: held, or NULL, and then taken here.  Returns it. */
static struct shared_name *
learn(struct name_cache *cache, const struct name_lesson *l, uint64_t hash,
    const struct name_packed_key *key, struct shared_name *name)
{
	struct entry *e = entry_of(cache, hash, key);

	if (name == NULL)
		name = take_name(cache, e, l->name);
	if (e->latest.name == name && e->latest_rank == l->rank) {
		extend(&e->latest, l);
	} else if (e->latest.name == NULL) {
		fill(&e->latest, l, name);
		e->latest_rank = l->rank;
	} else {
		learn_other(cache, e, l, name);
	}
	put_in_order(e, before_of(cache, e));
	while (bytes_of(cache) > cache->max_bytes && cache->oldest != cache->newest)
		evict_oldest(cache);
	return name;
}

/* What a lesson that was heard before reads and writes near its entry. */
static PREFETCHES void
prefetch_around(const struct name_cache *cache, uint32_t number)
{
	const struct entry *e;

	if (number == NAME_CELL_NONE)
		return;
	e = entry_at(cache, number);
	if (e->far_key != NAME_CELL_NONE)
		__builtin_prefetch(name_cell(&cache->cells, e->far_key));
	if (e->before != NAME_CELL_NONE)
		__builtin_prefetch(name_cell(&cache->cells, e->before), 1);
	if (e->older != NAME_CELL_NONE)
		__builtin_prefetch(entry_at(cache, e->older), 1);
	if (e->newer != NAME_CELL_NONE)
		__builtin_prefetch(entry_at(cache, e->newer), 1);
}

/* The entry's names, which the lesson is compared with, and which may be given back. */
static PREFETCHES void
prefetch_names(const struct name_cache *cache, uint32_t number)
{
	const struct entry *e;
	const struct slot *before;

	if (number == NAME_CELL_NONE)
		return;
	e = entry_at(cache, number);
	before = before_of(cache, e);
	__builtin_prefetch(e->latest.name, 1);
	if (before != NULL)
		__builtin_prefetch(before->name, 1);
}

static bool
is_same_span(struct span a, struct span b)
{
	return a.data == b.data && a.len == b.len;
}

/* Each pass prefetches what the next one reads, so that the waits for memory overlap. */
static void
learn_batch(struct name_cache *cache, const struct name_lesson *lessons, size_t count)
{
	struct name_packed_key keys[NAME_LESSONS_MAX];
	uint64_t hashes[NAME_LESSONS_MAX];
	uint32_t numbers[NAME_LESSONS_MAX];
	struct shared_name *name = NULL;

	for (size_t i = 0; i < count; i++) {
		name_key_pack(&lessons[i].key, &keys[i]);
		hashes[i] = name_key_hash(&cache->hash_key, &keys[i]);
		__builtin_prefetch(name_index_home(&cache->index, hashes[i]));
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t probe = 0;

		numbers[i] = name_index_next(&cache->index, hashes[i], &probe);
		if (numbers[i] != NAME_CELL_NONE)
			__builtin_prefetch(entry_at(cache, numbers[i]), 1);
	}
	for (size_t i = 0; i < count; i++)
		prefetch_around(cache, numbers[i]);
	for (size_t i = 0; i < count; i++)
		prefetch_names(cache, numbers[i]);
	for (size_t i = 0; i < count; i++) {
		/* Lessons of one answer share its name. */
		if (i == 0 || !is_same_span(lessons[i].name, lessons[i - 1].name)) {
			shared_name_give_back(cache->names, name);
			name = NULL;
		}
		name = learn(cache, &lessons[i], hashes[i], &keys[i], name);
	}
	shared_name_give_back(cache->names, name);
}

void
name_cache_learn(struct name_cache *cache, const struct name_lesson *lesson)
{
	learn_batch(cache, lesson, 1);
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
	return slot->first_us <= time_us && time_us <= slot->until_us;
}

bool
name_cache_find(const struct name_cache *cache, const struct name_key *key, int64_t time_us,
    bool only, struct span *name, uint8_t *rank)
{
	struct name_packed_key packed;
	const struct entry *e;
	const struct slot *before;
	uint32_t number;
	bool latest_holds, before_holds, tell_latest;

	name_key_pack(key, &packed);
	number = find(cache, name_key_hash(&cache->hash_key, &packed), &packed);
	if (number == NAME_CELL_NONE)
		return false;
	e = entry_at(cache, number);
	before = before_of(cache, e);
	latest_holds = holds(&e->latest, time_us);
	before_holds = before != NULL && holds(before, time_us);
	if ((!latest_holds && !before_holds) || (latest_holds && before_holds && only))
		return false;
	tell_latest = latest_holds && (!before_holds || e->latest_rank <= e->before_rank);
	*name = shared_name_span(tell_latest ? e->latest.name : before->name);
	if (rank != NULL)
		*rank = tell_latest ? e->latest_rank : e->before_rank;
	return true;
}

size_t
name_cache_bytes(const struct name_cache *cache)
{
	return bytes_of(cache);
}

size_t
name_cache_count(const struct name_cache *cache)
{
	return cache->count;
}
