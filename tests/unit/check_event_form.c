#include "suite.h"

#include "event/event_form.h"
#include "tls/names.h"

#include "base/banned.h"

static struct event
event_of_version(uint16_t version)
{
	struct event ev;

	event_init(&ev);
	ev.timestamp_us = INT64_C(1795204955258232);
	ck_assert(addr_from_text("10.0.0.1", &ev.client_ip));
	ck_assert(addr_from_text("192.0.2.1", &ev.server_ip));
	ev.client_port = 40000;
	ev.server_port = 587;
	ev.protocol = PROTOCOL_SMTP;
	ev.tls_mode = TLS_MODE_STARTTLS;
	ev.tls_version = version;
	ev.outcome = OUTCOME_REFUSED;
	ev.refused_by = SIDE_SERVER;
	ev.refusal = REFUSAL_ALERT;
	ev.refusal_alert = 70;
	return ev;
}

static const struct {
	uint16_t version;
	enum record_form form;
	const char *text; /* in the line; NULL: "version" is not */
} versions[] = {
	{ TLS_VERSION_SSL2, RECORD_FORM_ECS, "\"version\":\"2.0\",\"version_protocol\":\"ssl\"" },
	{ TLS_VERSION_SSL3, RECORD_FORM_ECS, "\"version\":\"3.0\",\"version_protocol\":\"ssl\"" },
	{ TLS_VERSION_1_0, RECORD_FORM_ECS, "\"version\":\"1.0\",\"version_protocol\":\"tls\"" },
	{ TLS_VERSION_1_3, RECORD_FORM_ECS, "\"version\":\"1.3\",\"version_protocol\":\"tls\"" },
	{ TLS_VERSION_SSL2, RECORD_FORM_ZEEK, "\"version\":\"SSLv2\"" },
	{ TLS_VERSION_1_0, RECORD_FORM_ZEEK, "\"version\":\"TLSv10\"" },
	{ TLS_VERSION_1_1, RECORD_FORM_ZEEK, "\"version\":\"TLSv11\"" },
	{ TLS_VERSION_1_2, RECORD_FORM_ZEEK, "\"version\":\"TLSv12\"" },
	{ 0, RECORD_FORM_ZEEK, NULL },
	{ TLS_VERSION_SSL3, RECORD_FORM_EVE, "\"version\":\"SSLv3\"" },
	{ TLS_VERSION_1_0, RECORD_FORM_EVE, "\"version\":\"TLSv1\"" },
	{ TLS_VERSION_1_1, RECORD_FORM_EVE, "\"version\":\"TLS 1.1\"" },
	{ TLS_VERSION_1_2, RECORD_FORM_EVE, "\"version\":\"TLS 1.2\"" },
	{ TLS_VERSION_1_3, RECORD_FORM_EVE, "\"version\":\"TLS 1.3\"" },
	{ 0, RECORD_FORM_EVE, NULL },
	{ TLS_VERSION_1_0, RECORD_FORM_SPLUNK, "\"ssl_version\":\"TLSv1.0\"" },
	{ 0, RECORD_FORM_SPLUNK, NULL },
};

START_TEST(a_version_is_spelt_as_the_form_does)
{
	struct event ev = event_of_version(versions[_i].version);
	struct buf line = { 0 };

	event_form_write(versions[_i].form, &ev, "s", BYTES("{}"), &line);
	if (versions[_i].text != NULL)
		ck_assert_msg(
		    strstr(buf_text(&line), versions[_i].text) != NULL, "%s", buf_text(&line));
	else
		ck_assert_msg(strstr(buf_text(&line), "version\":\"T") == NULL &&
				  strstr(buf_text(&line), "version\":\"S") == NULL,
		    "%s", buf_text(&line));
	buf_release(&line);
}
END_TEST

static const struct {
	uint16_t offered;
	enum record_form form;
	const char *text; /* at the place of the offer in the line */
} offers[] = {
	{ TLS_VERSION_SSL2, RECORD_FORM_ZEEK, "\"version\":\"TLSv10\",\"client_version\":2," },
	{ TLS_VERSION_1_2, RECORD_FORM_ZEEK, "\"version\":\"TLSv10\",\"client_version\":771," },
	{ TLS_VERSION_1_3, RECORD_FORM_ZEEK,
	    "\"version\":\"TLSv10\",\"client_supported_versions\":[772]," },
	{ 0, RECORD_FORM_ZEEK, "\"version\":\"TLSv10\",\"cipher\":" },
	{ TLS_VERSION_SSL3, RECORD_FORM_EVE,
	    "\"client_handshake\":{\"version\":\"SSLv3\"},"
	    "\"server_handshake\":{\"version\":\"TLSv1\",\"cipher\":47}" },
	{ TLS_VERSION_1_3, RECORD_FORM_EVE, "\"client_handshake\":{\"version\":\"TLS 1.3\"}," },
	{ 0, RECORD_FORM_EVE,
	    "\"from_proto\":\"smtp\",\"server_handshake\":{\"version\":\"TLSv1\",\"cipher\":47}" },
};

START_TEST(an_offer_has_its_place_where_the_form_has_one)
{
	struct event ev = event_of_version(TLS_VERSION_1_0);
	struct buf line = { 0 };

	ev.offered_version = offers[_i].offered;
	ev.has_cipher_suite = true;
	ev.cipher_suite = 0x002f;
	event_form_write(offers[_i].form, &ev, "s", BYTES("{}"), &line);
	ck_assert_msg(strstr(buf_text(&line), offers[_i].text) != NULL, "%s", buf_text(&line));
	buf_release(&line);
}
END_TEST

static const struct {
	const char *subject;
	const char *name; /* NULL: there is none */
} subjects[] = {
	{ "CN=mail.example.com", "mail.example.com" },
	{ "CN=mail.example.com,O=Example", "mail.example.com" },
	{ "O=Example+CN=mail,C=DE", "mail" },
	{ "O=a\\,CN=b,CN=c", "c" },
	{ "CN=a\\, b\\+c\\\\d,O=e", "a, b+c\\\\d" },
	{ "CN=\\C3\\A4,O=e", "\xc3\xa4" },
	{ "CN=a\\x1bb", "a\\\\x1bb" },
	{ "CN=a\\", "a\\\\" },
	{ "OCN=a,O=CN=b", NULL },
	{ "CN=,O=a", NULL },
	{ "CN=", NULL },
	{ "CN", NULL },
	{ "", NULL },
};

START_TEST(a_common_name_is_taken_from_the_subject)
{
	struct event ev = event_of_version(TLS_VERSION_1_2);
	struct buf line = { 0 }, expected = { 0 };

	event_text_set(&ev.certificate_subject, span_from_text(subjects[_i].subject));
	event_form_write(RECORD_FORM_SPLUNK, &ev, "s", BYTES("{}"), &line);
	buf_addf(&expected, "\"ssl_subject_common_name\":\"%s\"",
	    subjects[_i].name != NULL ? subjects[_i].name : "");
	ck_assert_msg(
	    (strstr(buf_text(&line), buf_text(&expected)) != NULL) == (subjects[_i].name != NULL),
	    "%s", buf_text(&line));
	ck_assert_msg(
	    (strstr(buf_text(&line), "common_name") != NULL) == (subjects[_i].name != NULL), "%s",
	    buf_text(&line));
	buf_release(&expected);
	buf_release(&line);
}
END_TEST

START_TEST(objects_that_share_a_name_are_one)
{
	struct event ev = event_of_version(TLS_VERSION_1_0);
	struct buf line = { 0 };

	ev.has_ja3 = true;
	memset(ev.ja3, 'a', sizeof(ev.ja3));
	ev.vlan = 7;
	event_form_write(RECORD_FORM_EVE, &ev, NULL, BYTES("{\"event\":1}"), &line);
	ck_assert_str_eq(buf_text(&line),
	    "{\"timestamp\":\"2026-11-20T20:02:35.258232+0000\",\"event_type\":\"tls\","
	    "\"src_ip\":\"10.0.0.1\",\"src_port\":40000,\"dest_ip\":\"192.0.2.1\","
	    "\"dest_port\":587,\"proto\":\"TCP\",\"vlan\":[7],"
	    "\"community_id\":\"1:xgb2MUvs8LbAP8Yv+qutPysA9Uc=\","
	    "\"tls\":{\"version\":\"TLSv1\",\"from_proto\":\"smtp\","
	    "\"ja3\":{\"hash\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},"
	    "\"server_handshake\":{\"version\":\"TLSv1\"}},"
	    "\"tlstally\":{\"event\":1}}\n");
	buf_release(&line);
}
END_TEST

START_TEST(an_alert_is_named_and_a_reset_is_none)
{
	struct event ev = event_of_version(0);
	struct buf line = { 0 };

	event_form_write(RECORD_FORM_ZEEK, &ev, "s", BYTES("{}"), &line);
	ck_assert_ptr_nonnull(strstr(buf_text(&line), "\"last_alert\":\"protocol_version\""));
	buf_clear(&line);
	ev.refusal = REFUSAL_RESET;
	event_form_write(RECORD_FORM_ZEEK, &ev, "s", BYTES("{}"), &line);
	ck_assert_ptr_null(strstr(buf_text(&line), "last_alert"));
	event_form_write(RECORD_FORM_ECS, &ev, "s", BYTES("{}"), &line);
	ck_assert_ptr_nonnull(strstr(buf_text(&line), "\"error\":{\"code\":\"reset\"}"));
	buf_release(&line);
}
END_TEST

START_TEST(a_time_before_1970_is_negative)
{
	struct event ev = event_of_version(0);
	struct buf line = { 0 };

	ev.timestamp_us = -1500000;
	event_form_write(RECORD_FORM_SPLUNK, &ev, "s", BYTES("{}"), &line);
	ck_assert_ptr_nonnull(strstr(buf_text(&line), "\"_time\":-1.500000,"));
	buf_release(&line);
}
END_TEST

START_TEST(a_record_of_no_event_is_not_taken_for_one)
{
	struct buf line = { 0 };

	event_form_write_other(RECORD_FORM_EVE, "coverage", 0, NULL, BYTES("{}"), &line);
	ck_assert_str_eq(buf_text(&line),
	    "{\"timestamp\":\"1970-01-01T00:00:00.000000+0000\",\"event_type\":\"tlstally\","
	    "\"tlstally\":{}}\n");
	buf_release(&line);
}
END_TEST

START_TEST(every_form_has_a_name_of_its_own)
{
	for (int i = 0; i < RECORD_FORM_COUNT; i++) {
		enum record_form form;

		ck_assert(record_form_from_text(record_form_name((enum record_form)i), &form));
		ck_assert_int_eq(form, i);
	}
	ck_assert(!record_form_from_text("", &(enum record_form){ 0 }));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_version_is_spelt_as_the_form_does, 0,
	    (int)(sizeof(versions) / sizeof(versions[0])));
	tcase_add_loop_test(tc, an_offer_has_its_place_where_the_form_has_one, 0,
	    (int)(sizeof(offers) / sizeof(offers[0])));
	tcase_add_loop_test(tc, a_common_name_is_taken_from_the_subject, 0,
	    (int)(sizeof(subjects) / sizeof(subjects[0])));
	tcase_add_test(tc, objects_that_share_a_name_are_one);
	tcase_add_test(tc, an_alert_is_named_and_a_reset_is_none);
	tcase_add_test(tc, a_time_before_1970_is_negative);
	tcase_add_test(tc, a_record_of_no_event_is_not_taken_for_one);
	tcase_add_test(tc, every_form_has_a_name_of_its_own);
}

SUITE_MAIN("event_form")
