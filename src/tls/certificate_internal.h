/*
 * certificate - where in a certificate's DER the parts stand that are of interest.
 *
 * Source: RFC 5280, section 4.1 (the structure); X.690, section 8.1 and 10.1 (DER).
 *
 * libcrypto's own decoder would decode the public key with the rest, which takes twenty times as
 * long and opens more of it to hostile bytes.
 */
#ifndef TLSTALLY_TLS_CERTIFICATE_INTERNAL_H
#define TLSTALLY_TLS_CERTIFICATE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "tls/certificate.h"

#define DER_OID 0x06
#define DER_UTF8_STRING 0x0c
#define DER_PRINTABLE_STRING 0x13
#define DER_IA5_STRING 0x16
#define DER_UTC_TIME 0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE 0x30
#define DER_SET 0x31

/* The next element, whatever it is.  `whole`, unless it is NULL: with tag and length. */
bool certificate_read_any(struct span *s, uint8_t *tag, struct span *content, struct span *whole);
/* The next element, which has to have this tag; else nothing is consumed. */
bool certificate_read_element(
    struct span *s, uint8_t expected, struct span *content, struct span *whole);

struct certificate_parts {
	struct span not_after; /* UTCTime or GeneralizedTime, with its tag */
	struct span subject;   /* Name, with its tag */
	struct span dns_name;  /* content of the first dNSName that is a host's; data NULL: none */
};

/* False where `der` is no certificate, from its first byte to its last. */
bool certificate_find_parts(struct span der, struct certificate_parts *out);

/*
 * Calls each UTF8String of a Name (RFC 5280, section 4.1.2.4) a T61String.  Of that libcrypto takes
 * any bytes, of a UTF8String it refuses those that are no UTF-8, with the whole name.
 */
void certificate_loosen_name(uint8_t *name, size_t len);

/* What libcrypto tells of the parts, in a zeroed `out`.  False where there is no libcrypto. */
bool certificate_read_by_library(
    const struct certificate_parts *parts, struct tls_certificate *out);
/*
 * The same without libcrypto, where there is nothing but what nearly all certificates have; false,
 * with `out` zeroed, elsewhere.
 */
bool certificate_read_plain(const struct certificate_parts *parts, struct tls_certificate *out);

/* True for a name by which one server is known. */
bool certificate_is_host_name(struct span name);

#endif
