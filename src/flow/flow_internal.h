/*
 * flow_internal - a connection's entry, the lists it stands in, and what the files of this module
 * do for each other.
 */
#ifndef TLSTALLY_FLOW_FLOW_INTERNAL_H
#define TLSTALLY_FLOW_FLOW_INTERNAL_H

#include "base/hash.h"
#include "base/pool.h"
#include "base/xalloc.h"
#include "flow/flow_clock.h"
#include "flow/flow_table.h"
#include "flow/syn_cache.h"

/* Each connection stands in one list, in which the one that is idle longest is the oldest. */
enum flow_list {
	FLOW_LIST_UNSETTLED, /* of the lowest enum flow_rank; the next two are of the higher ones */
	FLOW_LIST_ANSWERED,
	FLOW_LIST_HANDSHAKE,
	FLOW_LIST_LINGERING, /* unsettled, and to be ended soon */
	FLOW_LIST_SETTLED,
	FLOW_LIST_CLOSED,
};
#define FLOW_LIST_COUNT (FLOW_LIST_CLOSED + 1)

/* A connection that goes on is moved to the end of its list about this often. */
#define FLOW_LIST_RENEW_US INT64_C(1000000)

/* Both directions of an unsettled connection, in one line of the processor's cache. */
struct flow_streams {
	_Alignas(CACHE_LINE) struct tcp_stream of[2];
};
_Static_assert(sizeof(struct flow_streams) == CACHE_LINE, "one line");

/*
 * A connection's entry.  Lists and chains name it by its number, its place in flow_table.flows; 0
 * is none.  It takes two lines of the processor's cache: the first is all that is compared to look
 * up a packet.
 */
struct flow {
	_Alignas(CACHE_LINE) struct connection conn;
	uint32_t hash;         /* low 32 bits of struct place's */
	uint32_t hash_next;    /* the next one in its bucket's chain, or among the unused ones */
	uint32_t older, newer; /* its neighbours in its list */
	int64_t last_us;       /* packet time of its last packet; if it lingers, of flow_linger */
	union {
		struct flow_streams *streams; /* of an unsettled one */
		struct flow_watch *watch;     /* of a settled one; NULL: none */
	};
	union {
		struct { /* of an unsettled one */
			void *user;
			struct flow_table *table; /* for flow_arg */
			/* flow_table.stamp when it was put at the end of its list */
			uint64_t stamp;
		};
		struct { /* of a settled one, what its streams knew last: see struct tcp_stream */
			int64_t next[2];
			uint32_t base[2];
		};
	};
	/*
	 * Of a settled one: bits 0 and 1 are the directions whose base is known, bits 2 and 3 those
	 * that begin below offset zero.
	 */
	uint8_t base_dirs;
	uint8_t fin_dirs; /* bits: directions that have sent a FIN */
	uint8_t list;     /* enum flow_list */
	bool closed;      /* reset, or a FIN from both */
	bool one_way;     /* of a settled one: its end came before any packet of one direction */
	bool listens;     /* of a watched one: flow_handler.words is asked */
};
_Static_assert(sizeof(struct connection) <= CACHE_LINE, "one line to look it up");
_Static_assert(sizeof(struct flow) == 2 * CACHE_LINE, "two lines in all");
_Static_assert(sizeof(struct flow) + 4 * sizeof(uint32_t) <= FLOW_SETTLED_LEN, "four buckets too");

/* One of the lists. */
struct flow_ring {
	uint32_t oldest, newest; /* 0: it is empty */
	size_t count;
};

struct flow_table {
	struct flow_options options;
	const struct flow_handler *handler;
	void *arg;
	struct hash_key key, syn_key;
	uint32_t *buckets;
	size_t bucket_mask;
	struct flow *flows;  /* room for the budget and number 0 */
	void *flows_memory;  /* owned: where `flows` lies in */
	uint32_t fresh;      /* number of the first entry that was never used */
	uint32_t unused;     /* the entry that was given back last; hash_next leads to the next */
	size_t count;        /* connections in the table */
	struct pool streams; /* of struct flow_streams */
	struct flow_ring rings[FLOW_LIST_COUNT];
	struct syn_cache *syns;
	int64_t now_us;
	int64_t due_us; /* packet time up to which flow_list_expire has nothing to do */
	/*
	 * For flow_list_is_behind: `stamp` counts the connections that were opened, and each second
	 * as one more than `renew_after`, a sixteenth of max_unsettled.
	 */
	uint64_t stamp, renew_after;
	struct flow_clock clock;
	struct flow_counters counters;
};

/* The connection with that number; NULL for 0. */
static inline struct flow *
flow_at(const struct flow_table *table, uint32_t number)
{
	return number != 0 ? &table->flows[number] : NULL;
}

static inline uint32_t
flow_number(const struct flow_table *table, const struct flow *flow)
{
	return (uint32_t)(flow - table->flows);
}

static inline uint32_t *
flow_bucket(const struct flow_table *table, uint64_t hash)
{
	return &table->buckets[hash & table->bucket_mask];
}

static inline bool
flow_is_settled(const struct flow *flow)
{
	return flow->list >= FLOW_LIST_SETTLED;
}

/* --- flow_slot.c: where connections are kept --- */

/* Makes room for the connections and buckets that table->options ask for. */
void flow_slots_init(struct flow_table *table);
void flow_slots_release(struct flow_table *table);
/*
 * A new entry with empty streams, to be found by `hash`, in which nothing else is known.  The
 * caller has made room for it (flow_list_make_room), and puts it into a list.
 */
struct flow *flow_slot_take(struct flow_table *table, uint64_t hash);
/* Gives a settled connection's entry back, which stands in no list any more. */
void flow_slot_give_back(struct flow_table *table, struct flow *flow);

/* --- flow_list.c: the lists, and what their budgets and times make end --- */

/* Puts a connection, which stands in none, at the end of a list. */
void flow_list_put(struct flow_table *table, struct flow *flow, enum flow_list list);
/* Takes it out of the list in which it stands. */
void flow_list_remove(struct flow_table *table, struct flow *flow);
/* The connection of a list that is idle longest; NULL: it is empty. */
struct flow *flow_list_oldest(const struct flow_table *table, enum flow_list list);
/* True if the connection is neither settled nor lingers. */
static inline bool
flow_list_is_open(const struct flow *flow)
{
	return flow->list <= FLOW_LIST_HANDSHAKE;
}
/*
 * True when this open connection, which goes on, is to be moved to the end of its list: a second
 * after the last time, or when as many connections as a sixteenth of the room have been opened
 * since.  Not for each packet, because a move writes to three others.  So the order of idleness, by
 * which connections are evicted, is out by that sixteenth at most.
 */
static inline bool
flow_list_is_behind(const struct flow_table *table, const struct flow *flow)
{
	return table->stamp - flow->stamp > table->renew_after;
}
/* The open connection that is idle longest, whatever its rank; NULL: there is none. */
struct flow *flow_list_oldest_open(const struct flow_table *table);
/*
 * Ends the connections whose time is over at table->now_us, and sets when to be called next.  To be
 * called once table->due_us is over, and not more often.
 */
void flow_list_expire(struct flow_table *table);
/* Makes room for one more unsettled connection, by the budgets of flow_table.h. */
void flow_list_make_room(struct flow_table *table);
/* As flow_table_set_back. */
void flow_list_set_back(struct flow_table *table, int64_t now_us, int64_t step_us);

/* --- flow_open.c: entries for new connections --- */

/*
 * Makes an entry for the connection of `p`, a packet of direction `dir`, to be found by `hash`;
 * asks the user for its object.
 */
struct flow *flow_open(
    struct flow_table *table, const struct packet *p, uint64_t hash, unsigned dir);
/* Keeps the VLAN and MAC address of the first packet of a direction. */
void flow_set_link(struct connection *conn, const struct packet *p, unsigned dir);

/* --- flow_syn.c: how connections begin --- */

/* Takes over what the SYN cache knows of a new connection whose first packet is `p`. */
void flow_take_syns(
    struct flow_table *table, struct flow *flow, const struct packet *p, unsigned dir);
/*
 * What a packet without payload says of a connection of which nothing was seen yet but its
 * beginning.  True for its end, when that acknowledges bytes, or stands behind some: where the
 * mirror is late with them, they are still to come, and what ended it must not be forgotten.  A
 * single byte that is acknowledged may be the other side's FIN.
 */
bool flow_ends_unseen(struct flow_table *table, const struct packet *p, unsigned dir);
/* True when a SYN or SYN/ACK on the connection's ports begins another one. */
bool flow_is_new_syn(struct flow *f, const struct packet *p, unsigned dir);
/* Keeps in a connection that is being settled what it needs of its streams. */
void flow_remember_streams(struct flow *flow, const struct tcp_stream stream[2]);
/*
 * Offset in the other side's stream `s` that `p` acknowledges; MARK_NO_PEER: none that makes sense.
 */
static inline int64_t
flow_acked_offset(const struct tcp_stream *s, const struct packet *p)
{
	int64_t offset;

	if ((p->flags & TCP_ACK) == 0 || !(s->has_base || s->has_hint))
		return MARK_NO_PEER;
	offset = tcp_stream_offset(s, p->ack);
	if (offset < -(int64_t)TCP_STREAM_HINT_WINDOW || offset >= s->next + TCP_STREAM_WINDOW)
		return MARK_NO_PEER;
	return offset;
}

/* --- flow_watch.c: settled connections --- */

/*
 * True if a settled connection's reset has a number near what its sender has said: RFC 9293,
 * section 3.10.7.4.  One that is far away is somebody else's.
 */
bool flow_is_credible_reset(const struct flow *flow, const struct packet *p, unsigned dir);
/*
 * True for a packet with ACK whose numbers are both far from those of a settled connection, as
 * where a new one on its ports was captured without its beginning.
 */
bool flow_is_of_another(const struct flow *flow, const struct packet *p, unsigned dir);
/* Notes what a packet of a watched connection tells. */
void flow_watch_packet(
    const struct flow_table *table, struct flow *flow, const struct packet *p, unsigned dir);
/* Ends the watch, and tells the user how the connection went on. */
void flow_watch_end(struct flow_table *table, struct flow *flow);

/* The argument of flow_stream_sink, which passes what a stream hands out on to the user. */
struct flow_stream_arg {
	const struct flow_handler *handler;
	void *user;
	struct flow *flow;
	unsigned dir;
};
static inline struct flow_stream_arg
flow_stream_arg_of(const struct flow_table *table, struct flow *flow, unsigned dir)
{
	return (struct flow_stream_arg){ table->handler, flow->user, flow, dir };
}
extern const struct tcp_stream_sink flow_stream_sink;

/* --- flow_table.c: ending connections --- */

/*
 * Hands out what waits in an unsettled connection's streams, calls flow_handler.end with `why` and
 * `time_us`, and remembers the connection like a settled one.
 */
void flow_conclude(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us);
/*
 * Takes a connection out of the table.  An unsettled one is concluded first, and a watch is ended.
 */
void flow_end(struct flow_table *table, struct flow *flow, enum flow_end why, int64_t time_us);

#endif
