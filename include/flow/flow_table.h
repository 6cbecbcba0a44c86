/*
 * flow_table - packets → connections, both directions, with their bytes in order.
 *
 * A connection is tracked from its first payload on; what came before (SYN, SYN/ACK) is remembered
 * in a small cache of fixed size, so that a flood of SYNs costs no memory.  The user hears of data,
 * gaps and ends through callbacks, and says when a connection is settled: from then on each packet
 * of it costs one lookup.  Settled and closed connections are remembered for a while, so that late
 * copies of their packets do not look like new ones.  Of a settled connection that is watched, how
 * much each side went on to send and how it ended is told, by sequence numbers alone.
 *
 * Three budgets bound the table, and reaching one is counted:
 *   connections        the one that was idle longest is evicted: closed ones first, then settled
 *                      ones, unsettled ones last
 *   unsettled ones     the one that was idle longest loses its user, and is remembered as settled;
 *                      those of a higher rank go last, as long as they leave the lower ranks a
 *                      quarter of the room
 *   bytes held back    the holes of the stream at hand become gaps, and what is behind them is
 *                      handed out
 * "Longest" is true to a second, and to a sixteenth of the room for unsettled connections.
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

/* Why a connection is no longer followed. */
enum flow_end {
	FLOW_END_REUSED,   /* a new connection on the same ports */
	FLOW_END_IDLE,     /* no packet for a long time */
	FLOW_END_LINGERED, /* flow_linger's time is over */
	FLOW_END_EVICTED,  /* a budget was reached */
	FLOW_END_FINISHED, /* the capture ends */
};

/* By what a side ends its half of a connection. */
enum flow_close { FLOW_CLOSE_NONE, FLOW_CLOSE_FIN, FLOW_CLOSE_RESET };

/*
 * What became of a connection after it was settled: how much each side went on to send, and who
 * ended it, how and when.  It is a part of an object of the user's.  Bytes are counted by their
 * sequence numbers: each once, whether it was captured or not.
 */
struct flow_watch {
	union {
		int64_t from[2]; /* stream offset per direction at which counting begins; -1: what
				    comes after flow_watch */
		int64_t len[2];  /* once the watch is over: bytes of each direction since then */
	};
	/* What the user saw of an end before it was settled, and in the end how it ended first: */
	int64_t closed_us;   /* unless `close` is NONE: packet time of that FIN or RST */
	uint32_t closed_ack; /* before flow_watch: low bits of the offset that it acknowledged;
			      * then private */
	uint8_t close;       /* enum flow_close; NONE: that was not seen */
	uint8_t closed_by;   /* unless NONE: its direction */
	uint8_t ended_dirs, asked_dirs; /* private */
};

/* Bytes that a settled connection takes here, its share of the table of buckets included. */
#define FLOW_SETTLED_LEN 144

/* What a side says with the last bytes of a segment, in a protocol of the user's. */
enum flow_words {
	FLOW_WORDS_GO_ON, /* nothing about its end */
	FLOW_WORDS_END,   /* that it is done, as QUIT does */
	FLOW_WORDS_ASK,   /* a question: the other side's next words answer it, and end nothing */
};

struct flow_handler {
	/* A connection with its first payload: returns the user's object. */
	void *(*open)(void *arg, struct flow *flow);
	void (*data)(void *user, unsigned dir, struct span bytes, const struct mark *mark);
	void (*gap)(void *user, unsigned dir, int64_t len, const struct mark *mark);
	void (*fin)(void *user, unsigned dir, const struct mark *mark);
	void (*reset)(void *user, unsigned dir, const struct mark *mark);
	/* Optional: one of the calls above may follow soon. */
	void (*prefetch)(const void *user, unsigned dir);
	/* The last call for a connection that was not settled; the user frees its object. */
	void (*end)(void *user, enum flow_end why, int64_t time_us);
	/*
	 * Where a watch `listens`: what a side says with the last of these bytes.  The first to say
	 * that it is done has ended the connection; whose FIN comes first after that is chance.
	 */
	enum flow_words (*words)(struct span payload);
	/* The last call for a watch, which the user frees; `now_us`: packet time. */
	void (*watched)(
	    void *arg, const struct flow *flow, struct flow_watch *watch, int64_t now_us);
};

struct flow_options {
	size_t max_flows;     /* connections in all */
	size_t max_unsettled; /* of these, with a user's object */
	size_t max_closed;    /* of these, remembered after their end */
	size_t max_held_len;  /* bytes that wait behind holes, in all */
	size_t max_held_per_stream;
	int64_t idle_unsettled_us, idle_settled_us, keep_closed_us;
	/*
	 * Which SYNs the small cache forgets.  True, for saved captures: that follows from the
	 * packets alone, so that the same capture gives the same events.  False, live: that is left
	 * to chance, so that an outsider cannot make it forget a certain one.
	 */
	bool is_saved;
	/*
	 * Among how many tables the connections are dealt out, each with its share of the other
	 * budgets; then only flow_table_set_back sets the table's clock back.  0 and 1: this is the
	 * only table.
	 */
	unsigned share_count;
};

struct flow_counters {
	uint64_t flows;            /* connections with payload */
	uint64_t syn;              /* connections opened, with payload or without */
	uint64_t syn_answered;     /* of these, with a SYN/ACK */
	uint64_t syn_with_payload; /* of these, with payload */
	uint64_t mid_start;        /* first payload without a SYN before */
	uint64_t joined;           /* of `flows`, paths of other connections (Multipath TCP) */
	uint64_t one_way;          /* ended with packets of one direction only, as far as in time */
	uint64_t evicted_unsettled, evicted_settled, evicted_closed;
	uint64_t ack_before_data; /* payload that was acknowledged before it was captured */
	uint64_t payload_segments;
	struct tcp_stream_budget streams;
};

/* Budgets of a pipeline of about 100 MiB at worst. */
void flow_options_init(struct flow_options *options);

/* `handler` is borrowed for the table's life, `options` for the call. */
struct flow_table *flow_table_new(
    const struct flow_options *options, const struct flow_handler *handler, void *arg);
void flow_table_free(struct flow_table *table);

/* Takes the next packet in the order of capture.  Its payload is borrowed for the call. */
void flow_table_add(struct flow_table *table, const struct packet *packet);
/* Adds each packet to the table with the same index, in order; the more at once, the less the
 * tables wait for the machine's memory. */
void flow_tables_add(
    struct flow_table *const *tables, const struct packet *const *packets, size_t count);
/* Packet time goes on without packets: ends what is due. */
void flow_table_advance(struct flow_table *table, int64_t now_us);
/*
 * Tells the table that the clock was set back by `step_us` (microseconds) at now_us: what it
 * remembers keeps its age.  This table's clock may be behind now_us, and packets of the new time
 * have not moved it; so what was seen last may be one of these, and counts as new.
 */
void flow_table_set_back(struct flow_table *table, int64_t now_us, int64_t step_us);
/* Ends every connection: the capture is over. */
void flow_table_finish(struct flow_table *table);

/* What is known of the connection; borrowed, valid until its last callback. */
const struct connection *flow_connection(const struct flow *flow);
/*
 * How many bytes of direction `dir` the other side has acknowledged, a FIN counted as one.  For
 * unsettled connections.
 */
int64_t flow_acked(const struct flow *flow, unsigned dir);
/* True if bytes of either direction were captured but not handed out yet.  For unsettled ones. */
bool flow_has_more(const struct flow *flow);
/* The `arg` of its table's flow_table_new. */
void *flow_arg(const struct flow *flow);
/*
 * Ends the connection (FLOW_END_LINGERED) FLOW_LINGER_US of packet time from now, and remembers it
 * like a settled one.  A second call has no effect.
 */
void flow_linger(struct flow_table *table, struct flow *flow);
#define FLOW_LINGER_US INT64_C(2000000)
/*
 * Who is given up last when there are too many unsettled connections: a flood of half-open
 * conversations must not push out one that is under way.  A rank is never lowered; a connection
 * that lingers goes on again when its rank rises.
 */
enum flow_rank {
	FLOW_RANK_ONE_SIDED, /* one side only has said something: each begins so */
	FLOW_RANK_ANSWERED,  /* both sides have */
	FLOW_RANK_HANDSHAKE, /* a TLS handshake is under way: given up last */
};
void flow_set_rank(struct flow_table *table, struct flow *flow, enum flow_rank rank);
/* True if flow_set_rank would change something. */
bool flow_can_rise(const struct flow *flow, enum flow_rank rank);
/*
 * Tells the table that the user is done and has freed its object: nothing is heard of this
 * connection any more.  This, flow_linger and flow_set_rank may be called in any callback but
 * `open` and `end`.
 */
void flow_settle(struct flow_table *table, struct flow *flow);
/*
 * To be called in `end`, for FLOW_END_EVICTED: the connection is remembered for as long as a
 * settled one, which is longer than one that has closed.
 */
void flow_remember(struct flow *flow);
/*
 * Watches the connection, which was settled just now, until both sides have closed or it is
 * forgotten; then flow_handler.watched is called.  `watch` is borrowed until then.  `listens`: each
 * side's first bytes are shown to flow_handler.words.
 */
void flow_watch(struct flow *flow, struct flow_watch *watch, bool listens);

const struct flow_counters *flow_table_counters(const struct flow_table *table);
/* Connections tracked now, and how many of them are not settled. */
size_t flow_table_count(const struct flow_table *table);
size_t flow_table_unsettled_count(const struct flow_table *table);

#endif
