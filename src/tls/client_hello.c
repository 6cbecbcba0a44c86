
#include "tls/hello.h"
#include "tls/hello_internal.h"
#include "tls/names.h"

#include "base/banned.h"

/*
 * Inside an extension a list has to fit, but may be followed by bytes that the RFC does not allow:
 * what such a client offers is of interest although its server will refuse it.
 */

/* RFC 6066, section 3. */
static void
read_server_name(struct span data, struct tls_client_hello *out)
{
	struct span list, name;
	uint8_t type;

	/* Some clients send the empty form that belongs into a ServerHello. */
	if (span_is_empty(data)) {
		out->has_server_name = true;
		return;
	}
	if (!span_read_vec16(&data, &list))
		return;
	while (!span_is_empty(list)) {
		if (!span_read_u8(&list, &type) || !span_read_vec16(&list, &name))
			return;
		if (type == 0) {
			if (!span_is_empty(name))
				out->server_name = name;
			break;
		}
	}
	out->has_server_name = true;
}

/* RFC 7301, section 3.1. */
static void
read_alpn(struct span data, struct tls_client_hello *out)
{
	struct span list, rest, name;

	if (!span_read_vec16(&data, &list))
		return;
	for (rest = list; !span_is_empty(rest);) {
		if (!span_read_vec8(&rest, &name))
			return;
	}
	out->alpn = list;
	out->has_alpn = true;
}

static void
read_extension(uint16_t type, struct span data, void *arg)
{
	struct tls_client_hello *out = arg;
	struct span list = { 0 };

	switch (type) {
	case TLS_EXT_SERVER_NAME:
		read_server_name(data, out);
		break;
	case TLS_EXT_SUPPORTED_GROUPS:
		if (span_read_vec16(&data, &list))
			out->supported_groups = list;
		break;
	case TLS_EXT_EC_POINT_FORMATS:
		if (span_read_vec8(&data, &list))
			out->ec_point_formats = list;
		break;
	case TLS_EXT_SIGNATURE_ALGORITHMS:
		out->has_signature_algorithms = span_read_vec16(&data, &list);
		out->signature_algorithms = list;
		break;
	case TLS_EXT_ALPN:
		read_alpn(data, out);
		break;
	case TLS_EXT_SESSION_TICKET:
		out->has_session_ticket = true;
		out->session_ticket = data;
		break;
	case TLS_EXT_PRE_SHARED_KEY:
		out->has_pre_shared_key = true;
		break;
	case TLS_EXT_EARLY_DATA:
		out->has_early_data = true;
		break;
	case TLS_EXT_COOKIE:
		out->has_cookie = true;
		break;
	case TLS_EXT_SUPPORTED_VERSIONS:
		out->has_supported_versions = span_read_vec8(&data, &list);
		out->supported_versions = list;
		break;
	}
}

/* False where the list is not there whole; `out` then has what is there of it. */
static bool
read_cipher_suites(struct hello_reader *r, struct tls_client_hello *out)
{
	uint16_t len;

	if (!span_read_u16(&r->rest, &len))
		return false;
	out->cipher_suites_whole = span_read_span(&r->rest, len, &out->cipher_suites);
	if (!out->cipher_suites_whole)
		out->cipher_suites = r->rest;
	return out->cipher_suites_whole;
}

enum parse
tls_client_hello_parse(struct span body, bool whole, struct tls_client_hello *out)
{
	struct hello_reader r = { .rest = body, .whole = whole };

	*out = (struct tls_client_hello){ .whole = whole };
	out->has_legacy_version = span_read_u16(&r.rest, &out->legacy_version);
	/*
	 * RFC 8446, section 4.1.2: a session_id has at most 32 bytes.  To refuse a longer one is
	 * the server's business.
	 */
	if (!out->has_legacy_version || !span_read_span(&r.rest, TLS_RANDOM_LEN, &out->random) ||
	    !span_read_vec8(&r.rest, &out->session_id) || !read_cipher_suites(&r, out) ||
	    !span_read_vec8(&r.rest, &out->compression_methods))
		return hello_reader_short(&r);
	return hello_read_extensions(
	    &r, &out->extensions, &out->extensions_whole, read_extension, out);
}

/* The highest of a list of versions, normalized, or 0 where none is known. */
static uint16_t
highest_version(struct span list)
{
	uint16_t highest = 0, wire;

	while (span_read_u16(&list, &wire)) {
		uint16_t version = tls_version_normalize(wire);

		if (tls_version_compare(version, highest) > 0)
			highest = version;
	}
	return highest;
}

uint16_t
tls_client_hello_offered_version(const struct tls_client_hello *ch)
{
	uint16_t legacy = ch->legacy_version, offered;

	if (!ch->has_legacy_version)
		return 0;
	/* RFC 8446, section 4.2.1: the list outranks legacy_version. */
	offered = ch->has_supported_versions ? highest_version(ch->supported_versions) : 0;
	if (offered != 0)
		return offered;
	if (ch->sslv2_format && legacy == TLS_VERSION_SSL2)
		return TLS_VERSION_SSL2;
	if (legacy < TLS_VERSION_SSL3)
		return 0;
	/*
	 * RFC 8446, section 4.1.2: the list comes with TLS 1.2 as legacy_version, and not below. It
	 * may have been cut off; a client that sends a broken hello did not send it.
	 */
	if (legacy >= TLS_VERSION_1_2 && !ch->has_supported_versions && !ch->extensions_whole &&
	    !ch->whole)
		return 0;
	/*
	 * RFC 8446, section 4.2.1: without the list a server must not choose more than TLS 1.2,
	 * whatever legacy_version says.
	 */
	if (legacy > TLS_VERSION_1_2 && legacy >> 8 == TLS_VERSION_1_2 >> 8)
		return TLS_VERSION_1_2;
	return tls_version_normalize(legacy);
}

bool
tls_client_hello_offers_suite(const struct tls_client_hello *ch, uint16_t suite)
{
	struct span list = ch->cipher_suites;
	uint32_t kind;
	uint16_t number;

	/* RFC 5246, appendix E.2: a suite of TLS has a zero in front here. */
	if (ch->sslv2_format) {
		while (span_read_u24(&list, &kind)) {
			if (kind == suite)
				return true;
		}
		return false;
	}
	while (span_read_u16(&list, &number)) {
		if (number == suite)
			return true;
	}
	return false;
}
