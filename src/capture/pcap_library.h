/*
 * pcap_library - libpcap, loaded by who captures or names a link type.
 *
 * Where it is linked with D-Bus, and with what that is linked with, it takes longer to load than a
 * small capture takes to be read, which needs none of it.
 */
#ifndef TLSTALLY_CAPTURE_PCAP_LIBRARY_H
#define TLSTALLY_CAPTURE_PCAP_LIBRARY_H

#include <pcap/pcap.h>

#include "base/library.h"

#define PCAP_FUNCTIONS(f)                                                                          \
	f(pcap_activate) f(pcap_close) f(pcap_compile) f(pcap_create) f(pcap_datalink)             \
	    f(pcap_datalink_val_to_name) f(pcap_dispatch) f(pcap_fileno) f(pcap_freecode)          \
		f(pcap_get_selectable_fd) f(pcap_geterr) f(pcap_set_buffer_size)                   \
		    f(pcap_set_promisc) f(pcap_set_snaplen) f(pcap_set_timeout) f(pcap_setfilter)  \
			f(pcap_setnonblock) f(pcap_stats) f(pcap_statustostr)

struct pcap_library {
	PCAP_FUNCTIONS(LIBRARY_POINTER)
};

/* -1: `err` says what is missing. */
int pcap_library_load(struct pcap_library *out, struct error *err);

#endif
