/*
 * devices - what the commands that show clients add from this system: the vendors' registry and the
 * user's own list of names (--names).
 */
#ifndef TLSTALLY_APP_DEVICES_H
#define TLSTALLY_APP_DEVICES_H

#include "report/report.h"

struct devices_options {
	const char *names;    /* --names; NULL: none */
	bool resolve;         /* --resolve: reverse DNS for those who have no name yet */
	const char *resolver; /* --resolver; NULL: those of the system */
};

/* Takes the value of --resolver.  Returns -1 after it has logged that it is no address. */
int devices_set_resolver(struct devices_options *options, const char *text);

/*
 * `names`: a file as in report/owners.h.  Returns 0, or -1 when it could not be read,
 * or not all of it: each bad line is logged with its number, the others count.
 */
int devices_join(struct report *r, const struct devices_options *options);

#endif
