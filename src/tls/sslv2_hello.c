#include "tls/hello.h"
#include "tls/names.h"

#include "base/banned.h"

/* draft-hickman-netscape-ssl-00, section "Protocol constants". */
#define SSLV2_CLIENT_HELLO 1
#define SSLV2_SERVER_HELLO 4

/* RFC 5246, appendix E.2: a challenge has 16 to 32 bytes, a session_id at most 32. */
#define CHALLENGE_MIN 16
#define CHALLENGE_MAX 32
#define SESSION_ID_MAX 32

/* The next `len` bytes, or what is there of them; false when that is less. */
static bool
read_part(struct span *message, size_t len, struct span *out)
{
	*out = span_first(*message, len);
	return span_skip(message, out->len) && out->len == len;
}

/* RFC 5246, appendix E.2; in SSLv2 itself the version is 0x0002. */
enum parse
tls_sslv2_client_hello_parse(struct span message, struct tls_client_hello *out)
{
	uint8_t type;
	uint16_t ciphers_len, session_id_len, challenge_len;

	*out = (struct tls_client_hello){ .sslv2_format = true, .extensions_whole = true };
	if (!span_read_u8(&message, &type))
		return PARSE_MORE;
	if (type != SSLV2_CLIENT_HELLO)
		return PARSE_BAD;
	out->has_legacy_version = span_read_u16(&message, &out->legacy_version);
	if (!out->has_legacy_version)
		return PARSE_MORE;
	if (out->legacy_version != TLS_VERSION_SSL2 && out->legacy_version >> 8 != 3)
		return PARSE_BAD;
	if (!span_read_u16(&message, &ciphers_len) || !span_read_u16(&message, &session_id_len) ||
	    !span_read_u16(&message, &challenge_len))
		return PARSE_MORE;
	if (ciphers_len == 0 || ciphers_len % 3 != 0 || session_id_len > SESSION_ID_MAX ||
	    challenge_len < CHALLENGE_MIN || challenge_len > CHALLENGE_MAX)
		return PARSE_BAD;
	out->cipher_suites_whole = read_part(&message, ciphers_len, &out->cipher_suites);
	if (!out->cipher_suites_whole ||
	    !span_read_span(&message, session_id_len, &out->session_id) ||
	    !span_read_span(&message, challenge_len, &out->random))
		return PARSE_MORE;
	return span_is_empty(message) ? PARSE_DONE : PARSE_BAD;
}

/* draft-hickman-netscape-ssl-00, section "Server Protocol Messages": SERVER-HELLO. */
enum parse
tls_sslv2_server_hello_parse(struct span message, struct tls_server_hello *out)
{
	uint8_t type, hit, certificate_type;
	uint16_t certificate_len, ciphers_len, connection_id_len;
	struct span ciphers;

	*out = (struct tls_server_hello){ .sslv2_format = true, .extensions_whole = true };
	if (!span_read_u8(&message, &type))
		return PARSE_MORE;
	if (type != SSLV2_SERVER_HELLO)
		return PARSE_BAD;
	if (!span_read_u8(&message, &hit) || !span_read_u8(&message, &certificate_type))
		return PARSE_MORE;
	out->sslv2_session_id_hit = hit != 0;
	out->has_legacy_version = span_read_u16(&message, &out->legacy_version);
	if (!out->has_legacy_version)
		return PARSE_MORE;
	if (out->legacy_version != TLS_VERSION_SSL2)
		return PARSE_BAD;
	if (!span_read_u16(&message, &certificate_len) || !span_read_u16(&message, &ciphers_len) ||
	    !span_read_u16(&message, &connection_id_len))
		return PARSE_MORE;
	if (ciphers_len % 3 != 0)
		return PARSE_BAD;
	if (!span_read_span(&message, certificate_len, &out->sslv2_certificate) ||
	    !span_read_span(&message, ciphers_len, &ciphers) ||
	    !span_read_span(&message, connection_id_len, &out->session_id))
		return PARSE_MORE;
	return span_is_empty(message) ? PARSE_DONE : PARSE_BAD;
}
