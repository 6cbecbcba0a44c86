#include "tls/sort_internal.h"

#include <assert.h>

#include "base/banned.h"

/* Up to this count insertion is faster, and its worst case does no harm. */
#define FEW 64

static void
sort_few(uint16_t *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint16_t item = items[i];
		size_t at = i;

		for (; at > 0 && items[at - 1] > item; at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

/* Copies `in` to `out`, ordered by one byte; those with the same one stay in their order. */
static void
order_by_byte(const uint16_t *in, uint16_t *out, size_t count, unsigned shift)
{
	size_t begin[257] = { 0 };

	for (size_t i = 0; i < count; i++)
		begin[(in[i] >> shift & 0xff) + 1]++;
	for (size_t i = 1; i < 256; i++)
		begin[i] += begin[i - 1];
	for (size_t i = 0; i < count; i++)
		out[begin[in[i] >> shift & 0xff]++] = in[i];
}

/* Radix sort: by the low byte, then by the high one. */
static void
sort_many(uint16_t *items, size_t count)
{
	uint16_t by_low_byte[SORT_MAX];

	order_by_byte(items, by_low_byte, count, 0);
	order_by_byte(by_low_byte, items, count, 8);
}

void
sort_u16(uint16_t *items, size_t count)
{
	assert(count <= SORT_MAX);
	if (count <= FEW)
		sort_few(items, count);
	else
		sort_many(items, count);
}
