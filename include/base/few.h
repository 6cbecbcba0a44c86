/*
 * few - putting a few numbers in order.
 *
 * Each is compared with each, so no branch but the ends of loops depends on their order, which a
 * processor cannot predict.  Beyond some fifty it is quicker to sort.
 */
#ifndef TLSTALLY_BASE_FEW_H
#define TLSTALLY_BASE_FEW_H

#include <stddef.h>
#include <stdint.h>

#define FEW_MAX 48

/* Writes the place of each in the order of keys, from 0; equal ones keep the order they have. */
static inline void
few_places(const uint64_t *keys, size_t count, uint32_t *places)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t key = keys[i];
		uint32_t place = (uint32_t)i;

		for (size_t k = 0; k < i; k++) {
			uint32_t is_later = keys[k] > key;

			places[k] += is_later;
			place -= is_later;
		}
		places[i] = place;
	}
}

#endif
