/*
 * tally_rows - findings and clients of a tally, for its suites.
 */
#ifndef TLSTALLY_TESTS_TALLY_ROWS_H
#define TLSTALLY_TESTS_TALLY_ROWS_H

#include "store_fixture.h"

static inline struct tally *
tally_of(const struct event *events, size_t count)
{
	struct tally *t = tally_new(NULL);

	for (size_t i = 0; i < count; i++)
		ck_assert(tally_add(t, &events[i]));
	tally_sort(t);
	return t;
}

static inline struct finding
finding_at(const struct tally *t, size_t index)
{
	struct finding f;

	tally_finding_at(t, index, &f);
	return f;
}

static inline struct tally_client
client_at(const struct tally *t, size_t index)
{
	struct tally_client c;

	tally_client_at(t, index, &c);
	return c;
}

static inline struct event
numbered(uint32_t n)
{
	struct event ev = handshake("10.0.0.0", "mail.example", V10, DAY + n);

	ev.client_ip.bytes[1] = (uint8_t)(n >> 16);
	ev.client_ip.bytes[2] = (uint8_t)(n >> 8);
	ev.client_ip.bytes[3] = (uint8_t)n;
	return ev;
}

#endif
