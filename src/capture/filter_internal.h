/*
 * filter_internal - what goes through the kernel's filter, for its two forms: the text that libpcap
 * compiles for any link type, and the program for Ethernet (capture/ether_filter.h).
 */
#ifndef TLSTALLY_CAPTURE_FILTER_INTERNAL_H
#define TLSTALLY_CAPTURE_FILTER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/service.h"

/* Extension headers of IPv6, and AH of IPv4: what may stand in front of the ports. */
#define FILTER_EXTENSIONS 8
#define FILTER_AH 51
extern const uint8_t filter_extensions[FILTER_EXTENSIONS];

/* RFC 791, section 3.1: more fragments follow, or an offset. */
#define FILTER_FRAGMENT_MASK 0x3fffU

/* IEEE 802.2: what SNAP, and with it an EtherType, begins with. */
#define FILTER_LLC_SNAP 0xaa

/* VLAN tags that libpcap does not take for tags: all that is in them. */
#define FILTER_OLD_TAGS 2
extern const uint16_t filter_old_tags[FILTER_OLD_TAGS];

/* What packet/packet.h looks into. */
#define FILTER_IP_PROTOS 7
#define FILTER_UDP_PORTS 13
#define FILTER_ETHERTYPES 16
extern const uint8_t filter_ip_protos[FILTER_IP_PROTOS];
extern const uint16_t filter_udp_ports[FILTER_UDP_PORTS];
extern const uint16_t filter_ethertypes[FILTER_ETHERTYPES];

/* Knuth's multiplicative hash, of the words of both addresses: which share a packet is in. */
#define FILTER_SHARE_FACTOR 2654435761U
#define FILTER_SHARE_SHIFT 16U

/* The next ports from *first on that are next to each other; false: there are none. */
bool filter_next_range(const struct service_set *services, unsigned *first, unsigned *last);
/* There are too many ranges of ports for a filter. */
bool filter_takes_all_tcp(const struct service_set *services);

#endif
