/* What holds of any client, asked of many that chance made up. */
#include "no_fault.h"
#include "policy/what_if.h"
#include "store_fixture.h"
#include "tls/suite_set.h"

#include "base/banned.h"

#define CLIENTS 20000
#define ROWS_MAX 5
/* So many findings more that they are looked up in an index. */
#define OTHERS 30

static const char services_text[] = "[Example Online]\n"
				    "version = 2026-01-01\n"
				    "below = TLSv1.2\n"
				    "host = outlook.example\n"
				    "network = 192.0.2.0/31\n"
				    "[Other Online]\n"
				    "version = 2026-01-01\n"
				    "below = TLSv1.1\n"
				    "host = other.example\n"
				    "network = 192.0.2.2/31\n";
static struct switch_off *services;
static uint64_t state;

static void
set_up(void)
{
	state = 88172645463325252;
	services = services_from(services_text);
}

static void
tear_down(void)
{
	switch_off_free(services);
}

static unsigned
below(unsigned limit)
{
	return next_random(&state) % limit;
}

/* A name or an address, and where the name is from. */
static void
choose_server(struct finding *f)
{
	static const char *const names[] = { "outlook.example", "other.example", "mail.example" };
	const uint8_t addr[4] = { 192, 0, 2, (uint8_t)below(5) };
	char text[ADDR_TEXT_LEN];

	f->server_ip = addr_from_v4(addr);
	f->key.server_port = below(6) == 0 ? 143 : 993;
	if (below(3) == 0) {
		event_text_set(&f->key.server, span_from_text(addr_to_text(&f->server_ip, text)));
		return;
	}
	event_text_set(&f->key.server, span_from_text(names[below(3)]));
	f->server_name_source = (enum name_source)(NAME_SOURCE_SNI + below(3));
}

static void
choose_versions(struct finding *f)
{
	static const uint16_t versions[] = { 0, TLS_VERSION_SSL3, V10, TLS_VERSION_1_1, V12, V13 };
	unsigned offered = below(6), chosen = below(6);

	if (offered != 0 && chosen > offered)
		chosen = offered;
	if (f->key.outcome == OUTCOME_UNANSWERED || (f->key.outcome == OUTCOME_REFUSED && below(2)))
		chosen = 0;
	if (f->key.outcome == OUTCOME_UNANSWERED && offered == 0)
		offered = 1;
	f->key.offered_version = versions[offered];
	f->key.tls_version = versions[chosen];
}

static struct finding
any_finding(void)
{
	struct finding f = { .key.protocol = PROTOCOL_IMAP };

	f.key.outcome = (enum outcome)below(OUTCOME_CLEARTEXT + 1);
	choose_server(&f);
	if (f.key.outcome != OUTCOME_CLEARTEXT)
		choose_versions(&f);
	if (f.key.outcome == OUTCOME_REFUSED) {
		f.key.refused_by = below(3) == 0 ? SIDE_CLIENT : SIDE_SERVER;
		f.key.refusal = (enum refusal_kind)below(REFUSAL_CLOSE + 1);
	}
	f.count = 1 + below(3);
	f.first_us = f.last_us = below(10) * HOUR;
	f.last_us += f.count > 1 ? below(5) * HOUR : 0;
	if (f.key.outcome == OUTCOME_ESTABLISHED && below(3) == 0) {
		f.fallback_count = 1 + below((unsigned)f.count);
		f.fallback_from = f.key.offered_version < V12 ? V12 : 0;
	}
	f.suites_all = UINT64_C(1) << 10 << below(3);
	f.suites_any = f.suites_all | (below(4) == 0 ? TLS_SUITE_SET_UNSEEN : 0);
	return f;
}

/* Of one client, so no two of them have one key. */
static size_t
any_findings(struct finding findings[ROWS_MAX])
{
	size_t count = 0;

	for (unsigned tries = 1 + below(ROWS_MAX); tries > 0; tries--) {
		bool known = false;

		findings[count] = any_finding();
		for (size_t i = 0; i < count; i++)
			known =
			    known || tally_key_compare(&findings[i].key, &findings[count].key) == 0;
		count += !known;
	}
	return count;
}

static struct policy
any_policy(void)
{
	return (struct policy){
		.minimum = below(3) == 0 ? V13 : V12,
		.services = below(8) == 0 ? NULL : services,
		.fallback_window_us = below(3) * HOUR,
	};
}

static bool
has_success(const struct finding *findings, const enum verdict *verdicts, size_t count,
    enum verdict verdict, bool version_seen)
{
	for (size_t i = 0; i < count; i++) {
		const struct finding_key *k = &findings[i].key;

		if (verdicts[i] == verdict && (k->tls_version != 0) == version_seen &&
		    (k->outcome == OUTCOME_ESTABLISHED || k->outcome == OUTCOME_NEGOTIATED))
			return true;
	}
	return false;
}

START_TEST(a_sentence_that_tells_of_a_success_has_one_to_tell_of)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct policy policy = any_policy();
		struct finding findings[ROWS_MAX];
		enum verdict verdicts[ROWS_MAX], worst;
		size_t count = any_findings(findings);
		struct buf reason = { 0 };

		policy_judge(&policy, findings, count, verdicts);
		worst = policy_judge_client(&policy, findings, verdicts, count, &reason);
		if (strncmp(buf_text(&reason), "negotiates ", 11) == 0)
			ck_assert_msg(has_success(findings, verdicts, count, worst, true), "%s",
			    buf_text(&reason));
		if (strstr(buf_text(&reason), "goes on without the server's choice") != NULL)
			ck_assert_msg(has_success(findings, verdicts, count, worst, false), "%s",
			    buf_text(&reason));
		buf_release(&reason);
	}
}
END_TEST

START_TEST(the_order_of_findings_and_their_number_change_nothing)
{
	struct finding other = { .key = { .protocol = PROTOCOL_IMAP,
				     .server_port = 2525,
				     .tls_version = V12,
				     .offered_version = V12 } };

	event_text_set(&other.key.server, span_from_text("elsewhere.example"));
	for (int i = 0; i < CLIENTS; i++) {
		struct policy policy = any_policy();
		struct finding findings[ROWS_MAX], more[ROWS_MAX + OTHERS];
		enum verdict verdicts[ROWS_MAX], again[ROWS_MAX + OTHERS];
		size_t count = any_findings(findings);
		struct buf reason = { 0 }, backwards = { 0 };

		for (size_t n = 0; n < count; n++)
			more[n] = findings[count - 1 - n];
		for (size_t n = 0; n < OTHERS; n++)
			more[count + n] = other;
		policy_judge(&policy, findings, count, verdicts);
		(void)policy_judge_client(&policy, findings, verdicts, count, &reason);
		policy_judge(&policy, more, count + OTHERS, again);
		(void)policy_judge_client(&policy, more, again, count, &backwards);
		for (size_t n = 0; n < count; n++)
			ck_assert_int_eq(verdicts[n], again[count - 1 - n]);
		ck_assert_str_eq(buf_text(&reason), buf_text(&backwards));
		buf_release(&reason);
		buf_release(&backwards);
	}
}
END_TEST

START_TEST(an_unclear_answer_says_what_is_missing)
{
	static const uint16_t minima[] = { 0, TLS_VERSION_1_1, V12, V13 };
	static const char *const missing[] = { "not seen", "not all seen", "not stored",
		"falls back" };

	for (int i = 0; i < CLIENTS; i++) {
		struct policy policy = any_policy();
		struct what_if question = { .minimum = minima[below(4)] };
		struct finding findings[ROWS_MAX];
		enum verdict verdicts[ROWS_MAX];
		size_t count = any_findings(findings);
		struct buf reason = { 0 };
		bool said = false;

		if (question.minimum == 0)
			(void)what_if_read_suites(&question,
			    span_from_text("TLS_RSA_WITH_AES_128_CBC_SHA\n"), no_fault, NULL);
		what_if_judge(&question, &policy, findings, count, verdicts);
		if (what_if_judge_client(&question, findings, verdicts, count, &reason) ==
		    VERDICT_UNCLEAR) {
			for (size_t n = 0; n < sizeof(missing) / sizeof(missing[0]); n++)
				said = said || strstr(buf_text(&reason), missing[n]) != NULL;
			ck_assert_msg(said, "%s", buf_text(&reason));
		}
		buf_release(&reason);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_sentence_that_tells_of_a_success_has_one_to_tell_of);
	tcase_add_test(tc, the_order_of_findings_and_their_number_change_nothing);
	tcase_add_test(tc, an_unclear_answer_says_what_is_missing);
}

SUITE_MAIN("policy_chance")
