/*
 * json_reader - takes JSON apart, value by value, from the front of a span.
 *
 * A caller that knows the shape asks for what it expects; what it does not know it skips.  Nothing
 * is kept but what the caller takes.
 *
 * Source:  RFC 8259.  Read with tolerance in one place: a number is any run of its characters.
 * Memory:  none of its own; nesting is bounded by JSON_DEPTH_MAX.
 * Threads: any.
 */
#ifndef TLSTALLY_BASE_JSON_READER_H
#define TLSTALLY_BASE_JSON_READER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

#define JSON_DEPTH_MAX 64

enum json_kind { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_WORD, JSON_NOTHING };

/* What comes next, blanks skipped.  JSON_WORD is true, false or null. */
enum json_kind json_peek(struct span *in);

/* False, and `in` stays where it is, when something else comes next. */
bool json_read_begin(struct span *in, enum json_kind object_or_array);

enum json_step {
	JSON_STEP_ITEM, /* the next value is the front of `in` */
	JSON_STEP_END,  /* the object or array is over; `in` stands behind it */
	JSON_STEP_BAD,
};

/* The next member of the object that was begun.  *first: true before the first, then cleared. */
enum json_step json_read_member(struct span *in, bool *first, struct buf *name);
/* The same for an array. */
enum json_step json_read_item(struct span *in, bool *first);

/*
 * A string, unescaped, as UTF-8, where U+0000 and half a surrogate pair appear as \xNN text; or a
 * number or a word as it stands.  Replaces what `out` holds.  *is_null: the word null.  False for
 * an object, an array, or no JSON.
 */
bool json_read_scalar(struct span *in, struct buf *out, bool *is_null);

/* Passes over one value of any kind. */
bool json_skip(struct span *in);

#endif
