#include "daemon/store_worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "sink/judge.h"

#include "base/banned.h"

/* A failing database is tried again this often. */
#define RETRY_US INT64_C(2000000)
/* A machine may start with a wrong clock: nothing is removed before there was time to set it. */
#define PRUNE_FIRST_US INT64_C(600000000)
#define PRUNE_EVERY_US INT64_C(3600000000)
/* Rows per transaction: a few milliseconds. */
#define PRUNE_MAX 500

struct store_worker {
	struct store_worker_options options;
	pthread_t thread;
	bool started;
	struct tally *tallies[2];
	unsigned current; /* of the two, that of the owner; the other one is the thread's */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool has_job, stop_asked, ended;
	struct store_run run; /* the thread's copy; its lists are owned */
	unsigned serial;
	int64_t run_id; /* of the run with that serial; 0: not stored yet */
	struct store_worker_state state;
	struct policy new_policy;
	int64_t retention_us;

	/* The thread's own. */
	struct policy policy;
	int64_t next_prune_us;
	int64_t prune_before_us; /* of the sweep that has begun; 0: none has */
	uint64_t pruned_count;   /* since it began */
};

struct store_worker *
store_worker_new(const struct store_worker_options *options)
{
	struct store_worker *w = xcalloc(1, sizeof(*w));
	const struct tally_options tally_options = { .max_bytes = options->max_tally_len };
	pthread_condattr_t attr;

	w->options = *options;
	w->policy = w->new_policy = options->policy;
	w->retention_us = options->retention_us;
	w->next_prune_us = clock_monotonic_us() + PRUNE_FIRST_US;
	store_set_judge(options->store, judge_client, &w->policy);
	for (unsigned i = 0; i < 2; i++)
		w->tallies[i] = tally_new(&tally_options);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return w;
}

static void
release_run(struct store_run *run)
{
	free((void *)(uintptr_t)run->counters);
	free((void *)(uintptr_t)run->sources);
	*run = (struct store_run){ 0 };
}

void
store_worker_free(struct store_worker *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < 2; i++)
		tally_free(w->tallies[i]);
	release_run(&w->run);
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

struct tally *
store_worker_tally(struct store_worker *w)
{
	return w->tallies[w->current];
}

static void
wait_until(struct store_worker *w, int64_t deadline_us)
{
	const struct timespec deadline = {
		.tv_sec = (time_t)(deadline_us / 1000000),
		.tv_nsec = (long)(deadline_us % 1000000 * 1000),
	};

	(void)pthread_cond_timedwait(&w->changed, &w->lock, &deadline);
}

static void
note_result(struct store_worker *w, int result, const struct error *err, int64_t latency_us)
{
	struct store_worker_state *s = &w->state;

	s->flush_count++;
	s->failure_count += result != 0;
	s->last_latency_us = latency_us;
	if (latency_us > s->worst_latency_us)
		s->worst_latency_us = latency_us;
	if (result != 0 && !s->failing)
		log_error("%s; findings are kept in memory until it works again", err->text);
	else if (result == 0 && s->failing)
		log_notice("the database works again");
	s->failing = result != 0;
}

/* A step of a sweep, without the lock.  If it fails, so will the next flush, which tells. */
static void
prune(struct store_worker *w, int64_t retention_us)
{
	struct store *s = w->options.store;
	int64_t *before_us = &w->prune_before_us;
	struct error err;
	size_t count = 0;
	bool more = true;
	int result = 0;

	if (*before_us == 0)
		result = store_prune_limit(s, timestamp_now(), retention_us, before_us, &err);
	if (result == 0 && *before_us == 0)
		more = false;
	else if (result == 0)
		result = store_prune(s, *before_us, PRUNE_MAX, &count, &more, &err);
	if (result != 0)
		log_debug("%s", err.text);
	w->pruned_count += count;
	if (more)
		return;
	if (w->pruned_count > 0)
		log_notice("removed %" PRIu64 " rows that were not seen for store.retention",
		    w->pruned_count);
	w->pruned_count = 0;
	w->prune_before_us = 0;
	w->next_prune_us = clock_monotonic_us() + PRUNE_EVERY_US;
}

/* Called with the lock, which is released while the database works. */
static void
do_job(struct store_worker *w)
{
	struct tally *tally = w->tallies[1 - w->current];
	int64_t start = clock_monotonic_us();
	int64_t retention_us = w->retention_us;
	struct error err = { "" };
	int64_t latency_us;
	int result;

	w->run.id = w->run_id;
	w->policy = w->new_policy;
	w->state.busy_since_us = start;
	(void)pthread_mutex_unlock(&w->lock);
	result = store_flush(w->options.store, w->options.sensor_id, tally, &w->run, &err);
	latency_us = clock_monotonic_us() - start;
	if (result == 0 && retention_us > 0 && start >= w->next_prune_us)
		prune(w, retention_us);
	(void)pthread_mutex_lock(&w->lock);
	w->state.busy_since_us = 0;
	if (result == 0)
		w->run_id = w->run.id;
	note_result(w, result, &err, latency_us);
	w->has_job = result != 0;
	(void)pthread_cond_broadcast(&w->changed);
}

static void *
run(void *arg)
{
	struct store_worker *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->has_job && !w->stop_asked)
			(void)pthread_cond_wait(&w->changed, &w->lock);
		if (w->stop_asked)
			break;
		do_job(w);
		if (w->has_job && !w->stop_asked)
			wait_until(w, clock_monotonic_us() + RETRY_US);
	}
	w->ended = true;
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

int
store_worker_start(struct store_worker *w, struct error *err)
{
	sigset_t all, old;
	int status;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	status = pthread_create(&w->thread, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->started = status == 0;
	if (status != 0)
		error_set(err, "cannot start a thread: %s", strerror(status));
	return status == 0 ? 0 : -1;
}

/* The texts in the lists are the owner's, and live as long as it does. */
static void
copy_run(struct store_worker *w, const struct store_run *run, unsigned serial)
{
	struct store_counter *counters = xreallocarray(NULL, run->counter_count, sizeof(*counters));
	struct store_source *sources = xreallocarray(NULL, run->source_count, sizeof(*sources));

	if (serial != w->serial)
		w->run_id = 0;
	w->serial = serial;
	release_run(&w->run);
	if (run->counter_count > 0)
		memcpy(counters, run->counters, run->counter_count * sizeof(*counters));
	if (run->source_count > 0)
		memcpy(sources, run->sources, run->source_count * sizeof(*sources));
	w->run = *run;
	w->run.counters = counters;
	w->run.sources = sources;
}

bool
store_worker_push(struct store_worker *w, const struct store_run *run, unsigned serial)
{
	bool idle;

	(void)pthread_mutex_lock(&w->lock);
	idle = !w->has_job;
	if (idle) {
		copy_run(w, run, serial);
		w->current = 1 - w->current;
		w->has_job = true;
		(void)pthread_cond_broadcast(&w->changed);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return idle;
}

static bool
wait_for_idle(struct store_worker *w, int64_t deadline_us)
{
	bool idle;

	(void)pthread_mutex_lock(&w->lock);
	while (w->has_job && clock_monotonic_us() < deadline_us)
		wait_until(w, deadline_us);
	idle = !w->has_job;
	(void)pthread_mutex_unlock(&w->lock);
	return idle;
}

bool
store_worker_finish(
    struct store_worker *w, const struct store_run *run, unsigned serial, int64_t patience_us)
{
	int64_t deadline = clock_monotonic_us() + patience_us;
	bool all;

	/* The thread that would take the tally was never started, so there is nothing to store. */
	if (!w->started)
		return true;
	all = wait_for_idle(w, deadline) && store_worker_push(w, run, serial) &&
	      wait_for_idle(w, deadline);
	(void)pthread_mutex_lock(&w->lock);
	w->stop_asked = true;
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	w->started = false;
	return all;
}

bool
store_worker_reload(struct store_worker *w, const struct policy *policy, int64_t retention_us)
{
	bool idle;

	(void)pthread_mutex_lock(&w->lock);
	w->new_policy = *policy;
	w->retention_us = retention_us;
	idle = w->state.busy_since_us == 0;
	(void)pthread_mutex_unlock(&w->lock);
	return idle;
}

void
store_worker_get_state(struct store_worker *w, struct store_worker_state *out)
{
	(void)pthread_mutex_lock(&w->lock);
	*out = w->state;
	(void)pthread_mutex_unlock(&w->lock);
}
