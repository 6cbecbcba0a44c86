#include "pipeline/mirror.h"

#include <stddef.h>
#include <string.h>

#include "base/banned.h"

void
mirror_init(struct mirror *m, struct hash_key key, unsigned share_count)
{
	size_t count = MIRROR_SEEN_COUNT / share_count;

	memset(m, 0, offsetof(struct mirror, seen) + count * sizeof(m->seen[0]));
	m->seen_mask = count - 1;
	m->key = key;
}

void
mirror_clock_init(struct mirror_clock *c)
{
	/* The first frame is a jump, which does not count. */
	*c = (struct mirror_clock){ .last_us = INT64_MIN };
}

void
mirror_clock_jumped(struct mirror_clock *c, const struct frame *frame)
{
	bool back = frame->time_us < c->last_us;

	/* Days may lie between one capture and the next; time inside one does not stand still. */
	if (c->has_last && back)
		c->back++;
	else if (c->has_last && frame->source == c->last_source)
		c->forward++;
	c->has_last = true;
}

/* Both addresses, all their bytes, in one word, by the same operations for either family. */
static inline uint64_t
fold_addresses(const struct packet *p)
{
	uint64_t src[2], dst[2];

	memcpy(src, p->src.bytes, sizeof(src));
	memcpy(dst, p->dst.bytes, sizeof(dst));
	return (src[0] ^ src[1]) + 3 * (dst[0] ^ dst[1]);
}

/*
 * All that a copy has in common with its original, in two words.  Two packets of one connection
 * never have the same words; packets of two connections have them only where their numbers differ
 * as their addresses do, which somebody could arrange who could as well send a copy.
 */
static inline uint64_t
packet_hash(const struct hash_key *key, const struct packet *p)
{
	uint64_t numbers = (uint64_t)p->seq << 32 | p->ack;
	uint64_t ports = (uint64_t)p->src_port << 16 | p->dst_port;
	uint64_t rest = (uint64_t)p->payload_len << 24 | (uint64_t)p->flags << 16 | p->ip_id;

	return hash_words(key, numbers ^ fold_addresses(p), rest ^ ports << 32);
}

/* Copies from two ports of a mirror may be a little out of order. */
static bool
is_copy_of(const struct mirror_seen *seen, const struct packet *packet)
{
	uint64_t window = packet->ip_id != 0 ? MIRROR_COPY_US : MIRROR_COPY_NO_ID_US;
	uint64_t step = (uint64_t)packet->time_us - (uint64_t)seen->time_us;

	return step + window <= 2 * window;
}

void
mirror_add_payload(struct mirror *m, const struct packet *packet)
{
	uint64_t hash = packet_hash(&m->key, packet);
	struct mirror_seen *seen = &m->seen[hash & m->seen_mask];

	if (packet->payload_len > MIRROR_SUPER_LEN)
		m->super_segments++;
	if (seen->hash == hash && is_copy_of(seen, packet))
		m->duplicate_packets++;
	*seen = (struct mirror_seen){ hash, packet->time_us };
}
