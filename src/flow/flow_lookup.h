/*
 * flow_lookup - packets that are looked up together; shared by flow_add.c and flow_flood.c.
 */
#ifndef TLSTALLY_FLOW_FLOW_LOOKUP_H
#define TLSTALLY_FLOW_FLOW_LOOKUP_H

#include "flow/flow_internal.h"
#include "flow/flow_place.h"

/*
 * So many packets are looked up together: few enough that what is prefetched for them fits into a
 * first-level cache, and enough that the first of it has arrived when the last is asked for.
 */
#define FLOW_BATCH 32

/* Rare work is not inlined, so that the usual way keeps the registers. */
#define APART __attribute__((noinline))

/* A packet of a batch: its place, and the connection that most likely stands there. */
struct flow_lookup {
	struct place at;
	union {
		const uint32_t *bucket;
		struct flow *likely; /* number 0 where there is none */
	};
	uint64_t syn_hash; /* of a SYN: its place in the SYN cache; else 0 */
};

/* flow_add.c */
void flow_look_up(struct flow_table *const *tables, const struct packet *const *packets,
    size_t count, struct flow_lookup *batch);
void flow_add_looked_up(struct flow_table *const *tables, const struct packet *const *packets,
    size_t count, const struct flow_lookup *batch);

static inline void
flow_follow_clock(struct flow_table *table, int64_t time_us)
{
	/* Of several tables none sees enough packets to know by itself. */
	if (table->options.share_count <= 1) {
		int64_t step_us = flow_clock_add(&table->clock, time_us);

		if (step_us != 0)
			flow_list_set_back(table, table->now_us, step_us);
	}
	flow_table_advance(table, time_us);
}

/* flow_flood.c */
/* Whether flow_add_flood is worth it, by a few of the packets.  The result is the same. */
bool flow_is_flood(const struct packet *const *packets, size_t count);
void flow_add_flood(
    struct flow_table *const *tables, const struct packet *const *packets, size_t count);

#endif
