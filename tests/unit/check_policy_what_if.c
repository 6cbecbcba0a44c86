#include "suite.h"

#include <string.h>

#include "no_fault.h"
#include "policy/what_if.h"
#include "tls/names.h"
#include "tls/suite_set.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define V10 TLS_VERSION_1_0
#define V12 TLS_VERSION_1_2
#define V13 TLS_VERSION_1_3
#define EST OUTCOME_ESTABLISHED
#define REF OUTCOME_REFUSED
#define ROWS_MAX 3
/* Bits of tls/suite_set.h. */
#define AES128_SHA (UINT64_C(1) << 10)
#define AES128_GCM (UINT64_C(1) << 49)
#define TLS13_GCM (UINT64_C(1) << 30)
#define OTHERS TLS_SUITE_SET_OTHERS
#define UNSEEN TLS_SUITE_SET_UNSEEN

/* In the tables a row ends where the rest of it is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct row {
	enum outcome outcome;
	uint16_t offered, version;
	int64_t first, last;
	uint64_t all, any; /* any 0: the same as all */
	enum verdict verdict;
	const char *server; /* NULL: mail.example */
	uint64_t fallbacks; /* of 10 */
	uint16_t from;
};

static const struct story {
	const char *name;
	uint16_t minimum;
	const char *suites; /* NULL: no list */
	struct row rows[ROWS_MAX];
	size_t count;
} stories[] = {
	{ "enough", V12, NULL, { { EST, V12, V12, 1, 9, .verdict = VERDICT_OK } }, 1 },
	{ "too_little", V12, NULL, { { EST, V10, V10, 1, 9, .verdict = VERDICT_WILL_BREAK } }, 1 },
	{ "offers_more_than_was_chosen", V13, NULL,
	    { { EST, V13, V12, 1, 9, .verdict = VERDICT_OK } }, 1 },
	{ "offer_not_seen", V13, NULL, { { EST, 0, V12, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "offer_not_seen_but_enough_was_chosen", V12, NULL,
	    { { EST, 0, V12, 1, 9, .verdict = VERDICT_OK } }, 1 },
	{ "refused_already", V12, NULL, { { REF, V10, 0, 1, 9, .verdict = VERDICT_BROKEN } }, 1 },
	{ "refused_for_something_else", V12, NULL, { { REF, V12, 0, 1, 9, .verdict = VERDICT_OK } },
	    1 },
	{ "cleartext", V12, NULL,
	    { { OUTCOME_CLEARTEXT, 0, 0, 1, 9, .verdict = VERDICT_CLEARTEXT } }, 1 },
	{ "replaced_since", V12, NULL,
	    { { EST, V10, V10, 1, 5, .verdict = VERDICT_OK },
		{ EST, V12, V12, 6, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "side_by_side", V12, NULL,
	    { { EST, V10, V10, 1, 5, .verdict = VERDICT_WILL_BREAK },
		{ EST, V12, V12, 4, 9, .verdict = VERDICT_OK } },
	    2 },
	{ "better_elsewhere_only", V12, NULL,
	    { { EST, V10, V10, 1, 5, .verdict = VERDICT_WILL_BREAK },
		{ EST, V12, V12, 6, 9, .verdict = VERDICT_OK, .server = "other.example" } },
	    2 },
	{ "better_at_a_server_with_a_name_as_long", V12, NULL,
	    { { EST, V10, V10, 1, 5, .verdict = VERDICT_WILL_BREAK },
		{ EST, V12, V12, 6, 9, .verdict = VERDICT_OK, .server = "smtp.example" } },
	    2 },
	{ "fallback_from_enough_is_not_settled", V12, NULL,
	    { { EST, V10, V10, 1, 9, .verdict = VERDICT_UNCLEAR, .fallbacks = 10, .from = V12 },
		{ REF, V12, 0, 1, 8, .verdict = VERDICT_OK },
		{ REF, TLS_VERSION_1_1, 0, 1, 8, .verdict = VERDICT_UNCLEAR } },
	    3 },
	{ "fallback_from_too_little", V13, NULL,
	    { { EST, V10, V10, 1, 9, .verdict = VERDICT_WILL_BREAK, .fallbacks = 10,
		.from = V12 } },
	    1 },
	{ "fallback_to_enough_excuses_nothing", TLS_VERSION_1_1, NULL,
	    { { EST, TLS_VERSION_1_1, TLS_VERSION_1_1, 1, 9, .verdict = VERDICT_OK, .fallbacks = 10,
		  .from = V12 },
		{ REF, V10, 0, 1, 8, .verdict = VERDICT_WILL_BREAK } },
	    2 },
	{ "fallback_does_not_excuse_what_offers_less", V12, NULL,
	    { { EST, V10, V10, 1, 9, .verdict = VERDICT_UNCLEAR, .fallbacks = 10, .from = V12 },
		{ REF, TLS_VERSION_SSL3, 0, 1, 8, .verdict = VERDICT_WILL_BREAK } },
	    2 },
	{ "first_try_without_a_suite_is_not_settled", 0, "TLS_RSA_WITH_AES_128_CBC_SHA\n",
	    { { EST, V10, V10, 1, 9, AES128_SHA, .verdict = VERDICT_OK, .fallbacks = 10,
		  .from = V12 },
		{ REF, V12, 0, 1, 8, AES128_GCM, .verdict = VERDICT_UNCLEAR } },
	    2 },
	{ "fallback_of_some_only", V12, NULL,
	    { { EST, V10, V10, 1, 9, .verdict = VERDICT_WILL_BREAK, .fallbacks = 9, .from = V12 } },
	    1 },
	{ "suite_in_common", 0, "TLS_RSA_WITH_AES_128_CBC_SHA\n",
	    { { EST, V12, V12, 1, 9, AES128_SHA | AES128_GCM, .verdict = VERDICT_OK } }, 1 },
	{ "no_suite_in_common", 0, "TLS_RSA_WITH_AES_128_CBC_SHA\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM, .verdict = VERDICT_WILL_BREAK } }, 1 },
	{ "some_handshakes_only", 0, "TLS_RSA_WITH_AES_128_CBC_SHA\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM, AES128_GCM | AES128_SHA,
		.verdict = VERDICT_UNCLEAR } },
	    1 },
	{ "list_not_seen_whole", 0, "TLS_RSA_WITH_AES_128_CBC_SHA\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM, AES128_GCM | UNSEEN,
		.verdict = VERDICT_UNCLEAR } },
	    1 },
	{ "others_do_not_matter_to_a_list_of_known_ones", 0, "TLS_RSA_WITH_AES_128_CBC_SHA\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM | OTHERS, .verdict = VERDICT_WILL_BREAK } }, 1 },
	{ "others_on_both_sides_cannot_be_told_apart", 0, "TLS_ECCPWD_WITH_AES_128_GCM_SHA256\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM | OTHERS, .verdict = VERDICT_UNCLEAR } }, 1 },
	{ "signals_in_the_list_are_no_suites", 0,
	    "TLS_RSA_WITH_AES_128_CBC_SHA\nTLS_EMPTY_RENEGOTIATION_INFO_SCSV\n0x5600\n0x0a0a\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM | OTHERS, .verdict = VERDICT_WILL_BREAK } }, 1 },
	{ "others_of_the_list_alone", 0, "TLS_ECCPWD_WITH_AES_128_GCM_SHA256\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM, .verdict = VERDICT_WILL_BREAK } }, 1 },
	{ "suite_of_a_version_that_is_not_offered", 0, "TLS_AES_128_GCM_SHA256\n",
	    { { EST, V12, V12, 1, 9, AES128_GCM | TLS13_GCM, .verdict = VERDICT_WILL_BREAK } }, 1 },
	{ "suite_of_a_version_that_goes", V12, "TLS_AES_128_GCM_SHA256\n",
	    { { EST, V13, V13, 1, 9, TLS13_GCM, .verdict = VERDICT_OK },
		{ EST, V10, V10, 1, 9, AES128_SHA, .verdict = VERDICT_WILL_BREAK } },
	    2 },
	{ "suites_of_an_offer_that_was_not_seen", 0, "TLS_AES_128_GCM_SHA256\n",
	    { { EST, 0, V13, 1, 9, .verdict = VERDICT_UNCLEAR } }, 1 },
};

static void
fill(struct finding *f, const struct row *row)
{
	*f = (struct finding){
		.key = {
			.protocol = PROTOCOL_IMAP,
			.server_port = 993,
			.tls_version = row->version,
			.offered_version = row->offered,
			.outcome = row->outcome,
			.refused_by = row->outcome == REF ? SIDE_SERVER : SIDE_NONE,
		},
		.count = 10,
		.first_us = row->first,
		.last_us = row->last,
		.fallback_count = row->fallbacks,
		.fallback_from = row->from,
		.suites_all = row->all & ~UNSEEN,
		.suites_any = row->any != 0 ? row->any : row->all,
	};
	event_text_set(
	    &f->key.server, span_from_text(row->server != NULL ? row->server : "mail.example"));
}

START_TEST(a_question_is_answered_from_the_offers)
{
	const struct story *s = &stories[_i];
	const struct policy policy = { .minimum = V12 };
	struct what_if question = { .minimum = s->minimum };
	struct finding findings[ROWS_MAX];
	enum verdict verdicts[ROWS_MAX], worst = VERDICT_OK;
	struct buf reason = { 0 };

	if (s->suites != NULL)
		ck_assert_uint_eq(
		    what_if_read_suites(&question, span_from_text(s->suites), no_fault, NULL), 0);
	for (size_t i = 0; i < s->count; i++)
		fill(&findings[i], &s->rows[i]);
	what_if_judge(&question, &policy, findings, s->count, verdicts);
	for (size_t i = 0; i < s->count; i++) {
		ck_assert_msg(verdicts[i] == s->rows[i].verdict, "%s, row %zu: %s", s->name, i,
		    verdict_name(verdicts[i]));
		worst = verdicts[i] < worst ? verdicts[i] : worst;
	}
	ck_assert_int_eq(
	    what_if_judge_client(&question, findings, verdicts, s->count, &reason), worst);
	ck_assert_uint_gt(reason.len, 20);
	buf_release(&reason);
}
END_TEST

START_TEST(the_reason_names_the_server_that_was_tried_last)
{
	const struct what_if question = { .minimum = V12 };
	const struct row rows[] = { { EST, V10, V10, 1, 5, .server = "first.example" },
		{ EST, V10, V10, 2, 9, .server = "last.example" },
		{ EST, V10, V10, 3, 7, .server = "other.example" } };
	const enum verdict verdicts[] = { VERDICT_WILL_BREAK, VERDICT_WILL_BREAK,
		VERDICT_WILL_BREAK };
	struct finding findings[ROWS(rows)];
	struct buf reason = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++)
		fill(&findings[i], &rows[i]);
	(void)what_if_judge_client(&question, findings, verdicts, ROWS(rows), &reason);
	ck_assert_ptr_nonnull(strstr(buf_text(&reason), "30 handshakes with 3 servers"));
	ck_assert_ptr_nonnull(strstr(buf_text(&reason), " with last.example:993"));
	buf_release(&reason);
}
END_TEST

static const struct excuse {
	uint16_t minimum;
	const char *suites, *begin;
	struct row rows[2];
} excuses[] = {
	/* The last try of the capture is none that went through. */
	{ V12, "", "falls back to TLS 1.1 from a better offer, which fails; 20 tries with mail",
	    { { EST, V10, V10, 1, 8, .fallbacks = 10, .from = V12 },
		{ OUTCOME_UNANSWERED, TLS_VERSION_1_1, 0, 1, 9 } } },
	{ 0, "TLS_RSA_WITH_AES_128_CBC_SHA\n",
	    "offers TLS 1.2 and none of the suites at first, which fails, and falls back; 10 tries",
	    { { EST, V10, V10, 1, 9, AES128_SHA, .fallbacks = 10, .from = V12 },
		{ REF, V12, 0, 1, 8, AES128_GCM } } },
};

START_TEST(a_try_in_the_midst_of_a_fallback_is_told_as_such)
{
	const struct excuse *e = &excuses[_i];
	struct what_if question = { .minimum = e->minimum };
	const struct policy policy = { .minimum = V12 };
	struct finding findings[2];
	enum verdict verdicts[2];
	struct buf reason = { 0 };

	if (e->suites[0] != '\0')
		(void)what_if_read_suites(&question, span_from_text(e->suites), no_fault, NULL);
	for (size_t i = 0; i < 2; i++)
		fill(&findings[i], &e->rows[i]);
	what_if_judge(&question, &policy, findings, 2, verdicts);
	ck_assert_int_eq(
	    what_if_judge_client(&question, findings, verdicts, 2, &reason), VERDICT_UNCLEAR);
	ck_assert_msg(
	    strncmp(buf_text(&reason), e->begin, strlen(e->begin)) == 0, "%s", buf_text(&reason));
	buf_release(&reason);
}
END_TEST

START_TEST(suites_of_what_is_refused_already_are_not_belittled)
{
	const struct policy policy = { .minimum = V12 };
	const struct row row = { REF, V10, 0, 1, 9, AES128_SHA };
	struct what_if question = { 0 };
	struct finding finding;
	enum verdict verdict;
	struct buf reason = { 0 };

	ck_assert_uint_eq(what_if_read_suites(&question,
			      span_from_text("TLS_RSA_WITH_AES_128_CBC_SHA\n"), no_fault, NULL),
	    0);
	fill(&finding, &row);
	what_if_judge(&question, &policy, &finding, 1, &verdict);
	ck_assert_int_eq(
	    what_if_judge_client(&question, &finding, &verdict, 1, &reason), VERDICT_BROKEN);
	ck_assert_msg(
	    strncmp(buf_text(&reason), "offers TLS 1.0, and is refused already; 10 tries", 48) == 0,
	    "%s", buf_text(&reason));
	buf_release(&reason);
}
END_TEST

static void
note_fault(void *arg, unsigned line, const char *text)
{
	buf_addf(arg, "%u: %.28s\n", line, text);
}

START_TEST(wrong_lines_of_a_list_are_named)
{
	struct what_if question = { 0 };
	struct buf faults = { 0 };

	ck_assert_uint_eq(
	    what_if_read_suites(&question,
		span_from_text("# comment\n\n \t0xc02f\t # number\r\nAES128-SHA\n0x12\n0x0x2f\n"
			       "0x\tc02\n0x-c02\n"),
		note_fault, &faults),
	    5);
	ck_assert_str_eq(buf_text(&faults), "4: 'AES128-SHA' is no cipher su\n"
					    "5: '0x12' is no cipher suite: g\n"
					    "6: '0x0x2f' is no cipher suite:\n"
					    "7: '0x\tc02' is no cipher suite:\n"
					    "8: '0x-c02' is no cipher suite:\n");
	ck_assert_uint_eq(question.suite_count, 1);
	ck_assert_uint_eq(question.suites[0], 0xc02f);
	buf_clear(&faults);
	question = (struct what_if){ 0 };
	ck_assert_uint_eq(
	    what_if_read_suites(&question, span_from_text("# none\n"), note_fault, &faults), 1);
	buf_release(&faults);
}
END_TEST

START_TEST(more_suites_than_there_is_room_for_are_a_fault)
{
	struct what_if question = { 0 };
	struct buf text = { 0 }, faults = { 0 };

	for (int i = 0; i <= WHAT_IF_SUITES_MAX; i++)
		buf_add_text(&text, "0x1301\n");
	ck_assert_uint_eq(
	    what_if_read_suites(&question, span_from(text.data, text.len), note_fault, &faults), 1);
	buf_release(&text);
	buf_release(&faults);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_question_is_answered_from_the_offers, 0, ROWS(stories));
	tcase_add_test(tc, the_reason_names_the_server_that_was_tried_last);
	tcase_add_loop_test(tc, a_try_in_the_midst_of_a_fallback_is_told_as_such, 0, ROWS(excuses));
	tcase_add_test(tc, suites_of_what_is_refused_already_are_not_belittled);
	tcase_add_test(tc, wrong_lines_of_a_list_are_named);
	tcase_add_test(tc, more_suites_than_there_is_room_for_are_a_fault);
}

SUITE_MAIN("policy_what_if")
