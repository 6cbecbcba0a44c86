/* The body of a Certificate message; what is plain in one is told as libcrypto tells it. */
#include "tls/certificate.h"

#include <assert.h>
#include <string.h>

#include "tls/certificate_internal.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
compare_ways(struct span der)
{
	struct tls_certificate plain = { 0 }, whole = { 0 };
	struct certificate_parts parts;

	if (!certificate_find_parts(der, &parts) || !certificate_read_plain(&parts, &plain))
		return;
	certificate_read_by_library(&parts, &whole);
	assert(strcmp(plain.subject, whole.subject) == 0);
	assert(strcmp(plain.dns_name, whole.dns_name) == 0);
	assert(plain.has_not_after == whole.has_not_after);
	assert(plain.not_after_us == whole.not_after_us);
}

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
	compare_ways(der);
	return 0;
}
