/* Servers that the configuration names, beside the services of the file. */
#include <string.h>

#include "no_fault.h"
#include "policy/verdict.h"
#include "tls/names.h"

#include "base/banned.h"

#define NAMED "mail.example"
#define IN_NETWORK "192.0.2.9"

static const char services_text[] = "[Only a name]\n"
				    "version = 2026-01-01\n"
				    "host = mail.example\n"
				    "network = 192.0.2.0/24\n"
				    "[Keeps TLS 1.1]\n"
				    "version = 2026-01-01\n"
				    "below = TLSv1.1\n"
				    "host = *.keeps.example\n"
				    "network = 198.51.100.0/24\n"
				    "[Dated]\n"
				    "version = 2026-01-01\n"
				    "below = TLSv1.2\n"
				    "switch_off = 2026-07-01\n"
				    "host = dated.example\n";
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
name_network(const char *text)
{
	struct network_set networks = { 0 };
	struct error err;

	ck_assert_int_eq(network_set_add_text(&networks, text, &err), 0);
	switch_off_add_networks(services, &networks);
	network_set_release(&networks);
}

/* With a name of the client's, or one that is an address and no name. */
static struct finding
finding_with(const char *server, const char *address, uint16_t version)
{
	struct finding f = {
		.key = {
			.protocol = PROTOCOL_IMAP,
			.tls_mode = TLS_MODE_IMPLICIT,
			.server_port = 993,
			.tls_version = version,
			.offered_version = version,
			.outcome = OUTCOME_ESTABLISHED,
		},
		.count = 1,
		.first_us = 1,
		.last_us = 1,
	};

	ck_assert(addr_from_text(address, &f.server_ip));
	event_text_set(&f.key.server, span_from_text(server));
	if (strcmp(server, address) != 0)
		f.server_name_source = NAME_SOURCE_SNI;
	return f;
}

/* The verdict on it alone; its reason says, or does not say, `phrase`. */
static enum verdict
judge(const struct finding *f, const char *phrase, bool said)
{
	const struct policy policy = { .minimum = TLS_VERSION_1_2, .services = services };
	struct buf reason = { 0 };
	enum verdict verdict;

	policy_judge(&policy, f, 1, &verdict);
	(void)policy_judge_client(&policy, f, &verdict, 1, &reason);
	ck_assert_msg((strstr(buf_text(&reason), phrase) != NULL) == said, "%s", buf_text(&reason));
	buf_release(&reason);
	return verdict;
}

static const struct overlap {
	const char *host, *network; /* of the configuration */
	const char *server, *address;
	uint16_t version;
	enum name_source source; /* NAME_SOURCE_NONE: as finding_with sets it */
} overlaps[] = {
	{ NAMED, NULL, NAMED, "203.0.113.1", TLS_VERSION_1_0, NAME_SOURCE_NONE },
	{ "*.example", NULL, NAMED, "203.0.113.1", TLS_VERSION_1_1, NAME_SOURCE_NONE },
	{ "a.keeps.example", NULL, "a.keeps.example", "203.0.113.1", TLS_VERSION_1_1,
	    NAME_SOURCE_NONE },
	{ NULL, "192.0.2.0/28", IN_NETWORK, IN_NETWORK, TLS_VERSION_1_0, NAME_SOURCE_NONE },
	{ NULL, "0.0.0.0/0", "198.51.100.1", "198.51.100.1", TLS_VERSION_1_1, NAME_SOURCE_NONE },
	/* The name of a certificate hides no address. */
	{ NULL, "192.0.2.0/28", NAMED, IN_NETWORK, TLS_VERSION_1_0, NAME_SOURCE_CERTIFICATE },
};

START_TEST(what_the_configuration_names_will_break_whatever_the_file_says)
{
	const struct overlap *o = &overlaps[_i];
	struct finding f = finding_with(o->server, o->address, o->version);

	if (o->source != NAME_SOURCE_NONE)
		f.server_name_source = o->source;
	ck_assert_int_eq(judge(&f, SWITCH_OFF_OWN, false), VERDICT_LEGACY);
	if (o->host != NULL)
		switch_off_add_host(services, o->host);
	else
		name_network(o->network);
	ck_assert_int_eq(
	    judge(&f, "; " SWITCH_OFF_OWN " is switching that off", true), VERDICT_WILL_BREAK);
}
END_TEST

START_TEST(the_date_of_the_file_is_still_told)
{
	const struct finding f = finding_with("dated.example", "203.0.113.1", TLS_VERSION_1_0);

	switch_off_add_host(services, "dated.example");
	ck_assert_int_eq(
	    judge(&f, "; Dated switches that off on 2026-07-01", true), VERDICT_WILL_BREAK);
	ck_assert_int_eq(judge(&f, SWITCH_OFF_OWN, false), VERDICT_WILL_BREAK);
}
END_TEST

START_TEST(a_name_of_the_clients_counts_and_not_its_address)
{
	const struct finding f = finding_with(NAMED, IN_NETWORK, TLS_VERSION_1_0);

	name_network("192.0.2.0/28");
	ck_assert_int_eq(judge(&f, SWITCH_OFF_OWN, false), VERDICT_LEGACY);
}
END_TEST

/* They are servers, and not the one service that an updated client would go on with. */
START_TEST(success_at_one_server_mends_nothing_at_another)
{
	const struct policy policy = { .minimum = TLS_VERSION_1_2, .services = services };
	struct finding findings[2];
	enum verdict verdicts[2];

	switch_off_add_host(services, "other.example");
	name_network("203.0.113.0/28");
	findings[0] = finding_with("203.0.113.1", "203.0.113.1", TLS_VERSION_1_0);
	findings[0].key.tls_version = 0;
	findings[0].key.outcome = OUTCOME_REFUSED;
	findings[0].key.refused_by = SIDE_SERVER;
	findings[0].key.refusal = REFUSAL_CLOSE;
	findings[1] = _i == 0 ? finding_with("other.example", "192.0.2.77", TLS_VERSION_1_2)
			      : finding_with("203.0.113.2", "203.0.113.2", TLS_VERSION_1_2);
	findings[1].first_us = findings[1].last_us = 2;
	policy_judge(&policy, findings, 2, verdicts);
	ck_assert_int_eq(verdicts[0], VERDICT_BROKEN);
	ck_assert_int_eq(verdicts[1], VERDICT_OK);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, what_the_configuration_names_will_break_whatever_the_file_says, 0,
	    (int)(sizeof(overlaps) / sizeof(overlaps[0])));
	tcase_add_test(tc, the_date_of_the_file_is_still_told);
	tcase_add_test(tc, a_name_of_the_clients_counts_and_not_its_address);
	tcase_add_loop_test(tc, success_at_one_server_mends_nothing_at_another, 0, 2);
}

SUITE_MAIN("policy_own_servers")
