#include "sink/event_sink.h"

#include <string.h>

#include "base/timestamp.h"
#include "suite.h"
#include "tls/names.h"

#include "base/banned.h"

#define MANY 4096

/* What the sink asks of its owner. */
struct owner {
	struct tally *tally;
	size_t asked; /* for room */
	bool has_room;
	struct event_sink *sink; /* is given this tally instead; NULL: keeps the one it has */
	struct tally *next;
};

static int
make_room(void *arg)
{
	struct owner *owner = arg;

	owner->asked++;
	if (!owner->has_room)
		return -1;
	if (owner->sink != NULL) {
		event_sink_set_tally(owner->sink, owner->next);
		return 0;
	}
	tally_clear(owner->tally);
	return 0;
}

static struct event_sink *
sink_of(struct owner *owner, size_t max_bytes)
{
	struct tally_options tally_options = { .max_bytes = max_bytes };
	struct event_sink_options options = { .make_room = make_room, .arg = owner };

	options.tally = owner->tally = tally_new(&tally_options);
	return event_sink_new(&options);
}

/* The n-th event: a client of its own for each of them. */
static void
add_event(struct event_sink *sink, uint32_t n)
{
	struct event ev = { .vlan = -1, .timestamp_us = (int64_t)n * USEC_PER_SEC };

	ev.client_ip = addr_from_v4((const uint8_t[]){
	    10, (uint8_t)(n >> 16 & 0xff), (uint8_t)(n >> 8 & 0xff), (uint8_t)(n & 0xff) });
	ev.server_ip = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 });
	event_sink_add(sink, &ev);
}

START_TEST(events_wait_for_the_end_of_their_batch)
{
	struct owner owner = { 0 };
	struct event_sink *sink = sink_of(&owner, 0);

	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	for (uint32_t n = 0; n < MANY; n++)
		add_event(sink, n);
	ck_assert_uint_eq(tally_event_count(owner.tally), 0);
	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	ck_assert_uint_eq(tally_event_count(owner.tally), MANY);
	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	ck_assert_uint_eq(tally_event_count(owner.tally), MANY);
	event_sink_free(sink);
	tally_free(owner.tally);
}
END_TEST

START_TEST(what_has_no_room_is_told_at_the_end_and_once)
{
	struct owner owner = { 0 };
	struct event_sink *sink = sink_of(&owner, 4096);
	uint64_t counted;

	for (uint32_t n = 0; n < MANY; n++)
		add_event(sink, n);
	ck_assert_uint_eq(event_sink_end_batch(sink), owner.asked);
	counted = tally_event_count(owner.tally);
	ck_assert_uint_lt(counted, MANY);
	ck_assert_uint_eq(owner.asked, MANY - counted);
	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	event_sink_free(sink);
	tally_free(owner.tally);
}
END_TEST

START_TEST(an_end_that_has_no_room_is_no_handshake_that_is_lost)
{
	struct owner owner = { 0 };
	struct event_sink *sink = sink_of(&owner, 4096);
	struct event ev = { .vlan = -1, .kind = EVENT_SESSION_END };

	for (uint32_t n = 0; n < MANY; n++) {
		ev.client_ip = addr_from_v4(
		    (const uint8_t[]){ 10, 0, (uint8_t)(n >> 8), (uint8_t)(n & 0xff) });
		add_event(sink, n);
		event_sink_add(sink, &ev);
	}
	ck_assert_uint_gt(event_sink_end_batch(sink), MANY);
	ck_assert_uint_gt(event_sink_lost(sink), 0);
	ck_assert_uint_le(event_sink_lost(sink), MANY);
	event_sink_free(sink);
	tally_free(owner.tally);
}
END_TEST

START_TEST(nothing_is_lost_where_room_is_made)
{
	struct owner owner = { .has_room = true };
	struct event_sink *sink = sink_of(&owner, 4096);

	for (uint32_t n = 0; n < 2 * MANY; n++)
		add_event(sink, n);
	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	ck_assert_uint_gt(owner.asked, 0);
	event_sink_free(sink);
	tally_free(owner.tally);
}
END_TEST

/* In the midst of events for whose places it was looked in the other one. */
START_TEST(another_tally_knows_each_client_once)
{
	struct owner owner = { .has_room = true, .next = tally_new(NULL) };
	struct event_sink *sink = owner.sink = sink_of(&owner, 4096);
	for (uint32_t n = 0; n < 2 * MANY; n++)
		add_event(sink, n / 32); /* two batches of AHEAD each */
	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	ck_assert_uint_eq(owner.asked, 1);
	tally_sort(owner.next);
	ck_assert_uint_eq(
	    tally_client_count(owner.next), (tally_event_count(owner.next) + 31) / 32);
	ck_assert_uint_eq(tally_event_count(owner.tally) + tally_event_count(owner.next), 2 * MANY);
	event_sink_free(sink);
	tally_free(owner.tally);
	tally_free(owner.next);
}
END_TEST

static void
add_name(struct event_sink *sink, const char *name, int64_t time_s)
{
	struct name_seen seen = {
		.kind = NAME_SEEN_DNS,
		.time_us = time_s * USEC_PER_SEC,
		.client = addr_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
		.addr = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 }),
		.name_len = (uint8_t)strlen(name),
	};

	memcpy(seen.name, name, seen.name_len);
	event_sink_add_name(sink, &seen);
}

/* More names of one address than are kept of it, in any order. */
START_TEST(an_event_has_the_name_of_its_time_whatever_came_later_in_its_batch)
{
	static const char *const names[] = { "imap.example.com", "smtp.example.com",
		"pop.example.com", "mail.example.com", "web.example.com" };
	struct owner owner = { 0 };
	struct naming *naming = naming_new();
	struct event_sink_options options = {
		.make_room = make_room, .arg = &owner, .naming = naming
	};
	struct event_sink *sink;

	options.tally = owner.tally = tally_new(NULL);
	sink = event_sink_new(&options);
	for (int64_t i = 0; i < 5; i++)
		add_name(sink, names[_i == 0 ? i : 4 - i], 10 + 10 * (_i == 0 ? i : 4 - i));
	for (uint32_t i = 0; i < 5; i++) {
		struct event ev = {
			.vlan = -1,
			.timestamp_us = (11 + 10 * (int64_t)i) * USEC_PER_SEC,
			.settled_us = (12 + 10 * (int64_t)i) * USEC_PER_SEC,
			.client_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
			.server_ip = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 }),
		};

		event_sink_add(sink, &ev);
	}
	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	tally_sort(owner.tally);
	ck_assert_uint_eq(tally_finding_count(owner.tally), 5);
	for (size_t i = 0; i < 5; i++) {
		struct finding f;
		size_t n = 0;

		tally_finding_at(owner.tally, i, &f);
		while (
		    n < 5 && !span_equals(event_text_span(&f.key.server), span_from_text(names[n])))
			n++;
		ck_assert_uint_lt(n, 5);
		ck_assert_int_eq(f.first_us, (11 + 10 * (int64_t)n) * USEC_PER_SEC);
	}
	event_sink_free(sink);
	naming_free(naming);
	tally_free(owner.tally);
}
END_TEST

/* Of these the last two would push out the first. */
START_TEST(names_wait_for_the_events_that_are_handed_on_next)
{
	static const char *const names[] = { "imap.example.com", "smtp.example.com",
		"pop.example.com" };
	struct owner owner = { 0 };
	struct naming *naming = naming_new();
	struct event_sink_options options = {
		.make_room = make_room, .arg = &owner, .naming = naming
	};
	struct event_sink *sink;
	struct finding f;

	options.tally = owner.tally = tally_new(NULL);
	sink = event_sink_new(&options);
	for (int64_t i = 0; i < 3; i++)
		add_name(sink, names[_i == 0 ? i : 2 - i], 10 + 10 * (_i == 0 ? i : 2 - i));
	event_sink_expect(sink, 15 * USEC_PER_SEC);
	for (int64_t i = 0; i < 3; i++) {
		struct event ev = {
			.vlan = -1,
			.timestamp_us = (11 + 10 * i) * USEC_PER_SEC,
			.settled_us = (12 + 10 * i) * USEC_PER_SEC,
			.client_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
			.server_ip = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 }),
		};

		ck_assert_uint_eq(event_sink_end_batch(sink), 0); /* of no event */
		event_sink_add(sink, &ev);
		ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	}
	tally_sort(owner.tally);
	ck_assert_uint_eq(tally_finding_count(owner.tally), 3);
	for (size_t i = 0; i < 3; i++) {
		tally_finding_at(owner.tally, i, &f);
		ck_assert_uint_eq(f.server_name_source, NAME_SOURCE_DNS);
	}
	event_sink_free(sink);
	naming_free(naming);
	tally_free(owner.tally);
}
END_TEST

/* 0: the default, which is shorter than what lies between the two tries. */
START_TEST(a_fallback_is_told_within_the_window_that_is_given)
{
	struct owner owner = { 0 };
	struct event_sink_options options = {
		.make_room = make_room,
		.arg = &owner,
		.fallback_window_us = _i == 0 ? 0 : 60 * USEC_PER_SEC,
	};
	struct event ev = {
		.vlan = -1,
		.outcome = OUTCOME_REFUSED,
		.offered_version = TLS_VERSION_1_2,
		.timestamp_us = USEC_PER_SEC,
		.settled_us = USEC_PER_SEC,
		.client_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
		.server_ip = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 }),
	};
	uint64_t fallbacks = 0;
	struct event_sink *sink;

	options.tally = owner.tally = tally_new(NULL);
	sink = event_sink_new(&options);
	event_sink_add(sink, &ev);
	ev.outcome = OUTCOME_ESTABLISHED;
	ev.offered_version = ev.tls_version = TLS_VERSION_1_0;
	ev.timestamp_us = ev.settled_us = 30 * USEC_PER_SEC;
	event_sink_add(sink, &ev);
	ck_assert_uint_eq(event_sink_end_batch(sink), 0);
	tally_sort(owner.tally);
	for (size_t i = 0; i < tally_finding_count(owner.tally); i++) {
		struct finding f;

		tally_finding_at(owner.tally, i, &f);
		fallbacks += f.fallback_count;
	}
	ck_assert_uint_eq(fallbacks, _i == 0 ? 0 : 1);
	event_sink_free(sink);
	tally_free(owner.tally);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, events_wait_for_the_end_of_their_batch);
	tcase_add_test(tc, what_has_no_room_is_told_at_the_end_and_once);
	tcase_add_test(tc, another_tally_knows_each_client_once);
	tcase_add_test(tc, an_end_that_has_no_room_is_no_handshake_that_is_lost);
	tcase_add_test(tc, nothing_is_lost_where_room_is_made);
	tcase_add_loop_test(
	    tc, an_event_has_the_name_of_its_time_whatever_came_later_in_its_batch, 0, 2);
	tcase_add_loop_test(tc, names_wait_for_the_events_that_are_handed_on_next, 0, 2);
	tcase_add_loop_test(tc, a_fallback_is_told_within_the_window_that_is_given, 0, 2);
}

SUITE_MAIN("sink_event_sink")
