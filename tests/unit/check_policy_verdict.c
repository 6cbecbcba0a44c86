#include "policy/verdict.h"

#include <stdio.h>
#include <string.h>

#include "no_fault.h"
#include "policy_rules.h"
#include "suite.h"

#include "base/banned.h"

static const char services_text[] = "[Example Online]\n"
				    "version = 2026-01-01\n"
				    "protocol = imap\n"
				    "port = 993\n"
				    "below = TLSv1.2\n"
				    "switch_off = 2026-07-01\n"
				    "host = outlook.example\n"
				    "legacy_host = imap-legacy.example\n"
				    "network = 192.0.2.76/30\n"
				    "[Example that stays]\n"
				    "version = 2026-01-01\n"
				    "host = named.example\n";
static struct switch_off *services;

static void
set_up(void)
{
	services = services_from(services_text);
}

static void
tear_down(void)
{
	switch_off_free(services);
}

static void
fill(struct finding *f, const struct row *row)
{
	const char *server = row->server != NULL ? row->server : "mail.example.com";
	const uint8_t addr[4] = { 192, 0, 2, row->addr != 0 ? row->addr : 1 };

	*f = (struct finding){
		.key = {
			.protocol = PROTOCOL_IMAP,
			.tls_mode = row->outcome == CLR ? TLS_MODE_NONE : TLS_MODE_IMPLICIT,
			.server_port = row->port != 0 ? row->port : 993,
			.tls_version = row->version,
			.offered_version = row->offered,
			.outcome = row->outcome,
			.refused_by = row->outcome == REF ? SIDE_SERVER : SIDE_NONE,
			.refusal = row->outcome == REF ? REFUSAL_CLOSE : REFUSAL_NONE,
		},
		.count = 10,
		.scsv_count = row->scsv,
		.fallback_count = row->fallbacks,
		.fallback_from = row->from,
		.first_us = row->first,
		.last_us = row->last,
		.server_ip = addr_from_v4(addr),
		.server_name_source = row->source,
	};
	event_text_set(&f->key.server, span_from_text(server));
}

static struct policy
policy_of(const struct rule *rule)
{
	return (struct policy){
		.minimum = rule->minimum != 0 ? rule->minimum : V12,
		.services = services,
		.fallback_window_us = FALLBACK_WINDOW,
	};
}

START_TEST(rule_gives_its_verdicts)
{
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct finding findings[ROWS_MAX] = { 0 };
	enum verdict verdicts[ROWS_MAX];

	for (size_t i = 0; i < rule->count; i++)
		fill(&findings[i], &rule->rows[i]);
	policy_judge(&policy, findings, rule->count, verdicts);
	for (size_t i = 0; i < rule->count; i++) {
		ck_assert_msg(verdicts[i] == rule->rows[i].verdict, "%s, row %zu: %s, not %s",
		    rule->name, i, verdict_name(verdicts[i]), verdict_name(rule->rows[i].verdict));
	}
}
END_TEST

START_TEST(order_of_rows_changes_nothing)
{
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct finding findings[ROWS_MAX] = { 0 };
	enum verdict verdicts[ROWS_MAX];

	for (size_t i = 0; i < rule->count; i++)
		fill(&findings[rule->count - 1 - i], &rule->rows[i]);
	policy_judge(&policy, findings, rule->count, verdicts);
	for (size_t i = 0; i < rule->count; i++)
		ck_assert_msg(verdicts[rule->count - 1 - i] == rule->rows[i].verdict, "%s, row %zu",
		    rule->name, i);
}
END_TEST

/* Of many findings an index is made; few are looked through. */
START_TEST(many_other_rows_change_nothing)
{
	enum { OTHERS = 60 };
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct row other = { EST, V12, V12, 1, 9, "", .port = 2525 };
	static struct finding findings[ROWS_MAX + OTHERS];
	enum verdict verdicts[ROWS_MAX + OTHERS];
	char name[24];

	memset(findings, 0, sizeof(findings));
	for (size_t i = 0; i < rule->count; i++)
		fill(&findings[i], &rule->rows[i]);
	for (size_t i = 0; i < OTHERS; i++) {
		(void)snprintf(name, sizeof(name), "host-%zu.example", i);
		fill(&findings[rule->count + i], &other);
		event_text_set(&findings[rule->count + i].key.server, span_from_text(name));
	}
	policy_judge(&policy, findings, rule->count + OTHERS, verdicts);
	for (size_t i = 0; i < rule->count; i++)
		ck_assert_msg(verdicts[i] == rule->rows[i].verdict, "%s, row %zu", rule->name, i);
}
END_TEST

START_TEST(client_has_the_worst_verdict_of_its_rows)
{
	const struct rule *rule = &rules[_i];
	struct policy policy = policy_of(rule);
	struct finding findings[ROWS_MAX] = { 0 };
	enum verdict verdicts[ROWS_MAX], worst = VERDICT_OK, verdict;
	struct buf reason = { 0 };

	for (size_t i = 0; i < rule->count; i++) {
		fill(&findings[i], &rule->rows[i]);
		worst = rule->rows[i].verdict < worst ? rule->rows[i].verdict : worst;
	}
	policy_judge(&policy, findings, rule->count, verdicts);
	verdict = policy_judge_client(&policy, findings, verdicts, rule->count, &reason);
	ck_assert_msg(verdict == worst, "%s: %s", rule->name, verdict_name(verdict));
	ck_assert_msg(reason.len > 20, "%s: no reason", rule->name);
	buf_release(&reason);
}
END_TEST

START_TEST(nothing_is_judged_without_findings)
{
	struct policy policy = { .minimum = V12 };
	enum verdict untouched = VERDICT_WILL_BREAK;

	policy_judge(&policy, NULL, 0, &untouched);
	ck_assert_int_eq(untouched, VERDICT_WILL_BREAK);
}
END_TEST

/* 20,000 made-up names: by comparing each with each this would take minutes. */
START_TEST(many_servers_are_judged_in_no_time)
{
	const size_t count = 20000;
	struct policy policy = { .minimum = V12 };
	struct finding *findings = calloc(count, sizeof(*findings));
	enum verdict *verdicts = calloc(count, sizeof(*verdicts));

	ck_assert(findings != NULL && verdicts != NULL);
	for (size_t i = 0; i < count; i++) {
		char name[32];
		struct row row = { .outcome = i % 2 == 0 ? REF : EST, .offered = V10, .last = 9 };

		(void)snprintf(name, sizeof(name), "%zu.example.com", i / 2);
		row.version = i % 2 == 0 ? 0 : V10;
		row.server = name;
		row.first = row.last = i % 4 < 2 ? (int64_t)(i % 2) : (int64_t)(3 - i % 2);
		row.source = NAME_SOURCE_SNI;
		fill(&findings[i], &row);
	}
	policy_judge(&policy, findings, count, verdicts);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(verdicts[i], i % 4 == 2 ? VERDICT_BROKEN : VERDICT_LEGACY);
	free(findings);
	free(verdicts);
}
END_TEST

START_TEST(servers_are_counted_once_per_verdict)
{
	struct row rows[] = {
		{ EST, V10, V10, 1, 9, "a.example", .port = 993 },
		{ EST, V11, V11, 1, 9, "a.example", .port = 993 },
		{ EST, V10, V10, 1, 9, "a.example", .port = 587 },
		{ EST, V10, V10, 1, 9, "ab.example", .port = 993 },
		{ EST, V12, V12, 1, 9, "a.example", .port = 993 },
	};
	/* Few are counted in another way than many. */
	static const size_t repetitions[] = { 1, 20 };
	enum verdict verdicts[100];
	static struct finding findings[100];
	size_t servers[VERDICT_COUNT], count = 5 * repetitions[_i];

	for (size_t i = 0; i < count; i++) {
		fill(&findings[i], &rows[i % 5]);
		verdicts[i] = i % 5 == 4 ? VERDICT_OK : VERDICT_LEGACY;
	}
	policy_count_servers(findings, verdicts, count, servers);
	ck_assert_uint_eq(servers[VERDICT_LEGACY], 3);
	ck_assert_uint_eq(servers[VERDICT_OK], 1);
	ck_assert_uint_eq(servers[VERDICT_BROKEN], 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	const int rule_count = (int)(sizeof(rules) / sizeof(rules[0]));

	tcase_add_loop_test(tc, rule_gives_its_verdicts, 0, rule_count);
	tcase_add_loop_test(tc, order_of_rows_changes_nothing, 0, rule_count);
	tcase_add_loop_test(tc, many_other_rows_change_nothing, 0, rule_count);
	tcase_add_loop_test(tc, client_has_the_worst_verdict_of_its_rows, 0, rule_count);
	tcase_add_test(tc, nothing_is_judged_without_findings);
	tcase_add_test(tc, many_servers_are_judged_in_no_time);
	tcase_add_loop_test(tc, servers_are_counted_once_per_verdict, 0, 2);
}

SUITE_MAIN("policy_verdict")
