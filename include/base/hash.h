/*
 * hash - keyed hashing for tables that outsiders can fill.
 *
 * Source: SipHash-1-3 (Aumasson and Bernstein), the variant with one compression round: enough to
 *         keep an outsider from choosing collisions, and fast on keys of a few dozen bytes.
 *         hash_words: the product of two words under a secret key, its halves folded into one, as
 *         in wyhash (Wang Yi) and UMAC's NH (RFC 4418, section 5.2.2): a few cycles for a pair of
 *         words, for tables that are asked once per packet.  Its results must not be shown
 *         outside: whoever sees many of them learns the key.
 */
#ifndef TLSTALLY_BASE_HASH_H
#define TLSTALLY_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/*
 * The same key always: where results must not depend on chance, and an outsider who chooses
 * collisions gains little.
 */
struct hash_key hash_key_fixed(void);
/* A key from the system's random source; the same results with any key, only the speed differs. */
struct hash_key hash_key_random(void);
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

/* The product of two words, its halves folded into one: by halves, for processors of 32 bits. */
static inline uint64_t
hash_fold_by_halves(uint64_t a, uint64_t b)
{
	const uint64_t low = UINT32_MAX;
	uint64_t least = (a & low) * (b & low), most = (a >> 32) * (b >> 32);
	uint64_t middle = (a >> 32) * (b & low) + (least >> 32);
	uint64_t other = (a & low) * (b >> 32) + (middle & low);

	return (other << 32 | (least & low)) ^ (most + (middle >> 32) + (other >> 32));
}

static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	return hash_fold_by_halves(a, b);
#endif
}

/* Two words.  To hash more, XOR the result into the first word of the next pair. */
static inline uint64_t
hash_words(const struct hash_key *key, uint64_t a, uint64_t b)
{
	return hash_fold(a ^ key->k0, b ^ key->k1);
}

/* The same where the order of the two words does not count. */
static inline uint64_t
hash_pair(const struct hash_key *key, uint64_t a, uint64_t b)
{
	return hash_fold(a ^ key->k0, b ^ key->k0);
}

/* hash_words over bytes: as hash_bytes, for keys of a hundred bytes and more. */
uint64_t hash_quick(const struct hash_key *key, const void *data, size_t len);

#endif
