/*
 * name_cache - names under keys, each with the time in which it holds.
 *
 * A lookup is for a moment: what was learned later does not count, so that the answer does not
 * depend on how far ahead of the asker the learner is.  A key keeps its two latest names: the one
 * that holds, and the one before it, which also tells whether a key has one name only.
 *
 * Memory:  `max_bytes` with all that belongs to it; the entry that was learned longest ago gives
 *          way.  A key takes 64 bytes, 32 more with a second name and 32 with an address of IPv6,
 *          and 11 to 22 for finding it; a name that many keys have is kept once.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_NAMES_NAME_CACHE_H
#define TLSTALLY_NAMES_NAME_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/span.h"

struct name_cache; /* opaque */

struct name_key {
	uint8_t kind; /* the caller's */
	uint8_t mac[6];
	uint16_t port;
	struct addr a, b;
};

/* One thing to learn: `name` (not empty, at most 255 bytes) holds from `time_us` to `until_us`. */
struct name_lesson {
	struct name_key key;
	struct span name; /* borrowed for the call */
	uint8_t rank;     /* of two names at the same moment the lower one holds */
	int64_t time_us, until_us;
};

/* So many are looked up at a time. */
#define NAME_LESSONS_MAX 32

struct name_cache *name_cache_new(size_t max_bytes);
void name_cache_free(struct name_cache *cache);

void name_cache_learn(struct name_cache *cache, const struct name_lesson *lesson);
/* The same for several, in their order; faster than one by one. */
void name_cache_learn_many(
    struct name_cache *cache, const struct name_lesson *lessons, size_t count);
/*
 * The latest name that holds at `time_us`; `only`: none when another one does, too.  Borrowed until
 * the next name_cache_learn.
 */
bool name_cache_find(const struct name_cache *cache, const struct name_key *key, int64_t time_us,
    bool only, struct span *name, uint8_t *rank);

size_t name_cache_bytes(const struct name_cache *cache);
size_t name_cache_count(const struct name_cache *cache);

#endif
