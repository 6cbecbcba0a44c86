#include "event/event_list.h"

#include "suite.h"

#include "base/banned.h"

#define MANY 1000

static struct event
sample(int64_t settled_us, uint8_t client)
{
	struct event ev = { 0 };

	event_init(&ev);
	ev.settled_us = settled_us;
	ev.client_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, client });
	return ev;
}

START_TEST(what_was_added_comes_out_as_it_was)
{
	static const char name[] = "mail.example";
	struct event ev = sample(5, 1), out;
	struct event_list list = { 0 };
	struct event_ref ref;

	event_text_set(&ev.server_name, span_from(name, sizeof(name) - 1));
	event_text_set(&ev.certificate_subject, span_from("CN=x", 4));
	memcpy(ev.ja3, "0123456789abcdef0123456789abcdef", 32);
	event_list_add(&list, &ev);
	event_list_refs(&list, 0, &ref);
	event_ref_read(&ref, &out);
	ck_assert_int_eq(event_compare(&ev, &out), 0);
	ck_assert_int_eq(out.vlan, -1);
	ck_assert_mem_eq(out.ja3, ev.ja3, 32);
	ck_assert_uint_eq(out.server_name.len, sizeof(name) - 1);
	ck_assert_mem_eq(out.server_name.data, name, sizeof(name) - 1);
	ck_assert_uint_eq(out.client_name.len, 0);
	ck_assert_uint_eq(out.certificate_subject.len, 4);
	event_list_release(&list);
}
END_TEST

START_TEST(another_list_is_appended_up_to_as_many_as_are_asked_for)
{
	struct event_list list = { 0 }, from = { 0 };
	struct event_ref refs[2 * MANY];
	struct event ev, out;

	for (unsigned i = 0; i < MANY; i++) {
		ev = sample(i, (uint8_t)i);
		event_text_set(&ev.client_name, span_from("name of any length", i % 19));
		event_list_add(i < 3 ? &list : &from, &ev);
	}
	event_list_append(&list, &from, 0);
	ck_assert_uint_eq(list.count, 3);
	event_list_append(&list, &from, MANY - 4);
	event_list_append(&list, &from, 1);
	ck_assert_uint_eq(list.count, MANY);
	ck_assert_uint_eq(from.count, MANY - 3);
	event_list_refs(&list, 0, refs);
	for (unsigned i = 0; i < MANY; i++) {
		/* The one left out is the last; the first of `from` comes once more. */
		unsigned expected = i < MANY - 1 ? i : 3;

		event_ref_read(&refs[i], &out);
		ck_assert_int_eq(refs[i].settled_us, expected);
		ck_assert_uint_eq(out.client_ip.bytes[3], (uint8_t)expected);
		ck_assert_uint_eq(out.client_name.len, expected % 19);
	}
	event_list_release(&list);
	event_list_release(&from);
}
END_TEST

START_TEST(the_end_of_a_session_keeps_what_it_tells)
{
	struct event ev = sample(5, 1), out;
	struct event_list list = { 0 };
	struct event_ref refs[2];

	ev.kind = EVENT_SESSION_END;
	ev.ending = (struct event_ending){
		.how = SESSION_END_RESET,
		.server_len = 77,
		.failed_name_count = 2,
		.failed_names = { 5, 6 },
	};
	event_list_add(&list, &ev);
	event_list_add(&list, &ev);
	event_list_refs(&list, 0, refs);
	event_ref_read(&refs[1], &out);
	ck_assert_int_eq(out.ending.how, SESSION_END_RESET);
	ck_assert_uint_eq(out.ending.server_len, 77);
	ck_assert_uint_eq(out.ending.failed_name_count, 2);
	ck_assert_uint_eq(out.ending.failed_names[1], 6);
	event_list_release(&list);
}
END_TEST

START_TEST(names_of_full_length_fit)
{
	struct event_list list = { 0 };
	struct event ev = sample(5, 1), out;
	struct event_ref refs[MANY];
	char name[EVENT_NAME_MAX];

	memset(name, 'n', sizeof(name));
	event_text_set(&ev.server_name, span_from(name, sizeof(name)));
	event_text_set(&ev.client_name, span_from(name, sizeof(name)));
	event_text_set(&ev.certificate_subject, span_from(name, sizeof(name)));
	for (size_t i = 0; i < MANY; i++) {
		ev.settled_us = (int64_t)i;
		event_list_add(&list, &ev);
	}
	event_list_refs(&list, 0, refs);
	for (size_t i = 0; i < MANY; i++) {
		event_ref_read(&refs[i], &out);
		ck_assert_int_eq(out.settled_us, (int64_t)i);
		ck_assert_uint_eq(out.server_name.len, sizeof(name));
		ck_assert_uint_eq(out.client_name.len, sizeof(name));
		ck_assert_uint_eq(out.certificate_subject.len, sizeof(name));
	}
	event_list_release(&list);
}
END_TEST

START_TEST(ends_with_all_they_can_tell_fit)
{
	struct event_list list = { 0 };
	struct event ev = sample(5, 1), out;
	struct event_ref refs[MANY];
	char name[EVENT_NAME_MAX];

	memset(name, 'n', sizeof(name));
	event_text_set(&ev.server_name, span_from(name, sizeof(name)));
	ev.kind = EVENT_SESSION_END;
	ev.ending = (struct event_ending){ .failed_name_count = EVENT_LOGIN_NAMES_MAX };
	for (size_t i = 0; i < MANY; i++) {
		ev.settled_us = (int64_t)i;
		ev.ending.failed_names[EVENT_LOGIN_NAMES_MAX - 1] = (uint32_t)i;
		event_list_add(&list, &ev);
	}
	event_list_refs(&list, 0, refs);
	for (size_t i = 0; i < MANY; i++) {
		event_ref_read(&refs[i], &out);
		ck_assert_int_eq(out.settled_us, (int64_t)i);
		ck_assert_uint_eq(out.server_name.len, sizeof(name));
		ck_assert_uint_eq(out.ending.failed_names[EVENT_LOGIN_NAMES_MAX - 1], i);
	}
	event_list_release(&list);
}
END_TEST

START_TEST(references_sort_as_events_do)
{
	static const struct {
		int64_t settled_us;
		uint8_t client;
	} added[] = { { 3, 1 }, { 1, 2 }, { 2, 9 }, { 2, 8 }, { 1, 1 } };
	static const unsigned order[] = { 4, 1, 3, 2, 0 };
	struct event_list list = { 0 };
	struct event_ref refs[5], scratch[5];

	for (size_t i = 0; i < 5; i++) {
		struct event ev = sample(added[i].settled_us, added[i].client);

		event_list_add(&list, &ev);
	}
	event_list_refs(&list, 0, refs);
	event_refs_sort(refs, 5, scratch);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(refs[i].index, order[i]);
	event_list_release(&list);
}
END_TEST

/* From events that are in order to events that nearly never are; many alike in time. */
START_TEST(any_number_of_runs_is_put_in_order)
{
	static struct event_ref refs[MANY], scratch[MANY];
	struct event_list list = { 0 };

	for (unsigned run = 1; run <= MANY; run = run * 3 + 1) {
		for (unsigned i = 0; i < MANY; i++) {
			struct event ev = sample((int64_t)(i % run * 7 / 2), (uint8_t)(i * 37));

			event_list_add(&list, &ev);
		}
		event_list_refs(&list, 0, refs);
		event_refs_sort(refs, MANY, scratch);
		for (unsigned i = 1; i < MANY; i++)
			ck_assert_int_lt(event_ref_compare(&refs[i - 1], &refs[i]), 0);
		event_list_clear(&list);
	}
	event_refs_sort(refs, 0, scratch);
	event_list_release(&list);
}
END_TEST

START_TEST(of_two_alike_the_one_of_the_first_list_is_first)
{
	struct event_list lists[2] = { { 0 }, { 0 } };
	struct event ev = sample(1, 1);
	struct event_ref refs[2];

	event_list_add(&lists[0], &ev);
	event_list_add(&lists[1], &ev);
	event_list_refs(&lists[0], 0, &refs[0]);
	event_list_refs(&lists[1], 1, &refs[1]);
	ck_assert_int_lt(event_ref_compare(&refs[0], &refs[1]), 0);
	ck_assert_int_gt(event_ref_compare(&refs[1], &refs[0]), 0);
	event_list_release(&lists[0]);
	event_list_release(&lists[1]);
}
END_TEST

START_TEST(an_empty_list_keeps_no_more_than_a_little)
{
	struct event_list list = { 0 };
	struct event ev = sample(1, 1);

	for (unsigned i = 0; i < 100 * MANY; i++)
		event_list_add(&list, &ev);
	ck_assert_uint_gt(list.room, (size_t)1 << 20);
	event_list_clear(&list);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_uint_le(list.room, (size_t)1 << 20);
	event_list_add(&list, &ev);
	ck_assert_uint_eq(list.count, 1);
	event_list_release(&list);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_was_added_comes_out_as_it_was);
	tcase_add_test(tc, another_list_is_appended_up_to_as_many_as_are_asked_for);
	tcase_add_test(tc, the_end_of_a_session_keeps_what_it_tells);
	tcase_add_test(tc, names_of_full_length_fit);
	tcase_add_test(tc, ends_with_all_they_can_tell_fit);
	tcase_add_test(tc, references_sort_as_events_do);
	tcase_add_test(tc, any_number_of_runs_is_put_in_order);
	tcase_add_test(tc, of_two_alike_the_one_of_the_first_list_is_first);
	tcase_add_test(tc, an_empty_list_keeps_no_more_than_a_little);
}

SUITE_MAIN("event_event_list")
