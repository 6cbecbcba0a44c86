/*
 * json - writes JSON (RFC 8259) into a buf.
 *
 * Strings may hold anything: what is not valid UTF-8 appears as "\xNN" text (a backslash, an x, two
 * hexadecimal digits), so every line is valid JSON in UTF-8; the text "\xff" and the byte 0xff look
 * alike.  Control characters, DEL and the C1 controls are \u escapes.
 *
 * A member is separated from the one before by the writer: begin an object, add members, end it.
 */
#ifndef TLSTALLY_BASE_JSON_H
#define TLSTALLY_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

void json_begin_object(struct buf *b);
void json_end_object(struct buf *b);
/* Writes `"name":`, with a comma in front unless it is the object's first member. */
void json_key(struct buf *b, const char *name);
void json_string(struct buf *b, struct span value);
/* The same to `out`, which has room for JSON_STRING_MAX(value.len); returns where it ends. */
char *json_put_string(char *out, struct span value);
#define JSON_STRING_MAX(len) (6 * (len) + 2) /* quotes, and at worst \u00XX for each byte */
void json_member_text(struct buf *b, const char *name, const char *value); /* NULL: null */
void json_member_span(struct buf *b, const char *name, struct span value); /* data NULL: null */
void json_member_u64(struct buf *b, const char *name, uint64_t value);
void json_member_bool(struct buf *b, const char *name, bool value);
void json_member_null(struct buf *b, const char *name);

#endif
