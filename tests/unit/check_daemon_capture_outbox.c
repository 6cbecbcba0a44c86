#include "daemon/capture_outbox.h"

#include "suite.h"

#include "base/banned.h"

static uint64_t lost_events, lost_names;

static void
add_many(struct capture_outbox *box, size_t events, size_t names)
{
	struct event ev = { 0 };
	struct name_seen seen = { 0 };

	event_init(&ev);
	for (size_t i = 0; i < events; i++) {
		ev.settled_us = (int64_t)i;
		ck_assert(capture_outbox_add_event(box, &ev));
	}
	for (size_t i = 0; i < names; i++) {
		seen.time_us = (int64_t)i;
		ck_assert(capture_outbox_add_name(box, &seen));
	}
}

START_TEST(what_is_moved_comes_behind_what_was_there)
{
	struct capture_outbox to = { 0 }, from = { 0 };
	struct event_ref refs[5];

	lost_events = lost_names = 0;
	add_many(&from, 2, 1);
	capture_outbox_move(&to, &from, &lost_events, &lost_names);
	ck_assert(capture_outbox_is_empty(&from));
	add_many(&from, 3, 2);
	capture_outbox_move(&to, &from, &lost_events, &lost_names);
	ck_assert(capture_outbox_is_empty(&from));
	ck_assert_uint_eq(to.events.count, 5);
	event_list_refs(&to.events, 0, refs);
	ck_assert_int_eq(refs[1].settled_us, 1);
	ck_assert_int_eq(refs[2].settled_us, 0);
	ck_assert_int_eq(refs[4].settled_us, 2);
	ck_assert_uint_eq(to.name_count, 3);
	ck_assert_int_eq(to.names[2].time_us, 1);
	ck_assert_uint_eq(lost_events + lost_names, 0);
	capture_outbox_release(&to);
	capture_outbox_release(&from);
}
END_TEST

START_TEST(what_finds_no_room_is_lost_and_counted)
{
	struct capture_outbox to = { 0 }, from = { 0 };

	lost_events = lost_names = 0;
	add_many(&to, CAPTURE_OUTBOX_EVENTS_MAX - 1, CAPTURE_OUTBOX_NAMES_MAX - 2);
	add_many(&from, 3, 7);
	capture_outbox_move(&to, &from, &lost_events, &lost_names);
	ck_assert_uint_eq(lost_events, 2);
	ck_assert_uint_eq(lost_names, 5);
	ck_assert_uint_eq(to.events.count, CAPTURE_OUTBOX_EVENTS_MAX);
	ck_assert_uint_eq(to.name_count, CAPTURE_OUTBOX_NAMES_MAX);
	ck_assert(capture_outbox_is_empty(&from));
	ck_assert(!capture_outbox_add_event(&to, &(struct event){ .vlan = -1 }));
	ck_assert(!capture_outbox_add_name(&to, &(struct name_seen){ .time_us = 1 }));
	capture_outbox_clear(&to);
	ck_assert(capture_outbox_is_empty(&to));
	capture_outbox_release(&to);
	capture_outbox_release(&from);
}
END_TEST

START_TEST(an_end_that_finds_no_room_is_no_event_that_is_lost)
{
	struct capture_outbox to = { 0 }, from = { 0 };
	struct event ev = { .vlan = -1, .kind = EVENT_SESSION_END };

	lost_events = lost_names = 0;
	add_many(&to, CAPTURE_OUTBOX_EVENTS_MAX - 1, 0);
	add_many(&from, 2, 0);
	ck_assert(capture_outbox_add_event(&from, &ev));
	capture_outbox_move(&to, &from, &lost_events, &lost_names);
	ck_assert_uint_eq(lost_events, 1);
	capture_outbox_release(&to);
	capture_outbox_release(&from);
}
END_TEST

START_TEST(an_outbox_is_large_while_it_has_much_room)
{
	struct capture_outbox events = { 0 }, names = { 0 };

	add_many(&events, 1, 0);
	add_many(&names, 0, 1);
	ck_assert(!capture_outbox_is_large(&events));
	ck_assert(!capture_outbox_is_large(&names));
	add_many(&events, CAPTURE_OUTBOX_EVENTS_MAX / 2 - 1, 0);
	add_many(&names, 0, CAPTURE_OUTBOX_NAMES_MAX / 2 - 1);
	ck_assert(capture_outbox_is_large(&events));
	ck_assert(capture_outbox_is_large(&names));
	capture_outbox_release(&events);
	capture_outbox_release(&names);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_moved_comes_behind_what_was_there);
	tcase_add_test(tc, what_finds_no_room_is_lost_and_counted);
	tcase_add_test(tc, an_end_that_finds_no_room_is_no_event_that_is_lost);
	tcase_add_test(tc, an_outbox_is_large_while_it_has_much_room);
}

SUITE_MAIN("daemon_capture_outbox")
