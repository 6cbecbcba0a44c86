#include "capture/link_name.h"

#include <inttypes.h>
#include <pcap/pcap.h>

#include "base/banned.h"

void
link_name_add(uint32_t link_type, struct buf *out)
{
	const char *name =
	    link_type <= INT32_MAX ? pcap_datalink_val_to_name((int)link_type) : NULL;

	buf_addf(out, "%" PRIu32, link_type);
	if (name != NULL)
		buf_addf(out, " (%s)", name);
}
