/*
 * report_internal - what the files that load a report share.
 */
#ifndef TLSTALLY_REPORT_INTERNAL_H
#define TLSTALLY_REPORT_INTERNAL_H

#include "report/report.h"

/* Copies what exports need; `out` is the caller's to release. */
void report_detail_fill(const struct finding *from, struct report_detail *out);
void report_detail_release(struct report_detail *d);

void report_client_release(struct report_client *c);

#endif
