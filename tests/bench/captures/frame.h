/* frame - Ethernet frames of a conversation: tag, IPv4 or IPv6, TCP or UDP, with true checksums. */
#ifndef TLSTALLY_BENCH_FRAME_H
#define TLSTALLY_BENCH_FRAME_H

#include "base/span.h"
#include "conversation.h"

#define FRAME_LEN_MAX 1600

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct segment {
	enum side side;
	uint8_t flags;
	uint32_t seq, ack;
	struct span payload;
};

/* Both return the frame's length. */
size_t frame_segment(struct conversation *c, const struct segment *segment, int64_t time_us,
    uint8_t out[FRAME_LEN_MAX]);
size_t frame_datagram(
    struct conversation *c, enum side side, struct span payload, uint8_t out[FRAME_LEN_MAX]);

#endif
