/*
 * packed - several rows in one column, as JSON.
 *
 * A list of texts, or an object with names and numbers, which views take apart with json_each; of
 * each text or name they use what stands at fixed places. What is always read and written together
 * costs SQLite one value so.  (json_extract would do for plain numbers, but SQLite up to 3.40 does
 * not let views use it where PRAGMA trusted_schema is off, and it takes three times as long.)
 */
#ifndef TLSTALLY_STORE_PACKED_H
#define TLSTALLY_STORE_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define STORE_PACKED_WIDTH_MAX 19
/* Puts a number that has no more digits, with leading zeros; returns where it ends. */
char *store_packed_put(char *out, uint64_t value, unsigned width);
/* No wider than it is, though eight bytes beyond may be written. */
char *store_packed_put_short(char *out, uint64_t value);
/* The opposite: takes so many digits, STORE_PACKED_WIDTH_MAX at most, off the front; false: there
 * is something else. */
bool store_packed_take(struct span *item, unsigned width, uint64_t *value);
void store_packed_add(struct buf *out, const char *item, size_t len);
/* The same for a name, whose `len` bytes at most go where it says, and the number that it names. */
char *store_packed_begin_named(struct buf *out, size_t len);
void store_packed_end_named(struct buf *out, char *end, uint64_t number);
/* Both, as they stood in such a text. */
void store_packed_add_again(struct buf *out, struct span item);
void store_packed_end(struct buf *out);
/* Takes the next one off.  False: there is none; or, *damaged: this is no such list. */
bool store_packed_next(struct span *text, struct span *item, bool *damaged);
/* *item: all of it, for store_packed_add_again. */
bool store_packed_next_named(
    struct span *text, struct span *item, struct span *name, uint64_t *number, bool *damaged);

#endif
