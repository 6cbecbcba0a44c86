#include "capture/pcap_library.h"

#include "base/banned.h"

/* Debian's name for it; and its own. */
static const char *const files[] = { "libpcap.so.0.8", "libpcap.so.1" };

LIBRARY_NAMES(pcap_library, PCAP_FUNCTIONS);

int
pcap_library_load(struct pcap_library *out, struct error *err)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (LIBRARY_LOAD(files[i], pcap_library, out, err) == 0)
			return 0;
	}
	return -1;
}
