/*
 * scenario - what is in each of the captures: who connects when, to whom, for how much.
 *
 *   mirror      a mirror port at 110 MB/s, of which mail is a few percent; DNS beside it
 *   mail        mail alone, with long sessions
 *   handshakes  a storm of short connections, many clients, faults: reordered, duplicated,
 *               retransmitted packets, odd segments, nothing lost
 *   synflood    SYNs from millions of addresses, and genuine connections between them
 */
#ifndef TLSTALLY_BENCH_SCENARIO_H
#define TLSTALLY_BENCH_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "player.h"

#define SCENARIO_COUNT 4

struct scenario_options {
	uint64_t seed;
	double scale; /* 1: up to 2.5 GB each */
};

const char *scenario_name(int scenario); /* 0 to SCENARIO_COUNT - 1 */
/* False: it could not be written, which was said. */
bool scenario_make(int scenario, const char *folder, const struct scenario_options *options,
    struct player_counts *counts);

#endif
