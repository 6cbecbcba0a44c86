/*
 * event_writer - lines of JSON to a file, to standard output, or to the system's log.
 *
 * What cannot be written to (a full disk) holds lines back within a budget, then loses whole
 * lines and counts them; it catches up by itself.  A line is never half-written for good.
 *
 * Threads: one at a time.
 */
#ifndef TLSTALLY_SINK_EVENT_WRITER_H
#define TLSTALLY_SINK_EVENT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/record_form.h"
#include "event/event.h"

struct event_writer; /* opaque */

enum event_target {
	EVENT_TARGET_FILE,   /* `path`, appended to or made anew; "-" is standard output */
	EVENT_TARGET_SYSLOG, /* `path` is its socket; NULL: the usual one */
};

struct event_writer_options {
	enum event_target target;
	const char *path;
	bool append;
	bool must_not_wait; /* for a reader of a pipe that does not keep up: lines are held back */
	const char *sensor;
	enum record_form form;
};

/* NULL when the file cannot be opened. */
struct event_writer *event_writer_new(
    const struct event_writer_options *options, struct error *err);
/* Loses what is held back. */
void event_writer_free(struct event_writer *w);

void event_writer_add(struct event_writer *w, const struct event *ev, const char *source);
/*
 * Writes what is held back, as far as it goes.  -1 while something is left: `err` says why.
 */
int event_writer_flush(struct event_writer *w, struct error *err);
/* The same for the last time: has more patience with a reader that is slow; what is left is lost.
 */
int event_writer_finish(struct event_writer *w, struct error *err);
/* The file anew by its name, after it was rotated.  -1: the old one goes on being written. */
int event_writer_reopen(struct event_writer *w, struct error *err);
/* Lines lost so far. */
uint64_t event_writer_lost(const struct event_writer *w);

#endif
