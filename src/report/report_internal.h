/*
 * report_internal - what report.c and load.c share.
 */
#ifndef TLSTALLY_REPORT_INTERNAL_H
#define TLSTALLY_REPORT_INTERNAL_H

#include "report/report.h"

void report_client_release(struct report_client *c);

#endif
