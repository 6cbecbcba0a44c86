#include "daemon/event_delay.h"

#include "suite.h"

#include "base/banned.h"

static struct event_delay delay;

static void
add(int64_t settled_us)
{
	struct event_list list = { 0 };
	struct event ev = { 0 };

	event_init(&ev);
	ev.settled_us = settled_us;
	event_list_add(&list, &ev);
	event_delay_add(&delay, &list);
	event_list_release(&list);
}

/* A turn gives as many events, the first of which was settled then. */
static void
expect_turn(size_t count, int64_t first_us)
{
	const struct event_list *due = event_delay_turn(&delay);
	struct event_ref refs[2];

	ck_assert_uint_eq(due->count, count);
	if (count == 0)
		return;
	event_list_refs(due, 0, refs);
	ck_assert_int_eq(refs[0].settled_us, first_us);
}

START_TEST(an_event_waits_for_a_whole_turn)
{
	add(1);
	add(2);
	expect_turn(0, 0);
	add(3);
	expect_turn(2, 1);
	expect_turn(1, 3);
	add(4);
	expect_turn(0, 0);
	expect_turn(1, 4);
	expect_turn(0, 0);
	event_delay_release(&delay);
}
END_TEST

START_TEST(many_events_are_not_waited_with)
{
	size_t count = 0;

	for (; count < 1000000 && !event_delay_is_full(&delay); count++)
		add(1);
	ck_assert_uint_lt(count, 1000000);
	(void)event_delay_turn(&delay);
	ck_assert(!event_delay_is_full(&delay));
	event_delay_release(&delay);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, an_event_waits_for_a_whole_turn);
	tcase_add_test(tc, many_events_are_not_waited_with);
}

SUITE_MAIN("daemon_event_delay")
