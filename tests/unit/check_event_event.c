#include "event/event.h"
#include "tls/names.h"

#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

START_TEST(enums_have_the_names_of_the_contract)
{
	ck_assert_str_eq(outcome_name(OUTCOME_ESTABLISHED), "established");
	ck_assert_str_eq(outcome_name(OUTCOME_NEGOTIATED), "negotiated");
	ck_assert_str_eq(outcome_name(OUTCOME_REFUSED), "refused");
	ck_assert_str_eq(outcome_name(OUTCOME_UNANSWERED), "unanswered");
	ck_assert_str_eq(outcome_name(OUTCOME_CLEARTEXT), "cleartext");
	ck_assert_str_eq(tls_mode_name(TLS_MODE_NONE), "none");
	ck_assert_str_eq(tls_mode_name(TLS_MODE_IMPLICIT), "implicit");
	ck_assert_str_eq(tls_mode_name(TLS_MODE_STARTTLS), "starttls");
	ck_assert_ptr_null(event_side_name(SIDE_NONE));
	ck_assert_str_eq(event_side_name(SIDE_CLIENT), "client");
	ck_assert_str_eq(event_side_name(SIDE_SERVER), "server");
	ck_assert_ptr_null(name_source_name(NAME_SOURCE_NONE));
	ck_assert_str_eq(name_source_name(NAME_SOURCE_SNI), "sni");
	ck_assert_str_eq(name_source_name(NAME_SOURCE_DNS), "dns");
	ck_assert_str_eq(name_source_name(NAME_SOURCE_CERTIFICATE), "certificate");
	ck_assert_str_eq(name_source_name(NAME_SOURCE_RANGE), "range");
	ck_assert_str_eq(name_source_name(NAME_SOURCE_EHLO), "ehlo");
	ck_assert_str_eq(name_source_name(NAME_SOURCE_IMAP_ID), "imap-id");
}
END_TEST

static const struct {
	enum refusal_kind kind;
	uint8_t alert;
	const char *text; /* NULL: none */
} refusals[] = {
	{ REFUSAL_NONE, 40, NULL },
	{ REFUSAL_RESET, 0, "reset" },
	{ REFUSAL_CLOSE, 0, "close" },
	{ REFUSAL_ENCRYPTED_ALERT, 0, "encrypted_alert" },
	{ REFUSAL_ALERT, 0, "close_notify" },
	{ REFUSAL_ALERT, 40, "handshake_failure" },
	{ REFUSAL_ALERT, 70, "protocol_version" },
	{ REFUSAL_ALERT, 86, "inappropriate_fallback" },
	{ REFUSAL_ALERT, 120, "no_application_protocol" },
	{ REFUSAL_ALERT, 250, "alert_250" },
	{ REFUSAL_ALERT, 255, "alert_255" },
	{ REFUSAL_SSLV2_ERROR, 1, "sslv2_no_cipher" },
	{ REFUSAL_SSLV2_ERROR, 2, "sslv2_no_certificate" },
	{ REFUSAL_SSLV2_ERROR, 4, "sslv2_bad_certificate" },
	{ REFUSAL_SSLV2_ERROR, 6, "sslv2_unsupported_certificate_type" },
	{ REFUSAL_SSLV2_ERROR, 255, "sslv2_error_255" },
};

START_TEST(refusal_is_named_by_its_alert)
{
	struct event ev = { .refusal = refusals[_i].kind, .refusal_alert = refusals[_i].alert };
	char out[EVENT_REFUSAL_TEXT_LEN];
	const char *text = event_refusal_text(&ev, out);

	if (refusals[_i].text == NULL)
		ck_assert_ptr_null(text);
	else
		ck_assert_str_eq(text, refusals[_i].text);
}
END_TEST

static const struct {
	uint16_t version;
	uint32_t suite;
	const char *text;
} suites[] = {
	{ TLS_VERSION_1_3, 0x1302, "TLS_AES_256_GCM_SHA384" },
	{ TLS_VERSION_1_0, 0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA" },
	{ 0, 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ TLS_VERSION_1_2, 0x0000, "TLS_NULL_WITH_NULL_NULL" },
	{ TLS_VERSION_1_2, 0x0a0a, "0x0a0a" },
	{ TLS_VERSION_1_2, 0xfefe, "0xfefe" },
	{ TLS_VERSION_SSL2, 0x010080, "SSL_CK_RC4_128_WITH_MD5" },
	{ TLS_VERSION_SSL2, 0x00fefe, "0x00fefe" },
};

START_TEST(cipher_suite_is_named_or_shown_as_a_number)
{
	struct event ev = { .has_cipher_suite = true,
		.cipher_suite = suites[_i].suite,
		.tls_version = suites[_i].version };
	char out[EVENT_CIPHER_TEXT_LEN];

	ck_assert_str_eq(event_cipher_text(&ev, out), suites[_i].text);
	ev.has_cipher_suite = false;
	ck_assert_ptr_null(event_cipher_text(&ev, out));
}
END_TEST

START_TEST(text_is_cut_at_its_room)
{
	char long_name[EVENT_NAME_MAX + 10];
	struct event_text text = { 0 };

	for (size_t i = 0; i < sizeof(long_name); i++)
		long_name[i] = (char)('a' + i % 26);
	for (size_t len = 1; len <= sizeof(long_name); len++) {
		size_t kept = len < EVENT_NAME_MAX ? len : EVENT_NAME_MAX;

		event_text_set(&text, span_from(long_name, len));
		ck_assert(span_equals(event_text_span(&text), span_from(long_name, kept)));
	}
	event_text_set(&text, span_from(NULL, 0));
	ck_assert_ptr_null(event_text_span(&text).data);
}
END_TEST

/* Each of these comes behind the event before it. */
START_TEST(events_are_ordered_by_settling_then_beginning_then_endpoints)
{
	struct event base = { .settled_us = 5,
		.timestamp_us = 5,
		.client_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, 5 }),
		.client_port = 5,
		.server_ip = addr_from_v4((const uint8_t[]){ 10, 0, 0, 5 }),
		.server_port = 5 };
	struct event later = base;

	ck_assert_int_eq(event_compare(&base, &base), 0);
	switch (_i) {
	case 0:
		later.settled_us = INT64_MAX;
		later.timestamp_us = 0;
		break;
	case 1:
		later.timestamp_us = 6;
		later.client_ip.bytes[3] = 0;
		break;
	case 2:
		later.client_ip.bytes[3] = 6;
		later.client_port = 0;
		break;
	case 3:
		later.client_port = 65535;
		later.server_ip.bytes[3] = 0;
		break;
	case 4:
		later.server_ip.bytes[3] = 6;
		later.server_port = 0;
		break;
	default:
		later.server_port = 65535;
		break;
	}
	ck_assert_int_lt(event_compare(&base, &later), 0);
	ck_assert_int_gt(event_compare(&later, &base), 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, enums_have_the_names_of_the_contract);
	tcase_add_loop_test(tc, refusal_is_named_by_its_alert, 0, ROWS(refusals));
	tcase_add_loop_test(tc, cipher_suite_is_named_or_shown_as_a_number, 0, ROWS(suites));
	tcase_add_test(tc, text_is_cut_at_its_room);
	tcase_add_loop_test(tc, events_are_ordered_by_settling_then_beginning_then_endpoints, 0, 6);
}

SUITE_MAIN("event_event")
