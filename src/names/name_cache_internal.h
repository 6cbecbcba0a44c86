/*
 * name_cache_internal - what an entry of the cache is made of, and how it is found.
 *
 * All that entries take comes in pairs of cells, or in halves of them, so that what is given back
 * fits whatever comes next.  A cell has a number: half a pointer.
 */
#ifndef TLSTALLY_NAMES_NAME_CACHE_INTERNAL_H
#define TLSTALLY_NAMES_NAME_CACHE_INTERNAL_H

#include "base/hash.h"
#include "names/name_cache.h"

#define NAME_CELL_LEN 32 /* half a cache line */
#define NAME_CELL_NONE UINT32_MAX

/* name_key.c: a key in as few bytes as it needs; the first two tell which parts follow. */
#define NAME_KEY_PACKED_MAX 42
#define NAME_KEY_WORDS 6 /* in pairs, for hash_words */

struct name_packed_key {
	size_t len;
	uint64_t words[NAME_KEY_WORDS]; /* zero behind `len` bytes */
};

void name_key_pack(const struct name_key *key, struct name_packed_key *out);
/* Of a packed key that begins with these two bytes. */
size_t name_key_packed_len(const uint8_t *bytes);
uint64_t name_key_hash(const struct hash_key *hash_key, const struct name_packed_key *key);

static inline const uint8_t *
name_key_bytes(const struct name_packed_key *key)
{
	return (const uint8_t *)key->words;
}

/* name_cells.c */
#define NAME_CELLS_PER_PIECE 2048

struct name_cells {
	uint8_t **pieces; /* owned, each begins a cache line */
	size_t piece_count;
	uint32_t fresh; /* the first that was never in use */
	/* The last ones that were given back; NAME_CELL_NONE: none. */
	uint32_t unused_pair, unused_single;
	size_t used; /* with singles that are unused: they fit no pair any more */
};

void name_cells_init(struct name_cells *cells);
void name_cells_release(struct name_cells *cells);
/*
 * Two cells that are one cache line; returns the first one's number.  Their content is undefined.
 */
uint32_t name_cells_take_pair(struct name_cells *cells);
void name_cells_give_back_pair(struct name_cells *cells, uint32_t number);
uint32_t name_cells_take_single(struct name_cells *cells);
void name_cells_give_back_single(struct name_cells *cells, uint32_t number);

/* A cell stays where it is. */
static inline void *
name_cell(const struct name_cells *cells, uint32_t number)
{
	return cells->pieces[number / NAME_CELLS_PER_PIECE] +
	       (size_t)(number % NAME_CELLS_PER_PIECE) * NAME_CELL_LEN;
}

/* name_index.c: cells by their hash, in open addressing. */
struct name_index_slot {
	uint32_t hash;
	uint32_t cell; /* NAME_CELL_NONE: empty */
};

struct name_index {
	struct name_index_slot *slots; /* owned */
	uint32_t mask;
	size_t used;
};

void name_index_init(struct name_index *index);
void name_index_release(struct name_index *index);
void name_index_add(struct name_index *index, uint64_t hash, uint32_t cell);
/* It is there. */
void name_index_remove(struct name_index *index, uint64_t hash, uint32_t cell);
size_t name_index_bytes(const struct name_index *index);

static inline const struct name_index_slot *
name_index_home(const struct name_index *index, uint64_t hash)
{
	return &index->slots[(uint32_t)hash & index->mask];
}

/* The cells that may have this hash, one a call; NAME_CELL_NONE: no more.  `probe` starts as 0. */
static inline uint32_t
name_index_next(const struct name_index *index, uint64_t hash, uint32_t *probe)
{
	for (;;) {
		const struct name_index_slot *slot =
		    &index->slots[((uint32_t)hash + *probe) & index->mask];

		if (slot->cell == NAME_CELL_NONE)
			return NAME_CELL_NONE;
		(*probe)++;
		if (slot->hash == (uint32_t)hash)
			return slot->cell;
	}
}

#endif
