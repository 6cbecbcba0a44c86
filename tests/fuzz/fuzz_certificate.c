/* The body of a Certificate message. */
#include "tls/certificate.h"

#include <assert.h>
#include <string.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tls_certificate c;
	struct span der;

	if (!tls_certificate_message_leaf(span_from(data, len), &der))
		return 0;
	(void)tls_certificate_parse(der, &c);
	assert(strnlen(c.subject, sizeof(c.subject)) < sizeof(c.subject));
	assert(strnlen(c.dns_name, sizeof(c.dns_name)) < sizeof(c.dns_name));
	return 0;
}
