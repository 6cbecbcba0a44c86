#include "base/xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

/* Without a core file: passwords from the wire may be in it. */
static _Noreturn void
end(void)
{
	_exit(EXIT_FAILURE);
}

static void *
or_end(void *memory, size_t len)
{
	if (memory == NULL) {
		(void)fprintf(
		    stderr, "tlstally: out of memory: %zu bytes were not to be had\n", len);
		end();
	}
	return memory;
}

void
xalloc_end(void)
{
	(void)fputs("tlstally: out of memory\n", stderr);
	end();
}

void *
xmalloc(size_t len)
{
	return or_end(malloc(len != 0 ? len : 1), len);
}

void *
xcalloc(size_t count, size_t len)
{
	return or_end(calloc(count != 0 ? count : 1, len != 0 ? len : 1), len);
}

void *
xreallocarray(void *old, size_t count, size_t len)
{
	if (len != 0 && count > SIZE_MAX / len)
		return or_end(NULL, SIZE_MAX);
	if (count == 0 || len == 0)
		return or_end(realloc(old, 1), 1);
	return or_end(realloc(old, count * len), count * len);
}

void *
xgrow(void *items, size_t count, size_t *room, size_t len)
{
	if (count < *room)
		return items;
	*room = *room == 0 ? 64 : 2 * *room;
	return xreallocarray(items, *room, len);
}

/*
 * calloc knows which memory is fresh from the system, and so zero: to clear it once more would take
 * time, and make resident what may never be used.  The byte before the object tells how far the
 * object is from the block's beginning.
 */
void *
xcalloc_aligned(size_t len)
{
	uint8_t *block = len > SIZE_MAX - CACHE_LINE ? NULL : calloc(1, len + CACHE_LINE);
	uint8_t *object = or_end(block, len);
	uint8_t distance = (uint8_t)(CACHE_LINE - (uintptr_t)object % CACHE_LINE);

	object += distance;
	object[-1] = distance;
	return object;
}

void
xfree_aligned(void *object)
{
	uint8_t *end = object;

	if (end != NULL)
		free(end - end[-1]);
}

char *
xstrdup(const char *text)
{
	return or_end(strdup(text), strlen(text) + 1);
}
