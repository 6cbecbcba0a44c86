#include "tls/hello.h"
#include "tls/names.h"

#include "suite.h"
#include "tls_samples.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#define SELECTED(version) "\x00\x2b\x00\x02" version

static void
put_server_hello_head(struct writer *w, unsigned legacy_version, unsigned suite)
{
	put_u16(w, legacy_version);
	put_fill(w, 0x5a, 32);
	put_span(w, BYTES("\x04\x01\x02\x03\x04"));
	put_u16(w, suite);
	put_u8(w, 0);
}

static void
put_server_hello(struct writer *w, unsigned legacy_version, unsigned suite, struct span extensions)
{
	put_server_hello_head(w, legacy_version, suite);
	put_u16(w, (unsigned)extensions.len);
	put_span(w, extensions);
}

START_TEST(server_hello_is_read)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server_hello(&w, 0x0303, 0xc030,
	    BYTES("\xff\x01\x00\x01\x00\x00\x23\x00\x00\x00\x10\x00\x07\x00\x05\x04imap"));
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_DONE);
	ck_assert(sh.has_cipher_suite && sh.extensions_whole && !sh.hello_retry_request);
	ck_assert_uint_eq(sh.cipher_suite, 0xc030);
	ck_assert(span_equals(sh.session_id, BYTES("\x01\x02\x03\x04")));
	ck_assert(sh.has_session_ticket && sh.has_alpn && !sh.has_pre_shared_key);
	ck_assert(span_equals(sh.alpn, BYTES("imap")));
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_1_2);
	ck_assert_uint_eq(tls_server_hello_downgrade_sentinel(&sh), 0);
}
END_TEST

START_TEST(server_hello_without_extensions_is_whole)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server_hello_head(&w, 0x0300, 0x0005);
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_DONE);
	ck_assert(sh.extensions_whole);
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_SSL3);
}
END_TEST

START_TEST(every_prefix_is_cut_and_never_names_a_wrong_version)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server_hello(
	    &w, 0x0303, (unsigned)_i, BYTES(SELECTED("\x03\x04") "\x00\x33\x00\x02\x00\x1d"));
	for (size_t len = 0; len < w.len; len++) {
		uint16_t version;

		ck_assert_int_eq(
		    tls_server_hello_parse(span_first(written(&w), len), false, &sh), PARSE_MORE);
		ck_assert_int_eq(sh.has_cipher_suite, len >= 41);
		version = tls_server_hello_version(&sh);
		if (_i == 0x1301)
			ck_assert_uint_eq(version, len >= 41 ? TLS_VERSION_1_3 : 0);
		else /* a suite without a name says nothing until the extension is there */
			ck_assert_uint_eq(version, len >= 50 ? TLS_VERSION_1_3 : 0);
	}
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_DONE);
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_1_3);
}
END_TEST

START_TEST(whole_message_that_ends_early_is_bad)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server_hello(&w, 0x0303, 0xc02f, BYTES("\x00\x23\x00\x00"));
	for (size_t len = 0; len < w.len; len++) {
		enum parse expected = len == w.len - 6 ? PARSE_DONE : PARSE_BAD;

		ck_assert_int_eq(
		    tls_server_hello_parse(span_first(written(&w), len), true, &sh), expected);
	}
	put_u8(&w, 0);
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_BAD);
	ck_assert(sh.has_session_ticket && sh.extensions_whole);
}
END_TEST

static const struct {
	const char *name;
	uint16_t legacy, suite;
	const char *extensions;
	size_t len;
	bool whole;
	uint16_t version;
} version_rows[] = {
#define ROW(name, legacy, suite, extensions, whole, version)                                       \
	{                                                                                          \
		name, legacy, suite, extensions, sizeof(extensions) - 1, whole, version            \
	}
	ROW("SSLv3", 0x0300, 0x0004, "", true, 0x0300),
	ROW("TLS 1.0", 0x0301, 0xc014, "", true, 0x0301),
	ROW("TLS 1.0, cut", 0x0301, 0xc014, "", false, 0x0301),
	ROW("TLS 1.2", 0x0303, 0xc030, "", true, 0x0303),
	ROW("TLS 1.2, cut", 0x0303, 0xc030, "", false, 0x0303),
	ROW("TLS 1.3", 0x0303, 0x1302, SELECTED("\x03\x04"), true, 0x0304),
	ROW("TLS 1.3, cut", 0x0303, 0x1302, "", false, 0x0304),
	ROW("draft 28", 0x0303, 0x1302, SELECTED("\x7f\x1c"), true, 0x0304),
	ROW("Facebook's", 0x0303, 0x1301, SELECTED("\xfb\x17"), true, 0x0304),
	ROW("unknown suite, cut", 0x0303, 0x1399, "", false, 0),
	ROW("grease as suite, cut", 0x0303, 0x1a1a, "", false, 0),
	ROW("the extension outranks", 0x0303, 0xc030, SELECTED("\x03\x02"), true, 0x0302),
	ROW("unknown choice: the suite", 0x0303, 0x1301, SELECTED("\x03\x05"), true, 0x0304),
	ROW("unknown choice: the suite", 0x0303, 0xc030, SELECTED("\x03\x05"), true, 0x0303),
	ROW("choice of one byte", 0x0303, 0xc030, "\x00\x2b\x00\x01\x03", true, 0x0303),
	ROW("unknown version", 0x0305, 0xc030, "", true, 0),
	ROW("SSLv2 in a TLS hello", 0x0002, 0x0004, "", true, 0),
	ROW("zero", 0x0000, 0x0000, "", true, 0),
};

START_TEST(version_is_the_choice_in_the_extension_else_legacy_version)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server_hello_head(&w, version_rows[_i].legacy, version_rows[_i].suite);
	if (version_rows[_i].whole) {
		put_u16(&w, (unsigned)version_rows[_i].len);
		put_span(&w, span_from(version_rows[_i].extensions, version_rows[_i].len));
	}
	ck_assert_int_eq(tls_server_hello_parse(written(&w), version_rows[_i].whole, &sh),
	    version_rows[_i].whole ? PARSE_DONE : PARSE_MORE);
	ck_assert_uint_eq(tls_server_hello_version(&sh), version_rows[_i].version);
}
END_TEST

static const struct {
	const char *tail;
	uint16_t sentinel;
} sentinel_rows[] = {
	{ "DOWNGRD\x01", 0x0303 },
	{ "DOWNGRD\x00", 0x0302 },
	{ "DOWNGRD\x02", 0 },
	{ "DOWNGRX\x01", 0 },
	{ "downgrd\x01", 0 },
};

START_TEST(downgrade_sentinel_is_read_from_the_random)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server_hello_head(&w, 0x0303, 0xc030);
	memcpy(w.data + 26, sentinel_rows[_i].tail, 8);
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_DONE);
	ck_assert_uint_eq(tls_server_hello_downgrade_sentinel(&sh), sentinel_rows[_i].sentinel);
	ck_assert_int_eq(
	    tls_server_hello_parse(span_first(written(&w), 33), false, &sh), PARSE_MORE);
	ck_assert_uint_eq(tls_server_hello_downgrade_sentinel(&sh), 0);
}
END_TEST

#define HELLO_RETRY_RANDOM                                                                         \
	"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a"     \
	"\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

START_TEST(hello_retry_request_is_known_by_its_random)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_server_hello(
	    &w, 0x0303, 0x1301, BYTES(SELECTED("\x03\x04") "\x00\x33\x00\x02\x00\x1d"));
	memcpy(w.data + 2, HELLO_RETRY_RANDOM, 32);
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_DONE);
	ck_assert(sh.hello_retry_request);
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_1_3);
	ck_assert_int_eq(
	    tls_server_hello_parse(span_first(written(&w), 34), false, &sh), PARSE_MORE);
	ck_assert(sh.hello_retry_request);
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_1_3);
	w.data[33] ^= 1;
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_DONE);
	ck_assert(!sh.hello_retry_request);
}
END_TEST

START_TEST(server_hello_of_a_draft_below_22_has_the_short_form)
{
	struct writer w = { 0 };
	struct tls_server_hello sh;

	put_u16(&w, 0x7f12);
	put_fill(&w, 1, 32);
	put_u16(&w, 0x1301);
	put_span(&w, BYTES("\x00\x06\x00\x29\x00\x02\x00\x00"));
	ck_assert_int_eq(tls_server_hello_parse(written(&w), true, &sh), PARSE_DONE);
	ck_assert_uint_eq(sh.cipher_suite, 0x1301);
	ck_assert(sh.has_pre_shared_key);
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_1_3);
	for (size_t len = 0; len < w.len; len++) {
		ck_assert_int_eq(
		    tls_server_hello_parse(span_first(written(&w), len), false, &sh), PARSE_MORE);
		ck_assert_uint_eq(tls_server_hello_version(&sh), len >= 2 ? TLS_VERSION_1_3 : 0);
	}
}
END_TEST

START_TEST(draft_hello_retry_request_has_a_suite_or_not)
{
	struct tls_server_hello sh;

	ck_assert_int_eq(tls_hello_retry_request_parse(
			     BYTES("\x7f\x12\x00\x06\x00\x28\x00\x02\x00\x17"), true, &sh),
	    PARSE_DONE);
	ck_assert(sh.hello_retry_request && !sh.has_cipher_suite && sh.extensions_whole);
	ck_assert_uint_eq(tls_server_hello_version(&sh), TLS_VERSION_1_3);

	ck_assert_int_eq(tls_hello_retry_request_parse(
			     BYTES("\x7f\x15\x13\x01\x00\x06\x00\x28\x00\x02\x00\x17"), true, &sh),
	    PARSE_DONE);
	ck_assert(sh.has_cipher_suite);
	ck_assert_uint_eq(sh.cipher_suite, 0x1301);

	ck_assert_int_eq(
	    tls_hello_retry_request_parse(BYTES("\x7f\x15\x13\x01\x00"), false, &sh), PARSE_MORE);
	ck_assert(sh.has_cipher_suite);
	ck_assert_int_eq(
	    tls_hello_retry_request_parse(BYTES("\x7f\x12\x00\x06\x00"), false, &sh), PARSE_MORE);
	ck_assert(!sh.has_cipher_suite);
	ck_assert_int_eq(tls_hello_retry_request_parse(BYTES("\x7f"), true, &sh), PARSE_BAD);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, server_hello_is_read);
	tcase_add_test(tc, server_hello_without_extensions_is_whole);
	tcase_add_loop_test(
	    tc, every_prefix_is_cut_and_never_names_a_wrong_version, 0x1300, 0x1302);
	tcase_add_test(tc, whole_message_that_ends_early_is_bad);
	tcase_add_loop_test(
	    tc, version_is_the_choice_in_the_extension_else_legacy_version, 0, ROWS(version_rows));
	tcase_add_loop_test(tc, downgrade_sentinel_is_read_from_the_random, 0, ROWS(sentinel_rows));
	tcase_add_test(tc, hello_retry_request_is_known_by_its_random);
	tcase_add_test(tc, server_hello_of_a_draft_below_22_has_the_short_form);
	tcase_add_test(tc, draft_hello_retry_request_has_a_suite_or_not);
}

SUITE_MAIN("tls_server_hello")
