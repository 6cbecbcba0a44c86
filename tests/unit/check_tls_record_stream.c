#include "base/buf.h"
#include "tls/record_stream.h"

#include "record_log.h"
#include "suite.h"
#include "tls_wire.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static void
flush(struct fixture *f)
{
	tls_record_stream_flush(&f->stream, &sink, f);
}

/* Sides of conversations, one for each way in which a stream goes. */
static void
put_client_tls12(struct writer *w)
{
	put_record(w, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS12));
	put_message(w, TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE, 33);
	put_ccs(w);
	put_sealed(w, TLS_RECORD_HANDSHAKE, 40);
	put_sealed(w, TLS_RECORD_APPLICATION_DATA, 30);
	put_sealed(w, TLS_RECORD_ALERT, 26);
}

static void
put_server_tls12(struct writer *w)
{
	put_alert(w, TLS_ALERT_LEVEL_WARNING, 112);
	put_plain_server_hello(w, TLS_VERSION_1_2);
	put_message(w, TLS_HANDSHAKE_CERTIFICATE, 3000);
	put_message(w, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	put_ccs(w);
	put_sealed(w, TLS_RECORD_HANDSHAKE, 40);
	put_sealed(w, TLS_RECORD_HEARTBEAT, 19);
	put_sealed(w, TLS_RECORD_APPLICATION_DATA, 0);
	put_sealed(w, TLS_RECORD_APPLICATION_DATA, 99);
}

/* RFC 8446, appendix D.4: the ChangeCipherSpec stands in front of the second hello. */
static void
put_client_retry(struct writer *w)
{
	put_record(w, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS13));
	put_ccs(w);
	put_record(w, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS13));
	put_sealed(w, TLS_RECORD_APPLICATION_DATA, 69);
}

/* Messages that begin and end elsewhere than records do. */
static void
put_server_packed(struct writer *w)
{
	struct writer messages = { 0 };

	put_message_header(&messages, TLS_HANDSHAKE_HELLO_REQUEST, 0);
	put_message_header(&messages, TLS_HANDSHAKE_SERVER_HELLO, 70);
	put_fill(&messages, 0x5a, 70);
	put_message_header(&messages, TLS_HANDSHAKE_CERTIFICATE, 500);
	put_fill(&messages, 0x5b, 500);
	put_message_header(&messages, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	for (size_t at = 0; at < messages.len; at += 37)
		put_record(w, TLS_RECORD_HANDSHAKE,
		    span_first(span_from(messages.data + at, messages.len - at), 37));
}

static void
put_client_sslv2_format(struct writer *w)
{
	put_span(w, BYTES(SSLV2_HELLO));
	put_message(w, TLS_HANDSHAKE_CLIENT_KEY_EXCHANGE, 130);
	put_ccs(w);
	put_sealed(w, TLS_RECORD_HANDSHAKE, 36);
}

static void
put_client_sslv2(struct writer *w)
{
	put_span(w, BYTES(SSLV2_HELLO));
	put_span(w, BYTES("\x80\x05\x02\x01\x02\x03\x04"));
	put_span(w, BYTES("\x00\x06\x02\x02\x02\x02\x02\x02\x02")); /* 3-byte header: padding */
}

static void
put_client_sslv2_error(struct writer *w)
{
	put_span(w, BYTES(SSLV2_HELLO));
	put_span(w, BYTES("\x80\x03\x00\x00\x01"));
	put_span(w, BYTES("\x80\x03\x01\x00\x02")); /* as short, and none */
}

static void
put_alerts(struct writer *w)
{
	put_record(w, TLS_RECORD_ALERT, BYTES("\x02"));
	put_record(w, TLS_RECORD_ALERT, BYTES(""));
	put_record(w, TLS_RECORD_ALERT, BYTES("\x28"));
	put_record(w, TLS_RECORD_ALERT, BYTES("\x01\x5a\x01\x00"));
}

struct side {
	const char *name;
	void (*put)(struct writer *w);
	const char *log; /* what the stream says of it; NULL: shown elsewhere */
};

static const struct side sides[] = {
	{ "client_tls12", put_client_tls12, NULL },
	{ "server_tls12", put_server_tls12, NULL },
	{ "client_retry", put_client_retry, NULL },
	{ "server_packed", put_server_packed,
	    "handshake(0,0)@0 handshake(2,70)@9 message 2:70@9 "
	    "handshake(11,500)@93 message 11:500@93 handshake(14,0)@662 " },
	{ "client_sslv2_format", put_client_sslv2_format,
	    "sslv2 1:31@0 handshake(16,130)@33 ccs(0,1)@172 "
	    "sealed-handshake(0,36)@178 " },
	{ "client_sslv2", put_client_sslv2, "sslv2 1:31@0 ssl2(0,5)@33 ssl2(0,6)@40 " },
	{ "client_sslv2_error", put_client_sslv2_error,
	    "sslv2 1:31@0 ssl2-error(1,3)@33 ssl2(0,3)@38 " },
	{ "alerts", put_alerts, "alert(552,2)@11 alert(346,2)@17 alert(256,2)@17 " },
};

START_TEST(a_side_is_told_record_by_record)
{
	struct writer w = { 0 };
	struct fixture f;

	if (sides[_i].log == NULL)
		return;
	begin(&f);
	sides[_i].put(&w);
	feed(&f, written(&w));
	ck_log(&f, sides[_i].log);
	end(&f);
}
END_TEST

START_TEST(tls12_handshake_is_told_record_by_record)
{
	struct writer client = { 0 }, server = { 0 };
	struct fixture f;

	begin(&f);
	put_client_tls12(&client);
	feed(&f, written(&client));
	ck_log(&f, "handshake(1,204)@0 message 1:204@0 handshake(16,33)@213 ccs(0,1)@255 "
		   "sealed-handshake(0,40)@261 data(0,30)@306 sealed-alert(0,26)@341 ");
	end(&f);
	begin(&f);
	put_server_tls12(&server);
	feed(&f, written(&server));
	ck_log(&f, "alert(368,2)@0 handshake(2,40)@7 message 2:40@7 handshake(11,3000)@56 "
		   "message 11:3000@56 handshake(14,0)@3065 ccs(0,1)@3074 "
		   "sealed-handshake(0,40)@3080 data(0,0)@3149 data(0,99)@3154 ");
	end(&f);
}
END_TEST

START_TEST(hello_behind_a_change_cipher_spec_is_read_where_it_is_in_the_clear)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_client_retry(&w);
	feed(&f, written(&w));
	ck_log(&f, "handshake(1,313)@0 message 1:313@0 ccs(0,1)@322 handshake(1,313)@328 "
		   "message 1:313@328 data(0,69)@650 ");
	end(&f);
}
END_TEST

START_TEST(hello_behind_a_change_cipher_spec_is_read_out_of_records_of_any_size)
{
	struct span hello = BYTES(SAMPLE_OPENSSL_TLS13);
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_ccs(&w);
	while (hello.len > 0) {
		struct span piece = span_first(hello, (size_t)_i);

		put_record(&w, TLS_RECORD_HANDSHAKE, piece);
		hello = span_from(hello.data + piece.len, hello.len - piece.len);
	}
	put_ccs(&w);
	put_sealed(&w, TLS_RECORD_HANDSHAKE, 5);
	put_sealed(&w, TLS_RECORD_HANDSHAKE, 40);
	feed(&f, written(&w));
	ck_assert(log_has(&f, "ccs(0,1)@0 handshake(1,313)@6 message 1:313@6 ccs(0,1)@"));
	ck_assert(log_has(&f, "sealed-handshake(0,40)@"));
	end(&f);
}
END_TEST

START_TEST(pieces_of_any_size_say_the_same)
{
	struct writer w = { 0 };
	struct fixture whole;

	sides[_i].put(&w);
	begin(&whole);
	feed(&whole, written(&w));
	ck_assert_uint_gt(whole.log.len, 0);
	for (size_t len = 1; len < 40; len++) {
		struct fixture f;

		begin(&f);
		feed_pieces(&f, written(&w), len);
		ck_log(&f, buf_text(&whole.log));
		ck_assert(span_equals(bodies(&f), bodies(&whole)));
		end(&f);
	}
	end(&whole);
}
END_TEST

START_TEST(two_segments_cut_anywhere_say_the_same)
{
	struct writer w = { 0 };
	struct fixture whole;

	sides[_i].put(&w);
	begin(&whole);
	feed(&whole, written(&w));
	for (size_t cut = 1; cut < w.len; cut++) {
		struct fixture f;

		begin(&f);
		feed(&f, span_first(written(&w), cut));
		feed(&f, span_from(w.data + cut, w.len - cut));
		ck_log(&f, buf_text(&whole.log));
		ck_assert(span_equals(bodies(&f), bodies(&whole)));
		end(&f);
	}
	end(&whole);
}
END_TEST

START_TEST(every_prefix_of_a_hello_waits_and_is_cut_when_flushed)
{
	struct writer w = { 0 };

	put_record(&w, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
	for (size_t len = 0; len < w.len; len++) {
		struct fixture f;

		begin(&f);
		feed(&f, span_first(written(&w), len));
		ck_assert(!log_has(&f, "message"));
		ck_assert_int_eq(f.stream.hello_pending, len >= 9);
		flush(&f);
		ck_assert_int_eq(log_has(&f, "message 1:cut"), len > 9);
		ck_assert(!f.stream.hello_pending);
		end(&f);
	}
}
END_TEST

/* SPEC section 4: a hello can be whole while its record is not. */
START_TEST(hello_is_whole_before_its_record_is)
{
	struct writer w = { 0 };
	struct span hello = BYTES(SAMPLE_OPENSSL_TLS10);
	struct fixture f;

	begin(&f);
	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_0, hello.len + 100);
	put_span(&w, hello);
	feed(&f, written(&w));
	ck_assert(log_has(&f, "message 1:148@"));
	end(&f);
}
END_TEST

START_TEST(message_ends_where_a_record_of_another_type_begins)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_0, 50);
	put_span(&w, span_first(BYTES(SAMPLE_OPENSSL_TLS10), 50));
	put_alert(&w, TLS_ALERT_LEVEL_FATAL, 10);
	put_record(&w, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
	feed(&f, written(&w));
	ck_log(&f, "handshake(1,148)@0 alert(522,2)@55 handshake(1,148)@62 message 1:148@62 ");
	end(&f);
}
END_TEST

START_TEST(message_without_a_body_is_handed_out_at_once)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_message(&w, TLS_HANDSHAKE_CERTIFICATE, 0);
	feed(&f, written(&w));
	ck_log(&f, "handshake(11,0)@0 message 11:0@0 ");
	end(&f);
}
END_TEST

/* RFC 5246, section 7.4.2: the sender's own certificate is the first, and all that is of interest.
 */
START_TEST(a_chain_is_handed_out_up_to_its_first_certificate)
{
	struct tls_record_budget budget = { .max_kept_len = 65536 };
	struct writer w = { 0 };

	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, 3003 + 8);
	put_message_header(&w, TLS_HANDSHAKE_CERTIFICATE, 3003);
	put_span(&w, BYTES("\0\x0b\xb8\0\x01\x2c"));
	put_fill(&w, 0x5a, 2997);
	put_message_header(&w, TLS_HANDSHAKE_SERVER_HELLO_DONE, 0);
	for (size_t len = 1; len <= w.len; len += len < 20 ? 1 : 333) {
		struct fixture f;

		begin(&f);
		f.stream.budget = &budget;
		feed_pieces(&f, span_first(written(&w), 314), len);
		/* The first piece tells how long the certificate is. */
		if (len >= 5 + 4 + 6)
			ck_assert_uint_le(budget.kept_len, TLS_MESSAGE_ROOM);
		feed_pieces(&f, span_from(w.data + 314, w.len - 314), len);
		ck_log(&f, "handshake(11,3003)@0 message 11:306@0 handshake(14,0)@3012 ");
		ck_assert(span_equals(bodies(&f), span_from(w.data + 9, 306)));
		end(&f);
	}
	ck_assert_uint_eq(budget.kept_len, 0);
}
END_TEST

/* Inside a record, and what is kept not whole by it: nothing is said, whichever way it goes. */
START_TEST(what_lies_inside_a_record_may_pass)
{
	static const struct {
		size_t len;
		bool passes;
	} segments[] = { { 3, false }, { 2, false }, { 3, false }, { 101, false }, { 100, true },
		{ 200, true }, { 203, false }, { 5, false }, { 1, true }, { 200, true },
		{ 10, false }, { 300, false }, { 100, true }, { 102, true } };
	struct writer w = { 0 };
	struct fixture f;
	struct span rest, segment;

	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, 604);
	put_message_header(&w, TLS_HANDSHAKE_SERVER_HELLO, 600);
	put_fill(&w, 0x5a, 600);
	put_sealed(&w, TLS_RECORD_APPLICATION_DATA, 211);
	put_sealed(&w, TLS_RECORD_APPLICATION_DATA, 500);
	begin(&f);
	rest = written(&w);
	for (int i = 0; i < ROWS(segments); i++) {
		ck_assert(span_read_span(&rest, segments[i].len, &segment));
		ck_assert_msg(tls_record_stream_pass(&f.stream, segment) == segments[i].passes,
		    "segment %d", i);
		if (!segments[i].passes)
			feed(&f, segment);
		else
			f.offset += (int64_t)segment.len;
	}
	ck_log(&f, "handshake(2,600)@0 message 2:600@0 data(0,211)@609 data(0,500)@825 ");
	end(&f);
}
END_TEST

/* A length that no message has is ciphertext behind a ChangeCipherSpec that was not captured. */
START_TEST(handshake_that_makes_no_sense_is_ciphertext)
{
	static const struct {
		const char *name;
		const char header[4];
	} rows[] = {
		{ "unknown type", "\x09\x00\x00\x10" },
		{ "too long", "\x01\x10\x00\x01" },
	};
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, 40);
	put_span(&w, span_from(rows[_i].header, 4));
	put_fill(&w, 0xee, 36);
	put_sealed(&w, TLS_RECORD_APPLICATION_DATA, 7);
	feed(&f, written(&w));
	ck_log(&f, "sealed-handshake(0,40)@0 data(0,7)@45 ");
	end(&f);
}
END_TEST

START_TEST(alert_behind_a_change_cipher_spec_is_sealed_unless_it_has_two_bytes)
{
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	put_ccs(&w);
	put_alert(&w, TLS_ALERT_LEVEL_FATAL, 48);
	put_sealed(&w, TLS_RECORD_ALERT, 4);
	put_sealed(&w, TLS_RECORD_ALERT, 18);
	feed(&f, written(&w));
	ck_log(&f, "ccs(0,1)@0 alert(560,2)@6 sealed-alert(0,4)@13 sealed-alert(0,18)@22 ");
	end(&f);
}
END_TEST

START_TEST(what_is_no_record_is_garbage_and_nothing_more_is_read)
{
	static const struct {
		const char *name;
		struct {
			const char *data;
			size_t len;
		} bytes;
	} rows[] = {
		{ "text", { "GET / HTTP/1.0\r\n", 16 } },
		{ "type below", { "\x13\x03\x01\x00\x05\x01", 6 } },
		{ "type above", { "\x19\x03\x01\x00\x05\x01", 6 } },
		{ "major version", { "\x16\x04\x01\x00\x05\x01", 6 } },
		{ "version zero, but no alert", { "\x16\x00\x00\x00\x02\x02\x46", 7 } },
		{ "version zero, longer than an alert", { "\x15\x00\x00\x00\x03\x02\x46\x00", 8 } },
		{ "length one above the largest", { "\x17\x03\x03\x48\x01\x00", 6 } },
		{ "sslv2 header, no hello", { "\x80\x1f\x07\x03\x01\x00", 6 } },
		{ "sslv2 hello too short", { "\x80\x08\x01\x03\x01\x00", 6 } },
		{ "sslv2 hello of another version", { "\x80\x1f\x01\x04\x01\x00", 6 } },
		{ "sslv2 server hello too short", { "\x80\x0a\x04\x00\x01\x00", 6 } },
		{ "sslv2 error too long", { "\x80\x04\x00\x00\x01\x00", 6 } },
	};
	struct writer w = { 0 };
	struct fixture f;

	begin(&f);
	feed(&f, span_from(rows[_i].bytes.data, rows[_i].bytes.len));
	ck_assert_int_eq(f.stream.state, TLS_RECORDS_GARBAGE);
	put_client_tls12(&w);
	feed(&f, written(&w));
	gap(&f, 10);
	feed(&f, written(&w));
	ck_log(&f, "");
	end(&f);
}
END_TEST

/* BearSSL's, where it turns a version down. */
START_TEST(alert_of_version_zero_in_place_of_a_hello)
{
	struct fixture f;

	begin(&f);
	feed_pieces(&f, BYTES("\x15\x00\x00\x00\x02\x02\x46"), (size_t)_i);
	ck_log(&f, "alert(582,2)@0 ");
	end(&f);
}
END_TEST

START_TEST(largest_record_is_read)
{
	static struct writer w;
	struct fixture f;

	begin(&f);
	put_sealed(&w, TLS_RECORD_APPLICATION_DATA, TLS_RECORD_MAX);
	put_ccs(&w);
	feed(&f, written(&w));
	ck_log(&f, "data(0,18432)@0 ccs(0,1)@18437 ");
	end(&f);
}
END_TEST

START_TEST(sslv2_error_in_place_of_a_hello)
{
	struct fixture f;

	begin(&f);
	feed_pieces(&f, BYTES("\x80\x03\x00\x00\x01"), (size_t)_i);
	ck_log(&f, "ssl2-error(1,3)@0 ");
	end(&f);
}
END_TEST

/* The first pieces of a chain are too short to tell how long its first certificate is. */
START_TEST(a_chain_that_begins_in_pieces_ends_with_its_first_certificate)
{
	struct writer w = { 0 };
	struct fixture f;
	struct span rest, byte;

	put_record_header(&w, TLS_RECORD_HANDSHAKE, TLS_VERSION_1_2, 3003);
	put_message_header(&w, TLS_HANDSHAKE_CERTIFICATE, 3003);
	put_span(&w, BYTES("\0\x0b\xb8\0\x01\x2c"));
	put_fill(&w, 0x5a, 300);
	begin(&f);
	for (rest = written(&w); span_read_span(&rest, 1, &byte);) {
		if (tls_record_stream_pass(&f.stream, byte))
			f.offset++;
		else
			feed(&f, byte);
	}
	ck_log(&f, "handshake(11,3003)@0 message 11:306@0 ");
	end(&f);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_side_is_told_record_by_record, 0, ROWS(sides));
	tcase_add_test(tc, tls12_handshake_is_told_record_by_record);
	tcase_add_test(tc, hello_behind_a_change_cipher_spec_is_read_where_it_is_in_the_clear);
	tcase_add_loop_test(
	    tc, hello_behind_a_change_cipher_spec_is_read_out_of_records_of_any_size, 1, 9);
	tcase_add_loop_test(tc, pieces_of_any_size_say_the_same, 0, ROWS(sides));
	tcase_add_loop_test(tc, two_segments_cut_anywhere_say_the_same, 0, ROWS(sides));
	tcase_add_test(tc, every_prefix_of_a_hello_waits_and_is_cut_when_flushed);
	tcase_add_test(tc, hello_is_whole_before_its_record_is);
	tcase_add_test(tc, a_chain_is_handed_out_up_to_its_first_certificate);
	tcase_add_test(tc, what_lies_inside_a_record_may_pass);
	tcase_add_test(tc, a_chain_that_begins_in_pieces_ends_with_its_first_certificate);
	tcase_add_test(tc, message_ends_where_a_record_of_another_type_begins);
	tcase_add_test(tc, message_without_a_body_is_handed_out_at_once);
	tcase_add_loop_test(tc, handshake_that_makes_no_sense_is_ciphertext, 0, 2);
	tcase_add_test(tc, alert_behind_a_change_cipher_spec_is_sealed_unless_it_has_two_bytes);
	tcase_add_loop_test(tc, what_is_no_record_is_garbage_and_nothing_more_is_read, 0, 12);
	tcase_add_test(tc, largest_record_is_read);
	tcase_add_loop_test(tc, sslv2_error_in_place_of_a_hello, 1, 6);
	tcase_add_loop_test(tc, alert_of_version_zero_in_place_of_a_hello, 1, 8);
}

SUITE_MAIN("tls_record_stream")
