#include "report_world.h"

#include "base/banned.h"

START_TEST(what_was_observed_does_not_depend_on_the_question)
{
	static const struct seen seen = { "10.0.0.1", OUTCOME_ESTABLISHED, 0, V12, DAY,
		"a.example" };
	struct what_if question = { .minimum = V13 };
	struct report_options options = plain;
	struct report r;

	fill_store("one", &seen, 1, NULL);
	options.what_if = &question;
	load(&r, &options);
	ck_assert_int_eq(r.clients[0].verdict, VERDICT_UNCLEAR);
	ck_assert_uint_eq(r.observed.unclear_count, 0);
	report_release(&r);
	options.what_if = NULL;
	load(&r, &options);
	ck_assert_int_eq(r.clients[0].verdict, VERDICT_OK);
	ck_assert_uint_eq(r.observed.unclear_count, 0);
	report_release(&r);
}
END_TEST

START_TEST(what_a_mirror_cut_counts_as_cut)
{
	const struct store_counter counters[] = { { "snapped", 7 } };
	const struct store_source source = { .name = "eth0", .snapped_count = (uint64_t)_i };
	struct store_run run = {
		.command = "capture",
		.begin_us = DAY,
		.end_us = DAY + HOUR,
		.counters = counters,
		.counter_count = 1,
		.sources = &source,
		.source_count = 1,
	};
	struct report r;

	fill_store("one", some, SOME_COUNT, &run);
	load(&r, &plain);
	ck_assert_uint_eq(r.observed.snapped_count, _i > 7 ? (uint64_t)_i : 7);
	report_release(&r);
}
END_TEST

START_TEST(observed_sums_runs_sources_and_counters)
{
	const struct report_counter *gaps;
	struct report r;

	fill_some();
	load(&r, &plain);
	ck_assert_uint_eq(r.observed.run_count, 1);
	ck_assert_uint_eq(r.observed.source_count, 2);
	ck_assert_uint_eq(r.observed.failed_source_count, 1);
	ck_assert_uint_eq(r.observed.packet_count, 40);
	ck_assert_uint_eq(r.observed.snapped_count, 5);
	ck_assert(r.observed.has_packets);
	ck_assert_int_eq(r.observed.begin_us, DAY);
	ck_assert_int_eq(r.observed.end_us, DAY + 4 * HOUR);
	ck_assert_int_eq(r.observed.covered_us, 3 * HOUR);
	ck_assert_uint_eq(r.observed.handshake_count, SOME_COUNT - 1);
	ck_assert_uint_eq(r.observed.cleartext_count, 1);
	ck_assert_uint_eq(r.observed.unclear_count, 1);
	gaps = report_counter_find(&r.observed, "gaps");
	ck_assert(gaps != NULL && gaps->value == 2 && gaps->run_count == 1);
	ck_assert_ptr_null(report_counter_find(&r.observed, "kernel_dropped"));
	report_release(&r);
}
END_TEST

START_TEST(overlapping_captures_cover_their_time_once)
{
	struct store_source sources[] = {
		{ .name = "a", .packet_count = 1, .begin_us = DAY, .end_us = DAY + 3 * HOUR },
		{ .name = "b",
		    .packet_count = 1,
		    .begin_us = DAY + HOUR,
		    .end_us = DAY + 2 * HOUR },
		{ .name = "c",
		    .packet_count = 1,
		    .begin_us = DAY + 2 * HOUR,
		    .end_us = DAY + 4 * HOUR },
		{ .name = "none" },
	};
	struct store_run run = { .command = "replay", .sources = sources, .source_count = 4 };
	struct report r;

	run.begin_us = DAY;
	run.end_us = DAY + 4 * HOUR;
	fill_store("one", some, SOME_COUNT, &run);
	load(&r, &plain);
	ck_assert_int_eq(r.observed.covered_us, 4 * HOUR);
	ck_assert_int_eq(r.observed.begin_us, DAY);
	ck_assert_int_eq(r.observed.end_us, DAY + 4 * HOUR);
	report_release(&r);
}
END_TEST

START_TEST(a_live_sensor_listens_also_while_nothing_comes_by)
{
	struct store_source source = {
		.name = "eth1",
		.packet_count = 2,
		.begin_us = DAY + HOUR,
		.end_us = DAY + 2 * HOUR,
	};
	struct store_run run = {
		.command = "capture",
		.started_us = DAY,
		.begin_us = DAY,
		.end_us = DAY + 4 * HOUR,
		.sources = &source,
		.source_count = 1,
	};
	struct report r;

	fill_store("one", some, SOME_COUNT, &run);
	load(&r, &plain);
	ck_assert_int_eq(r.observed.begin_us, DAY);
	ck_assert_int_eq(r.observed.covered_us, 4 * HOUR);
	ck_assert_uint_eq(r.observed.gap_count, 0);
	report_release(&r);
}
END_TEST

static const struct {
	uint64_t down_ms;
	bool captured;
} downs[] = {
	{ 0, true },
	{ 1000, true },
	{ 2 * 3600 * 1000 * 9 / 10, true },
	{ 2 * 3600 * 1000 - 200, false }, /* one of the threads looks every 200 ms */
	{ 2 * 3600 * 1000 + 200, false },
};

START_TEST(a_live_sensor_without_any_interface_captures_nothing)
{
	const struct store_counter counters[] = { { "interface_down_ms", downs[_i].down_ms } };
	const struct store_source sources[] = { { .name = "eth1" }, { .name = "eth2" } };
	struct store_run run = {
		.command = "capture",
		.begin_us = DAY + 30 * HOUR,
		.end_us = DAY + 31 * HOUR,
		.counters = counters,
		.counter_count = 1,
		.sources = sources,
		.source_count = 2,
	};
	struct report r;

	fill_some();
	fill_store("one", NULL, 0, &run);
	load(&r, &plain);
	ck_assert_uint_eq(r.observed.run_count, 2);
	ck_assert_uint_eq(r.observed.day_count, downs[_i].captured ? 2 : 1);
	ck_assert_int_eq(r.observed.end_us, downs[_i].captured ? DAY + 31 * HOUR : DAY + 4 * HOUR);
	report_release(&r);
}
END_TEST

START_TEST(a_live_sensor_to_which_nothing_comes_is_told_from_one_that_hears)
{
	struct store_run run = {
		.command = "capture", .begin_us = DAY + 5 * HOUR, .end_us = DAY + 6 * HOUR
	};
	struct report r;

	fill_some();
	fill_store("one", NULL, 0, &run);
	load(&r, &plain);
	ck_assert_int_eq(r.observed.end_us, DAY + 6 * HOUR);
	ck_assert_int_eq(r.observed.heard_us, DAY + 4 * HOUR);
	report_release(&r);
}
END_TEST

START_TEST(a_saved_capture_may_have_any_times)
{
	const struct store_run run = {
		.command = "replay",
		.begin_us = INT64_MIN,
		.end_us = INT64_MAX,
		.source_count = 300,
	};

	ck_assert(report_run_captured(&run));
}
END_TEST

START_TEST(time_without_a_capture_is_told)
{
	struct store_source sources[] = {
		{ .name = "a", .packet_count = 1, .begin_us = DAY, .end_us = DAY + HOUR },
		{ .name = "b",
		    .packet_count = 1,
		    .begin_us = DAY + HOUR + 30 * 1000000,
		    .end_us = DAY + 2 * HOUR },
		{ .name = "c",
		    .packet_count = 1,
		    .begin_us = DAY + 4 * HOUR,
		    .end_us = DAY + 5 * HOUR },
		{ .name = "d",
		    .packet_count = 1,
		    .begin_us = DAY + 6 * HOUR,
		    .end_us = DAY + 7 * HOUR },
	};
	struct store_run run = { .command = "replay", .sources = sources, .source_count = 4 };
	struct report r;

	run.begin_us = DAY;
	run.end_us = DAY + 7 * HOUR;
	fill_store("one", some, SOME_COUNT, &run);
	load(&r, &plain);
	ck_assert_uint_eq(r.observed.gap_count, 2);
	/* Without the half minute, which is none. */
	ck_assert_int_eq(r.observed.gap_us, 3 * HOUR);
	ck_assert_int_eq(r.observed.longest_gap.begin_us, DAY + 2 * HOUR);
	ck_assert_int_eq(r.observed.longest_gap.end_us, DAY + 4 * HOUR);
	report_release(&r);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, what_was_observed_does_not_depend_on_the_question);
	tcase_add_loop_test(tc, what_a_mirror_cut_counts_as_cut, 6, 9);
	tcase_add_test(tc, observed_sums_runs_sources_and_counters);
	tcase_add_test(tc, overlapping_captures_cover_their_time_once);
	tcase_add_test(tc, a_live_sensor_listens_also_while_nothing_comes_by);
	tcase_add_loop_test(
	    tc, a_live_sensor_without_any_interface_captures_nothing, 0, ROWS(downs));
	tcase_add_test(tc, a_live_sensor_to_which_nothing_comes_is_told_from_one_that_hears);
	tcase_add_test(tc, a_saved_capture_may_have_any_times);
	tcase_add_test(tc, time_without_a_capture_is_told);
}

SUITE_MAIN("report_observed")
