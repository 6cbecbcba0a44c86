/*
 * store_clients - clients and events of a flush, for the suites of flushes.
 */
#ifndef TLSTALLY_TESTS_STORE_CLIENTS_H
#define TLSTALLY_TESTS_STORE_CLIENTS_H

#include "store_fixture.h"

static inline void
add(struct tally *t, const struct event *ev)
{
	ck_assert(tally_add(t, ev));
}

/* `count` random events, a minute apart. */
static inline void
add_random(struct tally *t, uint64_t *state, int from, int count)
{
	for (int i = from; i < from + count; i++) {
		struct event ev = random_event(state, DAY + i * 60 * SECOND);

		add(t, &ev);
	}
}

/* An event each of so many clients.  False: the tally is full. */
static inline bool
count_clients(struct tally *t, const struct event *like, int count)
{
	struct event ev = *like;
	bool all = true;

	for (int i = 0; i < count; i++) {
		ev.timestamp_us = DAY + i * SECOND;
		ev.client_ip.bytes[1] = (uint8_t)(i >> 16);
		ev.client_ip.bytes[2] = (uint8_t)(i >> 8);
		ev.client_ip.bytes[3] = (uint8_t)i;
		all = tally_add(t, &ev) && all;
	}
	return all;
}

static inline void
add_clients(struct tally *t, int count)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	ck_assert(count_clients(t, &ev, count));
}

#endif
