/* The first byte's lowest bit says whether the message is whole; the rest is its body. */
#include "tls/fingerprint.h"
#include "tls/hello.h"
#include "tls/names.h"

#include <assert.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span body = span_from(data, len);
	struct tls_client_hello ch;
	char ja3[TLS_JA3_TEXT_LEN], ja4[TLS_JA4_TEXT_LEN];
	enum parse answer;
	uint8_t whole;
	bool has_ja3, has_ja4;

	if (!span_read_u8(&body, &whole))
		return 0;
	answer = tls_client_hello_parse(body, (whole & 1) != 0, &ch);
	assert((whole & 1) == 0 || answer != PARSE_MORE);
	assert((whole & 1) != 0 || answer != PARSE_DONE);
	(void)tls_version_name(tls_client_hello_offered_version(&ch));
	(void)tls_client_hello_offers_suite(&ch, TLS_SUITE_FALLBACK_SCSV);
	has_ja3 = tls_ja3(&ch, ja3);
	has_ja4 = tls_ja4(&ch, ja4);
	assert(strlen(ja3) == (has_ja3 ? TLS_JA3_TEXT_LEN - 1 : 0));
	assert(strlen(ja4) == (has_ja4 ? TLS_JA4_TEXT_LEN - 1 : 0));
	assert(answer != PARSE_DONE || (has_ja3 && has_ja4));
	return 0;
}
