/*
 * connection - what is known of a TCP connection from its packets' headers.
 *
 * A value that the flow table fills and the session reads; directions are 0 and 1, and `addr[d]`
 * sends in direction d.
 */
#ifndef TLSTALLY_BASE_CONNECTION_H
#define TLSTALLY_BASE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define CONNECTION_NO_DIR (-1)

struct connection {
	struct addr addr[2];
	uint16_t port[2];
	uint8_t mac[2][6];
	bool has_mac[2];
	bool seen[2];      /* packets of this direction were captured */
	bool mid_start[2]; /* the beginning of this direction was not captured */
	int8_t opener;     /* the direction that sent the SYN; CONNECTION_NO_DIR: not seen */
	int16_t vlan;      /* of the first packet; -1: none */
	uint32_t source;   /* of the first packet */
};

#endif
