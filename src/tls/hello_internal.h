/*
 * hello - what the parsers of ClientHello and ServerHello share.
 */
#ifndef TLSTALLY_TLS_HELLO_INTERNAL_H
#define TLSTALLY_TLS_HELLO_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* A handshake message's body while it is read. */
struct hello_reader {
	struct span rest; /* what is there and not yet read */
	bool whole;       /* the message ends where `rest` ends */
};

/* What a read that does not fit means. */
static inline enum parse
hello_reader_short(const struct hello_reader *r)
{
	return r->whole ? PARSE_BAD : PARSE_MORE;
}

/* The next extension of a block; false at its end, and where the rest is no extension. */
MUST_CHECK static inline bool
hello_next_extension(struct span *block, uint16_t *type, struct span *data)
{
	struct span copy = *block;

	if (!span_read_u16(&copy, type) || !span_read_vec16(&copy, data))
		return false;
	*block = copy;
	return true;
}

/* Called for each extension that is there whole, in order; the first of a type only. */
typedef void hello_extension_fn(uint16_t type, struct span data, void *arg);

/* Returns what is left behind the last extension that is whole. */
static inline __attribute__((always_inline)) struct span
hello_walk(struct span block, hello_extension_fn *fn, void *arg)
{
	uint64_t seen = 0;
	uint16_t type;
	struct span data;

	while (hello_next_extension(&block, &type, &data)) {
		/*
		 * RFC 8446, section 4.2: no more than one of a type.  Where there are more, the
		 * first counts.  All types of interest are below 64.
		 */
		if (type >= 64 || (seen >> type & 1) != 0)
			continue;
		seen |= UINT64_C(1) << type;
		fn(type, data, arg);
	}
	return block;
}

/*
 * The block of extensions that ends a hello, or its absence where the message ends here.  `out` is
 * the block's content, or what is there of it; `whole` is set when nothing of it is missing.
 * Inlined, as `fn` is then: half the price for each extension.
 */
static inline __attribute__((always_inline)) enum parse
hello_read_extensions(
    struct hello_reader *r, struct span *out, bool *whole, hello_extension_fn *fn, void *arg)
{
	uint16_t len;
	bool fits;

	/* RFC 8446, section 4.1.2: TLS 1.2 and below may leave the block out. */
	if (span_is_empty(r->rest) && r->whole) {
		*whole = true;
		return PARSE_DONE;
	}
	if (!span_read_u16(&r->rest, &len))
		return hello_reader_short(r);
	fits = span_read_span(&r->rest, len, out);
	if (!fits && r->whole)
		return PARSE_BAD;
	if (!fits)
		*out = r->rest;
	*whole = span_is_empty(hello_walk(*out, fn, arg)) && fits;
	if (!fits)
		return PARSE_MORE;
	if (!*whole || !span_is_empty(r->rest))
		return PARSE_BAD;
	return r->whole ? PARSE_DONE : PARSE_MORE;
}

#endif
