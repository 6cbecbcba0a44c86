/* Where connections are kept, and their chains by hash. */
#include <stdlib.h>

#include "flow/flow_internal.h"

#include "base/banned.h"

#define FLOWS_MAX ((size_t)1 << 28)
#define BUCKETS_MAX ((size_t)1 << 24)

/*
 * Memory for the whole budget.  The system provides a page when it is first written to, and entries
 * are taken from the beginning on.
 */
static void
make_flows(struct flow_table *table)
{
	uint8_t *memory = xcalloc(table->options.max_flows + 2, sizeof(struct flow));

	table->flows_memory = memory;
	memory += CACHE_LINE - (uintptr_t)memory % CACHE_LINE;
	table->flows = (struct flow *)(void *)memory;
	table->flows[0].list = FLOW_LIST_CLOSED; /* nobody's: it has no streams */
	table->fresh = 1;
}

void
flow_slots_init(struct flow_table *table)
{
	size_t buckets = 1024;

	if (table->options.max_flows > FLOWS_MAX)
		table->options.max_flows = FLOWS_MAX;
	/* Twice as many as connections: each step along a chain waits for memory. */
	while (buckets < 2 * table->options.max_flows && buckets < BUCKETS_MAX)
		buckets *= 2;
	table->buckets = xcalloc(buckets, sizeof(table->buckets[0]));
	table->bucket_mask = buckets - 1;
	make_flows(table);
	pool_init(&table->streams, sizeof(struct flow_streams));
}

void
flow_slots_release(struct flow_table *table)
{
	pool_release(&table->streams);
	free(table->flows_memory);
	free(table->buckets);
}

static struct flow *
take_number(struct flow_table *table)
{
	struct flow *flow = flow_at(table, table->unused);

	if (flow == NULL)
		return &table->flows[table->fresh++];
	table->unused = flow->hash_next;
	return flow;
}

struct flow *
flow_slot_take(struct flow_table *table, uint64_t hash)
{
	uint32_t *bucket = flow_bucket(table, hash);
	struct flow_streams *streams = pool_take(&table->streams);
	struct flow *flow = take_number(table);

	*streams = (struct flow_streams){ 0 };
	*flow = (struct flow){
		.hash = (uint32_t)hash,
		.hash_next = *bucket,
		.last_us = table->now_us,
		.streams = streams,
		.table = table,
	};
	*bucket = flow_number(table, flow);
	table->count++;
	return flow;
}

static void
unlink_from_bucket(struct flow_table *table, struct flow *flow)
{
	uint32_t *link = flow_bucket(table, flow->hash);

	while (&table->flows[*link] != flow)
		link = &table->flows[*link].hash_next;
	*link = flow->hash_next;
}

void
flow_slot_give_back(struct flow_table *table, struct flow *flow)
{
	unlink_from_bucket(table, flow);
	flow->conn.addr[0].family = flow->conn.addr[1].family = 0; /* no packet's any more */
	flow->hash_next = table->unused;
	table->unused = flow_number(table, flow);
	table->count--;
}
