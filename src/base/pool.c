#include "base/pool.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

#define PIECE_LEN ((size_t)64 << 10)

struct pool_piece {
	_Alignas(CACHE_LINE) struct pool_piece *next;
	_Alignas(CACHE_LINE) uint8_t items[];
};

static size_t
items_per_piece(const struct pool *pool)
{
	return (PIECE_LEN - sizeof(struct pool_piece)) / pool->item_len;
}

void
pool_init(struct pool *pool, size_t item_len)
{
	assert(item_len >= sizeof(void *) && item_len <= PIECE_LEN / 2);
	*pool = (struct pool){ .item_len = item_len };
}

void
pool_release(struct pool *pool)
{
	while (pool->pieces != NULL) {
		struct pool_piece *piece = pool->pieces;

		pool->pieces = piece->next;
		xfree_aligned(piece);
	}
	pool_init(pool, pool->item_len);
}

static void *
take_fresh(struct pool *pool)
{
	if (pool->fresh == 0) {
		struct pool_piece *piece = xcalloc_aligned(PIECE_LEN);

		piece->next = pool->pieces;
		pool->pieces = piece;
		pool->fresh = items_per_piece(pool);
	}
	pool->fresh--;
	return pool->pieces->items + pool->fresh * pool->item_len;
}

void *
pool_take(struct pool *pool)
{
	void *item = pool->unused;

	if (item == NULL)
		return take_fresh(pool);
	memcpy(&pool->unused, item, sizeof(pool->unused));
	return item;
}

void
pool_give_back(struct pool *pool, void *item)
{
	memcpy(item, &pool->unused, sizeof(pool->unused));
	pool->unused = item;
}
