/*
 * buf - bytes that grow, for output.
 *
 * Memory: owns its bytes; `buf_release` frees them, `buf_clear` keeps the room for the next use.
 */
#ifndef TLSTALLY_BASE_BUF_H
#define TLSTALLY_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/span.h"

struct buf {
	char *data; /* NULL while empty; not NUL-terminated: see buf_text */
	size_t len;
	size_t room;
};

void buf_release(struct buf *b);
void buf_clear(struct buf *b);
void buf_grow(struct buf *b, size_t len); /* room for `len` more bytes: buf_reserve */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_char(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t value);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `len` more bytes and returns where they go; `b->len` is the caller's to raise. */
static inline char *
buf_reserve(struct buf *b, size_t len)
{
	if (b->room - b->len < len)
		buf_grow(b, len);
	return b->data + b->len;
}

/* A text whose length the compiler knows is copied by a few moves, with no branch on it. */
static inline void
buf_add_text(struct buf *b, const char *text)
{
	size_t len = strlen(text);

	if (!__builtin_constant_p(len) || len == 0 || len > 32) {
		buf_add(b, text, len);
		return;
	}
	memcpy(buf_reserve(b, len), text, len);
	b->len += len;
}

/* The content with a NUL behind it; borrowed until the next change. */
const char *buf_text(struct buf *b);

#endif
