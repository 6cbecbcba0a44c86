#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "store_fixture.h"

#include "base/banned.h"

static void
add(struct tally *t, const struct event *ev)
{
	ck_assert(tally_add(t, ev));
}

/* `count` random events, a minute apart. */
static void
add_random(struct tally *t, uint64_t *state, int from, int count)
{
	for (int i = from; i < from + count; i++) {
		struct event ev = random_event(state, DAY + i * 60 * SECOND);

		add(t, &ev);
	}
}

START_TEST(an_empty_flush_changes_nothing)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);

	flush(s, t, NULL);
	flush(s, NULL, NULL);
	ck_assert_str_eq(sql("SELECT (SELECT count(*) FROM inventory),"
			     " (SELECT count(*) FROM clients), (SELECT count(*) FROM days),"
			     " (SELECT count(*) FROM coverage)"),
	    "0|0|0|0");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_tally_is_empty_after_its_flush)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	for (int i = 0; i < 3; i++) {
		add(t, &ev);
		flush(s, t, NULL);
		ck_assert(tally_is_empty(t));
	}
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "3");
	ck_assert_str_eq(sql("SELECT count FROM clients"), "3");
	ck_assert_str_eq(sql("SELECT count FROM days"), "3");
	tally_free(t);
	store_close(s);
}
END_TEST

static const int flush_sizes[] = { 1, 7, 50, 299, 300 };

START_TEST(many_flushes_give_what_one_flush_gives)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct buf one = { 0 }, many = { 0 };
	uint64_t state = 5;

	add_random(t, &state, 0, 300);
	flush(s, t, NULL);
	dump_store(s, &one);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s/many.db", folder);
	s = open_store(STORE_WRITE);
	state = 5;
	for (int at = 0; at < 300;) {
		int count = 300 - at < flush_sizes[_i] ? 300 - at : flush_sizes[_i];

		add_random(t, &state, at, count);
		flush(s, t, NULL);
		at += count;
		if (at % 3 == 0) { /* also across runs of the program */
			store_close(s);
			s = open_store(STORE_WRITE);
		}
	}
	dump_store(s, &many);
	ck_assert_uint_gt(one.len, 2000);
	ck_assert_str_eq(buf_text(&one), buf_text(&many));
	store_close(s);
	buf_release(&one);
	buf_release(&many);
	tally_free(t);
}
END_TEST

START_TEST(an_earlier_capture_that_is_read_later_does_not_take_over)
{
	struct store *s = open_store(STORE_WRITE);
	struct event late = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event early = late;

	late.has_client_mac = late.has_cipher_suite = true;
	late.client_mac[5] = 2;
	late.cipher_suite = 0xc02f;
	early.timestamp_us -= HOUR;
	early.has_client_mac = early.has_cipher_suite = true;
	early.client_mac[5] = 1;
	early.cipher_suite = 0xc030;
	event_text_set(&early.client_name, BYTES("scanner"));
	early.client_name_source = NAME_SOURCE_EHLO;
	flush_event(s, &late);
	flush_event(s, &early);
	ck_assert_str_eq(sql("SELECT client_mac, client_name, first_seen, last_seen FROM clients"),
	    "00:00:00:00:00:02|scanner|2026-11-18T23:00:00.000000Z|2026-11-19T00:00:00.000000Z");
	ck_assert_str_eq(sql("SELECT cipher_suite, count, first_seen FROM inventory"),
	    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256|2|2026-11-18T23:00:00.000000Z");
	store_close(s);
}
END_TEST

START_TEST(sensors_keep_their_clients_apart)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;
	int64_t a = sensor_of(s, "a"), b = sensor_of(s, "b");

	ck_assert_int_ne(a, b);
	ck_assert_int_eq(sensor_of(s, "a"), a);
	add(t, &ev);
	ck_assert_int_eq(store_flush(s, a, t, NULL, &err), 0);
	add(t, &ev);
	ck_assert_int_eq(store_flush(s, b, t, NULL, &err), 0);
	ck_assert_str_eq(sql("SELECT sensor, client, count FROM clients ORDER BY 1"),
	    "a|10.0.0.1|1\nb|10.0.0.1|1");
	tally_free(t);
	store_close(s);
}
END_TEST

/* By another process, in what would be the next flush of the same client. */
START_TEST(a_client_that_was_removed_is_made_anew)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	static const char counts[] = "SELECT client, count, (SELECT count(*) FROM client_state),"
				     " (SELECT sum(count) FROM inventory) FROM clients";

	for (unsigned i = 0; i < 3; i++) {
		flush_event(s, &ev);
		flush_event(s, &ev);
		ck_assert_str_eq(sql(counts), "10.0.0.1|2|1|2");
		(void)sql("DELETE FROM finding");
		(void)sql("DELETE FROM client");
		ck_assert_str_eq(sql("SELECT count(*) FROM client_state"), "0");
	}
	store_close(s);
}
END_TEST

START_TEST(a_client_of_a_flush_that_was_taken_back_is_not_known)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct error err;

	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	store_rollback(s);
	ck_assert_str_eq(sql("SELECT count(*) FROM client"), "0");
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT client, count FROM clients"), "10.0.0.1|1");
	ck_assert_str_eq(sql("SELECT client, count FROM inventory"), "10.0.0.1|1");
	store_close(s);
}
END_TEST

START_TEST(a_reader_is_given_no_new_sensor)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };
	int64_t id = sensor_of(s, "a");

	store_close(s);
	s = open_store(STORE_READ);
	ck_assert_int_eq(sensor_of(s, "a"), id);
	ck_assert_int_eq(sensor_of(s, "b"), 0);
	ck_assert(tally_add(t, &ev));
	ck_assert_int_eq(store_flush(s, id, t, NULL, &err), -1);
	ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
	ck_assert_uint_eq(tally_event_count(t), 1);
	tally_free(t);
	store_close(s);
}
END_TEST

/* store_begin and its kin */

START_TEST(several_flushes_are_one_when_committed)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err;

	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "0");
	ck_assert_int_eq(store_commit(s, &err), 0);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "2");
	/* And each by itself afterwards. */
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "3");
	store_close(s);
}
END_TEST

START_TEST(what_is_not_committed_is_not_there)
{
	struct store *s = open_store(STORE_WRITE);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };

	flush_event(s, &ev);
	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	if (_i == 0) {
		store_rollback(s);
		ck_assert_int_eq(store_commit(s, &err), -1);
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		flush_event(s, &ev);
	}
	store_close(s);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), _i == 0 ? "2" : "1");
	ck_assert_str_eq(sql("SELECT count FROM days"), _i == 0 ? "2" : "1");
}
END_TEST

/*
 * Flushes where no file may grow beyond `room`.  No assertion meanwhile: the file by which Check
 * hears of it is a file too.
 */
static int
flush_within(struct store *s, int64_t sensor, struct tally *t, struct store_run *run, rlim_t room,
    struct error *err)
{
	struct rlimit limit, old;
	int limited, result;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = room;
	limited = setrlimit(RLIMIT_FSIZE, &limit);
	result = store_flush(s, sensor, t, run, err);
	(void)setrlimit(RLIMIT_FSIZE, &old);
	ck_assert_int_eq(limited, 0);
	return result;
}

/* An event each of so many clients.  False: the tally is full. */
static bool
count_clients(struct tally *t, const struct event *like, int count)
{
	struct event ev = *like;
	bool all = true;

	for (int i = 0; i < count; i++) {
		ev.timestamp_us = DAY + i * SECOND;
		ev.client_ip.bytes[1] = (uint8_t)(i >> 16);
		ev.client_ip.bytes[2] = (uint8_t)(i >> 8);
		ev.client_ip.bytes[3] = (uint8_t)i;
		all = tally_add(t, &ev) && all;
	}
	return all;
}

static void
add_clients(struct tally *t, int count)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);

	ck_assert(count_clients(t, &ev, count));
}

START_TEST(a_full_disk_leaves_the_tally_and_the_database_as_they_were)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct store_run run = { .command = "capture", .packet_count = 5 };
	struct buf tally_before = { 0 }, tally_after = { 0 }, before = { 0 }, after = { 0 };
	int64_t sensor = sensor_of(s, "here");
	int failures = 0;

	add_clients(t, 50);
	flush(s, t, &run);
	dump_store(s, &before);
	add_clients(t, 3000);
	dump_tally(t, &tally_before);
	for (rlim_t room = 0; room < 500000; room += room < 50000 ? 4100 : 110000) {
		struct store_run new_run = { .command = "capture", .packet_count = 5 };
		struct error err = { "" };

		if (flush_within(s, sensor, t, &new_run, room, &err) == 0)
			break;
		failures++;
		ck_assert_msg(strstr(err.text, "the disk is full") != NULL, "%s", err.text);
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		ck_assert_int_eq(new_run.id, 0);
		dump_tally(t, &tally_after);
		ck_assert_str_eq(buf_text(&tally_before), buf_text(&tally_after));
		dump_store(s, &after);
		ck_assert_str_eq(buf_text(&before), buf_text(&after));
		ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	}
	ck_assert_int_ge(failures, 5);
	if (!tally_is_empty(t))
		flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT count(*), sum(count) FROM inventory"), "3000|3050");
	ck_assert_str_eq(sql("SELECT sum(count) FROM days"), "3050");
	store_close(s);
	tally_free(t);
	buf_release(&tally_before);
	buf_release(&tally_after);
	buf_release(&before);
	buf_release(&after);
}
END_TEST

START_TEST(a_failure_in_between_undoes_all_flushes_of_a_transaction)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.9.9.9", "mail.example", V10, DAY);
	struct event large = handshake("10.0.0.1", "", V10, DAY);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");

	/* More than the page cache holds, so that it reaches the disk before the end. */
	large.server_name.len = large.certificate_subject.len = EVENT_NAME_MAX;
	memset(large.server_name.data, 'x', EVENT_NAME_MAX);
	memset(large.certificate_subject.data, 'x', EVENT_NAME_MAX);
	ck_assert(count_clients(t, &large, 50000));
	ck_assert_int_eq(store_begin(s, &err), 0);
	flush_event(s, &ev);
	ck_assert_int_eq(flush_within(s, sensor, t, NULL, 100000, &err), -1);
	ck_assert_uint_eq(tally_event_count(t), 50000);
	/* It is over, also where a later flush would fit. */
	ck_assert_int_eq(store_flush(s, sensor, t, NULL, &err), -1);
	ck_assert_uint_eq(tally_event_count(t), 50000);
	ck_assert_int_eq(store_commit(s, &err), -1);
	ck_assert_str_eq(sql("SELECT count(*) FROM inventory"), "0");
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT sum(count) FROM inventory"), "50000");
	tally_free(t);
	store_close(s);
}
END_TEST

START_TEST(a_locked_database_keeps_the_tally_for_the_next_try)
{
	struct store *s = open_store(STORE_WRITE);
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };
	int64_t sensor = sensor_of(s, "here");
	sqlite3 *other;

	store_set_busy_timeout(s, 50);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 3; i++) {
		add(t, &ev);
		ck_assert_int_eq(store_flush(s, sensor, t, NULL, &err), -1);
		ck_assert_msg(
		    strstr(err.text, "another program has locked it") != NULL, "%s", err.text);
		ck_assert_int_eq(store_begin(s, &err), -1);
		ck_assert_msg(
		    strstr(err.text, "another program has locked it") != NULL, "%s", err.text);
	}
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
	flush(s, t, NULL);
	ck_assert_str_eq(sql("SELECT count FROM inventory"), "3");
	tally_free(t);
	store_close(s);
}
END_TEST

/* Runs */

START_TEST(a_run_keeps_its_number_and_is_brought_up_to_date)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_counter counters[] = { { "gaps", 1 }, { "kernel_dropped", 0 } };
	struct store_run run = { .command = "capture",
		.started_us = DAY,
		.packet_count = 10,
		.byte_count = 1000,
		.counters = counters,
		.counter_count = 2 };
	struct store_run other = { .command = "replay", .started_us = DAY };
	int64_t id;

	flush(s, NULL, &run);
	id = run.id;
	ck_assert_int_gt(id, 0);
	flush(s, NULL, &other);
	ck_assert_int_gt(other.id, id);
	counters[0].value = 7;
	run.packet_count = 20;
	run.begin_us = DAY + 1;
	run.end_us = DAY + 2;
	flush(s, NULL, &run);
	ck_assert_int_eq(run.id, id);
	ck_assert_str_eq(
	    sql("SELECT command, packets, bytes, gaps, kernel_dropped, flows_evicted, begin, end"
		" FROM coverage"),
	    "capture|20|1000|7|0|-|2026-11-19T00:00:00.000001Z|2026-11-19T00:00:00.000002Z\n"
	    "replay|0|0|-|-|-|-|-");
	store_close(s);
}
END_TEST

struct seen_run {
	int count;
	struct store_run run;
	struct store_source sources[4];
	char text[200];
};

static bool
see_run(void *arg, const struct store_run *run)
{
	struct seen_run *seen = arg;

	seen->count++;
	seen->run = *run;
	ck_assert_uint_le(run->source_count, 4);
	for (size_t i = 0; i < run->source_count; i++)
		seen->sources[i] = run->sources[i];
	(void)snprintf(seen->text, sizeof(seen->text), "%s %s %s %s", run->sensor, run->command,
	    run->source_count > 0 ? run->sources[0].name : "-",
	    run->source_count > 0 && run->sources[0].error != NULL ? run->sources[0].error : "-");
	return true;
}

START_TEST(sources_come_back_as_they_were_given)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_source sources[] = {
		{ .name = "a\nb.pcap",
		    .has_identity = true,
		    .identity = { UINT64_MAX, 10, UINT64_C(1) << 63 },
		    .packet_count = 9,
		    .byte_count = 900,
		    .snapped_count = 2,
		    .skipped_count = 1,
		    .begin_us = DAY,
		    .end_us = DAY + 1,
		    .error = "cut short" },
		{ .name = "" },
	};
	struct store_run run = { .command = "replay", .sources = sources, .source_count = 2 };
	struct seen_run seen = { 0 };
	struct error err;

	flush(s, NULL, &run);
	sources[0].packet_count = 19;
	flush(s, NULL, &run);
	ck_assert_int_eq(store_each_run(s, NULL, see_run, &seen, &err), 0);
	ck_assert_int_eq(seen.count, 1);
	ck_assert_int_eq(seen.run.id, run.id);
	ck_assert_uint_eq(seen.run.source_count, 2);
	ck_assert_str_eq(seen.text, "here replay a\\x0ab.pcap cut short");
	ck_assert(seen.sources[0].has_identity);
	ck_assert_uint_eq(seen.sources[0].identity.head_hash, UINT64_MAX);
	ck_assert_uint_eq(seen.sources[0].identity.packet_count, 10);
	ck_assert_uint_eq(seen.sources[0].identity.stream_hash, UINT64_C(1) << 63);
	ck_assert_uint_eq(seen.sources[0].packet_count, 19);
	ck_assert_uint_eq(seen.sources[0].byte_count, 900);
	ck_assert_uint_eq(seen.sources[0].snapped_count, 2);
	ck_assert_uint_eq(seen.sources[0].skipped_count, 1);
	ck_assert_int_eq(seen.sources[0].begin_us, DAY);
	ck_assert_int_eq(seen.sources[0].end_us, DAY + 1);
	ck_assert(!seen.sources[1].has_identity);
	ck_assert_ptr_null(seen.sources[1].error);
	store_close(s);
}
END_TEST

START_TEST(a_capture_that_has_to_be_new_is_counted_once)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_source source = { .name = "a.pcap",
		.has_identity = true,
		.identity = { UINT64_MAX, 10, UINT64_MAX - 1 },
		.must_be_new = true };
	struct store_run run = { .command = "replay", .sources = &source, .source_count = 1 };
	struct store_run again = run;
	struct tally *t = tally_new(NULL);
	struct error err = { "" };

	/* It may be brought up to date by its own run. */
	add_clients(t, 1);
	flush(s, t, &run);
	flush(s, NULL, &run);
	add_clients(t, 1);
	ck_assert_int_eq(store_flush(s, sensor_of(s, "here"), t, &again, &err), -1);
	ck_assert_msg(
	    strstr(err.text, "another program has just read a.pcap into") != NULL, "%s", err.text);
	ck_assert_uint_eq(tally_event_count(t), 1);
	ck_assert_int_eq(again.id, 0);
	ck_assert_str_eq(
	    sql("SELECT sum(count), (SELECT count(*) FROM coverage) FROM inventory"), "1|1");
	/* To another sensor it is new; so is other content. */
	ck_assert_int_eq(store_flush(s, sensor_of(s, "there"), NULL, &again, &err), 0);
	again.id = 0;
	source.identity.packet_count++;
	flush(s, NULL, &again);
	again.id = 0;
	source.must_be_new = false;
	flush(s, NULL, &again);
	ck_assert_str_eq(sql("SELECT count(*) FROM coverage"), "4");
	tally_free(t);
	store_close(s);
}
END_TEST

/* Processes */

/*
 * A process that flushes the same hundred clients so many times, and ends.  It asserts nothing: it
 * shares the file by which Check hears of that.
 */
static pid_t
start_writer(int times)
{
	const struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct error err = { "" };
	struct store_run run = { .command = "capture" };
	struct store *s;
	struct tally *t;
	int64_t id;
	bool good;
	pid_t pid = fork();

	if (pid != 0) {
		ck_assert_int_gt(pid, 0);
		return pid;
	}
	t = tally_new(NULL);
	s = store_open(path, STORE_WRITE, &err);
	good = s != NULL && store_sensor(s, "here", &id, &err) == 0;
	for (int i = 0; i < times && good; i++) {
		run.packet_count += 100;
		good = count_clients(t, &ev, 100) && store_flush(s, id, t, &run, &err) == 0;
	}
	if (!good)
		(void)fprintf(stderr, "%s\n", err.text);
	store_close(s);
	tally_free(t);
	_exit(good ? 0 : 1);
}

START_TEST(a_killed_writer_leaves_the_state_after_one_of_its_flushes)
{
	struct timespec patience = { .tv_nsec = (20 + 9 * _i) * 1000000L };
	pid_t pid;
	int status;

	store_close(open_store(STORE_WRITE));
	pid = start_writer(1000000);
	(void)nanosleep(&patience, NULL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_str_eq(sql("PRAGMA integrity_check"), "ok");
	ck_assert_str_eq(sql("SELECT coalesce(sum(count), 0) = (SELECT coalesce(sum(packets), 0)"
			     " FROM coverage), min(count) IS max(count) FROM inventory"),
	    "1|1");
	ck_assert_str_eq(sql("SELECT coalesce(sum(count), 0) = (SELECT coalesce(sum(packets), 0)"
			     " FROM coverage) FROM days"),
	    "1");
}
END_TEST

START_TEST(two_writers_wait_for_each_other_and_lose_nothing)
{
	pid_t pids[2];

	for (int i = 0; i < 2; i++)
		pids[i] = start_writer(40);
	for (int i = 0; i < 2; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_str_eq(
	    sql("SELECT count(*), min(count), max(count) FROM inventory"), "100|80|80");
	ck_assert_str_eq(sql("SELECT count(*), sum(packets) FROM coverage"), "2|8000");
}
END_TEST

/* Verdicts */

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

START_TEST(endings_of_a_later_flush_find_their_row)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event end = session_end(&ev, 2 * SECOND, 180);
	struct store *s = open_store(STORE_WRITE);

	flush_event(s, &ev);
	flush_event(s, &end);
	ck_assert_str_eq(sql("SELECT count, server_ip, ended, dropped_early, last_seen FROM "
			     "inventory"),
	    "1|192.0.2.1|1|1|2026-11-19T00:00:00.000000Z");
	ck_assert_str_eq(sql("SELECT count, dropped_early, last_seen FROM clients"),
	    "1|1|2026-11-19T00:00:00.000000Z");
	ck_assert_str_eq(sql("SELECT count FROM days"), "1");
	flush_event(s, &ev);
	ck_assert_str_eq(sql("SELECT count, ended FROM inventory"), "2|1");
	store_close(s);
}
END_TEST

START_TEST(endings_of_what_is_not_there_are_dropped)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct event end = session_end(&ev, 2 * SECOND, 180);
	struct event other = handshake("10.0.0.1", "other.example", V10, DAY);
	struct store *s = open_store(STORE_WRITE);

	flush_event(s, &end);
	ck_assert_str_eq(sql("SELECT count(*) FROM client"), "0");
	flush_event(s, &other);
	flush_event(s, &end);
	ck_assert_str_eq(sql("SELECT server, count, ended FROM inventory"), "other.example|1|0");
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
	tcase_add_test(tc, an_empty_flush_changes_nothing);
	tcase_add_test(tc, a_tally_is_empty_after_its_flush);
	tcase_add_loop_test(tc, many_flushes_give_what_one_flush_gives, 0, ROWS(flush_sizes));
	tcase_add_test(tc, an_earlier_capture_that_is_read_later_does_not_take_over);
	tcase_add_test(tc, sensors_keep_their_clients_apart);
	tcase_add_test(tc, a_client_that_was_removed_is_made_anew);
	tcase_add_test(tc, a_client_of_a_flush_that_was_taken_back_is_not_known);
	tcase_add_test(tc, a_reader_is_given_no_new_sensor);
	tcase_add_test(tc, several_flushes_are_one_when_committed);
	tcase_add_loop_test(tc, what_is_not_committed_is_not_there, 0, 2);
	tcase_add_test(tc, a_full_disk_leaves_the_tally_and_the_database_as_they_were);
	tcase_add_test(tc, a_failure_in_between_undoes_all_flushes_of_a_transaction);
	tcase_add_test(tc, a_locked_database_keeps_the_tally_for_the_next_try);
	tcase_add_test(tc, a_run_keeps_its_number_and_is_brought_up_to_date);
	tcase_add_test(tc, sources_come_back_as_they_were_given);
	tcase_add_test(tc, a_capture_that_has_to_be_new_is_counted_once);
	tcase_add_loop_test(tc, a_killed_writer_leaves_the_state_after_one_of_its_flushes, 0, 12);
	tcase_add_test(tc, two_writers_wait_for_each_other_and_lose_nothing);
	tcase_add_loop_test(tc, verdicts_agree_with_the_policy_after_each_flush, 0, 4);
	tcase_add_test(tc, a_success_makes_a_broken_row_of_an_earlier_flush_good);
	tcase_add_test(tc, a_client_is_judged_once_a_flush_with_all_that_is_known_of_it);
	tcase_add_test(tc, endings_of_a_later_flush_find_their_row);
	tcase_add_test(tc, endings_of_what_is_not_there_are_dropped);
	tcase_add_test(tc, without_a_judge_there_is_no_verdict);
}

SUITE_MAIN("store_flush")
