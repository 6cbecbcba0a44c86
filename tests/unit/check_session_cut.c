/* Of packets that the snapshot length has cut: what is behind the cut is known to have been there.
 */
#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

/* The segment in `out`, of which the last bytes were cut off. */
static void
says_cut(struct script *s, unsigned side, size_t missing)
{
	s->out.len -= missing;
	says(s, side);
	loses(s, side, missing);
}

static void
cut_hello(struct script *s, size_t missing)
{
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
	says_cut(s, CLIENT, missing);
}

/* The next byte of that side is its FIN, of which a packet without data tells. */
static void
fin_is_acknowledged(struct script *s, unsigned side)
{
	s->acked[side] = ++s->offset[side];
}

/* Nobody knows which of the two FINs, neither of which was captured, came first. */
static void
both_close_behind_a_cut_flight(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	put_plain_server_hello(&s->out, TLS_VERSION_1_0);
	put_message(&s->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	says_cut(s, SERVER, 2);
	fin_is_acknowledged(s, SERVER);
}

static void
client_closes_behind_a_cut_hello(struct script *s)
{
	cut_hello(s, 60);
	fin_is_acknowledged(s, CLIENT);
}

/* No record of the hello is here, but its length is. */
static void
client_closes_behind_a_lost_hello_and_is_answered(struct script *s)
{
	cut_hello(s, 150);
	put_server_hello_record(&s->out, TLS_VERSION_1_3, 0x1302, span_from("", 0),
	    BYTES(SERVER_RANDOM_RETRY), span_from("", 0));
	says(s, SERVER);
	s->offset[CLIENT]++;
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, 50);
	closes(s, SERVER);
}

/* NSS answers a server's alert with one of its own: of the first, a byte is missing. */
static void
cut_alert_is_answered(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	put_alert(&s->out, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	says_cut(s, SERVER, 1);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	s->offset[CLIENT] -= 7;
	closes(s, SERVER);
	s->offset[CLIENT] += 7;
}

/* The hole in front of the FIN has room for a protected alert alone. */
static void
cut_flight_and_a_lost_alert(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	server_flight_13(s);
	s->acts[s->count - 1].len -= 200;
	s->offset[SERVER] -= 200;
	loses(s, SERVER, 200);
	client_finished_13(s);
	data(s, CLIENT, 40);
	loses(s, SERVER, PROTECTED_ALERT + TLS_RECORD_HEADER_LEN);
	closes(s, SERVER);
}

/* draft-hickman-netscape-ssl-00: of the ServerHello its first bytes alone are here. */
static void
sslv2_server_hello_cut(struct script *s)
{
	put_span(&s->out, BYTES(SSLV2_HELLO));
	says(s, CLIENT);
	put_span(&s->out, BYTES("\x80\x5e\x04\x00\x01"));
	put_fill(&s->out, 0x5b, 91);
	says_cut(s, SERVER, 91);
	for (int i = 0; i < 2; i++) {
		put_span(&s->out, BYTES("\x80\x10\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c"
					"\x9c\x9c\x9c\x9c"));
		says(s, CLIENT);
		put_span(&s->out, BYTES("\x80\x10\x9d\x9d\x9d\x9d\x9d\x9d\x9d\x9d\x9d\x9d\x9d\x9d"
					"\x9d\x9d\x9d\x9d"));
		says(s, SERVER);
	}
	closes(s, CLIENT);
}

/* Neither hello tells its version: it may be a second one of TLS 1.3. */
static void
both_hellos_cut_and_a_hello_lost(struct script *s)
{
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS13));
	says_cut(s, CLIENT, 200);
	loses(s, SERVER, 99);
	put_plain_server_hello(&s->out, TLS_VERSION_1_3);
	says_cut(s, SERVER, s->out.len - 43);
	data(s, CLIENT, MIN_FINISHED);
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "both close behind a cut flight", 993, both_close_behind_a_cut_flight,
	    "IMAP implicit TLSv1.0 TLSv1.0 negotiated - - client resumed=- retry=no scsv=no gap" },
	{ "client closes behind a cut hello", 993, client_closes_behind_a_cut_hello,
	    "IMAP implicit - TLSv1.0 unanswered - - - resumed=- retry=- scsv=no gap" },
	{ "client closes behind a lost hello and is answered", 993,
	    client_closes_behind_a_lost_hello_and_is_answered,
	    "IMAP implicit TLSv1.3 - refused client close - resumed=- retry=yes scsv=- gap" },
	{ "cut alert is answered", 993, cut_alert_is_answered,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no gap" },
	{ "cut flight and a lost alert", 993, cut_flight_and_a_lost_alert,
	    "IMAP implicit TLSv1.3 TLSv1.3 negotiated - - - resumed=no retry=no scsv=no gap" },
	{ "SSLv2 ServerHello cut", 993, sslv2_server_hello_cut,
	    "IMAP implicit - TLSv1.0 established - - - resumed=- retry=- scsv=no gap" },
	{ "both hellos cut and a hello lost", 993, both_hellos_cut_and_a_hello_lost,
	    "IMAP implicit - - negotiated - - - resumed=- retry=- scsv=- gap" },
};

ROW_TESTS

/* JA3 and JA4 are those of the first hello, to which a cut HelloRetryRequest was the answer. */
static void
second_hello_behind_a_cut_retry(struct script *s)
{
	loses(s, CLIENT, 300);
	put_server_hello_record(&s->out, TLS_VERSION_1_3, 0x1302, span_from("", 0),
	    BYTES(SERVER_RANDOM_RETRY), span_from("", 0));
	says_cut(s, SERVER, s->out.len - 30);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	server_flight_13(s);
}

START_TEST(fingerprints_are_not_of_a_second_hello)
{
	struct told told = tell_row(second_hello_behind_a_cut_retry, 993, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert(!told.event.has_ja3 && !told.event.has_ja4);
}
END_TEST

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
	tcase_add_test(tc, fingerprints_are_not_of_a_second_hello);
}

SUITE_MAIN("session_cut")
