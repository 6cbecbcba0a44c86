/*
 * cipher_suites - the registry's table, in the order of the numbers.
 */
#ifndef TLSTALLY_TLS_CIPHER_SUITES_INTERNAL_H
#define TLSTALLY_TLS_CIPHER_SUITES_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#define SUITE_AEAD 1
#define SUITE_EPHEMERAL 2
#define SUITE_TLS13 4 /* of use in TLS 1.3 only */

struct cipher_suite {
	uint16_t number;
	uint8_t flags;
	const char *name;
};

extern const struct cipher_suite tls_cipher_suites[];
extern const size_t tls_cipher_suites_count;

/* NULL for a number that the registry gives no suite. */
const struct cipher_suite *tls_cipher_suite_find(uint16_t number);

#endif
