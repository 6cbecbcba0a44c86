/*
 * text - the characters of a text, and which of them may be shown as they are.
 *
 * Source: RFC 3629, section 4 (UTF-8); Unicode's controls and format characters.
 */
#ifndef TLSTALLY_BASE_TEXT_H
#define TLSTALLY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/*
 * The length in bytes of the UTF-8 character at the front of `text` (RFC 3629: shortest form, no
 * surrogates), and its code point; 0 where there is none.
 */
size_t text_utf8_char(struct span text, uint32_t *code_point);

/*
 * The length in bytes of the character in front of `text`, which is not empty; 0 for bytes that are
 * no UTF-8, and for what is better not shown: controls (C0, DEL, C1), and what has no width or
 * steers the direction of the text around it.
 */
size_t text_shown_char(struct span text);

/* Printable ASCII only, as nearly all names are: nothing of it has to be shown in another way. */
bool text_is_plain(struct span text);

#endif
