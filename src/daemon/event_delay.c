#include "daemon/event_delay.h"

#include "base/banned.h"

/* Events: more come in a turn only where something is wrong, and memory is to stay bounded. */
#define FULL 32768

void
event_delay_add(struct event_delay *d, const struct event_list *events)
{
	if (events->count > 0)
		event_list_append(&d->young, events, events->count);
}

bool
event_delay_is_full(const struct event_delay *d)
{
	return d->young.count >= FULL;
}

const struct event_list *
event_delay_turn(struct event_delay *d)
{
	struct event_list empty = d->due;

	event_list_clear(&empty);
	d->due = d->old;
	d->old = d->young;
	d->young = empty;
	return &d->due;
}

void
event_delay_release(struct event_delay *d)
{
	event_list_release(&d->young);
	event_list_release(&d->old);
	event_list_release(&d->due);
}
