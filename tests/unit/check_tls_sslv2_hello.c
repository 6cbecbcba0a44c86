#include "tls/hello.h"
#include "tls/names.h"

#include "suite.h"
#include "tls_samples.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

/* Two suites: SSL_CK_RC4_128_WITH_MD5 and TLS_FALLBACK_SCSV. */
static void
put_client(struct writer *w, unsigned version)
{
	put_u8(w, 1);
	put_u16(w, version);
	put_span(w, BYTES("\x00\x06\x00\x00\x00\x10\x01\x00\x80\x00\x56\x00"));
	put_fill(w, 0xcc, 16);
}

static const struct {
	uint16_t version, offered;
} version_rows[] = {
	{ 0x0002, TLS_VERSION_SSL2 },
	{ 0x0300, TLS_VERSION_SSL3 },
	{ 0x0301, TLS_VERSION_1_0 },
	{ 0x0303, TLS_VERSION_1_2 },
	{ 0x0304, TLS_VERSION_1_2 },
	{ 0x0309, TLS_VERSION_1_2 },
};

START_TEST(client_hello_offers_the_version_inside)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client(&w, version_rows[_i].version);
	ck_assert_int_eq(tls_sslv2_client_hello_parse(written(&w), &ch), PARSE_DONE);
	ck_assert(ch.sslv2_format && ch.cipher_suites_whole && ch.extensions_whole);
	ck_assert_uint_eq(ch.cipher_suites.len, 6);
	ck_assert_uint_eq(ch.random.len, 16);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), version_rows[_i].offered);
}
END_TEST

START_TEST(suite_of_tls_is_found_with_its_zero_in_front)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client(&w, 0x0301);
	ck_assert_int_eq(tls_sslv2_client_hello_parse(written(&w), &ch), PARSE_DONE);
	ck_assert(tls_client_hello_offers_suite(&ch, TLS_SUITE_FALLBACK_SCSV));
	ck_assert(!tls_client_hello_offers_suite(&ch, 0x0080)); /* 0x010080 is another */
}
END_TEST

START_TEST(every_prefix_of_a_client_hello_is_cut)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client(&w, 0x0002);
	for (size_t len = 0; len < w.len; len++) {
		ck_assert_int_eq(
		    tls_sslv2_client_hello_parse(span_first(written(&w), len), &ch), PARSE_MORE);
		ck_assert_int_eq(ch.cipher_suites_whole, len >= 15);
		ck_assert_uint_eq(
		    tls_client_hello_offered_version(&ch), len >= 3 ? TLS_VERSION_SSL2 : 0);
	}
	put_u8(&w, 0);
	ck_assert_int_eq(tls_sslv2_client_hello_parse(written(&w), &ch), PARSE_BAD);
}
END_TEST

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
} bad_client_rows[] = {
#define ROW(name, bytes)                                                                           \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1                                                     \
	}
	ROW("another message", "\x02"),
	ROW("version 1", "\x01\x00\x01"),
	ROW("version 2 in the wrong order", "\x01\x02\x00"),
	ROW("version of no TLS", "\x01\x04\x01"),
	ROW("no suites", "\x01\x03\x01\x00\x00\x00\x00\x00\x10"),
	ROW("suites of 4 bytes", "\x01\x03\x01\x00\x04\x00\x00\x00\x10"),
	ROW("session_id too long", "\x01\x03\x01\x00\x03\x00\x21\x00\x10"),
	ROW("challenge too short", "\x01\x03\x01\x00\x03\x00\x00\x00\x0f"),
	ROW("challenge too long", "\x01\x03\x01\x00\x03\x00\x00\x00\x21"),
};

START_TEST(contradictory_client_hello_is_bad)
{
	struct tls_client_hello ch;

	ck_assert_int_eq(tls_sslv2_client_hello_parse(
			     span_from(bad_client_rows[_i].bytes, bad_client_rows[_i].len), &ch),
	    PARSE_BAD);
	ck_assert(ch.sslv2_format);
	ck_assert(!ch.cipher_suites_whole);
}
END_TEST

START_TEST(largest_client_hello_is_read)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_span(&w, BYTES("\x01\x00\x02\xff\xff\x00\x20\x00\x20"));
	put_fill(&w, 1, 65535 + 32 + 32);
	ck_assert_int_eq(tls_sslv2_client_hello_parse(written(&w), &ch), PARSE_DONE);
	ck_assert_uint_eq(ch.cipher_suites.len, 65535);
	ck_assert_uint_eq(ch.session_id.len, 32);
}
END_TEST

static void
put_server(struct writer *w)
{
	put_span(w, BYTES("\x04\x00\x01\x00\x02\x00\x05\x00\x03\x00\x10"
			  "cert!\x01\x00\x80"));
	put_fill(w, 0xcc, 16);
}

START_TEST(server_hello_is_sslv2_and_names_no_suite)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server(&w);
	ck_assert_int_eq(tls_sslv2_server_hello_parse(written(&w), &sh), PARSE_DONE);
	ck_assert(sh.sslv2_format && !sh.has_cipher_suite && !sh.sslv2_session_id_hit);
	ck_assert(span_equals(sh.sslv2_certificate, BYTES("cert!")));
	ck_assert_uint_eq(sh.session_id.len, 16);
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_SSL2);
	ck_assert_uint_eq(tls_server_hello_downgrade_sentinel(&sh), 0);
	w.data[1] = 1;
	ck_assert_int_eq(tls_sslv2_server_hello_parse(written(&w), &sh), PARSE_DONE);
	ck_assert(sh.sslv2_session_id_hit);
}
END_TEST

START_TEST(every_prefix_of_a_server_hello_is_cut)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server(&w);
	for (size_t len = 0; len < w.len; len++) {
		ck_assert_int_eq(
		    tls_sslv2_server_hello_parse(span_first(written(&w), len), &sh), PARSE_MORE);
		ck_assert_int_eq(sh.sslv2_certificate.data != NULL, len >= 16);
		ck_assert_uint_eq(tls_server_hello_version(&sh), len >= 5 ? TLS_VERSION_SSL2 : 0);
	}
	put_u8(&w, 0);
	ck_assert_int_eq(tls_sslv2_server_hello_parse(written(&w), &sh), PARSE_BAD);
}
END_TEST

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
} bad_server_rows[] = {
	ROW("another message", "\x01"),
	ROW("another version", "\x04\x00\x01\x03\x00"),
	ROW("suites of 4 bytes", "\x04\x00\x01\x00\x02\x00\x00\x00\x04\x00\x10"),
};

START_TEST(contradictory_server_hello_is_bad)
{
	struct tls_server_hello sh;

	ck_assert_int_eq(tls_sslv2_server_hello_parse(
			     span_from(bad_server_rows[_i].bytes, bad_server_rows[_i].len), &sh),
	    PARSE_BAD);
	ck_assert(sh.sslv2_format);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, client_hello_offers_the_version_inside, 0, ROWS(version_rows));
	tcase_add_test(tc, suite_of_tls_is_found_with_its_zero_in_front);
	tcase_add_test(tc, every_prefix_of_a_client_hello_is_cut);
	tcase_add_loop_test(tc, contradictory_client_hello_is_bad, 0, ROWS(bad_client_rows));
	tcase_add_test(tc, largest_client_hello_is_read);
	tcase_add_test(tc, server_hello_is_sslv2_and_names_no_suite);
	tcase_add_test(tc, every_prefix_of_a_server_hello_is_cut);
	tcase_add_loop_test(tc, contradictory_server_hello_is_bad, 0, ROWS(bad_server_rows));
}

SUITE_MAIN("tls_sslv2_hello")
