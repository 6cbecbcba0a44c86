#include "flow_world.h"
#include "stream_recorder.h"

#include "base/banned.h"

#define BLOCK_MAX 80

static struct packet
some_packet(struct world *w, uint32_t *state)
{
	static const char bytes[] = "abcdefghSLijklHmnoW\0\0pqrstuvwxyz";
	struct packet p;
	size_t at = random_below(state, sizeof(bytes) - 1);
	size_t len = random_below(state, (uint32_t)(sizeof(bytes) - 1 - at));

	w->version = random_below(state, 4) == 0 ? 6 : 4;
	p = world_packet(w, random_below(state, 2) == 0, random_below(state, 8));
	p.flags = random_below(state, 3) == 0 ? (uint8_t)(next_random(state) & 0x17) : TCP_ACK;
	p.seq = random_below(state, 10) == 0 ? next_random(state) : random_below(state, 60);
	p.ack = random_below(state, 10) == 0 ? next_random(state) : random_below(state, 60);
	p.payload = random_below(state, 4) == 0 ? BYTES("") : span_from(bytes + at, len);
	p.payload_len = (uint32_t)p.payload.len + (random_below(state, 20) == 0 ? 30 : 0);
	if (random_below(state, 10) == 0)
		w->time_us += random_below(state, 1000) * (WORLD_SECOND / 50);
	return p;
}

static void
start_log(struct world *w)
{
	w->log[w->log_len = 0] = '\0';
}

/* As in a flood: nearly all of the packets are SYNs, which also come again on known ports. */
static struct packet
some_packet_of_flood(struct world *w, uint32_t *state)
{
	struct packet p = some_packet(w, state);

	if (random_below(state, 12) == 0)
		return p;
	p.src_port = (uint16_t)(p.src_port + random_below(state, 3));
	p.flags = TCP_SYN;
	p.payload = BYTES("");
	p.payload_len = 0;
	p.joins = random_below(state, 20) == 0;
	return p;
}

static void
compare_batches_with_single_packets(
    struct packet (*make)(struct world *w, uint32_t *state), uint32_t state)
{
	struct packet packets[BLOCK_MAX];
	const struct packet *listed[BLOCK_MAX];
	struct flow_table *tables[BLOCK_MAX];
	struct flow_options options;
	struct world *single, *batch;

	flow_options_init(&options);
	options.is_saved = true;
	options.max_flows = 1 + random_below(&state, 8);
	options.max_unsettled = 1 + random_below(&state, 8);
	options.max_closed = random_below(&state, 4);
	single = world_new(&options);
	batch = world_new(&options);
	for (int round = 0; round < 50; round++) {
		unsigned count = 1 + random_below(&state, BLOCK_MAX);

		start_log(single);
		start_log(batch);
		for (unsigned i = 0; i < count; i++) {
			packets[i] = make(single, &state);
			tables[i] = batch->table;
			listed[i] = &packets[i];
			flow_table_add(single->table, &packets[i]);
		}
		flow_tables_add(tables, listed, count);
		ck_assert_str_eq(batch->log, single->log);
		ck_assert_uint_eq(flow_table_count(batch->table), flow_table_count(single->table));
	}
	ck_assert_mem_eq(flow_table_counters(batch->table), flow_table_counters(single->table),
	    sizeof(struct flow_counters));
	world_free(single);
	world_free(batch);
}

/* Of what is looked up together, connections end, begin and take each other's places. */
START_TEST(packets_of_a_batch_go_the_same_way_as_one_by_one)
{
	uint32_t state = 0x9e3779b9u * (uint32_t)(_i + 1);

	compare_batches_with_single_packets(some_packet, state);
	compare_batches_with_single_packets(some_packet_of_flood, state);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, packets_of_a_batch_go_the_same_way_as_one_by_one, 0, 40);
}

SUITE_MAIN("flow_flow_add")
