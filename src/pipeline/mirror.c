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

static uint64_t
word_at(const struct addr *a, size_t at)
{
	uint64_t word;

	memcpy(&word, a->bytes + at, sizeof(word));
	return word;
}

/* An IPv4 address and a port: they fit into one word. */
static uint64_t
endpoint_v4(const struct addr *a, uint16_t port)
{
	uint32_t word;

	memcpy(&word, a->bytes, sizeof(word));
	return (uint64_t)word << 16 | port;
}

static inline uint64_t
numbers_of(const struct packet *p)
{
	return (uint64_t)p->seq << 32 | p->ack;
}

static inline uint64_t
rest_of(const struct packet *p)
{
	return (uint64_t)p->payload_len << 32 | (uint64_t)p->flags << 16 | p->ip_id;
}

/* Apart from the usual one, which is shorter for it. */
static __attribute__((noinline)) uint64_t
packet_hash_v6(const struct hash_key *key, const struct packet *p)
{
	uint64_t hash = hash_words(key, word_at(&p->src, 0), word_at(&p->dst, 0));

	hash = hash_words(key, hash ^ word_at(&p->src, 8), word_at(&p->dst, 8));
	hash = hash_words(key, hash, (uint64_t)p->src_port << 16 | p->dst_port);
	return hash_words(key, hash ^ numbers_of(p), rest_of(p));
}

static inline uint64_t
packet_hash_v4(const struct hash_key *key, const struct packet *p)
{
	uint64_t hash =
	    hash_words(key, endpoint_v4(&p->src, p->src_port), endpoint_v4(&p->dst, p->dst_port));

	return hash_words(key, hash ^ numbers_of(p), rest_of(p));
}

/* Everything that a copy has in common with its original. */
static inline uint64_t
packet_hash(const struct hash_key *key, const struct packet *p)
{
	return p->src.family == 4 ? packet_hash_v4(key, p) : packet_hash_v6(key, p);
}

/* Two ports' copies may stand a little out of order. */
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
