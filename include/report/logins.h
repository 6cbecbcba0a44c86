/*
 * logins - hours in which a client's sessions look like guessed passwords.
 *
 * What can be seen of guessing is little: under TLS, many sessions that end within seconds with
 * little data; in cleartext, failed logins and with how many different names.  So an hour is
 * compared with what is usual: for the client itself where enough of its hours are known, else for
 * the others in their busiest hour.  Medians, so that one outlier does not hide another.
 *
 * Source: MITRE ATT&CK T1110.003 (password spraying), which this helps to hunt for.
 * Memory: an entry per stored hour, and a pointer per device.
 */
#ifndef TLSTALLY_REPORT_LOGINS_H
#define TLSTALLY_REPORT_LOGINS_H

#include "base/buf.h"
#include "report/report.h"

struct logins_options {
	const struct report *devices; /* whose names count; NULL: those that are stored */
	struct store_filter filter;   /* hours that are told, and counted; what is usual, all say */
	uint64_t min_sessions;        /* short ones in an hour: fewer are none of interest */
	uint64_t factor;              /* so many times what is usual */
	uint64_t min_names;           /* different names with failed logins in an hour */
	bool all;   /* every client's busiest hour, whether it stands out or not */
	bool quiet; /* without the words around it */
};

/* 20 sessions, 5 times, 5 names. */
void logins_options_init(struct logins_options *options);

/* Appends the report, the worst first; *count: hours that stand out. */
int logins_report(struct store *s, const struct logins_options *options, struct buf *out,
    size_t *count, struct error *err);

#endif
