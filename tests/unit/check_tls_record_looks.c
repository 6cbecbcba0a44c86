/* What is told of bytes alone, without a stream. */
#include "tls/record_stream.h"

#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

START_TEST(hello_is_recognised_by_type_version_and_lengths)
{
	static const struct {
		const char *name;
		struct {
			const char *data;
			size_t len;
		} bytes;
		bool hello, record;
	} rows[] = {
		{ "client hello", { "\x16\x03\x01\x00\x2a\x01\x00\x00\x26\x03\x03", 11 }, true,
		    true },
		{ "server hello", { "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03", 11 }, true,
		    true },
		{ "draft version", { "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x7f\x1c", 11 }, true,
		    true },
		{ "as long as it may be", { "\x16\x03\x01\x40\x00\x01\x02\x01\x44\x03\x03", 11 },
		    true, true },
		{ "longer", { "\x16\x03\x01\x40\x00\x01\x02\x01\x45\x03\x03", 11 }, false, true },
		{ "six bytes", { "\x16\x03\x01\x00\x2a\x01", 6 }, true, true },
		{ "five bytes", { "\x16\x03\x01\x00\x2a", 5 }, false, true },
		{ "four bytes", { "\x16\x03\x01\x00", 4 }, false, false },
		{ "nothing", { "", 0 }, false, false },
		{ "another message", { "\x16\x03\x03\x00\x2a\x0b\x00\x00\x26\x03\x03", 11 }, false,
		    true },
		{ "message too short", { "\x16\x03\x01\x00\x2a\x01\x00\x00\x25\x03\x03", 11 },
		    false, true },
		{ "record too short", { "\x16\x03\x01\x00\x03\x01\x00\x00\x26\x03\x03", 11 }, false,
		    true },
		{ "record too long", { "\x16\x03\x01\x48\x01\x01\x00\x00\x26\x03\x03", 11 }, false,
		    false },
		{ "minor version", { "\x16\x03\x05\x00\x2a\x01\x00\x00\x26\x03\x03", 11 }, false,
		    false },
		{ "application data", { "\x17\x03\x03\x00\x2a\x01\x00\x00\x26\x03\x03", 11 }, false,
		    true },
	};
	struct span bytes = span_from(rows[_i].bytes.data, rows[_i].bytes.len);

	ck_assert_msg(tls_looks_like_hello(bytes) == rows[_i].hello, "%s", rows[_i].name);
	ck_assert_msg(tls_looks_like_record(bytes) == rows[_i].record, "%s", rows[_i].name);
}
END_TEST

START_TEST(first_record_may_have_a_form_of_its_own)
{
	ck_assert(tls_looks_like_first_record(BYTES("\x15\x03\x03\x00\x02\x02\x46")));
	ck_assert(tls_looks_like_first_record(BYTES(SSLV2_HELLO)));
	ck_assert(tls_looks_like_first_record(BYTES("\x15\x00\x00\x00\x02\x02\x46")));
	ck_assert(!tls_looks_like_first_record(BYTES("\x15\x00\x00\x00\x02\x02\x46\x00")));
	ck_assert(!tls_looks_like_first_record(BYTES("\x15\x00\x00\x00\x03\x02\x46")));
	ck_assert(!tls_looks_like_first_record(BYTES("\x16\x00\x00\x00\x02\x02\x46")));
}
END_TEST

START_TEST(sslv2_hello_is_recognised_by_its_length)
{
	struct span hello = BYTES(SSLV2_HELLO);

	ck_assert(tls_looks_like_sslv2_hello(hello));
	for (size_t len = 0; len < hello.len; len++)
		ck_assert(!tls_looks_like_sslv2_hello(span_first(hello, len)));
	ck_assert(!tls_looks_like_sslv2_hello(BYTES(SSLV2_HELLO "x")));
	ck_assert(!tls_looks_like_sslv2_hello(BYTES("\x80\x0b\x04\x00\x01\x00\x02"
						    "123456")));
}
END_TEST

START_TEST(the_last_of_whole_records_tells_its_type)
{
	const struct {
		struct span bytes;
		uint8_t type;
	} rows[] = {
		{ BYTES("\x15\3\1\0\3abc"), TLS_RECORD_ALERT },
		{ BYTES("\x17\3\3\0\1a\x15\3\3\0\2\1\0"), TLS_RECORD_ALERT },
		{ BYTES("\x15\3\1\0\3abc\x17\3\1\0\1a"), TLS_RECORD_APPLICATION_DATA },
		{ BYTES("\x16\3\1\0\3abc"), TLS_RECORD_HANDSHAKE },
		{ BYTES("\x15\3\1\0\4abc"), 0 }, /* more is to come */
		{ BYTES("\x15\3\1\0\3abcd"), 0 },
		{ BYTES("\x15\2\1\0\3abc"), 0 }, /* no TLS */
		{ BYTES("a\x15\3\1\0\3abc"), 0 },
		{ BYTES("\x15\3\1\0"), 0 },
		{ BYTES(""), 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(tls_last_record_type(rows[i].bytes) == rows[i].type, "row %zu", i);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, hello_is_recognised_by_type_version_and_lengths, 0, 15);
	tcase_add_test(tc, first_record_may_have_a_form_of_its_own);
	tcase_add_test(tc, sslv2_hello_is_recognised_by_its_length);
	tcase_add_test(tc, the_last_of_whole_records_tells_its_type);
}

SUITE_MAIN("tls_record_looks")
