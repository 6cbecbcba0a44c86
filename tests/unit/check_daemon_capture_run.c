#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/capture_run.h"
#include "suite.h"

#include "base/banned.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
/* 2026-11-19 00:00 UTC */
#define START INT64_C(1795046400000000)

/* Stand in for those of capture_worker.c. */
static struct capture_snapshot snapshots[2];
static const char *second_interface = "eth1";
static struct capture_worker *const workers[] = {
	(struct capture_worker *)(void *)&snapshots[0],
	(struct capture_worker *)(void *)&snapshots[1],
};

void
capture_worker_snapshot(struct capture_worker *w, struct capture_snapshot *out)
{
	*out = *(const struct capture_snapshot *)(const void *)w;
}

const char *
capture_worker_interface(const struct capture_worker *w)
{
	return w == workers[0] ? "eth0" : second_interface;
}

static const struct store_worker_state no_state;

#define FULL                                                                                       \
	"tlstally: the memory for findings (budgets.tally) is full: handshakes and sessions are "  \
	"lost until the database takes some\n"
#define LATE                                                                                       \
	"tlstally: handshakes and sessions are lost: more come than can be counted, or to write "  \
	"the log or the events file takes too long\n"

static struct capture_run *
make_run(void)
{
	const struct capture_run_options options = { .workers = workers, .worker_count = 2 };

	memset(snapshots, 0, sizeof(snapshots));
	for (size_t i = 0; i < 2; i++) {
		snapshots[i].counters[0].name = "events";
		snapshots[i].counter_count = 1;
	}
	return capture_run_new(&options, START, 0);
}

static void
see(size_t worker, uint64_t packets, uint64_t events, uint64_t dropped)
{
	struct capture_snapshot *s = &snapshots[worker];

	s->packet_count += packets;
	s->byte_count += packets * 100;
	s->snapped_count += packets / 5;
	s->counters[0].value += events;
	s->live.received += packets + dropped;
	s->live.dropped_by_kernel += dropped;
}

/* By a clock that nobody sets. */
static void
update(struct capture_run *r, const struct store_worker_state *state, int64_t now_us)
{
	capture_run_update(r, state, now_us, now_us - START);
}

static uint64_t
counter(const struct capture_run *r, const char *name)
{
	const struct store_run *run = capture_run_get(r);

	for (size_t i = 0; i < run->counter_count; i++) {
		if (strcmp(run->counters[i].name, name) == 0)
			return run->counters[i].value;
	}
	ck_abort_msg("there is no counter %s", name);
}

START_TEST(a_run_has_the_sum_of_all_threads)
{
	struct capture_run *r = make_run();

	see(0, 10, 1, 2);
	see(1, 20, 3, 0);
	capture_run_set_lost_events(r, 5);
	capture_run_set_lost_lines(r, 7);
	update(r, &no_state, START + SECOND);
	ck_assert_uint_eq(capture_run_get(r)->packet_count, 30);
	ck_assert_uint_eq(capture_run_get(r)->byte_count, 3000);
	ck_assert_uint_eq(counter(r, "events"), 4);
	ck_assert_uint_eq(counter(r, "kernel_dropped"), 2);
	ck_assert_uint_eq(counter(r, "events_lost"), 5);
	ck_assert_uint_eq(counter(r, "event_lines_lost"), 7);
	ck_assert_uint_eq(capture_run_get(r)->source_count, 2);
	ck_assert_str_eq(capture_run_get(r)->sources[1].name, "eth1");
	ck_assert_uint_eq(capture_run_get(r)->sources[1].packet_count, 20);
	ck_assert_uint_eq(capture_run_get(r)->sources[1].snapped_count, 4);
	ck_assert_int_eq(capture_run_get(r)->begin_us, START);
	ck_assert_int_eq(capture_run_get(r)->end_us, START + SECOND);
	capture_run_free(r);
}
END_TEST

START_TEST(what_befell_an_interface_counts_once_for_all_its_threads)
{
	struct capture_run *r = make_run();

	for (size_t i = 0; i < 2; i++) {
		snapshots[i].live.dropped_by_interface = 40;
		snapshots[i].live.dropped_by_kernel = 2;
		snapshots[i].down_us = 7 * SECOND;
	}
	update(r, &no_state, START + SECOND);
	ck_assert_uint_eq(counter(r, "interface_dropped"), 80);
	ck_assert_uint_eq(counter(r, "interface_down_ms"), 14000);
	second_interface = "eth0";
	see(0, 10, 1, 0);
	see(1, 20, 3, 0);
	update(r, &no_state, START + SECOND);
	ck_assert_uint_eq(capture_run_get(r)->source_count, 1);
	ck_assert_str_eq(capture_run_get(r)->sources[0].name, "eth0");
	ck_assert_uint_eq(capture_run_get(r)->sources[0].packet_count, 30);
	ck_assert_uint_eq(capture_run_get(r)->sources[0].byte_count, 3000);
	ck_assert_uint_eq(capture_run_get(r)->sources[0].snapped_count, 6);
	ck_assert_uint_eq(counter(r, "interface_dropped"), 40);
	ck_assert_uint_eq(counter(r, "interface_down_ms"), 7000);
	ck_assert_uint_eq(counter(r, "kernel_dropped"), 4);
	second_interface = "eth1";
	capture_run_free(r);
}
END_TEST

START_TEST(an_hour_begins_when_the_one_before_is_in_the_stores_hands)
{
	struct capture_run *r = make_run();

	see(0, 10, 1, 0);
	update(r, &no_state, START + HOUR - SECOND);
	capture_run_pushed(r);
	ck_assert_uint_eq(capture_run_serial(r), 1);
	see(0, 10, 1, 0);
	update(r, &no_state, START + HOUR);
	ck_assert_uint_eq(counter(r, "events"), 2);
	/* The database is locked: nothing is pushed, and the run goes on. */
	see(0, 10, 1, 0);
	update(r, &no_state, START + HOUR + 60 * SECOND);
	ck_assert_uint_eq(capture_run_serial(r), 1);
	ck_assert_uint_eq(counter(r, "events"), 3);
	capture_run_pushed(r);
	ck_assert_uint_eq(capture_run_serial(r), 2);
	see(0, 5, 2, 0);
	update(r, &no_state, START + HOUR + 61 * SECOND);
	ck_assert_uint_eq(counter(r, "events"), 2);
	ck_assert_uint_eq(capture_run_get(r)->packet_count, 5);
	ck_assert_int_eq(capture_run_get(r)->begin_us, START + HOUR + 60 * SECOND);
	capture_run_free(r);
}
END_TEST

START_TEST(every_packet_is_in_exactly_one_hour)
{
	struct capture_run *r = make_run();
	uint64_t total = 0, last = 0;
	unsigned serial = 1;

	for (int i = 1; i <= 5000; i++) {
		see(0, (uint64_t)i % 7, 0, 0);
		update(r, &no_state, START + i * 13 * SECOND);
		if (i % 3 == 0)
			continue; /* the store is busy */
		last = capture_run_get(r)->packet_count;
		capture_run_pushed(r);
		if (capture_run_serial(r) != serial)
			total += last;
		serial = capture_run_serial(r);
	}
	update(r, &no_state, START + 5001 * 13 * SECOND);
	ck_assert_uint_gt(serial, 15);
	ck_assert_uint_eq(total + capture_run_get(r)->packet_count, snapshots[0].packet_count);
	capture_run_free(r);
}
END_TEST

static const struct {
	const char *name;
	int64_t step_us;
	bool new_run;
} clocks[] = {
	{ "a second back", -SECOND, false },
	{ "59 seconds back", -59 * SECOND, false },
	{ "a minute back", -60 * SECOND, true },
	{ "ten years back", -10 * 8766 * HOUR, true },
	{ "a second on", SECOND, false },
	{ "59 seconds on", 59 * SECOND, false },
	{ "a night's sleep", 8 * HOUR, true },
	{ "ten years on", 10 * 8766 * HOUR, true },
};

START_TEST(no_run_covers_what_the_clock_leapt_over)
{
	struct capture_run *r = make_run();
	int64_t seen_us = START + 100 * SECOND, woken_us = seen_us + clocks[_i].step_us;

	see(0, 10, 1, 0);
	update(r, &no_state, seen_us);
	capture_run_pushed(r);
	capture_run_update(r, &no_state, woken_us + SECOND, 101 * SECOND);
	ck_assert_int_eq(capture_run_get(r)->begin_us, START);
	ck_assert_int_eq(
	    capture_run_get(r)->end_us, (clocks[_i].new_run ? seen_us : woken_us) + SECOND);
	/* The store is busy for a second. */
	see(0, 10, 1, 0);
	capture_run_update(r, &no_state, woken_us + 2 * SECOND, 102 * SECOND);
	ck_assert_uint_eq(capture_run_get(r)->packet_count, 20);
	capture_run_pushed(r);
	ck_assert_msg((capture_run_serial(r) == 2) == clocks[_i].new_run, "%s", clocks[_i].name);
	capture_run_update(r, &no_state, woken_us + 3 * SECOND, 103 * SECOND);
	ck_assert_int_eq(
	    capture_run_get(r)->begin_us, clocks[_i].new_run ? woken_us + SECOND : START);
	ck_assert_int_eq(capture_run_get(r)->end_us, woken_us + 3 * SECOND);
	capture_run_free(r);
}
END_TEST

/* What is logged from now on can be read with give_log. */
static FILE *
keep_log(void)
{
	FILE *log = stderr;

	stderr = tmpfile();
	ck_assert_ptr_nonnull(stderr);
	return log;
}

static void
give_log(FILE *log, struct buf *text)
{
	rewind(stderr);
	for (int c; (c = getc(stderr)) != EOF;)
		buf_add_char(text, (char)c);
	(void)fclose(stderr);
	stderr = log;
}

START_TEST(an_interface_that_is_down_is_one_whatever_its_threads)
{
	struct capture_run *r = make_run();
	struct buf text = { 0 };
	FILE *log = keep_log();

	second_interface = "eth0";
	update(r, &no_state, START + SECOND);
	capture_run_log_status(r, true);
	second_interface = "eth1";
	capture_run_log_status(r, true);
	give_log(log, &text);
	ck_assert_ptr_nonnull(strstr(buf_text(&text), " interfaces_down=1 "));
	ck_assert_ptr_nonnull(strstr(buf_text(&text), " interfaces_down=2 "));
	buf_release(&text);
	capture_run_free(r);
}
END_TEST

/* What would be its packets are missing. */
START_TEST(an_interface_that_one_of_its_threads_lacks_is_down)
{
	static const struct {
		bool bound[2];
		const char *status;
	} cases[] = {
		{ { true, false }, " interfaces_down=1 " },
		{ { false, true }, " interfaces_down=1 " },
		{ { true, true }, " interfaces_down=0 " },
	};
	struct capture_run *r = make_run();
	struct buf text = { 0 };
	FILE *log = keep_log();

	second_interface = "eth0";
	for (size_t i = 0; i < 2; i++) {
		snapshots[i].bound = cases[_i].bound[i];
		snapshots[i].down_us = snapshots[i].bound ? 0 : 300000;
	}
	update(r, &no_state, START + SECOND);
	capture_run_log_status(r, true);
	give_log(log, &text);
	ck_assert_ptr_nonnull(strstr(buf_text(&text), cases[_i].status));
	ck_assert_uint_eq(counter(r, "interface_down_ms"), _i < 2 ? 300 : 0);
	buf_release(&text);
	second_interface = "eth1";
	capture_run_free(r);
}
END_TEST

START_TEST(two_names_that_come_to_mean_one_interface_are_told_once)
{
	struct capture_run *r = make_run();
	struct buf text = { 0 };
	FILE *log = keep_log();

	update(r, &no_state, START + SECOND);
	snapshots[0].interface_index = 7;
	snapshots[1].interface_index = 8;
	update(r, &no_state, START + 2 * SECOND);
	second_interface = "eth0";
	snapshots[1].interface_index = 7;
	update(r, &no_state, START + 3 * SECOND);
	ck_assert_int_eq(ftell(stderr), 0);
	second_interface = "eth1";
	update(r, &no_state, START + 4 * SECOND);
	update(r, &no_state, START + 5 * SECOND);
	give_log(log, &text);
	ck_assert_str_eq(buf_text(&text),
	    "tlstally: eth0 and eth1 are names of one interface now, so what passes there counts "
	    "twice: start anew with one of them\n");
	buf_release(&text);
	capture_run_free(r);
}
END_TEST

START_TEST(lost_events_are_told_when_they_begin_and_when_the_run_is_stored)
{
	struct capture_run *r = make_run();
	struct buf text = { 0 };
	FILE *log = keep_log();

	update(r, &no_state, START + SECOND);
	ck_assert_int_eq(ftell(stderr), 0);
	/* The database takes nothing for hours. */
	capture_run_set_lost_events(r, 3);
	update(r, &no_state, START + 2 * SECOND);
	capture_run_set_lost_events(r, 4);
	snapshots[1].lost_events = 20;
	update(r, &no_state, START + 3 * HOUR);
	capture_run_pushed(r);
	update(r, &no_state, START + 3 * HOUR + SECOND);
	capture_run_set_lost_events(r, 5);
	update(r, &no_state, START + 4 * HOUR);
	capture_run_pushed(r);
	give_log(log, &text);
	ck_assert_str_eq(buf_text(&text), FULL LATE
	    "tlstally: warning: handshakes and sessions that did not get into the database "
	    "since 2026-11-19T00:00:00.000000Z: 24\n" FULL
	    "tlstally: warning: handshakes and sessions that did not get into the database "
	    "since 2026-11-19T03:00:00.000000Z: 1\n");
	buf_release(&text);
	capture_run_free(r);
}
END_TEST

START_TEST(the_most_of_an_hour_is_kept)
{
	struct capture_run *r = make_run();
	struct store_worker_state state = { .last_latency_us = 70000, .failure_count = 3 };

	snapshots[0].flow_count = 100;
	snapshots[1].flow_count = 50;
	snapshots[1].held_len = 4096;
	update(r, &state, START + SECOND);
	snapshots[0].flow_count = 1;
	snapshots[1].held_len = 0;
	state.last_latency_us = 1000;
	update(r, &state, START + HOUR);
	ck_assert_uint_eq(counter(r, "most_flows"), 150);
	ck_assert_uint_eq(counter(r, "most_held_bytes"), 4096);
	ck_assert_uint_eq(counter(r, "worst_flush_ms"), 70);
	ck_assert_uint_eq(counter(r, "flush_failures"), 3);
	capture_run_pushed(r);
	update(r, &state, START + HOUR + SECOND);
	ck_assert_uint_eq(counter(r, "most_flows"), 51);
	ck_assert_uint_eq(counter(r, "most_held_bytes"), 0);
	ck_assert_uint_eq(counter(r, "worst_flush_ms"), 1);
	ck_assert_uint_eq(counter(r, "flush_failures"), 0);
	capture_run_free(r);
}
END_TEST

static const struct {
	uint64_t lost, received;
	bool worth;
} losses[] = {
	{ 0, 0, false },
	{ 0, 1000000, false },
	{ 1, 1, true },
	{ 1, 1000, true },
	{ 1, 1999, true },
	{ 1, 2000, false },
	{ 999, 1000000, false },
	{ 1000, 1000000, true },
	{ UINT64_MAX, UINT64_MAX, true },
};

START_TEST(one_in_a_thousand_is_worth_a_word)
{
	ck_assert(capture_run_is_loss_worth_a_word(losses[_i].lost, losses[_i].received) ==
		  losses[_i].worth);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_run_has_the_sum_of_all_threads);
	tcase_add_test(tc, what_befell_an_interface_counts_once_for_all_its_threads);
	tcase_add_test(tc, an_hour_begins_when_the_one_before_is_in_the_stores_hands);
	tcase_add_test(tc, every_packet_is_in_exactly_one_hour);
	tcase_add_loop_test(tc, no_run_covers_what_the_clock_leapt_over, 0,
	    (int)(sizeof(clocks) / sizeof(clocks[0])));
	tcase_add_test(tc, an_interface_that_is_down_is_one_whatever_its_threads);
	tcase_add_loop_test(tc, an_interface_that_one_of_its_threads_lacks_is_down, 0, 3);
	tcase_add_test(tc, two_names_that_come_to_mean_one_interface_are_told_once);
	tcase_add_test(tc, lost_events_are_told_when_they_begin_and_when_the_run_is_stored);
	tcase_add_test(tc, the_most_of_an_hour_is_kept);
	tcase_add_loop_test(
	    tc, one_in_a_thousand_is_worth_a_word, 0, (int)(sizeof(losses) / sizeof(losses[0])));
}

SUITE_MAIN("daemon_capture_run")
