/*
 * A batch of a flood: most of it are SYNs of no known connection, which need little of what other
 * packets need.
 */
#include "flow/flow_lookup.h"

#include "base/banned.h"

/* A connection's first packet, as far as it tells itself. */
static inline bool
is_first_syn(const struct packet *p)
{
	return (p->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN && p->payload_len == 0;
}

bool
flow_is_flood(const struct packet *const *packets, size_t count)
{
	return is_first_syn(packets[0]) && is_first_syn(packets[count / 3]) &&
	       is_first_syn(packets[count * 2 / 3]) && is_first_syn(packets[count - 1]);
}

/* Both hashes of the same numbers. */
static inline void
find_places(const struct flow_table *table, const struct packet *p, struct flow_lookup *l)
{
	uint64_t src, dst;

	if (p->src.family != 4) {
		l->at = flow_place_v6(&table->key, p);
		l->syn_hash = flow_place_v6(&table->syn_key, p).hash;
		return;
	}
	src = endpoint_v4(&p->src, p->src_port);
	dst = endpoint_v4(&p->dst, p->dst_port);
	l->at = (struct place){ hash_pair(&table->key, src, dst), src > dst };
	l->syn_hash = hash_pair(&table->syn_key, src, dst);
}

static inline void
look_up_syn(const struct flow_table *table, const struct packet *p, struct flow_lookup *l)
{
	find_places(table, p, l);
	l->bucket = flow_bucket(table, l->at.hash);
	__builtin_prefetch(l->bucket);
	syn_cache_prefetch(table->syns, l->syn_hash);
}

/* First SYNs into their places in `batch`, other packets side by side into `others`: no bucket. */
static APART void
look_up(struct flow_table *const *tables, const struct packet *const *packets, size_t count,
    struct flow_lookup *batch, struct flow_lookup *others)
{
	struct flow_table *other_tables[FLOW_BATCH];
	const struct packet *other_packets[FLOW_BATCH];
	size_t other_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_first_syn(packets[i])) {
			look_up_syn(tables[i], packets[i], &batch[i]);
		} else {
			batch[i].bucket = NULL;
			other_tables[other_count] = tables[i];
			other_packets[other_count++] = packets[i];
		}
	}
	if (other_count > 0)
		flow_look_up(other_tables, other_packets, other_count, others);
}

/* A first SYN where a connection may be known, as any packet is added. */
static APART void
add_as_any(struct flow_table *table, const struct packet *p, struct flow_lookup *l)
{
	l->likely = table->flows;
	flow_add_looked_up(&table, &p, 1, l);
}

static inline void
add_first_syn(struct flow_table *table, const struct packet *p, struct flow_lookup *l)
{
	if (*l->bucket != 0) {
		add_as_any(table, p, l);
		return;
	}
	flow_follow_clock(table, p->time_us);
	table->counters.syn += syn_cache_add_syn(table->syns, l->syn_hash, l->at.dir, p->seq);
	if (p->joins)
		syn_cache_mark_join(table->syns, l->syn_hash);
}

void
flow_add_flood(struct flow_table *const *tables, const struct packet *const *packets, size_t count)
{
	struct flow_lookup batch[FLOW_BATCH], others[FLOW_BATCH];
	const struct flow_lookup *other = others;

	look_up(tables, packets, count, batch, others);
	for (size_t i = 0; i < count; i++) {
		if (batch[i].bucket != NULL)
			add_first_syn(tables[i], packets[i], &batch[i]);
		else
			flow_add_looked_up(tables + i, packets + i, 1, other++);
	}
}
