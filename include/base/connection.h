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
#define CONNECTION_VLAN_UNKNOWN (-2)

struct connection {
	struct addr addr[2];
	uint16_t port[2];
	/*
	 * Of the direction's own first packet.  The other direction's would mislead: where both
	 * sides of a router are mirrored, it was seen in the peer's network, from or to the router.
	 */
	uint8_t mac[2][6];    /* without a packet of its own: the destination of the peer's */
	int16_t vlan[2];      /* -1: none; without a packet of its own: CONNECTION_VLAN_UNKNOWN */
	uint8_t mac_dirs : 2; /* bits: directions whose `mac` is known */
	bool joins : 1;       /* one more path of another connection (Multipath TCP) */
	bool seen[2];         /* packets of this direction were captured */
	bool mid_start[2];    /* the beginning of this direction was not captured */
	int8_t opener;        /* the direction that sent the SYN; CONNECTION_NO_DIR: not seen */
	uint32_t source;      /* of the first packet */
};

static inline int16_t
connection_vlan(const struct connection *conn, unsigned dir)
{
	return conn->vlan[dir] != CONNECTION_VLAN_UNKNOWN ? conn->vlan[dir] : conn->vlan[1 - dir];
}

#endif
