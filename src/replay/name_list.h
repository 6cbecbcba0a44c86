/*
 * name_list - names that were seen in an epoch, in that order, until the sink has them.
 */
#ifndef TLSTALLY_REPLAY_NAME_LIST_H
#define TLSTALLY_REPLAY_NAME_LIST_H

#include <stddef.h>

#include "names/observe.h"
#include "sink/event_sink.h"

/* Begins as zeros. */
struct name_list {
	struct name_seen *items; /* owned */
	size_t count, room;
};

void name_list_add(struct name_list *list, const struct name_seen *seen);
void name_list_hand_on(const struct name_list *list, struct event_sink *sink);
void name_list_release(struct name_list *list);

#endif
