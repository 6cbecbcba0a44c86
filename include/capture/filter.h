/*
 * filter - the kernel's filter, made from the services: what cannot matter is not copied.
 *
 * Lets through TCP on the services' ports, plain and in one or two VLAN tags; what hides its ports
 * and is rare (all fragments of IP packets, extension headers, AH, three VLAN tags, SNAP); and,
 * where asked to, tunnels that may carry such packets and what tells names.
 *
 * Several handles may share an interface: each takes the part of the connections that its `share`
 * of `share_count` says.  They are dealt out by their pair of addresses, which is the same for both
 * directions and for every fragment, and at any time.  PACKET_FANOUT of packet(7) would not do: it
 * parts fragments of IPv6 from their connection, changes those of IPv4, deals connections anew as
 * each member joins, and cannot follow an interface that was removed and comes back.  Of a link
 * type for which libpcap makes no filters the first share is everything.
 */
#ifndef TLSTALLY_CAPTURE_FILTER_H
#define TLSTALLY_CAPTURE_FILTER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/port_list.h"
#include "base/service.h"

struct filter_options {
	const struct service_set *services;
	bool tunnels;
	struct port_list vxlan_ports; /* of tunnels, besides the usual ones */
	bool names; /* what names_observe() reads: DNS answers, DHCP, mDNS, NBNS */
	/* 0 or 1: everything.  In a tunnel it is the outer addresses that count. */
	unsigned share, share_count;
	bool untagged; /* the link type has no VLAN tags, or libpcap knows none for it */
};

/* Appends a filter in the language of pcap-filter(7). */
void filter_write(const struct filter_options *options, struct buf *out);

#endif
