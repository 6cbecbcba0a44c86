/*
 * port_set - any ports, as bits: 8 KiB, which stay in a processor's nearest cache where the
 * question is asked for every packet.
 */
#ifndef TLSTALLY_BASE_PORT_SET_H
#define TLSTALLY_BASE_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as { 0 }: no port. */
struct port_set {
	uint64_t bits[65536 / 64];
};

static inline void
port_set_add(struct port_set *set, uint16_t port)
{
	set->bits[port / 64] |= UINT64_C(1) << port % 64;
}

static inline bool
port_set_has(const struct port_set *set, uint16_t port)
{
	return (set->bits[port / 64] >> port % 64 & 1) != 0;
}

#endif
