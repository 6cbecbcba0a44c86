/*
 * services - the list of services that are switching old versions off, and those from before a
 * reload as long as a flush may use them.
 */
#ifndef TLSTALLY_DAEMON_SERVICES_H
#define TLSTALLY_DAEMON_SERVICES_H

#include <stddef.h>

#include "policy/switch_off.h"

/* Begins as zeros. */
struct services {
	struct switch_off *current;  /* owned */
	struct switch_off **retired; /* owned, as are the lists */
	size_t retired_count;
};

/* Takes `list` for the current one, which is kept until services_release_retired. */
void services_replace(struct services *s, struct switch_off *list);
void services_release_retired(struct services *s);
void services_release(struct services *s);

#endif
