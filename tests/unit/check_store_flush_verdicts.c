/* Judging within a flush. */
#include "store_clients.h"
#include "store_fixture.h"

#include "base/banned.h"

static bool
gather_finding(
    void *arg, const struct store_client *client, const struct finding *finding, uint8_t verdict)
{
	struct {
		struct finding findings[200];
		uint8_t verdicts[200];
		uint8_t client_verdict;
		size_t count;
	} *all = arg;

	ck_assert_uint_lt(all->count, 200);
	all->findings[all->count] = *finding;
	all->verdicts[all->count++] = verdict;
	all->client_verdict = client->verdict;
	return true;
}

static void
check_verdicts_of(struct store *s, const char *client)
{
	static struct {
		struct finding findings[200];
		uint8_t verdicts[200];
		uint8_t client_verdict;
		size_t count;
	} all;
	struct network_set clients = { 0 };
	struct store_filter filter = { .clients = &clients };
	struct error err;
	struct buf reason = { 0 };
	struct store_judgement judged[200];

	all.count = 0;
	ck_assert_int_eq(network_set_add_text(&clients, client, &err), 0);
	ck_assert_int_eq(store_each_finding(s, &filter, gather_finding, &all, &err), 0);
	if (all.count > 0) {
		ck_assert_uint_eq(judge_by_policy(NULL, all.findings, all.count, judged, &reason),
		    all.client_verdict);
		for (size_t i = 0; i < all.count; i++)
			ck_assert_uint_eq(judged[i].rank, all.verdicts[i]);
	}
	buf_release(&reason);
	network_set_release(&clients);
}

START_TEST(verdicts_agree_with_the_policy_after_each_flush)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	uint64_t state = 77 + (uint64_t)_i;

	for (int i = 0; i < 60; i++) {
		add_random(t, &state, i * 5, 5);
		flush(s, t, NULL);
		check_verdicts_of(s, "10.0.0.1");
		check_verdicts_of(s, "10.0.0.2");
		check_verdicts_of(s, "fd00::1");
	}
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_success_makes_a_broken_row_of_an_earlier_flush_good)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = refusal("10.0.0.1", "mail.example", V10, DAY);

	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT verdict FROM inventory"), "broken");
	ck_assert_str_eq(sql("SELECT verdict FROM clients"), "broken");
	ev = handshake("10.0.0.1", "mail.example", V12, DAY + HOUR);
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT verdict FROM inventory ORDER BY outcome"), "ok\nok");
	ck_assert_str_eq(sql("SELECT verdict FROM clients"), "ok");
	store_close(s);
}
END_TEST

struct judged {
	int calls;
	size_t count;
};

static uint8_t
count_judgements(void *arg, const struct finding *findings, size_t count,
    struct store_judgement *out, struct buf *reason)
{
	struct judged *judged = arg;

	judged->calls++;
	judged->count = count;
	for (size_t i = 0; i < count; i++)
		out[i] = (struct store_judgement){ findings[i].key.tls_version == V10 ? 2 : 6, 0 };
	buf_addf(reason, "%zu rows", count);
	return 2;
}

START_TEST(a_client_is_judged_once_a_flush_with_all_that_is_known_of_it)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct judged judged = { 0 };
	struct event a = handshake("10.0.0.1", "a.example", V10, DAY);
	struct event b = handshake("10.0.0.1", "b.example", V12, DAY);
	struct event other = handshake("10.0.0.2", "a.example", V12, DAY);

	store_set_judge(s, count_judgements, &judged);
	add(t, &a);
	add(t, &b);
	flush(s, t, NULL);
	ck_assert_int_eq(judged.calls, 1);
	ck_assert_uint_eq(judged.count, 2);
	flush_event(s, &a);
	ck_assert_int_eq(judged.calls, 2);
	ck_assert_uint_eq(judged.count, 2);
	flush_event(s, &other);
	ck_assert_int_eq(judged.calls, 3);
	ck_assert_uint_eq(judged.count, 1);
	ck_assert_str_eq(sql("SELECT server, verdict FROM inventory WHERE client = '10.0.0.1'"
			     " ORDER BY 1"),
	    "a.example|legacy\nb.example|ok");
	ck_assert_str_eq(sql("SELECT verdict, reason FROM clients ORDER BY client"),
	    "legacy|2 rows\nlegacy|1 rows");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(without_a_judge_there_is_no_verdict)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	store_set_judge(s, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		flush_event(s, &ev);
		ck_assert_str_eq(sql("SELECT verdict FROM inventory"), "-");
		ck_assert_str_eq(sql("SELECT verdict, reason FROM clients"), "-|-");
	}
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, verdicts_agree_with_the_policy_after_each_flush, 0, 4);
	tcase_add_test(tc, a_success_makes_a_broken_row_of_an_earlier_flush_good);
	tcase_add_test(tc, a_client_is_judged_once_a_flush_with_all_that_is_known_of_it);
	tcase_add_test(tc, without_a_judge_there_is_no_verdict);
}

SUITE_MAIN("store_flush_verdicts")
