/* A DNS or mDNS message. */
#include "names/dns.h"

#include <assert.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dns_addresses a;

	if (dns_answer_parse(span_from(data, len), &a))
		assert(a.name.len > 0 && a.name.len <= DNS_NAME_MAX && a.count <= DNS_ADDRS_MAX);
	if (dns_announcement_parse(span_from(data, len), &a))
		assert(a.count > 0);
	return 0;
}
