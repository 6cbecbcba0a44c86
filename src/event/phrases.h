/*
 * phrases - parts of a line that depend on a few numbers only, kept as they were last written.
 *
 * Each has one place, by a hash of its numbers.  Somebody who makes two of them share a place has
 * both written anew each time, which is what happens to all of them without this.
 */
#ifndef TLSTALLY_EVENT_PHRASES_H
#define TLSTALLY_EVENT_PHRASES_H

#include <assert.h>
#include <string.h>

#include "event/event.h"

/* No phrase is longer.  They are copied in pieces, the last one with what is behind its end. */
#define PHRASE_LEN_MAX 256
#define PHRASE_PIECE_LEN 64

/* All that a phrase tells. */
struct phrase_key {
	uint64_t a, b;
};

struct phrase {
	struct phrase_key key;
	size_t len; /* 0: none yet */
	char text[PHRASE_LEN_MAX];
};

/* Writes a phrase of the event, as at the end of a line; returns where it ends. */
typedef char *phrase_writer(char *out, const struct event *ev);

/* A power of two. */
#define PHRASE_COUNT 128

static inline struct phrase *
phrase_place(struct phrase phrases[PHRASE_COUNT], const struct phrase_key *key)
{
	/* An odd number near 2^64 divided by the golden ratio spreads keys that differ little. */
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t hash = (key->a ^ key->b * factor) * factor;

	return &phrases[hash >> 32 & (PHRASE_COUNT - 1)];
}

/* `out` has room for PHRASE_LEN_MAX bytes. */
static inline char *
phrase_put(struct phrase phrases[PHRASE_COUNT], const struct phrase_key *key, phrase_writer *write,
    const struct event *ev, char *out)
{
	struct phrase *p = phrase_place(phrases, key);

	if (p->len == 0 || p->key.a != key->a || p->key.b != key->b) {
		p->key = *key;
		p->len = (size_t)(write(p->text, ev) - p->text);
		assert(p->len > 0 && p->len <= PHRASE_LEN_MAX);
	}
	for (size_t at = 0; at < p->len; at += PHRASE_PIECE_LEN)
		memcpy(out + at, p->text + at, PHRASE_PIECE_LEN);
	return out + p->len;
}

#endif
