/* SPEC section 4: of what was not captured nothing is invented, nor is it put on the other side. */

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

#define ALERT_RECORD 7
#define ALERT_CLOSE_RECORDS (ALERT_RECORD + 1) /* a FIN counts as a byte */

/* NSS and GnuTLS answer an alert, or a close, with one of their own. */
static void
servers_alert_lost_client_answers(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	loses(s, SERVER, ALERT_RECORD);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	resets(s, CLIENT);
	closes(s, SERVER);
}

static void
servers_alert_and_close_lost_client_answers(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	loses(s, SERVER, ALERT_CLOSE_RECORDS);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, 20);
	closes(s, CLIENT);
}

static void
clients_side_of_an_answer_to_a_close(struct script *s)
{
	s->one_way = true;
	s->one_way_is = CLIENT;
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	closes(s, SERVER);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, 10);
	closes(s, CLIENT);
}

static void
clients_alert_lost_server_answers(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	loses(s, CLIENT, ALERT_CLOSE_RECORDS);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

static void
alert_that_acknowledges_nothing_known(struct script *s)
{
	put_fill(&s->out, 0xee, 60);
	says(s, CLIENT);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	s->acts[s->count - 1].mark.peer_offset = MARK_NO_PEER;
	closes(s, SERVER);
}

/* What the server had received when it said hello is not what its alert answers. */
static void
servers_side_of_an_answer_to_an_alert(struct script *s)
{
	s->one_way = true;
	s->one_way_is = SERVER;
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	alert(s, CLIENT, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, CLIENT);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

static void
clients_flight_lost_server_refuses(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	loses(s, CLIENT, 93);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, 20);
	closes(s, SERVER);
}

static void
put_hello_retry(struct writer *out)
{
	put_server_hello_record(out, TLS_VERSION_1_3, 0x1302, span_from("", 0),
	    BYTES(SERVER_RANDOM_RETRY), BYTES("\x00\x33\x00\x02\x00\x17"));
}

/* Of the client nothing but its SYN was captured. */
static void
client_lost_and_the_servers_close(struct script *s)
{
	loses(s, CLIENT, 180);
	put_hello_retry(&s->out);
	says(s, SERVER);
	s->offset[CLIENT]++; /* its FIN */
	closes(s, SERVER);
}

/* As libraries of servers do when the peer goes away. */
static void
starttls_granted_and_alert_to_a_close(struct script *s, size_t lost_words, size_t lost_question)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	if (lost_words > 0)
		loses(s, CLIENT, lost_words);
	else
		says_text(s, CLIENT, "EHLO scanner\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
	if (lost_question > 0)
		loses(s, CLIENT, lost_question);
	else
		says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	closes(s, CLIENT);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, 10);
	resets(s, CLIENT);
}

static void
words_before_starttls_lost_and_alert(struct script *s)
{
	starttls_granted_and_alert_to_a_close(s, 140, 0);
}

static void
starttls_lost_and_alert(struct script *s)
{
	starttls_granted_and_alert_to_a_close(s, 0, 10);
}

static void
silent_behind_its_ehlo(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
}

static void
capture_ends_behind_the_ehlo(struct script *s)
{
	silent_behind_its_ehlo(s);
	s->cut_off = true;
}

/* It began behind the greeting. */
static void
capture_has_the_ehlo_alone(struct script *s)
{
	s->no_syn = true;
	s->offset[SERVER] = 27;
	says_text(s, CLIENT, "EHLO scanner\r\n");
	s->cut_off = true;
}

static void
capture_ends_long_behind_the_ehlo_alone(struct script *s)
{
	capture_has_the_ehlo_alone(s);
	s->cut_off = false;
}

static void
capture_ends_behind_a_letter(struct script *s)
{
	capture_ends_behind_the_ehlo(s);
	says_text(s, CLIENT, "MAIL FROM:<scanner@example.org>\r\n");
	says_text(s, SERVER, "250 ok\r\n");
}

static void
closes_behind_its_ehlo(struct script *s)
{
	capture_ends_behind_the_ehlo(s);
	closes(s, CLIENT);
}

/* The packets are cut in front of what tells the version. */
static void
hidden_version_sealed_alert(struct script *s)
{
	size_t whole;

	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_plain_server_hello(&s->out, TLS_VERSION_1_3);
	whole = s->out.len;
	s->out.len = 20;
	says(s, SERVER);
	loses(s, SERVER, whole - 20);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 830);
	says(s, SERVER);
	put_ccs(&s->out);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, PROTECTED_ALERT);
	says(s, CLIENT);
	closes(s, CLIENT);
}

static void
grant_and_close_lost_and_a_reset(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	loses(s, SERVER, 14);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	s->offset[SERVER]++; /* its FIN */
	resets(s, SERVER);
}

static void
first_hello_and_its_answer_lost_and_more(struct script *s)
{
	loses(s, CLIENT, 220);
	loses(s, SERVER, 61);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	server_flight_13(s);
	client_finished_13(s);
	loses(s, CLIENT, 100);
	loses(s, SERVER, 300);
	data(s, SERVER, 250);
	data(s, CLIENT, 100);
}

static void
server_flight_13_without_ccs(struct script *s)
{
	put_plain_server_hello(&s->out, TLS_VERSION_1_3);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 830);
	put_sealed(&s->out, TLS_RECORD_APPLICATION_DATA, 69);
	says(s, SERVER);
}

static void
starts_at_the_server_hello(struct script *s)
{
	s->no_syn = true;
	server_flight_13(s);
	client_finished_13(s);
	data(s, SERVER, 250);
}

static void
starts_at_a_server_hello_without_ccs(struct script *s)
{
	s->no_syn = true;
	server_flight_13_without_ccs(s);
	client_finished_13(s);
	data(s, SERVER, 250);
}

/* The end of the packet was cut off: the record's length tells that it is all of the hello. */
static void
cut_hello(struct script *s, size_t missing)
{
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
	s->out.len -= missing;
	says(s, CLIENT);
	loses(s, CLIENT, missing);
}

static void
reset_on_a_cut_hello(struct script *s)
{
	cut_hello(s, 60);
	resets(s, SERVER);
}

static void
close_on_a_cut_hello(struct script *s)
{
	cut_hello(s, 60);
	closes(s, SERVER);
	closes(s, CLIENT);
}

static void
close_notify_on_a_cut_hello(struct script *s)
{
	cut_hello(s, 60);
	alert(s, SERVER, TLS_ALERT_LEVEL_WARNING, TLS_ALERT_CLOSE_NOTIFY);
	closes(s, SERVER);
}

static void
alert_on_a_hello_cut_by_a_few_bytes(struct script *s)
{
	cut_hello(s, 5);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
	closes(s, CLIENT);
}

/* No FIN, though the server acknowledges one more than is here. */
static void
alert_on_a_hello_cut_by_a_byte(struct script *s)
{
	cut_hello(s, 1);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
}

static void
close_behind_a_cut_flight(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	put_plain_server_hello(&s->out, TLS_VERSION_1_0);
	put_message(&s->out, TLS_HANDSHAKE_CERTIFICATE, 700);
	s->out.len -= 200;
	says(s, SERVER);
	loses(s, SERVER, 200);
	closes(s, SERVER);
	closes(s, CLIENT);
}

static void
server_hello_lost_behind_a_retry(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	put_server_hello_record(&s->out, TLS_VERSION_1_3, 0x1302, span_from("", 0),
	    BYTES(SERVER_RANDOM_RETRY), span_from("", 0));
	put_ccs(&s->out);
	says(s, SERVER);
	put_ccs(&s->out);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS13));
	loses(s, SERVER, 900);
	data(s, CLIENT, MIN_FINISHED);
	data(s, SERVER, 250);
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "ServerHello lost behind a HelloRetryRequest", 993, server_hello_lost_behind_a_retry,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=- retry=yes scsv=no gap" },
	{ "reset on a cut hello", 993, reset_on_a_cut_hello,
	    "IMAP implicit - TLSv1.0 refused server reset - resumed=- retry=- scsv=no gap" },
	{ "close on a cut hello", 143, close_on_a_cut_hello,
	    "IMAP implicit - TLSv1.0 refused server close - resumed=- retry=- scsv=no gap" },
	{ "close_notify on a cut hello", 993, close_notify_on_a_cut_hello,
	    "IMAP implicit - TLSv1.0 refused server close - resumed=- retry=- scsv=no gap" },
	{ "alert on a hello cut by a few bytes", 993, alert_on_a_hello_cut_by_a_few_bytes,
	    "IMAP implicit - TLSv1.0 refused server protocol_version - resumed=- retry=- scsv=no "
	    "gap" },
	{ "alert on a hello cut by a byte", 993, alert_on_a_hello_cut_by_a_byte,
	    "IMAP implicit - TLSv1.0 refused server protocol_version - resumed=- retry=- scsv=no "
	    "gap" },
	{ "close behind a cut flight", 993, close_behind_a_cut_flight,
	    "IMAP implicit TLSv1.0 TLSv1.0 refused server close client resumed=no retry=no scsv=no "
	    "gap" },
	{ "alert that acknowledges nothing known", 993, alert_that_acknowledges_nothing_known,
	    "nothing no_hello" },
	{ "hello and hello retry lost, and what comes later", 993,
	    first_hello_and_its_answer_lost_and_more,
	    "IMAP implicit TLSv1.3 TLSv1.3 established - - - resumed=no retry=- scsv=no gap" },
	{ "starts at the server's hello", 993, starts_at_the_server_hello,
	    "IMAP implicit TLSv1.3 - established - - - resumed=no retry=no scsv=- gap" },
	{ "starts at a server's hello without ccs", 993, starts_at_a_server_hello_without_ccs,
	    "IMAP implicit TLSv1.3 - established - - - resumed=no retry=- scsv=- gap" },
	{ "server's alert lost, client answers", 993, servers_alert_lost_client_answers,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no gap" },
	{ "server's alert and close lost, client answers", 993,
	    servers_alert_and_close_lost_client_answers,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no gap" },
	{ "client's side of an answer to a close", 993, clients_side_of_an_answer_to_a_close,
	    "IMAP implicit - TLSv1.2 unanswered - - - resumed=- retry=- scsv=no gap" },
	{ "client's alert lost, server answers", 993, clients_alert_lost_server_answers,
	    "IMAP implicit TLSv1.2 TLSv1.2 negotiated - - - resumed=no retry=no scsv=no gap" },
	{ "server's side of an answer to an alert", 993, servers_side_of_an_answer_to_an_alert,
	    "IMAP implicit TLSv1.2 - negotiated - - - resumed=no retry=no scsv=- gap" },
	{ "client's flight lost, server refuses", 993, clients_flight_lost_server_refuses,
	    "IMAP implicit TLSv1.2 TLSv1.2 refused server bad_record_mac - resumed=no retry=no "
	    "scsv=no gap" },
	{ "client lost, server retries and closes", 993, client_lost_and_the_servers_close,
	    "IMAP implicit TLSv1.3 - negotiated - - - resumed=- retry=yes scsv=- gap" },
	{ "words before starttls lost, alert to a close", 587, words_before_starttls_lost_and_alert,
	    "nothing starttls_no_hello" },
	{ "starttls lost, alert to a close", 587, starttls_lost_and_alert,
	    "nothing starttls_no_hello" },
	{ "capture ends behind the ehlo", 587, capture_ends_behind_the_ehlo,
	    "nothing starttls_no_hello" },
	{ "silent behind its ehlo", 587, silent_behind_its_ehlo,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "capture has the ehlo alone", 587, capture_has_the_ehlo_alone,
	    "nothing starttls_no_hello" },
	{ "capture ends long behind the ehlo alone", 587, capture_ends_long_behind_the_ehlo_alone,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "capture ends behind a letter", 587, capture_ends_behind_a_letter,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "closes behind its ehlo", 587, closes_behind_its_ehlo,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "hidden version, a sealed alert and a close", 993, hidden_version_sealed_alert,
	    "IMAP implicit - TLSv1.3 refused client - - resumed=- retry=- scsv=no gap" },
	{ "grant and close lost, a reset that counts it", 587, grant_and_close_lost_and_a_reset,
	    "SMTP starttls - TLSv1.2 refused server - - resumed=- retry=- scsv=no gap" },
};

ROW_TESTS

static void
first_hello_lost(struct script *s)
{
	loses(s, CLIENT, 220);
	put_hello_retry(&s->out);
	says(s, SERVER);
	handshake_13(s);
}

static void
first_hello_and_its_answer_lost(struct script *s)
{
	loses(s, CLIENT, 220);
	loses(s, SERVER, 61);
	put_ccs(&s->out);
	says(s, SERVER);
	handshake_13(s);
}

static void
starts_behind_the_hello_retry(struct script *s)
{
	s->no_syn = true;
	put_ccs(&s->out);
	says(s, SERVER);
	handshake_13(s);
}

/* SPEC section 3: fingerprints are of the first ClientHello; nothing is made up. */
START_TEST(second_hello_is_not_fingerprinted)
{
	static const struct {
		void (*write)(struct script *s);
		enum tri retry;
	} cases[] = {
		{ first_hello_lost, TRI_TRUE },
		{ first_hello_and_its_answer_lost, TRI_UNKNOWN },
		{ first_hello_and_its_answer_lost_and_more, TRI_UNKNOWN },
		{ starts_behind_the_hello_retry, TRI_UNKNOWN },
	};
	struct told told = tell_row(cases[_i].write, 993, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_int_eq(told.event.outcome, OUTCOME_ESTABLISHED);
	ck_assert_int_eq(told.event.hello_retry, cases[_i].retry);
	ck_assert(!told.event.has_ja3);
	ck_assert(!told.event.has_ja4);
}
END_TEST

static void
client_comes_late(struct script *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->acts[i].side == CLIENT)
			s->acts[i].mark.time_us += 10000;
	}
}

/* The client ends it before the server's Finished comes, and is seen later than the server. */
static void
client_is_late_and_ends_it(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	put_sealed(&s->out, TLS_RECORD_ALERT, 26);
	says(s, CLIENT);
	closes(s, CLIENT);
	server_finished_12(s);
	s->acts[s->count - 1].mark.peer_offset = s->acts[s->count - 3].mark.offset;
	client_comes_late(s);
}

START_TEST(what_a_late_mirror_brings_is_waited_for)
{
	static struct script script;
	struct telling how = { .order = SERVER_FIRST };
	struct told told;

	script = (struct script){ .server_port = 993 };
	client_is_late_and_ends_it(&script);
	told = tell(&script, &how);
	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_int_eq(told.event.outcome, OUTCOME_REFUSED);
	ck_assert_int_eq(told.event.refusal, REFUSAL_ENCRYPTED_ALERT);
}
END_TEST

static void
client_is_late(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	server_finished_12(s);
}

START_TEST(what_shows_that_it_received_finished_is_waited_for_no_longer)
{
	static struct script script;
	struct telling how = { .order = SERVER_FIRST };
	struct told told;
	size_t first;

	script = (struct script){ .server_port = 993 };
	client_is_late(&script);
	first = script.count;
	data(&script, CLIENT, 100);
	data(&script, CLIENT, 100);
	client_comes_late(&script);
	told = tell(&script, &how);
	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_int_eq(told.event.outcome, OUTCOME_ESTABLISHED);
	ck_assert_int_eq(told.event.settled_us, script.acts[first].mark.time_us);
}
END_TEST

START_TEST(behind_the_end_nothing_is_waited_for_long)
{
	static struct script script;
	struct telling how = { .order = SERVER_FIRST };
	struct told told;

	script = (struct script){ .server_port = 993 };
	client_is_late(&script);
	closes(&script, SERVER);
	client_comes_late(&script);
	told = tell(&script, &how);
	ck_assert_int_eq(told.wish, SESSION_LINGER);
	ck_assert_int_eq(told.event.outcome, OUTCOME_ESTABLISHED);
}
END_TEST

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
	tcase_add_test(tc, what_a_late_mirror_brings_is_waited_for);
	tcase_add_test(tc, what_shows_that_it_received_finished_is_waited_for_no_longer);
	tcase_add_test(tc, behind_the_end_nothing_is_waited_for_long);
	tcase_add_loop_test(tc, second_hello_is_not_fingerprinted, 0, 4);
}

SUITE_MAIN("session_hidden_acts")
