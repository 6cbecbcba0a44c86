#include "report/doctor.h"

#include <string.h>

#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))
#define NOT_FOUND (-1)

static struct doctor_finding found[DOCTOR_RULE_COUNT];
static size_t found_count;

/* A feed on which there is nothing to say: 100,000 packets, 1,000 connections. */
static struct doctor_feed
good_feed(void)
{
	return (struct doctor_feed){ .counters = {
					 [DOCTOR_PACKETS] = 100000,
					 [DOCTOR_TCP] = 50000,
					 [DOCTOR_SEGMENTS] = 20000,
					 [DOCTOR_FLOWS] = 1000,
					 [DOCTOR_SYN] = 1000,
					 [DOCTOR_EVENTS] = 900,
				     } };
}

/* The severity of that rule's finding. */
static int
severity_of(const struct doctor_feed *feed, enum doctor_rule rule)
{
	found_count = doctor_examine(feed, found);
	for (size_t i = 0; i < found_count; i++) {
		if (found[i].rule == rule)
			return (int)found[i].severity;
	}
	return NOT_FOUND;
}

static const char *
sentence(const struct doctor_feed *feed, size_t index)
{
	static struct buf text;

	buf_clear(&text);
	doctor_add_sentence(&found[index], feed, &text);
	return buf_text(&text);
}

/* With what value a rule speaks, in the good feed; one less is below it. */
static const struct threshold {
	enum doctor_rule rule;
	const char *counter;
	uint64_t speaks;
	int severity;
	uint64_t critical; /* 0: never */
} thresholds[] = {
	{ DOCTOR_RULE_UNKNOWN_LINK, "unknown_link_type", 1, DOCTOR_WARNING, 50000 },
	{ DOCTOR_RULE_EXTERNAL_CLIENTS, "external_client", 900, DOCTOR_WARNING, 0 },
	{ DOCTOR_RULE_KERNEL_DROPPED, "kernel_dropped", 101, DOCTOR_WARNING, 5264 },
	{ DOCTOR_RULE_INTERFACE_DROPPED, "interface_dropped", 101, DOCTOR_WARNING, 5264 },
	{ DOCTOR_RULE_EVENTS_LOST, "events_lost", 1, DOCTOR_WARNING, 450 },
	{ DOCTOR_RULE_ONE_WAY, "one_way_flows", 50, DOCTOR_WARNING, 500 },
	{ DOCTOR_RULE_LOST, "gaps", 21, DOCTOR_WARNING, 1053 },
	{ DOCTOR_RULE_SNAPPED, "snapped", 1, DOCTOR_WARNING, 10000 },
	{ DOCTOR_RULE_MID_START, "mid_start_flows", 200, DOCTOR_NOTE, 0 },
	{ DOCTOR_RULE_EVICTED, "flows_evicted", 1, DOCTOR_WARNING, 100 },
	{ DOCTOR_RULE_ACK_BEFORE_DATA, "ack_before_data", 200, DOCTOR_WARNING, 0 },
	{ DOCTOR_RULE_CLOCK_BACK, "clock_went_back", 1, DOCTOR_WARNING, 0 },
	{ DOCTOR_RULE_CLOCK_FORWARD, "clock_jumped_forward", 1, DOCTOR_WARNING, 0 },
	{ DOCTOR_RULE_CUT_HEADER, "cut_header", 100, DOCTOR_WARNING, 10000 },
	{ DOCTOR_RULE_BAD_LINK_HEADER, "bad_link_header", 100, DOCTOR_WARNING, 10000 },
	{ DOCTOR_RULE_BAD_IP_HEADER, "bad_ip_header", 100, DOCTOR_WARNING, 10000 },
	{ DOCTOR_RULE_BAD_TCP_HEADER, "bad_tcp_header", 100, DOCTOR_WARNING, 10000 },
	{ DOCTOR_RULE_NESTED_TOO_DEEP, "nested_too_deep", 100, DOCTOR_WARNING, 10000 },
	{ DOCTOR_RULE_ENCRYPTED, "encrypted", 5000, DOCTOR_WARNING, 50000 },
	{ DOCTOR_RULE_DUPLICATES, "duplicate_packets", 1000, DOCTOR_NOTE, 0 },
	{ DOCTOR_RULE_SUPER_SEGMENTS, "super_segments", 200, DOCTOR_NOTE, 0 },
};

static struct doctor_feed
feed_with(const char *counter, uint64_t value)
{
	struct doctor_feed feed = good_feed();

	ck_assert(doctor_feed_add(&feed, counter, value));
	return feed;
}

START_TEST(a_rule_speaks_at_its_threshold_and_not_below)
{
	const struct threshold *t = &thresholds[_i];
	struct doctor_feed feed = feed_with(t->counter, t->speaks);

	ck_assert_int_eq(severity_of(&feed, t->rule), t->severity);
	ck_assert_uint_eq(found_count, 1);
	ck_assert_uint_eq(found[0].part, t->speaks);
	feed = feed_with(t->counter, t->speaks - 1);
	ck_assert_int_eq(severity_of(&feed, t->rule), NOT_FOUND);
	ck_assert_uint_eq(found_count, 0);
}
END_TEST

START_TEST(a_rule_is_critical_where_most_is_hidden)
{
	const struct threshold *t = &thresholds[_i];
	uint64_t most = t->critical != 0 ? t->critical : 1000;
	struct doctor_feed feed = feed_with(t->counter, most);

	ck_assert_int_eq(
	    severity_of(&feed, t->rule), t->critical != 0 ? DOCTOR_CRITICAL : t->severity);
	feed = feed_with(t->counter, most - 1);
	if (t->critical != 0 && t->critical > t->speaks)
		ck_assert_int_eq(severity_of(&feed, t->rule), t->severity);
}
END_TEST

START_TEST(every_finding_has_a_sentence_and_an_advice)
{
	struct doctor_feed feed = good_feed();

	for (int rule = 0; rule < DOCTOR_RULE_COUNT; rule++) {
		found[0] =
		    (struct doctor_finding){ (enum doctor_rule)rule, DOCTOR_NOTE, 1, 100000 };
		ck_assert_uint_gt(strlen(sentence(&feed, 0)), 10);
		ck_assert_int_eq(sentence(&feed, 0)[strlen(sentence(&feed, 0)) - 1], '.');
		ck_assert_uint_gt(strlen(doctor_advice((enum doctor_rule)rule)), 20);
	}
}
END_TEST

START_TEST(the_advice_for_want_of_room_names_the_key_that_gives_more)
{
	ck_assert_ptr_nonnull(strstr(doctor_advice(DOCTOR_RULE_EVICTED), "unsettled_flows"));
}
END_TEST

START_TEST(nothing_is_wrong_with_a_good_feed)
{
	struct doctor_feed feed = good_feed();

	ck_assert_uint_eq(doctor_examine(&feed, found), 0);
}
END_TEST

START_TEST(a_counter_of_no_interest_is_turned_down)
{
	struct doctor_feed feed = { 0 };

	ck_assert(!doctor_feed_add(&feed, "banner_only", 1));
	ck_assert(!doctor_feed_add(&feed, "", 1));
	ck_assert(doctor_feed_add(&feed, "gaps", 1));
	ck_assert(doctor_feed_add(&feed, "gaps", 2));
	ck_assert_uint_eq(feed.counters[DOCTOR_GAPS], 3);
}
END_TEST

START_TEST(no_packet_is_the_only_finding_of_an_empty_feed)
{
	struct doctor_feed feed = { 0 };

	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_PACKETS), DOCTOR_CRITICAL);
	ck_assert_uint_eq(found_count, 1);
	ck_assert_str_eq(sentence(&feed, 0), "no packet arrived.");
	/* The mirror is not to blame where nobody listened. */
	feed.has_no_run = true;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_RUN), DOCTOR_CRITICAL);
	ck_assert_uint_eq(found_count, 1);
	ck_assert_str_eq(sentence(&feed, 0), "no capture ran in that time.");
	feed.has_no_run = false;
	feed.counters[DOCTOR_PACKETS] = 1;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_PACKETS), NOT_FOUND);
}
END_TEST

START_TEST(no_packet_on_a_mail_port_is_critical)
{
	struct doctor_feed feed = { .counters = { [DOCTOR_PACKETS] = 1234 } };

	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_MAIL), DOCTOR_CRITICAL);
	ck_assert_str_eq(sentence(&feed, 0),
	    "none of 1,234 packets belonged to TCP on a mail port: there was nothing to look at.");
	feed.counters[DOCTOR_TCP] = 1;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_MAIL), NOT_FOUND);
}
END_TEST

START_TEST(a_feed_that_cannot_be_decoded_is_not_called_empty_of_mail)
{
	struct doctor_feed feed = { .counters = { [DOCTOR_PACKETS] = 10,
					[DOCTOR_UNDECODABLE] = 10,
					[DOCTOR_UNKNOWN_LINK] = 10 },
		.unknown_links = "number 147" };

	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_MAIL), NOT_FOUND);
	ck_assert_uint_eq(found_count, 1);
	ck_assert_str_eq(sentence(&feed, 0),
	    "10 of 10 packets (100.0 %) had a link type that is not supported (number 147).");
	feed.counters[DOCTOR_UNDECODABLE] = 9;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_MAIL), DOCTOR_CRITICAL);
}
END_TEST

START_TEST(headers_without_payload_are_critical)
{
	struct doctor_feed feed = { .counters = { [DOCTOR_PACKETS] = 10, [DOCTOR_TCP] = 3 } };

	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_PAYLOAD), DOCTOR_CRITICAL);
	feed.counters[DOCTOR_TCP] = 2;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_PAYLOAD), NOT_FOUND);
	feed.counters[DOCTOR_TCP] = 3;
	feed.counters[DOCTOR_SEGMENTS] = 1;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_PAYLOAD), NOT_FOUND);
}
END_TEST

START_TEST(connections_without_any_syn_are_a_finding_of_their_own)
{
	struct doctor_feed feed = feed_with("mid_start_flows", 1000);

	feed.counters[DOCTOR_SYN] = 0;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_SYN), DOCTOR_WARNING);
	ck_assert_uint_eq(found_count, 1);
	feed.counters[DOCTOR_SYN] = 1;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_NO_SYN), NOT_FOUND);
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_MID_START), DOCTOR_NOTE);
}
END_TEST

START_TEST(only_clients_that_are_not_internal_is_critical)
{
	struct doctor_feed feed = feed_with("external_client", 5);

	feed.counters[DOCTOR_EVENTS] = 0;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_EXTERNAL_CLIENTS), DOCTOR_CRITICAL);
	feed.counters[DOCTOR_EVENTS] = 1;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_EXTERNAL_CLIENTS), DOCTOR_WARNING);
}
END_TEST

START_TEST(an_interface_that_was_down_is_told_by_its_time)
{
	struct doctor_feed feed = feed_with("capture_ms", 86400000);

	feed.counters[DOCTOR_INTERFACE_DOWN_MS] = 86000;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_INTERFACE_DOWN), NOT_FOUND);
	feed.counters[DOCTOR_INTERFACE_DOWN_MS] = 87000;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_INTERFACE_DOWN), DOCTOR_WARNING);
	ck_assert_str_eq(sentence(&feed, 0),
	    "87 of 86,400 seconds of capturing (0.1 %) passed while the interface was down or not "
	    "there.");
	feed.counters[DOCTOR_INTERFACE_DOWN_MS] = 43200000;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_INTERFACE_DOWN), DOCTOR_CRITICAL);
}
END_TEST

START_TEST(the_holes_of_cut_packets_are_not_called_lost)
{
	struct doctor_feed feed = feed_with("gaps", 500);

	feed.counters[DOCTOR_SNAPPED] = 500;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_LOST), NOT_FOUND);
	feed.counters[DOCTOR_SNAPPED] = 900;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_LOST), NOT_FOUND);
	feed.counters[DOCTOR_SNAPPED] = 400;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_LOST), DOCTOR_WARNING);
}
END_TEST

START_TEST(acknowledgments_of_what_was_lost_are_no_disorder)
{
	struct doctor_feed feed = feed_with("gaps", 100);

	feed.counters[DOCTOR_ACK_BEFORE_DATA] = 999;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_ACK_BEFORE_DATA), NOT_FOUND);
	feed.counters[DOCTOR_ACK_BEFORE_DATA] = 1000;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_ACK_BEFORE_DATA), DOCTOR_WARNING);
}
END_TEST

static void
add_clients(struct doctor_feed *feed, const char *fingerprints, uint8_t last_byte)
{
	const struct addr client = addr_from_v4((const uint8_t[]){ 10, 0, 0, last_byte });

	for (const char *p = fingerprints; *p != '\0'; p++)
		doctor_feed_add_client(feed, &client, span_from(p, 1));
}

START_TEST(one_address_with_many_fingerprints_stands_for_many)
{
	struct doctor_feed feed = good_feed();

	feed.counters[DOCTOR_EVENTS] = 20;
	add_clients(&feed, "abcabc", 1);
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_ONE_CLIENT), NOT_FOUND);
	add_clients(&feed, "defgh", 1);
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_ONE_CLIENT), DOCTOR_WARNING);
	feed.counters[DOCTOR_EVENTS] = 19;
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_ONE_CLIENT), NOT_FOUND);
	feed.counters[DOCTOR_EVENTS] = 20;
	add_clients(&feed, "a", 2);
	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_ONE_CLIENT), NOT_FOUND);
}
END_TEST

START_TEST(a_fingerprint_that_is_missing_counts_as_none)
{
	const struct addr client = addr_from_v4((const uint8_t[]){ 10, 0, 0, 1 });
	struct doctor_feed feed = { 0 };

	doctor_feed_add_client(&feed, &client, (struct span){ 0 });
	ck_assert_uint_eq(feed.fingerprint_count, 0);
	/* Longer than a JA4 is. */
	doctor_feed_add_client(&feed, &client, BYTES("0123456789012345678901234567890123456789"));
	ck_assert_uint_eq(feed.fingerprint_count, 1);
}
END_TEST

START_TEST(the_worst_comes_first_then_the_largest_share)
{
	struct doctor_feed feed = feed_with("duplicate_packets", 10000);
	static const enum doctor_rule order[] = { DOCTOR_RULE_ONE_WAY, DOCTOR_RULE_SNAPPED,
		DOCTOR_RULE_CUT_HEADER, DOCTOR_RULE_DUPLICATES };

	ck_assert(doctor_feed_add(&feed, "cut_header", 200));
	ck_assert(doctor_feed_add(&feed, "snapped", 200));
	ck_assert(doctor_feed_add(&feed, "one_way_flows", 600));
	ck_assert_uint_eq(doctor_examine(&feed, found), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(found[i].rule, order[i]);
	ck_assert_str_eq(sentence(&feed, 0),
	    "600 of 1,000 connections (60.0 %) showed packets of one direction only.");
}
END_TEST

START_TEST(a_share_is_never_above_the_whole)
{
	struct doctor_feed feed = feed_with("one_way_flows", UINT64_MAX);

	ck_assert_int_eq(severity_of(&feed, DOCTOR_RULE_ONE_WAY), DOCTOR_CRITICAL);
	ck_assert_uint_le(found[0].part, found[0].whole);
}
END_TEST

START_TEST(everything_wrong_at_once_fits)
{
	struct doctor_feed feed = { 0 };

	for (size_t i = 0; i < DOCTOR_COUNTER_COUNT; i++)
		feed.counters[i] = 1000;
	ck_assert_uint_le(doctor_examine(&feed, found), DOCTOR_RULE_COUNT);
	ck_assert_uint_gt(doctor_examine(&feed, found), 14);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_rule_speaks_at_its_threshold_and_not_below, 0, ROWS(thresholds));
	tcase_add_loop_test(tc, a_rule_is_critical_where_most_is_hidden, 0, ROWS(thresholds));
	tcase_add_test(tc, every_finding_has_a_sentence_and_an_advice);
	tcase_add_test(tc, the_advice_for_want_of_room_names_the_key_that_gives_more);
	tcase_add_test(tc, nothing_is_wrong_with_a_good_feed);
	tcase_add_test(tc, a_counter_of_no_interest_is_turned_down);
	tcase_add_test(tc, no_packet_is_the_only_finding_of_an_empty_feed);
	tcase_add_test(tc, no_packet_on_a_mail_port_is_critical);
	tcase_add_test(tc, a_feed_that_cannot_be_decoded_is_not_called_empty_of_mail);
	tcase_add_test(tc, headers_without_payload_are_critical);
	tcase_add_test(tc, connections_without_any_syn_are_a_finding_of_their_own);
	tcase_add_test(tc, only_clients_that_are_not_internal_is_critical);
	tcase_add_test(tc, an_interface_that_was_down_is_told_by_its_time);
	tcase_add_test(tc, the_holes_of_cut_packets_are_not_called_lost);
	tcase_add_test(tc, acknowledgments_of_what_was_lost_are_no_disorder);
	tcase_add_test(tc, one_address_with_many_fingerprints_stands_for_many);
	tcase_add_test(tc, a_fingerprint_that_is_missing_counts_as_none);
	tcase_add_test(tc, the_worst_comes_first_then_the_largest_share);
	tcase_add_test(tc, a_share_is_never_above_the_whole);
	tcase_add_test(tc, everything_wrong_at_once_fits);
}

SUITE_MAIN("report_doctor")
