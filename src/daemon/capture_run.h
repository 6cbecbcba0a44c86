/*
 * capture_run - the figures of a running capture: what the stored run says, hour by hour, and the
 * status line.
 *
 * A run is closed every hour and a new one begun, so that the view `coverage` tells of each hour
 * what it saw and what it lost; and where the clock leaps, because it was set or the machine slept,
 * so that no run covers time in which nothing was captured.
 */
#ifndef TLSTALLY_DAEMON_CAPTURE_RUN_H
#define TLSTALLY_DAEMON_CAPTURE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/capture_worker.h"
#include "daemon/store_worker.h"
#include "store/store.h"

struct capture_run; /* opaque */

struct capture_run_options {
	struct capture_worker *const *workers; /* borrowed; those of one interface together */
	size_t worker_count;
	size_t max_flows, max_unsettled, max_held_len; /* the budgets of each */
};

/* `monotonic_us`: of the clock that nobody sets and that stands still while the machine sleeps. */
struct capture_run *capture_run_new(
    const struct capture_run_options *options, int64_t now_us, int64_t monotonic_us);
void capture_run_free(struct capture_run *r);

/* Handshakes and sessions that the owner could not count, since the start. */
void capture_run_set_lost_events(struct capture_run *r, uint64_t count);
/* Lines of the events file that are lost, since the start. */
void capture_run_set_lost_lines(struct capture_run *r, uint64_t count);
/*
 * Takes the figures of the workers and of the store's thread.  Of a run's lost handshakes and
 * sessions the first ones are logged here, as nobody knows when the run can be stored.  So is an
 * interface that two of the configuration's names have come to mean.
 */
void capture_run_update(struct capture_run *r, const struct store_worker_state *store,
    int64_t now_us, int64_t monotonic_us);
/*
 * The run as of the last update is in the store's hands: when its hour is over, or the clock has
 * leapt, the next one begins, and losses worth a word are logged.
 */
void capture_run_pushed(struct capture_run *r);
/* The run as it is to be stored; borrowed until the next update. */
const struct store_run *capture_run_get(const struct capture_run *r);
/* Whether the clock has: nothing later is covered before capture_run_pushed begins the next run. */
bool capture_run_has_leapt(const struct capture_run *r);
/* Changes with every new run. */
unsigned capture_run_serial(const struct capture_run *r);
/* Whether so many lost packets are worth a warning: 0.1% of what came. */
bool capture_run_is_loss_worth_a_word(uint64_t lost, uint64_t received);
/* One line with the figures since the start.  `asked`: also where only faults are logged. */
void capture_run_log_status(const struct capture_run *r, bool asked);

#endif
