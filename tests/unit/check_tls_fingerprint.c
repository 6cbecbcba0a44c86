#include "tls/fingerprint.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/digest.h"
#include "suite.h"
#include "tls/names.h"
#include "tls_samples.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

START_TEST(recorded_hello_has_the_fingerprints_of_other_tools)
{
	struct sample s = sample_at(_i);
	struct tls_client_hello ch;
	char ja3[TLS_JA3_TEXT_LEN], ja4[TLS_JA4_TEXT_LEN];

	ck_assert_int_eq(tls_client_hello_parse(sample_body(s.message), true, &ch), PARSE_DONE);
	ck_assert(tls_ja3(&ch, ja3));
	ck_assert_str_eq(ja3, s.ja3);
	ck_assert(tls_ja4(&ch, ja4));
	ck_assert_str_eq(ja4, s.ja4);
}
END_TEST

START_TEST(cut_hello_has_no_fingerprint)
{
	struct span body = sample_body(sample_at(0).message);
	struct tls_client_hello ch;
	char ja3[TLS_JA3_TEXT_LEN], ja4[TLS_JA4_TEXT_LEN];

	for (size_t len = 0; len < body.len; len++) {
		(void)tls_client_hello_parse(span_first(body, len), false, &ch);
		ck_assert(!tls_ja3(&ch, ja3) && ja3[0] == '\0');
		ck_assert(!tls_ja4(&ch, ja4) && ja4[0] == '\0');
	}
}
END_TEST

START_TEST(hello_in_sslv2_format_has_no_fingerprint)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;
	char ja3[TLS_JA3_TEXT_LEN], ja4[TLS_JA4_TEXT_LEN];

	put_span(&w, BYTES("\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x2f"));
	put_fill(&w, 1, 16);
	ck_assert_int_eq(tls_sslv2_client_hello_parse(written(&w), &ch), PARSE_DONE);
	ck_assert(!tls_ja3(&ch, ja3) && ja3[0] == '\0');
	ck_assert(!tls_ja4(&ch, ja4) && ja4[0] == '\0');
}
END_TEST

/* A made-up hello: suites and extensions as they stand on the wire. */
static void
parse_made_up(struct writer *w, unsigned version, struct span suites, struct span extensions,
    struct tls_client_hello *ch)
{
	w->len = 0;
	put_u16(w, version);
	put_fill(w, 7, 32);
	put_u8(w, 0);
	put_u16(w, (unsigned)suites.len);
	put_span(w, suites);
	put_span(w, BYTES("\x01\x00"));
	if (extensions.len > 0) {
		put_u16(w, (unsigned)extensions.len);
		put_span(w, extensions);
	}
	ck_assert_int_eq(tls_client_hello_parse(written(w), true, ch), PARSE_DONE);
}

static void
assert_ja3_text(const struct tls_client_hello *ch, struct span text)
{
	uint8_t md5[DIGEST_MD5_LEN];
	char expected[2 * DIGEST_MD5_LEN + 1], ja3[TLS_JA3_TEXT_LEN];

	digest_md5(text, md5);
	digest_to_hex(span_from(md5, sizeof(md5)), expected);
	ck_assert(tls_ja3(ch, ja3));
	ck_assert_str_eq(ja3, expected);
}

/* `head`: up to the first "_"; `suites` and `extensions`: the texts that are hashed, "": zeros. */
static void
assert_ja4_text(
    const struct tls_client_hello *ch, const char *head, struct span suites, struct span extensions)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	char b[13] = "000000000000", c[13] = "000000000000";
	char expected[TLS_JA4_TEXT_LEN], ja4[TLS_JA4_TEXT_LEN];

	if (suites.len > 0) {
		digest_sha256(suites, sha256);
		digest_to_hex(span_from(sha256, 6), b);
	}
	if (extensions.len > 0) {
		digest_sha256(extensions, sha256);
		digest_to_hex(span_from(sha256, 6), c);
	}
	ck_assert_int_eq(snprintf(expected, sizeof(expected), "%s_%s_%s", head, b, c), 36);
	ck_assert(tls_ja4(ch, ja4));
	ck_assert_str_eq(ja4, expected);
}

static const struct {
	const char *name;
	uint16_t version;
	const char *suites;
	size_t suites_len;
	const char *extensions;
	size_t extensions_len;
	const char *ja3;                               /* the text that is hashed */
	const char *ja4, *ja4_suites, *ja4_extensions; /* head and texts */
} text_rows[] = {
#define ROW(name, version, suites, extensions, ja3, ja4, b, c)                                     \
	{                                                                                          \
		name, version, suites, sizeof(suites) - 1, extensions, sizeof(extensions) - 1,     \
		    ja3, ja4, b, c                                                                 \
	}
	ROW("no extensions", 0x0301, "\x00\x2f\x00\x0a", "", "769,47-10,,,", "t10i020000",
	    "000a,002f", ""),
	ROW("no suites", 0x0301, "", "", "769,,,,", "t10i000000", "", ""),
	ROW("SCSVs count", 0x0301, "\x00\x2f\x00\xff\x56\x00", "", "769,47-255-22016,,,",
	    "t10i030000", "002f,00ff,5600", ""),
	ROW("grease counts nowhere", 0x0303, "\x0a\x0a\x13\x01\xfa\xfa",
	    "\x1a\x1a\x00\x00"
	    "\x00\x0a\x00\x06\x00\x04\x2a\x2a\x00\x1d"
	    "\x00\x0b\x00\x03\x02\x00\x0a"
	    "\x00\x0d\x00\x06\x00\x04\x3a\x3a\x04\x03"
	    "\x00\x2b\x00\x05\x04\x4a\x4a\x03\x03"
	    "\xba\xba\x00\x01\x00",
	    "771,4865,10-11-13-43,29,0-10", "t12i010400", "1301", "000a,000b,000d,002b_0403"),
	ROW("server name and ALPN alone", 0x0303, "\x13\x01",
	    "\x00\x00\x00\x06\x00\x04\x00\x00\x01\x61\x00\x10\x00\x05\x00\x03\x02h2",
	    "771,4865,0-16,,", "t12d0102h2", "1301", ""),
	ROW("server name that cannot be read", 0x0303, "\x13\x01", "\x00\x00\x00\x01\x00",
	    "771,4865,0,,", "t12d010100", "1301", ""),
	ROW("repeated extension and suite", 0x0302, "\x00\x2f\x00\x2f",
	    "\x00\x17\x00\x00\x00\x17\x00\x00", "770,47-47,23-23,,", "t11i020200", "002f,002f",
	    "0017,0017"),
	ROW("no signature algorithms: no underscore", 0x0303, "\x00\x2f",
	    "\xff\x01\x00\x01\x00\x00\x17\x00\x00", "771,47,65281-23,,", "t12i010200", "002f",
	    "0017,ff01"),
	ROW("signature algorithms keep their order", 0x0303, "\x00\x2f",
	    "\x00\x0d\x00\x06\x00\x04\x06\x01\x04\x03", "771,47,13,,", "t12i010100", "002f",
	    "000d_0601,0403"),
	ROW("odd length of suites", 0x0303, "\x00\x2f\x00", "", "771,47,,,", "t12i010000", "002f",
	    ""),
};

START_TEST(fingerprints_are_the_digests_of_their_texts)
{
	struct writer w;
	struct tls_client_hello ch;

	parse_made_up(&w, text_rows[_i].version,
	    span_from(text_rows[_i].suites, text_rows[_i].suites_len),
	    span_from(text_rows[_i].extensions, text_rows[_i].extensions_len), &ch);
	assert_ja3_text(&ch, span_from_text(text_rows[_i].ja3));
	assert_ja4_text(&ch, text_rows[_i].ja4, span_from_text(text_rows[_i].ja4_suites),
	    span_from_text(text_rows[_i].ja4_extensions));
}
END_TEST

START_TEST(example_of_the_ja4_document_has_its_fingerprint)
{
	static const uint16_t empty[] = { 0x001b, 0x0000, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005,
		0x0023, 0x0012, 0xff01, 0x000b, 0x000a, 0x0015 };
	struct writer w, extensions = { 0 };
	struct tls_client_hello ch;
	char ja4[TLS_JA4_TEXT_LEN];

	put_extension(&extensions, 16, BYTES("\x00\x0c\x02h2\x08http/1.1"));
	put_extension(&extensions, 43, BYTES("\x06\x6a\x6a\x03\x04\x03\x03"));
	put_extension(&extensions, 13,
	    BYTES("\x00\x10\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01"));
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		put_extension(&extensions, empty[i], BYTES(""));
	parse_made_up(&w, 0x0303,
	    BYTES("\x8a\x8a\x13\x01\x13\x02\x13\x03\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\xcc"
		  "\xa8\xc0\x13\xc0\x14\x00\x9c\x00\x9d\x00\x2f\x00\x35"),
	    written(&extensions), &ch);
	ck_assert(tls_ja4(&ch, ja4));
	ck_assert_str_eq(ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
}
END_TEST

static const struct {
	const char *alpn; /* the list's content */
	size_t len;
	const char *shown;
} alpn_rows[] = {
#define ALPN(alpn, shown)                                                                          \
	{                                                                                          \
		alpn, sizeof(alpn) - 1, shown                                                      \
	}
	ALPN("\x02h2", "h2"),
	ALPN("\x08http/1.1\x02h2", "h1"),
	ALPN("\x04imap", "ip"),
	ALPN("\x01x", "xx"),
	ALPN("\x00", "00"),
	ALPN("", "00"),
	ALPN("\x01\xab", "ab"),
	ALPN("\x02\xab\xcd", "ad"),
	ALPN("\x02\x30\xab", "3b"),
	ALPN("\x04\x30\x31\xab\xcd", "3d"),
	ALPN("\x04\x30\xab\xcd\x31", "01"),
	ALPN("\x02\x5a\x5a", "ZZ"),
	ALPN("\x02/h", "28"),
	ALPN("\x02z{", "7b"),
};

START_TEST(alpn_shows_first_and_last_character)
{
	struct writer w, list = { 0 };
	struct tls_client_hello ch;
	char ja4[TLS_JA4_TEXT_LEN];

	put_u16(&list, 16);
	put_u16(&list, (unsigned)alpn_rows[_i].len + 2);
	put_u16(&list, (unsigned)alpn_rows[_i].len);
	put_span(&list, span_from(alpn_rows[_i].alpn, alpn_rows[_i].len));
	parse_made_up(&w, 0x0303, BYTES("\x00\x2f"), written(&list), &ch);
	ck_assert(tls_ja4(&ch, ja4));
	ck_assert_int_eq(strncmp(ja4 + 8, alpn_rows[_i].shown, 2), 0);
}
END_TEST

static const struct {
	uint16_t legacy;
	const char *extension;
	size_t len;
	const char *shown;
} version_rows[] = {
#define VERSION(legacy, extension, shown)                                                          \
	{                                                                                          \
		legacy, extension, sizeof(extension) - 1, shown                                    \
	}
	VERSION(0x0002, "", "s2"),
	VERSION(0x0300, "", "s3"),
	VERSION(0x0301, "", "10"),
	VERSION(0x0302, "", "11"),
	VERSION(0x0303, "", "12"),
	VERSION(0x0304, "", "13"),
	VERSION(0x0305, "", "00"),
	VERSION(0x0303, "\x00\x2b\x00\x05\x04\x03\x03\x03\x04", "13"),
	VERSION(0x0303, "\x00\x2b\x00\x03\x02\x03\x01", "10"),
	VERSION(0x0303, "\x00\x2b\x00\x05\x04\xfa\xfa\x03\x02", "11"),
	VERSION(0x0303, "\x00\x2b\x00\x05\x04\x7f\x1c\x03\x03", "00"),
	VERSION(0x0303, "\x00\x2b\x00\x03\x02\xfa\xfa", "12"),
};

START_TEST(ja4_shows_the_highest_version)
{
	struct writer w;
	struct tls_client_hello ch;
	char ja4[TLS_JA4_TEXT_LEN];

	parse_made_up(&w, version_rows[_i].legacy, BYTES("\x00\x2f"),
	    span_from(version_rows[_i].extension, version_rows[_i].len), &ch);
	ck_assert(tls_ja4(&ch, ja4));
	ck_assert_int_eq(strncmp(ja4 + 1, version_rows[_i].shown, 2), 0);
}
END_TEST

static const unsigned counts[] = { 1, 63, 64, 65, 98, 99, 100, 101, 127, 128, 1000, 32767 };

START_TEST(list_of_any_length_is_hashed_whole_and_in_order)
{
	static bool sent[65536];
	unsigned count = counts[_i], shown = 0;
	struct writer w, list = { 0 };
	struct buf ja3 = { 0 }, suites = { 0 };
	struct tls_client_hello ch;
	char head[11];

	/* An odd factor: each number comes once, and all over the place. */
	buf_add_text(&ja3, "769,");
	memset(sent, 0, sizeof(sent));
	for (unsigned i = 0; i < count; i++) {
		uint16_t suite = (uint16_t)(17 - i * 40503U);

		put_u16(&list, suite);
		if (tls_is_grease(suite))
			continue;
		sent[suite] = true;
		buf_addf(&ja3, "%s%u", shown++ == 0 ? "" : "-", (unsigned)suite);
	}
	for (unsigned suite = 0; suite < 65536; suite++) {
		if (sent[suite])
			buf_addf(&suites, "%s%04x", suites.len == 0 ? "" : ",", suite);
	}
	buf_add_text(&ja3, ",,,");
	parse_made_up(&w, 0x0301, written(&list), BYTES(""), &ch);
	assert_ja3_text(&ch, span_from(ja3.data, ja3.len));
	ck_assert_int_eq(snprintf(head, sizeof(head), "t10i%02u0000", shown > 99 ? 99 : shown), 10);
	assert_ja4_text(&ch, head, span_from(suites.data, suites.len), BYTES(""));
	buf_release(&ja3);
	buf_release(&suites);
}
END_TEST

START_TEST(largest_block_of_extensions_is_hashed_whole)
{
	struct writer w, block = { 0 };
	struct buf ja3 = { 0 }, types = { 0 };
	struct tls_client_hello ch;

	buf_add_text(&ja3, "769,47,");
	for (unsigned i = 0; i < 16383; i++) {
		put_u16(&block, 0xff01);
		put_u16(&block, 0);
		buf_addf(&ja3, "%s65281", i == 0 ? "" : "-");
		buf_addf(&types, "%sff01", i == 0 ? "" : ",");
	}
	buf_add_text(&ja3, ",,");
	parse_made_up(&w, 0x0301, BYTES("\x00\x2f"), written(&block), &ch);
	assert_ja3_text(&ch, span_from(ja3.data, ja3.len));
	assert_ja4_text(&ch, "t10i019900", BYTES("002f"), span_from(types.data, types.len));
	buf_release(&ja3);
	buf_release(&types);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, recorded_hello_has_the_fingerprints_of_other_tools, 0, SAMPLE_COUNT);
	tcase_add_test(tc, cut_hello_has_no_fingerprint);
	tcase_add_test(tc, hello_in_sslv2_format_has_no_fingerprint);
	tcase_add_loop_test(tc, fingerprints_are_the_digests_of_their_texts, 0, ROWS(text_rows));
	tcase_add_test(tc, example_of_the_ja4_document_has_its_fingerprint);
	tcase_add_loop_test(tc, alpn_shows_first_and_last_character, 0, ROWS(alpn_rows));
	tcase_add_loop_test(tc, ja4_shows_the_highest_version, 0, ROWS(version_rows));
	tcase_add_loop_test(tc, list_of_any_length_is_hashed_whole_and_in_order, 0, ROWS(counts));
	tcase_add_test(tc, largest_block_of_extensions_is_hashed_whole);
}

SUITE_MAIN("tls_fingerprint")
