/* The payload of a DHCP datagram. */
#include "names/dhcp.h"

#include <assert.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dhcp_facts f;

	if (dhcp_parse(span_from(data, len), &f))
		assert(f.name_len <= DHCP_NAME_MAX && (f.name_len > 0 || f.addr.family == 4));
	return 0;
}
