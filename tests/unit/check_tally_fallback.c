#include "suite.h"

#include <string.h>

#include "tally/fallback.h"
#include "tally/tally.h"
#include "tls/names.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define SEC INT64_C(1000000)
#define V10 TLS_VERSION_1_0
#define V11 TLS_VERSION_1_1
#define V12 TLS_VERSION_1_2
#define V13 TLS_VERSION_1_3
#define EST OUTCOME_ESTABLISHED
#define NEG OUTCOME_NEGOTIATED
#define REF OUTCOME_REFUSED
#define UNA OUTCOME_UNANSWERED
#define TRIES_MAX 5

/* In the tables a row ends where the rest of it is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct
try {
	enum outcome outcome;
	uint16_t offered;
	int64_t at, settled; /* seconds; settled 0: at once */
	uint8_t client, server;
	uint16_t port;
	enum tri scsv;
	const char *name;
	enum name_source source; /* none: SNI, where there is a name */
};

static const struct dance {
	const char *name;
	struct try tries[TRIES_MAX];
	size_t count;
	unsigned fallbacks;
	uint16_t from;
} dances[] = {
	{ "lower_success_after_a_refusal", { { REF, V12, 1 }, { EST, V10, 2 } }, 2, 1, V12 },
	{ "success_whose_end_was_not_seen", { { REF, V12, 1 }, { NEG, V10, 2 } }, 2, 1, V12 },
	{ "three_steps_are_one", { { REF, V12, 1 }, { REF, V11, 2 }, { EST, V10, 3 } }, 3, 1, V12 },
	{ "steps_bridge_the_window", { { REF, V12, 1 }, { REF, V11, 9 }, { EST, V10, 18 } }, 3, 1,
	    V12 },
	{ "one_point_three_to_one_point_two", { { REF, V13, 1 }, { EST, V12, 2 } }, 2, 1, V13 },
	{ "at_the_window", { { REF, V12, 1 }, { EST, V10, 11 } }, 2, 1, V12 },
	{ "past_the_window", { { REF, V12, 1 }, { EST, V10, 12 } }, 2, 0, 0 },
	{ "same_offer", { { REF, V12, 1 }, { EST, V12, 2 } }, 2, 0, 0 },
	{ "higher_success", { { REF, V10, 1 }, { EST, V12, 2 } }, 2, 0, 0 },
	{ "success_first", { { EST, V10, 1 }, { REF, V12, 2 } }, 2, 0, 0 },
	{ "settled_after_the_success", { { EST, V10, 2 }, { REF, V12, 1, 60 } }, 2, 1, V12 },
	{ "settled_backwards", { { EST, V10, 3 }, { REF, V11, 2, 60 }, { REF, V12, 1, 60 } }, 3, 1,
	    V12 },
	{ "settled_after_the_success_but_too_early", { { EST, V10, 30 }, { REF, V12, 1, 60 } }, 2,
	    0, 0 },
	{ "each_settled_after_both_successes",
	    { { EST, V10, 2 }, { EST, V10, 4 }, { REF, V12, 1, 6 }, { REF, V12, 3, 6 } }, 4, 2,
	    V12 },
	{ "both_settled_after_one_success_and_the_next",
	    { { EST, V10, 3 }, { EST, V10, 5 }, { REF, V12, 1, 6 }, { REF, V12, 2, 6 } }, 4, 1,
	    V12 },
	{ "settled_after_one_that_is_marked_and_one_that_is_not",
	    { { EST, V10, 2, .scsv = TRI_TRUE }, { EST, V10, 4 }, { REF, V11, 1, 6 },
		{ REF, V12, 3, 6 } },
	    4, 2, V12 },
	{ "settled_after_successes_of_which_the_first_is_past_the_window",
	    { { EST, V10, 13 }, { EST, V10, 14 }, { REF, V12, 1, 16 } }, 3, 0, 0 },
	{ "clock_was_set_back", { { EST, V10, 3600 }, { EST, V10, 2 }, { REF, V12, 1, 4 } }, 3, 1,
	    V12 },
	{ "settled_after_a_success_that_is_counted_elsewhere_now",
	    { { EST, V10, 2 }, { NEG, V10, 4 }, { REF, V12, 1, 6 } }, 3, 1, V12 },
	{ "silence_counts_until_it_was_given_up", { { UNA, V12, 1, 31 }, { EST, V10, 35 } }, 2, 1,
	    V12 },
	{ "silence_that_was_given_up_for_the_next_try_and_settled_first",
	    { { UNA, V12, 1, 33 }, { EST, V10, 31, 34 } }, 2, 1, V12 },
	{ "silence_that_was_given_up_for_the_next_try_and_settled_last",
	    { { EST, V10, 31 }, { UNA, V12, 1, 33 } }, 2, 1, V12 },
	{ "silence_that_went_on_beside_the_next_try", { { EST, V10, 31 }, { UNA, V12, 1, 34 } }, 2,
	    0, 0 },
	{ "refusal_does_not_count_until_it_was_settled", { { REF, V12, 1, 31 }, { EST, V10, 35 } },
	    2, 0, 0 },
	{ "second_success_needs_a_failure_of_its_own",
	    { { REF, V12, 1 }, { EST, V10, 2 }, { EST, V10, 3 } }, 3, 1, V12 },
	{ "each_dance_counts",
	    { { REF, V12, 1 }, { EST, V10, 2 }, { REF, V12, 30 }, { EST, V10, 31 } }, 4, 2, V12 },
	{ "what_went_through_in_between_ends_it",
	    { { REF, V12, 1 }, { EST, V13, 2 }, { EST, V10, 3 } }, 3, 0, 0 },
	{ "what_went_through_before_it_was_settled_ends_it",
	    { { EST, V10, 1 }, { EST, V13, 21 }, { REF, V12, 20, 23 }, { EST, V10, 25 } }, 4, 0,
	    0 },
	{ "same_offer_that_went_through_before_it_was_settled_ends_it",
	    { { EST, V12, 21 }, { REF, V12, 20, 23 }, { EST, V10, 25 } }, 3, 0, 0 },
	{ "what_goes_through_while_a_try_is_open_does_not_end_it",
	    { { EST, V12, 21 }, { UNA, V12, 20, 23 }, { EST, V10, 25 } }, 3, 1, V12 },
	{ "what_went_through_before_the_clock_was_set_back_does_not_end_it",
	    { { EST, V12, 3600 }, { REF, V12, 20, 23 }, { EST, V10, 25 } }, 3, 1, V12 },
	{ "another_client", { { REF, V12, 1 }, { EST, V10, 2, .client = 1 } }, 2, 0, 0 },
	{ "another_server", { { REF, V12, 1 }, { EST, V10, 2, .server = 1 } }, 2, 0, 0 },
	{ "another_address_of_that_name",
	    { { REF, V12, 1, .name = "mail.example.com" },
		{ EST, V10, 2, .server = 1, .name = "mail.example.com" } },
	    2, 1, V12 },
	{ "another_address_of_that_name_settled_backwards",
	    { { EST, V10, 2, .server = 1, .name = "mail.example.com", .source = NAME_SOURCE_DNS },
		{ REF, V12, 1, 60, .name = "mail.example.com" } },
	    2, 1, V12 },
	{ "that_name_in_capitals_and_by_dns",
	    { { REF, V12, 1, .name = "Mail.Example.COM" },
		{ EST, V10, 2, .name = "mail.example.com", .source = NAME_SOURCE_DNS } },
	    2, 1, V12 },
	{ "that_name_with_the_dot_of_the_root",
	    { { REF, V12, 1, .name = "mail.example.com." },
		{ EST, V10, 2, .name = "mail.example.com" } },
	    2, 1, V12 },
	{ "another_name_at_that_address",
	    { { REF, V12, 1, .name = "mail.example.com" },
		{ EST, V10, 2, .name = "imap.example.com" } },
	    2, 0, 0 },
	{ "name_that_the_lower_try_does_not_tell",
	    { { REF, V12, 1, .name = "mail.example.com" }, { EST, V10, 2 } }, 2, 1, V12 },
	{ "went_through_by_that_name_before_a_try_without_one",
	    { { REF, V12, 1, .name = "mail.example.com" },
		{ EST, V12, 2, .name = "mail.example.com" }, { EST, V10, 3 } },
	    3, 0, 0 },
	{ "went_through_by_that_name_and_settled_before_a_try_without_one",
	    { { EST, V12, 2, .name = "mail.example.com" },
		{ REF, V12, 1, 3, .name = "mail.example.com" }, { EST, V10, 4 } },
	    3, 0, 0 },
	{ "told_by_that_name_before_a_try_without_one",
	    { { REF, V12, 1, .name = "mail.example.com" },
		{ EST, V10, 2, .name = "mail.example.com" }, { EST, V10, 3 } },
	    3, 1, V12 },
	{ "name_of_a_certificate_at_that_address",
	    { { REF, V12, 1 },
		{ EST, V10, 2, .name = "mail.example.com", .source = NAME_SOURCE_CERTIFICATE } },
	    2, 1, V12 },
	{ "name_of_a_certificate_at_another_address",
	    { { REF, V12, 1, .name = "mail.example.com", .source = NAME_SOURCE_CERTIFICATE },
		{ EST, V10, 2, .server = 1, .name = "mail.example.com",
		    .source = NAME_SOURCE_CERTIFICATE } },
	    2, 0, 0 },
	{ "another_port", { { REF, V12, 1 }, { EST, V10, 2, .port = 587 } }, 2, 0, 0 },
	{ "marked_by_the_client", { { EST, V10, 1, .scsv = TRI_TRUE } }, 1, 1, 0 },
	{ "marked_and_seen", { { REF, V12, 1 }, { EST, V10, 2, .scsv = TRI_TRUE } }, 2, 1, V12 },
	{ "marked_and_seen_later", { { EST, V10, 2, .scsv = TRI_TRUE }, { REF, V12, 1, 60 } }, 2, 1,
	    V12 },
	{ "marked_and_refused", { { REF, V11, 1, .scsv = TRI_TRUE } }, 1, 0, 0 },
	{ "offer_not_seen", { { REF, 0, 1 }, { EST, V10, 2 } }, 2, 0, 0 },
	{ "success_not_seen", { { REF, V12, 1 }, { EST, 0, 2 } }, 2, 0, 0 },
	{ "cleartext", { { REF, V12, 1 }, { OUTCOME_CLEARTEXT, V10, 2 } }, 2, 0, 0 },
};

static void
fill(struct event *ev, const struct try *try)
{
	const uint8_t client[4] = { 10, 0, 0, try->client }, server[4] = { 192, 0, 2, try->server };
	bool success = try->outcome == EST || try->outcome == NEG;

	event_init(ev);
	ev->protocol = PROTOCOL_IMAP;
	ev->outcome = try->outcome;
	ev->offered_version = try->offered;
	ev->tls_version = success ? try->offered : 0;
	ev->client_ip = addr_from_v4(client);
	ev->server_ip = addr_from_v4(server);
	ev->server_port = try->port != 0 ? try->port : 993;
	ev->timestamp_us = try->at * SEC;
	ev->settled_us = (try->settled != 0 ? try->settled : try->at) * SEC;
	ev->fallback_scsv = try->scsv;
	if (try->name == NULL)
		return;
	event_text_set(&ev->server_name, span_from_text(try->name));
	ev->server_name_source = try->source != NAME_SOURCE_NONE ? try->source : NAME_SOURCE_SNI;
}

START_TEST(a_dance_is_told_or_not)
{
	const struct dance *d = &dances[_i];
	struct fallback_tracker *t = fallback_tracker_new(FALLBACK_DEFAULT_WINDOW_US);
	unsigned fallbacks = 0;
	uint16_t from = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct fallback_mark mark;
		struct event ev;

		fill(&ev, &d->tries[i]);
		if (!fallback_tracker_add(t, &ev, &mark))
			continue;
		fallbacks += mark.count;
		from = mark.from > from ? mark.from : from;
		ck_assert(mark.key.outcome == EST || mark.key.outcome == NEG);
	}
	ck_assert_msg(
	    fallbacks == d->fallbacks && from == d->from, "%s: %u, %x", d->name, fallbacks, from);
	fallback_tracker_free(t);
}
END_TEST

START_TEST(the_window_can_be_set)
{
	struct fallback_tracker *t = fallback_tracker_new(FALLBACK_DEFAULT_WINDOW_US);
	const struct try tries[] = { { REF, V12, 1 }, { EST, V10, 30 } };
	struct fallback_mark mark;
	struct event ev;

	fallback_tracker_set_window(t, 60 * SEC);
	fill(&ev, &tries[0]);
	ck_assert(!fallback_tracker_add(t, &ev, &mark));
	fill(&ev, &tries[1]);
	ck_assert(fallback_tracker_add(t, &ev, &mark));
	fallback_tracker_free(t);
}
END_TEST

/* Clients without number cost no memory without end, and what is recent stays. */
/* As a mail program with many connections gives: all refusals are settled after all successes. */
START_TEST(the_latest_eight_successes_are_remembered)
{
	struct fallback_tracker *t = fallback_tracker_new(60 * SEC);
	const int pairs = _i;
	struct fallback_mark mark;
	int fallbacks = 0;
	struct event ev;

	for (int i = 0; i < pairs; i++) {
		fill(&ev, &(struct try){ EST, V10, 2 * i + 2 });
		ck_assert(!fallback_tracker_add(t, &ev, &mark));
	}
	for (int i = 0; i < pairs; i++) {
		fill(&ev, &(struct try){ REF, V12, 2 * i + 1, 2 * pairs });
		fallbacks += fallback_tracker_add(t, &ev, &mark);
		ck_assert(!fallback_tracker_add(t, &ev, &mark));
	}
	ck_assert_int_eq(fallbacks, pairs < 8 ? pairs : 8);
	fallback_tracker_free(t);
}
END_TEST

START_TEST(a_flood_evicts_the_oldest)
{
	struct fallback_tracker *t = fallback_tracker_new(FALLBACK_DEFAULT_WINDOW_US);
	struct try try = { REF, V12, 1 };
	struct fallback_mark mark;
	struct event ev;

	for (uint32_t i = 0; i < 100000; i++) {
		fill(&ev, &try);
		memcpy(ev.client_ip.bytes, &i, sizeof(i));
		ev.timestamp_us = ev.settled_us = SEC + i;
		ck_assert(!fallback_tracker_add(t, &ev, &mark));
	}
	try = (struct try){ EST, V10, 2 };
	for (uint32_t i = 0; i < 100000; i += 99999) {
		fill(&ev, &try);
		memcpy(ev.client_ip.bytes, &i, sizeof(i));
		ck_assert(fallback_tracker_add(t, &ev, &mark) == (i > 0));
	}
	fallback_tracker_free(t);
}
END_TEST

START_TEST(a_mark_is_counted_in_the_finding_that_it_is_about)
{
	const struct try tries[] = { { REF, V12, 1 }, { EST, V10, 2 } };
	struct fallback_tracker *t = fallback_tracker_new(FALLBACK_DEFAULT_WINDOW_US);
	struct tally *tally = tally_new(NULL);
	struct fallback_mark mark;
	struct finding f;
	struct event ev;

	for (size_t i = 0; i < 2; i++) {
		fill(&ev, &tries[i]);
		ck_assert(tally_add(tally, &ev));
		if (fallback_tracker_add(t, &ev, &mark))
			ck_assert(tally_mark_fallback(tally, &mark));
	}
	tally_sort(tally);
	ck_assert_uint_eq(tally_finding_count(tally), 2);
	for (size_t i = 0; i < 2; i++) {
		tally_finding_at(tally, i, &f);
		ck_assert_uint_eq(f.fallback_count, f.key.outcome == EST);
		ck_assert_uint_eq(f.fallback_from, f.key.outcome == EST ? V12 : 0);
	}
	tally_free(tally);
	fallback_tracker_free(t);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_dance_is_told_or_not, 0, ROWS(dances));
	tcase_add_test(tc, the_window_can_be_set);
	tcase_add_loop_test(tc, the_latest_eight_successes_are_remembered, 1, 13);
	tcase_add_test(tc, a_flood_evicts_the_oldest);
	tcase_add_test(tc, a_mark_is_counted_in_the_finding_that_it_is_about);
}

SUITE_MAIN("tally_fallback")
