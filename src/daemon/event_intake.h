/*
 * event_intake - takes what the workers have settled and seen, and hands it on to the event sink:
 * at once where there is one worker, else when the names that others have seen are there, too.
 *
 * Memory: bounded by the workers' outboxes and by event_delay.
 */
#ifndef TLSTALLY_DAEMON_EVENT_INTAKE_H
#define TLSTALLY_DAEMON_EVENT_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "capture/live.h"
#include "daemon/capture_worker.h"
#include "sink/event_sink.h"

/* A thread's names come so late at most: the kernel holds a block for two of its times, and the
 * worker what it has seen up to its next tick. */
#define EVENT_INTAKE_TURN_US (2 * LIVE_BLOCK_MS * INT64_C(1000) + CAPTURE_WORKER_TICK_US)

struct event_intake; /* opaque */

/* All borrowed.  `names`: they are learned. */
struct event_intake *event_intake_new(struct capture_worker *const *workers, size_t worker_count,
    struct event_sink *sink, bool names);
void event_intake_free(struct event_intake *in);

/* Events wait for event_intake_turn, which is to be called every EVENT_INTAKE_TURN_US. */
bool event_intake_delays(const struct event_intake *in);
void event_intake_take(struct event_intake *in);
/* Takes what is there, and hands on what was there at the turn before. */
void event_intake_turn(struct event_intake *in);
/* Hands on all that was taken; the workers have ended. */
void event_intake_finish(struct event_intake *in);

#endif
