#include "tls/cache.h"

#include "suite.h"
#include "tls_samples.h"

#include "base/banned.h"

static void
ck_same(const struct tls_fingerprints *a, const struct tls_fingerprints *b)
{
	ck_assert_str_eq(a->ja3, b->ja3);
	ck_assert_str_eq(a->ja4, b->ja4);
	ck_assert_uint_eq(a->offers.set, b->offers.set);
	ck_assert(a->offers.aead == b->offers.aead && a->offers.ecdhe == b->offers.ecdhe);
	ck_assert_uint_eq(a->offered_version, b->offered_version);
	ck_assert(a->fallback_scsv == b->fallback_scsv);
}

/* What is kept and what is worked out anew: the same, whatever was asked before. */
static void
ck_answers(struct tls_cache *cache, struct span body)
{
	struct tls_client_hello ch;
	struct tls_fingerprints kept, anew;

	if (tls_client_hello_parse(body, true, &ch) != PARSE_DONE)
		return;
	ck_same(
	    tls_cache_fingerprints(cache, &ch, &kept), tls_cache_fingerprints(NULL, &ch, &anew));
}

START_TEST(answers_are_those_without_a_cache)
{
	struct tls_cache *cache = tls_cache_new();

	for (int i = 0; i < 2 * SAMPLE_COUNT; i++)
		ck_answers(cache, sample_body(sample_at(i % SAMPLE_COUNT).message));
	tls_cache_free(cache);
}
END_TEST

/* Each byte of a hello counts, or it does not; GREASE (RFC 8701) in the place of any two, too. */
START_TEST(no_two_hellos_are_taken_for_each_other)
{
	struct tls_cache *cache = tls_cache_new();
	struct span body = sample_body(sample_at(_i).message);
	uint8_t copy[1024];

	ck_assert_uint_le(body.len, sizeof(copy));
	for (size_t at = 0; at + 2 <= body.len; at++) {
		memcpy(copy, body.data, body.len);
		copy[at] ^= 1;
		ck_answers(cache, span_from(copy, body.len));
		copy[at] = copy[at + 1] = 0x0a;
		ck_answers(cache, span_from(copy, body.len));
		copy[at] = copy[at + 1] = 0xfa;
		ck_answers(cache, span_from(copy, body.len));
	}
	tls_cache_free(cache);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, answers_are_those_without_a_cache);
	tcase_add_loop_test(tc, no_two_hellos_are_taken_for_each_other, 0, SAMPLE_COUNT);
}

SUITE_MAIN("tls_cache")
