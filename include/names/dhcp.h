/*
 * dhcp - what a DHCP message tells of a client: its MAC address, its host name, its address.
 *
 * Source: RFC 2131 section 2, 2132 section 3.14 (host name), 4702 (client FQDN), 3396 (options in
 *         several pieces are not joined: host names are short).
 */
#ifndef TLSTALLY_NAMES_DHCP_H
#define TLSTALLY_NAMES_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/span.h"

#define DHCP_NAME_MAX 253

struct dhcp_facts {
	uint8_t mac[6];
	bool is_reply;    /* from the server */
	struct addr addr; /* the client's, as it says it has, or as it is given; family 0: none */
	uint32_t lease_time;      /* seconds; 0: not told */
	uint8_t name_len;         /* 0: none */
	char name[DHCP_NAME_MAX]; /* any bytes */
};

/* `payload`: of the UDP datagram.  False: no DHCP, no Ethernet address, or nothing of use in it. */
bool dhcp_parse(struct span payload, struct dhcp_facts *out);

#endif
