/* Mail dialogues of which a part was not captured. */
#include "session/session.h"

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

/* Holes up to the end, in which the client may have asked for TLS and begun with it. */

#define SHORTEST_HELLO_RECORD 50

static void
smtp_until_ehlo(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
}

static void
hole_with_room_for_a_hello(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, SHORTEST_HELLO_RECORD);
	closes(s, CLIENT);
}

static void
hole_with_room_for_starttls(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, sizeof("STARTTLS\r\n") - 1);
	closes(s, CLIENT);
}

static void
hole_without_room_for_starttls(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, sizeof("STARTTLS\r\n") - 2);
	closes(s, CLIENT);
}

/* The server answers with a FIN, and acknowledges the client's. */
static void
hole_without_room_but_for_the_fin(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, sizeof("STARTTLS\r\n") - 2);
	closes(s, CLIENT);
	closes(s, SERVER);
}

/* SMTP servers may want TLS in front of it. */
static void
hole_behind_mail_that_was_refused(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "MAIL FROM:<a@example.com>\r\n");
	says_text(s, SERVER, "530 5.7.0 Must issue a STARTTLS command first\r\n");
	loses(s, CLIENT, 300);
	closes(s, CLIENT);
}

static void
hole_of_the_answer_to_quit(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "QUIT\r\n");
	loses(s, SERVER, sizeof("221 bye\r\n") - 1);
	closes(s, SERVER);
}

static void
hole_with_an_answer(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, SHORTEST_HELLO_RECORD - 1);
	says_text(s, SERVER, "250 2.0.0 Ok\r\n");
	closes(s, CLIENT);
}

static void
hole_behind_a_sender(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "MAIL FROM:<a@example.com>\r\n");
	says_text(s, SERVER, "250 2.1.0 Ok\r\n");
	loses(s, CLIENT, 300);
	closes(s, CLIENT);
}

static void
hole_behind_a_sender_to_nobody(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "MAIL FROM:<a@example.com>\r\n");
	says_text(s, SERVER, "250 2.1.0 Ok\r\n");
	says_text(s, CLIENT, "RCPT TO:<b@example.com>\r\n");
	says_text(s, SERVER, "550 5.1.1 no such user\r\n");
	loses(s, CLIENT, 300);
	closes(s, CLIENT);
}

/* The server's last words are missing; where the client's end is, nobody knows. */
static void
hole_of_an_answer(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, SERVER, sizeof("220 go ahead\r\n") - 1);
	closes(s, SERVER);
}

static void
hole_of_an_answer_to_nothing(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, SERVER, sizeof("421 timeout\r\n") - 1);
	closes(s, SERVER);
	closes(s, CLIENT);
}

static void
hole_behind_a_login_that_failed(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "AUTH PLAIN AGEAYg==\r\n");
	says_text(s, SERVER, "535 5.7.8 no\r\n");
	loses(s, CLIENT, 300);
	closes(s, CLIENT);
}

static void
hole_behind_a_refused_starttls(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "454 4.7.0 TLS not available\r\n");
	loses(s, CLIENT, 300);
	closes(s, CLIENT);
}

static void
hole_in_a_message(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "DATA\r\n");
	says_text(s, SERVER, "354 go ahead\r\n");
	says_text(s, CLIENT, "Subject: scan\r\n");
	loses(s, CLIENT, 300);
	closes(s, CLIENT);
}

static void
hole_before_a_refusal(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, 6);
	says_text(s, SERVER, "250 ok\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "454 no\r\n");
	closes(s, CLIENT);
}

/* "AUTH LOGIN", of which "H LOGIN" alone would be IMAP. */
static void
hole_in_the_first_command(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	loses(s, CLIENT, 3);
	says_text(s, CLIENT, "H LOGIN\r\n");
	says_text(s, SERVER, "-ERR no\r\n");
	says_text(s, CLIENT, "CAPA\r\n");
	says_text(s, SERVER, "+OK\r\n.\r\n");
	closes(s, CLIENT);
}

static void
hole_with_words_behind_it(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, 300);
	says_text(s, CLIENT, "NOOP\r\n");
	closes(s, CLIENT);
}

/*
 * A segment of the server's answer to the hello was lost, with `len` bytes: what is left of it
 * begins in the middle of a record.
 */
static void
flight_without_its_beginning(struct script *s, size_t len)
{
	put_plain_server_hello(&s->out, TLS_VERSION_1_2);
	put_sealed(&s->out, TLS_RECORD_HANDSHAKE, 700);
	put_message(&s->out, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	loses(s, SERVER, len);
	memmove(s->out.data, s->out.data + len, s->out.len - len);
	s->out.len -= len;
	says(s, SERVER);
}

static void
starttls_and_hello(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
}

static void
server_hello_lost_behind_the_grant(struct script *s)
{
	starttls_and_hello(s);
	flight_without_its_beginning(s, 300);
	client_flight_12(s);
	server_finished_12(s);
}

static void
grant_and_server_hello_lost(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	loses(s, SERVER, sizeof("220 go ahead\r\n") - 1);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	flight_without_its_beginning(s, 300);
	client_flight_12(s);
	server_finished_12(s);
}

static void
server_hello_lost_behind_the_grant_and_an_alert(struct script *s)
{
	starttls_and_hello(s);
	flight_without_its_beginning(s, 300);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

static void
cut_grant(struct script *s)
{
	smtp_until_ehlo(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 Ready to start TLS");
	loses(s, SERVER, 2);
}

/* BearSSL's, with no version in its record. */
static void
grant_cut_and_an_alert_without_a_version(struct script *s)
{
	cut_grant(s);
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	put_span(&s->out, BYTES("\x15\x00\x00\x00\x02\x02\x46"));
	says(s, SERVER);
	closes(s, SERVER);
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "grant cut, and an alert without a version", 587,
	    grant_cut_and_an_alert_without_a_version,
	    "SMTP starttls - TLSv1.0 refused server protocol_version - resumed=- retry=- scsv=no "
	    "gap" },
	{ "ServerHello lost behind the grant", 587, server_hello_lost_behind_the_grant,
	    "SMTP starttls - TLSv1.2 established - - - resumed=- retry=- scsv=no gap" },
	{ "ServerHello lost behind the grant, and an alert", 587,
	    server_hello_lost_behind_the_grant_and_an_alert,
	    "SMTP starttls - TLSv1.2 refused server protocol_version - resumed=- retry=- scsv=no "
	    "gap" },
	{ "hole up to the end, room for a hello", 587, hole_with_room_for_a_hello,
	    "nothing starttls_no_hello" },
	{ "hole up to the end, room for starttls", 587, hole_with_room_for_starttls,
	    "nothing starttls_no_hello" },
	{ "hole up to the end, no room for starttls", 587, hole_without_room_for_starttls,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole up to the end, room for starttls in place of a FIN", 587,
	    hole_without_room_but_for_the_fin,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole up to the end behind a sender who was refused", 587,
	    hole_behind_mail_that_was_refused, "nothing starttls_no_hello" },
	{ "hole of the answer to quit", 587, hole_of_the_answer_to_quit,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole of a command that was answered", 587, hole_with_an_answer,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole up to the end behind a sender", 587, hole_behind_a_sender,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole up to the end behind a sender, and nobody to receive it", 587,
	    hole_behind_a_sender_to_nobody,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole of an answer", 587, hole_of_an_answer, "nothing starttls_no_hello" },
	{ "hole of an answer, nothing asked", 587, hole_of_an_answer_to_nothing,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole up to the end behind a login", 587, hole_behind_a_login_that_failed,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole up to the end in a message", 587, hole_in_a_message,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole before a refusal", 587, hole_before_a_refusal,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole in the first command", 110, hole_in_the_first_command,
	    "POP3 no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
	{ "hole with words behind it", 587, hole_with_words_behind_it,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no gap" },
};

ROW_TESTS

/* It is the hello in front of it that tells, so what is captured in another order does not. */
START_TEST(where_the_grant_was_lost_the_hello_tells_that_words_are_over)
{
	struct told told = tell_row(grant_and_server_hello_lost, 587, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_int_eq(told.event.outcome, OUTCOME_ESTABLISHED);
	ck_assert_int_eq(told.event.tls_mode, TLS_MODE_STARTTLS);
}
END_TEST

static void
question_lost_and_an_sslv2_format_hello(struct script *s)
{
	smtp_until_ehlo(s);
	loses(s, CLIENT, sizeof("STARTTLS\r\n") - 1);
	says_text(s, SERVER, "220 Ready to start TLS\r\n");
	sslv2_format_hello(s);
}

/* The server's words tell that words are over, so what is captured in another order does not. */
START_TEST(where_the_question_was_lost_a_hello_in_the_format_of_sslv2_is_one)
{
	struct told told = tell_row(question_lost_and_an_sslv2_format_hello, 587, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_int_eq(told.event.outcome, OUTCOME_ESTABLISHED);
	ck_assert_uint_eq(told.event.offered_version, TLS_VERSION_1_0);
}
END_TEST

/* Where the hole is told of before the refusal, nobody knows what it was that was refused. */
START_TEST(a_refused_starttls_is_not_asked_for_again_in_a_hole)
{
	struct told told = tell_row(hole_behind_a_refused_starttls, 587, NULL);

	ck_assert_uint_eq(told.event_count, 1);
	ck_assert_int_eq(told.event.outcome, OUTCOME_CLEARTEXT);
}
END_TEST

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
	tcase_add_test(tc, where_the_grant_was_lost_the_hello_tells_that_words_are_over);
	tcase_add_test(tc, where_the_question_was_lost_a_hello_in_the_format_of_sslv2_is_one);
	tcase_add_test(tc, a_refused_starttls_is_not_asked_for_again_in_a_hole);
}

SUITE_MAIN("session_mail_holes")
