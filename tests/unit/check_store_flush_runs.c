/* Runs and the captures that they read. */
#include "store_clients.h"
#include "store_fixture.h"

#include "base/banned.h"

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

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, a_reader_is_given_no_new_sensor);
	tcase_add_test(tc, a_run_keeps_its_number_and_is_brought_up_to_date);
	tcase_add_test(tc, sources_come_back_as_they_were_given);
	tcase_add_test(tc, a_capture_that_has_to_be_new_is_counted_once);
}

SUITE_MAIN("store_flush_runs")
