/*
 * work - the work of a replay between reading frames and counting events, on one thread or on
 * several.
 *
 * One thread does it all (src/replay/work.c), or several take from each other what is to be done
 * next (src/replay/crew.c).  The front's epochs and the lanes are the same, so the events are, and
 * their order, and all counters.
 *
 * Memory:  bounded: the lanes' budgets; with several threads some MiB more for what waits.
 */
#ifndef TLSTALLY_REPLAY_WORK_H
#define TLSTALLY_REPLAY_WORK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "capture/saved.h"
#include "pipeline/pipeline.h"
#include "sink/event_sink.h"

#define REPLAY_THREADS_MAX 64

struct replay_work; /* opaque */

struct replay_work_options {
	struct saved *saved;                     /* borrowed, as are all pointers */
	const struct pipeline_options *pipeline; /* for the call; its callbacks are set here */
	bool names;                              /* names that pass by are wanted */
	struct event_sink *sink;
	unsigned thread_count; /* up to REPLAY_THREADS_MAX; 0: as many as are of use */
	bool show_progress;
	const volatile sig_atomic_t *stop; /* no more is read once it is set */
};

struct replay_work *replay_work_new(const struct replay_work_options *options);
void replay_work_free(struct replay_work *w);

/* Reads to the end and hands all events to the sink.  -1: it lost some, and nothing goes on. */
int replay_work_run(struct replay_work *w);

/* More than one has a part in the work. */
bool replay_work_has_threads(const struct replay_work *w);

/* As pipeline_counters and pipeline_unknown_links. */
size_t replay_work_counters(
    const struct replay_work *w, struct pipeline_counter out[PIPELINE_COUNTERS_MAX]);
size_t replay_work_unknown_links(
    const struct replay_work *w, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX]);

#endif
