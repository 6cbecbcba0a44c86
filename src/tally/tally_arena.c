/* Texts of all lengths, kept until the tally is cleared. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

#define CHUNK_LEN 65536

struct tally_chunk {
	struct tally_chunk *next;
	size_t used;
	char data[CHUNK_LEN];
};

struct tally_text
tally_keep_text(struct tally *t, const char *data, size_t len)
{
	struct tally_chunk *chunk = t->chunks;
	struct tally_text text = { .len = (uint16_t)len };

	if (len == 0)
		return text;
	if (chunk == NULL || CHUNK_LEN - chunk->used < len) {
		chunk = xmalloc(sizeof(*chunk));
		chunk->next = t->chunks;
		chunk->used = 0;
		t->chunks = chunk;
		t->bytes += sizeof(*chunk);
	}
	memcpy(chunk->data + chunk->used, data, len);
	text.data = chunk->data + chunk->used;
	chunk->used += len;
	return text;
}

void
tally_drop_texts(struct tally *t)
{
	while (t->chunks != NULL) {
		struct tally_chunk *next = t->chunks->next;

		free(t->chunks);
		t->chunks = next;
	}
}
