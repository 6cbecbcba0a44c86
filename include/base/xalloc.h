/*
 * xalloc - memory that is there: these do not return NULL but end the program with a message and
 * exit status 1.
 *
 * Memory stays finite through budgets in the callers, not through branches on NULL.
 */
#ifndef TLSTALLY_BASE_XALLOC_H
#define TLSTALLY_BASE_XALLOC_H

#include <stddef.h>

/* Of a function that only prefetches: gcc takes its calls away unless they are inlined early. */
#define PREFETCHES inline __attribute__((always_inline))

void *xmalloc(size_t len) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t len) __attribute__((malloc, returns_nonnull));
/* Room for `count` items of `len` bytes; the product is checked. */
void *xreallocarray(void *old, size_t count, size_t len) __attribute__((returns_nonnull));
/*
 * Room for one more item of `len` bytes behind `count` of them.  `room`: for how many there is
 * some, before and after (0 with `items` NULL); it doubles, so that adding stays cheap.
 */
void *xgrow(void *items, size_t count, size_t *room, size_t len);
/* One zeroed object, aligned to CACHE_LINE: for a type that asks for more than malloc gives. */
#define CACHE_LINE 64
void *xcalloc_aligned(size_t len) __attribute__((returns_nonnull));
/* Of xcalloc_aligned only, or NULL. */
void xfree_aligned(void *object);
/* The same end, where a library has had no memory. */
_Noreturn void xalloc_end(void);
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));

#endif
