/* What a mail dialogue leads to: STARTTLS, a session in the clear, or nothing to report. */
#include "session/session.h"

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

/* STARTTLS */

static void
smtp_until_starttls(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
}

static void
smtp_starttls(struct script *s)
{
	smtp_until_starttls(s);
	says_text(s, SERVER, "220 go ahead\r\n");
	handshake_13(s);
}

static void
imap_starttls(struct script *s)
{
	says_text(s, SERVER, "* OK ready\r\n");
	says_text(s, CLIENT, "a1 STARTTLS\r\n");
	says_text(s, SERVER, "a1 OK begin\r\n");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS10), TLS_VERSION_1_0);
}

static void
pop3_starttls(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	says_text(s, CLIENT, "STLS\r\n");
	says_text(s, SERVER, "+OK begin\r\n");
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

static void
starttls_then_silence(struct script *s)
{
	smtp_until_starttls(s);
	says_text(s, SERVER, "220 go ahead\r\n");
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	closes(s, CLIENT);
}

static void
starttls_then_server_closes(struct script *s)
{
	smtp_until_starttls(s);
	says_text(s, SERVER, "220 go ahead\r\n");
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	closes(s, SERVER);
}

static void
starttls_then_words(struct script *s)
{
	smtp_until_starttls(s);
	says_text(s, SERVER, "220 go ahead\r\n");
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	says_text(s, SERVER, "454 TLS not available\r\n");
	closes(s, CLIENT);
}

static void
words_on_both_sides_of_the_close(struct script *s)
{
	starttls_then_words(s);
	says_text(s, SERVER, "421 bye\r\n");
	closes(s, SERVER);
}

/* As Exim answers a client that was set up for TLS at once on the wrong port. */
static void
complaints_about_a_hello(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.com ESMTP\r\n");
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	says_text(s, SERVER,
	    "501 NUL characters are not allowed in SMTP commands\r\n"
	    "421 mail.example.com lost input connection\r\n");
	closes(s, CLIENT);
}

static void
unknown_protocol_starttls(struct script *s)
{
	s->whole_segments = true;
	put_span(&s->out, BYTES("\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
				"1.3.6.1.4.1.1466.20037"));
	says(s, CLIENT);
	put_span(&s->out, BYTES("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	says(s, SERVER);
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

/* RFC 5804, section 2.2. */
static void
manage_sieve(struct script *s)
{
	says_text(s, SERVER, "\"STARTTLS\"\r\nOK \"ready\"\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "OK \"go\"\r\n");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

/* A greeting may be a mere "+OK", and be delivered behind the commands. */
static void
pop3_with_a_short_greeting(struct script *s)
{
	says_text(s, SERVER, "+OK\r\n");
	says_text(s, CLIENT, "CAPA\r\n");
	says_text(s, SERVER, "+OK\r\nUSER\r\n.\r\n");
	says_text(s, CLIENT, "STLS\r\n");
	says_text(s, SERVER, "-ERR no\r\n");
	says_text(s, CLIENT, "USER mfp\r\n");
	says_text(s, SERVER, "+OK\r\n");
	says_text(s, CLIENT, "PASS dummy\r\n");
	says_text(s, SERVER, "+OK in\r\n");
}

/* RFC 4217, section 4. */
static void
ftp(struct script *s)
{
	says_text(s, SERVER, "220 FTP server\r\n");
	says_text(s, CLIENT, "AUTH TLS\r\n");
	says_text(s, SERVER, "234 go\r\n");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

/* RFC 3977, section 5.4: the answer to QUIT is 205. */
static void
nntp_quit_only(struct script *s)
{
	says_text(s, SERVER, "200 news.example.org ready\r\n");
	says_text(s, CLIENT, "QUIT\r\n");
	says_text(s, SERVER, "205 bye\r\n");
	closes(s, SERVER);
	closes(s, CLIENT);
}

/* RFC 4642, section 2.2.2: granted by 382; but no hello comes. */
static void
nntp_starttls_granted(struct script *s)
{
	says_text(s, SERVER, "200 news.example.org ready\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "382 go\r\n");
	closes(s, CLIENT);
}

/* RFC 6120, section 5.4: nothing ends a line before TLS. */
static void
xmpp(struct script *s)
{
	s->whole_segments = true;
	says_text(s, CLIENT, "<stream:stream to='example.org'>");
	says_text(s, SERVER, "<stream:stream><stream:features><starttls/></stream:features>");
	says_text(s, CLIENT, "<starttls/>");
	says_text(s, SERVER, "<proceed/>");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

/* PostgreSQL's documentation, section "SSL Session Encryption": a request, and "S" in answer. */
static void
postgresql(struct script *s)
{
	s->whole_segments = true;
	put_span(&s->out, BYTES("\0\0\0\x08\x04\xd2\x16\x2f"));
	says(s, CLIENT);
	says_text(s, SERVER, "S");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

/* A proxy may pass on in one segment what came in two. */
static void
postgresql_with_the_hellos(struct script *s)
{
	s->whole_segments = true;
	put_span(&s->out, BYTES("\0\0\0\x08\x04\xd2\x16\x2f"));
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	put_span(&s->out, span_from_text("S"));
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	server_finished_12(s);
}

static void
smtp_of_an_unknown_port(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go\r\n");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

static void
http_proxy(struct script *s)
{
	says_text(s, CLIENT, "CONNECT mail.example.org:993 HTTP/1.1\r\n\r\n");
	says_text(s, SERVER, "HTTP/1.1 200 ok\r\n\r\n");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

/* Cleartext */

static void
login_in_the_clear(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250 AUTH PLAIN\r\n");
	says_text(s, CLIENT, "AUTH PLAIN AGEAYg==\r\n");
	says_text(s, SERVER, "235 ok\r\n");
}

static void
starttls_asked_for(struct script *s)
{
	smtp_until_starttls(s);
}

static void
starttls_never_answered(struct script *s)
{
	smtp_until_starttls(s);
	closes(s, CLIENT);
	closes(s, SERVER);
}

static void
starttls_refused(struct script *s)
{
	smtp_until_starttls(s);
	says_text(s, SERVER, "454 not now\r\n");
	says_text(s, CLIENT, "QUIT\r\n");
	closes(s, CLIENT);
}

static void
capability_only(struct script *s)
{
	says_text(s, SERVER, "* OK ready\r\n");
	says_text(s, CLIENT, "a1 CAPABILITY\r\n");
	closes(s, CLIENT);
	closes(s, SERVER);
}

/* No attempt, no event */

static void
banner_only(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	closes(s, CLIENT);
	closes(s, SERVER);
}

static void
quit_only(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "QUIT\r\n");
	says_text(s, SERVER, "221 bye\r\n");
	closes(s, SERVER);
}

static void
http(struct script *s)
{
	says_text(s, CLIENT, "GET / HTTP/1.0\r\nHost: mail.example.org\r\n\r\n");
	says_text(s, SERVER, "HTTP/1.0 400 Bad Request\r\n\r\n");
	closes(s, SERVER);
}

static void
garbage(struct script *s)
{
	put_fill(&s->out, 0xee, 200);
	says(s, CLIENT);
	put_fill(&s->out, 0xdd, 200);
	says(s, SERVER);
}

static void
half_hello(struct script *s)
{
	put_record_header(&s->out, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_0, 208);
	put_span(&s->out, span_first(BYTES(SAMPLE_OPENSSL_TLS12), 100));
	says(s, CLIENT);
	closes(s, CLIENT);
	closes(s, SERVER);
}

/* RFC 8446, section 5.1: no alert stands in a message. */
static void
half_hello_and_an_alert(struct script *s)
{
	put_record_header(&s->out, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_0, 100);
	put_span(&s->out, span_first(BYTES(SAMPLE_OPENSSL_TLS12), 100));
	says(s, CLIENT);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, 80);
	closes(s, CLIENT);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, 10);
	closes(s, SERVER);
}

static void
starttls_without_hello(struct script *s)
{
	smtp_until_starttls(s);
	says_text(s, SERVER, "220 go ahead\r\n");
	closes(s, CLIENT);
}

static void
records_of_nothing(struct script *s)
{
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 80);
	says(s, CLIENT);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 80);
	says(s, SERVER);
}

static void
greeting_in_another_language(struct script *s)
{
	says_text(s, SERVER, "* OK \xe4\xf6\xfc\r\n");
	says_text(s, CLIENT, "a1 LOGIN \xe4 \xf6\r\n");
	says_text(s, SERVER, "a1 OK done\r\n");
}

static void
proxy_1_then_complaints(struct script *s)
{
	says_text(s, CLIENT, "PROXY TCP4 198.51.100.7 192.0.2.25 50000 587\r\n");
	complaints_about_a_hello(s);
}

/* The first may be a load balancer's header as long as nothing follows. */
static void
empty_line_before_stls(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	says_text(s, CLIENT, "\r\n");
	says_text(s, SERVER, "-ERR what?\r\n");
	says_text(s, CLIENT, "STLS\r\n");
	says_text(s, SERVER, "+OK go\r\n");
	closes(s, CLIENT);
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "an empty line before stls", 110, empty_line_before_stls, "nothing starttls_no_hello" },
	{ "smtp starttls", 587, smtp_starttls,
	    "SMTP starttls TLSv1.3 TLSv1.3 established - - - resumed=no retry=no scsv=no" },
	{ "imap starttls", 143, imap_starttls,
	    "IMAP starttls TLSv1.0 TLSv1.0 established - - client resumed=no retry=no scsv=no" },
	{ "starttls on 993", 993, imap_starttls,
	    "IMAP starttls TLSv1.0 TLSv1.0 established - - client resumed=no retry=no scsv=no" },
	{ "pop3 starttls", 110, pop3_starttls,
	    "POP3 starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "starttls, silence", 587, starttls_then_silence,
	    "SMTP starttls - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no" },
	{ "starttls, server closes", 587, starttls_then_server_closes,
	    "SMTP starttls - TLSv1.0 refused server close - resumed=- retry=- scsv=no" },
	{ "starttls, words", 587, starttls_then_words,
	    "SMTP starttls - TLSv1.2 refused client close - resumed=- retry=- scsv=no" },
	{ "starttls, words on both sides of the close", 587, words_on_both_sides_of_the_close,
	    "SMTP starttls - TLSv1.2 refused client close - resumed=- retry=- scsv=no" },
	{ "tls at once, complaints", 587, complaints_about_a_hello,
	    "SMTP implicit - TLSv1.2 refused client close - resumed=- retry=- scsv=no" },
	{ "proxy header 1, tls at once, complaints", 587, proxy_1_then_complaints,
	    "SMTP implicit - TLSv1.2 refused client close - resumed=- retry=- scsv=no" },
	{ "starttls of another protocol", 8389, unknown_protocol_starttls,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "managesieve", 8389, manage_sieve,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "pop3, a greeting of one word", 110, pop3_with_a_short_greeting,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "ftp", 8389, ftp,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "nntp, quit only", 8389, nntp_quit_only, "nothing quit_only" },
	{ "nntp, starttls granted", 8389, nntp_starttls_granted, "nothing starttls_no_hello" },
	{ "xmpp", 8389, xmpp,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "postgresql, hellos in the same segments", 8389, postgresql_with_the_hellos,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "postgresql", 8389, postgresql,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "xmpp where imap is usual", 143, xmpp,
	    "IMAP starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "postgresql where pop3 has tls at once", 995, postgresql,
	    "POP3 implicit TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "smtp on an unknown port", 8389, smtp_of_an_unknown_port,
	    "SMTP starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "imap where pop3 is usual", 110, imap_starttls,
	    "IMAP starttls TLSv1.0 TLSv1.0 established - - client resumed=no retry=no scsv=no" },
	{ "through an http proxy", 993, http_proxy,
	    "IMAP implicit TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "login in the clear", 587, login_in_the_clear,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "the capture ends where starttls is asked for", 587, starttls_asked_for,
	    "nothing starttls_no_hello" },
	{ "starttls is never answered", 587, starttls_never_answered,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "starttls refused", 587, starttls_refused,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "capability only", 143, capability_only,
	    "IMAP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "greeting in another language", 143, greeting_in_another_language,
	    "IMAP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "banner only", 587, banner_only, "nothing banner_only" },
	{ "quit only", 587, quit_only, "nothing quit_only" },
	{ "http", 587, http, "nothing http" },
	{ "http on implicit", 8443, http, "nothing http" },
	{ "garbage", 993, garbage, "nothing garbage" },
	{ "half hello", 993, half_hello, "nothing half_hello" },
	{ "half hello and an alert", 993, half_hello_and_an_alert, "nothing half_hello" },
	{ "starttls without hello", 587, starttls_without_hello, "nothing starttls_no_hello" },
	{ "records of nothing", 993, records_of_nothing, "nothing no_hello" },
};

ROW_TESTS

START_TEST(client_is_named_by_its_ehlo)
{
	struct told told = tell_row(smtp_starttls, 587, NULL);

	ck_assert(
	    span_equals(event_text_span(&told.event.client_name), span_from_text("scanner-3")));
	ck_assert_int_eq(told.event.client_name_source, NAME_SOURCE_EHLO);
	/* The ClientHello's time, not the dialogue's. */
	ck_assert_int_eq(told.event.timestamp_us, SCRIPT_START_US + 5000);
}
END_TEST

START_TEST(cleartext_session_is_dated_by_its_first_byte)
{
	struct told told = tell_row(login_in_the_clear, 587, NULL);

	ck_assert_int_eq(told.event.kind, EVENT_CLEARTEXT_SESSION);
	ck_assert_int_eq(told.event.timestamp_us, SCRIPT_START_US);
	ck_assert(told.event.login);
}
END_TEST

static void
imap_login_in_the_clear(struct script *s)
{
	says_text(s, SERVER, "* OK ready\r\n");
	says_text(s, CLIENT, "a1 LOGIN user not-a-secret\r\n");
	says_text(s, SERVER, "a1 OK in\r\n");
}

/* SMTP has STARTTLS behind a login, too. */
START_TEST(session_in_the_clear_settles_once_logged_in)
{
	ck_assert_int_eq(tell_row(imap_login_in_the_clear, 143, NULL).wish, SESSION_SETTLED);
	ck_assert_int_eq(tell_row(login_in_the_clear, 587, NULL).wish, SESSION_GO_ON);
}
END_TEST

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
	tcase_add_test(tc, client_is_named_by_its_ehlo);
	tcase_add_test(tc, cleartext_session_is_dated_by_its_first_byte);
	tcase_add_test(tc, session_in_the_clear_settles_once_logged_in);
}

SUITE_MAIN("session_mail")
