#include "session/session.h"

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

/* Implicit TLS */

static void
client_stops_at_10(struct script *s)
{
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS10), TLS_VERSION_1_0);
}

static void
server_stops_at_10(struct script *s)
{
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS13), TLS_VERSION_1_0);
}

static void
fallback(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10_FALLBACK));
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, 86);
	closes(s, SERVER);
}

static void
legacy_refused_by_client(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	server_flight_12(s, TLS_VERSION_1_0);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, CLIENT);
}

static void
resumed_12(struct script *s)
{
	/* The session_id of the sample's hello, given back: RFC 5246, section 7.4.1.3. */
	static const char sample[] = SAMPLE_OPENSSL_TLS13;
	struct span id = span_from(sample + 4 + 2 + 32 + 1, 32);

	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_server_hello_record(
	    &s->out, TLS_VERSION_1_2, 0xc030, id, BYTES(SERVER_RANDOM_PLAIN), span_from("", 0));
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_HANDSHAKE, 40);
	says(s, SERVER);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_HANDSHAKE, 40);
	says(s, CLIENT);
}

static void
resumed_13(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_server_hello_record(&s->out, TLS_VERSION_1_3, 0x1302, span_from("", 0),
	    BYTES(SERVER_RANDOM_PLAIN), BYTES("\x00\x29\x00\x02\x00\x00"));
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 23);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 69);
	says(s, SERVER);
	client_finished_13(s);
	data(s, SERVER, 250);
}

static void
hello_retry(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_server_hello_record(&s->out, TLS_VERSION_1_3, 0x1302, span_from("", 0),
	    BYTES(SERVER_RANDOM_RETRY), BYTES("\x00\x33\x00\x02\x00\x17"));
	says(s, SERVER);
	put_ccs(&s->out);
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_GNUTLS_TLS13));
	says(s, CLIENT);
	server_flight_13(s);
	client_finished_13(s);
	data(s, SERVER, 250);
}

static void
hello_retry_only(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_server_hello_record(&s->out, TLS_VERSION_1_3, 0x1302, span_from("", 0),
	    BYTES(SERVER_RANDOM_RETRY), BYTES("\x00\x33\x00\x02\x00\x17"));
	says(s, SERVER);
}

static void
warning_survived(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	alert(s, SERVER, TLS_ALERT_LEVEL_WARNING, 112);
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	server_finished_12(s);
}

static void
warning_survived_then_refused(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	alert(s, SERVER, TLS_ALERT_LEVEL_WARNING, 112);
	server_flight_12(s, TLS_VERSION_1_2);
	closes(s, SERVER);
}

/* draft-hickman-netscape-ssl-00, section 2.7: NO-CIPHER-ERROR, of a client as well. */
static void
sslv2_error_behind_its_server_hello(struct script *s)
{
	put_span(&s->out, BYTES("\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80"
				"cccccccccccccccc"));
	says(s, CLIENT);
	put_span(&s->out, BYTES("\x80\x1e\x04\x00\x01\x00\x02\x00\x00\x00\x03\x00\x10\x01\x00\x80"
				"iiiiiiiiiiiiiiii"));
	says(s, SERVER);
	put_span(&s->out, BYTES("\x80\x03\x00\x00\x01"));
	says(s, CLIENT);
	closes(s, CLIENT);
}

/* A message with one certificate, which nobody can read. */
static void
put_bad_certificate(struct script *s)
{
	put_record(
	    &s->out, TLS_RECORD_HANDSHAKE, BYTES("\x0b\x00\x00\x0a\x00\x00\x07\x00\x00\x04none"));
}

static void
server_certificate_is_bad(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	put_plain_server_hello(&s->out, TLS_VERSION_1_2);
	put_bad_certificate(s);
	says(s, SERVER);
}

static void
client_certificate_is_bad(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	put_plain_server_hello(&s->out, TLS_VERSION_1_2);
	says(s, SERVER);
	put_bad_certificate(s);
	says(s, CLIENT);
}

/* The warning is nothing that the resumed handshake died of. */
static void
warning_survived_then_closed(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	put_plain_server_hello(&s->out, TLS_VERSION_1_2);
	put_alert(&s->out, TLS_ALERT_LEVEL_WARNING, 112);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_HANDSHAKE, 40);
	says(s, SERVER);
	closes(s, SERVER);
}

static void
protected_alert_13(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	server_flight_13(s);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, PROTECTED_ALERT);
	says(s, CLIENT);
	closes(s, CLIENT);
}

static void
server_closes_on_hello(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	closes(s, SERVER);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, 70);
	closes(s, CLIENT);
}

static void
server_resets(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	resets(s, SERVER);
}

static void
client_gives_up(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	closes(s, CLIENT);
	closes(s, SERVER);
}

static void
banner_where_tls_belongs(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	closes(s, CLIENT);
}

static void
hello_answered_by_a_banner(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, 10);
	closes(s, CLIENT);
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "tls 1.2", 993, tls12,
	    "IMAP implicit TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "tls 1.3", 995, tls13,
	    "POP3 implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=no scsv=no" },
	{ "client stops at 1.0", 465, client_stops_at_10,
	    "SMTP implicit TLSv1.0 TLSv1.0 established - - client resumed=no retry=no scsv=no" },
	{ "server stops at 1.0", 8443, server_stops_at_10,
	    "TLS implicit TLSv1.0 TLSv1.3 established - - server resumed=no retry=no scsv=no" },
	{ "fallback", 993, fallback,
	    "IMAP implicit - TLSv1.0 refused server inappropriate_fallback - resumed=- retry=- "
	    "scsv=yes" },
	{ "client refuses 1.0", 993, legacy_refused_by_client,
	    "IMAP implicit TLSv1.0 TLSv1.3 refused client protocol_version server resumed=no "
	    "retry=no scsv=no" },
	{ "resumed 1.2", 993, resumed_12,
	    "IMAP implicit TLSv1.2 TLSv1.3 established - - - resumed=yes retry=no scsv=no" },
	{ "resumed 1.3", 993, resumed_13,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=yes retry=no scsv=no" },
	{ "hello retry", 993, hello_retry,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=yes scsv=no" },
	{ "hello retry only", 993, hello_retry_only,
	    "IMAP implicit TLSv1.3 TLSv1.3 negotiated - - - resumed=- retry=yes scsv=no" },
	{ "sslv2 error behind the server's hello", 993, sslv2_error_behind_its_server_hello,
	    "IMAP implicit SSLv2 SSLv2 refused client sslv2_no_cipher client resumed=no retry=- "
	    "scsv=no" },
	{ "sslv2 format", 993, sslv2_format_hello,
	    "IMAP implicit TLSv1.0 TLSv1.0 established - - client resumed=no retry=no scsv=no" },
	{ "warning survived", 993, warning_survived,
	    "IMAP implicit TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "warning survived, then refused", 993, warning_survived_then_refused,
	    "IMAP implicit TLSv1.2 TLSv1.2 refused server close - resumed=no retry=no scsv=no" },
	{ "warning survived, then closed", 993, warning_survived_then_closed,
	    "IMAP implicit TLSv1.2 TLSv1.2 refused server close - resumed=yes retry=no scsv=no" },
	{ "protected alert", 993, protected_alert_13,
	    "IMAP implicit TLSv1.3 TLSv1.3 refused client - - resumed=no retry=no scsv=no" },
	{ "server closes on hello", 993, server_closes_on_hello,
	    "IMAP implicit - TLSv1.0 refused server close - resumed=- retry=- scsv=no" },
	{ "server resets", 993, server_resets,
	    "IMAP implicit - TLSv1.0 refused server reset - resumed=- retry=- scsv=no" },
	{ "client gives up", 993, client_gives_up,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no" },
	{ "banner where tls belongs", 587, banner_where_tls_belongs,
	    "SMTP implicit - TLSv1.2 refused client close - resumed=- retry=- scsv=no" },
	{ "hello answered by a banner", 587, hello_answered_by_a_banner,
	    "SMTP implicit - TLSv1.2 refused client unexpected_message - resumed=- retry=- "
	    "scsv=no" },
	{ "tls at once on 587", 587, tls12,
	    "SMTP implicit TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
};

ROW_TESTS

START_TEST(event_holds_what_the_hellos_and_the_connection_say)
{
	struct told told = tell_row(tls13, 993, NULL);
	const struct event *ev = &told.event;
	struct sample sample = sample_at(0);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_int_eq(ev->timestamp_us, SCRIPT_START_US);
	ck_assert_int_eq(ev->settled_us, SCRIPT_START_US + 3000);
	ck_assert_uint_eq(ev->source, 3);
	ck_assert_int_eq(ev->vlan, 7);
	ck_assert_uint_eq(ev->client_port, 40000);
	ck_assert_uint_eq(ev->server_port, 993);
	ck_assert_uint_eq(ev->client_ip.bytes[3], 5);
	ck_assert_uint_eq(ev->server_ip.bytes[3], 25);
	ck_assert(ev->has_client_mac && ev->client_mac[5] == 5);
	ck_assert(
	    span_equals(event_text_span(&ev->server_name), span_from_text(sample.server_name)));
	ck_assert_int_eq(ev->server_name_source, NAME_SOURCE_SNI);
	ck_assert(ev->has_ja3 && ev->has_ja4);
	ck_assert_mem_eq(ev->ja3, sample.ja3, EVENT_JA3_LEN);
	ck_assert_mem_eq(ev->ja4, sample.ja4, EVENT_JA4_LEN);
	ck_assert(ev->has_cipher_suite && ev->cipher_suite == 0x1302);
	ck_assert(ev->offers_aead && ev->offers_ecdhe);
}
END_TEST

START_TEST(fingerprints_are_those_of_the_first_hello)
{
	struct told told = tell_row(hello_retry, 993, NULL);

	ck_assert_mem_eq(told.event.ja3, sample_at(0).ja3, EVENT_JA3_LEN);
	ck_assert_mem_eq(told.event.ja4, sample_at(0).ja4, EVENT_JA4_LEN);
}
END_TEST

/* A hello that answers a HelloRetryRequest; what came before it was not captured. */
static void
second_hello_only(struct script *s)
{
	struct writer message = { 0 };
	size_t body, block;

	put_span(&message, BYTES("\x01\x00"));
	body = begin_vec16(&message);
	put_client_hello_head(&message, TLS_VERSION_1_2);
	block = begin_vec16(&message);
	put_extension(&message, TLS_EXT_SUPPORTED_VERSIONS, BYTES("\x02\x03\x04"));
	put_extension(&message, TLS_EXT_COOKIE, BYTES("\x00\x03tea"));
	end_vec16(&message, block);
	end_vec16(&message, body);
	hello(s, written(&message));
}

START_TEST(second_hello_has_not_the_fingerprints_of_the_first)
{
	struct told told = tell_row(second_hello_only, 993, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_uint_eq(told.event.offered_version, TLS_VERSION_1_3);
	ck_assert(!told.event.has_ja3 && !told.event.has_ja4);
	ck_assert_int_eq(told.event.hello_retry, TRI_TRUE);
	ck_assert(told.event.capture_gap);
}
END_TEST

/* RFC 8446, section 4.1.2, wants one suite at least. */
static void
hello_without_a_suite(struct script *s)
{
	struct writer message = { 0 };
	size_t body;

	put_span(&message, BYTES("\x01\x00"));
	body = begin_vec16(&message);
	put_u16(&message, TLS_VERSION_1_2);
	put_fill(&message, 0x5a, 32);
	put_span(&message, BYTES("\x00\x00\x00\x01\x00"));
	end_vec16(&message, body);
	hello(s, written(&message));
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, 50);
	closes(s, SERVER);
}

START_TEST(hello_with_an_empty_list_of_suites_is_refused_and_not_passed_over)
{
	struct told told = tell_row(hello_without_a_suite, 993, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_uint_eq(told.event.offered_version, TLS_VERSION_1_2);
	ck_assert_int_eq(told.event.outcome, OUTCOME_REFUSED);
	ck_assert_uint_eq(told.event.refusal_alert, 50);
	ck_assert(told.event.has_ja4);
	ck_assert_mem_eq(told.event.ja4, "t12i000000_000000000000_000000000000", EVENT_JA4_LEN);
}
END_TEST

START_TEST(sslv2_format_hello_has_no_fingerprint)
{
	struct told told = tell_row(sslv2_format_hello, 993, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert(!told.event.has_ja3 && !told.event.has_ja4);
}
END_TEST

START_TEST(only_the_servers_certificate_is_read)
{
	ck_assert_uint_eq(
	    tell_row(server_certificate_is_bad, 993, NULL).counters.bad_certificate, 1);
	ck_assert_uint_eq(
	    tell_row(client_certificate_is_bad, 993, NULL).counters.bad_certificate, 0);
}
END_TEST

START_TEST(clients_outside_are_counted_only)
{
	struct told told = tell_row(tls13, 993, "172.16.0.0/12");

	ck_assert_uint_eq(told.event_count, 0);
	ck_assert_uint_eq(told.counters.external_client, 1);
	told = tell_row(tls13, 993, "10.0.0.0/24");
	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_uint_eq(told.counters.external_client, 0);
}
END_TEST

static void
end_of_the_clients_flight_is_cut(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	put_client_flight_12(&s->out);
	s->out.len -= 30;
	says(s, CLIENT);
	loses(s, CLIENT, 30);
	server_finished_12(s);
}

START_TEST(success_settles_at_once_and_a_refusal_lingers)
{
	ck_assert_int_eq(
	    tell_row(end_of_the_clients_flight_is_cut, 993, NULL).wish, SESSION_SETTLED);
	ck_assert_int_eq(tell_row(tls12, 993, NULL).wish, SESSION_SETTLED);
	ck_assert_int_eq(tell_row(server_resets, 993, NULL).wish, SESSION_LINGER);
	ck_assert_int_eq(tell_row(hello_retry_only, 993, NULL).wish, SESSION_GO_ON);
}
END_TEST

static enum session_phase
phase_after(unsigned side, struct span bytes, struct span answer)
{
	const struct connection conn = {
		.opener = 0, .port = { 40000, 993 }, .seen = { true, true }
	};
	struct session_counters counters = { 0 };
	struct service_set services;
	const struct session_options options = { .services = &services, .counters = &counters };
	const struct mark mark = { .peer_offset = 0 };
	struct session *s;
	enum session_phase phase;

	service_set_init_defaults(&services);
	s = session_new(&options, &conn);
	(void)session_data(s, side, bytes, &mark);
	if (answer.len > 0)
		(void)session_data(s, 1 - side, answer, &mark);
	phase = session_phase(s);
	session_free(s);
	return phase;
}

START_TEST(the_phase_tells_how_far_it_has_come)
{
	struct writer w = { 0 };
	struct span none = span_from("", 0), greeting = span_from_text("* OK ready\r\n");

	put_record(&w, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS12));
	ck_assert_int_eq(phase_after(0, written(&w), none), SESSION_ONE_SIDED);
	ck_assert_int_eq(phase_after(1, greeting, none), SESSION_ONE_SIDED);
	ck_assert_int_eq(
	    phase_after(1, greeting, span_from_text("a STARTTLS\r\n")), SESSION_ANSWERED);
	ck_assert_int_eq(phase_after(0, span_first(written(&w), 50), greeting), SESSION_ANSWERED);
	ck_assert_int_eq(phase_after(0, written(&w), greeting), SESSION_IN_HANDSHAKE);
}
END_TEST

static const struct {
	const char *fact;
	struct {
		char what; /* F: FIN, R: reset */
		unsigned dir;
		struct mark mark;
	} acts[2];
	struct session_close first;
} closes_rows[] = {
	{ "nobody", { { 0 } }, { .how = SESSION_END_UNSEEN } },
	{ "the only one", { { 'F', 1, { 5, 0, 0 } } }, { SESSION_END_CLOSE, 1, 5, 0 } },
	{ "a reset", { { 'R', 0, { 6, 0, 0 } } }, { SESSION_END_RESET, 0, 6, 0 } },
	{ "the earlier one", { { 'F', 1, { 5, 0, 0 } }, { 'F', 0, { 7, 0, 0 } } },
	    { SESSION_END_CLOSE, 1, 5, 0 } },
	{ "an answer is not the first", { { 'F', 1, { 5, 0, 1 } }, { 'F', 0, { 7, 0, 0 } } },
	    { SESSION_END_CLOSE, 0, 7, 0 } },
	{ "a FIN shows by what the other side acknowledges", { { 'F', 1, { 5, 0, 1 } } },
	    { SESSION_END_CLOSE, 0, 5, MARK_NO_PEER } },
	{ "what acknowledges no FIN shows none", { { 'F', 1, { 5, 0, 0 } } },
	    { SESSION_END_CLOSE, 1, 5, 0 } },
	{ "a reset behind the FIN of the same side is one act",
	    { { 'F', 0, { 5, 0, 0 } }, { 'R', 0, { 6, 1, 0 } } }, { SESSION_END_CLOSE, 0, 5, 0 } },
};

START_TEST(who_closed_first_is_told)
{
	const struct connection conn = { .opener = 0, .port = { 40000, 993 } };
	struct session_counters counters = { 0 };
	struct service_set services;
	const struct session_options options = { .services = &services, .counters = &counters };
	struct session *s;
	struct session_close first;

	service_set_init_defaults(&services);
	s = session_new(&options, &conn);
	for (size_t i = 0; i < 2; i++) {
		const struct mark *mark = &closes_rows[_i].acts[i].mark;

		if (closes_rows[_i].acts[i].what == 'F')
			(void)session_fin(s, closes_rows[_i].acts[i].dir, mark);
		else if (closes_rows[_i].acts[i].what == 'R')
			(void)session_reset(s, closes_rows[_i].acts[i].dir, mark);
	}
	first = session_first_close(s);
	session_free(s);
	ck_assert_msg(first.how == closes_rows[_i].first.how &&
			  first.dir == closes_rows[_i].first.dir &&
			  first.time_us == closes_rows[_i].first.time_us &&
			  first.received == closes_rows[_i].first.received,
	    "%s: %d of %u at %lld", closes_rows[_i].fact, (int)first.how, first.dir,
	    (long long)first.time_us);
}
END_TEST

/* A connection that is none of ours is let go of, so that it costs nothing any more. */
START_TEST(long_garbage_is_settled)
{
	static struct script script;
	const struct telling how = { 0 };
	struct told told;

	script = (struct script){ .server_port = 8443 };
	for (int i = 0; i < 3; i++) {
		put_fill(&script.out, 0xee, 22000);
		says(&script, CLIENT);
	}
	script.bytes.len = 0;
	for (int i = 0; i < 12; i++)
		script.acts[3 + i] = script.acts[i % 3];
	script.count = 15;
	for (size_t i = 0; i < script.count; i++)
		script.acts[i].begin = 0;
	told = tell(&script, &how);
	ck_assert_int_eq(told.wish, SESSION_SETTLED);
	ck_assert_uint_eq(told.counters.garbage, 1);
}
END_TEST

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
	tcase_add_test(tc, event_holds_what_the_hellos_and_the_connection_say);
	tcase_add_test(tc, fingerprints_are_those_of_the_first_hello);
	tcase_add_test(tc, second_hello_has_not_the_fingerprints_of_the_first);
	tcase_add_test(tc, hello_with_an_empty_list_of_suites_is_refused_and_not_passed_over);
	tcase_add_test(tc, sslv2_format_hello_has_no_fingerprint);
	tcase_add_test(tc, only_the_servers_certificate_is_read);
	tcase_add_test(tc, clients_outside_are_counted_only);
	tcase_add_test(tc, success_settles_at_once_and_a_refusal_lingers);
	tcase_add_test(tc, the_phase_tells_how_far_it_has_come);
	tcase_add_loop_test(
	    tc, who_closed_first_is_told, 0, sizeof(closes_rows) / sizeof(closes_rows[0]));
	tcase_add_test(tc, long_garbage_is_settled);
}

SUITE_MAIN("session_session")
