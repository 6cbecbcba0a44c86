/*
 * export - a report for other programs, and as a page: CSV, JSON, NDJSON, HTML.
 *
 * Each begins with its coverage, so that "not in it" cannot be taken for "clean": CSV and NDJSON
 * with a record of its own, the others with a section.  Texts are made printable
 * (policy/printable.h) before they are escaped for the format, so no control character, invalid
 * UTF-8 or sign that changes the direction of text comes through.
 *
 * Source: RFC 4180 (CSV), RFC 8259 (JSON); docs/schema/export.schema.json.
 */
#ifndef TLSTALLY_REPORT_EXPORT_H
#define TLSTALLY_REPORT_EXPORT_H

#include "base/buf.h"
#include "base/record_form.h"
#include "report/report.h"

/* Raised when a field goes or changes its meaning; fields may be added at any time. */
#define EXPORT_SCHEMA_VERSION 1

enum export_format { EXPORT_CSV, EXPORT_JSON, EXPORT_NDJSON, EXPORT_HTML };

struct export_view {
	uint32_t verdicts; /* clients written: bit 1 << verdict each; 0: all */
	int64_t made_us;   /* when it is made: the machine's clock */
};

/* "csv", ...; also the ending of a file's name. */
const char *export_format_name(enum export_format format);
/* False for a text that names none. */
bool export_format_from_text(const char *text, enum export_format *out);

/*
 * As EXPORT_NDJSON, each line in the words of another program with our own record inside
 * (event/event_form.h): the coverage first, then a row per line, at the time it was last seen.
 */
void export_write_as(enum record_form form, const struct report *r,
    const struct report_options *options, const struct export_view *view, struct buf *out);

/* `r` was loaded with keep_rows and keep_details. */
void export_write(enum export_format format, const struct report *r,
    const struct report_options *options, const struct export_view *view, struct buf *out);

#endif
