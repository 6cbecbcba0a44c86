#include "store/merge.h"
#include "store_fixture.h"

#include "base/banned.h"

/* Rows whose number of findings is wrong, or that are nobody's, or that are missing. */
#define FINDINGS                                                                                   \
	"(SELECT client_state.id AS client, CAST(substr(f.key, 1, 8) AS INTEGER) AS kind,"         \
	" CAST(substr(f.key, 9, 8) AS INTEGER) AS story FROM client_state,"                        \
	" json_each(own_findings) f UNION ALL SELECT id >> 32, id & 4294967295, story FROM "       \
	"finding)"
static const char faults_sql[] =
    "WITH findings AS MATERIALIZED " FINDINGS
    " SELECT 'kind', k.id, k.findings FROM kind k WHERE k.findings = 0 OR"
    " k.findings <> (SELECT count(*) FROM findings WHERE kind = k.id)"
    " UNION ALL SELECT 'story', t.id, t.findings FROM story t WHERE t.findings = 0 OR"
    " t.findings <> (SELECT count(*) FROM findings WHERE story = t.id)"
    " UNION ALL SELECT 'finding', client, kind FROM findings"
    " WHERE kind NOT IN (SELECT id FROM kind) OR story NOT IN (SELECT id FROM story)";
/* Stories that are there twice. */
static const char twins_sql[] =
    "SELECT a.id, b.id FROM story a JOIN story b ON a.id < b.id AND a.digest = b.digest"
    " AND a.server_ip IS b.server_ip AND a.cipher_suite IS b.cipher_suite AND a.ja4 IS b.ja4"
    " AND a.certificate_subject IS b.certificate_subject AND a.suites_all = b.suites_all"
    " AND a.suites_any = b.suites_any AND a.fallback_from = b.fallback_from"
    " AND a.limited_by = b.limited_by AND a.server_name_source = b.server_name_source"
    " AND a.offers = b.offers AND a.certificate_not_after_us IS b.certificate_not_after_us";

static void
assert_consistent(void)
{
	ck_assert_str_eq(sql(faults_sql), "");
	ck_assert_str_eq(sql(twins_sql), "");
}

static struct event
from_client(unsigned number)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);

	ev.client_ip.bytes[3] = (uint8_t)number;
	ev.has_cipher_suite = true;
	ev.cipher_suite = 0xc02f;
	return ev;
}

START_TEST(what_many_clients_share_is_one_row)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	for (unsigned flushes = 0; flushes < 2; flushes++) {
		for (unsigned i = 0; i < 100; i++) {
			struct event ev = from_client(flushes * 100 + i);

			ck_assert(tally_add(t, &ev));
		}
		flush(s, t, NULL);
	}
	ck_assert_str_eq(sql("SELECT count(*), max(findings) FROM kind"), "1|200");
	ck_assert_str_eq(sql("SELECT count(*), max(findings) FROM story"), "1|200");
	assert_consistent();
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(another_story_takes_the_place_of_the_one_before)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = from_client(1);

	flush_event(s, &ev);
	ev.timestamp_us += HOUR;
	ev.cipher_suite = 0xc030;
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT cipher_suite, findings FROM story"), "49200|1");
	ck_assert_str_eq(sql("SELECT findings FROM kind"), "1");
	assert_consistent();
	store_close(s);
}
END_TEST

START_TEST(a_story_is_known_by_its_content_and_not_by_its_digest)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = from_client(1);

	flush_event(s, &ev);
	/* As if two had the same digest. */
	(void)sql("UPDATE story SET cipher_suite = 1");
	ev = from_client(2);
	flush_event(s, &ev);
	ck_assert_str_eq(
	    sql("SELECT cipher_suite, findings FROM story ORDER BY 1"), "1|1\n49199|1");
	ck_assert_str_eq(sql("SELECT count(DISTINCT digest) FROM story"), "1");
	store_close(s);
}
END_TEST

START_TEST(a_suite_is_named_as_its_version_numbers_it)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = from_client(1);

	ev.cipher_suite = 0x0a;
	flush_event(s, &ev);
	ev.tls_version = TLS_VERSION_SSL2;
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT tls_version, cipher_suite FROM inventory ORDER BY 1"),
	    "SSLv2|0x00000a\nTLSv1.2|TLS_RSA_WITH_3DES_EDE_CBC_SHA");
	ck_assert_str_eq(sql("SELECT findings FROM story"), "2");
	store_close(s);
}
END_TEST

START_TEST(what_is_rolled_back_leaves_nothing_behind)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = from_client(1);
	struct error err = { "" };

	flush_event(s, &ev);
	ck_assert_int_eq(store_begin(s, &err), 0);
	ev = from_client(2);
	flush_event(s, &ev);
	ev.cipher_suite = 0xc030;
	flush_event(s, &ev);
	store_rollback(s);
	ck_assert_str_eq(sql("SELECT findings FROM story"), "1");
	assert_consistent();
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT findings FROM kind"), "2");
	assert_consistent();
	store_close(s);
}
END_TEST

/* Numbers of what is gone are given anew. */
START_TEST(what_another_process_removed_is_not_remembered)
{
	struct store *s = open_store(STORE_WRITE);
	struct event first = from_client(1), second = from_client(2);

	flush_event(s, &first);
	(void)sql("DELETE FROM client");
	ck_assert_str_eq(sql("SELECT count(*) FROM kind"), "0");
	event_text_set(&second.server_name, span_from_text("other.example"));
	second.cipher_suite = 0xc030;
	flush_event(s, &second);
	flush_event(s, &first);
	ck_assert_str_eq(sql("SELECT client, server, cipher_suite FROM inventory ORDER BY 1"),
	    "10.0.0.1|mail.example|TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
	    "10.0.0.2|other.example|TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
	assert_consistent();
	store_close(s);
}
END_TEST

START_TEST(a_name_that_has_to_be_escaped_finds_its_kind_again)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	for (unsigned flushes = 0; flushes < 3; flushes++) {
		for (unsigned i = 0; i < 3; i++) {
			static const char *const names[] = { "\xff.example", "\\xff.example",
				"a.example" };
			struct event ev = handshake("10.0.0.1", names[i], V12, DAY);

			ev.client_ip.bytes[3] = (uint8_t)(1 + flushes / 2);
			ck_assert(tally_add(t, &ev));
		}
		flush(s, t, NULL);
	}
	ck_assert_str_eq(
	    sql("SELECT server, findings FROM kind ORDER BY 1"), "\\xff.example|2\na.example|2");
	ck_assert_str_eq(sql("SELECT client, server, count FROM inventory ORDER BY 1, 2"),
	    "10.0.0.1|\\xff.example|4\n10.0.0.1|a.example|2\n"
	    "10.0.0.2|\\xff.example|2\n10.0.0.2|a.example|1");
	assert_consistent();
	tally_free(t);
	store_close(s);
}
END_TEST

/* Some events of about that time, in a transaction that may be taken back. */
static void
flush_some(struct store *s, uint64_t *state, int64_t at)
{
	struct tally *t = tally_new(NULL);
	bool rolled_back = next_random(state) % 4 == 0;
	struct error err = { "" };

	ck_assert_int_eq(store_begin(s, &err), 0);
	for (uint32_t flushes = 1 + next_random(state) % 2; flushes > 0; flushes--) {
		for (uint32_t n = next_random(state) % 30; n > 0; n--) {
			struct event ev = random_event(state, at + (int64_t)n * SECOND);

			ev.client_ip.bytes[3] = (uint8_t)(next_random(state) % 12);
			ck_assert(tally_add(t, &ev));
		}
		flush(s, t, NULL);
	}
	if (rolled_back)
		store_rollback(s);
	else
		ck_assert_int_eq(store_commit(s, &err), 0);
	tally_free(t);
}

static void
prune_some(struct store *s, uint64_t *state, int64_t before)
{
	struct error err = { "" };
	size_t count;
	bool more;

	ck_assert_int_eq(
	    store_prune(s, before, 1 + next_random(state) % 20, &count, &more, &err), 0);
}

static void
merge_all(struct store *into, struct store *from)
{
	struct store_merged merged;
	struct error err = { "" };

	ck_assert_int_eq(store_begin(into, &err), 0);
	ck_assert_msg(store_merge(into, from, &merged, &err) == 0, "%s", err.text);
	ck_assert_int_eq(store_commit(into, &err), 0);
}

START_TEST(whatever_is_done_the_numbers_of_findings_are_right)
{
	static struct store_counter events = { "events", 0 };
	struct store_run run = { .command = "replay", .started_us = DAY, .counter_count = 1 };
	struct store *s = open_store(STORE_WRITE), *into;
	uint64_t state = 11 + (uint64_t)_i;
	char own[sizeof(path)];

	memcpy(own, path, sizeof(own));
	(void)snprintf(path, sizeof(path), "%s/into.db", folder);
	into = open_store(STORE_WRITE);
	run.counters = &events;
	for (int i = 0; i < 60; i++) {
		int64_t now = DAY + i * HOUR;

		memcpy(path, own, sizeof(own));
		if (next_random(&state) % 3 > 0)
			flush_some(s, &state, now);
		else
			prune_some(s, &state, now - (int64_t)(next_random(&state) % 20) * HOUR);
		assert_consistent();
		if (i % 10 != 9)
			continue;
		run.packet_count = events.value += 1;
		run.begin_us = DAY;
		run.end_us = now;
		flush(s, NULL, &run);
		(void)snprintf(path, sizeof(path), "%s/into.db", folder);
		merge_all(into, s);
		assert_consistent();
		prune_some(into, &state, now - 15 * HOUR);
		assert_consistent();
	}
	store_close(s);
	store_close(into);
}
END_TEST

/* A finding's number has room for so many: beyond, nothing is written into the row of another. */
START_TEST(numbers_that_are_used_up_are_an_error_and_nothing_is_written)
{
	static const char *const last_ones[2][4] = {
		{ "UPDATE client SET id = 536870911", "UPDATE client_state SET id = 536870911",
		    "UPDATE day SET id = (id & 17179869183) | (536870911 << 34)",
		    "UPDATE finding SET id = (id & 4294967295) | (536870911 << 32)" },
		/* A number of ten digits: the finding has a row of its own then. */
		{ "UPDATE kind SET id = 4294967295",
		    "INSERT INTO finding SELECT id << 32 | 4294967295, 1, 1, first_us, last_us, 6, "
		    "0"
		    " FROM client_state",
		    "UPDATE client_state SET own_findings = NULL, marks = marks | 1 << 24",
		    "SELECT 1" },
	};
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = from_client(1);
	struct error err = { "" };

	flush_event(s, &ev);
	for (size_t i = 0; i < 4; i++)
		(void)sql(last_ones[_i][i]);
	flush_event(s, &ev);
	ev = from_client(2);
	ev.server_port = 995;
	ck_assert(tally_add(t, &ev));
	ck_assert_int_eq(store_flush(s, sensor_of(s, "here"), t, NULL, &err), -1);
	ck_assert_msg(strstr(err.text, "give another database") != NULL, "%s", err.text);
	ck_assert_str_eq(sql("SELECT client, count FROM inventory"), "10.0.0.1|2");
	ck_assert_str_eq(sql("SELECT client, count FROM clients"), "10.0.0.1|2");
	tally_free(t);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, what_many_clients_share_is_one_row);
	tcase_add_test(tc, another_story_takes_the_place_of_the_one_before);
	tcase_add_test(tc, a_story_is_known_by_its_content_and_not_by_its_digest);
	tcase_add_test(tc, a_suite_is_named_as_its_version_numbers_it);
	tcase_add_test(tc, what_is_rolled_back_leaves_nothing_behind);
	tcase_add_test(tc, what_another_process_removed_is_not_remembered);
	tcase_add_test(tc, a_name_that_has_to_be_escaped_finds_its_kind_again);
	tcase_add_loop_test(tc, numbers_that_are_used_up_are_an_error_and_nothing_is_written, 0, 2);
	tcase_add_loop_test(tc, whatever_is_done_the_numbers_of_findings_are_right, 0, 8);
}

SUITE_MAIN("store_shared")
