#include "suite.h"

#include <string.h>

#include "tls/names.h"
#include "tls/suite_set.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define V10 TLS_VERSION_1_0
#define V12 TLS_VERSION_1_2
#define V13 TLS_VERSION_1_3

START_TEST(every_bit_belongs_to_one_registered_suite)
{
	uint64_t seen = 0;
	int count = 0;

	for (unsigned suite = 0; suite <= UINT16_MAX; suite++) {
		uint64_t bit = tls_suite_set_bit((uint16_t)suite);

		if (bit == 0)
			continue;
		ck_assert((bit & (bit - 1)) == 0 && (seen & bit) == 0);
		ck_assert((bit & (TLS_SUITE_SET_OTHERS | TLS_SUITE_SET_UNSEEN)) == 0);
		ck_assert_msg(tls_cipher_suite_name((uint16_t)suite) != NULL, "%04x", suite);
		seen |= bit;
		count++;
	}
	ck_assert_int_eq(count, 60);
	/* They are stored: what has a bit keeps it. */
	ck_assert_uint_eq(tls_suite_set_bit(0x0003), 1);
	ck_assert_uint_eq(tls_suite_set_bit(0x1301), UINT64_C(1) << 30);
	ck_assert_uint_eq(tls_suite_set_bit(0xccaa), UINT64_C(1) << 59);
}
END_TEST

START_TEST(an_offer_tells_of_aead_and_ecdhe_but_not_in_the_form_of_sslv2)
{
	struct tls_client_hello ch = {
		.cipher_suites = BYTES("\x00\x2f\xc0\x2f"),
		.cipher_suites_whole = true,
	};
	struct tls_suite_offers offers;

	tls_suite_offers_of(&ch, &offers);
	ck_assert(offers.aead && offers.ecdhe);
	ck_assert_uint_eq(offers.set, tls_suite_set_of(&ch));
	ch.cipher_suites = BYTES("\x00\x9c");
	tls_suite_offers_of(&ch, &offers);
	ck_assert(offers.aead && !offers.ecdhe);
	ch.cipher_suites = BYTES("\xc0\x13");
	tls_suite_offers_of(&ch, &offers);
	ck_assert(!offers.aead && offers.ecdhe);
	ch = (struct tls_client_hello){
		.sslv2_format = true,
		.cipher_suites = BYTES("\x00\xc0\x2f"),
		.cipher_suites_whole = true,
	};
	tls_suite_offers_of(&ch, &offers);
	ck_assert(!offers.aead && !offers.ecdhe);
}
END_TEST

START_TEST(a_hello_gives_its_set)
{
	struct tls_client_hello ch = {
		.cipher_suites = BYTES("\x0a\x0a\x13\x01\xc0\x2f\x56\x00\x00\xff"),
		.cipher_suites_whole = true,
	};

	ck_assert_uint_eq(
	    tls_suite_set_of(&ch), tls_suite_set_bit(0x1301) | tls_suite_set_bit(0xc02f));
	ch.cipher_suites = BYTES("\xc0\xb0");
	ck_assert_uint_eq(tls_suite_set_of(&ch), TLS_SUITE_SET_OTHERS);
	ch.cipher_suites_whole = false;
	ck_assert_uint_eq(tls_suite_set_of(&ch), TLS_SUITE_SET_OTHERS | TLS_SUITE_SET_UNSEEN);
	ch = (struct tls_client_hello){
		.sslv2_format = true,
		.cipher_suites = BYTES("\x01\x00\x80\x00\x00\x2f"),
		.cipher_suites_whole = true,
	};
	ck_assert_uint_eq(tls_suite_set_of(&ch), tls_suite_set_bit(0x002f));
}
END_TEST

static const struct {
	const char *name;
	uint16_t suite; /* 0: none */
} names[] = {
	{ "TLS_AES_128_GCM_SHA256", 0x1301 },
	{ "tls_rsa_with_aes_128_cbc_sha", 0x002f },
	{ "TLS_AES_128_GCM_SHA25", 0 },
	{ "ECDHE-RSA-AES128-GCM-SHA256", 0 },
	{ "", 0 },
};

START_TEST(a_suite_is_found_by_its_name)
{
	uint16_t suite = 0;

	ck_assert(tls_cipher_suite_from_name(names[_i].name, &suite) == (names[_i].suite != 0));
	ck_assert_uint_eq(suite, names[_i].suite);
}
END_TEST

static const struct {
	uint16_t suite, lowest, highest;
	bool usable;
} uses[] = {
	{ 0x1301, V10, V13, true },
	{ 0x1301, V10, V12, false },
	{ 0x1301, V13, V13, true },
	{ 0xc02f, V10, V10, false },
	{ 0xc02f, V10, V12, true },
	{ 0xc02f, V12, V13, true },
	{ 0xc02f, V13, V13, false },
	{ 0xc028, V10, TLS_VERSION_1_1, false },
	{ 0xc014, V10, V10, true },
	{ 0xc014, V12, V12, true },
	{ 0xc014, V13, V13, false },
	{ 0x002f, TLS_VERSION_SSL3, TLS_VERSION_SSL3, true },
	{ 0xfefe, V12, V12, true },
};

START_TEST(a_suite_is_of_use_in_its_versions_only)
{
	ck_assert(tls_cipher_suite_is_usable(uses[_i].suite, uses[_i].lowest, uses[_i].highest) ==
		  uses[_i].usable);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, every_bit_belongs_to_one_registered_suite);
	tcase_add_test(tc, an_offer_tells_of_aead_and_ecdhe_but_not_in_the_form_of_sslv2);
	tcase_add_test(tc, a_hello_gives_its_set);
	tcase_add_loop_test(tc, a_suite_is_found_by_its_name, 0, ROWS(names));
	tcase_add_loop_test(tc, a_suite_is_of_use_in_its_versions_only, 0, ROWS(uses));
}

SUITE_MAIN("tls_suite_set")
