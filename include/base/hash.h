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

__extension__ typedef unsigned __int128 hash_product;

/* Two words.  To hash more, XOR the result into the first word of the next pair. */
static inline uint64_t
hash_words(const struct hash_key *key, uint64_t a, uint64_t b)
{
	hash_product product = (hash_product)(a ^ key->k0) * (b ^ key->k1);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The same where the order of the two words does not count. */
static inline uint64_t
hash_pair(const struct hash_key *key, uint64_t a, uint64_t b)
{
	hash_product product = (hash_product)(a ^ key->k0) * (b ^ key->k0);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* hash_words over bytes: as hash_bytes, for keys of a hundred bytes and more. */
uint64_t hash_quick(const struct hash_key *key, const void *data, size_t len);

#endif
