#include "app/heap.h"

#include <malloc.h>

#include "base/banned.h"

void
heap_keep_large_tables_off(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	/* Less than such a table, which would be put there, and cleared. */
	(void)mallopt(M_TOP_PAD, 64 * 1024);
#endif
}

void
heap_share(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TOP_PAD, 1024 * 1024);
#endif
}

void
heap_give_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
