/*
 * table - a report as text: what was observed, a table of clients, the totals.
 */
#ifndef TLSTALLY_REPORT_TABLE_H
#define TLSTALLY_REPORT_TABLE_H

#include "base/buf.h"
#include "report/report.h"
#include "report/terminal.h"

struct report_view {
	struct terminal terminal;
	uint32_t verdicts; /* clients shown: bit 1 << verdict each; 0: all */
	bool quiet;        /* the table alone: no header, reasons and totals */
	bool verbose;      /* rows of the inventory under each client, and all counters */
};

void report_write(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out);

/* What was observed and what was not, as above the table: for another answer to stand under. */
void report_write_coverage(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out);

#endif
