/*
 * fragments - IP datagrams of which not all fragments have been seen yet.
 *
 * Keyed by addresses, identification and (IPv4) protocol.  Fragments may come in any order and any
 * number of times; one that contradicts another spoils its datagram.  A datagram that is settled is
 * remembered for a second, so that a mirror's second copy of its fragments opens no new one.
 *
 * Source:  RFC 791, section 3.2; RFC 8200, section 4.5; RFC 5722.
 * Memory:  `fragment_bytes_max`, everything that is allocated per datagram counted, and a table of
 *          pointers; the oldest datagram gives way.
 */
#ifndef TLSTALLY_PACKET_FRAGMENTS_H
#define TLSTALLY_PACKET_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "packet/datagram.h"
#include "packet/decoder.h"

struct fragment_table; /* opaque */

/* The payload of a reassembled datagram. */
struct fragment_whole {
	struct span bytes; /* up to the first byte that the capture cut */
	uint32_t wire_len;
	uint8_t proto;
};

/* Zeros in `options` are the defaults. */
struct fragment_table *fragment_table_new(const struct packet_options *options);
void fragment_table_free(struct fragment_table *table);

/*
 * Adds one fragment.  True when it completes its datagram: `out` then borrows from the table until
 * fragment_table_forget_joined().
 */
bool fragment_table_add(
    struct fragment_table *table, const struct fragment *fragment, struct fragment_whole *out);
void fragment_table_forget_joined(struct fragment_table *table);
/* Gives up all datagrams that are not complete. */
void fragment_table_finish(struct fragment_table *table);

const struct packet_fragment_counters *fragment_table_counters(const struct fragment_table *table);
/* Bytes counted against the budget. */
size_t fragment_table_held_len(const struct fragment_table *table);

#endif
