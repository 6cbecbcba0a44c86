/*
 * dice - the numbers behind the captures: the same seed, the same numbers, on every machine.
 *
 * Source: D. Blackman, S. Vigna: xoshiro256** and splitmix64.
 */
#ifndef TLSTALLY_BENCH_DICE_H
#define TLSTALLY_BENCH_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state[4];
};

void dice_seed(struct dice *d, uint64_t seed);
uint64_t dice_roll(struct dice *d);
uint32_t dice_below(struct dice *d, uint32_t limit); /* 0 to limit - 1 */
uint32_t dice_between(struct dice *d, uint32_t least, uint32_t most);
bool dice_chance(struct dice *d, uint32_t per_mille);
void dice_fill(struct dice *d, void *out, size_t len);

#endif
