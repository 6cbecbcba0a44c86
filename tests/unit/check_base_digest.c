#include "suite.h"

#include "base/digest.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/*
 * RFC 1321, section A.5 (MD5); FIPS 180-4 and its examples (SHA-1, SHA-256).  The lengths around 55
 * and 64 bytes are where the padding needs a block of its own.
 */
static const struct {
	const char *text, *md5, *sha1, *sha256;
} known[] = {
	{ "", "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0",
	    "c12252ceda8be8994d5fa0290a47231c1d16aae3",
	    "f7846f55cf23e14eebeab5b4e1550cad5b509e3348fbc4efa3a1413d393cb650" },
	{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b",
	    "32d10c7b8cf96570ca04ce37f2a19d84240d3a89",
	    "71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73" },
	{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	    "d174ab98d277d9f5a5611c2c9f419d9f", "761c457bf73b14d27e9e9265c46f4b4dda11f940",
	    "db4bfcbd4da0cd85a60c3c37d3fbd8805c77f15fc6b1fdfe614ee0a7c8fdb4c0" },
	{ "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
	    "57edf4a22be3c955ac49da2e2107b67a", "50abf5706a150990a08b2c5ea40fa0e585554732",
	    "f371bc4a311f2b009eef952dd83ca80e2b60026c8e935592d0f9c308453c813e" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "8215ef0796a20bcaaae116d3876c664a", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "ef1772b6dff9a122358552954ad0df65", "c1c8bbdc22796e28c0e15163d20899b65621d65a",
	    "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "b06521f39153d618550606be297466d5", "03f09f5b158a7a8cdad920bddc29b81c18a551f5",
	    "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "014842d480b571495a4a0363793f7367", "0098ba824b5c16427bd7a1122a5a442a25ec644d",
	    "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "c743a45e0d2e6a95cb859adae0248435", "11655326c708d70319be2610e8a57d9a5b959d3b",
	    "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0" },
};

START_TEST(digests_agree_with_their_standards)
{
	struct span data = span_from_text(known[_i].text);
	uint8_t md5[DIGEST_MD5_LEN], sha1[DIGEST_SHA1_LEN], sha256[DIGEST_SHA256_LEN];
	char hex[2 * DIGEST_SHA256_LEN + 1];

	digest_md5(data, md5);
	digest_to_hex(span_from(md5, sizeof(md5)), hex);
	ck_assert_str_eq(hex, known[_i].md5);
	digest_sha1(data, sha1);
	digest_to_hex(span_from(sha1, sizeof(sha1)), hex);
	ck_assert_str_eq(hex, known[_i].sha1);
	digest_sha256(data, sha256);
	digest_to_hex(span_from(sha256, sizeof(sha256)), hex);
	ck_assert_str_eq(hex, known[_i].sha256);
}
END_TEST

START_TEST(a_million_letters_have_the_digests_of_the_standard)
{
	enum { LEN = 1000000 };
	uint8_t *data = malloc(LEN);
	uint8_t out[DIGEST_SHA256_LEN];
	char hex[2 * DIGEST_SHA256_LEN + 1];

	ck_assert_ptr_nonnull(data);
	memset(data, 'a', LEN);
	digest_sha1(span_from(data, LEN), out);
	digest_to_hex(span_from(out, DIGEST_SHA1_LEN), hex);
	ck_assert_str_eq(hex, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	digest_sha256(span_from(data, LEN), out);
	digest_to_hex(span_from(out, DIGEST_SHA256_LEN), hex);
	ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(data);
}
END_TEST

START_TEST(no_bytes_at_all_are_the_empty_text)
{
	struct span nothing = { 0 };
	uint8_t out[DIGEST_MD5_LEN];
	char hex[2 * DIGEST_MD5_LEN + 1];

	digest_md5(nothing, out);
	digest_to_hex(span_from(out, sizeof(out)), hex);
	ck_assert_str_eq(hex, known[0].md5);
	digest_to_hex(nothing, hex);
	ck_assert_str_eq(hex, "");
}
END_TEST

START_TEST(hexadecimal_digits_are_lower_case_and_two_per_byte)
{
	char hex[15] = "..............";

	digest_to_hex(BYTES("\x00\x0f\xf0\xff\x9a\x10"), hex);
	ck_assert_str_eq(hex, "000ff0ff9a10");
	ck_assert_int_eq(hex[13], '.');
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, digests_agree_with_their_standards, 0, ROWS(known));
	tcase_add_test(tc, a_million_letters_have_the_digests_of_the_standard);
	tcase_add_test(tc, no_bytes_at_all_are_the_empty_text);
	tcase_add_test(tc, hexadecimal_digits_are_lower_case_and_two_per_byte);
}

SUITE_MAIN("base_digest")
