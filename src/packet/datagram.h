/*
 * datagram - one fragmented IP datagram while its pieces come in.
 *
 * Source: RFC 791, section 3.2; RFC 8200, section 4.5; RFC 5722 (no overlaps).
 * Memory: a copy of each piece; datagram_held_len() tells how much that is.
 */
#ifndef TLSTALLY_PACKET_DATAGRAM_H
#define TLSTALLY_PACKET_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/span.h"

/* Enough for 64 KiB over the smallest MTU in use; a bound on the work per fragment. */
#define DATAGRAM_PIECES_MAX 256
/* RFC 791, section 3.1: the largest total length. */
#define DATAGRAM_LEN_MAX 65535u

struct fragment {
	struct addr src, dst;
	uint32_t id;
	uint8_t proto;     /* IPv4: protocol; IPv6: next header */
	bool more;         /* another one follows */
	uint32_t offset;   /* in bytes */
	uint32_t wire_len; /* at least 1; offset + wire_len is at most DATAGRAM_LEN_MAX */
	struct span bytes; /* as captured, at most wire_len */
	int64_t time_us;
};

struct datagram_piece; /* opaque: what is kept of a fragment */

struct datagram {
	struct datagram_piece *pieces; /* owned; by offset, without overlap */
	size_t piece_count, piece_room;
	uint32_t wire_len; /* of all pieces so far */
	uint32_t end;      /* where the last piece ends; 0: not seen */
	size_t bytes_held; /* captured bytes of the pieces */
	uint8_t proto;     /* of the first piece, else of any */
};

enum datagram_fit {
	DATAGRAM_ADDED,
	DATAGRAM_WHOLE,     /* added, and nothing is missing now */
	DATAGRAM_DUPLICATE, /* was there already, byte for byte */
	DATAGRAM_OVERLAP,   /* contradicts a piece that is there */
	DATAGRAM_TOO_MANY,  /* more than DATAGRAM_PIECES_MAX */
};

/* Copies the fragment's bytes. */
enum datagram_fit datagram_add(struct datagram *d, const struct fragment *f);
/*
 * Writes the payload in order to `out` (room for d->bytes_held), up to the first byte that the
 * capture cut; returns how many bytes.  Only for a whole datagram.
 */
size_t datagram_join(const struct datagram *d, uint8_t *out);
/* Forgets the bytes and keeps what is needed to know them again. */
void datagram_reduce(struct datagram *d, const struct hash_key *key);
/* True for a fragment of a reduced datagram that comes again. */
bool datagram_knows(const struct datagram *d, const struct fragment *f, const struct hash_key *key);
size_t datagram_held_len(const struct datagram *d);
void datagram_release(struct datagram *d);

#endif
