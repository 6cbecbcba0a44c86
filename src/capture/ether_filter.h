/*
 * ether_filter - the filter of capture/filter.h as a program of the kernel's for Ethernet.
 *
 * The kernel runs it for every packet of a mirror, most of which are none of the services'.  What
 * libpcap makes of the text asks these one and a half times as much, and takes milliseconds to be
 * made.
 *
 * Source:  Linux' Documentation/networking/filter.rst.
 */
#ifndef TLSTALLY_CAPTURE_ETHER_FILTER_H
#define TLSTALLY_CAPTURE_ETHER_FILTER_H

#include <pcap/pcap.h>
#include <stdint.h>

#include "capture/filter.h"

/* Keeps `snap_len` bytes of what goes through.  pcap_freecode() frees the program. */
void ether_filter_make(
    const struct filter_options *options, uint32_t snap_len, struct bpf_program *out);

#endif
