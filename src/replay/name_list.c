#include "replay/name_list.h"

#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

void
name_list_add(struct name_list *list, const struct name_seen *seen)
{
	if (list->count == list->room) {
		list->room = list->room * 2 + 64;
		list->items = xreallocarray(list->items, list->room, sizeof(*list->items));
	}
	name_seen_copy(&list->items[list->count++], seen);
}

void
name_list_hand_on(const struct name_list *list, struct event_sink *sink)
{
	for (size_t i = 0; i < list->count; i++)
		event_sink_add_name(sink, &list->items[i]);
}

void
name_list_release(struct name_list *list)
{
	free(list->items);
	*list = (struct name_list){ 0 };
}
