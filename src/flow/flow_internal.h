/*
 * flow_internal - a connection's entry and the lists it stands in.
 */
#ifndef TLSTALLY_FLOW_FLOW_INTERNAL_H
#define TLSTALLY_FLOW_FLOW_INTERNAL_H

#include "base/hash.h"
#include "flow/flow_clock.h"
#include "flow/flow_table.h"
#include "flow/syn_cache.h"

/* Each connection stands in one list, the longest idle first. */
enum flow_list {
	FLOW_LIST_UNSETTLED, /* and one more for each higher enum flow_rank */
	FLOW_LIST_ANSWERED,
	FLOW_LIST_HANDSHAKE,
	FLOW_LIST_LINGERING, /* unsettled, and to be ended soon */
	FLOW_LIST_SETTLED,
	FLOW_LIST_CLOSED,
};
#define FLOW_LIST_COUNT (FLOW_LIST_CLOSED + 1)

/* One connection's share of the memory that struct flow_options bounds. */
#define FLOW_LEN_MAX 256

struct flow {
	struct flow *hash_next;
	struct flow *older, *newer; /* in its list */
	void *user;                 /* NULL once settled */
	struct flow_watch *watch;   /* of a settled one; NULL: none */
	struct flow_table *table;   /* for the streams' callbacks */
	uint64_t hash;
	int64_t last_us; /* packet time of the last packet; of flow_linger in that list */
	struct tcp_stream stream[2];
	struct connection conn;
	uint8_t list; /* enum flow_list */
	bool closed;  /* reset, or a FIN from both */
	uint8_t fin_dirs;
};
_Static_assert(sizeof(struct flow) <= FLOW_LEN_MAX, "an idle connection is small");

struct flow_ring {
	struct flow *oldest, *newest;
	size_t count;
};

struct flow_table {
	struct flow_options options;
	const struct flow_handler *handler;
	void *arg;
	struct hash_key key, syn_key;
	struct flow **buckets;
	size_t bucket_mask;
	size_t count;
	struct flow_ring rings[FLOW_LIST_COUNT];
	struct syn_cache *syns;
	int64_t now_us;
	int64_t due_us; /* up to then none of the lists' oldest is to be ended */
	struct flow_clock clock;
	struct flow_counters counters;
};

/* flow_list.c: the lists, and what their budgets and times make end. */
void flow_list_put(struct flow_table *table, struct flow *flow, enum flow_list list);
void flow_list_remove(struct flow_table *table, struct flow *flow);
/* In one of the lists of those that are neither settled nor linger. */
bool flow_list_is_open(const struct flow *flow);
/* Of those, whatever their rank, the longest idle; NULL: there is none. */
struct flow *flow_list_oldest_open(const struct flow_table *table);
/* Ends what is due at table->now_us; there is nothing before table->due_us is over. */
void flow_list_expire(struct flow_table *table);
/* Makes room for one more connection. */
void flow_list_make_room(struct flow_table *table);
/* The clock was set back: what is remembered keeps its age. */
void flow_list_set_back(struct flow_table *table, int64_t step_us);

/* flow_syn.c: beginnings. */
/* What the SYN cache knows of a connection whose first packet with payload is `p`. */
void flow_take_syns(
    struct flow_table *table, struct flow *flow, const struct packet *p, unsigned dir);
/* True when a SYN or SYN/ACK on the connection's ports begins another one. */
bool flow_is_new_syn(struct flow *f, const struct packet *p, unsigned dir);
/* Offset in the other side's stream `s` that `p` acknowledges; -1: none that makes sense. */
int64_t flow_acked_offset(const struct tcp_stream *s, const struct packet *p);

/* flow_watch.c */
/* A packet of a settled connection that is watched. */
void flow_watch_packet(struct flow *flow, const struct packet *p, unsigned dir);
/* Tells how it went on, and ends the watch. */
void flow_watch_end(struct flow_table *table, struct flow *flow);

/* flow_table.c: hands out what waits; an unsettled connection hears `why` and is remembered as a
 * settled one. */
void flow_conclude(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us);
/* The same, and takes it out of the table and frees it. */
void flow_end(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us);

#endif
