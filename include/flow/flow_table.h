/*
 * flow_table - packets → connections, both directions, with their bytes in order.
 *
 * The table tells its user of each connection through callbacks (struct flow_handler).  A
 * connection goes through up to three states:
 *
 *   unsettled  From the first payload on.  The user has an object for it and hears of data, gaps
 *              and ends.
 *   settled    The user knows enough and has said so (flow_settle).  It hears nothing more, and
 *              each further packet costs one lookup.  If the user asks for that (flow_watch), the
 *              table goes on to note, by sequence numbers alone, how much each side sends and how
 *              the connection ends, and tells it in one last callback.
 *   closed     Settled, and both sides have sent a FIN or one a reset.
 *
 * Settled and closed connections stay in the table for a while, so that late copies of their
 * packets are not taken for new connections.  SYNs alone make no entry: they are remembered in a
 * small cache of fixed size, so a flood of them costs no memory.
 *
 * Three budgets bound the table.  Reaching one is counted (struct flow_counters), and then:
 *   connections in all     One is dropped: the closed one that was idle longest; if none is closed,
 *                          the settled one; and only then an unsettled one.
 *   unsettled connections  One that lingers (flow_linger) is ended now.  If there is none, the one
 *                          that was idle longest is evicted and remembered as closed, out of the
 *                          lowest rank (enum flow_rank) that has more than a quarter of them all:
 *                          higher ranks are given up last, but leave the lower ones their quarter.
 *   bytes held back        Bytes behind a hole wait for what is missing.  When too many wait, the
 *                          holes of the stream at hand are reported as gaps and its bytes handed
 *                          out.
 * "Longest" is not exact: a connection that goes on counts as fresh again only once a second, or
 * when a sixteenth of max_unsettled have begun since.
 *
 * Source:  RFC 9293 (TCP), RFC 7413 (data in a SYN).
 * Threads: one thread at a time per table.  Packet time is the only clock.
 */
#ifndef TLSTALLY_FLOW_FLOW_TABLE_H
#define TLSTALLY_FLOW_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/connection.h"
#include "base/mark.h"
#include "base/span.h"
#include "flow/tcp_stream.h"
#include "packet/packet.h"

struct flow_table; /* opaque */
struct flow;       /* opaque */

/* Why the table calls flow_handler.end. */
enum flow_end {
	FLOW_END_REUSED,   /* a new connection began on the same addresses and ports */
	FLOW_END_IDLE,     /* no packet for flow_options.idle_unsettled_us */
	FLOW_END_LINGERED, /* flow_linger: its time is over, or its room was needed */
	FLOW_END_EVICTED,  /* a budget was reached */
	FLOW_END_FINISHED, /* the capture is over: flow_table_finish */
};

/* What a side ends a connection with. */
enum flow_close { FLOW_CLOSE_NONE, FLOW_CLOSE_FIN, FLOW_CLOSE_RESET };

/*
 * What became of a connection after it was settled: how much each side went on to send, and who
 * ended it, how and when.  The user embeds it in an object of its own and hands it to flow_watch.
 * Bytes are counted by their sequence numbers: each once, whether it was captured or not.
 */
struct flow_watch {
	union {
		/* Set by the user: per direction, the stream offset from which bytes are counted;
		 * -1: from where the stream stands when flow_watch is called. */
		int64_t from[2];
		/* In flow_handler.watched: per direction, how many bytes were sent from there. */
		int64_t len[2];
	};
	/*
	 * Set by the user: the first FIN or reset, if that came before flow_watch.  In
	 * flow_handler.watched: the first one of all.
	 */
	int64_t closed_us;   /* its packet time; unset where `close` is FLOW_CLOSE_NONE */
	uint32_t closed_ack; /* offset that it acknowledged, low 32 bits; later private */
	uint8_t close;       /* enum flow_close; FLOW_CLOSE_NONE: no end was seen */
	uint8_t closed_by;   /* direction of who closed; unset where `close` is FLOW_CLOSE_NONE */
	uint8_t ended_dirs, asked_dirs; /* private */
};

/* Bytes that the table takes per settled connection, its share of the hash buckets included. */
#define FLOW_SETTLED_LEN 144

/* What the last bytes of a segment mean in the user's protocol: see flow_handler.words. */
enum flow_words {
	FLOW_WORDS_GO_ON, /* nothing about the end of the connection */
	FLOW_WORDS_END,   /* the sender is done, as with QUIT */
	FLOW_WORDS_ASK,   /* a question: the other side's next words answer it, and end nothing */
};

/*
 * The user's callbacks.  `user` is what `open` returned, `arg` is flow_table_new's; `dir` is 0 or 1
 * as in struct connection.  Spans and marks are borrowed for the call.
 */
struct flow_handler {
	/* A connection begins with its first payload.  Returns the user's object for it. */
	void *(*open)(void *arg, struct flow *flow);
	/*
	 * What direction `dir` does next, in the order of its bytes: `data` were captured, the
	 * `len` bytes of a `gap` were not.  `mark`: of the first byte, or of the FIN or reset.
	 */
	void (*data)(void *user, unsigned dir, struct span bytes, const struct mark *mark);
	void (*gap)(void *user, unsigned dir, int64_t len, const struct mark *mark);
	void (*fin)(void *user, unsigned dir, const struct mark *mark);
	void (*reset)(void *user, unsigned dir, const struct mark *mark);
	/* Optional: one of these four may follow soon for direction `dir`. */
	void (*prefetch)(const void *user, unsigned dir);
	/*
	 * The last call for a connection that the user has not settled; the user frees its object.
	 * `time_us`: packet time at which it ended.
	 */
	void (*end)(void *user, enum flow_end why, int64_t time_us);
	/*
	 * For watches with `listens`: tells what a side says with the last bytes of `payload`.  The
	 * side that first says FLOW_WORDS_END counts as the one that ended the connection,
	 * whichever FIN comes first after that.
	 */
	enum flow_words (*words)(struct span payload);
	/* The last call for a watch, which the user frees; `now_us`: packet time. */
	void (*watched)(
	    void *arg, const struct flow *flow, struct flow_watch *watch, int64_t now_us);
};

struct flow_options {
	/* Budgets; max_unsettled and max_closed are parts of max_flows. */
	size_t max_flows;           /* connections in all */
	size_t max_unsettled;       /* those with a user's object */
	size_t max_closed;          /* those that have closed and are remembered */
	size_t max_held_len;        /* bytes that wait behind holes, in all */
	size_t max_held_per_stream; /* the same in one direction of one connection */
	/* Packet time without a packet after which a connection of each state is forgotten. */
	int64_t idle_unsettled_us, idle_settled_us, keep_closed_us;
	/*
	 * Which SYNs the small cache forgets.  True, for saved captures: that follows from the
	 * packets alone, so that the same capture gives the same events.  False, live: that is left
	 * to chance, so that an outsider cannot make it forget a certain one.
	 */
	bool is_saved;
	/*
	 * How many tables share the connections, each with its part of the other budgets; 0 and 1:
	 * this is the only one.  A table that shares does not notice by itself that the clock was
	 * set back: flow_table_set_back tells it.
	 */
	unsigned share_count;
};

struct flow_counters {
	uint64_t flows;            /* connections with payload */
	uint64_t syn;              /* connections opened by a SYN, with payload or without */
	uint64_t syn_answered;     /* of `syn`, those with a SYN/ACK */
	uint64_t syn_with_payload; /* of `syn`, those with payload */
	uint64_t mid_start;        /* of `flows`, those whose beginning was not captured */
	uint64_t joined;           /* of `flows`, paths of other connections (Multipath TCP) */
	uint64_t one_way;          /* ended, with only one direction captured by then */
	uint64_t evicted_unsettled, evicted_settled, evicted_closed; /* by a budget, by state */
	uint64_t ack_before_data; /* segments that were acknowledged before they were captured */
	uint64_t payload_segments;
	struct tcp_stream_budget streams;
};

/* Sets the budgets of a pipeline that takes about 100 MiB at worst. */
void flow_options_init(struct flow_options *options);

/* `handler` is borrowed for the table's life, `options` for the call. */
struct flow_table *flow_table_new(
    const struct flow_options *options, const struct flow_handler *handler, void *arg);
void flow_table_free(struct flow_table *table);

/* --- Packets and time --- */

/* Takes the next packet in the order of capture.  Its payload is borrowed for the call. */
void flow_table_add(struct flow_table *table, const struct packet *packet);
/*
 * The same for `count` packets, in order: packets[i] goes into tables[i].  The more at once, the
 * less each waits for memory.
 */
void flow_tables_add(
    struct flow_table *const *tables, const struct packet *const *packets, size_t count);
/* Puts the table's clock forward to packet time `now_us`, and ends what is due by then. */
void flow_table_advance(struct flow_table *table, int64_t now_us);
/*
 * Tells the table that the clock was set back by `step_us` (microseconds) at now_us: the time of
 * each connection's last packet is set back by as much, so that it keeps its age.  The last second
 * before this table's own clock cannot be told from the new time; what was seen then counts as seen
 * just now.
 */
void flow_table_set_back(struct flow_table *table, int64_t now_us, int64_t step_us);
/* Ends every connection: the capture is over. */
void flow_table_finish(struct flow_table *table);

/* --- Questions about one connection --- */

/* What is known of the connection; borrowed, valid until its last callback. */
const struct connection *flow_connection(const struct flow *flow);
/*
 * For unsettled connections: how many bytes of direction `dir` the other side has acknowledged, a
 * FIN counted as one.
 */
int64_t flow_acked(const struct flow *flow, unsigned dir);
/* For unsettled ones: true if captured bytes of either direction are still to be handed out. */
bool flow_has_more(const struct flow *flow);
/* The `arg` of its table's flow_table_new; for unsettled ones. */
void *flow_arg(const struct flow *flow);

/* --- What the user decides about one connection --- */

/*
 * flow_linger, flow_set_rank and flow_settle may be called in any callback for an unsettled
 * connection, except in `open` and `end`.
 */

/* How long flow_linger lets a connection go on, in packet time. */
#define FLOW_LINGER_US INT64_C(2000000)
/*
 * Lets the connection go on for FLOW_LINGER_US and then ends it with FLOW_END_LINGERED; after that
 * it is remembered like a settled one.  A second call does not prolong it.
 */
void flow_linger(struct flow_table *table, struct flow *flow);
/*
 * Which unsettled connections are given up last when there are too many: a flood of half-open
 * conversations must not push out one that is under way.
 */
enum flow_rank {
	FLOW_RANK_ONE_SIDED, /* only one side has said something; every connection begins so */
	FLOW_RANK_ANSWERED,  /* both sides have */
	FLOW_RANK_HANDSHAKE, /* a TLS handshake is under way: given up last */
};
/*
 * Raises the connection's rank; a lower one than it has changes nothing.  One that lingers goes on
 * again, in this rank.
 */
void flow_set_rank(struct flow_table *table, struct flow *flow, enum flow_rank rank);
/* True if flow_set_rank would change something. */
bool flow_can_rise(const struct flow *flow, enum flow_rank rank);
/*
 * Settles the connection: the user frees its object, and hears nothing more of it unless it calls
 * flow_watch.
 */
void flow_settle(struct flow_table *table, struct flow *flow);
/*
 * Called in `end` for FLOW_END_EVICTED: the connection is remembered for idle_settled_us, in place
 * of the shorter keep_closed_us that an evicted one gets (but not where both sides have closed).
 */
void flow_remember(struct flow *flow);
/*
 * Called right after flow_settle: watches the connection until both sides have closed it, one has
 * reset it, or the table forgets it; then flow_handler.watched is called.  `watch` is borrowed
 * until then.  `listens`: flow_handler.words is asked about each side's first bytes.
 */
void flow_watch(struct flow *flow, struct flow_watch *watch, bool listens);

/* --- Figures --- */

const struct flow_counters *flow_table_counters(const struct flow_table *table);
/* Connections in the table now, and how many of them are not settled. */
size_t flow_table_count(const struct flow_table *table);
size_t flow_table_unsettled_count(const struct flow_table *table);

#endif
