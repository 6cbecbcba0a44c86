#include "flow/elapsed.h"
#include "flow/flow_internal.h"

#include "base/banned.h"

struct flow *
flow_list_oldest(const struct flow_table *table, enum flow_list list)
{
	return flow_at(table, table->rings[list].oldest);
}

void
flow_list_remove(struct flow_table *table, struct flow *flow)
{
	struct flow_ring *ring = &table->rings[flow->list];

	if (flow->older != 0)
		table->flows[flow->older].newer = flow->newer;
	else
		ring->oldest = flow->newer;
	if (flow->newer != 0)
		table->flows[flow->newer].older = flow->older;
	else
		ring->newest = flow->older;
	ring->count--;
}

/* How long a connection may stand in a list. */
static int64_t
keep_of(const struct flow_table *table, enum flow_list list)
{
	switch (list) {
	case FLOW_LIST_UNSETTLED:
	case FLOW_LIST_ANSWERED:
	case FLOW_LIST_HANDSHAKE:
		return table->options.idle_unsettled_us;
	case FLOW_LIST_LINGERING:
		return FLOW_LINGER_US;
	case FLOW_LIST_SETTLED:
		return table->options.idle_settled_us;
	case FLOW_LIST_CLOSED:
		return table->options.keep_closed_us;
	}
	return 0;
}

/* The oldest of a list may be due earlier than all others. */
static void
note_due(struct flow_table *table, enum flow_list list)
{
	const struct flow *oldest = flow_list_oldest(table, list);
	int64_t due_us;

	if (oldest == NULL)
		return;
	due_us = time_after(oldest->last_us, keep_of(table, list));
	if (due_us < table->due_us)
		table->due_us = due_us;
}

void
flow_list_put(struct flow_table *table, struct flow *flow, enum flow_list list)
{
	struct flow_ring *ring = &table->rings[list];
	uint32_t number = flow_number(table, flow);

	flow->list = (uint8_t)list;
	flow->older = ring->newest;
	flow->newer = 0;
	if (ring->newest != 0)
		table->flows[ring->newest].newer = number;
	else
		ring->oldest = number;
	ring->newest = number;
	ring->count++;
	if (flow_list_is_open(flow))
		flow->stamp = table->stamp;
	if (ring->oldest == number)
		note_due(table, list);
}

/* The longest idle of a list, when its time is over; else NULL. */
static struct flow *
find_expired(const struct flow_table *table, enum flow_list list, int64_t keep_us)
{
	struct flow *flow = flow_list_oldest(table, list);

	return flow != NULL && elapsed_us(table->now_us, flow->last_us) > keep_us ? flow : NULL;
}

/* These are remembered: late copies of their packets, or what follows a long silence, may come. */
static void
conclude_list(struct flow_table *table, enum flow_list list, enum flow_end why)
{
	int64_t keep_us = keep_of(table, list);
	struct flow *flow;

	while ((flow = find_expired(table, list, keep_us)) != NULL)
		flow_conclude(table, flow, why, flow->last_us + keep_us);
}

static void
expire_list(struct flow_table *table, enum flow_list list)
{
	int64_t keep_us = keep_of(table, list);
	struct flow *flow;

	while ((flow = find_expired(table, list, keep_us)) != NULL)
		flow_end(table, flow, FLOW_END_IDLE, flow->last_us + keep_us);
}

void
flow_list_expire(struct flow_table *table)
{
	conclude_list(table, FLOW_LIST_LINGERING, FLOW_END_LINGERED);
	/* Where one side only has said something it may be a flood, and that costs no more room. */
	expire_list(table, FLOW_LIST_UNSETTLED);
	conclude_list(table, FLOW_LIST_ANSWERED, FLOW_END_IDLE);
	conclude_list(table, FLOW_LIST_HANDSHAKE, FLOW_END_IDLE);
	expire_list(table, FLOW_LIST_SETTLED);
	expire_list(table, FLOW_LIST_CLOSED);
	table->stamp += table->renew_after + 1;
	table->due_us = time_after(table->now_us, FLOW_LIST_RENEW_US);
	for (unsigned list = 0; list < FLOW_LIST_COUNT; list++)
		note_due(table, (enum flow_list)list);
}

static void
evict(struct flow_table *table, enum flow_list list, uint64_t *counter)
{
	(*counter)++;
	flow_end(table, flow_list_oldest(table, list), FLOW_END_EVICTED, table->now_us);
}

/*
 * The list whose oldest is missed least.  A quarter of the room is each rank's own: all begin in
 * the lowest one, and a flood that reached a higher one must not keep them from rising.
 */
static enum flow_list
least_list(const struct flow_table *table)
{
	size_t open = 0, own;
	unsigned list;

	for (list = FLOW_LIST_UNSETTLED; list <= FLOW_LIST_HANDSHAKE; list++)
		open += table->rings[list].count;
	own = open / 4;
	list = FLOW_LIST_UNSETTLED;
	while (list < FLOW_LIST_HANDSHAKE && table->rings[list].count <= own)
		list++;
	return (enum flow_list)list;
}

/* Ends one user: of a connection that lingers, else of the one of the lowest rank, idle longest. */
static void
conclude_oldest(struct flow_table *table)
{
	struct flow *flow = flow_list_oldest(table, FLOW_LIST_LINGERING);

	/* It has its answer already: it loses nothing by being settled now. */
	if (flow != NULL) {
		flow_conclude(table, flow, FLOW_END_LINGERED, table->now_us);
		return;
	}
	table->counters.evicted_unsettled++;
	flow = flow_list_oldest(table, least_list(table));
	flow_conclude(table, flow, FLOW_END_EVICTED, table->now_us);
}

void
flow_list_make_room(struct flow_table *table)
{
	struct flow_counters *c = &table->counters;
	struct flow_ring *rings = table->rings;

	if (flow_table_unsettled_count(table) >= table->options.max_unsettled)
		conclude_oldest(table);
	while (rings[FLOW_LIST_CLOSED].count > table->options.max_closed)
		flow_end(
		    table, flow_list_oldest(table, FLOW_LIST_CLOSED), FLOW_END_IDLE, table->now_us);
	if (table->count < table->options.max_flows)
		return;
	if (rings[FLOW_LIST_CLOSED].count > 0)
		evict(table, FLOW_LIST_CLOSED, &c->evicted_closed);
	else if (rings[FLOW_LIST_SETTLED].count > 0)
		evict(table, FLOW_LIST_SETTLED, &c->evicted_settled);
	else if (rings[least_list(table)].count > 0)
		evict(table, least_list(table), &c->evicted_unsettled);
	else
		evict(table, FLOW_LIST_LINGERING, &c->evicted_unsettled);
}

void
flow_list_set_back(struct flow_table *table, int64_t now_us, int64_t step_us)
{
	int64_t known_us = table->now_us;

	table->now_us = elapsed_us(now_us, step_us);
	table->due_us = INT64_MIN;
	for (unsigned list = 0; list < FLOW_LIST_COUNT; list++) {
		for (struct flow *f = flow_list_oldest(table, (enum flow_list)list); f != NULL;
		     f = flow_at(table, f->newer)) {
			bool is_new = elapsed_us(known_us, f->last_us) < FLOW_LIST_RENEW_US;

			f->last_us = elapsed_us(is_new ? now_us : f->last_us, step_us);
		}
	}
}

void
flow_linger(struct flow_table *table, struct flow *flow)
{
	if (!flow_list_is_open(flow))
		return;
	flow_list_remove(table, flow);
	flow->last_us = table->now_us;
	flow_list_put(table, flow, FLOW_LIST_LINGERING);
}

bool
flow_can_rise(const struct flow *flow, enum flow_rank rank)
{
	return flow->list < FLOW_LIST_UNSETTLED + (unsigned)rank ||
	       flow->list == FLOW_LIST_LINGERING;
}

void
flow_set_rank(struct flow_table *table, struct flow *flow, enum flow_rank rank)
{
	if (!flow_can_rise(flow, rank))
		return;
	flow_list_remove(table, flow);
	flow->last_us = table->now_us;
	flow_list_put(table, flow, (enum flow_list)(FLOW_LIST_UNSETTLED + (unsigned)rank));
}

struct flow *
flow_list_oldest_open(const struct flow_table *table)
{
	struct flow *oldest = NULL;

	for (unsigned list = FLOW_LIST_UNSETTLED; list <= FLOW_LIST_HANDSHAKE; list++) {
		struct flow *f = flow_list_oldest(table, (enum flow_list)list);

		if (f != NULL && (oldest == NULL || f->last_us < oldest->last_us))
			oldest = f;
	}
	return oldest;
}

size_t
flow_table_unsettled_count(const struct flow_table *table)
{
	size_t count = 0;

	for (unsigned list = FLOW_LIST_UNSETTLED; list <= FLOW_LIST_LINGERING; list++)
		count += table->rings[list].count;
	return count;
}
