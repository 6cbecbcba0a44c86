/*
 * capture_workers - all workers of a configuration: so many for each interface.
 */
#ifndef TLSTALLY_DAEMON_CAPTURE_WORKERS_H
#define TLSTALLY_DAEMON_CAPTURE_WORKERS_H

#include <stddef.h>

#include "base/error.h"
#include "base/hash.h"
#include "config/config.h"
#include "daemon/capture_worker.h"

/* Begins as { .wake_fd = -1 }. */
struct capture_workers {
	struct capture_worker **items; /* owned; those of one interface together */
	size_t count;
	int wake_fd;              /* owned; can be read when one of them has events */
	struct hash_key name_key; /* of users' names; for all of them */
};

/* Opens the interfaces of `config`, which is borrowed; -1: those that were opened are there. */
int capture_workers_open(struct capture_workers *w, const struct config *config, struct error *err);
int capture_workers_start(struct capture_workers *w, struct error *err);
/* What of the configuration a running worker takes. */
void capture_workers_reload(struct capture_workers *w, const struct config *config);
void capture_workers_release(struct capture_workers *w);

#endif
