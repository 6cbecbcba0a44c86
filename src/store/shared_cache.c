/*
 * Kinds and stories that were read lately: most rows of a flush share theirs with others.
 *
 * Rows of both tables never change but in how many findings have them, yet a number may be given
 * anew once its row is gone.  So nothing is remembered beyond a removal, nor where another
 * connection has written since.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/client_row.h"

#include "base/banned.h"

#define SLOTS 2048

struct known_kind {
	uint64_t time; /* of the cache; any other: nothing is known here */
	int64_t id;
	struct finding_key key;
};

struct known_story {
	uint64_t time;
	int64_t id;
	struct finding story; /* what is not of the story is not set */
};

/* What was found by its content, whose hash this is. */
struct found {
	uint64_t time;
	uint64_t hash;
	int64_t id;
};

struct shared_cache {
	uint64_t time;
	struct found found[STORE_SHARED_COUNT][SLOTS];
	struct known_kind kinds[SLOTS];
	struct known_story stories[SLOTS];
};

static struct shared_cache *
cache_of(struct store *s)
{
	if (s->cache == NULL) {
		s->cache = xcalloc(1, sizeof(*s->cache));
		s->cache->time = 1;
	}
	return s->cache;
}

void
store_cache_clear(struct store *s)
{
	if (s->cache != NULL)
		s->cache->time++;
}

int
store_cache_refresh(struct store *s, struct error *err)
{
	/* Changes with what others commit, and not with what we do. */
	sqlite3_stmt *st = store_statement(s, STATEMENT_DATA_VERSION, err);
	int64_t version;

	if (st == NULL || store_step_number(s, st, &version, err) != 0)
		return -1;
	if (version != s->data_version) {
		store_cache_clear(s);
		store_clients_forget(s);
	}
	s->data_version = version;
	return store_set_digest_key(s, err);
}

void
store_cache_release(struct store *s)
{
	free(s->cache);
}

/* The row with that number, for the caller to read and reset; NULL: `err` says why. */
static sqlite3_stmt *
look_up(struct store *s, enum store_statement which, int64_t id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, which, err);
	int status;

	if (st == NULL)
		return NULL;
	(void)sqlite3_bind_int64(st, 1, id);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		return st;
	if (status == SQLITE_DONE)
		store_error_damaged(s, err);
	else
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return NULL;
}

static int
finish_reading(struct store *s, sqlite3_stmt *st, bool good, struct error *err)
{
	(void)sqlite3_reset(st);
	if (good)
		return 0;
	store_error_damaged(s, err);
	return -1;
}

const struct finding_key *
store_cached_kind(struct store *s, int64_t id, struct error *err)
{
	struct shared_cache *cache = cache_of(s);
	struct known_kind *known = &cache->kinds[(uint64_t)id % SLOTS];
	sqlite3_stmt *st;

	if (known->time == cache->time && known->id == id)
		return &known->key;
	known->time = 0;
	st = look_up(s, STATEMENT_KIND_READ, id, err);
	if (st == NULL || finish_reading(s, st, store_kind_read(st, 0, &known->key), err) != 0)
		return NULL;
	known->time = cache->time;
	known->id = id;
	return &known->key;
}

const struct finding *
store_cached_story(struct store *s, int64_t id, struct error *err)
{
	struct shared_cache *cache = cache_of(s);
	struct known_story *known = &cache->stories[(uint64_t)id % SLOTS];
	sqlite3_stmt *st;

	if (known->time == cache->time && known->id == id)
		return &known->story;
	known->time = 0;
	st = look_up(s, STATEMENT_STORY_READ, id, err);
	if (st == NULL || finish_reading(s, st, store_story_read(st, 0, &known->story), err) != 0)
		return NULL;
	known->time = cache->time;
	known->id = id;
	return &known->story;
}

int64_t
store_cache_find(struct store *s, enum store_shared which, uint64_t hash)
{
	const struct shared_cache *cache = cache_of(s);
	const struct found *found = &cache->found[which][hash % SLOTS];

	return found->time == cache->time && found->hash == hash ? found->id : 0;
}

void
store_cache_keep(struct store *s, enum store_shared which, uint64_t hash, int64_t id)
{
	struct shared_cache *cache = cache_of(s);

	cache->found[which][hash % SLOTS] = (struct found){ cache->time, hash, id };
}
