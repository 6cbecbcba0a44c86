/*
 * syn_cache - initial sequence numbers of connections that have no payload yet.
 *
 * Of fixed size and lossy: a flood of SYNs overwrites entries, those without an answer first, and a
 * connection whose entry is gone is followed like one whose beginning was not captured.
 */
#ifndef TLSTALLY_FLOW_SYN_CACHE_H
#define TLSTALLY_FLOW_SYN_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct syn_cache; /* opaque */

/* ISNs by direction, as the connection counts them. */
struct syn_entry {
	uint32_t isn[2];    /* without has_isn: by what the opener waited for, if has_ack */
	uint32_t other_isn; /* a SYN/ACK that differed from the one in isn[] */
	bool has_isn[2];
	int8_t opener; /* direction of the SYN, told by the SYN/ACK too */
	bool has_other_isn : 1;
	bool syn : 1, syn_ack : 1; /* captured */
	bool has_ack : 1;          /* no SYN/ACK, but what the opener acknowledged first */
	bool joins : 1;            /* one more path of another connection */
};

/* One of so many that share the memory of one; 0 is 1. */
struct syn_cache *syn_cache_new(unsigned share_count);
void syn_cache_free(struct syn_cache *cache);

/* Returns true when this is a new connection, false for a repeated SYN. */
bool syn_cache_add_syn(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn);
/* A SYN/ACK tells its own ISN and, by its acknowledgement, that of the other direction.  Returns
 * true for the first answer to a SYN that was seen.
 */
bool syn_cache_add_syn_ack(
    struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t isn, uint32_t ack);
/* An acknowledgement of no payload and no FIN in direction `dir`, as follows a SYN/ACK. */
void syn_cache_add_ack(struct syn_cache *cache, uint64_t hash, unsigned dir, uint32_t ack);
/* What the SYN or SYN/ACK that was added last says of itself. */
void syn_cache_mark_join(struct syn_cache *cache, uint64_t hash);
/* Asks the memory for what one of the others will need. */
void syn_cache_prefetch(const struct syn_cache *cache, uint64_t hash);
void syn_cache_remove(struct syn_cache *cache, uint64_t hash);
/* NULL: nothing known.  Borrowed until the next change. */
const struct syn_entry *syn_cache_find(struct syn_cache *cache, uint64_t hash);

#endif
