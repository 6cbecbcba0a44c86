/*
 * hello - ClientHello and ServerHello, in TLS and in SSLv2 format.
 *
 * Source: RFC 8446 section 4.1 and 4.2; RFC 5246 section 7.4.1 and appendix E.2 (SSLv2 format);
 *         RFC 6101 (SSLv3); draft-hickman-netscape-ssl-00 (SSLv2).
 *
 * A hello may be cut (snap length, a hole): PARSE_MORE then says that the fields up to the cut are
 * right and the others are not there.  `extensions_whole` tells whether absence of an extension
 * means that it was not sent.  Unknown versions, suites and extensions pass through as numbers.
 *
 * Memory: spans borrow from the input.
 */
#ifndef TLSTALLY_TLS_HELLO_H
#define TLSTALLY_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define TLS_RANDOM_LEN 32

struct tls_client_hello {
	bool sslv2_format;
	bool has_legacy_version;
	uint16_t legacy_version;
	struct span random; /* SSLv2 format: the challenge, 16 to 32 bytes */
	struct span session_id;
	struct span cipher_suites; /* 2 bytes each; 3 bytes each in SSLv2 format */
	bool cipher_suites_whole;  /* false: the list was cut, `cipher_suites` is what is there */
	struct span compression_methods;
	struct span extensions; /* the bytes that are there, whole or cut */
	bool extensions_whole;  /* true too where the hello has none at all */
	bool whole;             /* nothing of the message was cut off; it may be malformed */

	bool has_supported_versions;    /* RFC 8446, section 4.2.1 */
	struct span supported_versions; /* 2 bytes each */
	bool has_server_name;           /* the extension is there */
	struct span server_name;        /* first host_name; data NULL where the list has none */
	bool has_alpn;
	struct span alpn; /* ProtocolName list: vec8 each */
	struct span supported_groups, ec_point_formats, signature_algorithms; /* list contents */
	bool has_signature_algorithms;
	bool has_session_ticket;
	struct span session_ticket; /* empty: the client only says that it can */
	bool has_pre_shared_key, has_early_data;
	bool has_cookie; /* RFC 8446, section 4.2.2: it answers a HelloRetryRequest */
};

struct tls_server_hello {
	bool sslv2_format;
	bool has_legacy_version;
	uint16_t legacy_version;
	struct span random;
	struct span session_id; /* SSLv2 format: the connection id */
	bool has_cipher_suite;
	uint32_t cipher_suite; /* SSLv2 format: 0 and has_cipher_suite false; the client chooses */
	struct span extensions;
	bool extensions_whole;
	bool hello_retry_request; /* RFC 8446, section 4.1.3: the special random */
	bool has_selected_version;
	uint16_t selected_version; /* supported_versions */
	bool has_alpn;
	struct span alpn; /* the one ProtocolName */
	bool has_session_ticket, has_pre_shared_key;
	bool sslv2_session_id_hit;
	struct span sslv2_certificate; /* DER, SSLv2 format only */
};

/*
 * `body`: what is there of the handshake message behind its 4-byte header.  `whole`: that is all of
 * it.  Without this a hello that is cut right behind its compression methods would pass for one
 * without extensions.
 *
 * PARSE_DONE: a whole, well-formed hello.  PARSE_MORE: cut (never where `whole`).  PARSE_BAD: it
 * contradicts itself; what stands before the contradiction is in `out`.  `out` is always set
 * (zeroed first).
 */
enum parse tls_client_hello_parse(struct span body, bool whole, struct tls_client_hello *out);
enum parse tls_server_hello_parse(struct span body, bool whole, struct tls_server_hello *out);
/* HelloRetryRequest of the drafts up to 21 (handshake type 6): version, [suite,] extensions. */
enum parse tls_hello_retry_request_parse(
    struct span body, bool whole, struct tls_server_hello *out);

/*
 * `message`: behind the 2- or 3-byte record header, from the message type byte on, and at most to
 * the record's end.  The message tells its own length: no second one is needed.
 */
enum parse tls_sslv2_client_hello_parse(struct span message, struct tls_client_hello *out);
enum parse tls_sslv2_server_hello_parse(struct span message, struct tls_server_hello *out);

/*
 * The highest version offered, normalized: the maximum of supported_versions without GREASE, else
 * legacy_version.  0 where the cut hides it: a legacy_version of TLS 1.2 or more with an incomplete
 * list of extensions and no supported_versions seen says nothing.
 */
uint16_t tls_client_hello_offered_version(const struct tls_client_hello *ch);
/*
 * The version negotiated, normalized; 0 where a cut hides it and the cipher suite does not settle
 * it (RFC 8446, appendix B.4: the suites of 1.3 are of no use below, and the other way round).
 */
uint16_t tls_server_hello_version(const struct tls_server_hello *sh);
/* TLS_VERSION_1_2, TLS_VERSION_1_1 ("to 1.1 or below") or 0: RFC 8446, section 4.1.3. */
uint16_t tls_server_hello_downgrade_sentinel(const struct tls_server_hello *sh);
bool tls_client_hello_offers_suite(const struct tls_client_hello *ch, uint16_t suite);

#endif
