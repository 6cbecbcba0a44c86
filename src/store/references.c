/* How many findings more, or fewer, each kind and each story has, until it is written. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/store_internal.h"

#include "base/banned.h"

#define FIRST_SLOTS 256

/* Open addressing; numbers of rows stand close together, so a product spreads them. */
static size_t
first_slot(const struct store_references *r, int64_t id)
{
	return (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (r->slot_count - 1);
}

static void
put(struct store_references *r, size_t item)
{
	size_t at = first_slot(r, r->items[item].id);

	while (r->slots[at] != 0)
		at = (at + 1) & (r->slot_count - 1);
	r->slots[at] = (uint32_t)item + 1;
}

/* Room for one more, with the slots at most half full. */
static void
make_room(struct store_references *r)
{
	if (2 * (r->count + 1) <= r->slot_count)
		return;
	r->slot_count = r->slot_count == 0 ? FIRST_SLOTS : 2 * r->slot_count;
	r->items = xreallocarray(r->items, r->slot_count / 2, sizeof(*r->items));
	free(r->slots);
	r->slots = xcalloc(r->slot_count, sizeof(*r->slots));
	for (size_t i = 0; i < r->count; i++)
		put(r, i);
}

void
store_reference(struct store *s, enum store_shared which, int64_t id, int change)
{
	struct store_references *r = &s->references[which];
	size_t at;

	if (r->slot_count == 0)
		make_room(r);
	for (at = first_slot(r, id); r->slots[at] != 0; at = (at + 1) & (r->slot_count - 1)) {
		struct store_reference *known = &r->items[r->slots[at] - 1];

		if (known->id == id) {
			known->change += change;
			return;
		}
	}
	make_room(r);
	r->items[r->count] = (struct store_reference){ id, change };
	put(r, r->count++);
}

static void
drop(struct store_references *r)
{
	free(r->items);
	free(r->slots);
	*r = (struct store_references){ 0 };
}

static int
write_reference(struct store *s, const enum store_statement statements[2],
    const struct store_reference *reference, struct error *err)
{
	/* Adds to the row's number of findings, then removes the row if it has none left. */
	for (size_t i = 0; i < 2; i++) {
		sqlite3_stmt *st;

		if (i == 0 ? reference->change == 0 : reference->change > 0)
			continue;
		st = store_statement(s, statements[i], err);
		if (st == NULL)
			return -1;
		(void)sqlite3_bind_int64(st, 1, reference->id);
		if (i == 0)
			(void)sqlite3_bind_int64(st, 2, reference->change);
		if (store_step(s, st, err) != 0)
			return -1;
		if (i == 1 && sqlite3_changes(s->db) > 0)
			store_cache_clear(s);
	}
	return 0;
}

int
store_references_write(struct store *s, struct error *err)
{
	static const enum store_statement statements[STORE_SHARED_COUNT][2] = {
		[STORE_SHARED_KIND] = { STATEMENT_KIND_COUNT, STATEMENT_KIND_REMOVE },
		[STORE_SHARED_STORY] = { STATEMENT_STORY_COUNT, STATEMENT_STORY_REMOVE },
	};

	for (size_t which = 0; which < STORE_SHARED_COUNT; which++) {
		struct store_references *r = &s->references[which];

		for (size_t i = 0; i < r->count; i++) {
			if (write_reference(s, statements[which], &r->items[i], err) != 0)
				return -1;
		}
		drop(r);
	}
	return 0;
}

void
store_references_drop(struct store *s)
{
	for (size_t i = 0; i < STORE_SHARED_COUNT; i++)
		drop(&s->references[i]);
}
