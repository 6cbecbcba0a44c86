/*
 * event_list - events that wait to be put in order.
 *
 * Of each event only the bytes in use are kept, a third of a struct event or less.  What nearly
 * always decides their order is kept apart, so that sorting touches little else.
 *
 * Threads: one at a time per list.
 */
#ifndef TLSTALLY_EVENT_EVENT_LIST_H
#define TLSTALLY_EVENT_EVENT_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

struct event_list_place;

/* All zero: empty. */
struct event_list {
	uint8_t *bytes; /* owned */
	size_t len, room;
	struct event_list_place *places; /* owned; of the events, in the order of adding */
	size_t count, place_room;
};

/* An event of a list, for sorting: what nearly always decides, and where the rest is. */
struct event_ref {
	int64_t settled_us;
	const uint8_t *bytes; /* valid until the list changes */
	size_t index;         /* of two that are otherwise equal the lower one is first */
};

void event_list_release(struct event_list *list);
/* Empty, and usable again; keeps its memory unless that is large. */
void event_list_clear(struct event_list *list);

void event_list_add(struct event_list *list, const struct event *ev);
/* Adds the first `count` events of another list, which stays as it is. */
void event_list_append(struct event_list *list, const struct event_list *from, size_t count);
/* Of the event with that number in the order of adding. */
enum event_kind event_list_kind(const struct event_list *list, size_t number);
/* Writes list->count of them, in the order of adding; the first one gets the index `first`. */
void event_list_refs(const struct event_list *list, size_t first, struct event_ref *out);

/* As event_compare, then by index. */
int event_ref_compare(const struct event_ref *a, const struct event_ref *b);
/*
 * Sorts in the order of event_ref_compare; quick where they are few runs that are in order already.
 * `scratch` has room for `count`.
 */
void event_refs_sort(struct event_ref *refs, size_t count, struct event_ref *scratch);
/* For an event that is about to be read. */
void event_ref_prefetch(const struct event_ref *ref);
void event_ref_read(const struct event_ref *ref, struct event *out);

#endif
