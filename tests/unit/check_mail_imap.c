#include "mail_script.h"

#include "base/banned.h"

#define SIXTY "123456789012345678901234567890123456789012345678901234567890"
#define THREE_HUNDRED SIXTY SIXTY SIXTY SIXTY SIXTY
#define BANNER "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready.\r\n"

static const struct script scripts[] = {
	{ "nothing", ANY_ORDER, { { END, NULL } }, "0 " },
	{ "banner_only", ANY_ORDER, { { S, BANNER } }, "greeting 0 " },
	{ "banner_and_logout_is_no_session", ANY_ORDER,
	    { { S, BANNER }, { C, "a LOGOUT\r\n" }, { S, "* BYE out\r\na OK done\r\n" } },
	    "greeting quit 0 " },
	{ "refusing_banner_is_no_session", ANY_ORDER, { { S, "* BYE too many\r\n" } }, "0 " },
	{ "preauth", ANY_ORDER, { { S, "* PREAUTH welcome\r\n" }, { C, "a NOOP\r\n" } },
	    "greeting logged_in 1 " },
	{ "starttls", ANY_ORDER,
	    { { S, BANNER }, { C, "a1 CAPABILITY\r\n" },
		{ S, "* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n" }, { C, "a2 STARTTLS\r\n" },
		{ S, "a2 OK Begin TLS negotiation now.\r\n" }, { C, SCRIPT_TLS },
		{ S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 2 " },
	{ "any_case_and_bare_lf", ANY_ORDER,
	    { { S, "* ok ready\n" }, { C, "A starttls\n" }, { S, "A ok go\n" }, { C, SCRIPT_TLS },
		{ S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 1 " },
	{ "starttls_no_then_ok", ANY_ORDER,
	    { { S, BANNER }, { C, "a1 STARTTLS\r\n" }, { S, "a1 NO later\r\n" },
		{ C, "a2 STARTTLS\r\n" }, { S, "a2 OK now\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted refused tls:C 2 " },
	{ "starttls_bad", ANY_ORDER,
	    { { S, BANNER }, { C, "a1 STARTTLS\r\n" }, { S, "a1 BAD what?\r\n" } },
	    "greeting asked refused 1 " },
	{ "replies_out_of_order", ANY_ORDER,
	    { { S, BANNER }, { C, "x NOOP\r\ny STARTTLS\r\nz NOOP\r\n" },
		{ S, "z OK\r\ny NO\r\nx OK\r\n" } },
	    "greeting asked refused 3 " },
	{ "other_tags_grant_nothing", ANY_ORDER,
	    { { S, BANNER }, { C, "a1 STARTTLS\r\n" }, { S, "a2 OK\r\nA1 OK\r\n" } },
	    "greeting asked 1 " },
	{ "login", ANY_ORDER,
	    { { S, BANNER }, { C, "a LOGIN mfp dummy\r\n" }, { S, "a OK in\r\n" } },
	    "greeting login logged_in 1 " },
	{ "login_quoted", ANY_ORDER,
	    { { S, BANNER }, { C, "a LOGIN \"m \\\"f p\" \"\"\r\n" }, { S, "a NO out\r\n" } },
	    "greeting login 1 " },
	{ "login_without_password", ANY_ORDER,
	    { { S, BANNER }, { C, "a LOGIN\r\nb LOGIN mfp\r\nc LOGIN \"m f\"\r\n" },
		{ S, "a BAD\r\nb BAD\r\nc BAD\r\n" } },
	    "greeting 3 " },
	{ "login_by_literals", ANY_ORDER,
	    { { S, BANNER }, { C, "a LOGIN {3}\r\n" }, { S, "+ go\r\n" }, { C, "mfp {7}\r\n" },
		{ S, "+ go\r\n" }, { C, "a\r\nb OK\r\n" }, { S, "a OK in\r\n" },
		{ C, "b NOOP\r\n" }, { S, "b OK\r\n" } },
	    "greeting login logged_in 2 " },
	{ "login_by_literals_without_waiting", ANY_ORDER,
	    { { S, BANNER }, { C, "a LOGIN {3+}\r\nmfp {5+}\r\ndummy\r\nb STARTTLS\r\n" },
		{ S, "a NO out\r\nb OK go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted login tls:C 2 " },
	{ "login_by_a_literal_of_no_bytes", ANY_ORDER,
	    { { S, BANNER }, { C, "a LOGIN {0+}\r\n dummy\r\n" }, { S, "a NO\r\n" } },
	    "greeting login 1 " },
	{ "login_by_literals_refused_at_once", OR_SERVER_FIRST,
	    { { S, BANNER }, { C, "a LOGIN {3}\r\n" },
		{ S, "a NO [PRIVACYREQUIRED] TLS first\r\n" }, { C, "b STARTTLS\r\n" },
		{ S, "b OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "authenticate_plain", ANY_ORDER,
	    { { S, BANNER }, { C, "a AUTHENTICATE PLAIN\r\n" }, { S, "+ \r\n" },
		{ C, "AGEAYg==\r\n" }, { S, "a OK in\r\n" } },
	    "greeting login logged_in 1 " },
	{ "authenticate_with_response", ANY_ORDER,
	    { { S, BANNER }, { C, "a authenticate OAUTHBEARER bixhPWE=\r\n" }, { S, "+ eyJ9\r\n" },
		{ C, "AQ==\r\n" }, { S, "a NO\r\n" } },
	    "greeting login 1 " },
	{ "authenticate_refused_at_once", ANY_ORDER,
	    { { S, BANNER }, { C, "a AUTHENTICATE PLAIN\r\n" }, { S, "a NO TLS first\r\n" },
		{ C, "b STARTTLS\r\n" }, { S, "b OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "authenticate_cancelled", ANY_ORDER,
	    { { S, BANNER }, { C, "a AUTHENTICATE LOGIN\r\n" }, { S, "+ VXNl\r\n" }, { C, "*\r\n" },
		{ S, "a BAD\r\n" } },
	    "greeting 1 " },
	{ "authenticate_challenge_hides_the_secret", ANY_ORDER,
	    { { S, BANNER }, { C, "a AUTHENTICATE CRAM-MD5\r\n" }, { S, "+ PDE+\r\n" },
		{ C, "YSBiYw==\r\n" }, { S, "a OK\r\n" } },
	    "greeting logged_in 1 " },
	{ "authenticate_external_and_anonymous_are_no_login", ANY_ORDER,
	    { { S, BANNER }, { C, "a AUTHENTICATE EXTERNAL =\r\n" }, { S, "a NO\r\n" },
		{ C, "b AUTHENTICATE ANONYMOUS dHJhY2U=\r\n" }, { S, "b OK\r\n" } },
	    "greeting logged_in 2 " },
	{ "append_of_a_message_with_starttls_in_it", ANY_ORDER,
	    { { S, BANNER }, { C, "a1 LOGIN mfp dummy\r\n" }, { S, "a1 OK in\r\n" },
		{ C, "a2 APPEND INBOX {40}\r\n" }, { S, "+ go\r\n" },
		{ C, "Subject: x\r\n\r\na2 STARTTLS\r\na2 OK begin\r\n"
		     "\r\n" },
		{ S, "a2 OK appended\r\n" }, { C, "a3 LOGOUT\r\n" }, { S, "* BYE\r\na3 OK\r\n" } },
	    "greeting login logged_in quit 2 " },
	{ "append_without_waiting", ANY_ORDER,
	    { { S, BANNER },
		{ C, "a APPEND x (\\Seen) {19+}\r\na STARTTLS\r\n\x16\x02\x15\r\n.\r\nb NOOP\r\n" },
		{ S, "a OK\r\nb OK\r\n" } },
	    "greeting 2 " },
	{ "append_of_binary", ANY_ORDER,
	    { { S, BANNER }, { C, "a APPEND x ~{7+}\r\n\x16\x02\xff\r\n\x14z\r\nb STARTTLS\r\n" },
		{ S, "a OK\r\nb OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "several_literals", ANY_ORDER,
	    { { S, BANNER },
		{ C, "a APPEND x {2+}\r\nhi {0+}\r\n {4+}\r\n\r\n\r\n\r\nb STARTTLS\r\n" },
		{ S, "a OK\r\nb OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "no_literal_but_nearly", ANY_ORDER,
	    { { S, BANNER },
		{ C, "a SEARCH {}\r\nb SEARCH {9\r\nc SEARCH {9}x\r\nd SEARCH {9+ }\r\n"
		     "e SEARCH \"{9}\"\r\nf SEARCH {+}\r\ng SEARCH {-9}\r\nh SEARCH 9}\r\n"
		     "i SEARCH {99999999999999999999}\r\nj SEARCH {9++}\r\nk SEARCH {9}\r\r\n"
		     "l SEARCH {000000000000000000009}\r\nm STARTTLS\r\n" },
		{ S, "m OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 13 " },
	{ "literal_in_a_fetched_message", ANY_ORDER,
	    { { S, BANNER }, { C, "a FETCH 1 (BODY[])\r\n" },
		{ S, "* 1 FETCH (BODY[] {18}\r\na OK x\r\nb OK\r\n\x16\x02\r\n\x15 FLAGS ())\r\n" },
		{ S, "a OK done\r\n" }, { C, "b STARTTLS\r\n" }, { S, "b NO\r\n" } },
	    "greeting asked refused 2 " },
	{ "status_text_has_no_literal", ANY_ORDER,
	    { { S, BANNER "* OK see {99}\r\n" }, { C, "a STARTTLS\r\n" }, { S, "a OK {9}\r\n" },
		{ S, SCRIPT_TLS }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 1 " },
	{ "idle", ANY_ORDER,
	    { { S, BANNER }, { C, "a IDLE\r\n" }, { S, "+ idling\r\n* 4 EXISTS\r\n" },
		{ C, "DONE\r\n" }, { S, "a OK\r\n" } },
	    "greeting 1 " },
	{ "compressed_bytes_are_not_read", IN_ORDER,
	    { { S, BANNER }, { C, "a COMPRESS DEFLATE\r\n" }, { S, "a OK\r\n" },
		{ S, "\x16\x02\n\x15"
		     "b" },
		{ C, "\x14\x02\n\x16\x02" } },
	    "greeting 1 " },
	{ "compression_refused", ANY_ORDER,
	    { { S, BANNER }, { C, "a COMPRESS DEFLATE\r\n" }, { S, "a NO\r\n" },
		{ C, "b STARTTLS\r\n" }, { S, "b OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "id", ANY_ORDER,
	    { { S, BANNER },
		{ C,
		    "a ID (\"name\" \"Thunder bird\" \"vendor\" \"v\" \"version\" \"115.0\")\r\n" },
		{ S, "* ID NIL\r\na OK\r\n" } },
	    "greeting 1 id=Thunder bird 115.0" },
	{ "id_without_a_version", ANY_ORDER, { { C, "a id (\"NAME\" \"x\\\"y\\\\\")\r\n" } },
	    "1 id=x\"y\\" },
	{ "id_with_a_version_only", ANY_ORDER, { { C, "a ID (\"version\" \"1\")\r\n" } }, "1 " },
	{ "id_nil", ANY_ORDER, { { C, "a ID NIL\r\nb ID (\"name\" NIL)\r\nc ID ()\r\nd ID\r\n" } },
	    "4 " },
	{ "id_cut_short", ANY_ORDER,
	    { { C, "a ID (\"name\" \"x\r\nb ID (\"name\"\r\nc ID (\"na\r\n" } }, "3 id=x" },
	{ "id_by_literal", ANY_ORDER, { { C, "a ID (\"name\" {4+}\r\nfour)\r\nb STARTTLS\r\n" } },
	    "asked 2 id=four" },
	{ "id_with_a_key_by_literal", ANY_ORDER,
	    { { C, "a ID ({4+}\r\nname \"x y\" {7+}\r\nversion {1+}\r\n2)\r\nb STARTTLS\r\n" } },
	    "asked 2 id=x y 2" },
	{ "id_with_quotes_in_a_literal", ANY_ORDER,
	    { { C, "a ID (\"vendor\" {0+}\r\n \"name\" ~{4+}\r\n\"\\)\" \"os\" {2}\r\nb)\r\n" } },
	    "1 id=\"\\)\"" },
	{ "id_with_lines_in_a_literal", ANY_ORDER,
	    { { C, "a ID (\"name\" {11+}\r\nx\r\nb NOOP\r\n)\r\nb STARTTLS\r\n" } },
	    "asked 2 id=x\r\nb NOOP\r\n" },
	{ "id_whose_literal_is_not_wanted", IN_ORDER,
	    { { S, BANNER }, { C, "a ID (\"name\" {4}\r\n" }, { S, "a BAD\r\n" },
		{ C, "b STARTTLS\r\n" }, { S, "b OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "id_with_a_hole_in_its_literal", IN_ORDER,
	    { { C, "a ID (\"name\" {9+}\r\nfour" }, { GAP_C, "12345" },
		{ C, ")\r\nb STARTTLS\r\n" } },
	    "asked 2 " },
	{ "id_longer_than_what_is_looked_at", ANY_ORDER,
	    { { C, "a ID (\"name\" {4+}\r\nfour \"os\" {300+}\r\n" THREE_HUNDRED " \"version\" "
		   "\"1\")\r\nb STARTTLS\r\n" } },
	    "asked 2 id=four" },
	{ "server_alone", IN_ORDER, { { S, BANNER "a1 OK\r\n" } }, "greeting 1 " },
	{ "server_alone_answering_noise", IN_ORDER, { { S, BANNER "GET BAD what?\r\n" } },
	    "greeting 0 " },
	{ "server_alone_saying_goodbye", IN_ORDER, { { S, BANNER "* BYE\r\na OK\r\n" } },
	    "greeting 0 " },
	{ "server_alone_granting_starttls", IN_ORDER,
	    { { S, BANNER "a1 OK Begin TLS negotiation now.\r\n" } }, "greeting granted 1 " },
	{ "client_alone", IN_ORDER, { { C, "a NOOP\r\nb STARTTLS\r\n" SCRIPT_TLS } },
	    "asked tls:C 2 " },
	{ "http_request", ANY_ORDER,
	    { { S, BANNER }, { C, "GET / HTTP/1.1\r\nHost: mail\r\n\r\n" },
		{ S, "GET BAD what?\r\nHost: BAD what?\r\n" } },
	    "greeting garbage 0 " },
	{ "ssh_server", IN_ORDER, { { S, "SSH-2.0-OpenSSH_9.9\r\n" } }, "garbage 0 " },
	{ "unknown_commands", IN_ORDER,
	    { { C, "a STARTTLSX\r\na STARTTL\r\nSTARTTLS\r\n(a) STARTTLS\r\n+ STARTTLS\r\n" } },
	    "garbage 0 " },
	{ "tls_at_once", IN_ORDER, { { C, SCRIPT_TLS }, { S, SCRIPT_TLS } }, "tls:C tls:S 0 " },
	{ "literal_that_comes_although_it_is_refused", IN_ORDER,
	    { { C, "a1 LOGIN {16+}\r\n" }, { S, "a1 BAD no\r\n" },
		{ C, "x\r\na2 STARTTLS\r\n\r\n" }, { C, "a3 NOOP\r\n" } },
	    "login 2 " },
	{ "gap_in_a_literal", IN_ORDER,
	    { { S, BANNER }, { C, "a APPEND x {28+}\r\nSubject: x\r\n" }, { GAP_C, "lost\r\n" },
		{ C, "b LOGOUT\r\n\r\nb STARTTLS\r\n" }, { S, "a OK\r\nb OK\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "gap_before_content_that_looks_like_tls", IN_ORDER,
	    { { S, BANNER }, { C, "a APPEND x {23+}\r\nSubject: x\r\n" }, { GAP_C, "lost\r\n" },
		{ C, "\x16\x02...\r\nb STARTTLS\r\n" }, { S, "a OK\r\nb OK\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "gap_in_the_literal_of_a_login", IN_ORDER,
	    { { S, BANNER }, { C, "a LOGIN {5+}\r\n" }, { GAP_C, "alice" }, { C, " x\r\n" },
		{ S, "a NO\r\n" } },
	    "greeting login 1 " },
	{ "gap_up_to_the_end_of_a_literal", IN_ORDER,
	    { { S, BANNER }, { C, "a APPEND x {18+}\r\nSubject: x\r\n" }, { GAP_C, "lost\r\n" },
		{ C, "\r\nb STARTTLS\r\n" }, { S, "a OK\r\nb OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "gap_over_the_end_of_a_literal", IN_ORDER,
	    { { S, BANNER }, { C, "a APPEND x {18+}\r\nSubject: x\r\n" }, { GAP_C, "lost\r\n\r\n" },
		{ C, "b STARTTLS\r\n" }, { S, "a OK\r\nb OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "gap_where_a_literal_may_not_come", IN_ORDER,
	    { { S, BANNER }, { C, "a APPEND x {99}\r\n" }, { GAP_C, NULL }, { C, "b STARTTLS\r\n" },
		{ S, "a NO\r\nb OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "gap_over_a_command_before_one_that_is_refused", ANY_ORDER,
	    { { S, BANNER }, { C, "a NOOP\r\n" }, { S, "a OK\r\n" }, { GAP_C, "b NOOP\r\n" },
		{ S, "b OK\r\n" }, { C, "c STARTTLS\r\n" }, { S, "c NO\r\n" } },
	    "greeting asked refused 2 " },
	{ "starttls_granted_unseen_while_another_command_waits", IN_ORDER,
	    { { S, BANNER }, { C, "a NOOP\r\n" }, { GAP_C, "b STARTTLS\r\n" },
		{ S, "b OK Begin TLS negotiation now.\r\n" } },
	    "greeting granted 1 " },
	{ "gap_in_the_servers_reply", IN_ORDER,
	    { { S, BANNER }, { C, "a CAPABILITY\r\n" }, { S, "* CAPABI" }, { GAP_S, NULL },
		{ S, "OK\r\n" }, { C, "b STARTTLS\r\n" }, { S, "b OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
};

START_TEST(a_dialogue_tells_the_same_however_it_is_cut)
{
	script_check(&scripts[_i], PROTOCOL_IMAP);
}
END_TEST

START_TEST(no_prefix_knows_more_than_the_whole)
{
	static const char client[] = "a LOGIN b {2+}\r\ncd\r\nb STARTTLS\r\n";

	for (size_t len = 0; len < sizeof(client); len++) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, PROTOCOL_IMAP);
		ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(client, len)), len);
		ck_assert_int_eq(d.facts.login, len > sizeof("a LOGIN b {2+}\r\n") - 1);
		ck_assert_int_eq(d.facts.starttls_asked, len >= sizeof(client) - 1);
		ck_assert(!d.facts.garbage);
	}
}
END_TEST

/* RFC 9051, section 4.3.1: a literal's length has up to 63 bits. */
START_TEST(largest_literal_is_content_to_its_end)
{
	static const char line[] = "a APPEND x {9223372036854775799+}\r\n";
	uint8_t content[4096];
	struct mail_dialogue d;

	memset(content, '\x16', sizeof(content));
	mail_dialogue_init(&d, PROTOCOL_IMAP);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(line, sizeof(line) - 1)),
	    sizeof(line) - 1);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_uint_eq(
		    mail_dialogue_feed(&d, MAIL_CLIENT, span_from(content, sizeof(content))),
		    sizeof(content));
	}
	ck_assert_uint_eq(d.facts.command_count, 1);
}
END_TEST

START_TEST(commands_that_nobody_answers_do_not_hide_starttls)
{
	static const char noop[] = "a00 NOOP\r\n";
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_IMAP);
	for (int i = 0; i < 100; i++) {
		char line[sizeof(noop)];

		memcpy(line, noop, sizeof(noop));
		line[1] = (char)('0' + i / 10);
		line[2] = (char)('0' + i % 10);
		(void)mail_dialogue_feed(&d, MAIL_CLIENT, span_from(line, sizeof(noop) - 1));
	}
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("s STARTTLS\r\n"));
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("s OK\r\n"));
	ck_assert(d.facts.starttls_granted);
	ck_assert_uint_eq(d.facts.command_count, 101);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_dialogue_tells_the_same_however_it_is_cut, 0,
	    (int)(sizeof(scripts) / sizeof(scripts[0])));
	tcase_add_test(tc, no_prefix_knows_more_than_the_whole);
	tcase_add_test(tc, largest_literal_is_content_to_its_end);
	tcase_add_test(tc, commands_that_nobody_answers_do_not_hide_starttls);
}

SUITE_MAIN("mail_imap")
