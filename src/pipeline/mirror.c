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

/* Everything that a copy has in common with its original. */
static uint64_t
packet_hash(const struct hash_key *key, const struct packet *p)
{
	uint64_t hash = hash_words(key, word_at(&p->src, 0), word_at(&p->dst, 0));

	if (p->src.family != 4)
		hash = hash_words(key, hash ^ word_at(&p->src, 8), word_at(&p->dst, 8));
	hash = hash_words(key, hash ^ ((uint64_t)p->seq << 32 | p->ack),
	    (uint64_t)p->src_port << 48 | (uint64_t)p->dst_port << 32 | p->payload_len);
	return hash_words(key, hash, (uint64_t)p->flags << 16 | p->ip_id);
}

void
mirror_add_payload(struct mirror *m, const struct packet *packet)
{
	uint64_t hash = packet_hash(&m->key, packet);
	struct mirror_seen *seen = &m->seen[hash & m->seen_mask];
	uint64_t window = packet->ip_id != 0 ? MIRROR_COPY_US : MIRROR_COPY_NO_ID_US;
	uint64_t step = (uint64_t)packet->time_us - (uint64_t)seen->time_us;

	m->super_segments += packet->payload_len > MIRROR_SUPER_LEN;
	/* Two ports' copies may stand a little out of order. */
	m->duplicate_packets += seen->hash == hash && step + window <= 2 * window;
	*seen = (struct mirror_seen){ hash, packet->time_us };
}
