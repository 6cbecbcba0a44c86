/*
 * The first byte's lowest bit says whether the message is whole, the next one whether it is a
 * HelloRetryRequest of a draft; the rest is its body.
 */
#include "tls/hello.h"
#include "tls/names.h"

#include <assert.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span body = span_from(data, len);
	struct tls_server_hello sh;
	enum parse answer;
	uint8_t kind;
	bool whole;

	if (!span_read_u8(&body, &kind))
		return 0;
	whole = (kind & 1) != 0;
	answer = (kind & 2) != 0 ? tls_hello_retry_request_parse(body, whole, &sh)
				 : tls_server_hello_parse(body, whole, &sh);
	assert(answer != (whole ? PARSE_MORE : PARSE_DONE));
	(void)tls_version_name(tls_server_hello_version(&sh));
	(void)tls_server_hello_downgrade_sentinel(&sh);
	return 0;
}
