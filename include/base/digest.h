/*
 * digest - MD5, SHA-1 and SHA-256 for fingerprints that other tools define (JA3, Community ID,
 * JA4).
 *
 * No secret is protected by these.
 */
#ifndef TLSTALLY_BASE_DIGEST_H
#define TLSTALLY_BASE_DIGEST_H

#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <stdint.h>

#include "base/span.h"

#define DIGEST_MD5_LEN 16
#define DIGEST_SHA1_LEN 20
#define DIGEST_SHA256_LEN 32

void digest_md5(struct span data, uint8_t out[DIGEST_MD5_LEN]);
void digest_sha1(struct span data, uint8_t out[DIGEST_SHA1_LEN]);
void digest_sha256(struct span data, uint8_t out[DIGEST_SHA256_LEN]);

/* The same over data that comes in pieces: _init, any number of _add, _end. */
struct digest_md5_state {
	struct md5_ctx ctx;
};

struct digest_sha256_state {
	struct sha256_ctx ctx;
};

void digest_md5_init(struct digest_md5_state *state);
void digest_md5_add(struct digest_md5_state *state, struct span data);
void digest_md5_end(struct digest_md5_state *state, uint8_t out[DIGEST_MD5_LEN]);
void digest_sha256_init(struct digest_sha256_state *state);
void digest_sha256_add(struct digest_sha256_state *state, struct span data);
void digest_sha256_end(struct digest_sha256_state *state, uint8_t out[DIGEST_SHA256_LEN]);

/* Lower-case hexadecimal digits of `data` and a NUL: `out` has room for 2 * data.len + 1. */
void digest_to_hex(struct span data, char *out);

#endif
