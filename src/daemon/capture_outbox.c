#include "daemon/capture_outbox.h"

#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

/* An outbox is large from this share of its room on, so that there is time to empty it. */
#define LARGE_SHARE 16

bool
capture_outbox_is_empty(const struct capture_outbox *box)
{
	return box->events.count == 0 && box->name_count == 0;
}

bool
capture_outbox_is_large(const struct capture_outbox *box)
{
	return box->events.count >= CAPTURE_OUTBOX_EVENTS_MAX / LARGE_SHARE ||
	       box->name_count >= CAPTURE_OUTBOX_NAMES_MAX / LARGE_SHARE;
}

bool
capture_outbox_add_event(struct capture_outbox *box, const struct event *ev)
{
	if (box->events.count == CAPTURE_OUTBOX_EVENTS_MAX)
		return false;
	event_list_add(&box->events, ev);
	return true;
}

bool
capture_outbox_add_name(struct capture_outbox *box, const struct name_seen *seen)
{
	if (box->name_count == CAPTURE_OUTBOX_NAMES_MAX)
		return false;
	box->names = xgrow(box->names, box->name_count, &box->name_room, sizeof(*box->names));
	name_seen_copy(&box->names[box->name_count++], seen);
	return true;
}

/* How many of `count` still have room. */
static size_t
fitting(size_t count, size_t used, size_t max)
{
	return count < max - used ? count : max - used;
}

void
capture_outbox_move(struct capture_outbox *to, struct capture_outbox *from, uint64_t *lost_events,
    uint64_t *lost_names)
{
	size_t events = fitting(from->events.count, to->events.count, CAPTURE_OUTBOX_EVENTS_MAX);
	size_t names = fitting(from->name_count, to->name_count, CAPTURE_OUTBOX_NAMES_MAX);

	for (size_t i = events; i < from->events.count; i++)
		*lost_events += event_list_kind(&from->events, i) != EVENT_SESSION_END;
	*lost_names += from->name_count - names;
	/*
	 * As a rule what was moved before has been taken by now: the lists change places, and
	 * nothing is copied.
	 */
	if (capture_outbox_is_empty(to)) {
		struct capture_outbox empty = *to;

		*to = *from;
		*from = empty;
		return;
	}
	event_list_append(&to->events, &from->events, events);
	for (size_t i = 0; i < names; i++)
		(void)capture_outbox_add_name(to, &from->names[i]);
	capture_outbox_clear(from);
}

void
capture_outbox_clear(struct capture_outbox *box)
{
	event_list_clear(&box->events);
	box->name_count = 0;
}

void
capture_outbox_release(struct capture_outbox *box)
{
	event_list_release(&box->events);
	free(box->names);
	*box = (struct capture_outbox){ 0 };
}
