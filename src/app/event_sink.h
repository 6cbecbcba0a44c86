/*
 * event_sink - where settled events go: the tally, and the events file, in the order of settling.
 *
 * A batch of events is put in order before it is written, so that what one pipeline or several
 * settle at the same packet time always comes out the same way.
 */
#ifndef TLSTALLY_APP_EVENT_SINK_H
#define TLSTALLY_APP_EVENT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event/event.h"
#include "tally/tally.h"

struct event_sink; /* opaque */

struct event_sink_options {
	const char *events_path; /* NULL: none; "-": standard output */
	const char *sensor;
	struct tally *tally; /* borrowed */
	/* The tally is full: makes room, or returns -1. */
	int (*flush)(void *arg);
	/* The name of a frame's source. */
	const char *(*source_name)(void *arg, uint32_t source);
	void *arg;
};

/* NULL when the events file cannot be made. */
struct event_sink *event_sink_new(const struct event_sink_options *options, struct error *err);
void event_sink_free(struct event_sink *sink);

/* For pipeline_options.event. */
void event_sink_add(void *sink, const struct event *ev);
/* Puts the events of a batch in order and hands them on.  -1: the tally could not be flushed. */
int event_sink_end_batch(struct event_sink *sink);
/* Writes what is buffered; -1 when the events file could not be written to its end. */
int event_sink_close(struct event_sink *sink, struct error *err);

#endif
