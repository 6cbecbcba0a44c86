/* Open addressing: a slot keeps its hash, so that a search seldom looks at a wrong cell. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "names/name_cache_internal.h"

#include "base/banned.h"

#define FIRST_SLOTS 1024

static size_t
slot_count(const struct name_index *index)
{
	return (size_t)index->mask + 1;
}

static void
make_slots(struct name_index *index, size_t count)
{
	index->slots = xreallocarray(NULL, count, sizeof(*index->slots));
	memset(index->slots, 0xff, count * sizeof(*index->slots));
	index->mask = (uint32_t)(count - 1); /* cells are numbered in 32 bits */
}

void
name_index_init(struct name_index *index)
{
	make_slots(index, FIRST_SLOTS);
	index->used = 0;
}

void
name_index_release(struct name_index *index)
{
	free(index->slots);
	*index = (struct name_index){ 0 };
}

static void
put(struct name_index *index, struct name_index_slot slot)
{
	uint32_t at = slot.hash & index->mask;

	while (index->slots[at].cell != NAME_CELL_NONE)
		at = (at + 1) & index->mask;
	index->slots[at] = slot;
}

static void
grow(struct name_index *index)
{
	struct name_index_slot *old = index->slots;
	size_t old_count = slot_count(index);

	make_slots(index, old_count * 2);
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].cell != NAME_CELL_NONE)
			put(index, old[i]);
	}
	free(old);
}

void
name_index_add(struct name_index *index, uint64_t hash, uint32_t cell)
{
	/* Never more than three quarters full, so that a search ends. */
	if (++index->used * 4 >= slot_count(index) * 3)
		grow(index);
	put(index, (struct name_index_slot){ (uint32_t)hash, cell });
}

/*
 * Moves up the slots that a search would not reach beyond an empty one (Knuth, volume 3, 6.4,
 * algorithm R).
 */
static void
close_gap(struct name_index *index, uint32_t gap)
{
	for (uint32_t at = (gap + 1) & index->mask; index->slots[at].cell != NAME_CELL_NONE;
	     at = (at + 1) & index->mask) {
		uint32_t home = index->slots[at].hash & index->mask;

		if (((at - home) & index->mask) < ((at - gap) & index->mask))
			continue;
		index->slots[gap] = index->slots[at];
		gap = at;
	}
	index->slots[gap].cell = NAME_CELL_NONE;
}

void
name_index_remove(struct name_index *index, uint64_t hash, uint32_t cell)
{
	uint32_t at = (uint32_t)hash & index->mask;

	while (index->slots[at].cell != cell)
		at = (at + 1) & index->mask;
	close_gap(index, at);
	index->used--;
}

size_t
name_index_bytes(const struct name_index *index)
{
	return slot_count(index) * sizeof(*index->slots);
}
