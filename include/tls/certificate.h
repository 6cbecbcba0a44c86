/*
 * certificate - subject and notAfter of a server's leaf certificate.
 *
 * Source: RFC 5246 section 7.4.2 (the Certificate message), RFC 5280 (names and times; by
 * libcrypto where they are not of the plain kind).
 */
#ifndef TLSTALLY_TLS_CERTIFICATE_H
#define TLSTALLY_TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct tls_certificate {
	char
	    subject[256]; /* RFC 4514 text, UTF-8, cut at a character; control characters escaped */
	/* The first dNSName of subjectAltName, else the last common name, that is the name of one
	 * host: no wildcard, with a dot in it; else "". */
	char dns_name[256];
	bool has_not_after;
	int64_t not_after_us; /* microseconds since 1970-01-01 UTC */
};

/* The first certificate of a Certificate message's body (TLS 1.2 and below).  False: cut or bad. */
bool tls_certificate_message_leaf(struct span body, struct span *der);
/*
 * False when `der` is no certificate, or is one that takes libcrypto to read, which is not to be
 * had (that is logged once); `out` is zeroed then.  A part that cannot be read is absent. What is
 * no UTF-8 in a name appears as \XX.  Signature and key are not looked at.
 */
bool tls_certificate_parse(struct span der, struct tls_certificate *out);

/*
 * Loads libcrypto now.  Otherwise the first certificate does that is not of the plain kind, which
 * is too late for a process that may open no files by then.  False where it is not to be had.
 */
bool tls_certificate_prepare(void);

#endif
