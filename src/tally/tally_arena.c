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

bool
tally_text_fits(const struct tally *t, size_t len)
{
	return len == 0 || (t->chunks != NULL && CHUNK_LEN - t->chunks->used >= len);
}

/* Where a text stands among the recent ones: each has one place, the next that needs it wins. */
static struct tally_text *
recent_place(struct tally *t, const char *data, size_t len)
{
	uint64_t hash = hash_quick(&t->key, data, len);

	return &t->recent[hash % TALLY_RECENT_COUNT];
}

struct tally_text
tally_keep_text(struct tally *t, const char *data, size_t len)
{
	struct tally_text text = { .data = "", .len = (uint16_t)len }, *recent;
	struct tally_chunk *chunk = t->chunks;

	if (len == 0)
		return text;
	recent = recent_place(t, data, len);
	if (recent->len == len && memcmp(recent->data, data, len) == 0)
		return *recent;
	if (!tally_text_fits(t, len)) {
		chunk = xmalloc(sizeof(*chunk));
		chunk->next = t->chunks;
		chunk->used = 0;
		t->chunks = chunk;
		t->bytes += sizeof(*chunk);
	}
	memcpy(chunk->data + chunk->used, data, len);
	text.data = chunk->data + chunk->used;
	chunk->used += len;
	*recent = text;
	return text;
}

void
tally_drop_texts(struct tally *t)
{
	memset(t->recent, 0, sizeof(t->recent));
	while (t->chunks != NULL) {
		struct tally_chunk *next = t->chunks->next;

		free(t->chunks);
		t->chunks = next;
	}
}
