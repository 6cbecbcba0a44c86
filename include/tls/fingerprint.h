/*
 * fingerprint - JA3 and JA4 of a ClientHello.
 *
 * Source: JA3: salesforce/ja3, README.  JA4 (TLS client only): FoxIO, technical_details/JA4.md,
 *         BSD 3-Clause.
 * Neither is defined for an SSLv2-format hello, and neither for one that was cut.
 */
#ifndef TLSTALLY_TLS_FINGERPRINT_H
#define TLSTALLY_TLS_FINGERPRINT_H

#include <stdbool.h>

#include "tls/hello.h"

#define TLS_JA3_TEXT_LEN 33 /* 32 digits and a NUL */
#define TLS_JA4_TEXT_LEN 37 /* 36 characters and a NUL */

bool tls_has_fingerprint(const struct tls_client_hello *ch);
/* False, and `out` = "", where the fingerprint has no definition. */
bool tls_ja3(const struct tls_client_hello *ch, char out[TLS_JA3_TEXT_LEN]);
bool tls_ja4(const struct tls_client_hello *ch, char out[TLS_JA4_TEXT_LEN]);

#endif
