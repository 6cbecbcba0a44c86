/*
 * names - numbers of the TLS registries, their names and back.
 *
 * Source: IANA "TLS Parameters" (cipher suites, alerts); SSLv2: draft-hickman-netscape-ssl-00,
 *         section "Cipher kinds".
 */
#ifndef TLSTALLY_TLS_NAMES_H
#define TLSTALLY_TLS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define TLS_VERSION_SSL2 0x0002
#define TLS_VERSION_SSL3 0x0300
#define TLS_VERSION_1_0 0x0301
#define TLS_VERSION_1_1 0x0302
#define TLS_VERSION_1_2 0x0303
#define TLS_VERSION_1_3 0x0304

#define TLS_RECORD_CHANGE_CIPHER_SPEC 20
#define TLS_RECORD_ALERT 21
#define TLS_RECORD_HANDSHAKE 22
#define TLS_RECORD_APPLICATION_DATA 23
#define TLS_RECORD_HEARTBEAT 24
#define TLS_RECORD_HEADER_LEN 5
/* RFC 5246, section 6.2.3: 2^14 + 2048 bytes at most. */
#define TLS_RECORD_MAX 18432

#define TLS_HANDSHAKE_HELLO_REQUEST 0
#define TLS_HANDSHAKE_CLIENT_HELLO 1
#define TLS_HANDSHAKE_SERVER_HELLO 2
#define TLS_HANDSHAKE_NEW_SESSION_TICKET 4
#define TLS_HANDSHAKE_HELLO_RETRY_REQUEST 6 /* drafts of 1.3 up to 21 only */
#define TLS_HANDSHAKE_CERTIFICATE 11
#define TLS_HANDSHAKE_SERVER_KEY_EXCHANGE 12
#define TLS_HANDSHAKE_CERTIFICATE_REQUEST 13
#define TLS_HANDSHAKE_SERVER_HELLO_DONE 14
#define TLS_HANDSHAKE_CERTIFICATE_VERIFY 15
#define TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE 16
#define TLS_HANDSHAKE_FINISHED 20

#define TLS_ALERT_LEVEL_WARNING 1
#define TLS_ALERT_LEVEL_FATAL 2
#define TLS_ALERT_CLOSE_NOTIFY 0
#define TLS_ALERT_PROTOCOL_VERSION 70
#define TLS_ALERT_NO_RENEGOTIATION 100

#define TLS_EXT_SERVER_NAME 0
#define TLS_EXT_SUPPORTED_GROUPS 10
#define TLS_EXT_EC_POINT_FORMATS 11
#define TLS_EXT_SIGNATURE_ALGORITHMS 13
#define TLS_EXT_ALPN 16
#define TLS_EXT_SESSION_TICKET 35
#define TLS_EXT_PRE_SHARED_KEY 41
#define TLS_EXT_EARLY_DATA 42
#define TLS_EXT_SUPPORTED_VERSIONS 43
#define TLS_EXT_COOKIE 44

#define TLS_SUITE_EMPTY_RENEGOTIATION_INFO_SCSV 0x00ff
#define TLS_SUITE_FALLBACK_SCSV 0x5600

/* RFC 8701: 0x0a0a, 0x1a1a, ... 0xfafa. */
static inline bool
tls_is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/*
 * The version that a wire value stands for: drafts and private forms of 1.3 (0x7fXX, 0xfbXX,
 * 0x7eXX) are TLS_VERSION_1_3, the six real ones themselves; 0 for anything else, GREASE included.
 */
uint16_t tls_version_normalize(uint16_t wire);
/* "TLSv1.2"; NULL for a value that is none of TLS_VERSION_*. */
const char *tls_version_name(uint16_t version);
/* Appends "TLS 1.2", as people write it, and "SSLv3" as it is; "0x0305" where there is no name. */
void tls_version_add_words(struct buf *out, uint16_t version);
/* "TLSv1.2" back to TLS_VERSION_1_2, in any case, also "1.2" and "tls1.2"; 0 for anything else. */
uint16_t tls_version_from_text(const char *text);
/* Order by age with SSLv2 the oldest; <0, 0, >0.  0 (unknown) is the lowest. */
int tls_version_compare(uint16_t a, uint16_t b);

/* The IANA description; NULL for a number that has none. */
const char *tls_cipher_suite_name(uint16_t suite);
/* SSLv2 cipher kinds, 24 bits, e.g. "SSL_CK_RC4_128_WITH_MD5"; NULL for an unknown one. */
const char *tls_sslv2_cipher_name(uint32_t kind);
/* True for suites with an AEAD cipher (GCM, CCM, CHACHA20_POLY1305), by the registry's name. */
bool tls_cipher_suite_is_aead(uint16_t suite);
/* True for suites with ephemeral elliptic-curve or finite-field key exchange, and those of 1.3. */
bool tls_cipher_suite_is_ecdhe(uint16_t suite);
/* "protocol_version"; NULL for a number that has none. */
const char *tls_alert_name(uint8_t description);

#endif
