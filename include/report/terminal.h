/*
 * terminal - what the place where a report is shown can do.
 */
#ifndef TLSTALLY_REPORT_TERMINAL_H
#define TLSTALLY_REPORT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"

#define TERMINAL_WIDTH_MIN 40

struct terminal {
	size_t width; /* columns; 0: no limit, nothing is wrapped or cut */
	bool colour;
	bool utf8; /* the locale's encoding; otherwise text is ASCII */
};

/*
 * A terminal's own width, else COLUMNS, else 80; colour unless NO_COLOR is set (no-color.org) or
 * TERM is dumb.  A file or pipe has neither limit nor colour.  Uses the locale: setlocale() first.
 */
struct terminal terminal_detect(FILE *stream);

/* Appends printable text (policy/printable.h) in what the terminal can encode. */
void terminal_add_text(const struct terminal *t, struct buf *out, const char *text);

/* Columns that such text takes. */
size_t terminal_text_width(const char *text);
/* How many bytes of it fit in `width` columns, in whole characters. */
size_t terminal_text_fit(const char *text, size_t width);

/*
 * Appends `text` in lines of at most `width` columns (0: one line), each but the first behind
 * `indent` spaces, and a newline.  A word that is too long is broken.
 */
void terminal_add_wrapped(struct buf *out, const char *text, size_t indent, size_t width);

#endif
