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

/*
 * Reads the next element of DER, whatever its tag.  `whole`, unless it is NULL, gets the element
 * with its tag and length.  Returns false, and consumes nothing, where there is no whole element.
 */
bool certificate_read_any(struct span *s, uint8_t *tag, struct span *content, struct span *whole);
/* The same, for an element that has to have the tag `expected`. */
bool certificate_read_element(
    struct span *s, uint8_t expected, struct span *content, struct span *whole);

struct certificate_parts {
	struct span not_after; /* UTCTime or GeneralizedTime, with its tag */
	struct span subject;   /* Name, with its tag */
	struct span dns_name;  /* content of the first dNSName that is a host's; data NULL: none */
};

/*
 * Finds the parts, which borrow from `der`.  False if `der` is not one certificate from its first
 * byte to its last.
 */
bool certificate_find_parts(struct span der, struct certificate_parts *out);

/*
 * Changes the tag of each UTF8String in a Name (RFC 5280, section 4.1.2.4) to T61String.  libcrypto
 * refuses a whole name for one UTF8String that is no UTF-8, but takes any bytes in a T61String.
 */
void certificate_loosen_name(uint8_t *name, size_t len);

/* Reads the parts into `out`, which is zeroed, by libcrypto.  False if that cannot be loaded. */
bool certificate_read_by_library(
    const struct certificate_parts *parts, struct tls_certificate *out);
/*
 * The same without libcrypto.  Returns false, with `out` zeroed, for parts that have anything else
 * than what nearly all certificates have.
 */
bool certificate_read_plain(const struct certificate_parts *parts, struct tls_certificate *out);

/*
 * True if servers can be told apart by the name: it has a dot, and is no wildcard, no address and
 * no name of a default certificate.
 */
bool certificate_is_host_name(struct span name);

#endif
