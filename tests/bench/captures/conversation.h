/*
 * conversation - one connection as a list of steps, each a packet or more and the wait before it.
 *
 * Written first, by mail.c, handshake.c and other.c; player.c then turns the steps into frames,
 * between those of all the other conversations.
 *
 * Memory: owns bytes and steps; conversation_begin() keeps their room.
 */
#ifndef TLSTALLY_BENCH_CONVERSATION_H
#define TLSTALLY_BENCH_CONVERSATION_H

#include "base/buf.h"
#include "dice.h"
#include "truth.h"

enum side { CLIENT, SERVER };

enum step_kind {
	STEP_SYN,
	STEP_SYN_ACK,
	STEP_ACK,
	STEP_DATA,
	STEP_BULK, /* many segments of ciphertext, acknowledged by the other side */
	STEP_FIN,
	STEP_RESET,
	STEP_DATAGRAM,
};

struct step {
	enum step_kind kind;
	enum side side;
	bool has_push;
	bool is_first_byte; /* its time is the event's */
	uint32_t delay_us;  /* after the step before */
	uint32_t seq, ack;  /* bytes since the SYN's, of this side and of the other */
	uint32_t at, len;   /* in `bytes`; bulk has a length only */
};

struct conversation {
	struct dice *dice;
	struct endpoints ends;
	struct truth truth;

	bool has_timestamps; /* TCP's option */
	bool is_faulty;      /* reordered, duplicated, retransmitted, in odd segments */
	bool has_tiny_hello; /* segments of 1 to 24 bytes */
	bool marks_next;     /* the next data has the first byte that counts */
	uint16_t segment_max;
	uint32_t rtt_us;
	uint32_t bulk_offset; /* where in the ciphertext that all share */

	/* By side. */
	uint32_t isn[2], clock[2], echo[2], sent[2];
	uint16_t ip_id[2];

	struct buf bytes;
	struct step *steps;
	size_t step_count, step_room;
	/* The player's place. */
	size_t next_step;
	uint32_t bulk_done, bulk_count;
	struct conversation *next_unused;
};

/* Empties it, and draws what differs from connection to connection. */
void conversation_begin(struct conversation *c, struct dice *dice, const struct endpoints *ends);
void conversation_release(struct conversation *c);

uint32_t conversation_half_rtt(struct conversation *c);
void conversation_syn(struct conversation *c);
void conversation_open(struct conversation *c);
/* One flight: its bytes, cut into segments, half a round trip after what was before. */
void conversation_say(struct conversation *c, enum side side, const struct buf *bytes);
void conversation_sayf(struct conversation *c, enum side side, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void conversation_ack(struct conversation *c, enum side side, uint32_t delay_us);
void conversation_bulk(struct conversation *c, enum side side, uint32_t len);
void conversation_fin(struct conversation *c, enum side side);
void conversation_reset(struct conversation *c, enum side side);
/* FIN, FIN, ACK. */
void conversation_finish(struct conversation *c, enum side first);
/* Ends it, one in ten by a reset. */
void conversation_close(struct conversation *c, enum side first);
/* All data since step `from` once more, unchanged, after `delay_us`. */
void conversation_repeat(struct conversation *c, size_t from, uint32_t delay_us);
void conversation_datagram(
    struct conversation *c, enum side side, const struct buf *bytes, uint32_t delay_us);

#endif
