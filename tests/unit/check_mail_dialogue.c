#include <time.h>

#include "mail_script.h"

#include "base/banned.h"

static const struct script unknown_port[] = {
	{ "smtp_by_its_banner", IN_ORDER,
	    { { S, "220 mail ESMTP\r\n" }, { C, "EHLO a\r\nSTARTTLS\r\n" },
		{ S, "250 a\r\n220 go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 ehlo=a" },
	{ "smtp_by_its_client", IN_ORDER, { { C, "EHLO a\r\nSTARTTLS\r\n" }, { C, SCRIPT_TLS } },
	    "asked tls:C 2 ehlo=a" },
	{ "smtp_from_its_middle", IN_ORDER, { { C, "MAIL FROM:<a@b>\r\n" }, { S, "250 ok\r\n" } },
	    "1 " },
	{ "pop3_by_its_banner", ANY_ORDER,
	    { { S, "+OK ready\r\n" }, { C, "CAPA\r\n" }, { S, "+OK\r\n.\r\n" }, { C, "STLS\r\n" },
		{ S, "+OK\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 " },
	{ "pop3_by_its_client", IN_ORDER, { { C, "USER a\r\nPASS b\r\n" } }, "login 2 " },
	{ "imap_by_its_banner", ANY_ORDER,
	    { { S, "* OK ready\r\n" }, { C, "a STARTTLS\r\n" }, { S, "a OK\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 1 " },
	{ "imap_by_its_client", IN_ORDER, { { C, "a LOGIN {1+}\r\nb {1+}\r\nc\r\n" } },
	    "login 1 " },
	{ "imap_from_its_middle", IN_ORDER, { { S, "a7 NO no\r\n" }, { C, "a8 NOOP\r\n" } }, "1 " },
	{ "shared_words_do_not_tell", IN_ORDER, { { C, "NOOP\r\nQUIT\r\n" } }, "quit 0 " },
	{ "neither", IN_ORDER, { { C, "GET / HTTP/1.1\r\n" }, { S, "HTTP/1.1 400 No\r\n" } },
	    "garbage 0 " },
	{ "tls_at_once", IN_ORDER, { { S, SCRIPT_TLS }, { C, SCRIPT_TLS } }, "tls:C tls:S 0 " },
};

START_TEST(application_data_is_tls_behind_a_gap_only)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_POP3);
	mail_dialogue_gap(&d, MAIL_CLIENT, 1);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("\x17\x03\x03")), 0);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_SERVER, BYTES("\x17\x03\x03")), 3);
}
END_TEST

START_TEST(protocol_of_an_unknown_port_is_recognised)
{
	script_check(&unknown_port[_i], PROTOCOL_TLS);
}
END_TEST

START_TEST(recognised_protocol_is_written_down)
{
	static const struct {
		enum mail_side side;
		const char *line;
		enum protocol protocol;
	} rows[] = {
		{ MAIL_SERVER, "220 a\r\n", PROTOCOL_SMTP },
		{ MAIL_SERVER, "220-a\r\n", PROTOCOL_SMTP },
		{ MAIL_SERVER, "2200 a\r\n", PROTOCOL_TLS },
		{ MAIL_SERVER, "22\r\n", PROTOCOL_TLS },
		{ MAIL_SERVER, "+OK\r\n", PROTOCOL_POP3 },
		{ MAIL_SERVER, "+OKAY\r\n", PROTOCOL_TLS },
		{ MAIL_SERVER, "* OK\r\n", PROTOCOL_IMAP },
		{ MAIL_SERVER, "* PREAUTH a\r\n", PROTOCOL_IMAP },
		{ MAIL_SERVER, "* \r\n", PROTOCOL_TLS },
		{ MAIL_CLIENT, "HELO a\r\n", PROTOCOL_SMTP },
		{ MAIL_CLIENT, "CAPA\r\n", PROTOCOL_POP3 },
		{ MAIL_CLIENT, "1 CAPABILITY\r\n", PROTOCOL_IMAP },
		{ MAIL_CLIENT, "CAPABILITY\r\n", PROTOCOL_TLS },
		{ MAIL_CLIENT, "\r\n", PROTOCOL_TLS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, PROTOCOL_TLS);
		(void)mail_dialogue_feed(&d, rows[i].side, span_from_text(rows[i].line));
		ck_assert_msg(d.protocol == rows[i].protocol, "%s", rows[i].line);
	}
}
END_TEST

START_TEST(what_others_say_as_well_is_a_guess)
{
	static const struct {
		enum mail_side side;
		const char *line;
		bool guessed;
	} rows[] = {
		{ MAIL_SERVER, "220 a\r\n", true },
		{ MAIL_SERVER, "220 a ESMTP\r\n", false },
		{ MAIL_SERVER, "220 2.0.0 go\r\n", false },
		{ MAIL_SERVER, "220 2.0.10\r\n", false },
		{ MAIL_SERVER, "220 2.0.\r\n", true },
		{ MAIL_SERVER, "220 4.0.0 a\r\n", true },
		{ MAIL_SERVER, "200 news\r\n", true },
		{ MAIL_CLIENT, "STARTTLS\r\n", true },
		{ MAIL_CLIENT, "LHLO a\r\n", false },
		{ MAIL_CLIENT, "MAIL FROM:<>\r\n", false },
		{ MAIL_CLIENT, "CAPA\r\n", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, PROTOCOL_TLS);
		(void)mail_dialogue_feed(&d, rows[i].side, span_from_text(rows[i].line));
		ck_assert_msg(d.guessed == rows[i].guessed, "%s", rows[i].line);
		(void)mail_dialogue_feed(&d, MAIL_CLIENT, span_from_text("EHLO a\r\n"));
		ck_assert_msg(!d.guessed, "%s", rows[i].line);
		/* What is usual on the port needs no guess. */
		mail_dialogue_init(&d, PROTOCOL_SMTP);
		(void)mail_dialogue_feed(&d, rows[i].side, span_from_text(rows[i].line));
		ck_assert_msg(!d.guessed, "%s", rows[i].line);
	}
}
END_TEST

/* What a struct in a core dump, or in swap, would show. */
static bool
holds(const struct mail_dialogue *d, const char *secret)
{
	struct span all = span_from(d, sizeof(*d));
	size_t len = strlen(secret);

	for (; all.len >= len; all.data++, all.len--) {
		if (memcmp(all.data, secret, len) == 0)
			return true;
	}
	return false;
}

START_TEST(no_credential_is_kept)
{
	static const struct {
		enum protocol protocol;
		const char *text;
	} rows[] = {
		{ PROTOCOL_SMTP, "AUTH PLAIN c2VjcmV0\r\n" },
		{ PROTOCOL_SMTP, "AUTH LOGIN\r\nc2VjcmV0\r\n" },
		{ PROTOCOL_POP3, "PASS c2VjcmV0\r\n" },
		{ PROTOCOL_POP3, "USER c2VjcmV0\r\n" },
		{ PROTOCOL_IMAP, "a LOGIN c2VjcmV0 c2VjcmV0\r\n" },
		{ PROTOCOL_IMAP, "a LOGIN {8+}\r\nc2VjcmV0 {8+}\r\nc2VjcmV0\r\n" },
		{ PROTOCOL_IMAP, "a AUTHENTICATE PLAIN\r\nc2VjcmV0\r\n" },
		{ PROTOCOL_TLS, "what is c2VjcmV0\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, rows[i].protocol);
		ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from_text(rows[i].text)),
		    strlen(rows[i].text));
		ck_assert_msg(!holds(&d, "c2Vj"), "%s", rows[i].text);
	}
}
END_TEST

START_TEST(half_a_credential_before_a_gap_is_not_kept)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_POP3);
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("PASS c2VjcmV0"));
	ck_assert(holds(&d, "c2Vj"));
	mail_dialogue_gap(&d, MAIL_CLIENT, 1);
	ck_assert(!holds(&d, "c2Vj"));
}
END_TEST

START_TEST(struct_is_small)
{
	ck_assert_uint_le(sizeof(struct mail_dialogue), 848);
}
END_TEST

START_TEST(end_of_a_long_line_is_found)
{
	static uint8_t line[100000];

	memset(line, 'x', sizeof(line));
	line[0] = 'N';
	line[1] = line[2] = 'O';
	line[3] = 'P';
	line[4] = ' ';
	for (size_t len = 5; len < 70000; len += len < 600 ? 1 : 17351) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, PROTOCOL_SMTP);
		ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(line, len)), len);
		ck_assert_uint_eq(
		    mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("\r\nSTARTTLS\r\n")), 12);
		ck_assert_uint_eq(d.facts.command_count, 2);
		ck_assert(d.facts.starttls_asked && !d.facts.garbage);
		ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("\x16")), 0);
	}
}
END_TEST

START_TEST(literal_at_the_end_of_a_long_line_is_found)
{
	static uint8_t line[2000];
	struct span start = BYTES("a APPEND ");

	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = i < start.len ? start.data[i] : 'x';
	for (size_t len = 9; len < sizeof(line); len++) {
		for (size_t piece = 1; piece <= 64; piece *= 8) {
			struct mail_dialogue d;

			mail_dialogue_init(&d, PROTOCOL_IMAP);
			for (size_t i = 0; i < len; i += piece) {
				(void)mail_dialogue_feed(&d, MAIL_CLIENT,
				    span_from(line + i, len - i < piece ? len - i : piece));
			}
			(void)mail_dialogue_feed(
			    &d, MAIL_CLIENT, BYTES(" {14+}\r\na STARTTLS\r\n\x16\r\nb NOOP\r\n"));
			ck_assert_uint_eq(d.facts.command_count, 2);
			ck_assert(!d.facts.starttls_asked);
		}
	}
}
END_TEST

START_TEST(nul_in_a_line_is_garbage_and_ends_it)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("NOOP a\0b\r\n")), 10);
	ck_assert(d.facts.garbage);
	ck_assert_uint_eq(d.facts.command_count, 1);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("\0\0\r\n")), 4);
	ck_assert_uint_eq(d.facts.command_count, 1);
}
END_TEST

START_TEST(what_has_a_nul_behind_a_hole_is_no_line)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	mail_dialogue_gap(&d, MAIL_CLIENT, 100);
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("NOOP\0\x93\xa1\r\n"));
	ck_assert_uint_eq(d.facts.command_count, 0);
}
END_TEST

START_TEST(nul_in_front_of_a_dot_does_not_end_a_message)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("220 x\r\n"));
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("EHLO scanner\r\nDATA\r\n"));
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("250 x\r\n354 go\r\n"));
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("\0.\r\nSTARTTLS\r\n.\r\n"));
	ck_assert(!d.facts.starttls_asked);
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("STARTTLS\r\n"));
	ck_assert(d.facts.starttls_asked);
}
END_TEST

/* Its first byte has the high bit of an SSLv2 hello's length, and the next one, too. */
START_TEST(byte_order_mark_behind_a_grant_is_no_hello)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("EHLO scanner\r\nSTARTTLS\r\n"));
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("220 x\r\n250 STARTTLS\r\n220 go\r\n"));
	ck_assert(d.facts.starttls_granted);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT,
			      BYTES("\xef\xbb\xbf"
				    "EHLO scanner\r\n")),
	    17);
}
END_TEST

START_TEST(strings_sent_with_their_nul_are_lines)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("220 mail.example.com\r\n"));
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("EHLO scanner\r\n\0"));
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("250 STARTTLS\r\n"));
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("STARTTLS\r\n\0"));
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("220 go\r\n"));
	ck_assert_uint_eq(d.facts.client_name_len, 7);
	ck_assert_uint_eq(d.facts.command_count, 2);
	ck_assert(d.facts.starttls_granted);
}
END_TEST

START_TEST(feeding_nothing_changes_nothing)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	mail_dialogue_gap(&d, MAIL_CLIENT, 1);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(NULL, 0)), 0);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("\x16")), 0);
}
END_TEST

START_TEST(command_count_stops_at_its_largest)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	for (int i = 0; i < 70000; i++)
		(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("NOOP\r\n"));
	ck_assert_uint_eq(d.facts.command_count, UINT16_MAX);
}
END_TEST

/* A small generator, the same on every machine. */
static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

/*
 * Three sessions of the common kind, each side by itself; every way to weave the two sides, in
 * pieces of any size, must tell the same.
 */
START_TEST(weaving_of_the_sides_does_not_matter)
{
	static const struct {
		enum protocol protocol;
		const char *client, *server, *facts;
	} rows[] = {
		{ PROTOCOL_SMTP,
		    "EHLO a\r\nSTARTTLS\r\nSTARTTLS\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\n"
		    "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nQUIT\r\n.\r\n"
		    "QUIT\r\n",
		    "220 mail ESMTP\r\n250-mail\r\n250 STARTTLS\r\n454 no\r\n220 go\r\n334 "
		    "x\r\n334 y\r\n"
		    "235 in\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n",
		    "greeting asked granted refused in_vain login logged_in quit 7 ehlo=a" },
		{ PROTOCOL_POP3, "CAPA\r\nSTLS\r\nUSER a\r\nPASS b\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n",
		    "+OK ready\r\n+OK\r\nSTLS\r\n.\r\n-ERR no\r\n+OK\r\n+OK in\r\n+OK "
		    "9\r\nSubject: x"
		    "\r\n\r\n-ERR\r\n.\r\n+OK\r\n+OK\r\n",
		    "greeting asked refused login logged_in quit 6 " },
		{ PROTOCOL_IMAP,
		    "a ID (\"name\" \"x\" \"version\" \"2\")\r\nb STARTTLS\r\nc LOGIN {1}\r\nu "
		    "{1}\r\np\r\n"
		    "d APPEND x {12}\r\nd STARTTLS\r\n\r\ne LOGOUT\r\n",
		    "* OK ready\r\n* ID NIL\r\na OK\r\nb BAD\r\n+\r\n+\r\nc OK\r\n+\r\nd OK\r\n* "
		    "BYE\r\n"
		    "e OK\r\n",
		    "greeting asked refused login logged_in quit 4 id=x 2" },
	};
	uint32_t state = 1;

	for (int round = 0; round < 20000; round++) {
		const struct script whole = { "weave", IN_ORDER,
			{ { C, rows[round % 3].client }, { S, rows[round % 3].server },
			    { END, NULL } },
			rows[round % 3].facts };
		const char *text[2] = { whole.steps[0].text, whole.steps[1].text };
		struct script_run run = { .fed = { 0, 0 } };
		char facts[SCRIPT_TEXT_LEN];
		uint32_t largest = 1 + next_random(&state) % 40;

		mail_dialogue_init(&run.d, rows[round % 3].protocol);
		while (*text[0] != '\0' || *text[1] != '\0') {
			uint32_t side = next_random(&state) % 2;
			size_t len = 1 + next_random(&state) % largest, left = strlen(text[side]);

			script_feed(
			    &run, (enum mail_side)side, text[side], len < left ? len : left);
			text[side] += len < left ? len : left;
		}
		script_describe(&run, facts);
		ck_assert_str_eq(facts, whole.facts);
	}
}
END_TEST

static double
seconds_bytewise(enum protocol protocol, const char *begin, uint8_t filler, size_t len)
{
	struct mail_dialogue d;
	struct timespec from, to;

	mail_dialogue_init(&d, protocol);
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, span_from_text(begin));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (size_t i = 0; i < len; i++)
		(void)mail_dialogue_feed(&d, MAIL_CLIENT, span_from(&filler, 1));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Quadratic work would take a thousand times as long for the long one, linear work ten times. */
START_TEST(one_byte_at_a_time_costs_no_more_at_the_end)
{
	static const struct {
		enum protocol protocol;
		const char *begin;
		uint8_t filler;
	} rows[] = {
		{ PROTOCOL_SMTP, "NOOP ", 'x' },
		{ PROTOCOL_SMTP, "DATA\r\nx", '.' },
		{ PROTOCOL_IMAP, "a APPEND {", '{' },
		{ PROTOCOL_IMAP, "a APPEND {9999999999+}\r\n", 'x' },
		{ PROTOCOL_POP3, "", '\n' },
		{ PROTOCOL_SMTP, "", '\n' },
		{ PROTOCOL_TLS, "", ' ' },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double small =
		    seconds_bytewise(rows[i].protocol, rows[i].begin, rows[i].filler, 100000);
		double large =
		    seconds_bytewise(rows[i].protocol, rows[i].begin, rows[i].filler, 1000000);

		ck_assert_msg(large < 40 * small + 0.5, "row %zu: %f s, %f s", i, small, large);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, application_data_is_tls_behind_a_gap_only);
	tcase_add_loop_test(tc, protocol_of_an_unknown_port_is_recognised, 0,
	    (int)(sizeof(unknown_port) / sizeof(unknown_port[0])));
	tcase_add_test(tc, recognised_protocol_is_written_down);
	tcase_add_test(tc, what_others_say_as_well_is_a_guess);
	tcase_add_test(tc, no_credential_is_kept);
	tcase_add_test(tc, half_a_credential_before_a_gap_is_not_kept);
	tcase_add_test(tc, struct_is_small);
	tcase_add_test(tc, end_of_a_long_line_is_found);
	tcase_add_test(tc, literal_at_the_end_of_a_long_line_is_found);
	tcase_add_test(tc, nul_in_a_line_is_garbage_and_ends_it);
	tcase_add_test(tc, what_has_a_nul_behind_a_hole_is_no_line);
	tcase_add_test(tc, nul_in_front_of_a_dot_does_not_end_a_message);
	tcase_add_test(tc, byte_order_mark_behind_a_grant_is_no_hello);
	tcase_add_test(tc, strings_sent_with_their_nul_are_lines);
	tcase_add_test(tc, feeding_nothing_changes_nothing);
	tcase_add_test(tc, command_count_stops_at_its_largest);
	tcase_add_test(tc, weaving_of_the_sides_does_not_matter);
	tcase_add_test(tc, one_byte_at_a_time_costs_no_more_at_the_end);
}

SUITE_MAIN("mail_dialogue")
