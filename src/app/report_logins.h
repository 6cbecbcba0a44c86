/*
 * report_logins - `tlstally report --logins`: the options that are its own.
 */
#ifndef TLSTALLY_APP_REPORT_LOGINS_H
#define TLSTALLY_APP_REPORT_LOGINS_H

#include <stdint.h>

/* A whole number from 1 on; -1 after it was said what is wrong. */
int report_logins_parse(const char *option, const char *text, uint64_t *out);

#endif
