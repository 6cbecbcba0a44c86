/* Keys as bytes: an address of IPv4 takes four, and what is not there none. */
#include <string.h>

#include "names/name_cache_internal.h"

#include "base/banned.h"

/* The second byte: what follows. */
#define HAS_MAC 1u
#define HAS_PORT 2u
#define FAMILY_A 5
#define FAMILY_B 2
#define FAMILY_MASK 7u

_Static_assert(NAME_KEY_WORDS * sizeof(uint64_t) >= NAME_KEY_PACKED_MAX, "room");

static size_t
addr_len(unsigned family)
{
	return family == 4 ? 4 : family == 0 ? 0 : 16;
}

static uint8_t *
put_addr(uint8_t *out, const struct addr *a)
{
	/* A copy of fixed length is an instruction or two. */
	if (a->family == 4)
		memcpy(out, a->bytes, 4);
	else if (a->family != 0)
		memcpy(out, a->bytes, 16);
	return out + addr_len(a->family);
}

void
name_key_pack(const struct name_key *key, struct name_packed_key *out)
{
	static const uint8_t no_mac[sizeof(key->mac)];
	bool has_mac = memcmp(key->mac, no_mac, sizeof(no_mac)) != 0;
	uint8_t *begin = (uint8_t *)out->words, *p = begin;

	memset(out->words, 0, sizeof(out->words));
	*p++ = key->kind;
	*p++ = (uint8_t)((unsigned)key->a.family << FAMILY_A | (unsigned)key->b.family << FAMILY_B |
			 (has_mac ? HAS_MAC : 0u) | (key->port != 0 ? HAS_PORT : 0u));
	p = put_addr(p, &key->a);
	p = put_addr(p, &key->b);
	if (has_mac) {
		memcpy(p, key->mac, sizeof(key->mac));
		p += sizeof(key->mac);
	}
	if (key->port != 0) {
		memcpy(p, &key->port, sizeof(key->port));
		p += sizeof(key->port);
	}
	out->len = (size_t)(p - begin);
}

size_t
name_key_packed_len(const uint8_t *bytes)
{
	unsigned what = bytes[1];

	return 2 + addr_len(what >> FAMILY_A & FAMILY_MASK) +
	       addr_len(what >> FAMILY_B & FAMILY_MASK) + ((what & HAS_MAC) != 0 ? 6 : 0) +
	       ((what & HAS_PORT) != 0 ? 2 : 0);
}

uint64_t
name_key_hash(const struct hash_key *hash_key, const struct name_packed_key *key)
{
	uint64_t hash = hash_words(hash_key, key->words[0], key->words[1]);

	for (size_t i = 2; i * sizeof(uint64_t) < key->len; i += 2)
		hash = hash_words(hash_key, hash ^ key->words[i], key->words[i + 1]);
	/* Hashed once more: with some keys the addresses of one network would form runs. */
	return hash_words(hash_key, hash, hash_key->k0);
}
