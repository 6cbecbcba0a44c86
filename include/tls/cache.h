/*
 * cache - what was worked out before: the fingerprints of a ClientHello and what its suites are
 * good for, the names in a certificate.
 *
 * Clients and servers are few compared with their connections, so most hellos and certificates have
 * been seen before.  What is kept is compared byte by byte before it counts, so that the answers
 * are those of tls/fingerprint.h, tls/suite_set.h and tls/certificate.h, always.
 *
 * Memory:  bounded: 2 MiB at most.
 * Threads: one at a time per cache.
 */
#ifndef TLSTALLY_TLS_CACHE_H
#define TLSTALLY_TLS_CACHE_H

#include <stdbool.h>

#include "base/span.h"
#include "tls/certificate.h"
#include "tls/fingerprint.h"
#include "tls/hello.h"
#include "tls/suite_set.h"

struct tls_cache; /* opaque */

struct tls_fingerprints {
	char ja3[TLS_JA3_TEXT_LEN]; /* "" where it has no definition */
	char ja4[TLS_JA4_TEXT_LEN];
	struct tls_suite_offers offers;
};

struct tls_cache *tls_cache_new(void);
void tls_cache_free(struct tls_cache *cache);

/* `cache` NULL: they are worked out. */
void tls_cache_fingerprints(
    struct tls_cache *cache, const struct tls_client_hello *ch, struct tls_fingerprints *out);
/* As tls_certificate_parse. */
bool tls_cache_certificate(struct tls_cache *cache, struct span der, struct tls_certificate *out);

#endif
