#include "capture/pcap_library.h"

#include "base/banned.h"

LIBRARY_NAMES(pcap_library, PCAP_FUNCTIONS);

int
pcap_library_load(struct pcap_library *out, struct error *err)
{
	struct error other; /* says less: it is seldom there where the usual one is not */

	/* Debian's name for it; and its own. */
	if (LIBRARY_LOAD("libpcap.so.0.8", pcap_library, out, err) == 0 ||
	    LIBRARY_LOAD("libpcap.so.1", pcap_library, out, &other) == 0)
		return 0;
	return -1;
}
