/* Lists that grow, and hash tables of entry numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

#define FIRST_SLOTS 256

static struct tally_slot *
empty_slots(size_t count)
{
	struct tally_slot *slots = xreallocarray(NULL, count, sizeof(*slots));

	memset(slots, 0xff, count * sizeof(*slots));
	return slots;
}

static void
put(struct tally_index *index, struct tally_slot slot)
{
	uint32_t at = slot.hash & index->mask;

	while (index->slots[at].entry != TALLY_NONE)
		at = (at + 1) & index->mask;
	index->slots[at] = slot;
}

static void
grow(struct tally_index *index)
{
	struct tally_index old = *index;
	size_t count = (size_t)old.mask + 1;

	index->slots = empty_slots(count * 2);
	index->mask = (uint32_t)(count * 2 - 1); /* entries are numbered in 32 bits */
	for (size_t i = 0; i < count; i++) {
		if (old.slots[i].entry != TALLY_NONE)
			put(index, old.slots[i]);
	}
	free(old.slots);
}

void
tally_index_init(struct tally_index *index)
{
	*index = (struct tally_index){ .slots = empty_slots(FIRST_SLOTS), .mask = FIRST_SLOTS - 1 };
}

void
tally_index_clear(struct tally_index *index)
{
	if (index->used > 0)
		memset(index->slots, 0xff, ((size_t)index->mask + 1) * sizeof(*index->slots));
	index->used = 0;
}

void
tally_index_add(struct tally_index *index, uint64_t hash, uint32_t entry)
{
	/* Never more than three quarters full, so that a search ends. */
	if (++index->used * 4 >= ((size_t)index->mask + 1) * 3)
		grow(index);
	put(index, (struct tally_slot){ (uint32_t)hash, entry });
}
