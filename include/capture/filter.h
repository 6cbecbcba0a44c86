/*
 * filter - the kernel's filter, made from the services: what cannot matter is not copied.
 *
 * Lets through TCP on the services' ports, plain and in one or two VLAN tags, later fragments of IP
 * packets (their ports cannot be seen) and, where asked to, tunnels that may carry such packets and
 * what tells names.
 */
#ifndef TLSTALLY_CAPTURE_FILTER_H
#define TLSTALLY_CAPTURE_FILTER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/service.h"

struct filter_options {
	const struct service_set *services;
	bool tunnels;
	bool names; /* what names_observe() reads: DNS answers, DHCP, mDNS, NBNS */
};

/* Appends a filter in the language of pcap-filter(7). */
void filter_write(const struct filter_options *options, struct buf *out);

#endif
