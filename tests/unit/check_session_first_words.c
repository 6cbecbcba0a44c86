/* First words: of a protocol that is not usual on the port, or a load balancer's header. */
#include "session/session.h"

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

/* Another protocol than is usual on the port */

static void
pop3_login(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	says_text(s, CLIENT, "USER user\r\n");
	says_text(s, SERVER, "+OK\r\n");
	says_text(s, CLIENT, "PASS not-a-secret\r\n");
	says_text(s, SERVER, "-ERR no\r\n");
}

static void
imap_login(struct script *s)
{
	says_text(s, SERVER, "* OK ready\r\n");
	says_text(s, CLIENT, "a1 LOGIN user not-a-secret\r\n");
	says_text(s, SERVER, "a1 NO no\r\n");
}

static void
smtp_without_its_name(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250 mail.example.org\r\n");
	says_text(s, CLIENT, "QUIT\r\n");
	says_text(s, SERVER, "221 bye\r\n");
}

static void
pop3_to_imap(struct script *s)
{
	says_text(s, SERVER, "* OK ready\r\n");
	says_text(s, CLIENT, "USER user\r\n");
	says_text(s, SERVER, "USER BAD what?\r\n");
	says_text(s, CLIENT, "PASS not-a-secret\r\n");
	says_text(s, SERVER, "PASS BAD what?\r\n");
}

static void
imap_to_pop3(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	says_text(s, CLIENT, "a1 LOGIN user not-a-secret\r\n");
	says_text(s, SERVER, "-ERR what?\r\n");
}

/* No greeting comes, and the client does not wait for it. */
static void
words_to_tls(struct script *s)
{
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, CLIENT, "AUTH PLAIN AGEAYg==\r\n");
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
	closes(s, CLIENT);
}

static void
words_to_tls_with_a_hole(struct script *s)
{
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	loses(s, CLIENT, 300);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

static void
pop3_banner(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	closes(s, CLIENT);
}

/* A line of a message may look like anything. */
static void
smtp_from_its_middle(struct script *s)
{
	s->no_syn = true;
	says_text(s, CLIENT, "and then\r\nUSER user\r\nMAIL FROM:<a@example.org>\r\n");
}

/* A load balancer's header: HAProxy's PROXY protocol, sections 2.1 and 2.2. */

static void
proxy_1_then_login(struct script *s)
{
	says_text(s, CLIENT, "PROXY TCP4 198.51.100.7 192.0.2.25 50000 110\r\n");
	pop3_login(s);
}

static void
proxy_2(struct script *s)
{
	put_span(&s->out, BYTES("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"
				"\xc6\x33\x64\x07\xc0\x00\x02\x19\xc3\x50\x00\x6e"));
}

static void
proxy_2_then_login(struct script *s)
{
	proxy_2(s);
	says(s, CLIENT);
	pop3_login(s);
}

static void
proxy_2_then_tls(struct script *s)
{
	proxy_2(s);
	says(s, CLIENT);
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

static void
proxy_1_then_2_then_tls(struct script *s)
{
	says_text(s, CLIENT, "PROXY TCP4 198.51.100.7 192.0.2.25 50000 110\r\n");
	proxy_2_then_tls(s);
}

static void
proxy_1_twice_then_login(struct script *s)
{
	says_text(s, CLIENT, "PROXY TCP4 198.51.100.7 192.0.2.25 50000 110\r\n");
	proxy_1_then_login(s);
}

static void
proxy_1_without_a_syn(struct script *s)
{
	s->whole_segments = true;
	s->no_syn = true;
	proxy_1_then_login(s);
}

static void
proxy_2_without_a_syn(struct script *s)
{
	s->whole_segments = true;
	s->no_syn = true;
	proxy_2_then_login(s);
}

static void
proxy_2_of_a_health_check(struct script *s)
{
	put_span(&s->out, BYTES("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"));
	says(s, CLIENT);
	says_text(s, SERVER, "+OK ready\r\n");
	closes(s, CLIENT);
	closes(s, SERVER);
}

/* Lines that are not as a client should send them: a device sends its strings' NUL, too. */
static void
starttls_behind(struct script *s, struct span words)
{
	says_text(s, SERVER, "220 mail.example.org\r\n");
	put_span(&s->out, words);
	says(s, CLIENT);
	says_text(s, SERVER, "500 what?\r\n");
	says_text(s, CLIENT, "EHLO scanner-3\r\n");
	says_text(s, SERVER, "250 STARTTLS\r\n");
	says_text(s, CLIENT, "STARTTLS\r\n");
	says_text(s, SERVER, "220 go\r\n");
	handshake_12(s, BYTES(SAMPLE_GNUTLS_TLS11), TLS_VERSION_1_1);
}

static void
nul_behind_a_line(struct script *s)
{
	starttls_behind(s, BYTES("NOOP\r\n\0"));
}

static void
byte_order_mark(struct script *s)
{
	starttls_behind(s, BYTES("\xef\xbb\xbf"
				 "EHLO scanner-3\r\n"));
}

static void
corrected_by_a_key(struct script *s)
{
	starttls_behind(s, BYTES("EHLP\bO scanner-3\r\n"));
}

/* As PuTTY begins where it was told to speak Telnet. */
#define TELNET_OPTIONS                                                                             \
	"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03"

static void
telnet_options(struct script *s)
{
	starttls_behind(s, BYTES(TELNET_OPTIONS));
}

static void
telnet_options_in_front_of_a_login(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	put_span(&s->out, BYTES(TELNET_OPTIONS "USER user\r\n"));
	says(s, CLIENT);
	says_text(s, SERVER, "-ERR what?\r\n");
	says_text(s, CLIENT, "PASS not-a-secret\r\n");
	says_text(s, SERVER, "-ERR no user\r\n");
}

/* No words: as a scanner asks every port for remote desktops. */
static void
noise(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org\r\n");
	put_span(&s->out, BYTES("\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0"));
	says(s, CLIENT);
	says_text(s, SERVER, "500 what?\r\n");
	closes(s, CLIENT);
}

/* As Exim answers where noise has an end of line. */
static void
noise_that_is_answered(struct script *s)
{
	noise(s);
	says_text(s, SERVER, "501 NUL characters are not allowed in SMTP commands\r\n");
	closes(s, SERVER);
}

static void
half_a_line(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org\r\n");
	says_text(s, CLIENT, "EHLO scanner-3");
	closes(s, CLIENT);
}

static void
empty_lines(struct script *s)
{
	says_text(s, SERVER, "220 mail.example.org\r\n");
	says_text(s, CLIENT, "\r\n\r\n");
	closes(s, CLIENT);
}

/* Words that begin like a PROXY header are the client's own. */
static void
pass_without_user(struct script *s)
{
	says_text(s, SERVER, "+OK ready\r\n");
	says_text(s, CLIENT, "PASS not-a-secret\r\n");
	says_text(s, SERVER, "+OK\r\n");
}

static void
tag_is_proxy(struct script *s)
{
	says_text(s, SERVER, "* OK ready\r\n");
	says_text(s, CLIENT, "PROXY LOGIN user not-a-secret\r\n");
	says_text(s, SERVER, "PROXY OK done\r\n");
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "pop3 where imap is usual", 143, pass_without_user,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "pop3 where smtp has tls at once", 465, pop3_login,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "imap where pop3 has tls at once", 995, imap_login,
	    "IMAP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "smtp where imap is usual", 143, smtp_without_its_name,
	    "SMTP no-login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "pop3 to a server of imap", 143, pop3_to_imap,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "imap to a server of pop3", 143, imap_to_pop3,
	    "IMAP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "a server of another protocol alone", 143, pop3_banner, "nothing banner_only" },
	{ "smtp from its middle where imap is usual", 143, smtp_from_its_middle,
	    "nothing garbage" },
	{ "words where there is tls alone", 465, words_to_tls,
	    "SMTP login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "words where there is tls alone, with a hole", 465, words_to_tls_with_a_hole,
	    "SMTP starttls - - refused server protocol_version - resumed=- retry=- scsv=- gap" },
	{ "proxy header 1, login", 110, proxy_1_then_login,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "proxy header 2, login", 110, proxy_2_then_login,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "proxy header 1, login, without a syn", 110, proxy_1_without_a_syn,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "proxy header 2, login, without a syn", 110, proxy_2_without_a_syn,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "proxy header 2, tls", 8443, proxy_2_then_tls,
	    "TLS implicit TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "proxy header 1, proxy header 2, tls", 993, proxy_1_then_2_then_tls,
	    "IMAP implicit TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "proxy header 1 twice, login", 110, proxy_1_twice_then_login,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "proxy header 2, health check", 110, proxy_2_of_a_health_check, "nothing banner_only" },
	{ "a NUL behind the first line", 587, nul_behind_a_line,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "a byte order mark in front of the first line", 587, byte_order_mark,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "a first line corrected by a key", 587, corrected_by_a_key,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "telnet options", 587, telnet_options,
	    "SMTP starttls TLSv1.1 TLSv1.1 established - - client resumed=no retry=no scsv=no" },
	{ "telnet options in front of a login", 110, telnet_options_in_front_of_a_login,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "noise to a server that greets", 587, noise, "nothing garbage" },
	{ "noise to a server that answers it", 587, noise_that_is_answered, "nothing garbage" },
	{ "half a line to a server that greets", 587, half_a_line, "nothing garbage" },
	{ "empty lines to a server that greets", 587, empty_lines, "nothing banner_only" },
	{ "begins like a proxy header 2", 110, pass_without_user,
	    "POP3 login none - - cleartext - - - resumed=- retry=- scsv=no" },
	{ "begins like a proxy header 1", 143, tag_is_proxy,
	    "IMAP login none - - cleartext - - - resumed=- retry=- scsv=no" },
};

ROW_TESTS

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
}

SUITE_MAIN("session_first_words")
