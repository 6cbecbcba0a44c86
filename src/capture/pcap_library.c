#include "capture/pcap_library.h"

#include "base/banned.h"

/* Debian's name for it; and its own. */
static const char *const files[] = { "libpcap.so.0.8", "libpcap.so.1" };

static const char *const names[] = { PCAP_FUNCTIONS(LIBRARY_NAME) };

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))
_Static_assert(
    sizeof(struct pcap_library) == NAME_COUNT * sizeof(void *), "a pointer for each name");

int
pcap_library_load(struct pcap_library *out, struct error *err)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (library_load(files[i], names, NAME_COUNT, out, err) == 0)
			return 0;
	}
	return -1;
}
