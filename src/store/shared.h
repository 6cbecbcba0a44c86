/*
 * shared - what findings have in common, each stored once: kinds, and stories.
 *
 * shared.c has their rows, shared_cache.c remembers them, and references.c counts who refers to
 * them.
 */
#ifndef TLSTALLY_STORE_SHARED_H
#define TLSTALLY_STORE_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event/finding.h"

struct store; /* store_internal.h */

/* The tables of what findings share. */
enum store_shared { STORE_SHARED_KIND, STORE_SHARED_STORY };
#define STORE_SHARED_COUNT (STORE_SHARED_STORY + 1)

struct store_reference {
	int64_t id, change;
};

struct store_references {
	struct store_reference *items;
	uint32_t *slots; /* 1 + place in `items`; 0: free */
	size_t count, slot_count;
};

/* The number of the kind with that key, whosoever; 0: there is none yet. */
int store_find_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err);
/* The same, and makes it; it is gone again unless store_reference names it. */
int store_keep_kind(struct store *s, const struct finding_key *key, int64_t *id, struct error *err);
/*
 * Makes s->digest_key out of the random name of the database, so that nobody else can choose what
 * collides.  With another key, what is there already would not be found.
 */
int store_set_digest_key(struct store *s, struct error *err);
int store_keep_story(struct store *s, const struct finding *f, int64_t *id, struct error *err);
bool store_same_story(const struct finding *a, const struct finding *b);

/* shared_cache.c */
/* The kind or story with that number, until the next call; NULL: `err` says why. */
const struct finding_key *store_cached_kind(struct store *s, int64_t id, struct error *err);
const struct finding *store_cached_story(struct store *s, int64_t id, struct error *err);
/* The number of a row whose content may have this hash; 0: none was found lately. */
int64_t store_cache_find(struct store *s, enum store_shared which, uint64_t hash);
void store_cache_keep(struct store *s, enum store_shared which, uint64_t hash, int64_t id);
/* When rows may have been removed, by ourselves. */
void store_cache_clear(struct store *s);
/* At the beginning of a transaction, in it: the same, if others have written since. */
int store_cache_refresh(struct store *s, struct error *err);
void store_cache_release(struct store *s);

/* references.c */
/* `change` findings more refer to that row. */
void store_reference(struct store *s, enum store_shared which, int64_t id, int change);
/* Before findings are removed, and before a commit: store_write_rest.  Rows that nobody refers to
 * are gone then. */
int store_references_write(struct store *s, struct error *err);
void store_references_drop(struct store *s);

#endif
