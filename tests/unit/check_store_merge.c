#include "store_fixture.h"

#include "store/merge.h"

#include "base/banned.h"

/* Databases by name in the folder. */
static struct store *
open_named(const char *name, enum store_mode mode)
{
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return open_store(mode);
}

static struct store_counter events = { "events", 0 };

/* One run per database; each flush goes on with it. */
struct sensor {
	struct store *store;
	struct store_run run;
};

static void
sensor_open(struct sensor *x, const char *name)
{
	*x = (struct sensor){
		.store = open_named(name, STORE_WRITE),
		.run = { .command = "replay", .started_us = DAY, .counter_count = 1 },
	};
}

static void
count(struct sensor *x, const struct event *ev)
{
	struct tally *t = tally_new(NULL);

	struct event end = session_end(ev, SECOND, 300);

	ck_assert(tally_add(t, ev));
	if (ev->outcome == OUTCOME_ESTABLISHED)
		ck_assert(tally_add(t, &end));
	events.value = ++x->run.packet_count;
	x->run.counters = &events;
	x->run.begin_us = x->run.begin_us == 0 ? ev->timestamp_us : x->run.begin_us;
	x->run.end_us = ev->timestamp_us;
	flush(x->store, t, &x->run);
	tally_free(t);
}

static int
merge(struct store *into, struct store *from, struct store_merged *out)
{
	struct error err = { "" };

	ck_assert_msg(store_begin(into, &err) == 0, "%s", err.text);
	if (store_merge(into, from, out, &err) == 0)
		return store_commit(into, &err);
	store_rollback(into);
	ck_assert_uint_gt(strlen(err.text), 0);
	return -1;
}

static const char counts_sql[] =
    "SELECT sensor, client, server, server_port, tls_version, offered_version, outcome, refusal,"
    " count, with_capture_gap, first_seen, last_seen, verdict FROM inventory"
    " ORDER BY 1, 2, 3, 4, 5, 6, 7, 8";
static const char days_sql[] = "SELECT * FROM days ORDER BY 1, 2, 3, 4, 5";
static const char logins_sql[] = "SELECT * FROM logins ORDER BY 1, 2, 3";
static const char clients_sql[] = "SELECT client, count, first_seen, last_seen, verdict, reason"
				  " FROM clients ORDER BY 1";

static void
assert_same(const char *one, const char *other)
{
	static const char *const queries[] = { counts_sql, days_sql, clients_sql, logins_sql };
	char *rows;

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, one);
		rows = xstrdup(sql(queries[i]));
		(void)snprintf(path, sizeof(path), "%s/%s", folder, other);
		ck_assert_str_eq(rows, sql(queries[i]));
		free(rows);
	}
}

START_TEST(merged_in_any_order_the_sums_are_those_of_one_database)
{
	struct sensor parts[2], all;
	struct store *into;
	struct store_merged merged;
	uint64_t state = 7 + (uint64_t)_i;
	/* Over weeks, or so close that an hour grows from one merge to the next. */
	int64_t step_us = _i % 2 == 0 ? 7 * HOUR : HOUR / 20;

	sensor_open(&parts[0], "a.db");
	sensor_open(&parts[1], "b.db");
	parts[1].run.started_us++;
	sensor_open(&all, "all.db");
	into = open_named("into.db", STORE_WRITE);
	for (int i = 0; i < 150; i++) {
		struct event ev = random_event(&state, DAY + i * step_us);

		count(&parts[next_random(&state) % 2], &ev);
		count(&all, &ev);
		if (next_random(&state) % 16 == 0)
			ck_assert_int_eq(
			    merge(into, parts[next_random(&state) % 2].store, &merged), 0);
	}
	ck_assert_int_eq(merge(into, parts[0].store, &merged), 0);
	ck_assert_int_eq(merge(into, parts[1].store, &merged), 0);
	assert_same("into.db", "all.db");
	ck_assert_int_eq(merge(into, parts[0].store, &merged), 0);
	ck_assert_uint_eq(merged.unchanged_count, 1);
	ck_assert_uint_eq(merged.event_count, 0);
	store_close(parts[0].store);
	store_close(parts[1].store);
	store_close(all.store);
	store_close(into);
}
END_TEST

static void
prune(struct store *s, int64_t before_us)
{
	struct error err = { "" };
	size_t gone;
	bool more = true;

	while (more)
		ck_assert_int_eq(store_prune(s, before_us, 1000, &gone, &more, &err), 0);
}

START_TEST(what_retention_removed_here_does_not_come_back)
{
	struct event old = handshake("10.0.0.1", "a.example", V10, DAY);
	struct event fresh = handshake("10.0.0.1", "b.example", V12, DAY + 480 * HOUR);
	struct event end = session_end(&old, SECOND, 300);
	struct tally *t = tally_new(NULL);
	struct store_merged merged;
	struct store *into;
	struct sensor from;

	sensor_open(&from, "a.db");
	into = open_named("into.db", STORE_WRITE);
	count(&from, &old);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	prune(into, DAY + 240 * HOUR);
	ck_assert_str_eq(sql("SELECT count(*) FROM clients"), "0");
	/* Nor does the end of what was counted then. */
	ck_assert(tally_add(t, &end));
	from.run.packet_count++;
	flush(from.store, t, &from.run);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	ck_assert_str_eq(sql("SELECT count(*) FROM clients"), "0");
	count(&from, &fresh);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	ck_assert_uint_eq(merged.event_count, 1);
	(void)snprintf(path, sizeof(path), "%s/into.db", folder);
	ck_assert_str_eq(sql("SELECT server, count FROM inventory"), "b.example|1");
	tally_free(t);
	store_close(from.store);
	store_close(into);
}
END_TEST

START_TEST(what_begins_anew_after_retention_there_is_added)
{
	struct event ev = handshake("10.0.0.1", "a.example", V10, DAY);
	struct store_merged merged;
	struct store *into;
	struct sensor from;

	sensor_open(&from, "a.db");
	into = open_named("into.db", STORE_WRITE);
	count(&from, &ev);
	count(&from, &ev);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	prune(from.store, DAY + 240 * HOUR);
	for (int i = 0; i < 3; i++) {
		ev.timestamp_us = ev.settled_us = DAY + (480 + i) * HOUR;
		count(&from, &ev);
		ck_assert_int_eq(merge(into, from.store, &merged), 0);
		ck_assert_uint_eq(merged.event_count, 1);
	}
	(void)snprintf(path, sizeof(path), "%s/into.db", folder);
	ck_assert_str_eq(
	    sql("SELECT count, first_seen FROM inventory"), "5|2026-11-19T00:00:00.000000Z");
	store_close(from.store);
	store_close(into);
}
END_TEST

START_TEST(what_is_settled_without_another_packet_is_new)
{
	struct event ev = handshake("10.0.0.1", "a.example", V10, DAY);
	/* Live, or of a capture that is known to its last packet. */
	struct store_source source = {
		.name = "a", .packet_count = 1, .has_identity = _i == 1, .identity = { 1, 2, 3 }
	};
	struct store_merged merged;
	struct store *into;
	struct sensor from;

	sensor_open(&from, "a.db");
	from.run.sources = &source;
	from.run.source_count = 1;
	into = open_named("into.db", STORE_WRITE);
	count(&from, &ev);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	count(&from, &ev);
	from.run.packet_count--;
	flush(from.store, NULL, &from.run);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	ck_assert_uint_eq(merged.event_count, 1);
	store_close(from.store);
	store_close(into);
}
END_TEST

START_TEST(a_sensor_that_hears_nothing_has_listened_all_the_same)
{
	static const char query[] = "SELECT end, packets FROM coverage";
	struct store_merged merged;
	struct store *into;
	struct sensor from;

	sensor_open(&from, "a.db");
	into = open_named("into.db", STORE_WRITE);
	from.run.command = "capture";
	from.run.counter_count = 0;
	from.run.begin_us = DAY;
	for (int i = 1; i < 3; i++) {
		from.run.end_us = DAY + i * HOUR / 2;
		flush(from.store, NULL, &from.run);
		ck_assert_int_eq(merge(into, from.store, &merged), 0);
	}
	ck_assert_str_eq(sql(query), "2026-11-19T01:00:00.000000Z|0");
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	ck_assert_uint_eq(merged.unchanged_count, 1);
	store_close(from.store);
	store_close(into);
}
END_TEST

START_TEST(logins_of_a_session_that_was_counted_before_are_merged)
{
	struct event ev = handshake("10.0.0.1", "a.example", 0, DAY), end = ev;
	struct store_merged merged;
	struct store *into;
	struct sensor from;
	struct tally *t = tally_new(NULL);

	ev.kind = EVENT_CLEARTEXT_SESSION;
	ev.outcome = end.outcome = OUTCOME_CLEARTEXT;
	end.kind = EVENT_SESSION_END;
	end.ending.failed_logins = 3;
	sensor_open(&from, "a.db");
	into = open_named("into.db", STORE_WRITE);
	count(&from, &ev);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	/* When it is over. */
	ck_assert(tally_add(t, &end));
	from.run.packet_count++;
	flush(from.store, t, &from.run);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	ck_assert_uint_eq(merged.event_count, 0);
	ck_assert_str_eq(sql("SELECT hour, failed_logins FROM logins"), "2026-11-19T00:00:00Z|3");
	assert_same("into.db", "a.db");
	tally_free(t);
	store_close(from.store);
	store_close(into);
}
END_TEST

START_TEST(copies_are_in_no_view_and_no_query)
{
	struct event ev = handshake("10.0.0.1", "a.example", V10, DAY);
	struct store_merged merged;
	struct store *into;
	struct sensor from;
	struct buf one = { 0 }, other = { 0 };

	sensor_open(&from, "a.db");
	into = open_named("into.db", STORE_WRITE);
	count(&from, &ev);
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	dump_store(from.store, &one);
	dump_store(into, &other);
	ck_assert_str_eq(buf_text(&one), buf_text(&other));
	ck_assert_str_eq(sql("SELECT count(*) FROM client"), "2");
	ck_assert_str_eq(sql("SELECT (SELECT count(*) FROM clients), (SELECT count(*) FROM days),"
			     " (SELECT count(*) FROM inventory)"),
	    "1|1|1");
	buf_release(&one);
	buf_release(&other);
	store_close(from.store);
	store_close(into);
}
END_TEST

START_TEST(how_regularly_a_client_comes_is_merged_too)
{
	static const char query[] =
	    "SELECT client_name, cadence, interval_s, interval_share, active_hours FROM clients";
	struct event ev = handshake("10.0.0.1", "a.example", V10, DAY);
	struct store_merged merged;
	struct store *into;
	struct sensor from;
	char *rows;

	sensor_open(&from, "a.db");
	into = open_named("into.db", STORE_WRITE);
	event_text_set(&ev.client_name, BYTES("scanner"));
	ev.client_name_source = NAME_SOURCE_EHLO;
	for (int i = 0; i < 40; i++) {
		ev.timestamp_us = ev.settled_us = DAY + i * 300 * SECOND;
		count(&from, &ev);
		if (i % 13 == 0)
			ck_assert_int_eq(merge(into, from.store, &merged), 0);
	}
	ck_assert_int_eq(merge(into, from.store, &merged), 0);
	(void)snprintf(path, sizeof(path), "%s/a.db", folder);
	rows = xstrdup(sql(query));
	ck_assert_ptr_nonnull(strstr(rows, "scanner|every 300 s"));
	(void)snprintf(path, sizeof(path), "%s/into.db", folder);
	ck_assert_str_eq(sql(query), rows);
	free(rows);
	store_close(from.store);
	store_close(into);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_loop_test(tc, merged_in_any_order_the_sums_are_those_of_one_database, 0, 4);
	tcase_add_test(tc, what_retention_removed_here_does_not_come_back);
	tcase_add_test(tc, what_begins_anew_after_retention_there_is_added);
	tcase_add_loop_test(tc, what_is_settled_without_another_packet_is_new, 0, 2);
	tcase_add_test(tc, how_regularly_a_client_comes_is_merged_too);
	tcase_add_test(tc, a_sensor_that_hears_nothing_has_listened_all_the_same);
	tcase_add_test(tc, logins_of_a_session_that_was_counted_before_are_merged);
	tcase_add_test(tc, copies_are_in_no_view_and_no_query);
}

SUITE_MAIN("store_merge")
