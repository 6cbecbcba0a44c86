/* SPEC section 4: part of a capture is still evidence. */

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

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

/* RFC 8446, appendix D.4: a ChangeCipherSpec stands in front of it. */
static void
second_hello(struct script *s)
{
	s->no_syn = true;
	put_ccs(&s->out);
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS13));
	says(s, CLIENT);
}

static void
starts_with_the_second_hello(struct script *s)
{
	second_hello(s);
	server_flight_13(s);
	client_finished_13(s);
	data(s, SERVER, 250);
}

static void
starts_with_the_second_hello_then_silence(struct script *s)
{
	second_hello(s);
	closes(s, CLIENT);
}

static void
starts_with_an_sslv2_format_hello(struct script *s)
{
	s->whole_segments = true;
	s->no_syn = true;
	sslv2_format_hello(s);
}

static void
unknown_protocol_starttls_late_then_silence(struct script *s)
{
	s->whole_segments = true;
	s->no_syn = true;
	put_span(&s->out, BYTES("\x30\x0c\x02\x01\x01\x77\x18\x80"));
	says(s, CLIENT);
	put_span(&s->out, BYTES("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
	says(s, SERVER);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	closes(s, CLIENT);
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
hello_retry_request_lost(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	loses(s, SERVER, 99);
	put_ccs(&s->out);
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_GNUTLS_TLS13));
	says(s, CLIENT);
	server_flight_13(s);
	client_finished_13(s);
	data(s, SERVER, 250);
}

static void
hole_behind_the_server_hello_13(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_plain_server_hello(&s->out, TLS_VERSION_1_3);
	says(s, SERVER);
	loses(s, SERVER, 1000);
	client_finished_13(s);
	data(s, SERVER, 250);
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

/* Half a signature of a load balancer's header, which proves nothing here. */
static void
starts_in_the_client_hello(struct script *s)
{
	s->whole_segments = true;
	s->no_syn = true;
	put_span(&s->out, BYTES("P"));
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

/* Its own number tells that a reset is not the first thing behind the flight. */
static void
reset_behind_what_was_lost(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	s->offset[SERVER] += 51;
	resets(s, SERVER);
}

/* What the client has acknowledged tells the same. */
static void
reset_in_answer_to_what_was_lost(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	s->offset[SERVER] += 51;
	resets(s, CLIENT);
}

static void
refuses(struct script *s)
{
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

static void
refused_hello_lost(struct script *s)
{
	loses(s, CLIENT, 200);
	refuses(s);
	closes(s, CLIENT);
}

/* The hello took two segments, as those with post-quantum key shares do. */
static void
refused_hello_half_lost(struct script *s)
{
	loses(s, CLIENT, 1448);
	put_fill(&s->out, 0xee, 130);
	says(s, CLIENT);
	refuses(s);
	closes(s, CLIENT);
}

/* What comes behind a hole looks like another protocol's words. */
static void
hello_half_lost(struct script *s)
{
	loses(s, CLIENT, 1448);
	put_fill(&s->out, 0xee, 130);
	says(s, CLIENT);
	server_flight_12(s, TLS_VERSION_1_2);
}

static void
hello_half_lost_where_the_capture_begins(struct script *s)
{
	s->no_syn = true;
	hello_half_lost(s);
}

static void
words_half_lost_then_hello(struct script *s)
{
	loses(s, CLIENT, 10);
	says_text(s, CLIENT, "\x04\xd2\x16\x2f");
	says_text(s, SERVER, "S");
	handshake_12(s, BYTES(SAMPLE_OPENSSL_TLS12), TLS_VERSION_1_2);
}

/* As a long list of ALPN's names is; the lines are chance. */
static void
hello_half_lost_in_a_list_of_names(struct script *s)
{
	loses(s, CLIENT, 1448);
	says_text(s, CLIENT, "proto-name-81\nproto-name-82\nproto-name-83");
	server_flight_12(s, TLS_VERSION_1_2);
}

static void
alert_to_words_half_lost(struct script *s)
{
	loses(s, CLIENT, 10);
	says_text(s, CLIENT, "user secret\r\n");
	refuses(s);
	closes(s, CLIENT);
}

static void
refused_hello_behind_starttls_half_lost(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner\r\n");
	says_text(s, SERVER, "250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	refused_hello_half_lost(s);
}

static void
servers_side_of_a_refusal(struct script *s)
{
	s->one_way = true;
	s->one_way_is = SERVER;
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	refuses(s);
}

static void
refused_hello_behind_starttls_lost(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner\r\n");
	says_text(s, SERVER, "250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	loses(s, CLIENT, 200);
	refuses(s);
}

static void
starts_behind_what_was_refused(struct script *s)
{
	s->no_syn = true;
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	s->one_way = true;
	s->one_way_is = SERVER;
	refuses(s);
}

static void
alert_to_garbage(struct script *s)
{
	put_fill(&s->out, 0xee, 60);
	says(s, CLIENT);
	refuses(s);
}

static void
alert_to_silence(struct script *s)
{
	closes(s, CLIENT);
	refuses(s);
}

static void
hello_lost_and_an_answer(struct script *s)
{
	loses(s, CLIENT, 200);
	put_message(&s->out, TLS_HANDSHAKE_CERTIFICATE, 700);
	says(s, SERVER);
	refuses(s);
}

static void
starttls_command_lost(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	loses(s, CLIENT, 30);
	says_text(s, SERVER, "250 ok\r\n220 go ahead\r\n");
	handshake_13(s);
}

static void
client_complains_of_what_followed_its_second_hello(struct script *s)
{
	s->one_way = true;
	s->one_way_is = CLIENT;
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_ccs(&s->out);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	alert(s, CLIENT, 2, 50);
}

static void
servers_flight_and_the_clients_close_alert_lost(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	loses(s, SERVER, 1200);
	client_flight_12(s);
	server_finished_12(s);
	loses(s, CLIENT, 31);
	put_sealed(&s->out, TLS_RECORD_ALERT, 26);
	says(s, SERVER);
	closes(s, SERVER);
}

static void
what_followed_the_hello_lost_and_a_close(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	loses(s, CLIENT, 7);
	closes(s, SERVER);
}

/* The server had acted before what was lost was said. */
static void
what_answered_the_close_lost(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	closes(s, SERVER);
	loses(s, CLIENT, 7);
	closes(s, CLIENT);
}

/* Nothing is sealed before the server has answered. */
static void
clients_side_with_a_sealed_alert_behind_a_hole(struct script *s)
{
	s->one_way = true;
	s->one_way_is = CLIENT;
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	loses(s, CLIENT, 200);
	put_sealed(&s->out, TLS_RECORD_ALERT, 26);
	says(s, CLIENT);
	closes(s, CLIENT);
}

#define SHORTEST_HELLO_RECORD 47

static void
room_for_a_server_hello_lost_and_a_reset(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	loses(s, SERVER, SHORTEST_HELLO_RECORD);
	resets(s, CLIENT);
}

static void
less_than_a_server_hello_lost_and_a_reset(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	loses(s, SERVER, SHORTEST_HELLO_RECORD - 1);
	resets(s, CLIENT);
}

/* Of 65,582 bytes; its lists may fill twice as many. */
static void
hello_of_more_than_64_kib(struct script *s)
{
	static struct writer message;
	struct span rest, piece;

	message.len = 0;
	put_message_header(&message, TLS_HANDSHAKE_CLIENT_HELLO, 65578);
	put_u16(&message, TLS_VERSION_1_0);
	put_fill(&message, 'r', 32);
	put_span(&message, BYTES("\x00\x00\x02\x00\x2f\x01\x00\xff\xff\xff\x01\xff\xfb"));
	put_fill(&message, 0, 65531);
	rest = written(&message);
	while (rest.len > 0) {
		size_t len = rest.len < 16384 ? rest.len : 16384;

		ck_assert(span_read_span(&rest, len, &piece));
		put_record(&s->out, TLS_RECORD_HANDSHAKE, piece);
	}
	says(s, CLIENT);
	alert(s, SERVER, 2, 47);
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "hello of more than 64 KiB, refused", 993, hello_of_more_than_64_kib,
	    "IMAP implicit - TLSv1.0 refused server illegal_parameter - resumed=- retry=- "
	    "scsv=no" },
	{ "client's side, retried, decode_error", 993,
	    client_complains_of_what_followed_its_second_hello,
	    "IMAP implicit - TLSv1.3 negotiated - - - resumed=- retry=- scsv=no gap" },
	{ "server's flight and the client's close alert lost", 993,
	    servers_flight_and_the_clients_close_alert_lost,
	    "IMAP implicit - TLSv1.2 established - - - resumed=- retry=- scsv=no gap" },
	{ "what the client said behind its hello lost, server closes", 993,
	    what_followed_the_hello_lost_and_a_close,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no gap" },
	{ "what the client said to the server's close lost", 993, what_answered_the_close_lost,
	    "IMAP implicit - TLSv1.2 refused server close - resumed=- retry=- scsv=no gap" },
	{ "client's side, a sealed alert behind a hole", 993,
	    clients_side_with_a_sealed_alert_behind_a_hole,
	    "IMAP implicit - TLSv1.2 negotiated - - - resumed=- retry=- scsv=no gap" },
	{ "room for a server hello lost, client resets", 993,
	    room_for_a_server_hello_lost_and_a_reset,
	    "IMAP implicit - TLSv1.2 negotiated - - - resumed=- retry=- scsv=no gap" },
	{ "less than a server hello lost, client resets", 993,
	    less_than_a_server_hello_lost_and_a_reset,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no gap" },
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
	{ "starts in the client hello", 993, starts_in_the_client_hello,
	    "IMAP implicit TLSv1.2 - established - - - resumed=no retry=no scsv=- gap" },
	{ "starts with the hello", 993, starts_with_the_hello,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=no scsv=no" },
	{ "starts with the second hello", 993, starts_with_the_second_hello,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=yes scsv=no gap" },
	{ "starts with the second hello, then silence", 993,
	    starts_with_the_second_hello_then_silence,
	    "IMAP implicit - TLSv1.3 negotiated - - - resumed=- retry=yes scsv=no gap" },
	{ "starts with an sslv2-format hello", 8443, starts_with_an_sslv2_format_hello,
	    "TLS implicit TLSv1.0 TLSv1.0 established - - client resumed=no retry=no scsv=no" },
	{ "starttls of another protocol, late, silence", 8389,
	    unknown_protocol_starttls_late_then_silence,
	    "TLS starttls - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no" },
	{ "hole in the server hello", 993, hole_in_the_server_hello,
	    "IMAP implicit - TLSv1.2 established - - - resumed=- retry=- scsv=no gap" },
	/* The client's first byte was TLS: a hole elsewhere does not make it STARTTLS. */
	{ "hole behind tls at once on 587", 587, hole_in_the_server_hello,
	    "SMTP implicit - TLSv1.2 established - - - resumed=- retry=- scsv=no gap" },
	{ "hello retry request lost", 993, hello_retry_request_lost,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=- scsv=no gap" },
	{ "hole behind the server hello, 1.3", 993, hole_behind_the_server_hello_13,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=no scsv=no gap" },
	{ "hole in the certificate", 993, hole_in_the_certificate,
	    "IMAP implicit TLSv1.2 TLSv1.2 established - - - resumed=- retry=no scsv=no gap" },
	/* A server that begins with TLS was not led to it. */
	{ "hole where the client hello was, 587", 587, hole_where_the_client_hello_was,
	    "SMTP implicit TLSv1.2 - established - - - resumed=no retry=no scsv=- gap" },
	{ "hole where the client hello was", 993, hole_where_the_client_hello_was,
	    "IMAP implicit TLSv1.2 - established - - - resumed=no retry=no scsv=- gap" },
	{ "hello half lost", 8443, hello_half_lost,
	    "TLS implicit TLSv1.2 - negotiated - - - resumed=no retry=no scsv=- gap" },
	{ "hello half lost where the capture begins", 8443,
	    hello_half_lost_where_the_capture_begins,
	    "TLS implicit TLSv1.2 - negotiated - - - resumed=no retry=no scsv=- gap" },
	{ "hello half lost in a list of names", 993, hello_half_lost_in_a_list_of_names,
	    "IMAP implicit TLSv1.2 - negotiated - - - resumed=no retry=no scsv=- gap" },
	{ "words half lost, then a hello", 8443, words_half_lost_then_hello,
	    "TLS starttls TLSv1.2 TLSv1.2 established - - - resumed=no retry=no scsv=no gap" },
	{ "tail of the hello lost", 993, tail_of_the_hello_lost,
	    "IMAP implicit - - refused server protocol_version - resumed=- retry=- scsv=no gap" },
	{ "reset behind what was lost", 993, reset_behind_what_was_lost,
	    "IMAP implicit TLSv1.2 TLSv1.2 negotiated - - - resumed=no retry=no scsv=no gap" },
	{ "reset in answer to what was lost", 993, reset_in_answer_to_what_was_lost,
	    "IMAP implicit TLSv1.2 TLSv1.2 negotiated - - - resumed=no retry=no scsv=no gap" },
	{ "starttls command lost", 587, starttls_command_lost,
	    "SMTP starttls TLSv1.3 TLSv1.3 established - - - resumed=no retry=no scsv=no gap" },
	{ "refused hello lost", 993, refused_hello_lost,
	    "IMAP implicit - - refused server protocol_version - resumed=- retry=- scsv=- gap" },
	{ "refused hello half lost", 993, refused_hello_half_lost,
	    "IMAP implicit - - refused server protocol_version - resumed=- retry=- scsv=- gap" },
	{ "refused hello behind starttls half lost", 587, refused_hello_behind_starttls_half_lost,
	    "SMTP starttls - - refused server protocol_version - resumed=- retry=- scsv=- gap" },
	{ "server's side of a refusal", 993, servers_side_of_a_refusal,
	    "IMAP implicit - - refused server protocol_version - resumed=- retry=- scsv=- gap" },
	{ "refused hello behind starttls lost", 587, refused_hello_behind_starttls_lost,
	    "SMTP starttls - - refused server protocol_version - resumed=- retry=- scsv=- gap" },
	/* It may stand behind a ServerHello. */
	{ "starts behind what was refused", 993, starts_behind_what_was_refused,
	    "nothing no_hello" },
	{ "hello lost, and an answer", 993, hello_lost_and_an_answer, "nothing no_hello" },
	{ "alert to garbage", 993, alert_to_garbage, "nothing no_hello" },
	{ "alert to words half lost", 993, alert_to_words_half_lost, "nothing no_hello" },
	{ "alert to silence", 993, alert_to_silence, "nothing no_hello" },
	{ "starts behind the hellos", 993, starts_behind_the_hellos, "nothing no_hello" },
};

ROW_TESTS

static void
sslv2_server_hello_only(struct script *s)
{
	put_span(&s->out, BYTES("\x80\x1e\x04\x00\x01\x00\x02\x00\x00\x00\x03\x00\x10\x01\x00\x80"
				"iiiiiiiiiiiiiiii"));
	says(s, SERVER);
	put_span(&s->out, BYTES("\x80\x21"));
	put_fill(&s->out, 0xee, 0x21);
	says(s, SERVER);
	s->one_way = true;
	s->one_way_is = SERVER;
}

/* SPEC section 3: the first record, where there is no ClientHello. */
START_TEST(time_is_that_of_an_sslv2_server_hello)
{
	struct told told = tell_row(sslv2_server_hello_only, 993, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_uint_eq(told.event.tls_version, TLS_VERSION_SSL2);
	ck_assert_int_eq(told.event.timestamp_us, SCRIPT_START_US);
}
END_TEST

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
	tcase_add_test(tc, time_is_that_of_an_sslv2_server_hello);
}

SUITE_MAIN("session_partial")
