#define _GNU_SOURCE /* memmem; NOLINT(bugprone-reserved-identifier) */
/* Logins and their answers; names are told apart by keyed hashes alone. */
#include <stdio.h>
#include <string.h>

#include "mail/dialogue.h"
#include "suite.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct hash_key key = { 1, 2 };

/* "C:" and "S:" lines; each ends with CRLF on the wire. */
static void
talk(struct mail_dialogue *d, const char *script)
{
	while (*script != '\0') {
		enum mail_side side = script[0] == 'C' ? MAIL_CLIENT : MAIL_SERVER;
		size_t len = strcspn(script + 2, "\n");

		ck_assert(script[1] == ':');
		(void)mail_dialogue_feed(d, side, span_from(script + 2, len));
		(void)mail_dialogue_feed(d, side, BYTES("\r\n"));
		script += 2 + len;
		script += *script == '\n';
	}
}

static const struct {
	const char *fact;
	enum protocol protocol;
	const char *script;
	unsigned failed, accepted, names;
} rows[] = {
	{ "IMAP LOGIN", PROTOCOL_IMAP,
	    "S:* OK hi\nC:a LOGIN alice one\nS:a NO no\nC:b LOGIN bob two\nS:b NO no\n"
	    "C:c LOGIN \"Alice\" three\nS:c NO no\nC:d LOGIN carol x\nS:d OK in",
	    3, 1, 2 },
	{ "IMAP LOGIN, several at once", PROTOCOL_IMAP,
	    "S:* OK hi\nC:a LOGIN alice one\nC:b LOGIN bob two\nS:b NO no\nS:a NO no", 2, 0, 2 },
	{ "IMAP AUTHENTICATE PLAIN with a response", PROTOCOL_IMAP,
	    "S:* OK hi\nC:a AUTHENTICATE PLAIN\nS:+\nC:AGFsaWNlAG9uZQ==\nS:a NO no\n"
	    "C:b AUTHENTICATE PLAIN AGJvYgBvbmU=\nS:b NO no",
	    2, 0, 2 },
	{ "IMAP AUTHENTICATE LOGIN", PROTOCOL_IMAP,
	    "S:* OK hi\nC:a AUTHENTICATE LOGIN\nS:+ VXNlcm5hbWU6\nC:YWxpY2U=\nS:+ UGFzc3dvcmQ6\n"
	    "C:b25l\nS:a NO no",
	    1, 0, 1 },
	{ "the same name by LOGIN and by PLAIN is one", PROTOCOL_IMAP,
	    "S:* OK hi\nC:a LOGIN alice one\nS:a NO no\nC:b AUTHENTICATE PLAIN AGFsaWNlAG9uZQ==\n"
	    "S:b NO no",
	    2, 0, 1 },
	{ "a mechanism that is not there is no try", PROTOCOL_IMAP,
	    "S:* OK hi\nC:a AUTHENTICATE PLAIN\nS:a NO no such\nC:b AUTHENTICATE LOGIN\n"
	    "S:+ VXNlcm5hbWU6\nC:*\nS:b BAD cancelled",
	    0, 0, 0 },
	{ "a name in a literal stays unknown", PROTOCOL_IMAP,
	    "S:* OK hi\nC:a LOGIN {5+}\nC:alice one\nS:a NO no", 1, 0, 0 },
	{ "POP3 USER and PASS", PROTOCOL_POP3,
	    "S:+OK ready\nC:USER alice\nS:+OK\nC:PASS one\nS:-ERR no\nC:USER bob\nS:+OK\n"
	    "C:PASS two\nS:+OK in",
	    1, 1, 1 },
	{ "POP3 APOP", PROTOCOL_POP3,
	    "S:+OK ready <1@x>\nC:APOP alice 0123456789abcdef0123456789abcdef\nS:-ERR no", 1, 0,
	    1 },
	{ "POP3 AUTH PLAIN", PROTOCOL_POP3,
	    "S:+OK ready\nC:AUTH PLAIN\nS:+ \nC:AGFsaWNlAG9uZQ==\nS:-ERR no", 1, 0, 1 },
	{ "a USER that is refused is no try", PROTOCOL_POP3,
	    "S:+OK ready\nC:USER alice\nS:-ERR not here\nC:QUIT\nS:+OK bye", 0, 0, 0 },
	{ "SMTP AUTH PLAIN", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH PLAIN\nC:AUTH PLAIN AGFsaWNlAG9uZQ==\nS:535 no\n"
	    "C:AUTH PLAIN AGJvYgBvbmU=\nS:235 in",
	    1, 1, 1 },
	{ "SMTP AUTH LOGIN", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH LOGIN\nC:AUTH LOGIN\nS:334 VXNlcm5hbWU6\nC:YWxpY2U=\n"
	    "S:334 UGFzc3dvcmQ6\nC:b25l\nS:535 no\nC:AUTH LOGIN Ym9i\nS:334 UGFzc3dvcmQ6\nC:b25l\n"
	    "S:535 no",
	    2, 0, 2 },
	{ "RFC 4954, section 4: no login behind a login, whoever it is", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH PLAIN\nC:AUTH PLAIN AGFsaWNlAG9uZQ==\nS:235 in\n"
	    "C:AUTH PLAIN AGJvYgBvbmU=\nS:503 already",
	    0, 1, 0 },
	{ "a name whose base64 is a verb", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH LOGIN\nC:AUTH LOGIN\nS:334 VXNlcm5hbWU6\nC:TURN\n"
	    "S:334 UGFzc3dvcmQ6\nC:b25l\nS:535 no",
	    1, 0, 1 },
	{ "SMTP AUTH CRAM-MD5", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH CRAM-MD5\nC:AUTH CRAM-MD5\nS:334 PDFAeD4=\n"
	    "C:YWxpY2UgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\nS:535 no",
	    1, 0, 1 },
	{ "SMTP AUTH XOAUTH2", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH XOAUTH2\n"
	    "C:AUTH XOAUTH2 dXNlcj1hbGljZQFhdXRoPUJlYXJlciB4AQE=\nS:535 no",
	    1, 0, 1 },
	{ "no base64, and no name in it", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH PLAIN\nC:AUTH PLAIN !!!!\nS:535 no", 1, 0, 0 },
	{ "a PLAIN that ends before its name does", PROTOCOL_SMTP,
	    "S:220 hi\nC:EHLO x\nS:250 AUTH PLAIN\nC:AUTH PLAIN AGFsaWNl\nS:535 no", 1, 0, 0 },
};

START_TEST(logins_are_counted_by_their_answers)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, rows[_i].protocol);
	d.name_key = &key;
	talk(&d, rows[_i].script);
	ck_assert_msg(d.facts.failed_logins == rows[_i].failed &&
			  d.facts.accepted_logins == rows[_i].accepted &&
			  d.facts.failed_name_count == rows[_i].names,
	    "%s: %u failed, %u accepted, %u names", rows[_i].fact, d.facts.failed_logins,
	    d.facts.accepted_logins, d.facts.failed_name_count);
}
END_TEST

START_TEST(no_name_is_kept)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_IMAP);
	d.name_key = &key;
	talk(&d, "S:* OK hi\nC:a LOGIN zebra-name secret-word\nS:a NO no\n"
		 "C:b AUTHENTICATE PLAIN AHplYnJhLW5hbWUAc2VjcmV0LXdvcmQ=\nS:b NO no");
	ck_assert_uint_eq(d.facts.failed_logins, 2);
	ck_assert_ptr_null(memmem(&d, sizeof(d), "zebra", 5));
	ck_assert_ptr_null(memmem(&d, sizeof(d), "secret", 6));
	ck_assert_ptr_null(memmem(&d, sizeof(d), "AHplYnJh", 8));
}
END_TEST

START_TEST(without_a_key_no_name_is_told_apart)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_IMAP);
	talk(&d, "S:* OK hi\nC:a LOGIN alice one\nS:a NO no");
	ck_assert_uint_eq(d.facts.failed_logins, 1);
	ck_assert_uint_eq(d.facts.failed_name_count, 0);
}
END_TEST

START_TEST(another_key_gives_other_hashes)
{
	const struct hash_key other = { 3, 4 };
	struct mail_dialogue d[2];

	for (int i = 0; i < 2; i++) {
		mail_dialogue_init(&d[i], PROTOCOL_IMAP);
		d[i].name_key = i == 0 ? &key : &other;
		talk(&d[i], "S:* OK hi\nC:a LOGIN alice one\nS:a NO no");
	}
	ck_assert_uint_ne(d[0].failed_names[0], d[1].failed_names[0]);
}
END_TEST

START_TEST(names_of_a_session_are_bounded)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_IMAP);
	d.name_key = &key;
	talk(&d, "S:* OK hi");
	for (int i = 0; i < 3 * MAIL_FAILED_NAMES_MAX; i++) {
		char script[80];

		(void)snprintf(
		    script, sizeof(script), "C:a%d LOGIN user%d x\nS:a%d NO no", i, i, i);
		talk(&d, script);
	}
	ck_assert_uint_eq(d.facts.failed_logins, 3 * MAIL_FAILED_NAMES_MAX);
	ck_assert_uint_eq(d.facts.failed_name_count, MAIL_FAILED_NAMES_MAX);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, logins_are_counted_by_their_answers, 0, ROWS(rows));
	tcase_add_test(tc, no_name_is_kept);
	tcase_add_test(tc, without_a_key_no_name_is_told_apart);
	tcase_add_test(tc, another_key_gives_other_hashes);
	tcase_add_test(tc, names_of_a_session_are_bounded);
}

SUITE_MAIN("mail_login")
