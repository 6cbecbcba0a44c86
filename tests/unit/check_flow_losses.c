/* What a connection's end tells of what was not captured. */
#include "flow/flow_table.h"

#include "flow_world.h"

#include "base/banned.h"

#define HANDSHAKE "c.S@999 s.SA@4999/1000 "

static const struct {
	const char *fact, *script;
	uint64_t count;
} one_way[] = {
	{ "both directions", HANDSHAKE "c.A@1000/5000:hi s.A@5000/1002:yo", 0 },
	{ "one", "c.S@999 c.A@1000/5000:hi", 1 },
	{ "the other one when this one has had its end",
	    "c.S@999 c.A@1000/5000:L +5 s.SA@4999/1000 s.A@5000/1001:yo", 1 },
	{ "the other one while this one lingers",
	    "c.S@999 c.A@1000/5000:L +1 s.SA@4999/1000 s.A@5000/1001:yo", 0 },
	{ "the other one behind bytes that settle", "c.S@999 c.A@1000/5000:S s.A@5000/1001:yo", 0 },
};

START_TEST(a_connection_of_which_one_direction_was_heard_in_time_is_counted)
{
	struct world *w = world_new_default();

	world_run(w, one_way[_i].script);
	world_run(w, "!");
	ck_assert_msg(flow_table_counters(w->table)->one_way == one_way[_i].count, "%s: %llu",
	    one_way[_i].fact, (unsigned long long)flow_table_counters(w->table)->one_way);
	world_free(w);
}
END_TEST

static const struct {
	const char *fact, *script;
	uint64_t count, len;
} lost_ends[] = {
	{ "all was captured", HANDSHAKE "c.A@1000/5000:hi s.A@5000/1002:yo", 0, 0 },
	{ "the last bytes were not", HANDSHAKE "c.A@1000/5000:hi s.A@5000/1009:yo", 1, 7 },
	{ "their sender has gone on behind them",
	    HANDSHAKE "c.A@1000/5000:hi c.A@1009/5000 s.A@5000/1002:yo", 1, 7 },
	{ "a FIN was not, nor an answer to it", HANDSHAKE "c.A@1000/5000:hi c.A@1003/5000", 0, 0 },
	{ "all was, in another order", HANDSHAKE "c.A@1000/5000:hi c.A@1004/5000 c.A@1002/5000:yo",
	    0, 0 },
	{ "a packet of another connection is far ahead",
	    HANDSHAKE "c.A@1000/5000:hi c.A@99999999/5000 c.A@1002/5000:yo", 0, 0 },
	{ "none was, and a reset tells", HANDSHAKE "s.RA@5000/1517", 1, 517 },
	{ "a FIN was not", HANDSHAKE "c.A@1000/5000:hi s.A@5000/1003:yo", 0, 0 },
	{ "a whole direction was not", "c.S@999 c.A@1000/6000:hi", 0, 0 },
	{ "nor was the other one, whose first number is known", "s.SA@4999/1000 s.A@5000/1500:yo",
	    0, 0 },
	{ "it may come yet", HANDSHAKE "c.A@1000/5000:S s.A@5000/1009:yo", 0, 0 },
};

START_TEST(what_is_missing_at_the_end_is_counted)
{
	struct world *w = world_new_default();
	const struct flow_counters *c = flow_table_counters(w->table);

	world_run(w, lost_ends[_i].script);
	world_run(w, "!");
	ck_assert_msg(
	    c->streams.gap_count == lost_ends[_i].count && c->streams.gap_len == lost_ends[_i].len,
	    "%s: %llu, %llu", lost_ends[_i].fact, (unsigned long long)c->streams.gap_count,
	    (unsigned long long)c->streams.gap_len);
	world_free(w);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_connection_of_which_one_direction_was_heard_in_time_is_counted, 0, ROWS(one_way));
	tcase_add_loop_test(tc, what_is_missing_at_the_end_is_counted, 0, ROWS(lost_ends));
}

SUITE_MAIN("flow_losses")
