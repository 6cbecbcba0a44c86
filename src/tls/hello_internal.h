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

/* The extensions of interest; all others stand for HELLO_OTHER. */
enum hello_slot {
	HELLO_OTHER,
	HELLO_SERVER_NAME,
	HELLO_SUPPORTED_GROUPS,
	HELLO_EC_POINT_FORMATS,
	HELLO_SIGNATURE_ALGORITHMS,
	HELLO_ALPN,
	HELLO_SESSION_TICKET,
	HELLO_PRE_SHARED_KEY,
	HELLO_EARLY_DATA,
	HELLO_SUPPORTED_VERSIONS,
	HELLO_SLOTS,
};

/* Of types below HELLO_SLOTTED_TYPES, a power of two; those above are of no interest. */
#define HELLO_SLOTTED_TYPES 64u
extern const uint8_t hello_slot_of_type[HELLO_SLOTTED_TYPES];

/* What a walk over a block of extensions finds. */
struct hello_extensions {
	/* The content of each that is there whole; data NULL where it is not. */
	struct span found[HELLO_SLOTS];
	uint16_t *types; /* NULL: not asked for; else all types in order, as many as have room */
	size_t type_count, types_max;
};

/*
 * Returns what is left behind the last extension that is whole.  Which ones come, and in which
 * order, is different from client to client, so it is no branch that tells them apart.
 */
static inline __attribute__((always_inline)) struct span
hello_walk(struct span block, struct hello_extensions *ext)
{
	uint32_t seen = 0; /* a bit for each slot; that of HELLO_OTHER does not count */
	uint16_t type;
	struct span data;

	while (hello_next_extension(&block, &type, &data)) {
		unsigned slot = hello_slot_of_type[type % HELLO_SLOTTED_TYPES];

		/*
		 * RFC 8446, section 4.2: no more than one of a type.  Where there are more, the
		 * first counts.
		 */
		slot &= 0u - (unsigned)(type < HELLO_SLOTTED_TYPES);
		slot &= (seen >> slot & 1) - 1;
		seen |= 1u << slot;
		ext->found[slot] = data;
		if (ext->types != NULL && ext->type_count < ext->types_max)
			ext->types[ext->type_count++] = type;
	}
	return block;
}

/*
 * The block of extensions that ends a hello, or its absence where the message ends here.  `out` is
 * the block's content, or what is there of it; `whole` is set when nothing of it is missing.
 */
static inline __attribute__((always_inline)) enum parse
hello_read_extensions(
    struct hello_reader *r, struct span *out, bool *whole, struct hello_extensions *ext)
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
	*whole = span_is_empty(hello_walk(*out, ext)) && fits;
	if (!fits)
		return PARSE_MORE;
	if (!*whole || !span_is_empty(r->rest))
		return PARSE_BAD;
	return r->whole ? PARSE_DONE : PARSE_MORE;
}

#endif
