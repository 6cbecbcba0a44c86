#include "base/digest.h"

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "base/banned.h"

void
digest_md5(struct span data, uint8_t out[DIGEST_MD5_LEN])
{
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, data.len, data.data);
	md5_digest(&ctx, DIGEST_MD5_LEN, out);
}

void
digest_sha1(struct span data, uint8_t out[DIGEST_SHA1_LEN])
{
	struct sha1_ctx ctx;

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
