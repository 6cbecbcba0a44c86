#include "event/event.h"

#include <stdio.h>
#include <stdlib.h>

#include "event/community_id.h"
#include "event/event_lines.h"
#include "tls/names.h"

#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static struct event
full_event(void)
{
	struct event ev = {
		.kind = EVENT_TLS_HANDSHAKE,
		.timestamp_us = INT64_C(1700000000123456),
		.client_ip = addr_from_v4((const uint8_t[]){ 128, 232, 110, 120 }),
		.server_ip = addr_from_v4((const uint8_t[]){ 66, 35, 250, 204 }),
		.client_port = 34855,
		.server_port = 80,
		.has_client_mac = true,
		.client_mac = { 0x02, 0x00, 0xab, 0xcd, 0xef, 0x5f },
		.vlan = 4095,
		.protocol = PROTOCOL_IMAP,
		.tls_mode = TLS_MODE_STARTTLS,
		.tls_version = TLS_VERSION_1_0,
		.offered_version = TLS_VERSION_1_3,
		.has_cipher_suite = true,
		.cipher_suite = 0x002f,
		.server_name_source = NAME_SOURCE_SNI,
		.alpn_len = 4,
		.alpn = "imap",
		.resumed = TRI_FALSE,
		.hello_retry = TRI_FALSE,
		.fallback_scsv = TRI_TRUE,
		.downgrade_sentinel = TLS_VERSION_1_1,
		.outcome = OUTCOME_REFUSED,
		.refused_by = SIDE_CLIENT,
		.refusal = REFUSAL_ALERT,
		.refusal_alert = 70,
		.limited_by = SIDE_SERVER,
		.client_name_source = NAME_SOURCE_IMAP_ID,
		.has_ja3 = true,
		.has_ja4 = true,
		.ja3 = "0123456789abcdef0123456789abcdef",
		.ja4 = "t10d230600_44099cda8a52_195413a0cc0f",
		.has_certificate_not_after = true,
		.certificate_not_after_us = INT64_C(1893456000000000),
		.capture_gap = true,
	};

	event_text_set(&ev.server_name, span_from_text("mail.example.org"));
	event_text_set(&ev.client_name, span_from_text("Scanner 3"));
	event_text_set(&ev.certificate_subject, span_from_text("CN=mail.example.org"));
	return ev;
}

START_TEST(every_field_is_written_in_the_order_of_the_contract)
{
	struct event ev = full_event();
	struct buf out = { 0 };

	event_write_json(&ev, "sensor-1", "eth0", &out);
	ck_assert_str_eq(buf_text(&out),
	    "{\"event\":\"tls_handshake\",\"timestamp\":\"2023-11-14T22:13:20.123456Z\","
	    "\"sensor\":\"sensor-1\",\"source\":\"eth0\","
	    "\"client_ip\":\"128.232.110.120\",\"client_port\":34855,"
	    "\"server_ip\":\"66.35.250.204\",\"server_port\":80,"
	    "\"client_mac\":\"02:00:ab:cd:ef:5f\",\"vlan\":4095,"
	    "\"community_id\":\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\","
	    "\"protocol\":\"IMAP\",\"tls_mode\":\"starttls\",\"tls_version\":\"TLSv1.0\","
	    "\"offered_version\":\"TLSv1.3\","
	    "\"cipher_suite\":\"TLS_RSA_WITH_AES_128_CBC_SHA\","
	    "\"server_name\":\"mail.example.org\",\"server_name_source\":\"sni\","
	    "\"alpn\":\"imap\",\"resumed\":false,\"hello_retry\":false,"
	    "\"fallback_scsv\":true,\"downgrade_sentinel\":\"TLSv1.1\","
	    "\"outcome\":\"refused\",\"refused_by\":\"client\",\"refusal\":\"protocol_version\","
	    "\"limited_by\":\"server\",\"client_name\":\"Scanner 3\","
	    "\"client_name_source\":\"imap-id\","
	    "\"ja3\":\"0123456789abcdef0123456789abcdef\","
	    "\"ja4\":\"t10d230600_44099cda8a52_195413a0cc0f\","
	    "\"certificate_subject\":\"CN=mail.example.org\","
	    "\"certificate_not_after\":\"2030-01-01T00:00:00.000000Z\","
	    "\"login\":null,\"capture_gap\":true}\n");
	buf_release(&out);
}
END_TEST

START_TEST(what_is_not_known_is_null)
{
	struct event ev = { .vlan = -1,
		.client_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
		.server_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, 2 }),
		.outcome = OUTCOME_UNANSWERED,
		.protocol = PROTOCOL_TLS,
		.tls_mode = TLS_MODE_IMPLICIT };
	static const char *const nulls[] = { "client_mac", "vlan", "tls_version", "offered_version",
		"cipher_suite", "server_name", "server_name_source", "alpn", "resumed",
		"hello_retry", "fallback_scsv", "downgrade_sentinel", "refused_by", "refusal",
		"limited_by", "client_name", "client_name_source", "ja3", "ja4",
		"certificate_subject", "certificate_not_after", "login", "source" };
	struct buf out = { 0 };
	char member[64];

	event_write_json(&ev, "s", NULL, &out);
	for (int i = 0; i < ROWS(nulls); i++) {
		(void)snprintf(member, sizeof(member), "\"%s\":null", nulls[i]);
		ck_assert_msg(strstr(buf_text(&out), member) != NULL, "%s", nulls[i]);
	}
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "\"capture_gap\":false"));
	buf_release(&out);
}
END_TEST

START_TEST(cleartext_session_tells_whether_a_login_was_tried)
{
	struct event ev = { .kind = EVENT_CLEARTEXT_SESSION,
		.outcome = OUTCOME_CLEARTEXT,
		.protocol = PROTOCOL_SMTP,
		.login = _i == 1 };
	struct buf out = { 0 };

	ev.capture_gap = _i == 2;
	event_write_json(&ev, "s", "f.pcap", &out);
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "{\"event\":\"cleartext_session\""));
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "\"tls_mode\":\"none\""));
	ck_assert_ptr_nonnull(strstr(buf_text(&out), _i == 0   ? "\"login\":false"
						     : _i == 1 ? "\"login\":true"
							       : "\"login\":null"));
	buf_release(&out);
}
END_TEST

static const struct {
	const char *name;
	struct {
		const char *data;
		size_t len;
	} text;
	const char *json;
} hostile[] = {
	{ "quote and backslash", { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
	{ "line end", { "a\r\nb", 4 }, "\"a\\u000d\\u000ab\"" },
	{ "NUL", { "a\0b", 3 }, "\"a\\u0000b\"" },
	{ "escape", { "\x1b[2J", 4 }, "\"\\u001b[2J\"" },
	{ "DEL", { "\x7f", 1 }, "\"\\u007f\"" },
	{ "C1 control", { "\xc2\x9b", 2 }, "\"\\u009b\"" },
	{ "UTF-8", { "m\xc3\xbcller", 7 }, "\"m\xc3\xbcller\"" },
	{ "no UTF-8", { "\xff\xfe", 2 }, "\"\\\\xff\\\\xfe\"" },
	{ "cut UTF-8", { "a\xe2\x82", 3 }, "\"a\\\\xe2\\\\x82\"" },
	{ "surrogate", { "\xed\xa0\x80", 3 }, "\"\\\\xed\\\\xa0\\\\x80\"" },
	{ "overlong", { "\xc0\xaf", 2 }, "\"\\\\xc0\\\\xaf\"" },
};

static void
check_member(const struct event *ev, const char *name, const char *json)
{
	struct buf out = { 0 };
	char member[128];

	event_write_json(ev, "s", "f", &out);
	(void)snprintf(member, sizeof(member), "\"%s\":%s,", name, json);
	ck_assert_msg(strstr(buf_text(&out), member) != NULL, "%s in %s", member, out.data);
	/* One line, whatever it holds. */
	ck_assert_ptr_eq(memchr(out.data, '\n', out.len), out.data + out.len - 1);
	ck_assert_ptr_null(memchr(out.data, 0, out.len));
	buf_release(&out);
}

START_TEST(hostile_text_stays_inside_its_string)
{
	struct span text = span_from(hostile[_i].text.data, hostile[_i].text.len);
	struct event ev = { 0 };

	event_text_set(&ev.server_name, text);
	check_member(&ev, "server_name", hostile[_i].json);
	event_text_set(&ev.client_name, text);
	check_member(&ev, "client_name", hostile[_i].json);
	event_text_set(&ev.certificate_subject, text);
	check_member(&ev, "certificate_subject", hostile[_i].json);
	ev.alpn_len = (uint8_t)text.len;
	memcpy(ev.alpn, text.data, text.len);
	check_member(&ev, "alpn", hostile[_i].json);
}
END_TEST

/* Any of what a phrase may tell, so that more of them come than are kept. */
static struct event
some_event(unsigned i)
{
	static const uint16_t versions[] = { 0, TLS_VERSION_SSL2, TLS_VERSION_SSL3, TLS_VERSION_1_0,
		TLS_VERSION_1_1, TLS_VERSION_1_2, TLS_VERSION_1_3 };
	struct event ev = full_event();

	ev.kind = i % 5 == 0 ? EVENT_CLEARTEXT_SESSION : EVENT_TLS_HANDSHAKE;
	ev.timestamp_us += i % 7 * INT64_C(86400000000);
	ev.protocol = (enum protocol)(i % 5);
	ev.tls_mode = (enum tls_mode)(i / 2 % 3);
	ev.tls_version = versions[i / 3 % 7];
	ev.offered_version = versions[i / 5 % 7];
	ev.has_cipher_suite = i % 11 != 0;
	ev.cipher_suite = i / 2 % 13 == 0 ? 0x4a4a : i % 300;
	ev.resumed = (enum tri)(i % 3);
	ev.hello_retry = (enum tri)(i / 3 % 3);
	ev.fallback_scsv = (enum tri)(i / 7 % 3);
	ev.downgrade_sentinel = versions[i % 7];
	ev.outcome = (enum outcome)(i % 5);
	ev.refused_by = (enum event_side)(i / 11 % 3);
	ev.refusal = (enum refusal_kind)(i / 13 % 6);
	ev.refusal_alert = (uint8_t)(i / 17);
	ev.limited_by = (enum event_side)(i / 19 % 3);
	return ev;
}

/* Each twice: one that is kept comes behind the one that takes its place. */
START_TEST(phrases_that_are_kept_make_the_same_lines)
{
	static const char *const sources[] = { "eth0", "eth1", NULL, "\"", "" };
	struct event_lines *lines = event_lines_new("sensor\n1");
	struct buf out = { 0 }, expected = { 0 };

	for (unsigned i = 0; i < 20000; i++) {
		struct event ev = some_event(i % 3 == 2 ? i - 2 : i);
		const char *source = sources[i / 4 % ROWS(sources)];

		event_lines_add(lines, &ev, source, &out);
		event_write_json(&ev, "sensor\n1", source, &expected);
		if (i % 100 != 99)
			continue;
		ck_assert_str_eq(buf_text(&out), buf_text(&expected));
		buf_clear(&out);
		buf_clear(&expected);
	}
	buf_release(&out);
	buf_release(&expected);
	event_lines_free(lines);
}
END_TEST

START_TEST(ipv6_is_written_as_in_rfc_5952)
{
	struct event ev = { .client_ip = addr_from_v6((const uint8_t[16]){
				0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xAB }) };

	check_member(&ev, "client_ip", "\"2001:db8::ab\"");
}
END_TEST

static const char *const numbers[] = { "0", "9", "10", "99", "100", "999", "1000", "9999", "10000",
	"10005", "65535" };

START_TEST(ports_are_written_with_as_many_digits_as_they_need)
{
	struct event ev = { .client_port = (uint16_t)strtoul(numbers[_i], NULL, 10) };

	check_member(&ev, "client_port", numbers[_i]);
}
END_TEST

/* The first two are from the specification's own examples, the others by another implementation. */
static const struct {
	const char *client, *server;
	uint16_t client_port, server_port;
	const char *id;
} flows[] = {
	{ "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ "10.0.0.1", "10.0.0.2", 10, 11569, "1:SXBGMX1lBOwhhoDrZynfROxnhnM=" },
	{ "10.0.0.1", "10.0.0.1", 993, 40000, "1:cS+BnxoWgQGGKTn/SnJsVvTrPto=" },
	{ "2001:db8:77::11", "2001:db8:25::25", 40000, 993, "1:hHeWY1+F7Wuu3A3s+uAAyPOhDrQ=" },
};

START_TEST(community_id_is_the_same_from_both_ends)
{
	struct event ev = { .client_port = flows[_i].client_port,
		.server_port = flows[_i].server_port };
	struct event reversed;
	char text[COMMUNITY_ID_TEXT_LEN];

	ck_assert(addr_from_text(flows[_i].client, &ev.client_ip));
	ck_assert(addr_from_text(flows[_i].server, &ev.server_ip));
	community_id_text(&ev, text);
	ck_assert_str_eq(text, flows[_i].id);
	reversed = ev;
	reversed.client_ip = ev.server_ip;
	reversed.server_ip = ev.client_ip;
	reversed.client_port = ev.server_port;
	reversed.server_port = ev.client_port;
	community_id_text(&reversed, text);
	ck_assert_str_eq(text, flows[_i].id);
}
END_TEST

START_TEST(a_name_from_dns_is_shown_and_one_from_a_certificate_is_not)
{
	struct event ev;

	event_init(&ev);
	event_text_set(&ev.server_name, span_from_text("mail.example.org"));
	ev.server_name_source = NAME_SOURCE_DNS;
	check_member(&ev, "server_name", "\"mail.example.org\"");
	check_member(&ev, "server_name_source", "\"dns\"");
	ev.server_name_source = NAME_SOURCE_CERTIFICATE;
	check_member(&ev, "server_name", "null");
	check_member(&ev, "server_name_source", "null");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_name_from_dns_is_shown_and_one_from_a_certificate_is_not);
	tcase_add_test(tc, every_field_is_written_in_the_order_of_the_contract);
	tcase_add_test(tc, what_is_not_known_is_null);
	tcase_add_loop_test(tc, cleartext_session_tells_whether_a_login_was_tried, 0, 3);
	tcase_add_loop_test(tc, hostile_text_stays_inside_its_string, 0, ROWS(hostile));
	tcase_add_test(tc, phrases_that_are_kept_make_the_same_lines);
	tcase_add_test(tc, ipv6_is_written_as_in_rfc_5952);
	tcase_add_loop_test(
	    tc, ports_are_written_with_as_many_digits_as_they_need, 0, ROWS(numbers));
	tcase_add_loop_test(tc, community_id_is_the_same_from_both_ends, 0, ROWS(flows));
}

SUITE_MAIN("event_json")
