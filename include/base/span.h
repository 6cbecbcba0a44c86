/*
 * span - a borrowed view of bytes, consumed from the front.
 *
 * The only way in which captured bytes are touched.  A read fits whole, or returns false and leaves
 * the span and the output alone, so a copy of a span is a look-ahead or a retry.
 *
 * Memory:  owns nothing; the bytes must outlive the span.
 * Threads: a value; any.
 */
#ifndef TLSTALLY_BASE_SPAN_H
#define TLSTALLY_BASE_SPAN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK __attribute__((warn_unused_result))

struct span {
	const uint8_t *data;
	size_t len;
};

/* Three answers of a parser to which bytes come piecemeal. */
enum parse {
	PARSE_DONE,
	PARSE_MORE, /* well-formed so far, but ends too early; nothing consumed */
	PARSE_BAD,
};

static inline struct span
span_from(const void *data, size_t len)
{
	return (struct span){ .data = data, .len = len };
}

static inline struct span
span_from_text(const char *text)
{
	return span_from(text, strlen(text));
}

static inline bool
span_is_empty(struct span s)
{
	return s.len == 0;
}

static inline bool
span_equals(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* At most the first `len` bytes. */
static inline struct span
span_first(struct span s, size_t len)
{
	return span_from(s.data, s.len < len ? s.len : len);
}

MUST_CHECK static inline bool
span_skip(struct span *s, size_t len)
{
	if (s->len < len)
		return false;
	s->data += len;
	s->len -= len;
	return true;
}

MUST_CHECK static inline bool
span_read_span(struct span *s, size_t len, struct span *out)
{
	if (s->len < len)
		return false;
	*out = span_from(s->data, len);
	s->data += len;
	s->len -= len;
	return true;
}

MUST_CHECK static inline bool
span_peek_u8(struct span s, uint8_t *out)
{
	if (s.len < 1)
		return false;
	*out = s.data[0];
	return true;
}

MUST_CHECK static inline bool
span_read_u8(struct span *s, uint8_t *out)
{
	if (s->len < 1)
		return false;
	*out = s->data[0];
	s->data += 1;
	s->len -= 1;
	return true;
}

/* For those who know that the bytes are there.  Compilers make one load of it, and no more. */
static inline uint16_t
bytes_u16(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return be16toh(value);
}

static inline uint32_t
bytes_u32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return be32toh(value);
}

/* Network byte order, as all reads without a suffix. */
MUST_CHECK static inline bool
span_read_u16(struct span *s, uint16_t *out)
{
	if (s->len < 2)
		return false;
	*out = bytes_u16(s->data);
	s->data += 2;
	s->len -= 2;
	return true;
}

MUST_CHECK static inline bool
span_read_u24(struct span *s, uint32_t *out)
{
	if (s->len < 3)
		return false;
	*out = (uint32_t)s->data[0] << 16 | (uint32_t)s->data[1] << 8 | s->data[2];
	s->data += 3;
	s->len -= 3;
	return true;
}

MUST_CHECK static inline bool
span_read_u32(struct span *s, uint32_t *out)
{
	if (s->len < 4)
		return false;
	*out = bytes_u32(s->data);
	s->data += 4;
	s->len -= 4;
	return true;
}

/* A vector with its length in front: `out` is the content, and cannot be read past its end. */
MUST_CHECK static inline bool
span_read_vec8(struct span *s, struct span *out)
{
	struct span copy = *s;
	uint8_t len;

	if (!span_read_u8(&copy, &len) || !span_read_span(&copy, len, out))
		return false;
	*s = copy;
	return true;
}

MUST_CHECK static inline bool
span_read_vec16(struct span *s, struct span *out)
{
	struct span copy = *s;
	uint16_t len;

	if (!span_read_u16(&copy, &len) || !span_read_span(&copy, len, out))
		return false;
	*s = copy;
	return true;
}

MUST_CHECK static inline bool
span_read_vec24(struct span *s, struct span *out)
{
	struct span copy = *s;
	uint32_t len;

	if (!span_read_u24(&copy, &len) || !span_read_span(&copy, len, out))
		return false;
	*s = copy;
	return true;
}

#endif
