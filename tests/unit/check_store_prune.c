#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/query.h"
#include "store/store.h"
#include "suite.h"
#include "tls/names.h"

#include "base/banned.h"

#define HOUR INT64_C(3600000000)
#define DAY (24 * HOUR)
/* 2026-11-19 00:00 UTC */
#define TODAY INT64_C(1795046400000000)
#define MAX 500

static char folder[64], path[96];
static struct store *store;
static int64_t sensor_id;
static unsigned judged_count;

static uint8_t
judge(void *arg, const struct finding *findings, size_t count, struct store_judgement *out,
    struct buf *reason)
{
	uint16_t worst = UINT16_MAX;

	(void)arg;
	judged_count++;
	for (size_t i = 0; i < count; i++) {
		out[i] =
		    (struct store_judgement){ (uint8_t)(findings[i].key.tls_version & 0xff), 0 };
		if (findings[i].key.tls_version < worst)
			worst = findings[i].key.tls_version;
	}
	buf_addf(reason, "worst of %zu", count);
	return (uint8_t)(worst & 0xff);
}

static void
setup(void)
{
	struct error err = { "" };

	(void)snprintf(folder, sizeof(folder), "/tmp/check_store_prune.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/t.db", folder);
	store = store_open(path, STORE_WRITE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	store_set_judge(store, judge, NULL);
	ck_assert_int_eq(store_sensor(store, "here", &sensor_id, &err), 0);
}

static void
teardown(void)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char name[128];

	store_close(store);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		(void)unlink(name);
	}
	(void)rmdir(folder);
}

static void
add(struct tally *t, unsigned client, const char *server, uint16_t version, int64_t at)
{
	struct event ev = {
		.timestamp_us = at,
		.settled_us = at,
		.server_port = 993,
		.vlan = -1,
		.protocol = PROTOCOL_IMAP,
		.tls_mode = TLS_MODE_IMPLICIT,
		.tls_version = version,
		.offered_version = version,
		.server_name_source = NAME_SOURCE_SNI,
		.outcome = OUTCOME_ESTABLISHED,
	};
	const uint8_t ip[4] = { 10, (uint8_t)(client >> 16), (uint8_t)(client >> 8),
		(uint8_t)client };

	ev.client_ip = addr_from_v4(ip);
	event_text_set(&ev.server_name, span_from_text(server));
	ck_assert(tally_add(t, &ev));
}

static void
flush(struct tally *t, struct store_run *run)
{
	struct error err = { "" };

	ck_assert_msg(store_flush(store, sensor_id, t, run, &err) == 0, "%s", err.text);
}

static void
add_one(unsigned client, const char *server, uint16_t version, int64_t at)
{
	struct tally *t = tally_new(NULL);

	add(t, client, server, version, at);
	flush(t, NULL);
	tally_free(t);
}

/* A whole sweep, by steps of `max`; returns the rows removed. */
static size_t
sweep(int64_t before_us, size_t max)
{
	struct error err = { "" };
	size_t total = 0, count = 0, steps = 0;
	bool more = true;

	while (more) {
		ck_assert_msg(
		    store_prune(store, before_us, max, &count, &more, &err) == 0, "%s", err.text);
		/* Of a client's last findings, days and its own row a few may come on top. */
		ck_assert_uint_le(count, 3 * max + 3);
		total += count;
		ck_assert_uint_lt(++steps, 1000000);
	}
	return total;
}

struct figures {
	size_t clients, findings, days, runs;
	uint8_t verdict; /* of the last client */
	char reason[32];
};

static bool
see_client(void *arg, const struct store_client *c)
{
	struct figures *f = arg;

	f->clients++;
	f->verdict = c->verdict;
	(void)snprintf(f->reason, sizeof(f->reason), "%s", c->reason);
	return true;
}

static bool
see_finding(void *arg, const struct store_client *c, const struct finding *finding, uint8_t verdict)
{
	struct figures *f = arg;

	(void)c;
	(void)finding;
	(void)verdict;
	f->findings++;
	return true;
}

static bool
see_day(void *arg, const struct store_day *day)
{
	struct figures *f = arg;

	(void)day;
	f->days++;
	return true;
}

static bool
see_run(void *arg, const struct store_run *run)
{
	struct figures *f = arg;

	(void)run;
	f->runs++;
	return true;
}

static struct figures
count_all(void)
{
	struct figures f = { 0 };
	struct error err;

	ck_assert_int_eq(store_each_client(store, NULL, see_client, &f, &err), 0);
	ck_assert_int_eq(store_each_finding(store, NULL, see_finding, &f, &err), 0);
	ck_assert_int_eq(store_each_day(store, NULL, see_day, &f, &err), 0);
	ck_assert_int_eq(store_each_run(store, NULL, see_run, &f, &err), 0);
	return f;
}

START_TEST(an_empty_database_has_nothing_to_remove)
{
	ck_assert_uint_eq(sweep(TODAY, MAX), 0);
}
END_TEST

START_TEST(what_was_seen_at_the_limit_stays_and_what_was_seen_before_goes)
{
	struct figures f;

	add_one(1, "a.example", TLS_VERSION_1_2, TODAY - 1);
	add_one(2, "a.example", TLS_VERSION_1_2, TODAY);
	ck_assert_uint_eq(sweep(TODAY, MAX), 3); /* the finding, its day, its client */
	f = count_all();
	ck_assert_uint_eq(f.clients, 1);
	ck_assert_uint_eq(f.findings, 1);
	ck_assert_uint_eq(f.days, 1);
	ck_assert_uint_eq(sweep(TODAY, MAX), 0);
}
END_TEST

START_TEST(a_client_that_is_seen_again_keeps_what_is_fresh_and_is_judged_anew)
{
	struct figures f;

	add_one(1, "old.example", TLS_VERSION_1_0, TODAY - 10 * DAY);
	add_one(1, "new.example", TLS_VERSION_1_3, TODAY);
	f = count_all();
	ck_assert_uint_eq(f.verdict, TLS_VERSION_1_0 & 0xff);
	ck_assert_str_eq(f.reason, "worst of 2");
	judged_count = 0;
	ck_assert_uint_eq(sweep(TODAY - DAY, MAX), 2); /* the finding and its day */
	ck_assert_uint_eq(judged_count, 1);
	f = count_all();
	ck_assert_uint_eq(f.clients, 1);
	ck_assert_uint_eq(f.findings, 1);
	ck_assert_uint_eq(f.verdict, TLS_VERSION_1_3 & 0xff);
	ck_assert_str_eq(f.reason, "worst of 1");
}
END_TEST

START_TEST(an_old_day_goes_although_its_finding_is_fresh)
{
	add_one(1, "a.example", TLS_VERSION_1_2, TODAY - 10 * DAY);
	add_one(1, "a.example", TLS_VERSION_1_2, TODAY);
	judged_count = 0;
	ck_assert_uint_eq(sweep(TODAY - DAY, MAX), 1);
	ck_assert_msg(judged_count == 0, "the findings are the same");
	ck_assert_uint_eq(count_all().days, 1);
}
END_TEST

static void
add_run(const char *command, int64_t end_us)
{
	const struct store_counter counters[] = { { "gaps", 0 }, { "events", 1 } };
	const struct store_source source = {
		.name = "eth0",
		.has_identity = true,
		.identity = { 1, 2, 3 },
	};
	struct store_run run = {
		.command = command,
		.started_us = end_us - HOUR,
		.begin_us = end_us - HOUR,
		.end_us = end_us,
		.counters = counters,
		.counter_count = 2,
		.sources = &source,
		.source_count = 1,
	};

	flush(NULL, &run);
}

static bool
see_identity(void *arg, const struct store_identity *identity)
{
	(void)identity;
	(*(size_t *)arg)++;
	return true;
}

START_TEST(old_captures_go_and_what_recognises_replays_stays)
{
	size_t identities = 0;
	struct error err;

	add_run("capture", TODAY - 2 * DAY);
	add_run("capture", TODAY);
	add_run("replay", TODAY - 2 * DAY);
	/* Two counters, one source, one run. */
	ck_assert_uint_eq(sweep(TODAY - DAY, MAX), 4);
	ck_assert_uint_eq(count_all().runs, 2);
	ck_assert_int_eq(
	    store_each_identity(store, sensor_id, 1, see_identity, &identities, &err), 0);
	ck_assert_uint_eq(identities, 2);
}
END_TEST

static const size_t step_sizes[] = { 1, 2, 7, 500 };

START_TEST(steps_of_any_size_come_to_the_same_end)
{
	struct tally *t = tally_new(NULL);
	struct figures f;
	char server[32];

	for (unsigned client = 0; client < 40; client++) {
		for (unsigned i = 0; i < 5; i++) {
			(void)snprintf(server, sizeof(server), "s%u.example", i);
			add(t, client, server, TLS_VERSION_1_2,
			    TODAY - (int64_t)((client + i) % 4) * DAY);
		}
	}
	flush(t, NULL);
	tally_free(t);
	for (unsigned i = 0; i < 5; i++)
		add_run("capture", TODAY - (int64_t)i * DAY);
	/* Ages of 0 to 3 days are equally many; those of 2 and 3 go. */
	ck_assert_uint_gt(sweep(TODAY - DAY - HOUR, step_sizes[_i]), 100);
	f = count_all();
	ck_assert_uint_eq(f.clients, 40);
	ck_assert_uint_eq(f.findings, 100);
	ck_assert_uint_eq(f.runs, 2);
	ck_assert_uint_eq(sweep(TODAY + DAY, step_sizes[_i]), 0 + 40 + f.findings + f.days + 8);
	f = count_all();
	ck_assert_uint_eq(f.clients + f.findings + f.days + f.runs, 0);
}
END_TEST

START_TEST(the_file_gets_smaller)
{
	struct tally *t = tally_new(NULL);
	struct error err;
	struct stat before, after;

	for (unsigned client = 0; client < 4000; client++)
		add(t, client, "a-server-with-a-long-name.example.com", TLS_VERSION_1_2,
		    TODAY - 10 * DAY);
	flush(t, NULL);
	tally_free(t);
	/* Closing moves everything from the log to the file. */
	store_close(store);
	ck_assert_int_eq(stat(path, &before), 0);
	store = store_open(path, STORE_WRITE, &err);
	ck_assert_ptr_nonnull(store);
	ck_assert_uint_eq(sweep(TODAY, MAX), 12000);
	store_close(store);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_msg(after.st_size < before.st_size / 4, "%lld of %lld bytes are left",
	    (long long)after.st_size, (long long)before.st_size);
	store = store_open(path, STORE_WRITE, &err);
	ck_assert_ptr_nonnull(store);
}
END_TEST

START_TEST(a_locked_database_fails_and_loses_nothing)
{
	struct error err = { "" };
	struct store *other = store_open(path, STORE_WRITE, &err);
	size_t count;
	bool more;

	ck_assert_ptr_nonnull(other);
	add_one(1, "a.example", TLS_VERSION_1_2, TODAY - DAY);
	ck_assert_int_eq(store_begin(other, &err), 0);
	ck_assert_int_eq(store_prune(store, TODAY, MAX, &count, &more, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_uint_eq(count, 0);
	ck_assert(more);
	store_close(other);
	ck_assert_uint_eq(sweep(TODAY, MAX), 3);
}
END_TEST

/* A capture of the first hour of each of these days. */
static void
capture_days(int64_t first_us, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int64_t begin_us = first_us + i * DAY;
		struct store_run run = { .command = "capture",
			.started_us = begin_us,
			.begin_us = begin_us,
			.end_us = begin_us + HOUR };

		flush(NULL, &run);
	}
}

static int64_t
limit(int64_t now_us, int64_t retention_us)
{
	struct error err = { "" };
	int64_t before_us = -1;

	ck_assert_msg(
	    store_prune_limit(store, now_us, retention_us, &before_us, &err) == 0, "%s", err.text);
	return before_us;
}

START_TEST(a_clock_that_leaps_years_ahead_makes_nothing_old)
{
	int64_t ahead = TODAY + 5 * 365 * DAY;

	capture_days(TODAY - 30 * DAY, 30);
	capture_days(ahead, 1);
	/* By the clock all is old; 40 days back, with a capture, there is nothing. */
	ck_assert_int_eq(limit(ahead + 2 * HOUR, 40 * DAY), 0);
	/* The day of the leap counts as one of ten. */
	ck_assert_int_eq(limit(ahead + 2 * HOUR, 10 * DAY), TODAY - 9 * DAY);
	/* When the clock is right again, the day ahead is none. */
	ck_assert_int_eq(limit(TODAY, 30 * DAY), TODAY - 30 * DAY);
}
END_TEST

START_TEST(days_without_a_capture_make_nothing_old)
{
	struct store_run replay = {
		.command = "replay", .started_us = TODAY, .begin_us = TODAY - DAY, .end_us = TODAY
	};

	capture_days(TODAY - 100 * DAY, 10);
	capture_days(TODAY - 5 * DAY, 5);
	flush(NULL, &replay);
	ck_assert_int_eq(limit(TODAY, 4 * DAY), TODAY - 4 * DAY);
	ck_assert_int_eq(limit(TODAY, 36 * HOUR), TODAY - 2 * DAY);
	ck_assert_int_eq(limit(TODAY, 7 * DAY), TODAY - 92 * DAY);
	ck_assert_int_eq(limit(TODAY, 15 * DAY), TODAY - 100 * DAY);
	ck_assert_int_eq(limit(TODAY, 16 * DAY), 0);
}
END_TEST

START_TEST(days_on_which_no_interface_was_up_make_nothing_old)
{
	const struct store_source sources[] = { { .name = "eth0" }, { .name = "eth1" } };
	struct store_counter down = { "interface_down_ms", 2 * HOUR / 1000 };

	for (int i = 10; i > 0; i--) {
		struct store_run run = { .command = "capture",
			.started_us = TODAY - i * DAY,
			.begin_us = TODAY - i * DAY,
			.end_us = TODAY - i * DAY + HOUR,
			.counters = &down,
			.counter_count = 1,
			.sources = sources,
			.source_count = 2 };

		down.value = i > 8 ? HOUR / 1000 : 2 * HOUR / 1000; /* one of the two, or both */
		flush(NULL, &run);
	}
	ck_assert_int_eq(limit(TODAY, DAY), TODAY - 9 * DAY);
	ck_assert_int_eq(limit(TODAY, 2 * DAY), TODAY - 10 * DAY);
	ck_assert_int_eq(limit(TODAY, 3 * DAY), 0);
}
END_TEST

START_TEST(a_clock_that_was_never_set_makes_nothing_old)
{
	capture_days(0, 10);
	ck_assert_int_eq(limit(10 * DAY, 400 * DAY), 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_empty_database_has_nothing_to_remove);
	tcase_add_test(tc, what_was_seen_at_the_limit_stays_and_what_was_seen_before_goes);
	tcase_add_test(tc, a_client_that_is_seen_again_keeps_what_is_fresh_and_is_judged_anew);
	tcase_add_test(tc, an_old_day_goes_although_its_finding_is_fresh);
	tcase_add_test(tc, old_captures_go_and_what_recognises_replays_stays);
	tcase_add_loop_test(tc, steps_of_any_size_come_to_the_same_end, 0,
	    (int)(sizeof(step_sizes) / sizeof(step_sizes[0])));
	tcase_add_test(tc, the_file_gets_smaller);
	tcase_add_test(tc, a_locked_database_fails_and_loses_nothing);
	tcase_add_test(tc, a_clock_that_leaps_years_ahead_makes_nothing_old);
	tcase_add_test(tc, days_without_a_capture_make_nothing_old);
	tcase_add_test(tc, days_on_which_no_interface_was_up_make_nothing_old);
	tcase_add_test(tc, a_clock_that_was_never_set_makes_nothing_old);
}

SUITE_MAIN("store_prune")
