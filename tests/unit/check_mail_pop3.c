#include "mail_script.h"

#include "base/banned.h"

#define BANNER "+OK mail.corp.example ready\r\n"

static const struct script scripts[] = {
	{ "nothing", ANY_ORDER, { { END, NULL } }, "0 " },
	{ "banner_only", ANY_ORDER, { { S, BANNER } }, "greeting 0 " },
	{ "banner_of_two_lines_only", ANY_ORDER,
	    { { S, BANNER "Unauthorized use is prohibited.\r\n" } }, "greeting 0 " },
	{ "banner_and_quit_is_no_session", ANY_ORDER,
	    { { S, BANNER }, { C, "QUIT\r\n" }, { S, "+OK bye\r\n" } }, "greeting quit 0 " },
	{ "goodbye_in_other_words_is_no_session", ANY_ORDER,
	    { { S, BANNER }, { C, "QUIT\r\n" }, { S, "+OK\r\n" } }, "greeting quit 0 " },
	{ "refusing_banner_is_no_session", ANY_ORDER, { { S, "-ERR too many\r\n" } }, "0 " },
	{ "stls", ANY_ORDER,
	    { { S, BANNER }, { C, "CAPA\r\n" }, { S, "+OK\r\nSTLS\r\nUSER\r\n.\r\n" },
		{ C, "STLS\r\n" }, { S, "+OK Begin TLS negotiation now.\r\n" }, { C, SCRIPT_TLS },
		{ S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 2 " },
	{ "greeting_of_two_lines", ANY_ORDER,
	    { { S, BANNER "Unauthorized use is prohibited.\r\n" }, { C, "STLS\r\n" },
		{ S, "+OK go\r\n" }, { C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 1 " },
	{ "any_case_and_bare_lf", ANY_ORDER,
	    { { S, "+OK ready\n" }, { C, "capa\n" }, { S, "+OK\nSTLS\n.\n" }, { C, "stls\n" },
		{ S, "+ok go\n" }, { C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 2 " },
	{ "stls_refused_and_granted", ANY_ORDER,
	    { { S, BANNER }, { C, "STLS\r\n" }, { S, "-ERR not now\r\n" }, { C, "STLS\r\n" },
		{ S, "+OK now\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted refused tls:C 2 " },
	{ "user_and_pass", ANY_ORDER,
	    { { S, BANNER }, { C, "USER mfp\r\n" }, { S, "+OK\r\n" }, { C, "PASS a b\r\n" },
		{ S, "+OK Logged in.\r\n" }, { C, "QUIT\r\n" }, { S, "+OK Logging out.\r\n" } },
	    "greeting login logged_in quit 2 " },
	{ "user_alone_is_no_login", ANY_ORDER,
	    { { S, BANNER }, { C, "USER mfp\r\n" }, { S, "-ERR use STLS\r\n" }, { C, "PASS\r\n" },
		{ S, "-ERR\r\n" } },
	    "greeting 2 " },
	{ "pass_refused", ANY_ORDER,
	    { { S, BANNER }, { C, "USER mfp\r\nPASS x\r\n" }, { S, "+OK\r\n-ERR no\r\n" } },
	    "greeting login 2 " },
	{ "apop_hides_the_secret", ANY_ORDER,
	    { { S, "+OK <1.2@mail>\r\n" }, { C, "APOP mfp c4c9334bac560ecc979e58001b3e22fb\r\n" },
		{ S, "+OK\r\n" } },
	    "greeting logged_in 1 " },
	{ "auth_plain", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH PLAIN\r\n" }, { S, "+ \r\n" }, { C, "AGEAYg==\r\n" },
		{ S, "+OK in\r\n" } },
	    "greeting login logged_in 1 " },
	{ "auth_plain_with_response", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH PLAIN AGEAYg==\r\n" }, { S, "-ERR no\r\n" } },
	    "greeting login 1 " },
	{ "auth_refused_at_once", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH PLAIN\r\n" }, { S, "-ERR no\r\n" }, { C, "QUIT\r\n" },
		{ S, "+OK\r\n" } },
	    "greeting quit 1 " },
	{ "auth_login_with_a_verb_that_is_base64_of_a_name", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH LOGIN\r\n" }, { S, "+ VXNlcm5hbWU6\r\n" },
		{ C, "XTND\r\n" }, { S, "+ UGFzc3dvcmQ6\r\n" }, { C, "ZHVtbXk=\r\n" },
		{ S, "+OK in\r\n" } },
	    "greeting login logged_in 1 " },
	{ "auth_cancelled", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH LOGIN\r\n" }, { S, "+ VXNlcm5hbWU6\r\n" }, { C, "*\r\n" },
		{ S, "-ERR\r\n" } },
	    "greeting 1 " },
	{ "auth_behind_a_login_that_is_refused_late", IN_ORDER,
	    { { S, BANNER }, { C, "APOP mfp c4c9334bac560ecc979e58001b3e22fb\r\n" },
		{ C, "AUTH PLAIN\r\n" }, { S, "-ERR no\r\n+ \r\n" }, { C, "AGEAYg==\r\n" },
		{ S, "+OK in\r\n" } },
	    "greeting login logged_in 2 " },
	{ "auth_alone_lists", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH\r\n" }, { S, "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n" },
		{ C, "STLS\r\n" }, { S, "+OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "auth_challenge_hides_the_secret", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH SCRAM-SHA-256 biwsbj1h\r\n" }, { S, "+ cj1h\r\n" },
		{ C, "Yz1iaXdz\r\n" }, { S, "+OK\r\n" } },
	    "greeting logged_in 1 " },
	{ "message_that_looks_like_replies", ANY_ORDER,
	    { { S, BANNER }, { C, "USER a\r\n" }, { S, "+OK\r\n" }, { C, "PASS b\r\n" },
		{ S, "+OK\r\n" }, { C, "RETR 1\r\n" },
		{ S, "+OK 120 octets\r\nSubject: x\r\n\r\n+OK\r\n-ERR\r\n\x16\x02\r\n..\r\n.\r\n" },
		{ C, "DELE 1\r\n" }, { S, "-ERR no\r\n" }, { C, "QUIT\r\n" }, { S, "+OK\r\n" } },
	    "greeting login logged_in quit 4 " },
	{ "empty_listing", ANY_ORDER,
	    { { S, BANNER }, { C, "UIDL\r\n" }, { S, "+OK\r\n.\r\n" }, { C, "STLS\r\n" },
		{ S, "-ERR no\r\n" } },
	    "greeting asked refused 2 " },
	{ "pipelined", ANY_ORDER,
	    { { S, BANNER }, { C, "CAPA\r\nSTLS\r\n" }, { S, "+OK\r\nUIDL\r\n.\r\n+OK go\r\n" },
		{ C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 2 " },
	{ "server_alone", IN_ORDER, { { S, BANNER "+OK\r\n" } }, "greeting 1 " },
	{ "server_alone_saying_goodbye", IN_ORDER, { { S, BANNER "+OK Logging out.\r\n" } },
	    "greeting 0 " },
	{ "server_alone_granting_stls", IN_ORDER,
	    { { S, BANNER "+OK Begin TLS negotiation now.\r\n" } }, "greeting granted 1 " },
	{ "server_giving_up", ANY_ORDER, { { S, BANNER "-ERR Disconnected for inactivity.\r\n" } },
	    "greeting 0 " },
	{ "server_alone_refusing", IN_ORDER, { { S, BANNER "-ERR [AUTH] no\r\n" } },
	    "greeting 1 " },
	{ "noise_until_the_server_gives_up", ANY_ORDER,
	    { { S, BANNER }, { C, "GET / HTTP/1.1\r\n" },
		{ S, "-ERR Unknown command.\r\n-ERR Too many invalid bad commands.\r\n" } },
	    "greeting garbage 0 " },
	{ "client_alone", IN_ORDER, { { C, "USER a\r\nPASS b\r\nSTAT\r\n" } }, "login 3 " },
	{ "starts_behind_the_banner", IN_ORDER,
	    { { C, "PASS b\r\n" }, { S, "+OK Logged in.\r\n" }, { C, "STAT\r\n" },
		{ S, "+OK 0 0\r\n" } },
	    "login logged_in 2 " },
	{ "http_request", ANY_ORDER,
	    { { S, BANNER }, { C, "GET / HTTP/1.1\r\nHost: mail\r\n\r\n" },
		{ S, "-ERR what?\r\n-ERR what?\r\n-ERR what?\r\n" } },
	    "greeting garbage 0 " },
	{ "ssh_server", IN_ORDER, { { S, "SSH-2.0-OpenSSH_9.9\r\n" } }, "garbage 0 " },
	{ "unknown_verbs", IN_ORDER, { { C, "STLSX\r\nSTL\r\n+OK\r\nPASSx y\r\n" } },
	    "garbage 0 " },
	{ "tls_at_once", IN_ORDER, { { C, SCRIPT_TLS }, { S, SCRIPT_TLS } }, "tls:C tls:S 0 " },
	{ "gap_over_a_command_before_one_that_is_refused", ANY_ORDER,
	    { { S, "+OK\r\n" }, { GAP_C, "CAPA\r\n" }, { S, "+OK\r\nUSER\r\n.\r\n" },
		{ C, "STLS\r\n" }, { S, "-ERR no\r\n" } },
	    "greeting asked refused 1 " },
	{ "gap_over_a_name_before_a_password_that_is_refused", ANY_ORDER,
	    { { S, BANNER }, { GAP_C, "USER a\r\n" }, { S, "+OK\r\n" }, { C, "PASS b\r\n" },
		{ S, "-ERR no\r\n" }, { C, "STLS\r\n" }, { S, "+OK go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted login tls:C 2 " },
	{ "gap_in_a_message", IN_ORDER,
	    { { S, BANNER }, { C, "RETR 1\r\n" }, { S, "+OK\r\nSubject: x\r\n" }, { GAP_S, NULL },
		{ S, "half a line\r\nmore\r\n+OK in the text\r\n.\r\n" }, { C, "STLS\r\n" },
		{ S, "+OK go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "gap_over_the_end_of_a_message", IN_ORDER,
	    { { S, BANNER }, { C, "RETR 1\r\n" }, { S, "+OK\r\nSubject: x\r\n" }, { GAP_S, NULL },
		{ C, "STLS\r\n" }, { S, "+OK go\r\n" }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:S 2 " },
	{ "gap_in_a_status", IN_ORDER,
	    { { S, BANNER }, { C, "USER a\r\n" }, { S, "+O" }, { GAP_S, NULL }, { S, "ser\r\n" },
		{ C, "PASS b\r\n" }, { S, "+OK\r\n" } },
	    "greeting login logged_in 2 " },
};

START_TEST(a_dialogue_tells_the_same_however_it_is_cut)
{
	script_check(&scripts[_i], PROTOCOL_POP3);
}
END_TEST

/* A greeting may say nothing but "+OK"; a mirror may show it behind the first command. */
START_TEST(what_the_client_had_received_before_answers_no_command)
{
	for (uint32_t received = 0; received <= 5; received += 5) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, PROTOCOL_POP3);
		d.received = received;
		(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("NOOP\r\n"));
		(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("+OK\r\n"));
		ck_assert_int_eq(d.facts.greeting, received > 0);
	}
}
END_TEST

START_TEST(no_prefix_knows_more_than_the_whole)
{
	static const char client[] = "USER a\r\nPASS b\r\nSTLS\r\n";

	for (size_t len = 0; len < sizeof(client); len++) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, PROTOCOL_POP3);
		ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(client, len)), len);
		ck_assert_int_eq(d.facts.login, len >= sizeof("USER a\r\nPASS b\r\n") - 1);
		ck_assert_int_eq(d.facts.starttls_asked, len >= sizeof(client) - 1);
		ck_assert(!d.facts.garbage);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_dialogue_tells_the_same_however_it_is_cut, 0,
	    (int)(sizeof(scripts) / sizeof(scripts[0])));
	tcase_add_test(tc, what_the_client_had_received_before_answers_no_command);
	tcase_add_test(tc, no_prefix_knows_more_than_the_whole);
}

SUITE_MAIN("mail_pop3")
