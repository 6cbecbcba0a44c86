/* A message in SSLv2 format, tried as both hellos. */
#include "tls/fingerprint.h"
#include "tls/hello.h"
#include "tls/names.h"

#include <assert.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tls_client_hello ch;
	struct tls_server_hello sh;
	char ja4[TLS_JA4_TEXT_LEN];

	(void)tls_sslv2_client_hello_parse(span_from(data, len), &ch);
	(void)tls_version_name(tls_client_hello_offered_version(&ch));
	(void)tls_client_hello_offers_suite(&ch, TLS_SUITE_FALLBACK_SCSV);
	assert(!tls_ja4(&ch, ja4));
	(void)tls_sslv2_server_hello_parse(span_from(data, len), &sh);
	(void)tls_version_name(tls_server_hello_version(&sh));
	return 0;
}
