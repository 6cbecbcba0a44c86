/*
 * mirror - what the packets themselves say of the feed: copies, joined segments, a clock that
 * jumps.
 *
 * A copy that a mirror makes is the same packet again: same addresses, ports, numbers and IP
 * identification, a moment later; its tags, MAC addresses and TTL may differ.  What a host sends
 * again has a new identification, or comes later than that (RFC 6298, section 2.4).
 *
 * Memory:  fixed.  Packets that share a place in the table hide each other: copies may be missed
 *          where thousands of packets lie in between, none is made up.
 */
#ifndef TLSTALLY_PIPELINE_MIRROR_H
#define TLSTALLY_PIPELINE_MIRROR_H

#include "base/frame.h"
#include "base/hash.h"
#include "packet/packet.h"

#define MIRROR_COPY_US 100000
/* Where there is no identification (IPv6, or IPv4 with 0), only time tells. */
#define MIRROR_COPY_NO_ID_US 5000
#define MIRROR_BACK_US INT64_C(1000000)
#define MIRROR_FORWARD_US INT64_C(86400000000)
/* Payload that no frame of the common MTU of 1500 can carry. */
#define MIRROR_SUPER_LEN 1500
#define MIRROR_SEEN_COUNT 2048 /* a power of two */

struct mirror_seen {
	uint64_t hash; /* of what makes a packet this one */
	int64_t time_us;
};

struct mirror {
	struct hash_key key;
	uint64_t seen_mask;
	uint64_t duplicate_packets; /* with payload, on ports of interest */
	uint64_t super_segments;
	struct mirror_seen seen[MIRROR_SEEN_COUNT];
};

/* The clock of all packets, in whatever place their copies are looked for. */
struct mirror_clock {
	int64_t last_us;
	uint32_t last_source;
	bool has_last;
	uint64_t back, forward; /* jumps */
};

/* Uses one of `share_count` parts of the table. */
void mirror_init(struct mirror *m, struct hash_key key, unsigned share_count);
void mirror_clock_init(struct mirror_clock *c);

/* Whether copies of a packet can be told from repetitions: hosts repeat bare acknowledgements. */
static inline bool
mirror_looks_at(const struct packet *packet)
{
	return packet->payload_len > 0;
}

/* For a packet that mirror_looks_at is true of. */
void mirror_add_payload(struct mirror *m, const struct packet *packet);
/* For a frame whose time does not go on from the last one's. */
void mirror_clock_jumped(struct mirror_clock *c, const struct frame *frame);

/*
 * Whether a frame's time goes on from the last one's, neither far back nor far ahead, in one
 * comparison.
 */
static inline bool
mirror_clock_goes_on(int64_t last_us, int64_t time_us)
{
	uint64_t step = (uint64_t)time_us - (uint64_t)last_us;

	return step + (uint64_t)MIRROR_BACK_US <= (uint64_t)(MIRROR_BACK_US + MIRROR_FORWARD_US);
}

/* For the last of several frames, each of which went on from the one before. */
static inline void
mirror_clock_set(struct mirror_clock *c, const struct frame *frame)
{
	c->last_us = frame->time_us;
	c->last_source = frame->source;
}

/* Every frame, in the order of capture. */
static inline void
mirror_clock_add(struct mirror_clock *c, const struct frame *frame)
{
	if (!mirror_clock_goes_on(c->last_us, frame->time_us))
		mirror_clock_jumped(c, frame);
	mirror_clock_set(c, frame);
}

#endif
