/* What stands of clients over several flushes: names, cadence, routers. */
#include "store_fixture.h"

#include "base/banned.h"

START_TEST(a_client_row_sums_its_findings_up)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event events[] = {
		handshake("10.0.0.1", "a.example", V12, DAY),
		handshake("10.0.0.1", "a.example", TLS_VERSION_SSL2, DAY + HOUR),
		handshake("10.0.0.1", "b.example", V13, DAY + 30 * HOUR),
		refusal("10.0.0.1", "c.example", TLS_VERSION_SSL3, DAY + 31 * HOUR),
	};

	for (int i = 0; i < ROWS(events); i++) {
		events[i].has_client_mac = true;
		memcpy(events[i].client_mac, "\x00\x1b\xA9\xff\x0c\x07", 6);
		event_text_set(&events[i].client_name, BYTES("Scanner B\xc3\xbcro\x1b[2J"));
		events[i].client_name_source = NAME_SOURCE_EHLO;
		ck_assert(tally_add(t, &events[i]));
	}
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT sensor, client, client_name, client_name_source, client_mac,"
			     " worst_version, best_version, verdict, first_seen, last_seen, count,"
			     " days_seen FROM clients"),
	    "here|10.0.0.1|Scanner B\xc3\xbcro\\x1b[2J|ehlo|00:1b:a9:ff:0c:07|SSLv2|TLSv1.3|broken"
	    "|2026-11-19T00:00:00.000000Z|2026-11-20T07:00:00.000000Z|4|2");
	ck_assert_str_eq(sql("SELECT reason LIKE 'offers at most%c.example%' FROM clients"), "1");
	tally_free(t);
	store_close(s);
}
END_TEST

static void
add_event(struct tally *t, const char *client, const char *mac, int64_t time_us)
{
	struct event ev = handshake(client, "mail.example", V12, time_us);

	ev.has_client_mac = true;
	memcpy(ev.client_mac, mac, 6);
	ck_assert(tally_add(t, &ev));
}

#define MAC_A "\x00\x1b\x21\x00\x00\x0a"
#define MAC_B "\x00\x1b\x21\x00\x00\x0b"

START_TEST(a_mac_address_of_several_clients_is_a_router_s)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	/* Two at the same time behind A; B had another address a week ago, and two of IPv6. */
	add_event(t, "10.0.0.1", MAC_A, DAY);
	add_event(t, "10.0.0.2", MAC_A, DAY + HOUR);
	add_event(t, "10.0.0.1", MAC_A, DAY + 2 * HOUR);
	add_event(t, "10.0.0.3", MAC_B, DAY);
	add_event(t, "10.0.0.4", MAC_B, DAY + 168 * HOUR);
	add_event(t, "2001:db8::1", MAC_B, DAY + 168 * HOUR);
	add_event(t, "2001:db8::2", MAC_B, DAY + 168 * HOUR);
	add_event(t, "fe80::1", MAC_B, DAY + 168 * HOUR);
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT group_concat(client, ' ') FROM clients"
			     " WHERE router_mac = '00:1b:21:00:00:0a' AND client_mac IS NULL"),
	    "10.0.0.1 10.0.0.2");
	ck_assert_str_eq(sql("SELECT count(*) FROM clients WHERE client_mac = '00:1b:21:00:00:0b'"
			     " AND router_mac IS NULL"),
	    "5");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_cadence_goes_on_from_flush_to_flush)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	/* Every 300 s for a day: as a daemon flushes, one by one or a few at a time. */
	for (int i = 0; i < 288; i++) {
		add_event(t, "10.0.0.1", MAC_A, DAY + i * (HOUR / 12));
		if (i % 3 != 1)
			flush(s, t, NULL);
	}
	flush(s, t, NULL);
	ck_assert_str_eq(
	    sql("SELECT cadence, interval_s, interval_share, active_hours FROM clients"),
	    "every 300 s, day and night: unattended|300.0|100|0-23");
	/* An older capture that is read later has no gap to what is there. */
	add_event(t, "10.0.0.1", MAC_A, 0);
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT interval_s, interval_share FROM clients"), "300.0|100");
	tally_free(t);
	store_close(s);
}
END_TEST

/* As a daemon sees it: most sessions end after their handshake was flushed. */
START_TEST(the_end_of_a_session_in_a_later_flush_is_no_visit_of_its_own)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	for (int i = 0; i < 12; i++) {
		struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY + i * (HOUR / 12));
		struct event end = session_end(&ev, SECOND, 9000);

		ck_assert(tally_add(t, &ev));
		flush(s, t, NULL);
		ck_assert(tally_add(t, &end));
		flush(s, t, NULL);
	}
	ck_assert_str_eq(
	    sql("SELECT interval_s, interval_share, active_hours FROM clients"), "300.0|100|0");
	tally_free(t);
	store_close(s);
}
END_TEST

/* Came every hour on one day; then the daemon ran for five days, with its interface up or down. */
static const char *
quiet_since(uint64_t down_ms)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	const struct store_source source = { .name = "eth0" };
	const struct store_counter down = { "interface_down_ms", down_ms };

	for (int i = 0; i < 24; i++) {
		struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY + i * HOUR);

		ck_assert(tally_add(t, &ev));
	}
	for (int day = 0; day < 6; day++) {
		struct store_run run = { .command = "capture",
			.begin_us = DAY + day * 24 * HOUR,
			.end_us = DAY + (day + 1) * 24 * HOUR - SECOND,
			.counters = &down,
			.counter_count = day > 0,
			.sources = &source,
			.source_count = 1 };

		flush(s, t, &run);
	}
	tally_free(t);
	store_close(s);
	return sql("SELECT quiet_since FROM clients");
}

START_TEST(a_client_is_quiet_while_the_sensor_hears)
{
	ck_assert_str_eq(quiet_since(HOUR / 1000), "2026-11-19T23:00:00.000000Z");
}
END_TEST

START_TEST(a_client_is_not_quiet_while_no_interface_is_up)
{
	ck_assert_str_eq(quiet_since(24 * HOUR / 1000), "-");
}
END_TEST

START_TEST(a_better_name_stays_for_a_month)
{
	static const struct {
		const char *name;
		enum name_source source;
		int64_t time_us;
		const char *kept;
	} steps[] = {
		{ "Mailer 2.1", NAME_SOURCE_IMAP_ID, DAY, "Mailer 2.1|imap-id" },
		{ "scanner-2", NAME_SOURCE_DHCP, DAY + 24 * HOUR, "scanner-2|dhcp" },
		{ "Mailer 2.1", NAME_SOURCE_IMAP_ID, DAY + 48 * HOUR, "scanner-2|dhcp" },
		{ "localhost", NAME_SOURCE_EHLO, DAY + 72 * HOUR, "scanner-2|dhcp" },
		{ "scanner-3", NAME_SOURCE_DHCP, DAY + 96 * HOUR, "scanner-3|dhcp" },
		{ "old", NAME_SOURCE_DHCP, DAY, "scanner-3|dhcp" },
		{ "Mailer 2.1", NAME_SOURCE_IMAP_ID, DAY + 936 * HOUR, "Mailer 2.1|imap-id" },
	};
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct event ev = handshake("10.0.0.1", "mail.example", V12, steps[i].time_us);

		event_text_set(&ev.client_name, span_from_text(steps[i].name));
		ev.client_name_source = steps[i].source;
		ck_assert(tally_add(t, &ev));
		flush(s, t, NULL);
		ck_assert_str_eq(
		    sql("SELECT client_name, client_name_source FROM clients"), steps[i].kept);
	}
	tally_free(t);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_mac_address_of_several_clients_is_a_router_s);
	tcase_add_test(tc, a_cadence_goes_on_from_flush_to_flush);
	tcase_add_test(tc, the_end_of_a_session_in_a_later_flush_is_no_visit_of_its_own);
	tcase_add_test(tc, a_client_is_quiet_while_the_sensor_hears);
	tcase_add_test(tc, a_client_is_not_quiet_while_no_interface_is_up);
	tcase_add_test(tc, a_better_name_stays_for_a_month);
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, a_client_row_sums_its_findings_up);
}

SUITE_MAIN("store_views_clients")
