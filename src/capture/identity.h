/*
 * identity - the hash over all packets of a capture that tells whether it was counted before.
 *
 * Inline, because it is most of what is done for each packet of each file.
 */
#ifndef TLSTALLY_CAPTURE_IDENTITY_H
#define TLSTALLY_CAPTURE_IDENTITY_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/frame.h"

/* Odd numbers without a pattern (digits of pi), one per word, so that words do not change places
 * unnoticed. */
static const uint64_t identity_factors[] = {
	UINT64_C(0x243f6a8885a308d3),
	UINT64_C(0x13198a2e03707345),
	UINT64_C(0xa4093822299f31d1),
	UINT64_C(0x082efa98ec4e6c89),
	UINT64_C(0x452821e638d01377),
	UINT64_C(0xbe5466cf34e90c6d),
	UINT64_C(0xc0ac29b7c97c50dd),
	UINT64_C(0x3f84d5b5b5470917),
};

/* Little-endian on every machine: identities are kept in databases, and databases travel. */
static inline uint64_t
identity_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

static inline uint64_t
identity_hash_short(struct span bytes)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes.len; i++)
		sum = (sum + bytes.data[i] + 1) * identity_factors[0];
	return sum;
}

/*
 * Four words that hold, on Ethernet and on what is a few bytes shorter or longer, the IP addresses,
 * the ports and the sequence numbers; and the last one.  The rest of a packet is not looked at:
 * this runs for every packet of every file.
 */
static inline uint64_t
identity_hash_bytes(struct span bytes)
{
	if (bytes.len < 48)
		return identity_hash_short(bytes);
	return identity_word(bytes.data + 16) * identity_factors[0] +
	       identity_word(bytes.data + 24) * identity_factors[1] +
	       identity_word(bytes.data + 32) * identity_factors[2] +
	       identity_word(bytes.data + 40) * identity_factors[3] +
	       identity_word(bytes.data + bytes.len - 8) * identity_factors[4];
}

/* The stream hash with one more packet; the hash of no packet is 0. */
static inline uint64_t
identity_add(uint64_t hash, const struct frame *frame)
{
	uint64_t lengths = (uint64_t)frame->wire_len << 32 ^ frame->bytes.len;
	uint64_t packet = identity_hash_bytes(frame->bytes) +
			  (uint64_t)frame->time_us * identity_factors[5] +
			  lengths * identity_factors[6];

	packet ^= packet >> 32;
	hash = (hash ^ packet) * identity_factors[7];
	return hash ^ hash >> 29;
}

#endif
