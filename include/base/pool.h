/*
 * pool - objects of one size that come and go often.
 *
 * Memory: pieces of 64 KiB, of which nothing is given back before the pool itself is; so at most as
 *         much as the objects that were in use at the same time.  An object costs its own size.
 */
#ifndef TLSTALLY_BASE_POOL_H
#define TLSTALLY_BASE_POOL_H

#include <stddef.h>

struct pool_piece;

/* Embedded; private. */
struct pool {
	size_t item_len;
	void *unused; /* the one that was given back last on top */
	struct pool_piece *pieces;
	size_t fresh; /* items of the latest piece that were never used */
};

/* `item_len`: a pointer's size or more; a multiple of CACHE_LINE gives objects that begin one. */
void pool_init(struct pool *pool, size_t item_len);
/* Frees all objects, given back or not. */
void pool_release(struct pool *pool);
/* Not cleared: what is in it may be left from an earlier use. */
void *pool_take(struct pool *pool);
/* Its bytes behind the size of a pointer stay as they are until the next pool_take. */
void pool_give_back(struct pool *pool, void *item);

#endif
