/*
 * event_lines - many events as lines of JSON: what they have in common is put into words once.
 *
 * Most of a line is one of a few phrases: the names of members, of versions, of a cipher suite.
 * They are kept as they were written last, and copied where an event says the same.  No line
 * differs from what event_write_json() writes.
 *
 * Memory:  some 100 KiB.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_EVENT_EVENT_LINES_H
#define TLSTALLY_EVENT_EVENT_LINES_H

#include "event/event.h"

struct event_lines; /* opaque */

/* `sensor` is copied. */
struct event_lines *event_lines_new(const char *sensor);
void event_lines_free(struct event_lines *lines);
/* As event_write_json, with that sensor. */
void event_lines_add(
    struct event_lines *lines, const struct event *ev, const char *source, struct buf *out);

#endif
