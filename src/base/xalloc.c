#include "base/xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static void *
or_end(void *memory, size_t len)
{
	if (memory == NULL) {
		(void)fprintf(
		    stderr, "tlstally: out of memory: %zu bytes were not to be had\n", len);
		abort();
	}
	return memory;
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
xcalloc_aligned(size_t len)
{
	void *memory = NULL;

	if (posix_memalign(&memory, CACHE_LINE, len) != 0)
		memory = NULL;
	return memset(or_end(memory, len), 0, len);
}

char *
xstrdup(const char *text)
{
	return or_end(strdup(text), strlen(text) + 1);
}
