/* Sorting numbers of entries, in little more than their own memory. */
#include <stdlib.h>
#include <string.h>

#include "base/few.h"
#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

static void
sort_few(const struct tally *t, tally_key_of *key_of, uint32_t *numbers, size_t count)
{
	uint64_t keys[FEW_MAX];
	uint32_t unsorted[FEW_MAX], places[FEW_MAX];

	for (size_t i = 0; i < count; i++) {
		keys[i] = key_of(t, numbers[i]);
		unsorted[i] = numbers[i];
	}
	few_places(keys, count, places);
	for (size_t i = 0; i < count; i++)
		numbers[places[i]] = unsorted[i];
}

/* One byte of the keys: how many have each value, then each to its place. */
static void
sort_by_byte(const struct tally *t, tally_key_of *key_of, unsigned shift, const uint32_t *from,
    uint32_t *to, size_t count)
{
	size_t places[257] = { 0 };

	for (size_t i = 0; i < count; i++)
		places[(key_of(t, from[i]) >> shift & 0xff) + 1]++;
	for (size_t i = 1; i < 256; i++)
		places[i] += places[i - 1];
	for (size_t i = 0; i < count; i++)
		to[places[key_of(t, from[i]) >> shift & 0xff]++] = from[i];
}

static void
radix_sort(const struct tally *t, tally_key_of *key_of, uint32_t *numbers, size_t count)
{
	uint32_t *scratch = xreallocarray(NULL, count, sizeof(*scratch));
	uint32_t *from = numbers, *to = scratch;
	uint64_t first = key_of(t, numbers[0]), differing = 0;

	for (size_t i = 1; i < count; i++)
		differing |= key_of(t, numbers[i]) ^ first;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		uint32_t *sorted = to;

		if ((differing >> shift & 0xff) == 0)
			continue;
		sort_by_byte(t, key_of, shift, from, to, count);
		to = from;
		from = sorted;
	}
	if (from != numbers)
		memcpy(numbers, from, count * sizeof(*numbers));
	free(scratch);
}

void
tally_sort_numbers(const struct tally *t, tally_key_of *key_of, uint32_t *numbers, size_t count)
{
	if (count < 2)
		return;
	if (count <= FEW_MAX)
		sort_few(t, key_of, numbers, count);
	else
		radix_sort(t, key_of, numbers, count);
}

uint64_t
tally_own_number(const struct tally *t, uint32_t number)
{
	(void)t;
	return number;
}

/* The client's place of item `i`. */
static uint64_t
place_of(const struct tally *t, tally_key_of *client_of, const uint32_t *ranks, size_t i)
{
	uint64_t client = client_of(t, (uint32_t)i);

	return ranks != NULL ? ranks[client] : client;
}

uint32_t *
tally_group(const struct tally *t, const uint32_t *ranks, tally_key_of *client_of, size_t count,
    uint32_t *firsts)
{
	uint32_t *order = xreallocarray(NULL, count + 1, sizeof(*order));

	memset(firsts, 0, (t->client_count + 1) * sizeof(*firsts));
	for (size_t i = 0; i < count; i++)
		firsts[place_of(t, client_of, ranks, i) + 1]++;
	for (size_t i = 1; i <= t->client_count; i++)
		firsts[i] += firsts[i - 1];
	for (size_t i = 0; i < count; i++)
		order[firsts[place_of(t, client_of, ranks, i)]++] = (uint32_t)i;
	/* Each first has moved on to where the next client's begin. */
	memmove(firsts + 1, firsts, t->client_count * sizeof(*firsts));
	firsts[0] = 0;
	return order;
}
