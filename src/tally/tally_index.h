/*
 * tally_index - numbers of entries, found by a hash of the entry.
 */
#ifndef TLSTALLY_TALLY_TALLY_INDEX_H
#define TLSTALLY_TALLY_TALLY_INDEX_H

#include <stddef.h>
#include <stdint.h>

/* No entry has this number. */
#define TALLY_NONE UINT32_MAX

/*
 * Open addressing over the numbers of an array's entries.  A slot keeps 32 bits of its entry's
 * hash, so that a search seldom looks at a wrong entry, and the table grows without looking at any.
 */
struct tally_slot {
	uint32_t hash;
	uint32_t entry; /* TALLY_NONE: empty */
};

struct tally_index {
	struct tally_slot *slots;
	uint32_t mask;
	size_t used;
};

void tally_index_init(struct tally_index *index);
void tally_index_clear(struct tally_index *index);
void tally_index_add(struct tally_index *index, uint64_t hash, uint32_t entry);

/*
 * The entries that may have this hash, one a call; TALLY_NONE: no more.  `probe` starts as 0.
 */
static inline uint32_t
tally_index_next(const struct tally_index *index, uint64_t hash, uint32_t *probe)
{
	for (;;) {
		const struct tally_slot *slot =
		    &index->slots[((uint32_t)hash + *probe) & index->mask];

		if (slot->entry == TALLY_NONE)
			return TALLY_NONE;
		(*probe)++;
		if (slot->hash == (uint32_t)hash)
			return slot->entry;
	}
}

#endif
