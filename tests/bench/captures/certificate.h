/* certificate - X.509 certificates of the usual size and form, of which no signature is right. */
#ifndef TLSTALLY_BENCH_CERTIFICATE_H
#define TLSTALLY_BENCH_CERTIFICATE_H

#include "base/buf.h"
#include "dice.h"

/* Appends one in DER (RFC 5280, section 4.1), 2048 bits RSA. */
void certificate_add(struct buf *out, struct dice *dice, const char *issuer, const char *subject);

#endif
