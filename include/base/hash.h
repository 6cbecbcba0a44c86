/*
 * hash - keyed hashing for tables that outsiders can fill.
 *
 * Source: SipHash-1-3 (Aumasson and Bernstein), the variant with one compression round: enough to
 *         keep an outsider from choosing collisions, and fast on keys of a few dozen bytes.
 */
#ifndef TLSTALLY_BASE_HASH_H
#define TLSTALLY_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* A key from the system's random source; the same results with any key, only the speed differs. */
struct hash_key hash_key_random(void);
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

#endif
