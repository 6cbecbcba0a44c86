#include "flow_world.h"

#include "base/banned.h"

/* Client bytes go on at 1002, the server's at 5002. */
#define SETTLED "c.S@999 s.SA@4999/1000 c.A@1000/5000:hi s.A@5000/1002:yW "
#define SETTLED_LOG "A+c Ac:hi As:yW "

static const struct {
	const char *fact, *script, *log;
} scripts[] = {
	{ "the server closes first", SETTLED "s.A@5002/1002:hello +2 s.FA@5007/1002 c.FA@1002/5008",
	    "A=0,5s|2" },
	{ "the client closes first, and the server goes on",
	    SETTLED "+1 c.FA@1002/5002:q s.A@5002/1004:bye +1 s.FA@5005/1004", "A=1,3c|1" },
	{ "the directions are swapped: the answer to a FIN is not the first",
	    SETTLED "c.FA@1002/5008 s.FA@5002/1002:hello", "A=0,5s|0" },
	{ "both close at once: the one that was captured first",
	    SETTLED "c.FA@1002/5002 s.FA@5002/1002", "A=0,0c|0" },
	{ "repeated segments count once",
	    SETTLED "s.A@5002/1002:abc s.A@5002/1002:abc s.A@5003/1002:bcd c.RA@1002/5006",
	    "A=0,4c!0" },
	{ "late segments count once",
	    SETTLED "s.A@5006/1002:efg s.A@5002/1002:abcd s.FA@5009/1002 c.FA@1002/5010",
	    "A=0,7s|0" },
	{ "what the capture lost counts as well", SETTLED "s.FA@6002/1002 c.FA@1502/6003",
	    "A=500,1000s|0" },
	{ "a keep-alive probe is nothing new",
	    SETTLED "s.A@5001/1002:. c.A@1001/5002 s.FA@5002/1002 c.FA@1002/5003", "A=0,0s|0" },
	{ "a repeated FIN changes nothing",
	    SETTLED "s.FA@5002/1002 +1 s.FA@5002/1002 +1 c.FA@1002/5003", "A=0,0s|0" },
	{ "a reset by the server", SETTLED "+3 s.RA@5002/1002", "A=0,0s!3" },
	{ "a reset behind the FIN of the same side is one act",
	    SETTLED "+1 s.FA@5002/1002 +1 s.RA@5003/1002", "A=0,0s|1" },
	{ "what a reset carries does not count", SETTLED "s.RA@5002/1002:because", "A=0,0s!0" },
	{ "the capture ends first", SETTLED "s.A@5002/1002:abc !", "A=0,3?" },
	{ "only one side is seen to close", SETTLED "+1 s.FA@5002/1002 !", "A=0,0s|1" },
	{ "idle for too long", SETTLED "+2200 c1.A@1/1:x", "A=0,0? B+? Bc:x" },
	{ "another connection on the same ports", SETTLED "c.S@77000", "A=0,0?" },
	{ "late packets after the end are not counted again",
	    SETTLED "s.FA@5002/1002 c.FA@1002/5003 s.A@5002/1002:abc !", "A=0,0s|0" },
	{ "a FIN in the segment that settles it",
	    "c.S@999 s.SA@4999/1000 c.A@1000/5000:hi s.FA@5000/1002:yW c.FA@1002/5003",
	    "A=0,0s|0" },
	{ "a FIN before that, which answers one that comes later",
	    "c.S@999 s.SA@4999/1000 s.FA@5000/1003 +1 c.A@1000/5001:hW c.FA@1002/5001",
	    "A=0,0c|0" },
	{ "a FIN before that, which answers none",
	    "c.S@999 s.SA@4999/1000 c.A@1000/5000:h s.FA@5000/1001 +1 c.A@1001/5001:W "
	    "c.FA@1002/5001",
	    "A=0,0s|0" },
	{ "the server says that it is done, and waits for the client's FIN",
	    SETTLED "s.A@5002/1002:bye# +1 c.FA@1002/5006 s.FA@5006/1003", "A=0,4s|1" },
	{ "the client says so, and waits for the server's",
	    SETTLED "c.A@1002/5002:q# s.FA@5002/1004 c.FA@1004/5003", "A=2,0c|0" },
	{ "both say so: who does first",
	    SETTLED "s.A@5002/1002:bye# c.A@1002/5006:q# c.FA@1004/5006 s.FA@5006/1005",
	    "A=2,4s|0" },
	{ "who goes on is not done", SETTLED "s.A@5002/1002:no# s.A@5005/1002:yes c.FA@1002/5008 !",
	    "A=0,6c|0" },
	{ "but a repeated or a late segment is nothing new",
	    SETTLED "s.A@5002/1002:go s.A@5006/1002:# s.A@5004/1002:on s.A@5002/1002:go "
		    "c.FA@1002/5007 !",
	    "A=0,5s|0" },
	{ "an answer is no end",
	    SETTLED "s.A@5002/1002:go? c.A@1002/5005:no# s.FA@5005/1005 c.FA@1005/5006",
	    "A=3,3s|0" },
	{ "but what comes behind it may be",
	    SETTLED "s.A@5002/1002:go? c.A@1002/5005:no# s.A@5005/1005:ok c.A@1005/5007:# "
		    "s.FA@5007/1006 c.FA@1006/5008",
	    "A=4,5c|0" },
	{ "a reset in answer to that", SETTLED "s.A@5002/1002:bye# c.RA@1002/5006", "A=0,4s!0" },
	{ "last words, and the capture ends", SETTLED "s.A@5002/1002:bye# !", "A=0,4?" },
	{ "a FIN before that",
	    "c.S@999 s.SA@4999/1000 c.FA@1000/5000:hi s.A@5000/1003:yW "
	    "s.FA@5002/1003",
	    "A=0,0c|0" },
};

/* Without what the log says of the bytes up to the settling. */
static const char *
after_settling(const struct world *w)
{
	const char *end = strstr(w->log, "A=");

	return end != NULL ? end : w->log;
}

START_TEST(a_settled_connection_tells_how_it_goes_on)
{
	struct world *w = world_new_default();

	w->client_is_lower = _i % 2 == 0;
	world_run(w, scripts[_i / 2].script);
	ck_assert_msg(strcmp(after_settling(w), scripts[_i / 2].log) == 0, "%s: %s",
	    scripts[_i / 2].fact, w->log);
	world_free(w);
}
END_TEST

static void
add_bytes(struct world *w, bool from_client, uint32_t seq, uint32_t len, uint8_t flags)
{
	struct packet p = world_packet(w, from_client, 0);

	p.flags = flags;
	p.seq = seq;
	p.payload_len = len;
	flow_table_add(w->table, &p);
}

START_TEST(numbers_that_wrap_several_times_count_on)
{
	struct world *w = world_new_default();
	uint32_t seq = 5002;

	world_run(w, SETTLED);
	/* 10 GiB, of which one packet in 64 KiB is captured. */
	for (unsigned i = 0; i < 10u << 14; i++) {
		seq += 65536;
		add_bytes(w, false, seq - 1000, 1000, TCP_ACK);
	}
	add_bytes(w, false, seq, 0, TCP_ACK | TCP_FIN);
	add_bytes(w, true, 1002, 0, TCP_ACK | TCP_FIN);
	ck_assert_str_eq(after_settling(w), "A=0,10737418240s|0");
	world_free(w);
}
END_TEST

START_TEST(a_number_from_afar_is_not_of_this_connection)
{
	struct world *w = world_new_default();

	world_run(w, SETTLED);
	add_bytes(w, false, 5002 + (1u << 30), 10, TCP_ACK);
	add_bytes(w, false, 5002 - (1u << 30), 10, TCP_ACK);
	add_bytes(w, false, 5002 + (1u << 25), 0, TCP_RST);
	world_run(w, "s.FA@5002/1002 c.FA@1002/5003");
	ck_assert_str_eq(after_settling(w), "A=0,0s|0");
	world_free(w);
}
END_TEST

START_TEST(counting_may_begin_elsewhere)
{
	struct world *w = world_new_default();
	struct world_watch *watch;

	world_run(w, "c.S@999 s.SA@4999/1000 c.A@1000/5000:hi s.A@5000/1002:yS");
	watch = calloc(1, sizeof(*watch));
	ck_assert_ptr_nonnull(watch);
	watch->user = (struct world_user){ .world = w, .flow = w->last, .name = 'A' };
	/* The client's first byte belongs to it already; of the server's ten are still to come. */
	for (unsigned dir = 0; dir < 2; dir++)
		watch->watch.from[dir] = world_role(&watch->user, dir) == 'c' ? 1 : 12;
	w->watched++;
	flow_watch(w->last, &watch->watch, false);
	world_run(w, "s.A@5002/1002:0123456789abc s.FA@5015/1002 c.FA@1002/5016");
	ck_assert_str_eq(after_settling(w), "A=1,3s|0");
	world_free(w);
}
END_TEST

START_TEST(an_evicted_connection_was_not_seen_to_end)
{
	struct flow_options options;
	struct world *w;

	flow_options_init(&options);
	options.max_flows = 1;
	w = world_new(&options);
	world_run(w, SETTLED "c1.A@1/1:x");
	ck_assert_str_eq(after_settling(w), "A=0,0? B+? Bc:x");
	world_free(w);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_settled_connection_tells_how_it_goes_on, 0, 2 * ROWS(scripts));
	tcase_add_test(tc, numbers_that_wrap_several_times_count_on);
	tcase_add_test(tc, a_number_from_afar_is_not_of_this_connection);
	tcase_add_test(tc, counting_may_begin_elsewhere);
	tcase_add_test(tc, an_evicted_connection_was_not_seen_to_end);
}

SUITE_MAIN("flow_flow_watch")
