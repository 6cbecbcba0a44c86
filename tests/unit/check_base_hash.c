#include "suite.h"

#include "base/hash.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* The bytes 0, 1, 2, ... under the key 00 01 02 .. 0f, as the authors' vectors have them. */
static const struct hash_key vector_key = { UINT64_C(0x0706050403020100),
	UINT64_C(0x0f0e0d0c0b0a0908) };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/*
 * SipHash-1-3.  The row of length 0 is the first of the vectors in Rust's core::hash; all rows were
 * computed by a separate implementation that agrees with CPython's hash of bytes.
 */
static const struct {
	size_t len;
	uint64_t hash;
} known[] = {
	{ 0, UINT64_C(0xabac0158050fc4dc) },
	{ 1, UINT64_C(0xc9f49bf37d57ca93) },
	{ 7, UINT64_C(0xd3927d989bb11140) },
	{ 8, UINT64_C(0x369095118d299a8e) },
	{ 9, UINT64_C(0x25a48eb36c063de4) },
	{ 15, UINT64_C(0xd320d86d2a519956) },
	{ 16, UINT64_C(0xcc4fdd1a7d908b66) },
	{ 63, UINT64_C(0x9d199062b7bbb3a8) },
};

START_TEST(the_hash_is_siphash_1_3)
{
	uint8_t bytes[64];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_assert_uint_eq(hash_bytes(&vector_key, bytes, known[_i].len), known[_i].hash);
}
END_TEST
#endif

START_TEST(the_place_in_memory_does_not_matter)
{
	uint8_t bytes[48 + 8] = { 0 };
	uint64_t first = hash_bytes(&vector_key, bytes, 48);

	for (size_t i = 0; i < 8; i++)
		ck_assert_uint_eq(hash_bytes(&vector_key, bytes + i, 48), first);
}
END_TEST

START_TEST(zeros_of_different_number_differ)
{
	static const uint8_t zeros[64];
	uint64_t seen[sizeof(zeros)];

	for (size_t len = 0; len < sizeof(zeros); len++) {
		seen[len] = hash_bytes(&vector_key, zeros, len);
		for (size_t other = 0; other < len; other++)
			ck_assert_uint_ne(seen[len], seen[other]);
	}
}
END_TEST

START_TEST(every_bit_of_the_data_matters)
{
	uint8_t bytes[37] = { 0 };
	uint64_t before = hash_bytes(&vector_key, bytes, sizeof(bytes));

	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_uint_ne(hash_bytes(&vector_key, bytes, sizeof(bytes)), before);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

/* Of each length, since the quick hash reads each differently. */
START_TEST(every_bit_and_the_length_matter_to_the_quick_hash)
{
	uint8_t bytes[50] = { 0 };
	uint64_t seen[sizeof(bytes)];

	for (size_t len = 0; len < sizeof(bytes); len++) {
		seen[len] = hash_quick(&vector_key, bytes, len);
		for (size_t other = 0; other < len; other++)
			ck_assert_uint_ne(seen[len], seen[other]);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			ck_assert_uint_ne(hash_quick(&vector_key, bytes, len), seen[len]);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}
END_TEST

/* By Python's whole numbers. */
static const struct {
	uint64_t a, b, folded;
} products[] = {
	{ 0, UINT64_MAX, 0 },
	{ 1, UINT64_MAX, UINT64_MAX },
	{ UINT64_MAX, UINT64_MAX, UINT64_MAX },
	{ UINT32_MAX, UINT32_MAX, UINT64_C(0xfffffffe00000001) },
	{ UINT64_C(1) << 32, UINT64_C(1) << 32, 1 },
	{ UINT64_C(0x8000000000000000), 3, UINT64_C(0x8000000000000001) },
	{ UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f),
	    UINT64_C(0x8dd9092e2a448508) },
	{ UINT64_C(0xffffffff00000001), UINT64_C(0x00000001ffffffff),
	    UINT64_C(0x0000000300000002) },
};

START_TEST(a_product_is_folded_alike_with_32_bits_and_with_64)
{
	uint64_t a = products[_i].a, b = products[_i].b;

	ck_assert_uint_eq(hash_fold_by_halves(a, b), products[_i].folded);
	ck_assert_uint_eq(hash_fold(a, b), products[_i].folded);
	ck_assert_uint_eq(hash_fold_by_halves(b, a), products[_i].folded);
}
END_TEST

START_TEST(every_bit_of_the_key_matters)
{
	uint64_t before = hash_bytes(&vector_key, "key", 3);

	for (unsigned bit = 0; bit < 64; bit++) {
		struct hash_key key = vector_key;

		key.k0 ^= UINT64_C(1) << bit;
		ck_assert_uint_ne(hash_bytes(&key, "key", 3), before);
		key = vector_key;
		key.k1 ^= UINT64_C(1) << bit;
		ck_assert_uint_ne(hash_bytes(&key, "key", 3), before);
	}
}
END_TEST

START_TEST(two_random_keys_differ)
{
	struct hash_key a = hash_key_random(), b = hash_key_random();

	ck_assert(a.k0 != b.k0 || a.k1 != b.k1);
}
END_TEST

static void
add_tests(TCase *tc)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	tcase_add_loop_test(tc, the_hash_is_siphash_1_3, 0, ROWS(known));
#endif
	tcase_add_test(tc, the_place_in_memory_does_not_matter);
	tcase_add_test(tc, zeros_of_different_number_differ);
	tcase_add_test(tc, every_bit_of_the_data_matters);
	tcase_add_test(tc, every_bit_and_the_length_matter_to_the_quick_hash);
	tcase_add_loop_test(
	    tc, a_product_is_folded_alike_with_32_bits_and_with_64, 0, ROWS(products));
	tcase_add_test(tc, every_bit_of_the_key_matters);
	tcase_add_test(tc, two_random_keys_differ);
}

SUITE_MAIN("base_hash")
