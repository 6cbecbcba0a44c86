#include "tls/hello.h"
#include "tls/names.h"

#include "suite.h"
#include "tls_samples.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

START_TEST(recorded_hello_is_read)
{
	struct sample s = sample_at(_i);
	struct tls_client_hello ch;

	ck_assert_int_eq(tls_client_hello_parse(sample_body(s.message), true, &ch), PARSE_DONE);
	ck_assert(ch.cipher_suites_whole && ch.extensions_whole);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), s.offered);
	ck_assert_int_eq(ch.has_server_name, s.server_name != NULL);
	if (s.server_name != NULL)
		ck_assert(span_equals(ch.server_name, span_from_text(s.server_name)));
	else
		ck_assert_ptr_null(ch.server_name.data);
}
END_TEST

START_TEST(every_prefix_of_a_hello_is_cut_and_has_the_fields_so_far)
{
	struct sample s = sample_at(_i);
	struct span body = sample_body(s.message);
	struct tls_client_hello full, ch;
	bool name_seen = false;

	ck_assert_int_eq(tls_client_hello_parse(body, true, &full), PARSE_DONE);
	for (size_t len = 0; len < body.len; len++) {
		uint16_t offered;

		ck_assert_int_eq(
		    tls_client_hello_parse(span_first(body, len), false, &ch), PARSE_MORE);
		ck_assert_int_eq(ch.has_legacy_version, len >= 2);
		ck_assert_int_eq(ch.random.len == 32, len >= 34);
		/* What was seen once stays, and is right. */
		ck_assert(!name_seen || ch.has_server_name);
		name_seen = ch.has_server_name;
		if (ch.has_server_name)
			ck_assert(span_equals(ch.server_name, full.server_name));
		offered = tls_client_hello_offered_version(&ch);
		ck_assert(offered == 0 || offered == s.offered);
		ck_assert(
		    !ch.cipher_suites_whole || span_equals(ch.cipher_suites, full.cipher_suites));
	}
}
END_TEST

START_TEST(whole_message_that_ends_early_is_bad)
{
	struct sample s = sample_at(_i);
	struct span body = sample_body(s.message);
	size_t bare;
	struct tls_client_hello ch;

	ck_assert_int_eq(tls_client_hello_parse(body, true, &ch), PARSE_DONE);
	/* Without its block of extensions a hello is a good one. */
	bare = (size_t)(ch.extensions.data - body.data) - 2;
	for (size_t len = 0; len < body.len; len++) {
		ck_assert_int_eq(tls_client_hello_parse(span_first(body, len), true, &ch),
		    len == bare ? PARSE_DONE : PARSE_BAD);
		ck_assert_int_eq(ch.has_legacy_version, len >= 2);
		ck_assert_int_eq(ch.extensions_whole, len == bare);
	}
}
END_TEST

START_TEST(byte_behind_the_extensions_is_bad_and_hides_nothing)
{
	struct sample s = sample_at(0);
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_span(&w, sample_body(s.message));
	put_u8(&w, 0);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_BAD);
	ck_assert(ch.extensions_whole);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_3);
}
END_TEST

START_TEST(hello_without_extensions_is_whole)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client_hello_head(&w, TLS_VERSION_SSL3);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_DONE);
	ck_assert(ch.extensions_whole);
	ck_assert(!ch.has_server_name);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_SSL3);
}
END_TEST

START_TEST(hello_cut_behind_its_compression_methods_does_not_pass_for_one_without_extensions)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client_hello_head(&w, TLS_VERSION_1_2);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), false, &ch), PARSE_MORE);
	ck_assert(!ch.extensions_whole);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), 0);
}
END_TEST

START_TEST(empty_block_of_extensions_is_whole)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client_hello_head(&w, TLS_VERSION_1_2);
	put_u16(&w, 0);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_DONE);
	ck_assert(ch.extensions_whole);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_2);
}
END_TEST

START_TEST(list_of_suites_that_is_cut_is_kept_as_far_as_it_is_there)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client_hello_head(&w, TLS_VERSION_1_2);
	ck_assert_int_eq(
	    tls_client_hello_parse(span_first(written(&w), 39), false, &ch), PARSE_MORE);
	ck_assert(!ch.cipher_suites_whole);
	ck_assert(span_equals(ch.cipher_suites, BYTES("\x13\x01")));
	ck_assert(tls_client_hello_offers_suite(&ch, 0x1301));
	ck_assert(!tls_client_hello_offers_suite(&ch, 0xc02f));
}
END_TEST

START_TEST(suites_of_odd_length_are_read_without_the_last_byte)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_u16(&w, TLS_VERSION_1_0);
	put_fill(&w, 1, 32);
	put_span(&w, BYTES("\x00\x00\x03\x00\x2f\x00\x01\x00"));
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_DONE);
	ck_assert(tls_client_hello_offers_suite(&ch, 0x002f));
	ck_assert(!tls_client_hello_offers_suite(&ch, 0x0000));
}
END_TEST

START_TEST(largest_hello_is_read)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;
	size_t block;

	put_u16(&w, TLS_VERSION_1_2);
	put_fill(&w, 1, 32);
	put_u8(&w, 255);
	put_fill(&w, 2, 255);
	put_span(&w, BYTES("\x00\x02\x00\x2f\xff"));
	put_fill(&w, 0, 255);
	block = begin_vec16(&w);
	put_u16(&w, 21);
	put_u16(&w, 65531);
	put_fill(&w, 0, 65531);
	end_vec16(&w, block);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_DONE);
	ck_assert_uint_eq(ch.session_id.len, 255);
	ck_assert_uint_eq(ch.compression_methods.len, 255);
	ck_assert_uint_eq(ch.extensions.len, 65535);
}
END_TEST

/* A hello with this block of extensions; behind them one with a server name. */
static enum parse
parse_with(
    struct span extension, unsigned legacy_version, struct writer *w, struct tls_client_hello *ch)
{
	size_t block;

	put_client_hello_head(w, legacy_version);
	block = begin_vec16(w);
	put_span(w, extension);
	put_extension(w, TLS_EXT_SERVER_NAME, BYTES("\x00\x04\x00\x00\x01\x78"));
	end_vec16(w, block);
	return tls_client_hello_parse(written(w), true, ch);
}

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
} lying_rows[] = {
#define ROW(name, bytes)                                                                           \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1                                                     \
	}
	ROW("supported_versions past its end", "\x00\x2b\x00\x03\x03\x03\x04"),
	ROW("supported_versions without length", "\x00\x2b\x00\x00"),
	ROW("alpn list past its end", "\x00\x10\x00\x05\x00\x04\x02h2"),
	ROW("alpn name past its list", "\x00\x10\x00\x05\x00\x03\x03h2"),
	ROW("signature_algorithms past its end", "\x00\x0d\x00\x04\x00\x03\x04\x03"),
	ROW("signature_algorithms of one byte", "\x00\x0d\x00\x01\x00"),
	ROW("groups past their end", "\x00\x0a\x00\x04\x00\x04\x00\x1d"),
	ROW("point formats past their end", "\x00\x0b\x00\x02\x02\x00"),
};

START_TEST(extension_whose_inner_length_lies_is_absent_and_the_others_stay)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	ck_assert_int_eq(parse_with(span_from(lying_rows[_i].bytes, lying_rows[_i].len),
			     TLS_VERSION_1_2, &w, &ch),
	    PARSE_DONE);
	ck_assert(!ch.has_supported_versions && !ch.has_alpn && !ch.has_signature_algorithms);
	ck_assert(span_is_empty(ch.supported_groups) && span_is_empty(ch.ec_point_formats));
	ck_assert(span_is_empty(ch.signature_algorithms) && span_is_empty(ch.alpn));
	ck_assert(span_equals(ch.server_name, BYTES("x")));
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_2);
}
END_TEST

static const struct {
	const char *name;
	const char *bytes; /* of the extension's data */
	size_t len;
	bool has;
	const char *server_name;
} server_name_rows[] = {
#define NAME(name, bytes, has, server_name)                                                        \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1, has, server_name                                   \
	}
	NAME("plain", "\x00\x04\x00\x00\x01\x61", true, "a"),
	NAME("two names: the first", "\x00\x08\x00\x00\x01\x61\x00\x00\x01\x62", true, "a"),
	NAME("another type in front", "\x00\x08\x07\x00\x01\x61\x00\x00\x01\x62", true, "b"),
	NAME("another type only", "\x00\x04\x07\x00\x01\x61", true, NULL),
	NAME("another type that lies", "\x00\x04\x07\x00\x02\x61", false, NULL),
	NAME("garbage behind the name", "\x00\x05\x00\x00\x01\x61\x00", true, "a"),
	NAME("bytes behind the list", "\x00\x04\x00\x00\x01\x61\x99", true, "a"),
	NAME("empty extension", "", true, NULL),
	NAME("empty list", "\x00\x00", true, NULL),
	NAME("empty name", "\x00\x03\x00\x00\x00", true, NULL),
	NAME("name past the list", "\x00\x04\x00\x00\x02\x61", false, NULL),
	NAME("list past the extension", "\x00\x05\x00\x00\x01\x61", false, NULL),
	NAME("half a length", "\x00", false, NULL),
};

START_TEST(server_name_is_the_first_host_name)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;
	size_t block;

	put_client_hello_head(&w, TLS_VERSION_1_2);
	block = begin_vec16(&w);
	put_extension(&w, TLS_EXT_SERVER_NAME,
	    span_from(server_name_rows[_i].bytes, server_name_rows[_i].len));
	end_vec16(&w, block);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_DONE);
	ck_assert_int_eq(ch.has_server_name, server_name_rows[_i].has);
	if (server_name_rows[_i].server_name == NULL)
		ck_assert_ptr_null(ch.server_name.data);
	else
		ck_assert(
		    span_equals(ch.server_name, span_from_text(server_name_rows[_i].server_name)));
}
END_TEST

START_TEST(first_of_two_extensions_of_a_type_counts)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	ck_assert_int_eq(
	    parse_with(BYTES("\x00\x00\x00\x06\x00\x04\x00\x00\x01\x61"), TLS_VERSION_1_2, &w, &ch),
	    PARSE_DONE);
	ck_assert(span_equals(ch.server_name, BYTES("a")));
}
END_TEST

START_TEST(extension_past_the_block_is_bad_and_those_before_it_stay)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;
	size_t block;

	put_client_hello_head(&w, TLS_VERSION_1_2);
	block = begin_vec16(&w);
	put_extension(&w, TLS_EXT_SUPPORTED_VERSIONS, BYTES("\x02\x03\x04"));
	put_span(&w, BYTES("\x00\x23\x00\x01"));
	end_vec16(&w, block);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_BAD);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_3);
	ck_assert(!ch.extensions_whole && !ch.has_session_ticket);
}
END_TEST

START_TEST(broken_block_of_a_whole_message_hides_no_version)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;
	size_t block;

	put_client_hello_head(&w, TLS_VERSION_1_2);
	block = begin_vec16(&w);
	put_span(&w, BYTES("\x00\x23\x00\x01"));
	end_vec16(&w, block);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_BAD);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_2);
	ck_assert_int_eq(tls_client_hello_parse(written(&w), false, &ch), PARSE_BAD);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), 0);
}
END_TEST

START_TEST(suites_past_the_message_are_bad_and_those_there_stay)
{
	static const uint8_t suites[] = { 0, 6, 0, 0x2f, 0, 0x35 };
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_u16(&w, TLS_VERSION_1_0);
	for (size_t i = 0; i < TLS_RANDOM_LEN + 1; i++)
		put_u8(&w, 0);
	put_span(&w, span_from(suites, sizeof(suites)));
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_BAD);
	ck_assert(!ch.cipher_suites_whole);
	ck_assert_uint_eq(ch.cipher_suites.len, 4);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_0);
}
END_TEST

START_TEST(block_past_the_message_is_bad_and_the_fields_before_it_stay)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client_hello_head(&w, TLS_VERSION_1_1);
	put_span(&w, BYTES("\x00\x08\x00\x23\x00\x00"));
	ck_assert_int_eq(tls_client_hello_parse(written(&w), true, &ch), PARSE_BAD);
	ck_assert(ch.cipher_suites_whole && !ch.extensions_whole);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_1);
}
END_TEST

START_TEST(extensions_that_are_flags_are_seen)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	ck_assert_int_eq(parse_with(BYTES("\x00\x23\x00\x03tkt\x00\x2a\x00\x00\x00\x29\x00\x01\x00"
					  "\x00\x2c\x00\x03\x00\x01\x63\x7a\x7a\x00\x00"),
			     TLS_VERSION_1_2, &w, &ch),
	    PARSE_DONE);
	ck_assert(ch.has_session_ticket && ch.has_early_data && ch.has_pre_shared_key);
	ck_assert(ch.has_cookie);
	ck_assert(span_equals(ch.session_ticket, BYTES("tkt")));
}
END_TEST

static const struct {
	const char *name;
	uint16_t legacy;
	const char *extension;
	size_t len;
	uint16_t offered;
} offered_rows[] = {
#define OFFER(name, legacy, extension, offered)                                                    \
	{                                                                                          \
		name, legacy, extension, sizeof(extension) - 1, offered                            \
	}
	OFFER("the list outranks", 0x0303, "\x00\x2b\x00\x05\x04\x03\x03\x03\x04", 0x0304),
	OFFER("also downwards", 0x0303, "\x00\x2b\x00\x03\x02\x03\x02", 0x0302),
	OFFER("order is of no account", 0x0303, "\x00\x2b\x00\x07\x06\x03\x01\x03\x04\x03\x02",
	    0x0304),
	OFFER("grease is left out", 0x0303, "\x00\x2b\x00\x07\x06\xfa\xfa\x03\x03\x03\x02", 0x0303),
	OFFER("grease only", 0x0302, "\x00\x2b\x00\x03\x02\x0a\x0a", 0x0302),
	OFFER("a draft", 0x0303, "\x00\x2b\x00\x05\x04\x7f\x1c\x03\x03", 0x0304),
	OFFER("unknown version only", 0x0303, "\x00\x2b\x00\x03\x02\x03\x05", 0x0303),
	OFFER("odd length", 0x0303, "\x00\x2b\x00\x04\x03\x03\x03\x03", 0x0303),
	OFFER("empty list", 0x0303, "\x00\x2b\x00\x01\x00", 0x0303),
	OFFER("no list, SSLv3", 0x0300, "", 0x0300),
	OFFER("no list, TLS 1.2", 0x0303, "", 0x0303),
	OFFER("no list, TLS 1.3", 0x0304, "", 0x0303),
	OFFER("no list, unknown minor", 0x0399, "", 0x0303),
	OFFER("no list, unknown major", 0x0400, "", 0),
	OFFER("no list, SSLv2 in a TLS hello", 0x0002, "", 0),
	OFFER("no list, zero", 0x0000, "", 0),
};

START_TEST(offered_version_is_the_highest_of_the_list_else_legacy_version)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	ck_assert_int_eq(parse_with(span_from(offered_rows[_i].extension, offered_rows[_i].len),
			     offered_rows[_i].legacy, &w, &ch),
	    PARSE_DONE);
	ck_assert_uint_eq(tls_client_hello_offered_version(&ch), offered_rows[_i].offered);
}
END_TEST

START_TEST(cut_hello_of_tls_1_1_offers_what_it_says)
{
	struct writer w = { 0 };
	struct tls_client_hello ch;

	put_client_hello_head(&w, TLS_VERSION_1_1);
	for (size_t len = 2; len <= w.len; len++) {
		ck_assert_int_eq(
		    tls_client_hello_parse(span_first(written(&w), len), false, &ch), PARSE_MORE);
		ck_assert_uint_eq(tls_client_hello_offered_version(&ch), TLS_VERSION_1_1);
	}
}
END_TEST

START_TEST(suites_are_found_in_the_list_only)
{
	struct sample s = sample_at(4);
	struct tls_client_hello ch;

	ck_assert_int_eq(tls_client_hello_parse(sample_body(s.message), true, &ch), PARSE_DONE);
	ck_assert(tls_client_hello_offers_suite(&ch, TLS_SUITE_FALLBACK_SCSV));
	ck_assert(tls_client_hello_offers_suite(&ch, TLS_SUITE_EMPTY_RENEGOTIATION_INFO_SCSV));
	ck_assert(!tls_client_hello_offers_suite(&ch, 0x1301));
	s = sample_at(2);
	ck_assert_int_eq(tls_client_hello_parse(sample_body(s.message), true, &ch), PARSE_DONE);
	ck_assert(!tls_client_hello_offers_suite(&ch, TLS_SUITE_FALLBACK_SCSV));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, recorded_hello_is_read, 0, SAMPLE_COUNT);
	tcase_add_loop_test(
	    tc, every_prefix_of_a_hello_is_cut_and_has_the_fields_so_far, 0, SAMPLE_COUNT);
	tcase_add_loop_test(tc, whole_message_that_ends_early_is_bad, 0, SAMPLE_COUNT);
	tcase_add_test(tc, byte_behind_the_extensions_is_bad_and_hides_nothing);
	tcase_add_test(tc, hello_without_extensions_is_whole);
	tcase_add_test(
	    tc, hello_cut_behind_its_compression_methods_does_not_pass_for_one_without_extensions);
	tcase_add_test(tc, empty_block_of_extensions_is_whole);
	tcase_add_test(tc, list_of_suites_that_is_cut_is_kept_as_far_as_it_is_there);
	tcase_add_test(tc, suites_of_odd_length_are_read_without_the_last_byte);
	tcase_add_test(tc, largest_hello_is_read);
	tcase_add_loop_test(tc, extension_whose_inner_length_lies_is_absent_and_the_others_stay, 0,
	    ROWS(lying_rows));
	tcase_add_loop_test(tc, server_name_is_the_first_host_name, 0, ROWS(server_name_rows));
	tcase_add_test(tc, first_of_two_extensions_of_a_type_counts);
	tcase_add_test(tc, extension_past_the_block_is_bad_and_those_before_it_stay);
	tcase_add_test(tc, broken_block_of_a_whole_message_hides_no_version);
	tcase_add_test(tc, suites_past_the_message_are_bad_and_those_there_stay);
	tcase_add_test(tc, block_past_the_message_is_bad_and_the_fields_before_it_stay);
	tcase_add_test(tc, extensions_that_are_flags_are_seen);
	tcase_add_loop_test(tc, offered_version_is_the_highest_of_the_list_else_legacy_version, 0,
	    ROWS(offered_rows));
	tcase_add_test(tc, cut_hello_of_tls_1_1_offers_what_it_says);
	tcase_add_test(tc, suites_are_found_in_the_list_only);
}

SUITE_MAIN("tls_client_hello")
