#include "store_fixture.h"

#include "store/merge.h"

#include "base/banned.h"

/* Rows of one client at most, those under "*" included. */
#define ROWS_MAX (STORE_FINDINGS_PER_CLIENT_MAX + 2000)

static struct tally *
large_tally(void)
{
	struct tally_options options = { .max_bytes = (size_t)256 << 20 };

	return tally_new(&options);
}

static int
count_of(const char *query)
{
	return (int)strtol(sql(query), NULL, 10);
}

/* An event each for so many names of servers, from one client; returns how many were counted. */
static int
flood(struct tally *t, int from, int count, bool many_ports)
{
	struct event ev = handshake("10.0.0.1", "", V10, DAY);
	int added = 0;

	for (int i = from; i < from + count; i++) {
		char name[40];

		(void)snprintf(name, sizeof(name), "x%08x.example", (unsigned)i * 2654435761U);
		event_text_set(&ev.server_name, span_from_text(name));
		if (many_ports) {
			ev.server_port = (uint16_t)i;
			ev.refusal_alert = (uint8_t)(i >> 16);
			ev.offered_version = (uint16_t)(i * 7);
		}
		added += tally_add(t, &ev);
	}
	return added;
}

START_TEST(a_flood_of_names_is_bounded_and_counted)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = large_tally();
	struct event known = handshake("10.0.0.1", "known.example", V12, DAY);

	flush_event(s, &known);
	/* At once, and in pieces. */
	for (int at = 0; at < 100000; at += _i == 0 ? 100000 : 25000) {
		int count = _i == 0 ? 100000 : 25000;

		ck_assert_int_eq(flood(t, at, count, false), count);
		flush(s, t, NULL);
	}
	ck_assert_int_le(count_of("SELECT count(*) FROM inventory"), ROWS_MAX);
	ck_assert_int_ge(count_of("SELECT count(*) FROM inventory"), STORE_FINDINGS_PER_CLIENT_MAX);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "100001");
	ck_assert_str_eq(sql("SELECT count FROM clients"), "100001");
	ck_assert_str_eq(
	    sql("SELECT count(*), sum(count) > 80000 FROM inventory WHERE server = '*'"), "1|1");

	/* What has a row goes on to be counted in it. */
	flush_event(s, &known);
	ck_assert_str_eq(sql("SELECT count FROM inventory WHERE server = 'known.example'"), "2");
	ck_assert_int_eq(flood(t, 0, 100000, false), 100000);
	flush(s, t, NULL);
	ck_assert_int_le(count_of("SELECT count(*) FROM inventory"), ROWS_MAX);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "200002");
	/* So is another client. */
	known.client_ip.bytes[3] = 2;
	flush_event(s, &known);
	ck_assert_str_eq(
	    sql("SELECT server FROM inventory WHERE client = '10.0.0.2'"), "known.example");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_flood_of_names_and_ports_and_offers_is_bounded_and_counted)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = large_tally();
	struct error err;

	for (int at = 0; at < 100000; at += 50000) {
		ck_assert_int_eq(flood(t, at, 50000, true), 50000);
		ck_assert_msg(
		    store_flush(s, sensor_of(s, "here"), t, NULL, &err) == 0, "%s", err.text);
	}
	ck_assert_int_le(count_of("SELECT count(*) FROM inventory"), ROWS_MAX);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "100000");
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_client_below_the_bound_is_not_folded)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = large_tally();

	ck_assert_int_eq(
	    flood(t, 0, STORE_FINDINGS_PER_CLIENT_MAX, false), STORE_FINDINGS_PER_CLIENT_MAX);
	flush(s, t, NULL);
	ck_assert_str_eq(
	    sql("SELECT count(*) FROM inventory WHERE server <> '*' AND count = 1"), "16384");
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "16384");
	ck_assert_int_eq(flood(t, STORE_FINDINGS_PER_CLIENT_MAX, 1, false), 1);
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT server, count FROM inventory WHERE server = '*'"), "*|1");
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "16385");
	tally_free(t);
	store_close(s);
}
END_TEST

/* As a client that floods in its turn, so that the kinds under "*" are older than its own. */
START_TEST(a_flood_is_merged_once)
{
	struct store *from = open_store(STORE_WRITE), *into;
	struct event ev = handshake("10.0.0.2", "", V10, DAY);
	struct store_run run = { .command = "replay", .started_us = DAY };
	struct tally *t = large_tally();
	struct store_merged merged;
	struct error err;

	ck_assert_int_eq(flood(t, 0, 17000, false), 17000);
	flush(from, t, &run);
	for (int i = 0; i < 17000; i++) {
		char name[40];

		(void)snprintf(name, sizeof(name), "y%d.example", i);
		event_text_set(&ev.server_name, span_from_text(name));
		ck_assert(tally_add(t, &ev));
	}
	flush(from, t, &run);
	(void)snprintf(path, sizeof(path), "%s/into.db", folder);
	into = open_store(STORE_WRITE);
	for (int i = 0; i < 2; i++) {
		run.packet_count++;
		ck_assert(tally_add(t, &ev));
		flush(from, t, &run);
		ck_assert_int_eq(store_begin(into, &err), 0);
		ck_assert_msg(store_merge(into, from, &merged, &err) == 0, "%s", err.text);
		ck_assert_int_eq(store_commit(into, &err), 0);
	}
	ck_assert_uint_eq(merged.event_count, 1);
	ck_assert_str_eq(sql("SELECT client, sum(count) FROM inventory GROUP BY 1"),
	    "10.0.0.1|17000\n10.0.0.2|17002");
	tally_free(t);
	store_close(from);
	store_close(into);
}
END_TEST

static const struct {
	const char *name;
	struct span bytes;
	const char *server, *subject; /* as they are kept */
} names[] = {
	{ "NUL", { (const uint8_t *)"a\0b", 3 }, "a\\x00b", "a\\x00b" },
	{ "only NUL", { (const uint8_t *)"\0", 1 }, "\\x00", "\\x00" },
	{ "control", { (const uint8_t *)"\x1b[2j\x7f\r\n", 7 }, "\\x1b[2j\\x7f\\x0d\\x0a",
	    "\\x1b[2j\\x7f\\x0d\\x0a" },
	{ "bytes", { (const uint8_t *)"\xff\x80", 2 }, "\\xff\\x80", "\\xff\\x80" },
	{ "UTF-8", { (const uint8_t *)"b\xc3\xbcro", 5 }, "b\\xc3\\xbcro", "b\xc3\xbcro" },
	{ "four bytes", { (const uint8_t *)"\xf0\x9f\x93\xa7", 4 }, "\\xf0\\x9f\\x93\\xa7",
	    "\xf0\x9f\x93\xa7" },
	{ "cut UTF-8", { (const uint8_t *)"x\xf0\x9f\x93", 4 }, "x\\xf0\\x9f\\x93",
	    "x\\xf0\\x9f\\x93" },
	{ "overlong", { (const uint8_t *)"\xc0\xaf\xe0\x80\xaf", 5 }, "\\xc0\\xaf\\xe0\\x80\\xaf",
	    "\\xc0\\xaf\\xe0\\x80\\xaf" },
	{ "surrogate", { (const uint8_t *)"\xed\xa0\x80", 3 }, "\\xed\\xa0\\x80",
	    "\\xed\\xa0\\x80" },
	{ "beyond Unicode", { (const uint8_t *)"\xf4\x90\x80\x80\xf8", 5 },
	    "\\xf4\\x90\\x80\\x80\\xf8", "\\xf4\\x90\\x80\\x80\\xf8" },
	{ "C1", { (const uint8_t *)"\xc2\x9b", 2 }, "\\xc2\\x9b", "\\xc2\\x9b" },
	{ "right to left", { (const uint8_t *)"\xe2\x80\xaexe", 5 }, "\\xe2\\x80\\xaexe",
	    "\\xe2\\x80\\xaexe" },
	{ "no width", { (const uint8_t *)"a\xe2\x80\x8b\xef\xbb\xbf", 7 },
	    "a\\xe2\\x80\\x8b\\xef\\xbb\\xbf", "a\\xe2\\x80\\x8b\\xef\\xbb\\xbf" },
	{ "SQL", { (const uint8_t *)"'; drop table finding; --", 25 }, "'; drop table finding; --",
	    "'; drop table finding; --" },
	{ "formula", { (const uint8_t *)"=1+1", 4 }, "=1+1", "=1+1" },
};

START_TEST(hostile_names_are_kept_printable)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "", V10, DAY);
	struct buf expected = { 0 };

	event_text_set(&ev.server_name, names[_i].bytes);
	event_text_set(&ev.client_name, names[_i].bytes);
	event_text_set(&ev.certificate_subject, names[_i].bytes);
	buf_addf(&expected, "%s|%s|%s|2|legacy|legacy", names[_i].server, names[_i].subject,
	    names[_i].subject);
	/* A second flush finds the same row again. */
	flush_event(s, &ev);
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT server, client_name, certificate_subject, i.count, i.verdict,"
			     " c.verdict FROM inventory i, clients c"),
	    buf_text(&expected));
	buf_release(&expected);
	store_close(s);
}
END_TEST

static void
set_long(struct event_text *text, uint8_t byte, size_t len)
{
	memset(text->data, byte, len);
	text->len = (uint16_t)len;
}

START_TEST(the_longest_names_stay_one_row_and_whole_characters)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "", V10, DAY);

	set_long(&ev.server_name, 0xff, EVENT_NAME_MAX);
	set_long(&ev.client_name, 0, EVENT_NAME_MAX);
	for (uint16_t i = 0; i + 1 < EVENT_NAME_MAX; i = (uint16_t)(i + 2)) {
		ev.certificate_subject.data[i] = '\xc3';
		ev.certificate_subject.data[i + 1] = '\xbc';
		ev.certificate_subject.len = (uint16_t)(i + 2);
	}
	for (int i = 0; i < 3; i++)
		flush_event(s, &ev);
	/* 63 times \xff are 252 bytes; 127 times two bytes are 254. */
	ck_assert_str_eq(sql("SELECT length(CAST(server AS BLOB)), substr(server, -4),"
			     " length(certificate_subject), i.count, verdict FROM inventory i"),
	    "252|\\xff|127|3|legacy");
	ck_assert_str_eq(
	    sql("SELECT length(client_name), substr(client_name, -4), count FROM clients"),
	    "252|\\x00|3");
	/* Where the difference is cut off, they are the same server. */
	ev.server_name.data[EVENT_NAME_MAX - 1] = 'x';
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count(*), sum(count) FROM inventory"), "1|4");
	set_long(&ev.server_name, 'a', EVENT_NAME_MAX);
	flush_event(s, &ev);
	ck_assert_str_eq(
	    sql("SELECT length(server), count FROM inventory WHERE server LIKE 'a%'"), "255|1");
	store_close(s);
}
END_TEST

START_TEST(names_that_look_alike_once_escaped_are_one)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	static const char *const alike[] = { "a\xff", "A\\xff", "a\xff", "b" };

	for (int i = 0; i < ROWS(alike); i++) {
		struct event ev = handshake("10.0.0.1", alike[i], V10, DAY + i);

		ev.has_cipher_suite = true;
		ev.cipher_suite = (uint32_t)i + 1;
		ck_assert(tally_add(t, &ev));
		/* In one flush, and in several. */
		if (_i == 1)
			flush(s, t, NULL);
	}
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT server, count, verdict, cipher_suite, first_seen, last_seen"
			     " FROM inventory ORDER BY 1"),
	    "a\\xff|3|legacy|TLS_RSA_EXPORT_WITH_RC4_40_MD5|2026-11-19T00:00:00.000000Z"
	    "|2026-11-19T00:00:00.000002Z\n"
	    "b|1|legacy|TLS_RSA_WITH_RC4_128_MD5|2026-11-19T00:00:00.000003Z"
	    "|2026-11-19T00:00:00.000003Z");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(size_grows_with_clients_and_not_with_handshakes)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	int added = 0, pages;

	flush_event(s, &ev);
	pages = count_of("PRAGMA page_count");
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 1000; i++)
			added += tally_add(t, &ev);
		flush(s, t, NULL);
	}
	ck_assert_int_eq(added, 20000);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "20001");
	ck_assert_int_eq(count_of("PRAGMA page_count"), pages);
	tally_free(t);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, a_flood_of_names_is_bounded_and_counted, 0, 2);
	tcase_add_test(tc, a_flood_of_names_and_ports_and_offers_is_bounded_and_counted);
	tcase_add_test(tc, a_client_below_the_bound_is_not_folded);
	tcase_add_test(tc, a_flood_is_merged_once);
	tcase_add_loop_test(tc, hostile_names_are_kept_printable, 0, ROWS(names));
	tcase_add_test(tc, the_longest_names_stay_one_row_and_whole_characters);
	tcase_add_loop_test(tc, names_that_look_alike_once_escaped_are_one, 0, 2);
	tcase_add_test(tc, size_grows_with_clients_and_not_with_handshakes);
}

SUITE_MAIN("store_limits")
