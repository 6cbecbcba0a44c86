/*
 * resolve - names of clients by reverse DNS, asked for when a report is made (--resolve).
 *
 * Of those who have no other name, RESOLVE_COUNT_MAX at most, and for RESOLVE_TIME_US at most: a
 * resolver that does not answer delays a report by seconds, not more.
 */
#ifndef TLSTALLY_APP_RESOLVE_H
#define TLSTALLY_APP_RESOLVE_H

#include <stdbool.h>

#include "base/error.h"
#include "report/report.h"

#define RESOLVE_COUNT_MAX 1024
#define RESOLVE_TIME_US INT64_C(5000000)

/* Whether the text is an address, with or without a port. */
bool resolve_is_resolver(const char *text);

/*
 * `resolver`: such a text; NULL: those of /etc/resolv.conf.  Returns -1 when
 * there is none to ask.  *unanswered: questions without an answer when the time was over, and
 * clients beyond the count.
 */
int resolve_clients(struct report *r, const char *resolver, size_t *unanswered, struct error *err);

#endif
