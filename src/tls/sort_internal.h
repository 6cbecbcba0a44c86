/*
 * sort - numbers of 16 bits in ascending order.
 *
 * The lists come from outside: whatever their order, the time grows with the count and no faster.
 */
#ifndef TLSTALLY_TLS_SORT_INTERNAL_H
#define TLSTALLY_TLS_SORT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#define SORT_MAX 32768

/* `count`: at most SORT_MAX. */
void sort_u16(uint16_t *items, size_t count);

#endif
