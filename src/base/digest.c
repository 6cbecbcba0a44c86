#include "base/digest.h"

#include <endian.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>

#include "base/banned.h"

void
digest_md5(struct span data, uint8_t out[DIGEST_MD5_LEN])
{
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, data.len, data.data);
	md5_digest(&ctx, DIGEST_MD5_LEN, out);
}

/* FIPS 180-4, section 5.1.1: what is no longer than that is one block with its padding. */
#define SHA1_ONE_BLOCK_MAX (SHA1_BLOCK_SIZE - 9)

/* No context: to fill one, empty it and wipe it takes longer than to hash the one block. */
static void
sha1_of_one_block(struct span data, uint8_t out[DIGEST_SHA1_LEN])
{
	/* FIPS 180-4, section 5.3.1. */
	uint32_t state[] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint8_t block[SHA1_BLOCK_SIZE] = { 0 };

	memcpy(block, data.data, data.len);
	block[data.len] = 0x80;
	block[SHA1_BLOCK_SIZE - 2] = (uint8_t)(data.len >> 5); /* in bits */
	block[SHA1_BLOCK_SIZE - 1] = (uint8_t)(data.len << 3);
	nettle_sha1_compress(state, block);
	for (size_t i = 0; i < sizeof(state) / sizeof(state[0]); i++) {
		state[i] = htobe32(state[i]);
		memcpy(out + i * sizeof(state[i]), &state[i], sizeof(state[i]));
	}
}

void
digest_sha1(struct span data, uint8_t out[DIGEST_SHA1_LEN])
{
	struct sha1_ctx ctx;

	if (data.len > 0 && data.len <= SHA1_ONE_BLOCK_MAX) {
		sha1_of_one_block(data, out);
		return;
	}
	sha1_init(&ctx);
	sha1_update(&ctx, data.len, data.data);
	sha1_digest(&ctx, DIGEST_SHA1_LEN, out);
}

void
digest_sha256(struct span data, uint8_t out[DIGEST_SHA256_LEN])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, data.len, data.data);
	sha256_digest(&ctx, DIGEST_SHA256_LEN, out);
}

void
digest_md5_init(struct digest_md5_state *state)
{
	md5_init(&state->ctx);
}

void
digest_md5_add(struct digest_md5_state *state, struct span data)
{
	md5_update(&state->ctx, data.len, data.data);
}

void
digest_md5_end(struct digest_md5_state *state, uint8_t out[DIGEST_MD5_LEN])
{
	md5_digest(&state->ctx, DIGEST_MD5_LEN, out);
}

void
digest_sha256_init(struct digest_sha256_state *state)
{
	sha256_init(&state->ctx);
}

void
digest_sha256_add(struct digest_sha256_state *state, struct span data)
{
	sha256_update(&state->ctx, data.len, data.data);
}

void
digest_sha256_end(struct digest_sha256_state *state, uint8_t out[DIGEST_SHA256_LEN])
{
	sha256_digest(&state->ctx, DIGEST_SHA256_LEN, out);
}

void
digest_to_hex(struct span data, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < data.len; i++) {
		out[2 * i] = digits[data.data[i] >> 4];
		out[2 * i + 1] = digits[data.data[i] & 15];
	}
	out[2 * data.len] = '\0';
}
