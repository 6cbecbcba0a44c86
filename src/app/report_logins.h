/*
 * report_logins - `tlstally report --logins`: the options that are its own, and the answer.
 */
#ifndef TLSTALLY_APP_REPORT_LOGINS_H
#define TLSTALLY_APP_REPORT_LOGINS_H

#include "report/logins.h"

/* A whole number from 1 on; -1 after it was said what is wrong. */
int report_logins_parse(const char *option, const char *text, uint64_t *out);
/* Opens the database and appends the report to `out`; -1 after it was said what is wrong. */
int report_logins_run(const char *db, const struct logins_options *options, struct buf *out);

#endif
