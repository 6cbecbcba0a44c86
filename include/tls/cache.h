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

/* What follows from a hello's numbers. */
struct tls_fingerprints {
	char ja3[TLS_JA3_TEXT_LEN]; /* "" where it has no definition */
	char ja4[TLS_JA4_TEXT_LEN];
	struct tls_suite_offers offers;
	uint16_t offered_version; /* as tls_client_hello_offered_version */
	bool fallback_scsv;       /* TLS_SUITE_FALLBACK_SCSV is among the suites */
};

struct tls_cache *tls_cache_new(void);
void tls_cache_free(struct tls_cache *cache);

/*
 * Of a whole hello.  The answer lies in the cache, where it is valid until the next call, or in
 * `room`, where what is not kept is worked out: always, if `cache` is NULL.
 */
const struct tls_fingerprints *tls_cache_fingerprints(
    struct tls_cache *cache, const struct tls_client_hello *ch, struct tls_fingerprints *room);
/* The same for tls_certificate_parse; NULL where that says false. */
const struct tls_certificate *tls_cache_certificate(
    struct tls_cache *cache, struct span der, struct tls_certificate *room);

#endif
