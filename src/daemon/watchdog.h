/*
 * watchdog - tells systemd that the daemon is alive, but only while each of its threads is.
 *
 * A capture thread shows it by the time of its latest snapshot, the store's thread by coming back
 * from the database.  A slow disk is no reason to start anew, so the latter has longer.
 */
#ifndef TLSTALLY_DAEMON_WATCHDOG_H
#define TLSTALLY_DAEMON_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/capture_worker.h"
#include "daemon/store_worker.h"

/* So long a thread may be silent. */
#define WATCHDOG_CAPTURE_PATIENCE_US INT64_C(10000000)
#define WATCHDOG_STORE_PATIENCE_US INT64_C(300000000)

struct watchdog {
	struct capture_worker *const *workers; /* borrowed */
	size_t worker_count;
	struct store_worker *store; /* borrowed */
	bool silent;                /* a thread hangs, which was logged */
};

/* How often watchdog_tick is to be called; 0: systemd does not ask. */
int64_t watchdog_interval_us(void);
/* For a timer: `watchdog` is a struct watchdog. */
void watchdog_tick(void *watchdog);

/* Whether a thread that last showed itself at `beat_us` is alive at `now_us`; 0: it rests. */
bool watchdog_is_alive(int64_t now_us, int64_t beat_us, int64_t patience_us);

#endif
