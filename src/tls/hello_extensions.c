#include "tls/hello_internal.h"

#include "base/banned.h"

/* Returns what is left behind the last extension that is whole. */
static struct span
walk(struct span block, hello_extension_fn *fn, void *arg)
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

enum parse
hello_read_extensions(
    struct hello_reader *r, struct span *out, bool *whole, hello_extension_fn *fn, void *arg)
{
	uint16_t len;

	/* RFC 8446, section 4.1.2: TLS 1.2 and below may leave the block out. */
	if (span_is_empty(r->rest) && r->whole) {
		*whole = true;
		return PARSE_DONE;
	}
	if (!span_read_u16(&r->rest, &len))
		return hello_reader_short(r);
	if (!span_read_span(&r->rest, len, out)) {
		if (r->whole)
			return PARSE_BAD;
		*out = r->rest;
		(void)walk(r->rest, fn, arg);
		return PARSE_MORE;
	}
	if (!span_is_empty(walk(*out, fn, arg)))
		return PARSE_BAD;
	*whole = true;
	if (!span_is_empty(r->rest))
		return PARSE_BAD;
	return r->whole ? PARSE_DONE : PARSE_MORE;
}
