/*
 * service_manager - what systemd is told of the daemon, and asks of it.
 *
 * libsystemd is loaded only where systemd started the daemon: it takes longer to load than a small
 * capture takes to be read, which does without.
 *
 * Source:  sd_notify(3), sd_watchdog_enabled(3).
 */
#ifndef TLSTALLY_DAEMON_SERVICE_MANAGER_H
#define TLSTALLY_DAEMON_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Before privileges are dropped; -1: systemd waits for what it cannot be told, and `err` says why.
 * Nobody is told anything, and nobody asks, before that.
 */
int service_manager_find(struct error *err);
/* "READY=1" and the like; of no effect where there is no systemd. */
void service_manager_tell(const char *state);
/* Within that time it wants to hear WATCHDOG=1 again and again; false: it does not ask. */
bool service_manager_asks(uint64_t *limit_us);

#endif
