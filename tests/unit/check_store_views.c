#include "store/store_internal.h"
#include "store_fixture.h"

#include "base/banned.h"

static const struct {
	const char *view, *columns;
} views[] = {
	{ "inventory", "sensor client protocol tls_mode server server_ip server_port tls_version "
		       "offered_version outcome refused_by refusal limited_by count first_seen "
		       "last_seen cipher_suite ja4 verdict server_name_source certificate_subject "
		       "certificate_not_after with_capture_gap cleartext_logins legacy_endpoint "
		       "fallbacks fallback_from ended dropped_early" },
	{ "clients", "sensor client client_name client_name_source client_mac worst_version "
		     "best_version verdict reason first_seen last_seen count days_seen fallbacks "
		     "quiet_since router_mac ja4 cadence interval_s interval_share active_hours "
		     "dropped_early" },
	{ "days", "sensor client day tls_version outcome count" },
	{ "logins", "sensor client hour sessions short_sessions failed_logins accepted_logins "
		    "failed_names" },
	{ "coverage", "sensor run command source begin end packets bytes kernel_dropped "
		      "interface_dropped flows_evicted gaps one_way_flows undecodable "
		      "cut_by_snap_length details errors started duplicate_share hint" },
};

/* A promise to users: names and order stay, new ones come behind. */
START_TEST(the_columns_of_a_view_are_its_promise)
{
	char query[100];

	store_close(open_store(STORE_WRITE));
	(void)snprintf(query, sizeof(query),
	    "SELECT group_concat(name, ' ') FROM pragma_table_info('%s')", views[_i].view);
	ck_assert_str_eq(sql(query), views[_i].columns);
	(void)snprintf(query, sizeof(query), "SELECT count(*) FROM %s", views[_i].view);
	ck_assert_str_eq(sql(query), "0");
}
END_TEST

/* A new database gets them in another way than an older one. */
START_TEST(views_are_written_as_sqlite_writes_them)
{
	static const char all[] = "SELECT count(*), group_concat(quote(type) || name || tbl_name ||"
				  " quote(rootpage) || sql) FROM sqlite_master WHERE type = 'view'";
	struct store *s = open_store(STORE_WRITE);
	char *made = xstrdup(sql(all));

	ck_assert_int_eq(strncmp(made, "6|", 2), 0);
	store_know_views(s);
	ck_assert_int_eq(store_renew_views(s), 0);
	ck_assert_str_eq(sql(all), made);
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	store_close(s);
	free(made);
}
END_TEST

START_TEST(who_makes_a_database_can_ask_for_clients)
{
	struct store *s = open_store(STORE_FILL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct buf rows = { 0 };

	flush_event(s, &ev);
	dump_store(s, &rows);
	ck_assert_ptr_nonnull(strstr(buf_text(&rows), "here 10.0.0.1 "));
	buf_release(&rows);
	store_close(s);
}
END_TEST

START_TEST(an_inventory_row_says_all_that_is_known)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "Mail.Example", V10, DAY + 5 * HOUR + 1);

	ev.protocol = PROTOCOL_SMTP;
	ev.tls_mode = TLS_MODE_STARTTLS;
	ev.server_port = 587;
	ev.offered_version = V13;
	ev.has_cipher_suite = true;
	ev.cipher_suite = 0x002f;
	ev.has_ja4 = true;
	memcpy(ev.ja4, "t13d1516h2_8daaf6152771_b186095e22b6", EVENT_JA4_LEN);
	ev.limited_by = SIDE_SERVER;
	event_text_set(&ev.certificate_subject, BYTES("CN=mail.example,O=B\xc3\xbcro"));
	ev.has_certificate_not_after = true;
	ev.certificate_not_after_us = DAY;
	ck_assert(tally_add(t, &ev));
	ev.timestamp_us += HOUR;
	ev.capture_gap = true;
	ck_assert(tally_add(t, &ev));
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT * FROM inventory"),
	    "here|10.0.0.1|SMTP|starttls|mail.example|192.0.2.1|587|TLSv1.0|TLSv1.3|established|-|-"
	    "|server|2|2026-11-19T05:00:00.000001Z|2026-11-19T06:00:00.000001Z"
	    "|TLS_RSA_WITH_AES_128_CBC_SHA|t13d1516h2_8daaf6152771_b186095e22b6|server-limited|sni"
	    "|CN=mail.example,O=B\xc3\xbcro|2026-11-19T00:00:00.000000Z|1|0|0|0|-|0|0");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(what_is_not_known_is_null)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("fd00::1", "", 0, DAY);

	ev.kind = EVENT_CLEARTEXT_SESSION;
	ev.outcome = OUTCOME_CLEARTEXT;
	ev.tls_mode = TLS_MODE_NONE;
	ev.server_name_source = NAME_SOURCE_NONE;
	ev.login = true;
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT * FROM inventory"),
	    "here|fd00::1|IMAP|none|192.0.2.1|192.0.2.1|993|-|-|cleartext|-|-|-|1"
	    "|2026-11-19T00:00:00.000000Z|2026-11-19T00:00:00.000000Z|-|-|cleartext|-|-|-|0|1|0|0|"
	    "-|0|0");
	ck_assert_str_eq(sql("SELECT sensor, client, client_name, client_name_source, client_mac,"
			     " worst_version, best_version, verdict, first_seen, last_seen, count,"
			     " days_seen FROM clients"),
	    "here|fd00::1|-|-|-|-|-|cleartext|2026-11-19T00:00:00.000000Z"
	    "|2026-11-19T00:00:00.000000Z|1|1");
	ck_assert_str_eq(sql("SELECT * FROM days"), "here|fd00::1|2026-11-19|-|cleartext|1");
	store_close(s);
}
END_TEST

/* Each value of an enum has the name in the views that the events have. */

START_TEST(outcomes_are_named_as_in_the_events)
{
	struct store *s = open_store(STORE_WRITE);
	enum outcome outcome = (enum outcome)_i;
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	ev.outcome = outcome;
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT outcome FROM inventory"), outcome_name(outcome));
	ck_assert_str_eq(sql("SELECT outcome FROM days"), outcome_name(outcome));
	store_close(s);
}
END_TEST

static const uint16_t versions[] = { TLS_VERSION_SSL2, TLS_VERSION_SSL3, V10, TLS_VERSION_1_1, V12,
	V13 };

START_TEST(versions_are_named_as_in_the_events)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", versions[_i], DAY);
	const char *name = tls_version_name(versions[_i]);
	char expected[100];

	flush_event(s, &ev);
	(void)snprintf(expected, sizeof(expected), "%s|%s|%s|%s|%s", name, name, name, name, name);
	ck_assert_str_eq(sql("SELECT i.tls_version, offered_version, worst_version, best_version,"
			     " d.tls_version FROM inventory i, clients, days d"),
	    expected);
	store_close(s);
}
END_TEST

START_TEST(protocols_and_modes_are_named_as_in_the_events)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	char expected[100];

	ev.protocol = (enum protocol)(PROTOCOL_TLS + _i / 3);
	ev.tls_mode = (enum tls_mode)(_i % 3);
	flush_event(s, &ev);
	(void)snprintf(expected, sizeof(expected), "%s|%s", protocol_name(ev.protocol),
	    tls_mode_name(ev.tls_mode));
	ck_assert_str_eq(sql("SELECT protocol, tls_mode FROM inventory"), expected);
	store_close(s);
}
END_TEST

START_TEST(sides_and_sources_of_names_are_named_as_in_the_events)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	const char *source = name_source_name((enum name_source)_i);
	const char *side = event_side_name((enum event_side)(_i % 3));
	char expected[100];

	source = source != NULL ? source : "-";
	side = side != NULL ? side : "-";
	ev.server_name_source = ev.client_name_source = (enum name_source)_i;
	event_text_set(&ev.client_name, BYTES("name"));
	ev.refused_by = ev.limited_by = (enum event_side)(_i % 3);
	flush_event(s, &ev);
	(void)snprintf(expected, sizeof(expected), "%s|%s|%s|%s", source, source, side, side);
	ck_assert_str_eq(sql("SELECT server_name_source, client_name_source, refused_by, limited_by"
			     " FROM inventory, clients"),
	    expected);
	store_close(s);
}
END_TEST

static uint8_t
judge_server(void *arg, const struct finding *findings, size_t count, struct store_judgement *out,
    struct buf *reason)
{
	const uint8_t *server = arg;

	(void)findings;
	(void)reason;
	for (size_t i = 0; i < count; i++)
		out[i] = (struct store_judgement){ 1, *server };
	return 1;
}

static const struct {
	uint8_t server;
	enum name_source source;
	const char *row;
} endpoints[] = {
	{ 0, NAME_SOURCE_NONE, "-|0" },
	{ 0, NAME_SOURCE_SNI, "sni|0" },
	{ STORE_SERVER_LEGACY_ENDPOINT, NAME_SOURCE_SNI, "sni|1" },
	{ STORE_SERVER_BY_RANGE, NAME_SOURCE_NONE, "range|-" },
	{ STORE_SERVER_BY_RANGE, NAME_SOURCE_CERTIFICATE, "certificate|-" },
};

START_TEST(an_endpoint_is_named_and_marked_as_the_judge_says)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "", V10, DAY);
	uint8_t server = endpoints[_i].server;

	store_set_judge(s, judge_server, &server);
	ev.server_name_source = endpoints[_i].source;
	flush_event(s, &ev);
	ck_assert_str_eq(
	    sql("SELECT server_name_source, legacy_endpoint FROM inventory"), endpoints[_i].row);
	/* What the judge says anew is written, though nothing else of the row changes. */
	server = STORE_SERVER_LEGACY_ENDPOINT;
	ev = handshake("10.0.0.1", "other.example", V12, DAY + HOUR);
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT min(legacy_endpoint) FROM inventory"), "1");
	store_close(s);
}
END_TEST

static const struct {
	enum refusal_kind refusal;
	uint8_t alert;
} refusals[] = {
	{ REFUSAL_NONE, 0 },
	{ REFUSAL_ALERT, 70 },
	{ REFUSAL_ALERT, 250 },
	{ REFUSAL_ENCRYPTED_ALERT, 0 },
	{ REFUSAL_RESET, 0 },
	{ REFUSAL_CLOSE, 0 },
	{ REFUSAL_SSLV2_ERROR, 1 },
	{ REFUSAL_SSLV2_ERROR, 99 },
};

START_TEST(refusals_are_named_as_in_the_events)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = refusal("10.0.0.1", "mail.example", V10, DAY);
	char text[EVENT_REFUSAL_TEXT_LEN];
	const char *name;

	ev.refusal = refusals[_i].refusal;
	ev.refusal_alert = refusals[_i].alert;
	flush_event(s, &ev);
	flush_event(s, &ev);
	name = event_refusal_text(&ev, text);
	ck_assert_str_eq(sql("SELECT refusal FROM inventory"), name != NULL ? name : "-");
	store_close(s);
}
END_TEST

static const struct {
	uint16_t version;
	uint32_t suite;
} suites[] = {
	{ V13, 0x1301 },
	{ V12, 0xfefe },
	{ V12, 0 },
	{ TLS_VERSION_SSL2, 0x010080 },
	{ TLS_VERSION_SSL2, 0xabcdef },
};

START_TEST(cipher_suites_are_named_as_in_the_events)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", suites[_i].version, DAY);
	char text[EVENT_CIPHER_TEXT_LEN];

	ev.has_cipher_suite = true;
	ev.cipher_suite = suites[_i].suite;
	flush_event(s, &ev);
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT cipher_suite FROM inventory"), event_cipher_text(&ev, text));
	store_close(s);
}
END_TEST

static uint8_t
judge_as_told(void *arg, const struct finding *findings, size_t count, struct store_judgement *out,
    struct buf *reason)
{
	const uint8_t *rank = arg;

	(void)findings;
	for (size_t i = 0; i < count; i++)
		out[i] = (struct store_judgement){ *rank, 0 };
	buf_add_text(reason, "told");
	return *rank;
}

START_TEST(verdicts_are_named_as_by_the_policy)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	const char *name = verdict_name((enum verdict)_i);
	uint8_t rank = (uint8_t)_i;
	char expected[60];

	store_set_judge(s, judge_as_told, &rank);
	flush_event(s, &ev);
	(void)snprintf(expected, sizeof(expected), "%s|%s|told", name, name);
	ck_assert_str_eq(
	    sql("SELECT i.verdict, c.verdict, reason FROM inventory i, clients c"), expected);
	store_close(s);
}
END_TEST

static const struct {
	int64_t at;
	const char *time, *day;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000Z", "1970-01-01" },
	{ 1, "1970-01-01T00:00:00.000001Z", "1970-01-01" },
	{ -1, "1969-12-31T23:59:59.999999Z", "1969-12-31" },
	{ -1000000, "1969-12-31T23:59:59.000000Z", "1969-12-31" },
	{ -1000001, "1969-12-31T23:59:58.999999Z", "1969-12-31" },
	{ DAY - 1, "2026-11-18T23:59:59.999999Z", "2026-11-18" },
	{ DAY, "2026-11-19T00:00:00.000000Z", "2026-11-19" },
	{ INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z", "9999-12-31" },
	{ INT64_C(253402300800000000), "-", "-" },
	{ INT64_MAX, "-", "-" },
	{ INT64_MIN, "-", "-" },
};

START_TEST(times_are_rfc_3339_in_utc)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, times[_i].at);
	const char *time = times[_i].time;
	char expected[200];

	/* The reason has times too: that is the policy's business. */
	store_set_judge(s, NULL, NULL);
	flush_event(s, &ev);
	(void)snprintf(
	    expected, sizeof(expected), "%s|%s|%s|%s|%s", time, time, time, time, times[_i].day);
	ck_assert_str_eq(sql("SELECT i.first_seen, i.last_seen, c.first_seen, c.last_seen, day"
			     " FROM inventory i, clients c, days"),
	    expected);
	store_close(s);
}
END_TEST

START_TEST(days_have_a_row_per_version_and_outcome)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event events[] = {
		handshake("10.0.0.1", "a.example", V12, DAY),
		handshake("10.0.0.1", "b.example", V12, DAY + HOUR),
		handshake("10.0.0.1", "a.example", V10, DAY),
		refusal("10.0.0.1", "a.example", V10, DAY),
		handshake("10.0.0.1", "a.example", V12, DAY + 24 * HOUR),
		handshake("10.0.0.2", "a.example", V12, DAY),
	};

	for (int i = 0; i < ROWS(events); i++)
		ck_assert(tally_add(t, &events[i]));
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT client, day, tls_version, outcome, count FROM days"
			     " ORDER BY 2, 1, 3, 4"),
	    "10.0.0.1|2026-11-19|-|refused|1\n"
	    "10.0.0.1|2026-11-19|TLSv1.0|established|1\n"
	    "10.0.0.1|2026-11-19|TLSv1.2|established|2\n"
	    "10.0.0.2|2026-11-19|TLSv1.2|established|1\n"
	    "10.0.0.1|2026-11-20|TLSv1.2|established|1");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(coverage_says_what_was_seen_and_what_was_not)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_counter counters[] = { { "undecodable", 4 }, { "zero", 0 }, { "gaps", 3 },
		{ "kernel_dropped", 5 }, { "interface_dropped", 6 }, { "flows_evicted", 7 },
		{ "one_way_flows", 8 } };
	struct store_source sources[] = {
		{ .name = "a.pcap", .snapped_count = 2, .error = "a.pcap is cut short" },
		{ .name = "b.pcap", .snapped_count = 3 },
		{ .name = "c.pcap", .error = "c.pcap is odd" },
	};
	struct store_run run = { .command = "replay",
		.started_us = DAY,
		.begin_us = DAY + 1,
		.end_us = DAY + HOUR,
		.packet_count = 10,
		.byte_count = 1000,
		.counters = counters,
		.counter_count = 7,
		.sources = sources,
		.source_count = 3 };

	flush(s, NULL, &run);
	ck_assert_str_eq(sql("SELECT * FROM coverage"),
	    "here|1|replay|3 sources: a.pcap b.pcap c.pcap|2026-11-19T00:00:00.000001Z"
	    "|2026-11-19T01:00:00.000000Z|10|1000|5|6|7|3|8|4|5"
	    "|flows_evicted=7, gaps=3, interface_dropped=6, kernel_dropped=5, one_way_flows=8, "
	    "undecodable=4|a.pcap is cut short; c.pcap is odd|2026-11-19T00:00:00.000000Z|-|-");
	store_close(s);
}
END_TEST

START_TEST(coverage_of_a_run_without_packets_has_no_times)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_source source = { .name = "eth0" };
	struct store_run run = {
		.command = "capture", .started_us = DAY, .sources = &source, .source_count = 1
	};

	flush(s, NULL, &run);
	ck_assert_str_eq(sql("SELECT * FROM coverage"),
	    "here|1|capture|eth0|-|-|0|0|-|-|-|-|-|-|0|-|-|2026-11-19T00:00:00.000000Z|-|-");
	store_close(s);
}
END_TEST

START_TEST(coverage_says_what_came_twice_and_what_to_raise)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_counter counters[] = { { "duplicate_packets", 3 }, { "payload_segments", 8 },
		{ "snapped", 5 } };
	struct store_source source = { .name = "a.pcap" };
	struct store_run run = {
		.command = "replay", .started_us = DAY, .counters = counters, .counter_count = 3
	};

	flush(s, NULL, &run);
	ck_assert_str_eq(sql("SELECT duplicate_share, hint, cut_by_snap_length FROM coverage"),
	    "0.375|raise the snapshot length: 5 packets on mail ports were cut|5");
	/* A mirror cut what is inside of whole frames; or the capture cut other frames, too. */
	run.sources = &source;
	run.source_count = 1;
	flush(s, NULL, &run);
	ck_assert_str_eq(sql("SELECT cut_by_snap_length FROM coverage"), "5");
	source.snapped_count = 7;
	flush(s, NULL, &run);
	ck_assert_str_eq(sql("SELECT cut_by_snap_length FROM coverage"), "7");
	store_close(s);
}
END_TEST

START_TEST(the_views_can_be_read_while_a_writer_is_at_it)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;

	flush_event(s, &ev);
	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "1");
	ck_assert_int_eq(store_commit(s, &err), 0);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "2");
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, the_columns_of_a_view_are_its_promise, 0, ROWS(views));
	tcase_add_test(tc, views_are_written_as_sqlite_writes_them);
	tcase_add_test(tc, who_makes_a_database_can_ask_for_clients);
	tcase_add_test(tc, an_inventory_row_says_all_that_is_known);
	tcase_add_test(tc, what_is_not_known_is_null);
	tcase_add_loop_test(tc, outcomes_are_named_as_in_the_events, 0, OUTCOME_CLEARTEXT + 1);
	tcase_add_loop_test(tc, versions_are_named_as_in_the_events, 0, ROWS(versions));
	tcase_add_loop_test(tc, protocols_and_modes_are_named_as_in_the_events, 0, 12);
	tcase_add_loop_test(
	    tc, sides_and_sources_of_names_are_named_as_in_the_events, 0, NAME_SOURCE_IMAP_ID + 1);
	tcase_add_loop_test(tc, an_endpoint_is_named_and_marked_as_the_judge_says, 0,
	    sizeof(endpoints) / sizeof(endpoints[0]));
	tcase_add_loop_test(tc, refusals_are_named_as_in_the_events, 0, ROWS(refusals));
	tcase_add_loop_test(tc, cipher_suites_are_named_as_in_the_events, 0, ROWS(suites));
	tcase_add_loop_test(tc, verdicts_are_named_as_by_the_policy, 0, VERDICT_COUNT);
	tcase_add_loop_test(tc, times_are_rfc_3339_in_utc, 0, ROWS(times));
	tcase_add_test(tc, days_have_a_row_per_version_and_outcome);
	tcase_add_test(tc, coverage_says_what_was_seen_and_what_was_not);
	tcase_add_test(tc, coverage_of_a_run_without_packets_has_no_times);
	tcase_add_test(tc, coverage_says_what_came_twice_and_what_to_raise);
	tcase_add_test(tc, the_views_can_be_read_while_a_writer_is_at_it);
}

SUITE_MAIN("store_views")
