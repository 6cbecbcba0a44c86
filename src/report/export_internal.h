/*
 * export_internal - what the formats of an export share: the fields and their order.
 *
 * A format brings a visitor; the fields of a client or a row are handed to it one by one, so all
 * formats have the same ones under the same names.
 */
#ifndef TLSTALLY_REPORT_EXPORT_INTERNAL_H
#define TLSTALLY_REPORT_EXPORT_INTERNAL_H

#include "report/export.h"

struct export_visitor {
	/* `value` NULL: not known. */
	void (*text)(void *arg, const char *name, const char *value);
	void (*number)(void *arg, const char *name, uint64_t value);
	void *arg;
};

/* Who it is. */
void export_visit_identity(const struct report_client *c, const struct export_visitor *v);
/* Row `index` of the client: the columns of the view `inventory` but sensor and client. */
void export_visit_row(const struct report_client *c, size_t index, const struct export_visitor *v);
/* What is known of the client over all of its rows. */
void export_visit_summary(const struct report_client *c, const struct export_visitor *v);

/*
 * Whether a CSV has an apostrophe in front of the text, because a spreadsheet would take it for a
 * formula.  Some pass over blanks in front, and some take the wide forms of the signs (U+FF0B,
 * U+FF0D, U+FF1D, U+FF20) as well.  One with apostrophes of its own in front gets one more, so that
 * who reads the CSV can tell.
 */
bool export_is_defused(const char *text);
/*
 * The same of what stands behind a semicolon.  A spreadsheet of a country with a decimal comma
 * begins a new cell there, as the quote in front of it is in the middle of one; a quote behind the
 * semicolon it takes for the cell's own.
 */
bool export_is_defused_inside(const char *text);

bool export_is_shown(const struct export_view *view, const struct report_client *c);

void export_write_csv(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out);
void export_write_json(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out);
void export_write_ndjson(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out);
void export_write_html(const struct report *r, const struct report_options *options,
    const struct export_view *view, struct buf *out);

#endif
