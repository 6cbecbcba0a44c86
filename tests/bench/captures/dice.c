#include "dice.h"

#include <string.h>

#include "base/banned.h"

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

void
dice_seed(struct dice *d, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		d->state[i] = z ^ z >> 31;
	}
}

uint64_t
dice_roll(struct dice *d)
{
	uint64_t *s = d->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint32_t
dice_below(struct dice *d, uint32_t limit)
{
	return (uint32_t)((dice_roll(d) >> 32) * limit >> 32);
}

uint32_t
dice_between(struct dice *d, uint32_t least, uint32_t most)
{
	return least + dice_below(d, most - least + 1);
}

bool
dice_chance(struct dice *d, uint32_t per_mille)
{
	return dice_below(d, 1000) < per_mille;
}

void
dice_fill(struct dice *d, void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		uint64_t number = dice_roll(d);
		size_t n = len < sizeof(number) ? len : sizeof(number);

		memcpy(at, &number, n);
		at += n;
		len -= n;
	}
}
