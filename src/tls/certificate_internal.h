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

/* True for a name by which one server is known. */
bool certificate_is_host_name(struct span name);

#endif
