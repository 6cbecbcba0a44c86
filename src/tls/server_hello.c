#include <string.h>

#include "tls/cipher_suites_internal.h"
#include "tls/hello.h"
#include "tls/hello_internal.h"
#include "tls/names.h"

#include "base/banned.h"

/* RFC 8446, section 4.1.3: SHA-256 of "HelloRetryRequest". */
static const uint8_t hello_retry_random[TLS_RANDOM_LEN] = {
	0xcf,
	0x21,
	0xad,
	0x74,
	0xe5,
	0x9a,
	0x61,
	0x11,
	0xbe,
	0x1d,
	0x8c,
	0x02,
	0x1e,
	0x65,
	0xb8,
	0x91,
	0xc2,
	0xa2,
	0x11,
	0x16,
	0x7a,
	0xbb,
	0x8c,
	0x5e,
	0x07,
	0x9e,
	0x09,
	0xe2,
	0xc8,
	0xa8,
	0x33,
	0x9c,
};

#define DOWNGRADE_LEN 7
static const uint8_t downgrade_mark[DOWNGRADE_LEN] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D' };

static void
read_extension(uint16_t type, struct span data, void *arg)
{
	struct tls_server_hello *out = arg;
	struct span list;

	switch (type) {
	case TLS_EXT_ALPN:
		/* RFC 7301, section 3.1: a list of exactly one. */
		out->has_alpn = span_read_vec16(&data, &list) && span_read_vec8(&list, &out->alpn);
		break;
	case TLS_EXT_SESSION_TICKET:
		out->has_session_ticket = true;
		break;
	case TLS_EXT_PRE_SHARED_KEY:
		out->has_pre_shared_key = true;
		break;
	case TLS_EXT_SUPPORTED_VERSIONS:
		out->has_selected_version = span_read_u16(&data, &out->selected_version);
		break;
	}
}

/* draft-ietf-tls-tls13-21, section 4.1.3: no session_id and no compression_method until then. */
static bool
has_short_form(uint16_t version)
{
	return version >> 8 == 0x7f && (version & 0xff) < 22;
}

enum parse
tls_server_hello_parse(struct span body, bool whole, struct tls_server_hello *out)
{
	struct hello_reader r = { .rest = body, .whole = whole };
	uint16_t suite;
	bool full;

	*out = (struct tls_server_hello){ 0 };
	out->has_legacy_version = span_read_u16(&r.rest, &out->legacy_version);
	if (!out->has_legacy_version || !span_read_span(&r.rest, TLS_RANDOM_LEN, &out->random))
		return hello_reader_short(&r);
	out->hello_retry_request =
	    span_equals(out->random, span_from(hello_retry_random, TLS_RANDOM_LEN));
	full = !has_short_form(out->legacy_version);
	if ((full && !span_read_vec8(&r.rest, &out->session_id)) || !span_read_u16(&r.rest, &suite))
		return hello_reader_short(&r);
	out->cipher_suite = suite;
	out->has_cipher_suite = true;
	if (full && !span_skip(&r.rest, 1)) /* compression_method */
		return hello_reader_short(&r);
	return hello_read_extensions(
	    &r, &out->extensions, &out->extensions_whole, read_extension, out);
}

static bool
has_suite_in_retry(uint16_t version)
{
	return version >> 8 != 0x7f || (version & 0xff) >= 19;
}

enum parse
tls_hello_retry_request_parse(struct span body, bool whole, struct tls_server_hello *out)
{
	struct hello_reader r = { .rest = body, .whole = whole };
	struct span ahead;
	uint16_t first;

	*out = (struct tls_server_hello){ .hello_retry_request = true };
	out->has_legacy_version = span_read_u16(&r.rest, &out->legacy_version);
	ahead = r.rest;
	if (!out->has_legacy_version || !span_read_u16(&ahead, &first))
		return hello_reader_short(&r);
	/*
	 * draft-ietf-tls-tls13-19, section 4.1.4 put the cipher suite in.  Where it is not, the
	 * first number is the length of all that follows.
	 */
	if (whole ? first != ahead.len : has_suite_in_retry(out->legacy_version)) {
		out->cipher_suite = first;
		out->has_cipher_suite = true;
		r.rest = ahead;
	}
	return hello_read_extensions(
	    &r, &out->extensions, &out->extensions_whole, read_extension, out);
}

/* A TLS 1.2 ServerHello and the first bytes of a TLS 1.3 one look alike: the suite tells. */
static uint16_t
version_by_suite(const struct tls_server_hello *sh)
{
	const struct cipher_suite *suite;

	if (sh->hello_retry_request)
		return TLS_VERSION_1_3;
	suite = sh->has_cipher_suite ? tls_cipher_suite_find((uint16_t)sh->cipher_suite) : NULL;
	if (suite == NULL)
		return 0;
	/* RFC 8446, appendix B.4: neither version can use the other's suites. */
	return (suite->flags & SUITE_TLS13) != 0 ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
}

uint16_t
tls_server_hello_version(const struct tls_server_hello *sh)
{
	uint16_t version;

	if (!sh->has_legacy_version)
		return 0;
	/* RFC 8446, section 4.2.1: the extension outranks legacy_version. */
	version = sh->has_selected_version ? tls_version_normalize(sh->selected_version) : 0;
	if (version != 0)
		return version;
	version = tls_version_normalize(sh->legacy_version);
	if (version == TLS_VERSION_SSL2)
		return sh->sslv2_format ? version : 0;
	/* RFC 8446, section 4.1.3: TLS 1.3 has TLS 1.2 as its legacy_version, and no other. */
	if (version == TLS_VERSION_1_2 && (!sh->extensions_whole || sh->has_selected_version))
		return version_by_suite(sh);
	return version;
}

uint16_t
tls_server_hello_downgrade_sentinel(const struct tls_server_hello *sh)
{
	struct span tail = sh->random;

	if (tail.len != TLS_RANDOM_LEN || !span_skip(&tail, TLS_RANDOM_LEN - DOWNGRADE_LEN - 1) ||
	    !span_equals(span_first(tail, DOWNGRADE_LEN), span_from(downgrade_mark, DOWNGRADE_LEN)))
		return 0;
	switch (tail.data[DOWNGRADE_LEN]) {
	case 0:
		return TLS_VERSION_1_1;
	case 1:
		return TLS_VERSION_1_2;
	}
	return 0;
}
