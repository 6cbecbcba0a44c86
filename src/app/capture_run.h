/*
 * capture_run - the figures of a running capture: what the stored run says, hour by hour, and the
 * status line.
 *
 * A run is closed every hour and a new one begun, so that the view `coverage` tells of each hour
 * what it saw and what it lost.
 */
#ifndef TLSTALLY_APP_CAPTURE_RUN_H
#define TLSTALLY_APP_CAPTURE_RUN_H

#include <stdint.h>

#include "app/capture_worker.h"
#include "app/store_worker.h"
#include "store/store.h"

struct capture_run; /* opaque */

/* `workers` is borrowed. */
struct capture_run *capture_run_new(
    struct capture_worker *const *workers, size_t count, int64_t now_us);
void capture_run_free(struct capture_run *r);

/* Events that the owner could not count or write, since the start. */
void capture_run_add_lost(struct capture_run *r, uint64_t count);
/* Takes the workers' figures; begins a new run when the hour is over. */
void capture_run_update(struct capture_run *r, int64_t now_us);
/* The run as it is to be stored; borrowed until the next update. */
const struct store_run *capture_run_get(const struct capture_run *r);
/* Changes with every new run. */
unsigned capture_run_serial(const struct capture_run *r);
/* One line with the figures since the start. */
void capture_run_log_status(const struct capture_run *r, const struct store_worker_state *store);

#endif
