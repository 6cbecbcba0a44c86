/*
 * capture_outbox - events that a capturing thread has settled and names that it has seen, on their
 * way to the thread that counts them.
 *
 * Memory:  bounded: what finds no room is lost, and its number told.
 * Threads: one at a time per outbox.
 */
#ifndef TLSTALLY_DAEMON_CAPTURE_OUTBOX_H
#define TLSTALLY_DAEMON_CAPTURE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event_list.h"
#include "names/observe.h"

#define CAPTURE_OUTBOX_EVENTS_MAX 32768
#define CAPTURE_OUTBOX_NAMES_MAX 16384

/* Starts as { 0 }. */
struct capture_outbox {
	struct event_list events;
	struct name_seen *names; /* owned */
	size_t name_count, name_room;
};

bool capture_outbox_is_empty(const struct capture_outbox *box);
/* It should be moved soon, although it is not full. */
bool capture_outbox_is_large(const struct capture_outbox *box);
/* Both return false where there is no room. */
bool capture_outbox_add_event(struct capture_outbox *box, const struct event *ev);
bool capture_outbox_add_name(struct capture_outbox *box, const struct name_seen *seen);
/* Empties `from` into `to`, and adds to both numbers what was lost; ends of sessions are no events.
 */
void capture_outbox_move(struct capture_outbox *to, struct capture_outbox *from,
    uint64_t *lost_events, uint64_t *lost_names);
/* Empty, and usable again. */
void capture_outbox_clear(struct capture_outbox *box);
void capture_outbox_release(struct capture_outbox *box);

#endif
