/*
 * event_delay - events that wait for the names which another thread has seen before them.
 *
 * Each thread's packets come out of a ring of its own, up to two blocks late, so a thread may hand
 * over an event before another one hands over the DNS answer that names its server.
 *
 * Memory: bounded by who asks event_delay_is_full.
 */
#ifndef TLSTALLY_DAEMON_EVENT_DELAY_H
#define TLSTALLY_DAEMON_EVENT_DELAY_H

#include <stdbool.h>

#include "event/event_list.h"

/* All zero: empty. */
struct event_delay {
	struct event_list young, old; /* owned; since the latest turn, and since the one before */
	struct event_list due;        /* owned; what the latest turn gave */
};

void event_delay_add(struct event_delay *d, const struct event_list *events);
/* A turn should not be waited for. */
bool event_delay_is_full(const struct event_delay *d);
/* Gives what was there at the turn before; valid until the next one. */
const struct event_list *event_delay_turn(struct event_delay *d);
void event_delay_release(struct event_delay *d);

#endif
