/* STARTTLS was granted, and the words in front of it or behind it are not what should stand there.
 */
#include "session/session.h"

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

static void
imap_until_grant(struct script *s)
{
	says_text(s, SERVER, "* OK ready\r\n");
	says_text(s, CLIENT, "a1 STARTTLS\r\n");
	says_text(s, SERVER, "a1 OK begin\r\n");
}

static void
smtp_until_grant(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
}

/* As Exim answers: it throws away what stands behind STARTTLS. */
static void
data_without_waiting(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

/* As Dovecot answers. */
static void
login_and_the_server_closes(struct script *s)
{
	imap_until_grant(s);
	says_text(s, CLIENT, "a2 LOGIN user not-a-secret\r\n");
	closes(s, SERVER);
	closes(s, CLIENT);
}

/* As Exim answers. */
static void
login_and_an_alert(struct script *s)
{
	smtp_until_grant(s);
	says_text(s, CLIENT, "AUTH PLAIN AGEAYg==\r\n");
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
	closes(s, CLIENT);
}

static void
words_and_an_alert(struct script *s)
{
	smtp_until_grant(s);
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
	closes(s, CLIENT);
}

static void
words_and_the_server_closes(struct script *s)
{
	smtp_until_grant(s);
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	closes(s, SERVER);
	closes(s, CLIENT);
}

static void
words_that_are_answered(struct script *s)
{
	smtp_until_grant(s);
	says_text(s, CLIENT, "MAIL FROM:<a@b>\r\n");
	says_text(s, SERVER, "250 ok\r\n");
	closes(s, CLIENT);
}

static void
words_that_are_answered_and_tls(struct script *s)
{
	smtp_until_grant(s);
	says_text(s, CLIENT, "AUTH PLAIN AGEAYg==\r\n");
	says_text(s, SERVER, "235 ok\r\n");
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

/* RFC 3207 and RFC 4954 do not forbid it, and Postfix and Exim grant it. */
static void
smtp_login(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org ESMTP\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250-mail.example.org\r\n250 STARTTLS\r\n");
	says_text(s, CLIENT, "AUTH PLAIN AGEAYg==\r\n");
	says_text(s, SERVER, "235 ok\r\n");
}

static void
login_in_front(struct script *s)
{
	smtp_login(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

static void
login_and_a_letter_in_front(struct script *s)
{
	smtp_login(s);
	says_text(s, CLIENT, "MAIL FROM:<a@b>\r\n");
	says_text(s, SERVER, "250 ok\r\n");
	says_text(s, CLIENT, "RCPT TO:<c@d>\r\n");
	says_text(s, SERVER, "250 ok\r\n");
	says_text(s, CLIENT, "DATA\r\n");
	says_text(s, SERVER, "354 go\r\n");
	says_text(s, CLIENT, "Subject: x\r\n\r\nSTARTTLS\r\n.\r\n");
	says_text(s, SERVER, "250 queued\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

static void
login_in_front_and_a_close(struct script *s)
{
	smtp_login(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
	closes(s, CLIENT);
}

static void
login_in_front_and_the_capture_ends(struct script *s)
{
	smtp_login(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go ahead\r\n");
}

static void
login_in_front_and_both_hellos_lost(struct script *s)
{
	login_in_front_and_the_capture_ends(s);
	loses(s, CLIENT, 300);
	loses(s, SERVER, 700);
	client_flight_12(s);
	server_finished_12(s);
}

static void
login_in_front_and_a_refusal(struct script *s)
{
	smtp_login(s);
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "503 too late\r\n");
	says_text(s, CLIENT, "MAIL FROM:<a@b>\r\n");
}

static void
login_in_front_and_words(struct script *s)
{
	login_in_front_and_the_capture_ends(s);
	says_text(s, CLIENT, "MAIL FROM:<a@b>\r\n");
	says_text(s, SERVER, "250 ok\r\n");
}

static void
hello_in_the_first_line_of_a_letter(struct script *s)
{
	smtp_login(s);
	says_text(s, CLIENT, "MAIL FROM:<a@b>\r\n");
	says_text(s, SERVER, "250 ok\r\n");
	says_text(s, CLIENT, "DATA\r\n");
	says_text(s, SERVER, "354 go\r\n");
	says_text(s, CLIENT, "Subject: ");
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_GNUTLS_TLS11));
	says(s, CLIENT);
	says_text(s, CLIENT, "\r\n.\r\n");
	says_text(s, SERVER, "250 queued\r\n");
}

static void
preauth(struct script *s)
{
	says_text(s, SERVER, "* PREAUTH ready\r\n");
	says_text(s, CLIENT, "a1 CAPABILITY\r\n");
	says_text(s, SERVER, "* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n");
	says_text(s, CLIENT, "a2 STARTTLS\r\n");
}

static void
preauth_in_front(struct script *s)
{
	preauth(s);
	says_text(s, SERVER, "a2 OK begin\r\n");
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

static void
preauth_in_front_and_a_refusal(struct script *s)
{
	preauth(s);
	says_text(s, SERVER, "a2 BAD too late\r\n");
}

static void
quit_that_is_answered(struct script *s)
{
	smtp_until_grant(s);
	says_text(s, CLIENT, "QUIT\r\n");
	says_text(s, SERVER, "221 bye\r\n");
	closes(s, SERVER);
	closes(s, CLIENT);
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "data without waiting", 587, data_without_waiting,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "a login, and the server closes", 143, login_and_the_server_closes,
	    "IMAP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "a login, and an alert", 587, login_and_an_alert,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "words, and an alert", 587, words_and_an_alert, "nothing starttls_no_hello" },
	{ "words, and the server closes", 587, words_and_the_server_closes,
	    "nothing starttls_no_hello" },
	{ "words that are answered", 587, words_that_are_answered,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "words that are answered, and tls", 587, words_that_are_answered_and_tls,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no "
	    "login_before_tls" },
	{ "a login in front", 587, login_in_front,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no "
	    "login_before_tls" },
	{ "a login and a letter in front", 587, login_and_a_letter_in_front,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no "
	    "login_before_tls" },
	{ "a login in front, and a close", 587, login_in_front_and_a_close,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "a login in front, and the capture ends", 587, login_in_front_and_the_capture_ends,
	    "nothing starttls_no_hello login_before_tls" },
	{ "a login in front, and both hellos lost", 587, login_in_front_and_both_hellos_lost,
	    "nothing starttls_no_hello login_before_tls" },
	{ "a login in front, and a refusal", 587, login_in_front_and_a_refusal,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "a login in front, and words", 587, login_in_front_and_words,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "a hello in the first line of a letter", 587, hello_in_the_first_line_of_a_letter,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "preauth in front", 143, preauth_in_front,
	    "IMAP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "preauth in front, and a refusal", 143, preauth_in_front_and_a_refusal,
	    "IMAP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "quit that is answered", 587, quit_that_is_answered, "nothing starttls_no_hello" },
};

ROW_TESTS

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
}

SUITE_MAIN("session_grant")
