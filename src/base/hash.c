#include "base/hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/banned.h"

struct hash_key
hash_key_fixed(void)
{
	/* Digits of pi. */
	return (struct hash_key){ UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707345) };
}

struct hash_key
hash_key_random(void)
{
	struct hash_key key = { 0 };

	/* At start-up only, so the pool is ready; the time stands in where the call is refused. */
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
		struct timespec now;

		(void)clock_gettime(CLOCK_REALTIME, &now);
		key.k0 = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15);
		key.k1 = (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&key;
	}
	return key;
}

static inline uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t
hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t v[4] = {
		key->k0 ^ UINT64_C(0x736f6d6570736575),
		key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261),
		key->k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)len << 56;
	uint64_t word;
	size_t left = len;

	/* Words are taken in host order: the result never leaves the process. */
	for (; left >= 8; p += 8, left -= 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline uint64_t
word_at(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint64_t
half_at(const uint8_t *p)
{
	uint32_t half;

	memcpy(&half, p, sizeof(half));
	return half;
}

/* Fewer than 16 bytes as two words, which overlap where there are too few: nothing is copied. */
static inline void
read_short(const uint8_t *p, size_t len, uint64_t pair[2])
{
	if (len >= 8) {
		pair[0] = word_at(p);
		pair[1] = word_at(p + len - 8);
	} else if (len >= 4) {
		pair[0] = half_at(p);
		pair[1] = half_at(p + len - 4);
	} else if (len > 0) {
		pair[0] = p[0];
		pair[1] = (uint64_t)p[len / 2] << 8 | p[len - 1];
	} else {
		pair[0] = pair[1] = 0;
	}
}

uint64_t
hash_quick(const struct hash_key *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	/* The length goes in first, so that trailing zeros make a difference. */
	uint64_t hash = hash_words(key, len, 0);
	uint64_t pair[2];

	if (len < sizeof(pair)) {
		read_short(p, len, pair);
	} else {
		for (; len > sizeof(pair); p += sizeof(pair), len -= sizeof(pair))
			hash = hash_words(key, hash ^ word_at(p), word_at(p + 8));
		/* The last two words, which may begin among the ones before. */
		pair[0] = word_at(p + len - 16);
		pair[1] = word_at(p + len - 8);
	}
	hash = hash_words(key, hash ^ pair[0], pair[1]);
	return hash_words(key, hash, key->k0);
}
