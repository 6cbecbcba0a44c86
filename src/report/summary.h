/*
 * summary - what stands above and below the table.
 */
#ifndef TLSTALLY_REPORT_SUMMARY_H
#define TLSTALLY_REPORT_SUMMARY_H

#include "report/table.h"

/* What says that a report is of a part: a CSV tells it in no other way. */
#define SUMMARY_SINCE "; since "
#define SUMMARY_UNTIL "; until "
#define SUMMARY_CLIENTS_ONLY "; of the clients asked for only"
#define SUMMARY_VERDICTS_ONLY " Only clients with these verdicts are listed: "

/* What was observed and what was not: a report without it would sell "not seen" as "clean". */
void summary_add_header(const struct report *r, const struct report_options *options,
    const struct report_view *view, struct buf *out);

/* The sentences of which it is made: from when to when, how much was seen, how much was not. */
void summary_add_period(
    const struct report *r, const struct report_options *options, struct buf *text);
/* False where neither a capture is known nor a client: there is nothing to say of either. */
bool summary_has_coverage(const struct report *r);
void summary_add_observed(const struct report *r, struct buf *text);
void summary_add_losses(const struct report *r, struct buf *text);
/* The question that the verdicts answer. */
void summary_add_what_if(const struct what_if *question, struct buf *text);
/* Which list of services that switch old versions off was used, and whether it is an old one. */
void summary_add_services(const struct report_options *options, struct buf *text);

/* report_add_coverage, and what it means for a list of clients. */
void summary_add_coverage(
    const struct report *r, const struct report_options *options, struct buf *text);

/* Clients by verdict; `shown_count` of them stand in the table. */
void summary_add_totals(
    const struct report *r, const struct report_view *view, size_t shown_count, struct buf *out);

#endif
