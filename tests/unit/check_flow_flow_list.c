#include <malloc.h>

#include "flow_world.h"
#include "stream_recorder.h"

#include "base/banned.h"

static struct world *
world_new_small(size_t max_flows, size_t max_unsettled, size_t max_closed)
{
	struct flow_options options;

	flow_options_init(&options);
	options.max_flows = max_flows;
	options.max_unsettled = max_unsettled;
	options.max_closed = max_closed;
	return world_new(&options);
}

static const struct flow_counters *
counters(const struct world *w)
{
	return flow_table_counters(w->table);
}

START_TEST(of_too_many_unsettled_the_longest_idle_is_evicted)
{
	struct world *w = world_new_small(100, 3, 100);

	world_run(w, "c1.A@1/1:one c2.A@1/1:two c3.A@1/1:three");
	ck_assert_uint_eq(flow_table_unsettled_count(w->table), 3);
	/* The first one speaks again: now it is the second one's turn. */
	world_run(w, "+1 s1.A@1/4 c4.A@1/1:four");
	ck_assert_str_eq(w->log, "A+? Ac:one B+? Bc:two C+? Cc:three B.evicted D+? Dc:four");
	ck_assert_uint_eq(flow_table_unsettled_count(w->table), 3);
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 1);
	/* It is remembered: what it says later opens nothing. */
	w->log[w->log_len = 0] = '\0';
	world_run(w, "c2.A@4/1:more s2.A@1/4:too");
	ck_assert_str_eq(w->log, "");
	world_run(w, "!");
	ck_assert_str_eq(w->log, "C.finished A.finished D.finished");
	world_free(w);
}
END_TEST

/* Its place is not renewed for each packet, but before it is among those that go first. */
START_TEST(one_that_goes_on_is_not_evicted_by_a_flood)
{
	enum { ROOM = 64, BETWEEN = 48 };
	struct world *w = world_new_small(1000, ROOM, 100);
	char script[64];

	world_run(w, "c0.A@1/1:one");
	w->quiet = true;
	for (int i = 1; i <= 40 * BETWEEN; i++) {
		(void)snprintf(script, sizeof(script), "c%d.A@1/1:flood", i);
		world_run(w, script);
		if (i % BETWEEN == 0)
			world_run(w, "s0.A@1/4");
	}
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 40 * BETWEEN + 1 - ROOM);
	w->quiet = false;
	world_run(w, "c0.A@4/1:S");
	ck_assert_str_eq(w->log, "A+? Ac:one Ac:S");
	world_free(w);
}
END_TEST

START_TEST(one_that_goes_on_does_not_keep_others_from_ending)
{
	struct world *w = world_new_default();

	world_run(w, "c1.A@1/1:one c2.A@1/1:two");
	for (int i = 0; i < 1202; i++) {
		w->time_us += WORLD_SECOND / 2;
		world_run(w, "s1.A@1/4");
	}
	ck_assert_str_eq(w->log, "A+? Ac:one B+? Bc:two B.idle");
	world_free(w);
}
END_TEST

START_TEST(one_in_a_handshake_is_evicted_after_those_that_are_not)
{
	struct world *w = world_new_small(100, 4, 100);

	world_run(w, "c1.A@1/1:H c2.A@1/1:two c3.A@1/1:three c4.A@1/1:four c5.A@1/1:five "
		     "c6.A@1/1:six c7.A@1/1:seven");
	ck_assert_str_eq(w->log, "A+? Ac:H B+? Bc:two C+? Cc:three D+? Dc:four B.evicted E+? "
				 "Ec:five C.evicted F+? Fc:six D.evicted G+? Gc:seven");
	world_free(w);
}
END_TEST

START_TEST(a_flood_of_handshakes_leaves_a_quarter_of_the_room_to_the_others)
{
	struct world *w = world_new_small(100, 8, 100);
	char script[64];

	w->quiet = true;
	for (int i = 1; i <= 8; i++) {
		(void)snprintf(script, sizeof(script), "c%d.A@1/1:H", i);
		world_run(w, script);
	}
	w->quiet = false;
	world_run(w, "c11.A@1/1:one c12.A@1/1:two");
	ck_assert_str_eq(w->log, "A.evicted I+? Ic:one B.evicted J+? Jc:two");
	/* More than that they have no right to, and of themselves the longest idle goes. */
	w->log[w->log_len = 0] = '\0';
	world_run(w, "c13.A@1/1:three c14.A@1/1:four");
	ck_assert_str_eq(w->log, "C.evicted K+? Kc:three I.evicted L+? Lc:four");
	world_free(w);
}
END_TEST

START_TEST(a_rank_is_never_lowered_and_the_end_comes_in_the_order_of_time)
{
	struct world *w = world_new_small(100, 3, 100);
	struct flow *first;

	world_run(w, "c1.A@1/1:H");
	first = w->last;
	flow_set_rank(w->table, first, FLOW_RANK_ONE_SIDED);
	flow_set_rank(w->table, first, FLOW_RANK_ANSWERED);
	world_run(w, "+1 c2.A@1/1:two +1 c3.A@1/1:H +1 c4.A@1/1:four");
	ck_assert_str_eq(w->log, "A+? Ac:H B+? Bc:two C+? Cc:H B.evicted D+? Dc:four");
	w->log[w->log_len = 0] = '\0';
	world_run(w, "!");
	ck_assert_str_eq(w->log, "A.finished C.finished D.finished");
	world_free(w);
}
END_TEST

START_TEST(one_that_lingers_goes_on_again_when_it_gets_a_rank)
{
	struct world *w = world_new_default();

	world_run(w, "c1.A@1/1:L c1.A@2/1:H");
	w->log[w->log_len = 0] = '\0';
	flow_table_advance(w->table, w->time_us + 60 * WORLD_SECOND);
	ck_assert_str_eq(w->log, "");
	world_free(w);
}
END_TEST

/* With its place in the hash table, and what the allocator adds. */
START_TEST(an_idle_connection_costs_at_most_256_bytes)
{
	enum { COUNT = 10000 };
	struct world *w = world_new_small(COUNT, COUNT, COUNT);
	size_t before, after;

	w->quiet = true;
	before = mallinfo2().uordblks;
	for (unsigned i = 0; i < COUNT; i++) {
		struct packet p = world_packet(w, true, i);

		p.flags = TCP_ACK;
		world_add(w, &p, BYTES("S"));
	}
	after = mallinfo2().uordblks;
	ck_assert_uint_eq(flow_table_count(w->table), COUNT);
	ck_assert_uint_le((after - before) / COUNT + sizeof(struct flow *), 256);
	world_free(w);
}
END_TEST

START_TEST(one_that_is_settled_gets_no_rank_any_more)
{
	struct world *w = world_new_default();

	world_run(w, "c1.A@1/1:S");
	flow_set_rank(w->table, w->last, FLOW_RANK_HANDSHAKE);
	ck_assert_uint_eq(flow_table_unsettled_count(w->table), 0);
	world_free(w);
}
END_TEST

START_TEST(one_that_lingers_gives_way_before_and_is_not_counted)
{
	struct world *w = world_new_small(100, 3, 100);

	world_run(w, "c1.A@1/1:one c2.A@1/1:L c3.A@1/1:L c4.A@1/1:four c5.A@1/1:five");
	ck_assert_str_eq(
	    w->log, "A+? Ac:one B+? Bc:L C+? Cc:L B.lingered D+? Dc:four C.lingered E+? Ec:five");
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 0);
	w->log[w->log_len = 0] = '\0';
	world_run(w, "c6.A@1/1:six");
	ck_assert_str_eq(w->log, "A.evicted F+? Fc:six");
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 1);
	world_free(w);
}
END_TEST

START_TEST(closed_ones_go_first_then_settled_then_unsettled)
{
	struct world *w = world_new_small(3, 3, 3);

	world_run(w, "c1.A@1/1:one c2.A@1/1:S c3.A@1/1:S s3.RA@1/2");
	ck_assert_uint_eq(flow_table_count(w->table), 3);
	world_run(w, "c4.A@1/1:four");
	ck_assert_uint_eq(counters(w)->evicted_closed, 1);
	ck_assert_uint_eq(counters(w)->evicted_settled, 0);
	world_run(w, "c5.A@1/1:five");
	ck_assert_uint_eq(counters(w)->evicted_settled, 1);
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 0);
	ck_assert_uint_eq(flow_table_count(w->table), 3);
	/* Now there is the budget of the unsettled too: the longest idle makes room in both. */
	world_run(w, "c6.A@1/1:six");
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 1);
	ck_assert_str_eq(w->log, "A+? Ac:one B+? Bc:S C+? Cc:S D+? Dc:four E+? Ec:five "
				 "A.evicted F+? Fc:six");
	ck_assert_uint_le(flow_table_count(w->table), 3);
	world_free(w);
}
END_TEST

START_TEST(a_flood_does_not_push_out_what_is_settled)
{
	struct world *w = world_new_small(20, 3, 3);
	char script[64];

	world_run(w, "c999.A@1/1:S");
	for (int i = 1; i <= 100; i++) {
		(void)snprintf(script, sizeof(script), "c%d.A@1/1:flood", i);
		world_run(w, script);
	}
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 97);
	ck_assert_uint_eq(counters(w)->evicted_settled, 0);
	w->log[w->log_len = 0] = '\0';
	world_run(w, "c999.A@2/1:more");
	ck_assert_str_eq(w->log, "");
	world_free(w);
}
END_TEST

START_TEST(without_closed_and_settled_ones_an_unsettled_one_goes)
{
	struct world *w = world_new_small(2, 100, 100);

	world_run(w, "c1.A@1/1:one c2.A@1/1:L c3.A@1/1:three c4.A@1/1:L c5.A@1/1:five");
	ck_assert_str_eq(w->log, "A+? Ac:one B+? Bc:L A.evicted C+? Cc:three C.evicted D+? Dc:L "
				 "B.evicted E+? Ec:five");
	ck_assert_uint_eq(counters(w)->evicted_unsettled, 3);
	ck_assert_uint_eq(flow_table_count(w->table), 2);
	world_free(w);
}
END_TEST

START_TEST(too_many_closed_ones_are_forgotten)
{
	struct world *w = world_new_small(100, 100, 2);
	char script[64];

	for (int i = 1; i <= 10; i++) {
		(void)snprintf(script, sizeof(script), "c%d.A@1/1:S s%d.RA@1/2", i, i);
		world_run(w, script);
		ck_assert_uint_le(flow_table_count(w->table), 4);
	}
	ck_assert_uint_eq(counters(w)->evicted_closed, 0);
	world_free(w);
}
END_TEST

START_TEST(an_eviction_hands_out_what_waits)
{
	struct world *w = world_new_small(1, 1, 1);

	world_run(w, "c1.A@1/1:one c1.A@6/1:two c2.A@1/1:other");
	ck_assert_str_eq(w->log, "A+? Ac:one Ac(2) Ac:two A.evicted B+? Bc:other");
	ck_assert_uint_eq(counters(w)->streams.held_len, 0);
	/* And the listener may settle it just then. */
	world_run(w, "c2.A@9/1:S c3.A@1/1:third");
	ck_assert_str_eq(w->log, "A+? Ac:one Ac(2) Ac:two A.evicted B+? Bc:other Bc(3) Bc:S "
				 "C+? Cc:third");
	ck_assert_uint_eq(flow_table_count(w->table), 1);
	world_free(w);
}
END_TEST

/* What its eviction hands out may settle it: then it goes on, and is remembered as any other. */
START_TEST(one_that_its_eviction_settles_goes_on)
{
	struct world *w = world_new_small(100, 1, 100);

	world_run(w, "c1.S@0 s1.SA@0/1 c1.A@1/1:one c1.A@7/1:W");
	world_run(w, "c2.A@1/1:two");
	ck_assert_str_eq(w->log, "A+c Ac:one Ac(3) Ac:W B+? Bc:two");
	w->log[w->log_len = 0] = '\0';
	world_run(w, "+70 c3.A@1/1:three");
	world_run(w, "c1.A@8/1:four s1.A@1/12:five c1.FA@12/5 s1.FA@5/13");
	ck_assert_str_eq(w->log, "B.evicted C+? Cc:three A=4,4c|70");
	world_free(w);
}
END_TEST

START_TEST(a_budget_of_nothing_still_follows_the_connection_at_hand)
{
	struct world *w = world_new_small(0, 0, 0);

	world_run(w, "c1.A@1/1:one s1.A@1/4:yes c2.A@1/1:two s2.A@1/4:no c1.A@4/4:more");
	ck_assert_str_eq(w->log, "A+? Ac:one As:yes A.evicted B+? Bc:two Bs:no B.evicted C+? "
				 "Cc:more");
	ck_assert_uint_eq(flow_table_count(w->table), 1);
	world_free(w);
}
END_TEST

START_TEST(held_bytes_are_bounded_in_all)
{
	struct flow_options options;
	struct world *w;

	flow_options_init(&options);
	options.max_held_len = 10000;
	options.max_held_per_stream = 4000;
	w = world_new(&options);
	w->quiet = true;
	for (unsigned i = 0; i < 5000; i++) {
		struct packet p = world_packet(w, i % 3 != 0, i % 50);

		p.flags = TCP_ACK;
		p.seq = 10 * i;
		world_add(w, &p, BYTES("12345678"));
		ck_assert_uint_le(counters(w)->streams.held_len, 10000);
	}
	ck_assert_uint_gt(counters(w)->streams.held_len, 5000);
	world_free(w);
}
END_TEST

START_TEST(a_connection_ends_when_its_time_is_over_not_before)
{
	static const struct {
		const char *script;
		int64_t keep_s;
		const char *end;
	} rows[] = {
		{ "c1.A@1/1:L", 2, "A.lingered" },
		{ "c1.A@1/1:one", 600, "A.idle" },
	};
	struct world *w = world_new_default();

	world_run(w, rows[_i].script);
	w->log[w->log_len = 0] = '\0';
	flow_table_advance(w->table, w->time_us + rows[_i].keep_s * WORLD_SECOND);
	ck_assert_str_eq(w->log, "");
	flow_table_advance(w->table, w->time_us + rows[_i].keep_s * WORLD_SECOND + 1);
	ck_assert_str_eq(w->log, rows[_i].end);
	/* Time does not go back. */
	flow_table_advance(w->table, w->time_us);
	ck_assert_str_eq(w->log, rows[_i].end);
	world_free(w);
}
END_TEST

static void
repeat(struct world *w, const char *word, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		world_run(w, word);
}

START_TEST(a_clock_that_is_set_back_does_not_stop_time)
{
	struct world *w = world_new_default();

	world_run(w, "c1.A@1/1:L c2.A@1/1:two");
	w->time_us -= 365 * 86400 * WORLD_SECOND;
	/* For a while it could be a packet that was delivered late. */
	repeat(w, "c3.A@1/1", 300);
	ck_assert_str_eq(w->log, "A+? Ac:L B+? Bc:two");
	world_run(w, "+3 c3.A@1/1");
	ck_assert_str_eq(w->log, "A+? Ac:L B+? Bc:two A.lingered");
	world_run(w, "+596 c3.A@1/1");
	ck_assert_str_eq(w->log, "A+? Ac:L B+? Bc:two A.lingered");
	world_run(w, "+2 c3.A@1/1");
	ck_assert_str_eq(w->log, "A+? Ac:L B+? Bc:two A.lingered B.idle");
	world_free(w);
}
END_TEST

START_TEST(packets_of_two_clocks_do_not_set_it_back)
{
	struct world *w = world_new_default();

	world_run(w, "c1.A@1/1:one");
	for (unsigned i = 0; i < 1000; i++) {
		int64_t now_us = w->time_us;

		world_run(w, "c1.A@4/1");
		w->time_us -= 7200 * WORLD_SECOND;
		world_run(w, "c2.A@4/1:");
		w->time_us = now_us;
	}
	ck_assert_str_eq(w->log, "A+? Ac:one");
	world_free(w);
}
END_TEST

START_TEST(times_at_both_ends_of_the_range_are_survived)
{
	static const int64_t times[] = { 0, INT64_MAX, INT64_MIN, -1, INT64_MAX - 1, INT64_MIN + 1,
		INT64_MIN, INT64_MAX, 1 };
	struct world *w = world_new_default();

	w->quiet = true;
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < ROWS(times); i++) {
			/* Single packets, and whole runs of them. */
			w->time_us = times[round < 10 ? i : (round / 140 + i / 8) % ROWS(times)];
			world_run(w, i % 2 ? "c1.A@1/1:L" : "c2.A@9/1:hole");
			world_run(w, "c3.A@1/1:S s3.RA@1/2");
			if (round % 7 == 0)
				flow_table_advance(w->table, times[i]);
		}
	}
	world_free(w);
}
END_TEST

/* Anything at all, with budgets so small that everything happens at once. */
START_TEST(a_storm_of_packets_keeps_the_budgets)
{
	static const char bytes[] = "abcdefghSLijklmno\0\0pqrstuvwxyz";
	struct flow_options options;
	uint32_t state = 0x9e3779b9u * (uint32_t)(_i + 1);
	struct world *w;

	flow_options_init(&options);
	options.max_flows = 1 + random_below(&state, 6);
	options.max_unsettled = 1 + random_below(&state, 6);
	options.max_closed = random_below(&state, 4);
	options.max_held_len = random_below(&state, 2000);
	options.max_held_per_stream = random_below(&state, 1000);
	w = world_new(&options);
	w->quiet = true;
	for (unsigned i = 0; i < 2000; i++) {
		struct packet p =
		    world_packet(w, random_below(&state, 2) == 0, random_below(&state, 8));
		size_t at = random_below(&state, sizeof(bytes) - 1);
		size_t len = random_below(&state, (uint32_t)(sizeof(bytes) - 1 - at));

		p.flags =
		    random_below(&state, 3) == 0 ? (uint8_t)(next_random(&state) & 0x17) : TCP_ACK;
		p.seq =
		    random_below(&state, 10) == 0 ? next_random(&state) : random_below(&state, 200);
		p.ack =
		    random_below(&state, 10) == 0 ? next_random(&state) : random_below(&state, 200);
		p.payload_len = (uint32_t)len + (random_below(&state, 20) == 0 ? 30 : 0);
		world_add(
		    w, &p, random_below(&state, 3) == 0 ? BYTES("") : span_from(bytes + at, len));
		if (random_below(&state, 10) == 0)
			w->time_us += random_below(&state, 1000) * (WORLD_SECOND / 50);
		if (random_below(&state, 1000) == 0)
			w->time_us += (random_below(&state, 2) == 0 ? -1000 : 1000) * WORLD_SECOND;
		ck_assert_uint_le(flow_table_count(w->table), options.max_flows);
		ck_assert_uint_le(flow_table_unsettled_count(w->table), options.max_unsettled);
		ck_assert_uint_eq(flow_table_unsettled_count(w->table), w->alive);
		ck_assert_uint_le(counters(w)->streams.held_len, options.max_held_len);
		ck_assert_uint_le(counters(w)->syn_with_payload, counters(w)->syn);
	}
	world_free(w);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, of_too_many_unsettled_the_longest_idle_is_evicted);
	tcase_add_test(tc, one_that_goes_on_is_not_evicted_by_a_flood);
	tcase_add_test(tc, one_that_goes_on_does_not_keep_others_from_ending);
	tcase_add_test(tc, one_in_a_handshake_is_evicted_after_those_that_are_not);
	tcase_add_test(tc, a_flood_of_handshakes_leaves_a_quarter_of_the_room_to_the_others);
	tcase_add_test(tc, a_rank_is_never_lowered_and_the_end_comes_in_the_order_of_time);
	tcase_add_test(tc, one_that_lingers_goes_on_again_when_it_gets_a_rank);
	tcase_add_test(tc, one_that_is_settled_gets_no_rank_any_more);
	tcase_add_test(tc, an_idle_connection_costs_at_most_256_bytes);
	tcase_add_test(tc, one_that_lingers_gives_way_before_and_is_not_counted);
	tcase_add_test(tc, closed_ones_go_first_then_settled_then_unsettled);
	tcase_add_test(tc, a_flood_does_not_push_out_what_is_settled);
	tcase_add_test(tc, without_closed_and_settled_ones_an_unsettled_one_goes);
	tcase_add_test(tc, too_many_closed_ones_are_forgotten);
	tcase_add_test(tc, an_eviction_hands_out_what_waits);
	tcase_add_test(tc, one_that_its_eviction_settles_goes_on);
	tcase_add_test(tc, a_budget_of_nothing_still_follows_the_connection_at_hand);
	tcase_add_test(tc, held_bytes_are_bounded_in_all);
	tcase_add_loop_test(tc, a_connection_ends_when_its_time_is_over_not_before, 0, 2);
	tcase_add_test(tc, a_clock_that_is_set_back_does_not_stop_time);
	tcase_add_test(tc, packets_of_two_clocks_do_not_set_it_back);
	tcase_add_test(tc, times_at_both_ends_of_the_range_are_survived);
	tcase_add_loop_test(tc, a_storm_of_packets_keeps_the_budgets, 0, 20);
}

SUITE_MAIN("flow_flow_list")
