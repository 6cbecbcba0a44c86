/*
 * store_worker - the database in a thread of its own, so that a slow disk never delays a packet.
 *
 * Takes one job at a time: a full tally and the state of the run.  A job that fails (locked, disk
 * full) is kept and tried again, while new events gather in another tally; each
 * change between working and failing is logged once.  After a flush it removes, a little at a time,
 * what is older than the retention.
 *
 * Threads: the functions are for the owner's thread.
 */
#ifndef TLSTALLY_DAEMON_STORE_WORKER_H
#define TLSTALLY_DAEMON_STORE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/verdict.h"
#include "store/store.h"
#include "tally/tally.h"

struct store_worker; /* opaque */

struct store_worker_options {
	struct store *store; /* the thread's alone from start to join; borrowed */
	int64_t sensor_id;
	size_t max_tally_len;
	struct policy policy;
	int64_t retention_us; /* 0: nothing is removed */
};

struct store_worker_state {
	bool failing;
	int64_t last_latency_us, worst_latency_us; /* of a flush; machine's clock */
	uint64_t flush_count, failure_count;
	int64_t busy_since_us; /* monotonic clock; 0: not in the database now */
};

struct store_worker *store_worker_new(const struct store_worker_options *options);
int store_worker_start(struct store_worker *w, struct error *err);

/* The tally to count into now; another one after each store_worker_push that returns true. */
struct tally *store_worker_tally(struct store_worker *w);
/*
 * Hands the current tally and a copy of `run` to the thread, unless it is still busy: false then,
 * and both go on gathering.  A run with another `serial` than before is a new one.
 */
bool store_worker_push(struct store_worker *w, const struct store_run *run, unsigned serial);
/* Writes everything, waiting up to `patience_us`; then ends the thread.  False: something was lost.
 */
bool store_worker_finish(
    struct store_worker *w, const struct store_run *run, unsigned serial, int64_t patience_us);
void store_worker_free(struct store_worker *w);

/*
 * From the next flush on.  False: a flush is at work now, with what the policy before borrows,
 * which has to stay until a later call returns true, or the thread has ended.
 */
bool store_worker_reload(struct store_worker *w, const struct policy *policy, int64_t retention_us);

void store_worker_get_state(struct store_worker *w, struct store_worker_state *out);

#endif
