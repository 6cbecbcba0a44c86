/*
 * certificate - subject, host name and notAfter of a server's leaf certificate.
 *
 * Names and times of the usual kinds are read here.  Where a certificate has others, libcrypto
 * reads them, which is loaded for the first such certificate.
 *
 * Source:  RFC 5246, section 7.4.2 (the Certificate message), RFC 5280 (names and times).
 * Threads: any number of threads at a time.
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

/*
 * Finds the first certificate in the body of a Certificate message (TLS 1.2 and below), which is
 * the server's own; `der` borrows from `body`.  False if that is cut off, or the message is bad.
 */
bool tls_certificate_message_leaf(struct span body, struct span *der);
/*
 * Reads a certificate; a part of it that cannot be read is left out, and bytes of a name that are
 * no UTF-8 become \XX.  Signature and key are not looked at.  Returns false, with `out` zeroed,
 * when `der` is no certificate or has more than 64 KiB, or when only libcrypto could read it but
 * could not be loaded (which is logged once).
 */
bool tls_certificate_parse(struct span der, struct tls_certificate *out);

/*
 * Loads libcrypto now, and not when the first certificate needs it.  For a process that will have
 * given up the right to open files by then.  Returns false, now and later, if it cannot be loaded.
 */
bool tls_certificate_prepare(void);

#endif
