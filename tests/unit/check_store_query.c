#include "store/store_internal.h"
#include "store_fixture.h"

#include "base/banned.h"

/* What a query gave: a line per row; ends after `left` rows. */
struct rows {
	struct buf text;
	int left;
};

static bool
row_done(struct rows *rows)
{
	buf_add_char(&rows->text, '\n');
	return --rows->left > 0;
}

static bool
see_client(void *arg, const struct store_client *c)
{
	struct rows *rows = arg;
	char ip[ADDR_TEXT_LEN];

	buf_addf(&rows->text, "%s %s %u", c->sensor, addr_to_text(&c->ip, ip), c->verdict);
	return row_done(rows);
}

static bool
see_finding(void *arg, const struct store_client *c, const struct finding *f, uint8_t verdict)
{
	struct rows *rows = arg;
	char ip[ADDR_TEXT_LEN];

	buf_addf(&rows->text, "%s %s %.*s:%u %04x %u", c->sensor, addr_to_text(&c->ip, ip),
	    (int)f->key.server.len, f->key.server.data, f->key.server_port, f->key.offered_version,
	    verdict);
	return row_done(rows);
}

static bool
see_version(void *arg, const struct store_day *day)
{
	struct rows *rows = arg;

	buf_addf(&rows->text, "%04x %llu", day->tls_version, (unsigned long long)day->count);
	return row_done(rows);
}

static bool
see_day(void *arg, const struct store_day *d)
{
	struct rows *rows = arg;

	buf_addf(&rows->text, "%lld %s %s %04x %u %llu", (long long)(d->day - DAY / (24 * HOUR)),
	    d->client, d->sensor, d->tls_version, (unsigned)d->outcome,
	    (unsigned long long)d->count);
	return row_done(rows);
}

static bool
see_run(void *arg, const struct store_run *r)
{
	struct rows *rows = arg;

	buf_addf(&rows->text, "%s %s", r->sensor, r->command);
	return row_done(rows);
}

static bool
see_identity(void *arg, const struct store_identity *identity)
{
	struct rows *rows = arg;

	buf_addf(&rows->text, "%llu %llu %llu", (unsigned long long)identity->head_hash,
	    (unsigned long long)identity->packet_count, (unsigned long long)identity->stream_hash);
	return row_done(rows);
}

enum query { CLIENTS, FINDINGS, DAYS, RUNS };

/* The rows of a query as text, at most `max` of them. */
static const char *
ask(struct store *s, enum query query, const struct store_filter *filter, int max)
{
	static struct rows rows;
	struct error err = { "" };
	int result = -1;

	buf_clear(&rows.text);
	rows.left = max;
	switch (query) {
	case CLIENTS:
		result = store_each_client(s, filter, see_client, &rows, &err);
		break;
	case FINDINGS:
		result = store_each_finding(s, filter, see_finding, &rows, &err);
		break;
	case DAYS:
		result = store_each_day(s, filter, see_day, &rows, &err);
		break;
	case RUNS:
		result = store_each_run(s, filter, see_run, &rows, &err);
		break;
	}
	ck_assert_msg(result == 0, "%s", err.text);
	return buf_text(&rows.text);
}

static void
flush_to(struct store *s, const char *sensor, const struct event *events, int count)
{
	struct tally *t = tally_new(NULL);
	struct error err = { "" };

	for (int i = 0; i < count; i++)
		ck_assert(tally_add(t, &events[i]));
	ck_assert_msg(store_flush(s, sensor_of(s, sensor), t, NULL, &err) == 0, "%s", err.text);
	tally_free(t);
}

/* Ranks: broken 0, legacy 2, unclear 5, ok 6. */
static struct store *
some_store(void)
{
	struct store *s = open_store(STORE_WRITE);
	struct event here[] = {
		handshake("10.0.0.10", "b.example", V12, DAY),
		handshake("10.0.0.9", "b.example", V13, DAY + HOUR),
		handshake("10.0.0.9", "a.example", V12, DAY + 2 * HOUR),
		handshake("10.0.0.9", "a.example", V10, DAY + 3 * HOUR),
		refusal("fd00::1", "a.example", V10, DAY + 4 * HOUR),
		handshake("fd00::1", "b.example", V12, DAY + 50 * HOUR),
		refusal("10.0.0.2", "z.example", V10, DAY - 30 * HOUR),
	};
	struct event there[] = { handshake("10.0.0.10", "b.example", V12, DAY) };

	here[2].server_port = 1993;
	flush_to(s, "there", there, ROWS(there));
	flush_to(s, "here", here, ROWS(here));
	return s;
}

static const char all_clients[] = "here 10.0.0.2 0\n"
				  "here fd00::1 0\n"
				  "here 10.0.0.9 2\n"
				  "here 10.0.0.10 6\n"
				  "there 10.0.0.10 6\n";

static const char all_findings[] = "here 10.0.0.2 z.example:993 0301 0\n"
				   "here fd00::1 a.example:993 0301 0\n"
				   "here fd00::1 b.example:993 0303 6\n"
				   "here 10.0.0.9 a.example:993 0301 2\n"
				   "here 10.0.0.9 a.example:1993 0303 6\n"
				   "here 10.0.0.9 b.example:993 0304 6\n"
				   "here 10.0.0.10 b.example:993 0303 6\n"
				   "there 10.0.0.10 b.example:993 0303 6\n";

static const char all_days[] = "-2 10.0.0.2 here 0000 2 1\n"
			       "0 10.0.0.9 here 0301 0 1\n"
			       "0 10.0.0.9 here 0303 0 1\n"
			       "0 10.0.0.9 here 0304 0 1\n"
			       "0 10.0.0.10 here 0303 0 1\n"
			       "0 10.0.0.10 there 0303 0 1\n"
			       "0 fd00::1 here 0000 2 1\n"
			       "2 fd00::1 here 0303 0 1\n";

START_TEST(rows_come_in_their_order)
{
	struct store *s = some_store();
	struct store_filter none = { 0 };

	ck_assert_str_eq(ask(s, CLIENTS, NULL, 100), all_clients);
	ck_assert_str_eq(ask(s, FINDINGS, NULL, 100), all_findings);
	ck_assert_str_eq(ask(s, DAYS, NULL, 100), all_days);
	ck_assert_str_eq(ask(s, CLIENTS, &none, 100), all_clients);
	ck_assert_str_eq(ask(s, FINDINGS, &none, 100), all_findings);
	ck_assert_str_eq(ask(s, DAYS, &none, 100), all_days);
	store_close(s);
}
END_TEST

/* The lines of `all` that begin and end as told; NULL: any. */
static const char *
lines_with(const char *all, const char *begin, const char *end)
{
	static struct buf out;

	buf_clear(&out);
	while (*all != '\0') {
		size_t len = strcspn(all, "\n");
		size_t begin_len = begin != NULL ? strlen(begin) : 0;
		size_t end_len = end != NULL ? strlen(end) : 0;

		if (len >= begin_len && len >= end_len &&
		    (begin == NULL || memcmp(all, begin, begin_len) == 0) &&
		    (end == NULL || memcmp(all + len - end_len, end, end_len) == 0))
			buf_add(&out, all, len + 1);
		all += len + 1;
	}
	return buf_text(&out);
}

START_TEST(a_sensor_is_asked_for_by_name)
{
	struct store *s = some_store();
	struct store_filter filter = { .sensor = _i == 0 ? "there" : "nowhere" };

	ck_assert_str_eq(
	    ask(s, CLIENTS, &filter, 100), lines_with(all_clients, filter.sensor, NULL));
	ck_assert_str_eq(
	    ask(s, FINDINGS, &filter, 100), lines_with(all_findings, filter.sensor, NULL));
	ck_assert_str_eq(ask(s, DAYS, &filter, 100), _i == 0 ? "0 10.0.0.10 there 0303 0 1\n" : "");
	store_close(s);
}
END_TEST

START_TEST(verdicts_are_those_of_the_row)
{
	struct store *s = some_store();
	struct store_filter filter = { .verdicts = 1U << 6 };

	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), lines_with(all_clients, NULL, " 6"));
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), lines_with(all_findings, NULL, " 6"));
	filter.verdicts = 1U << 0;
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), lines_with(all_clients, NULL, " 0"));
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), lines_with(all_findings, NULL, " 0"));
	filter.verdicts = 1U << 31;
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), "");
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), "");
	store_close(s);
}
END_TEST

static const struct {
	const char *networks, *clients, *days;
} networks[] = {
	{ "any", all_clients, all_days },
	{ "10.0.0.0/8,fd00::/8", all_clients, all_days },
	{ "fd00::/8", "here fd00::1 0\n", "0 fd00::1 here 0000 2 1\n2 fd00::1 here 0303 0 1\n" },
	{ "10.0.0.2", "here 10.0.0.2 0\n", "-2 10.0.0.2 here 0000 2 1\n" },
	{ "192.0.2.0/24", "", "" },
};

START_TEST(clients_are_chosen_by_network)
{
	struct store *s = some_store();
	struct network_set set = { 0 };
	struct store_filter filter = { .clients = &set };
	struct error err;

	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), all_clients);
	ck_assert_int_eq(network_set_add_text(&set, networks[_i].networks, &err), 0);
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), networks[_i].clients);
	ck_assert_str_eq(ask(s, DAYS, &filter, 100), networks[_i].days);
	network_set_release(&set);
	store_close(s);
}
END_TEST

START_TEST(times_are_those_of_the_row_with_their_ends)
{
	struct store *s = some_store();
	struct store_filter filter = { .has_since = true, .since_us = DAY + 50 * HOUR };

	/* Seen at this time or later. */
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), "here fd00::1 0\n");
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), "here fd00::1 b.example:993 0303 6\n");
	ck_assert_str_eq(ask(s, DAYS, &filter, 100), "2 fd00::1 here 0303 0 1\n");
	filter.since_us++;
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), "");
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), "");
	ck_assert_str_eq(ask(s, DAYS, &filter, 100), "2 fd00::1 here 0303 0 1\n");
	filter.since_us = DAY + 72 * HOUR;
	ck_assert_str_eq(ask(s, DAYS, &filter, 100), "");

	/* Seen before this time. */
	filter = (struct store_filter){ .has_until = true, .until_us = DAY - 30 * HOUR };
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), "");
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), "");
	ck_assert_str_eq(ask(s, DAYS, &filter, 100), "-2 10.0.0.2 here 0000 2 1\n");
	filter.until_us++;
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), "here 10.0.0.2 0\n");
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), "here 10.0.0.2 z.example:993 0301 0\n");

	/* Both. */
	filter = (struct store_filter){ .has_since = true,
		.since_us = DAY + 4 * HOUR,
		.has_until = true,
		.until_us = DAY + 5 * HOUR };
	ck_assert_str_eq(ask(s, CLIENTS, &filter, 100), "here fd00::1 0\n");
	ck_assert_str_eq(ask(s, FINDINGS, &filter, 100), "here fd00::1 a.example:993 0301 0\n");
	store_close(s);
}
END_TEST

START_TEST(a_callback_may_end_the_query)
{
	struct store *s = some_store();
	static const char *const all[] = { all_clients, all_findings, all_days };

	for (int max = 1; max < 6; max++) {
		const char *end = all[_i], *rows;

		for (int i = 0; i < max && *end != '\0'; i++)
			end += strcspn(end, "\n") + 1;
		rows = ask(s, (enum query)_i, NULL, max);
		ck_assert_uint_eq(strlen(rows), (size_t)(end - all[_i]));
		ck_assert_mem_eq(rows, all[_i], strlen(rows));
	}
	/* And nothing of it is left that locks. */
	flush_to(s, "here", (struct event[]){ handshake("10.0.0.2", "z.example", V12, DAY) }, 1);
	store_close(s);
}
END_TEST

/* Making the statement takes ten times as long as asking it. */
START_TEST(days_of_many_clients_take_one_statement)
{
	static const char *const expected[] = { "0303 1\n", "0000 1\n", "0301 1\n", "0303 1\n",
		"0000 1\n" };
	struct store *s = some_store();
	struct error err;

	/* By their numbers: the client of "there", then those of "here"; of two days one is seen.
	 */
	for (int round = 0; round < 2; round++) {
		for (int64_t id = 1; id <= ROWS(expected); id++) {
			struct rows seen = { .left = 1 };

			ck_assert_int_eq(store_each_day_of(s, id, see_version, &seen, &err), 0);
			ck_assert_str_eq(buf_text(&seen.text), expected[id - 1]);
			buf_release(&seen.text);
		}
	}
	ck_assert_ptr_nonnull(s->statements[STATEMENT_DAYS_OF]);
	ck_assert_int_eq(
	    sqlite3_stmt_status(s->statements[STATEMENT_DAYS_OF], SQLITE_STMTSTATUS_RUN, 0),
	    2 * ROWS(expected));
	/* And nothing of it is left that locks. */
	flush_to(s, "here", (struct event[]){ handshake("10.0.0.2", "z.example", V12, DAY) }, 1);
	store_close(s);
}
END_TEST

START_TEST(a_query_from_within_a_query_is_fine)
{
	struct store *s = some_store();
	struct rows rows = { .left = 100 };
	struct error err;

	ck_assert_int_eq(store_snapshot_begin(s, &err), 0);
	ck_assert_str_eq(ask(s, CLIENTS, NULL, 1), "here 10.0.0.2 0\n");
	ck_assert_int_eq(store_each_client(s, NULL, see_client, &rows, &err), 0);
	ck_assert_str_eq(buf_text(&rows.text), all_clients);
	store_snapshot_end(s);
	buf_release(&rows.text);
	store_close(s);
}
END_TEST

START_TEST(queries_of_a_snapshot_see_one_moment)
{
	struct store *s = some_store();
	struct store *reader = open_store(_i == 0 ? STORE_READ : STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "new.example", V13, DAY);
	struct error err;

	ck_assert_int_eq(store_snapshot_begin(reader, &err), 0);
	flush_to(s, "here", &ev, 1);
	ck_assert_str_eq(ask(reader, CLIENTS, NULL, 100), all_clients);
	flush_to(s, "here", &ev, 1);
	ck_assert_str_eq(ask(reader, FINDINGS, NULL, 100), all_findings);
	ck_assert_str_eq(ask(reader, DAYS, NULL, 100), all_days);
	store_snapshot_end(reader);
	ck_assert_ptr_nonnull(strstr(ask(reader, FINDINGS, NULL, 100), "new.example"));
	/* A snapshot can be taken again. */
	ck_assert_int_eq(store_snapshot_begin(reader, &err), 0);
	store_snapshot_end(reader);
	store_close(reader);
	store_close(s);
}
END_TEST

START_TEST(runs_come_by_age_and_are_chosen_by_the_time_of_their_packets)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_run early = { .command = "early", .begin_us = DAY, .end_us = DAY + HOUR };
	struct store_run late = { .command = "late",
		.started_us = 1,
		.begin_us = DAY + 2 * HOUR,
		.end_us = DAY + 3 * HOUR };
	struct store_run idle = { .command = "idle", .started_us = DAY + 5 * HOUR };
	struct store_filter filter = { .has_since = true, .since_us = DAY + HOUR };
	struct error err;

	flush(s, NULL, &early);
	flush(s, NULL, &late);
	ck_assert_int_eq(store_flush(s, sensor_of(s, "there"), NULL, &idle, &err), 0);
	ck_assert_str_eq(ask(s, RUNS, NULL, 100), "here early\nhere late\nthere idle\n");
	ck_assert_str_eq(ask(s, RUNS, NULL, 2), "here early\nhere late\n");
	ck_assert_str_eq(ask(s, RUNS, &filter, 100), "here early\nhere late\nthere idle\n");
	filter.since_us++;
	ck_assert_str_eq(ask(s, RUNS, &filter, 100), "here late\nthere idle\n");
	filter.has_until = true;
	filter.until_us = DAY + 5 * HOUR;
	ck_assert_str_eq(ask(s, RUNS, &filter, 100), "here late\n");
	filter = (struct store_filter){ .sensor = "there" };
	ck_assert_str_eq(ask(s, RUNS, &filter, 100), "there idle\n");
	store_close(s);
}
END_TEST

START_TEST(captures_are_known_by_their_first_packets_and_sensor)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_source sources[] = {
		{ .name = "a", .has_identity = true, .identity = { 7, 10, 70 } },
		{ .name = "b", .has_identity = true, .identity = { 7, 30, 71 } },
		{ .name = "c", .has_identity = true, .identity = { UINT64_MAX, 5, 72 } },
		{ .name = "d" },
	};
	struct store_run run = { .command = "replay", .sources = sources, .source_count = 4 };
	struct store_run other = { .command = "replay", .sources = sources, .source_count = 1 };
	struct rows rows = { .left = 100 };
	int64_t here = sensor_of(s, "here"), there = sensor_of(s, "there");
	struct error err;

	flush(s, NULL, &run);
	ck_assert_int_eq(store_flush(s, there, NULL, &other, &err), 0);
	ck_assert_int_eq(store_each_identity(s, here, 7, see_identity, &rows, &err), 0);
	ck_assert_str_eq(buf_text(&rows.text), "7 30 71\n7 10 70\n");
	buf_clear(&rows.text);
	ck_assert_int_eq(store_each_identity(s, there, 7, see_identity, &rows, &err), 0);
	ck_assert_str_eq(buf_text(&rows.text), "7 10 70\n");
	buf_clear(&rows.text);
	ck_assert_int_eq(store_each_identity(s, 0, 7, see_identity, &rows, &err), 0);
	ck_assert_str_eq(buf_text(&rows.text), "7 30 71\n7 10 70\n7 10 70\n");
	buf_clear(&rows.text);
	ck_assert_int_eq(store_each_identity(s, here, UINT64_MAX, see_identity, &rows, &err), 0);
	ck_assert_str_eq(buf_text(&rows.text), "18446744073709551615 5 72\n");
	buf_clear(&rows.text);
	ck_assert_int_eq(store_each_identity(s, here, 0, see_identity, &rows, &err), 0);
	ck_assert_str_eq(buf_text(&rows.text), "");
	buf_release(&rows.text);
	store_close(s);
}
END_TEST

/* What is written and what is read are the same, member by member. */
START_TEST(a_finding_comes_back_as_it_was_counted)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct buf written = { 0 }, read = { 0 };
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;

	ev.has_cipher_suite = ev.has_ja4 = ev.has_certificate_not_after = true;
	ev.cipher_suite = 0xc02f;
	memset(ev.ja4, 'j', EVENT_JA4_LEN);
	ev.certificate_not_after_us = INT64_MIN;
	event_text_set(&ev.certificate_subject, BYTES("CN=x"));
	ev.limited_by = ev.refused_by = SIDE_CLIENT;
	ev.refusal = REFUSAL_ALERT;
	ev.refusal_alert = 255;
	ev.server_port = 65535;
	ev.offers_aead = _i == 0;
	ev.offers_ecdhe = ev.login = ev.capture_gap = true;
	ev.fallback_scsv = TRI_TRUE;
	ev.suites = UINT64_MAX >> 1;
	ck_assert(tally_add(t, &ev));
	tally_sort(t);
	for (size_t i = 0; i < tally_finding_count(t); i++) {
		struct finding f;

		tally_finding_at(t, i, &f);
		buf_add_text(&written, "here 255 ");
		dump_finding(&written, &f);
	}
	store_set_judge(s, NULL, NULL);
	flush(s, t, NULL);
	ck_assert_int_eq(store_each_finding(s, NULL, dump_one_finding, &read, &err), 0);
	ck_assert_str_eq(buf_text(&written), buf_text(&read));
	buf_release(&written);
	buf_release(&read);
	tally_free(t);
	store_close(s);
}
END_TEST

/* Among them what nothing speaks, which counts as not known. */
START_TEST(days_tell_the_versions_that_are_spoken)
{
	static const struct {
		uint16_t version, told;
	} rows[] = {
		{ 0x0000, 0x0000 },
		{ 0x0002, 0x0002 },
		{ 0x0300, 0x0300 },
		{ 0x0304, 0x0304 },
		{ 0x033f, 0x033f },
		{ 0x0340, 0x0000 },
		{ 0x0400, 0x0000 },
		{ 0x7eff, 0x0000 },
		{ 0x7f00, 0x7f00 },
		{ 0x7f1c, 0x7f1c },
		{ 0x7f7f, 0x7f7f },
		{ 0xffff, 0x0000 },
	};
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "a.example", rows[_i].version, DAY);
	struct rows seen = { .left = 9 };
	struct error err;
	char expected[64];

	flush_event(s, &ev);
	ck_assert_int_eq(store_each_day(s, NULL, see_version, &seen, &err), 0);
	(void)snprintf(expected, sizeof(expected), "%04x 1\n", rows[_i].told);
	ck_assert_str_eq(buf_text(&seen.text), expected);
	buf_release(&seen.text);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, rows_come_in_their_order);
	tcase_add_loop_test(tc, a_sensor_is_asked_for_by_name, 0, 2);
	tcase_add_test(tc, verdicts_are_those_of_the_row);
	tcase_add_loop_test(tc, clients_are_chosen_by_network, 0, ROWS(networks));
	tcase_add_test(tc, times_are_those_of_the_row_with_their_ends);
	tcase_add_loop_test(tc, a_callback_may_end_the_query, 0, 3);
	tcase_add_test(tc, days_of_many_clients_take_one_statement);
	tcase_add_test(tc, a_query_from_within_a_query_is_fine);
	tcase_add_loop_test(tc, queries_of_a_snapshot_see_one_moment, 0, 2);
	tcase_add_test(tc, runs_come_by_age_and_are_chosen_by_the_time_of_their_packets);
	tcase_add_test(tc, captures_are_known_by_their_first_packets_and_sensor);
	tcase_add_loop_test(tc, a_finding_comes_back_as_it_was_counted, 0, 2);
	tcase_add_loop_test(tc, days_tell_the_versions_that_are_spoken, 0, 12);
}

SUITE_MAIN("store_query")
