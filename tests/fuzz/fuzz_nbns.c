/* The payload of an NBNS datagram. */
#include "names/nbns.h"

#include <assert.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nbns_claim c;

	if (nbns_parse(span_from(data, len), &c))
		assert(c.name_len > 0 && c.name_len <= NBNS_NAME_MAX);
	return 0;
}
