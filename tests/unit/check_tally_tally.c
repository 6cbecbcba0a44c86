#include "base/timestamp.h"
#include "store_fixture.h"
#include "tally_rows.h"

#include "base/banned.h"

START_TEST(an_empty_tally_has_nothing)
{
	struct tally *t = tally_new(NULL);

	tally_sort(t);
	ck_assert(tally_is_empty(t));
	ck_assert(!tally_is_full(t));
	ck_assert_uint_eq(tally_client_count(t), 0);
	ck_assert_uint_eq(tally_finding_count(t), 0);
	ck_assert_uint_eq(tally_bytes(t), 0);
	ck_assert_uint_eq(tally_event_count(t), 0);
	tally_free(t);
	tally_free(NULL);
}
END_TEST

/* New clients and kinds come up among them, and a name that is not in lower case. */
START_TEST(events_for_which_it_was_looked_ahead_count_as_others)
{
	struct event events[TALLY_AHEAD_MAX];
	struct tally *wanted, *t = tally_new(NULL);

	for (unsigned i = 0; i < TALLY_AHEAD_MAX; i++)
		events[i] = handshake(i % 3 == 0 ? "10.0.0.1" : "10.0.0.2",
		    i % 2 == 0 ? "mail.example" : "Mail.Example", i % 5 == 0 ? V10 : V12, DAY + i);
	events[7].server_name.len = 0;
	wanted = tally_of(events, TALLY_AHEAD_MAX);
	tally_look_ahead(t, events, TALLY_AHEAD_MAX);
	for (unsigned i = 0; i < TALLY_AHEAD_MAX; i++)
		ck_assert(tally_add_ahead(t, &events[i], i));
	tally_sort(t);
	ck_assert_uint_eq(tally_client_count(t), 2);
	ck_assert_uint_eq(tally_finding_count(t), tally_finding_count(wanted));
	for (size_t i = 0; i < tally_finding_count(t); i++) {
		struct finding f = finding_at(t, i), w = finding_at(wanted, i);

		ck_assert_int_eq(tally_key_compare(&f.key, &w.key), 0);
		ck_assert_uint_eq(f.count, w.count);
	}
	tally_look_ahead(t, events, TALLY_AHEAD_MAX);
	ck_assert(tally_add_ahead(t, &events[0], 0));
	tally_sort(t);
	ck_assert_uint_eq(tally_client_count(t), 2);
	ck_assert_uint_eq(tally_finding_count(t), tally_finding_count(wanted));
	tally_free(wanted);
	tally_free(t);
}
END_TEST

START_TEST(an_event_is_a_client_a_finding_and_a_day)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY + HOUR);
	struct tally *t = tally_of(&ev, 1);
	struct tally_client c = client_at(t, 0);
	struct finding f = finding_at(t, c.first_finding);
	struct tally_day d;

	ck_assert_uint_eq(tally_client_count(t), 1);
	ck_assert(addr_equals(&c.ip, &ev.client_ip));
	ck_assert(!c.has_mac);
	ck_assert_uint_eq(c.name.len, 0);
	ck_assert_uint_eq(c.event_count, 1);
	ck_assert_uint_eq(c.finding_count, 1);
	ck_assert_uint_eq(c.day_count, 1);
	ck_assert(addr_equals(&f.key.client_ip, &ev.client_ip));
	ck_assert_int_eq(f.key.protocol, PROTOCOL_IMAP);
	ck_assert_int_eq(f.key.tls_mode, TLS_MODE_IMPLICIT);
	ck_assert_uint_eq(f.key.server_port, 993);
	ck_assert_uint_eq(f.key.tls_version, V10);
	ck_assert_uint_eq(f.key.offered_version, V10);
	ck_assert_int_eq(f.key.outcome, OUTCOME_ESTABLISHED);
	ck_assert_uint_eq(f.count, 1);
	ck_assert_int_eq(f.first_us, DAY + HOUR);
	ck_assert_int_eq(f.last_us, DAY + HOUR);
	tally_day_at(t, c.first_day, &d);
	ck_assert_int_eq(d.day, DAY / USEC_PER_DAY);
	ck_assert_uint_eq(d.tls_version, V10);
	ck_assert_int_eq(d.outcome, OUTCOME_ESTABLISHED);
	ck_assert_uint_eq(d.count, 1);
	tally_free(t);
}
END_TEST

/* An event that knows everything of which only the latest is kept; `n` tells it from others. */
static struct event
knowing(int64_t at, uint8_t n)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, at);

	ev.server_ip.bytes[3] = n;
	ev.server_name_source = (enum name_source)n;
	ev.has_cipher_suite = ev.has_ja4 = ev.has_client_mac = true;
	ev.cipher_suite = n;
	memset(ev.ja4, 'a' + n, EVENT_JA4_LEN);
	ev.limited_by = n == 1 ? SIDE_CLIENT : SIDE_SERVER;
	event_text_set(&ev.certificate_subject, span_from(&n, 1));
	ev.has_certificate_not_after = true;
	ev.certificate_not_after_us = n;
	ev.offers_aead = n == 1;
	ev.offers_ecdhe = n == 2;
	ev.client_mac[5] = n;
	event_text_set(&ev.client_name, span_from(&n, 1));
	ev.client_name_source = (enum name_source)n;
	return ev;
}

static void
check_latest(const struct tally *t, uint8_t n)
{
	struct finding f = finding_at(t, 0);
	struct tally_client c = client_at(t, 0);

	ck_assert_uint_eq(f.server_ip.bytes[3], n);
	ck_assert_int_eq(f.server_name_source, n);
	ck_assert(f.has_cipher_suite && f.has_ja4 && f.has_certificate_not_after && c.has_mac);
	ck_assert_uint_eq(f.cipher_suite, n);
	ck_assert_int_eq(f.ja4[EVENT_JA4_LEN - 1], 'a' + n);
	ck_assert_int_eq(f.limited_by, n == 1 ? SIDE_CLIENT : SIDE_SERVER);
	ck_assert_int_eq(f.certificate_subject.data[0], n);
	ck_assert_int_eq(f.certificate_not_after_us, n);
	ck_assert_int_eq(f.offers_aead, n == 1);
	ck_assert_int_eq(f.offers_ecdhe, n == 2);
	ck_assert_uint_eq(c.mac[5], n);
	ck_assert_uint_eq(c.name.data[0], n);
	ck_assert_int_eq(c.name_source, n);
}

START_TEST(the_latest_by_packet_time_decides_in_any_order_of_arrival)
{
	struct event events[2] = { knowing(DAY, 1), knowing(DAY, 2) };
	bool first_is_latest = (_i & 1) != 0;
	struct tally *t;

	events[first_is_latest ? 0 : 1].timestamp_us += 1;
	t = tally_of(events, 2);
	check_latest(t, first_is_latest ? 1 : 2);
	ck_assert_int_eq(finding_at(t, 0).first_us, DAY);
	ck_assert_int_eq(finding_at(t, 0).last_us, DAY + 1);
	ck_assert_int_eq(client_at(t, 0).first_us, DAY);
	ck_assert_int_eq(client_at(t, 0).last_us, DAY + 1);
	tally_free(t);
}
END_TEST

START_TEST(an_event_that_knows_nothing_takes_nothing_away)
{
	struct event events[2] = { knowing(DAY, 1),
		handshake("10.0.0.1", "mail.example", V10, DAY) };
	struct tally *t;
	struct finding f;

	/* Before or after: in time, and by arrival. */
	events[1].timestamp_us += (_i & 1) != 0 ? 1 : -1;
	if ((_i & 2) != 0) {
		struct event first = events[0];

		events[0] = events[1];
		events[1] = first;
	}
	t = tally_of(events, 2);
	f = finding_at(t, 0);
	ck_assert_uint_eq(f.count, 2);
	ck_assert(f.has_cipher_suite && f.has_ja4 && f.has_certificate_not_after);
	ck_assert_uint_eq(f.cipher_suite, 1);
	ck_assert_int_eq(f.limited_by, SIDE_CLIENT);
	ck_assert_int_eq(f.certificate_subject.data[0], 1);
	ck_assert(client_at(t, 0).has_mac);
	ck_assert_uint_eq(client_at(t, 0).mac[5], 1);
	ck_assert_uint_eq(client_at(t, 0).name.data[0], 1);
	tally_free(t);
}
END_TEST

/* Names of hosts may be all that it has. */
START_TEST(a_certificate_without_a_subject_is_known_by_its_end)
{
	struct event events[3] = { knowing(DAY, 1), knowing(DAY + 1, 2),
		handshake("10.0.0.1", "mail.example", V10, DAY + 2) };
	struct finding each[3], joined;
	struct tally *t;

	events[1].certificate_subject.len = 0;
	t = tally_of(events, 3);
	joined = finding_at(t, 0);
	tally_free(t);
	for (int i = 0; i < 3; i++) {
		t = tally_of(&events[i], 1);
		each[i] = finding_at(t, 0);
		tally_free(t);
	}
	tally_finding_merge(&each[1], &each[0]);
	tally_finding_merge(&each[1], &each[2]);
	ck_assert(joined.has_certificate_not_after && each[1].has_certificate_not_after);
	ck_assert_int_eq(joined.certificate_not_after_us, 2);
	ck_assert_int_eq(each[1].certificate_not_after_us, 2);
	ck_assert_uint_eq(joined.certificate_subject.len, 0);
	ck_assert_uint_eq(each[1].certificate_subject.len, 0);
}
END_TEST

START_TEST(gaps_logins_and_fallbacks_are_counted_apart)
{
	struct event events[8];
	struct tally *t;
	struct finding f;

	for (int i = 0; i < 8; i++) {
		events[i] = handshake("10.0.0.1", "mail.example", V10, DAY + i);
		events[i].capture_gap = (i & 1) != 0;
		events[i].login = i >= 5;
		events[i].fallback_scsv = i == 0 ? TRI_TRUE : i == 1 ? TRI_FALSE : TRI_UNKNOWN;
	}
	t = tally_of(events, 8);
	f = finding_at(t, 0);
	ck_assert_uint_eq(f.count, 8);
	ck_assert_uint_eq(f.gap_count, 4);
	ck_assert_uint_eq(f.login_count, 3);
	ck_assert_uint_eq(f.scsv_count, 1);
	ck_assert_uint_eq(client_at(t, 0).event_count, 8);
	ck_assert_uint_eq(tally_event_count(t), 8);
	tally_free(t);
}
END_TEST

START_TEST(all_is_read_in_order_and_each_once)
{
	uint64_t state = 7;
	struct tally *t = tally_new(NULL);
	size_t findings = 0, days = 0;
	uint64_t events = 0;

	for (int i = 0; i < 5000; i++) {
		struct event ev = random_event(&state, DAY + (int64_t)next_random(&state) * 100);

		ev.client_ip.bytes[2] = (uint8_t)next_random(&state);
		ck_assert(tally_add(t, &ev));
	}
	tally_sort(t);
	for (size_t i = 0; i < tally_client_count(t); i++) {
		struct tally_client c = client_at(t, i), before;

		if (i > 0) {
			before = client_at(t, i - 1);
			ck_assert_int_lt(addr_compare(&before.ip, &c.ip), 0);
		}
		ck_assert_uint_eq(c.first_finding, findings);
		ck_assert_uint_eq(c.first_day, days);
		ck_assert_uint_ge(c.finding_count, 1);
		for (size_t k = 0; k < c.finding_count; k++, findings++) {
			struct finding f = finding_at(t, findings);

			ck_assert(addr_equals(&f.key.client_ip, &c.ip));
			events += f.count;
			if (findings > 0) {
				struct finding g = finding_at(t, findings - 1);

				ck_assert_int_lt(tally_key_compare(&g.key, &f.key), 0);
				ck_assert_int_gt(tally_key_compare(&f.key, &g.key), 0);
			}
			ck_assert_int_eq(tally_key_compare(&f.key, &f.key), 0);
		}
		days += c.day_count;
	}
	ck_assert_uint_eq(findings, tally_finding_count(t));
	ck_assert_uint_eq(events, 5000);
	tally_free(t);
}
END_TEST

START_TEST(sorting_in_between_changes_nothing)
{
	uint64_t state = 3;
	struct tally *plain = tally_new(NULL), *sorted = tally_new(NULL);
	struct buf a = { 0 }, b = { 0 };

	for (int i = 0; i < 3000; i++) {
		struct event ev = random_event(&state, DAY + (int64_t)next_random(&state) * 100);

		ck_assert(tally_add(plain, &ev));
		ck_assert(tally_add(sorted, &ev));
		if (i % 97 == 0)
			tally_sort(sorted);
	}
	dump_tally(plain, &a);
	dump_tally(sorted, &b);
	ck_assert_uint_gt(a.len, 1000);
	ck_assert_str_eq(buf_text(&a), buf_text(&b));
	buf_release(&a);
	buf_release(&b);
	tally_free(plain);
	tally_free(sorted);
}
END_TEST

START_TEST(a_cleared_tally_counts_as_a_new_one)
{
	uint64_t state = 3;
	struct tally *t = tally_new(NULL);
	struct buf first = { 0 }, again = { 0 };

	for (int round = 0; round < 3; round++) {
		state = 3;
		for (int i = 0; i < 1000; i++) {
			struct event ev = random_event(&state, DAY + i);

			ck_assert(tally_add(t, &ev));
		}
		dump_tally(t, round == 0 ? &first : &again);
		tally_clear(t);
		ck_assert(tally_is_empty(t));
		ck_assert_uint_eq(tally_bytes(t), 0);
		ck_assert_uint_eq(tally_finding_count(t), 0);
		ck_assert_uint_eq(tally_event_count(t), 0);
	}
	ck_assert_str_eq(buf_text(&first), buf_text(&again));
	buf_release(&first);
	buf_release(&again);
	tally_free(t);
}
END_TEST

START_TEST(two_halves_merged_are_the_whole)
{
	uint64_t state = 11;
	struct tally *whole = tally_new(NULL), *halves[2] = { tally_new(NULL), tally_new(NULL) };
	struct buf a = { 0 }, b = { 0 };

	for (int i = 0; i < 2000; i++) {
		struct event ev = random_event(&state, DAY + i);

		ck_assert(tally_add(whole, &ev));
		ck_assert(tally_add(halves[i / 1000], &ev));
	}
	tally_sort(whole);
	tally_sort(halves[0]);
	tally_sort(halves[1]);
	for (size_t i = 0; i < tally_finding_count(whole); i++) {
		struct finding w = finding_at(whole, i), sum = { .key = w.key };
		bool found = false;

		dump_finding(&a, &w);
		for (size_t h = 0; h < 2; h++) {
			for (size_t k = 0; k < tally_finding_count(halves[h]); k++) {
				struct finding f = finding_at(halves[h], k);

				if (tally_key_compare(&f.key, &w.key) != 0)
					continue;
				if (found)
					tally_finding_merge(&sum, &f);
				else
					sum = f;
				found = true;
			}
		}
		ck_assert(found);
		dump_finding(&b, &sum);
	}
	ck_assert_str_eq(buf_text(&a), buf_text(&b));
	buf_release(&a);
	buf_release(&b);
	for (size_t h = 0; h < 2; h++)
		tally_free(halves[h]);
	tally_free(whole);
}
END_TEST

START_TEST(a_hundred_thousand_clients_are_each_found_again)
{
	struct tally_options options = { .max_bytes = (size_t)1 << 30 };
	struct tally *t = tally_new(&options);

	for (int round = 0; round < 2; round++) {
		for (uint32_t n = 0; n < 100000; n++) {
			struct event ev = numbered(n);

			ck_assert(tally_add(t, &ev));
		}
	}
	tally_sort(t);
	ck_assert_uint_eq(tally_client_count(t), 100000);
	ck_assert_uint_eq(tally_finding_count(t), 100000);
	for (uint32_t n = 0; n < 100000; n++) {
		struct event ev = numbered(n);
		struct tally_client c = client_at(t, n);

		ck_assert(addr_equals(&c.ip, &ev.client_ip));
		ck_assert_uint_eq(c.event_count, 2);
	}
	tally_free(t);
}
END_TEST

static const size_t budgets[] = { 1, 1000, 100000, 1000000 };

/* What one event can add to a tally that is not full: its entries and a block of texts. */
#define OVERSHOOT 70000

START_TEST(a_full_tally_takes_what_it_knows_and_nothing_else)
{
	struct tally_options options = { .max_bytes = budgets[_i] };
	struct tally *t = tally_new(&options);
	struct buf before = { 0 }, after = { 0 };
	struct event ev;
	uint32_t n = 0;

	do {
		ck_assert_int_eq(tally_is_full(t), tally_bytes(t) >= budgets[_i]);
		ev = numbered(n++);
	} while (tally_add(t, &ev));
	ck_assert(tally_is_full(t));
	ck_assert_uint_ge(n, 2);
	ck_assert_uint_lt(tally_bytes(t), budgets[_i] + OVERSHOOT);
	ck_assert_uint_eq(tally_event_count(t), n - 1);

	/* Nothing has changed, also after a flush that sorts and fails. */
	dump_tally(t, &before);
	ck_assert(!tally_add(t, &ev));
	dump_tally(t, &after);
	ck_assert_str_eq(buf_text(&before), buf_text(&after));

	/* A client that is known, with a finding or a day that is not. */
	ev = numbered(0);
	ev.server_port = 995;
	ck_assert(!tally_add(t, &ev));
	ev = numbered(0);
	ev.timestamp_us += 48 * HOUR;
	ck_assert(!tally_add(t, &ev));
	dump_tally(t, &after);
	ck_assert_str_eq(buf_text(&before), buf_text(&after));

	ev = numbered(0);
	ck_assert(tally_add(t, &ev));
	ck_assert_uint_eq(tally_event_count(t), n);
	tally_sort(t);
	ck_assert_uint_eq(finding_at(t, 0).count, 2);

	tally_clear(t);
	ev = numbered(n);
	ck_assert(tally_add(t, &ev));
	buf_release(&before);
	buf_release(&after);
	tally_free(t);
}
END_TEST

START_TEST(names_that_change_with_each_event_stay_within_the_budget)
{
	struct tally_options options = { .max_bytes = 200000 };
	struct tally *t = tally_new(&options);
	uint32_t n = 0;

	for (;; n++) {
		struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY + n);

		memset(ev.client_name.data, 'x', EVENT_NAME_MAX);
		memcpy(ev.client_name.data, &n, sizeof(n));
		ev.client_name.len = EVENT_NAME_MAX;
		ev.certificate_subject = ev.client_name;
		ev.certificate_subject.data[EVENT_NAME_MAX - 1] = 'y';
		if (!tally_add(t, &ev))
			break;
		ck_assert_uint_lt(n, 10000);
	}
	ck_assert_uint_lt(tally_bytes(t), 200000 + OVERSHOOT);
	ck_assert_uint_eq(tally_client_count(t), 1);
	tally_free(t);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, an_empty_tally_has_nothing);
	tcase_add_test(tc, events_for_which_it_was_looked_ahead_count_as_others);
	tcase_add_test(tc, an_event_is_a_client_a_finding_and_a_day);
	tcase_add_loop_test(tc, the_latest_by_packet_time_decides_in_any_order_of_arrival, 0, 2);
	tcase_add_loop_test(tc, an_event_that_knows_nothing_takes_nothing_away, 0, 4);
	tcase_add_test(tc, a_certificate_without_a_subject_is_known_by_its_end);
	tcase_add_test(tc, gaps_logins_and_fallbacks_are_counted_apart);
	tcase_add_test(tc, all_is_read_in_order_and_each_once);
	tcase_add_test(tc, sorting_in_between_changes_nothing);
	tcase_add_test(tc, a_cleared_tally_counts_as_a_new_one);
	tcase_add_test(tc, two_halves_merged_are_the_whole);
	tcase_add_test(tc, a_hundred_thousand_clients_are_each_found_again);
	tcase_add_loop_test(
	    tc, a_full_tally_takes_what_it_knows_and_nothing_else, 0, ROWS(budgets));
	tcase_add_test(tc, names_that_change_with_each_event_stay_within_the_budget);
}

SUITE_MAIN("tally_tally")
