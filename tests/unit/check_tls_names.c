#include "tls/names.h"

#include "suite.h"

#include "base/banned.h"

struct number_row {
	uint16_t in, out;
};

static const struct number_row normalize_rows[] = {
	{ 0x0002, 0x0002 },
	{ 0x0300, 0x0300 },
	{ 0x0301, 0x0301 },
	{ 0x0302, 0x0302 },
	{ 0x0303, 0x0303 },
	{ 0x0304, 0x0304 },
	{ 0x7f12, 0x0304 },
	{ 0x7f1c, 0x0304 },
	{ 0x7e02, 0x0304 },
	{ 0xfb1a, 0x0304 },
	{ 0x0000, 0 },
	{ 0x0001, 0 },
	{ 0x0003, 0 },
	{ 0x0200, 0 },
	{ 0x02ff, 0 },
	{ 0x0305, 0 },
	{ 0x0399, 0 },
	{ 0x0a0a, 0 },
	{ 0xfafa, 0 },
	{ 0xfefd, 0 },
	{ 0xffff, 0 },
};

START_TEST(wire_version_is_normalized)
{
	ck_assert_uint_eq(tls_version_normalize(normalize_rows[_i].in), normalize_rows[_i].out);
}
END_TEST

static const struct {
	const char *text;
	uint16_t version;
} text_rows[] = {
	{ "SSLv2", 0x0002 },
	{ "SSLv3", 0x0300 },
	{ "ssl3", 0x0300 },
	{ "TLSv1.0", 0x0301 },
	{ "tlsv1.1", 0x0302 },
	{ "TLSv1.2", 0x0303 },
	{ "tls1.2", 0x0303 },
	{ "TLSV1.3", 0x0304 },
	{ "1.3", 0x0304 },
	{ "1.0", 0x0301 },
	{ "", 0 },
	{ "1", 0 },
	{ "1.", 0 },
	{ "1.4", 0 },
	{ "1.20", 0 },
	{ "1.2 ", 0 },
	{ " 1.2", 0 },
	{ "TLS", 0 },
	{ "TLSv", 0 },
	{ "TLSv1", 0 },
	{ "TLSvv1.2", 0 },
	{ "SSL", 0 },
	{ "SSLv", 0 },
	{ "SSLv1", 0 },
	{ "SSLv33", 0 },
	{ "2", 0 },
};

START_TEST(version_is_read_from_text)
{
	ck_assert_uint_eq(tls_version_from_text(text_rows[_i].text), text_rows[_i].version);
}
END_TEST

START_TEST(version_name_reads_back_as_the_version)
{
	unsigned found = 0;

	for (unsigned version = 0; version <= 0xffff; version++) {
		const char *name = tls_version_name((uint16_t)version);

		if (name == NULL)
			continue;
		ck_assert_uint_eq(tls_version_from_text(name), version);
		found++;
	}
	ck_assert_uint_eq(found, 6);
	ck_assert_str_eq(tls_version_name(TLS_VERSION_1_0), "TLSv1.0");
}
END_TEST

START_TEST(versions_compare_by_age_and_unknown_is_lowest)
{
	const uint16_t order[] = { 0, 0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304 };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		ck_assert_int_eq(tls_version_compare(order[i], order[i]), 0);
		for (size_t k = 0; k < i; k++) {
			ck_assert_int_gt(tls_version_compare(order[i], order[k]), 0);
			ck_assert_int_lt(tls_version_compare(order[k], order[i]), 0);
		}
	}
}
END_TEST

START_TEST(grease_is_the_sixteen_values_of_rfc_8701)
{
	unsigned found = 0;

	for (unsigned value = 0; value <= 0xffff; value++) {
		if (!tls_is_grease((uint16_t)value))
			continue;
		ck_assert_uint_eq(value, 0x0a0a + found * 0x1010);
		found++;
	}
	ck_assert_uint_eq(found, 16);
}
END_TEST

static const struct {
	uint16_t suite;
	const char *name;
	bool aead, ecdhe;
} suite_rows[] = {
	{ 0x0000, "TLS_NULL_WITH_NULL_NULL", false, false },
	{ 0x0004, "TLS_RSA_WITH_RC4_128_MD5", false, false },
	{ 0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", false, false },
	{ 0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", false, true },
	{ 0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA", false, true },
	{ 0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", false, false },
	{ 0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", false, true },
	{ 0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", true, false },
	{ 0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256", true, false },
	{ 0x00c6, "TLS_SM4_GCM_SM3", true, true },
	{ 0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", false, false },
	{ 0x1301, "TLS_AES_128_GCM_SHA256", true, true },
	{ 0x1305, "TLS_AES_128_CCM_8_SHA256", true, true },
	{ 0x1306, "TLS_AEGIS_256_SHA512", true, true },
	{ 0x1307, "TLS_AEGIS_128L_SHA256", true, true },
	{ 0x5600, "TLS_FALLBACK_SCSV", false, false },
	{ 0xc001, "TLS_ECDH_ECDSA_WITH_NULL_SHA", false, false },
	{ 0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", false, true },
	{ 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true, true },
	{ 0xc0aa, "TLS_PSK_DHE_WITH_AES_128_CCM_8", true, true },
	{ 0xc0b0, "TLS_ECCPWD_WITH_AES_128_GCM_SHA256", true, true },
	{ 0xc0b4, "TLS_SHA256_SHA256", false, true },
	{ 0xc102, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT", false, false },
	{ 0xc103, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L", true, true },
	{ 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", true, true },
	{ 0xd005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256", true, true },
};

START_TEST(cipher_suite_has_its_iana_name_and_kind)
{
	uint16_t suite = suite_rows[_i].suite;

	ck_assert_str_eq(tls_cipher_suite_name(suite), suite_rows[_i].name);
	ck_assert_int_eq(tls_cipher_suite_is_aead(suite), suite_rows[_i].aead);
	ck_assert_int_eq(tls_cipher_suite_is_ecdhe(suite), suite_rows[_i].ecdhe);
}
END_TEST

static const uint16_t unnamed_suites[] = {
	0x001c, /* reserved: SSLv3's Fortezza */
	0x0047,
	0x0060,
	0x0066, /* reserved: in use before the registry */
	0x0080,
	0x0083, /* a draft's, of GOST */
	0x00c8,
	0x0a0a,
	0x1300,
	0x1308,
	0x5601,
	0xc000,
	0xc0b6,
	0xc0ff,
	0xcc13, /* a draft's */
	0xcca7,
	0xd004,
	0xd006,
	0xfafa,
	0xfefe,
	0xffe0,
	0xffff,
};

START_TEST(unassigned_suite_has_no_name)
{
	ck_assert_ptr_null(tls_cipher_suite_name(unnamed_suites[_i]));
	ck_assert(!tls_cipher_suite_is_aead(unnamed_suites[_i]));
	ck_assert(!tls_cipher_suite_is_ecdhe(unnamed_suites[_i]));
}
END_TEST

/* A table out of order would hide entries from the search. */
START_TEST(every_suite_of_the_table_is_found)
{
	unsigned found = 0;

	for (unsigned suite = 0; suite <= 0xffff; suite++) {
		const char *name = tls_cipher_suite_name((uint16_t)suite);

		if (name == NULL)
			continue;
		ck_assert_int_eq(strncmp(name, "TLS_", 4), 0);
		ck_assert(!tls_is_grease((uint16_t)suite));
		found++;
	}
	ck_assert_uint_eq(found, 352);
}
END_TEST

START_TEST(alert_has_its_rfc_name)
{
	ck_assert_str_eq(tls_alert_name(0), "close_notify");
	ck_assert_str_eq(tls_alert_name(40), "handshake_failure");
	ck_assert_str_eq(tls_alert_name(41), "no_certificate");
	ck_assert_str_eq(tls_alert_name(70), "protocol_version");
	ck_assert_str_eq(tls_alert_name(86), "inappropriate_fallback");
	ck_assert_str_eq(tls_alert_name(121), "ech_required");
	ck_assert_ptr_null(tls_alert_name(1));
	ck_assert_ptr_null(tls_alert_name(250));
	ck_assert_ptr_null(tls_alert_name(255));
}
END_TEST

START_TEST(sslv2_cipher_has_its_draft_name)
{
	ck_assert_str_eq(tls_sslv2_cipher_name(0x010080), "SSL_CK_RC4_128_WITH_MD5");
	ck_assert_str_eq(tls_sslv2_cipher_name(0x0700c0), "SSL_CK_DES_192_EDE3_CBC_WITH_MD5");
	ck_assert_ptr_null(tls_sslv2_cipher_name(0x00002f));
	ck_assert_ptr_null(tls_sslv2_cipher_name(0));
	ck_assert_ptr_null(tls_sslv2_cipher_name(0xffffffff));
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, wire_version_is_normalized, 0, ROWS(normalize_rows));
	tcase_add_loop_test(tc, version_is_read_from_text, 0, ROWS(text_rows));
	tcase_add_test(tc, version_name_reads_back_as_the_version);
	tcase_add_test(tc, versions_compare_by_age_and_unknown_is_lowest);
	tcase_add_test(tc, grease_is_the_sixteen_values_of_rfc_8701);
	tcase_add_loop_test(tc, cipher_suite_has_its_iana_name_and_kind, 0, ROWS(suite_rows));
	tcase_add_loop_test(tc, unassigned_suite_has_no_name, 0, ROWS(unnamed_suites));
	tcase_add_test(tc, every_suite_of_the_table_is_found);
	tcase_add_test(tc, alert_has_its_rfc_name);
	tcase_add_test(tc, sslv2_cipher_has_its_draft_name);
}

SUITE_MAIN("tls_names")
