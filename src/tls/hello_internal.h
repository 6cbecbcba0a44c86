/*
 * hello - what the parsers of ClientHello and ServerHello share.
 */
#ifndef TLSTALLY_TLS_HELLO_INTERNAL_H
#define TLSTALLY_TLS_HELLO_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
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

/* Called for each extension that is there whole, in order; the first of a type only. */
typedef void hello_extension_fn(uint16_t type, struct span data, void *arg);

/*
 * The block of extensions that ends a hello, or its absence where the message ends here.  `out` is
 * the block's content, or what is there of it; `whole` is set when nothing of it is missing.
 */
enum parse hello_read_extensions(
    struct hello_reader *r, struct span *out, bool *whole, hello_extension_fn *fn, void *arg);

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

#endif
