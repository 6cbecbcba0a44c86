#include "capture/link_name.h"

#include <inttypes.h>

#include "capture/pcap_library.h"

#include "base/banned.h"

void
link_name_add(uint32_t link_type, struct buf *out)
{
	struct pcap_library lib;
	struct error ignored; /* the number says it, too */
	const char *name = NULL;

	if (link_type <= INT32_MAX && pcap_library_load(&lib, &ignored) == 0)
		name = lib.pcap_datalink_val_to_name((int)link_type);
	buf_addf(out, "%" PRIu32, link_type);
	if (name != NULL)
		buf_addf(out, " (%s)", name);
}
