/* Holes in a stream, streams that begin in their middle, and where records are found again. */
#include "tls/record_stream.h"

#include "record_log.h"
#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

START_TEST(hole_inside_a_record_leaves_the_next_one_readable)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_sealed(&w, TLS_RECORD_APPLICATION_DATA, 1000);
	feed(&f, span_first(written(&w), 300));
	gap(&f, _i);
	ck_assert_int_eq(f.stream.state, TLS_RECORDS_IN_SYNC);
	feed(&f, span_from(w.data + 300 + _i, w.len - 300 - (size_t)_i));
	feed(&f, BYTES("\x15\x03\x03\x00\x02\x02\x28"));
	ck_log(&f, "data(0,1000)@0 alert(552,2)@1005 ");
	end(&f);
}
END_TEST

START_TEST(hole_in_a_hello_hands_out_what_is_there)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_record(&w, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
	feed(&f, span_first(written(&w), 100));
	gap(&f, (int64_t)w.len - 100);
	ck_assert(log_has(&f, "message 1:cut 91@"));
	put_ccs(&w);
	feed(&f, BYTES("\x14\x03\x01\x00\x01\x01"));
	ck_assert(log_has(&f, "ccs(0,1)@157"));
	end(&f);
}
END_TEST

/* Only those bytes would tell that it is a hello in the clear, which is rare. */
START_TEST(hole_in_the_first_bytes_of_ciphertext_leaves_it_told)
{
	struct writer w = { 0 };
	struct fixture f;
	size_t begun = 6 + 5 + (size_t)_i;

	begin(&f);
	put_ccs(&w);
	put_sealed(&w, TLS_RECORD_HANDSHAKE, 48);
	feed(&f, span_first(written(&w), begun));
	gap(&f, (int64_t)(w.len - begun));
	ck_assert_int_eq(f.stream.state, TLS_RECORDS_IN_SYNC);
	feed(&f, BYTES("\x17\x03\x03\x00\x01\xee"));
	ck_log(&f, "ccs(0,1)@0 sealed-handshake(0,48)@6 data(0,1)@59 ");
	end(&f);
}
END_TEST

/* One in some hundred begins like a hello does. */
START_TEST(hole_in_ciphertext_that_begins_like_a_hello)
{
	struct fixture f;

	begin(&f);
	feed(&f, BYTES("\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x28\x01"));
	if (_i > 1)
		feed(&f, span_first(BYTES("\x5b\xee\xee\xee"), (size_t)_i - 1));
	gap(&f, 40 - _i);
	ck_assert_int_eq(f.stream.state, _i > 1 ? TLS_RECORDS_IN_SYNC : TLS_RECORDS_LOST);
	ck_log(&f, _i > 1 ? "ccs(0,1)@0 sealed-handshake(0,40)@6 " : "ccs(0,1)@0 ");
	end(&f);
}
END_TEST

START_TEST(hole_in_a_hello_behind_a_ccs_leaves_the_next_record_readable)
{
	struct fixture f;

	begin(&f);
	feed(&f, BYTES("\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x9b\x02"));
	feed(&f, span_first(BYTES("\x00\x00\x97\x03"), (size_t)_i - 1));
	gap(&f, 0x9b - _i);
	feed(&f, BYTES("\x17\x03\x03\x00\x01\xee"));
	ck_log(&f, "ccs(0,1)@0 data(0,1)@166 ");
	end(&f);
}
END_TEST

/* Who sent it has ended the handshake, and nobody knows how: so its place is lost. */
START_TEST(hole_in_an_alert_is_as_large_as_the_alert)
{
	struct fixture f;

	begin(&f);
	feed(&f, span_first(BYTES("\x15\x03\x03\x00\x02\x02\x28"), 7 - (size_t)_i));
	gap(&f, _i);
	ck_assert_int_eq(f.stream.state, TLS_RECORDS_LOST);
	feed(&f, BYTES("\x17\x03\x03\x00\x01\xee"));
	ck_log(&f, "data(0,1)@7 ");
	end(&f);
}
END_TEST

/* The message's length tells where the next one begins, in the same record. */
START_TEST(hole_in_a_certificate_leaves_the_next_message_readable)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, 504 + 4);
	put_message_header(&w, TLS_HANDSHAKE_CERTIFICATE, 500);
	put_fill(&w, 0x5b, 500);
	put_message_header(&w, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	feed(&f, span_first(written(&w), 200));
	gap(&f, 250);
	feed(&f, span_from(w.data + 450, w.len - 450));
	ck_assert(log_has(&f, "message 11:cut 191@"));
	ck_assert(log_has(&f, "handshake(14,0)@509"));
	end(&f);
}
END_TEST

START_TEST(behind_a_larger_hole_the_next_record_at_a_segments_start_is_found)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_sealed(&w, TLS_RECORD_APPLICATION_DATA, 1000);
	feed(&f, span_first(written(&w), 300));
	gap(&f, 706);
	ck_assert_int_eq(f.stream.state, TLS_RECORDS_LOST);
	feed(&f, BYTES("middle of something \x17\x03\x03 else"));
	feed(&f, BYTES("\x17\x03\x03\x00\x40what there is of it"));
	ck_assert(log_has(&f, "data(0,64)@1034"));
	end(&f);
}
END_TEST

START_TEST(behind_a_larger_hole_a_record_inside_a_segment_is_found_by_its_end)
{
	static const struct {
		const char *name;
		struct {
			const char *data;
			size_t len;
		} bytes;
		const char *said;
	} rows[] = {
		{ "ends with the segment", { "xyz\x17\x03\x03\x00\x02__", 10 }, "data(0,2)@13 " },
		{ "another one follows",
		    { "xyz\x17\x03\x03\x00\x02__\x14\x03\x03\x00\x01\x01", 16 },
		    "data(0,2)@13 ccs(0,1)@20 " },
		{ "neither", { "xyz\x17\x03\x03\x00\x02___", 11 }, "" },
		{ "empty records prove nothing", { "xyz\x17\x03\x03\x00\x00", 8 }, "" },
		{ "cut header", { "xyz\x17\x03\x03\x00", 7 }, "" },
	};
	struct fixture f;

	begin(&f);
	gap(&f, 10);
	feed(&f, span_from(rows[_i].bytes.data, rows[_i].bytes.len));
	ck_log(&f, rows[_i].said);
	end(&f);
}
END_TEST

START_TEST(stream_that_starts_lost_finds_its_place)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	tls_record_stream_start_lost(&f.stream);
	feed(&f, BYTES("\xee\xee\xee\xee\xee\xee\xee"));
	put_sealed(&w, TLS_RECORD_APPLICATION_DATA, 60);
	feed(&f, written(&w));
	ck_log(&f, "data(0,60)@7 ");
	end(&f);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, hole_in_the_first_bytes_of_ciphertext_leaves_it_told, 0, 6);
	tcase_add_loop_test(tc, hole_in_ciphertext_that_begins_like_a_hello, 1, 6);
	tcase_add_loop_test(tc, hole_in_a_hello_behind_a_ccs_leaves_the_next_record_readable, 2, 6);
	tcase_add_loop_test(tc, hole_in_an_alert_is_as_large_as_the_alert, 1, 3);
	tcase_add_loop_test(tc, hole_inside_a_record_leaves_the_next_one_readable, 1, 706);
	tcase_add_test(tc, hole_in_a_hello_hands_out_what_is_there);
	tcase_add_test(tc, hole_in_a_certificate_leaves_the_next_message_readable);
	tcase_add_test(tc, behind_a_larger_hole_the_next_record_at_a_segments_start_is_found);
	tcase_add_loop_test(
	    tc, behind_a_larger_hole_a_record_inside_a_segment_is_found_by_its_end, 0, 5);
	tcase_add_test(tc, stream_that_starts_lost_finds_its_place);
}

SUITE_MAIN("tls_record_stream_holes")
