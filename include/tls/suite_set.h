/*
 * suite_set - which cipher suites a ClientHello offers, in 64 bits.
 *
 * The suites that clients of mail have offered in the last twenty years have a bit each; all others
 * share one.  So a question about suites can be answered later, from little, or it shows that it
 * cannot: whoever has only "others" in common with a list may or may not share a suite with it.
 *
 * The bits are stored in databases: a suite keeps its bit.
 *
 * Source: IANA "TLS Cipher Suites"; RFC 8446, appendix B.4 and RFC 5246, appendix A.5 for the
 *         versions that a suite is of use in.
 */
#ifndef TLSTALLY_TLS_SUITE_SET_H
#define TLSTALLY_TLS_SUITE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/hello.h"

#define TLS_SUITE_SET_UNSEEN (UINT64_C(1) << 61) /* the list was not seen to its end */
#define TLS_SUITE_SET_OTHERS (UINT64_C(1) << 62) /* suites that have no bit */

/* What is asked of an offer later. */
struct tls_suite_offers {
	uint64_t set;
	bool aead, ecdhe; /* it offers such a suite of TLS; false for an SSLv2-format hello */
};

uint64_t tls_suite_set_of(const struct tls_client_hello *ch);
void tls_suite_offers_of(const struct tls_client_hello *ch, struct tls_suite_offers *out);
/* 0: the suite has none. */
uint64_t tls_suite_set_bit(uint16_t suite);
/* Its bit, else TLS_SUITE_SET_OTHERS; 0 for signals and GREASE, which no server can choose. */
uint64_t tls_suite_set_mark(uint16_t suite);

/* By its IANA description, in any case; false for a text that names none. */
bool tls_cipher_suite_from_name(const char *name, uint16_t *suite);
/* Whether the suite can be used with any version from `lowest` to `highest`. */
bool tls_cipher_suite_is_usable(uint16_t suite, uint16_t lowest, uint16_t highest);

#endif
