#include "session/session.h"

#include <stdio.h>

#include "suite.h"

#include "session_script.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#define MIN_FINISHED 69
#define PROTECTED_ALERT 19

static void
hello(struct script *s, struct span message)
{
	put_record(&s->out, TLS_RECORD_HANDSHAKE, message);
	says(s, CLIENT);
}

static void
server_flight_12(struct script *s, unsigned version)
{
	put_plain_server_hello(&s->out, version);
	put_message(&s->out, TLS_HANDSHAKE_CERTIFICATE, 700);
	put_message(&s->out, TLS_HANDSHAKE_SERVER_KEY_EXCHANGE, 300);
	put_message(&s->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	says(s, SERVER);
}

static void
client_flight_12(struct script *s)
{
	put_message(&s->out, TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE, 33);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_HANDSHAKE, 40);
	says(s, CLIENT);
}

static void
server_finished_12(struct script *s)
{
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_HANDSHAKE, 40);
	says(s, SERVER);
}

static void
server_flight_13(struct script *s)
{
	put_plain_server_hello(&s->out, TLS_VERSION_1_3);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 23);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 830);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 69);
	says(s, SERVER);
}

static void
client_finished_13(struct script *s)
{
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, MIN_FINISHED);
	says(s, CLIENT);
}

static void
data(struct script *s, unsigned side, size_t len)
{
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, len);
	says(s, side);
}

static void
alert(struct script *s, unsigned side, unsigned level, unsigned description)
{
	put_alert(&s->out, level, description);
	says(s, side);
}

static void
handshake_12(struct script *s, struct span message, unsigned version)
{
	hello(s, message);
	server_flight_12(s, version);
	client_flight_12(s);
	server_finished_12(s);
}

static void
handshake_13(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	server_flight_13(s);
	client_finished_13(s);
	data(s, SERVER, 250);
}

/* Implicit TLS */

static void
tls12(struct script *s)
{
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

static void
tls13(struct script *s)
{
	handshake_13(s);
}

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
sslv2_format_hello(struct script *s)
{
	put_span(
	    &s->out, BYTES("\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10\x00\x00\x2f\x00\x00\x35"
			   "cccccccccccccccc"));
	says(s, CLIENT);
	server_flight_12(s, TLS_VERSION_1_0);
	client_flight_12(s);
	server_finished_12(s);
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
unknown_protocol_starttls(struct script *s)
{
	put_span(&s->out, BYTES("\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
				"1.3.6.1.4.1.1466.20037"));
	says(s, CLIENT);
	put_span(&s->out, BYTES("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	says(s, SERVER);
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

static void
starttls_without_hello(struct script *s)
{
	smtp_until_starttls(s);
	says_text(s, SERVER, "220 go ahead\r\n");
	closes(s, CLIENT);
}

static void
starts_behind_the_hellos(struct script *s)
{
	s->no_syn = true;
	put_message(&s->out, TLS_HANDSHAKE_CERTIFICATE, 700);
	put_message(&s->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	says(s, SERVER);
	client_flight_12(s);
	server_finished_12(s);
}

static void
records_of_nothing(struct script *s)
{
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 80);
	says(s, CLIENT);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 80);
	says(s, SERVER);
}

/* Part of a capture is still evidence */

static void
clients_side_only(struct script *s)
{
	s->one_way = true;
	s->one_way_is = CLIENT;
	tls12(s);
	closes(s, CLIENT);
}

static void
clients_hello_only(struct script *s)
{
	s->one_way = true;
	s->one_way_is = CLIENT;
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	closes(s, CLIENT);
}

static void
servers_side_only(struct script *s)
{
	s->one_way = true;
	s->one_way_is = SERVER;
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS10), TLS_VERSION_1_0);
	closes(s, SERVER);
}

static void
starts_behind_the_client_hello(struct script *s)
{
	s->no_syn = true;
	server_flight_12(s, TLS_VERSION_1_0);
	client_flight_12(s);
	server_finished_12(s);
}

static void
starts_with_the_hello(struct script *s)
{
	s->no_syn = true;
	handshake_13(s);
}

static void
hole_in_the_server_hello(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	put_plain_server_hello(&s->out, TLS_VERSION_1_2);
	s->out.len = 20;
	says(s, SERVER);
	loses(s, SERVER, 1200);
	client_flight_12(s);
	server_finished_12(s);
}

static void
hole_in_the_certificate(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	put_plain_server_hello(&s->out, TLS_VERSION_1_2);
	says(s, SERVER);
	loses(s, SERVER, 1000);
	client_flight_12(s);
	server_finished_12(s);
}

static void
hole_where_the_client_hello_was(struct script *s)
{
	loses(s, CLIENT, 100);
	/* the hello's other half begins with what an SSLv2 record might begin with */
	put_fill(&s->out, 0xee, 60);
	says(s, CLIENT);
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	server_finished_12(s);
}

/* The tail of the hello was lost; what the server says to it shows that it had come. */
static void
tail_of_the_hello_lost(struct script *s)
{
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS13));
	s->out.len = 200;
	says(s, CLIENT);
	s->offset[CLIENT] += 118;
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

static void
starttls_command_lost(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	loses(s, CLIENT, 30);
	says_text(s, SERVER, "250 ok\r\n220 go ahead\r\n");
	handshake_13(s);
}

struct row {
	const char *name;
	uint16_t port;
	void (*write)(struct script *s);
	const char *event;
};

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
	{ "sslv2 format", 993, sslv2_format_hello,
	    "IMAP implicit TLSv1.0 TLSv1.0 established - - client resumed=no retry=no scsv=no" },
	{ "warning survived", 993, warning_survived,
	    "IMAP implicit TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
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
	{ "starttls of another protocol", 8389, unknown_protocol_starttls,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no" },
	{ "login in the clear", 587, login_in_the_clear,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "starttls refused", 587, starttls_refused,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "capability only", 143, capability_only,
	    "IMAP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "banner only", 587, banner_only, "nothing banner_only" },
	{ "quit only", 587, quit_only, "nothing banner_only" },
	{ "http", 587, http, "nothing garbage" },
	{ "http on implicit", 8443, http, "nothing garbage" },
	{ "garbage", 993, garbage, "nothing garbage" },
	{ "half hello", 993, half_hello, "nothing half_hello" },
	{ "starttls without hello", 587, starttls_without_hello, "nothing starttls_no_hello" },
	{ "starts behind the hellos", 993, starts_behind_the_hellos, "nothing no_hello" },
	{ "records of nothing", 993, records_of_nothing, "nothing no_hello" },
	{ "client's side", 993, clients_side_only,
	    "IMAP implicit - TLSv1.2 negotiated - - - resumed=- retry=- scsv=no gap" },
	{ "client's hello", 993, clients_hello_only,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no gap" },
	{ "server's side", 993, servers_side_only,
	    "IMAP implicit TLSv1.0 - negotiated - - - resumed=no retry=no scsv=- gap" },
	{ "starts behind the client hello", 993, starts_behind_the_client_hello,
	    "IMAP implicit TLSv1.0 - established - - - resumed=no retry=no scsv=- gap" },
	{ "starts behind the client hello, 587", 587, starts_behind_the_client_hello,
	    "SMTP starttls TLSv1.0 - established - - - resumed=no retry=no scsv=- gap" },
	{ "starts with the hello", 993, starts_with_the_hello,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=no scsv=no" },
	{ "hole in the server hello", 993, hole_in_the_server_hello,
	    "IMAP implicit - TLSv1.2 established - - - resumed=- retry=- scsv=no gap" },
	{ "hole in the certificate", 993, hole_in_the_certificate,
	    "IMAP implicit TLSv1.2 TLSv1.2 established - - - resumed=- retry=no scsv=no gap" },
	{ "hole where the client hello was", 993, hole_where_the_client_hello_was,
	    "IMAP implicit TLSv1.2 - established - - - resumed=no retry=no scsv=- gap" },
	{ "tail of the hello lost", 993, tail_of_the_hello_lost,
	    "IMAP implicit - - refused server protocol_version - resumed=- retry=- scsv=no gap" },
	{ "starttls command lost", 587, starttls_command_lost,
	    "SMTP starttls TLSv1.3 TLSv1.3 established - - - resumed=no retry=no scsv=no gap" },
};

static void
check_telling(const struct row *row, const struct telling *how)
{
	static struct script script;
	struct buf text = { 0 };
	struct told told;

	script = (struct script){ .server_port = row->port };
	row->write(&script);
	told = tell(&script, how);
	describe(&told, &text);
	ck_assert_msg(strcmp(buf_text(&text), row->event) == 0,
	    "%s, order %d, pieces of %zu:\n  said: %s\n  want: %s", row->name, how->order,
	    how->piece_len, buf_text(&text), row->event);
	buf_release(&text);
}

START_TEST(conversation_gives_the_event)
{
	struct telling how = { 0 };

	check_telling(&rows[_i], &how);
	how.swapped = true;
	check_telling(&rows[_i], &how);
}
END_TEST

static bool
has_hole(const struct row *row)
{
	static struct script script;

	script = (struct script){ .server_port = row->port };
	row->write(&script);
	for (size_t i = 0; i < script.count; i++) {
		if (script.acts[i].verb == LOSES)
			return true;
	}
	return false;
}

START_TEST(pieces_of_any_size_give_the_same_event)
{
	static const size_t lens[] = { 1, 2, 3, 5, 11, 50 };

	/* Behind a hole the segment's beginning is what is recognised. */
	if (has_hole(&rows[_i]))
		return;
	for (int i = 0; i < ROWS(lens); i++) {
		struct telling how = { .piece_len = lens[i] };

		/* Another protocol's words are searched for a whole header. */
		if (rows[_i].port != 8389)
			check_telling(&rows[_i], &how);
	}
}
END_TEST

START_TEST(directions_in_any_order_give_the_same_event)
{
	for (int order = 0; order < SCRIPT_ORDERS; order++) {
		struct telling how = { .order = (enum script_order)order };

		check_telling(&rows[_i], &how);
		how.swapped = true;
		check_telling(&rows[_i], &how);
	}
}
END_TEST

static struct told
tell_row(void (*write)(struct script *s), uint16_t port, const char *internal)
{
	static struct script script;
	const struct telling how = { .internal = internal };

	script = (struct script){ .server_port = port };
	write(&script);
	return tell(&script, &how);
}

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

START_TEST(sslv2_format_hello_has_no_fingerprint)
{
	struct told told = tell_row(sslv2_format_hello, 993, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert(!told.event.has_ja3 && !told.event.has_ja4);
}
END_TEST

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

START_TEST(success_settles_at_once_and_a_refusal_lingers)
{
	ck_assert_int_eq(tell_row(tls12, 993, NULL).wish, SESSION_SETTLED);
	ck_assert_int_eq(tell_row(login_in_the_clear, 587, NULL).wish, SESSION_SETTLED);
	ck_assert_int_eq(tell_row(server_resets, 993, NULL).wish, SESSION_LINGER);
	ck_assert_int_eq(tell_row(hello_retry_only, 993, NULL).wish, SESSION_GO_ON);
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

/* Every prefix of a conversation is one too: the capture ended there. */
START_TEST(conversation_cut_short_never_gives_more_than_one_event)
{
	static struct script whole, script;
	const struct telling how = { 0 };

	whole = (struct script){ .server_port = rows[_i].port };
	rows[_i].write(&whole);
	for (size_t count = 0; count <= whole.count; count++) {
		struct told told;

		script = whole;
		script.count = count;
		told = tell(&script, &how);
		ck_assert_uint_le(told.event_count, 1);
		ck_assert_uint_eq(told.counters.events, told.event_count);
		if (count > 0 && told.event_count == 0)
			ck_assert_uint_eq(told.counters.banner_only + told.counters.half_hello +
					      told.counters.starttls_no_hello +
					      told.counters.garbage + told.counters.no_hello,
			    1);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, conversation_gives_the_event, 0, ROWS(rows));
	tcase_add_loop_test(tc, pieces_of_any_size_give_the_same_event, 0, ROWS(rows));
	tcase_add_loop_test(tc, directions_in_any_order_give_the_same_event, 0, ROWS(rows));
	tcase_add_test(tc, event_holds_what_the_hellos_and_the_connection_say);
	tcase_add_test(tc, fingerprints_are_those_of_the_first_hello);
	tcase_add_test(tc, sslv2_format_hello_has_no_fingerprint);
	tcase_add_test(tc, client_is_named_by_its_ehlo);
	tcase_add_test(tc, cleartext_session_is_dated_by_its_first_byte);
	tcase_add_test(tc, clients_outside_are_counted_only);
	tcase_add_test(tc, success_settles_at_once_and_a_refusal_lingers);
	tcase_add_test(tc, long_garbage_is_settled);
	tcase_add_loop_test(
	    tc, conversation_cut_short_never_gives_more_than_one_event, 0, ROWS(rows));
}

SUITE_MAIN("session_session")
