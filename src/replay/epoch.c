#include "replay/epoch.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "pipeline/front.h"

#include "base/banned.h"

#define MAC_LEN 6
/* A captured packet has up to 1 MiB: an epoch ends behind the one that fills it. */
#define COPY_ROOM (FRONT_EPOCH_LEN + ((size_t)1 << 20) + (size_t)FRONT_EPOCH_PACKETS * 2 * MAC_LEN)

void
epoch_clear(struct epoch *e)
{
	for (size_t g = 0; g < LANES; g++) {
		e->lists[g].count = 0;
		event_list_clear(&e->outboxes[g]);
	}
	e->packet_count = e->copies_len = e->names.count = e->followed_count = 0;
	e->borrows = false;
}

void
epoch_begin(struct epoch *e, uint64_t mark, bool borrows)
{
	if (e->copies == NULL) {
		e->copies = xmalloc(COPY_ROOM);
		e->packets = xcalloc(FRONT_EPOCH_PACKETS, sizeof(*e->packets));
	}
	epoch_clear(e);
	e->mark = mark;
	e->borrows = borrows;
}

static inline bool
lies_in(struct span bytes, const uint8_t *at)
{
	return (uintptr_t)at - (uintptr_t)bytes.data < bytes.len;
}

/* The bytes where they are if they last there, and else their copy. */
static inline const uint8_t *
lasting(struct epoch *e, const uint8_t *bytes, size_t len, struct span kept)
{
	uint8_t *copy = e->copies + e->copies_len;

	if (len == 0 || lies_in(kept, bytes))
		return bytes;
	memcpy(copy, bytes, len);
	e->copies_len += len;
	return copy;
}

static inline void
make_lasting(struct epoch *e, struct packet *packet, struct span kept)
{
	packet->payload.data = lasting(e, packet->payload.data, packet->payload.len, kept);
	if (packet->dst_mac != NULL && packet->src_mac == packet->dst_mac + MAC_LEN) {
		/* As in an Ethernet header, which is nearly always: one copy. */
		packet->dst_mac = lasting(e, packet->dst_mac, (size_t)2 * MAC_LEN, kept);
		packet->src_mac = packet->dst_mac + MAC_LEN;
		return;
	}
	if (packet->src_mac != NULL)
		packet->src_mac = lasting(e, packet->src_mac, MAC_LEN, kept);
	if (packet->dst_mac != NULL)
		packet->dst_mac = lasting(e, packet->dst_mac, MAC_LEN, kept);
}

void
epoch_add(struct epoch *e, size_t group, struct span kept)
{
	struct packet_list *list = &e->lists[group];
	struct packet *packet = &e->packets[e->packet_count++];

	if (list->count == list->room) {
		list->room = list->room * 2 + 64;
		list->items = xreallocarray(list->items, list->room, sizeof(*list->items));
	}
	list->items[list->count++] = packet;
	make_lasting(e, packet, e->borrows ? kept : span_from(NULL, 0));
}

void
epoch_stop_borrowing(struct epoch *e)
{
	const struct span copies = span_from(e->copies, COPY_ROOM);

	for (size_t i = 0; i < e->packet_count; i++)
		make_lasting(e, &e->packets[i], copies);
	e->borrows = false;
}

void
epoch_release(struct epoch *e)
{
	for (size_t g = 0; g < LANES; g++) {
		free(e->lists[g].items);
		event_list_release(&e->outboxes[g]);
	}
	free(e->packets);
	free(e->copies);
	name_list_release(&e->names);
}
