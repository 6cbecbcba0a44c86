/*
 * SSLv2 records: draft-hickman-netscape-ssl-00, section 1.1.  A header of two bytes, the first with
 * its high bit set, or of three with padding.  Only the hellos and the error message are in the
 * clear.
 */
#include <string.h>

#include "tls/names.h"
#include "tls/record_internal.h"

#include "base/banned.h"

#define SSL2_MT_ERROR 0
#define SSL2_MT_CLIENT_HELLO 1
#define SSL2_MT_SERVER_HELLO 4
/* Two bytes of header and what tells a hello: type, and version or session-id-hit and more. */
#define HELLO_PEEK_LEN 5
#define SSL2_HEADER_LEN 2
/* Type and code; nothing that is enciphered is so short. */
#define SSL2_ERROR_LEN 3

bool
tls_ssl2_is_expected(const struct tls_record_stream *s, uint8_t first)
{
	if (s->state == TLS_RECORDS_START)
		return (first & 0x80) != 0;
	/* Behind an SSLv2-format hello either format may follow. */
	return s->sslv2 && (first < TLS_RECORD_CHANGE_CIPHER_SPEC || first > TLS_RECORD_HEARTBEAT);
}

static bool
is_hello(const uint8_t h[HELLO_PEEK_LEN], uint32_t len)
{
	switch (h[2]) {
	case SSL2_MT_CLIENT_HELLO: /* version, RFC 5246 appendix E.2 */
		return len >= 9 && ((h[3] == 0 && h[4] == 2) || (h[3] == 3 && h[4] <= 4));
	case SSL2_MT_SERVER_HELLO: /* session-id-hit, certificate type */
		return len >= 11 && h[3] <= 1 && h[4] <= 1;
	default:
		return false;
	}
}

bool
tls_looks_like_sslv2_hello(struct span bytes)
{
	uint32_t len;

	if (bytes.len < HELLO_PEEK_LEN || (bytes.data[0] & 0x80) == 0)
		return false;
	len = (uint32_t)(bytes.data[0] & 0x7f) << 8 | bytes.data[1];
	return bytes.data[2] == SSL2_MT_CLIENT_HELLO && bytes.len == SSL2_HEADER_LEN + len &&
	       is_hello(bytes.data, len);
}

/* The first record of a side: a hello, or an error in the place of one. */
static void
begin_first(struct tls_record_stream *s, const struct tls_record_sink *sink, void *arg)
{
	uint32_t len = (uint32_t)(s->header[0] & 0x7f) << 8 | s->header[1];

	s->header_len = 0;
	if (s->header[2] == SSL2_MT_ERROR && len == SSL2_ERROR_LEN) {
		s->state = TLS_RECORDS_IN_SYNC;
		s->sslv2 = true;
		sink->seen(arg, TLS_SEEN_SSL2_ERROR, s->header[4], len, &s->record_mark);
		return;
	}
	if (!is_hello(s->header, len)) {
		s->state = TLS_RECORDS_GARBAGE;
		return;
	}
	s->state = TLS_RECORDS_IN_SYNC;
	s->sslv2 = true;
	s->skipped = false;
	s->message_type = s->header[2];
	s->message_kept = s->hello_pending = true;
	s->message_mark = s->record_mark;
	s->message_len = s->message_left = s->record_len = s->record_left = len;
	s->kept_len = 0;
	s->kept_full = false;
	/* What was looked at belongs to the message. */
	s->record_left -= HELLO_PEEK_LEN - SSL2_HEADER_LEN;
	tls_ssl2_take_body(
	    s, span_from(s->header + SSL2_HEADER_LEN, HELLO_PEEK_LEN - SSL2_HEADER_LEN), sink, arg);
}

/* Later records are ciphertext, except the client's master key and errors. */
static void
begin_later(struct tls_record_stream *s, const struct tls_record_sink *sink, void *arg)
{
	bool short_header = (s->header[0] & 0x80) != 0;

	s->header_len = 0;
	s->record_len = s->record_left = short_header
					     ? (uint32_t)(s->header[0] & 0x7f) << 8 | s->header[1]
					     : (uint32_t)(s->header[0] & 0x3f) << 8 | s->header[1];
	/* What kind it is tells its body. */
	s->skipped = s->record_len != SSL2_ERROR_LEN;
	s->plain_len = 0;
	if (s->skipped)
		sink->seen(arg, TLS_SEEN_SSL2_RECORD, 0, s->record_len, &s->record_mark);
}

void
tls_ssl2_take_error(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg)
{
	uint8_t byte;

	while (span_read_u8(&bytes, &byte))
		s->plain[s->plain_len++] = byte;
	if (s->plain_len < SSL2_ERROR_LEN)
		return;
	s->plain_len = 0;
	if (s->plain[0] == SSL2_MT_ERROR)
		sink->seen(arg, TLS_SEEN_SSL2_ERROR, s->plain[2], SSL2_ERROR_LEN, &s->record_mark);
	else
		sink->seen(arg, TLS_SEEN_SSL2_RECORD, 0, SSL2_ERROR_LEN, &s->record_mark);
}

size_t
tls_ssl2_take_header(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg)
{
	bool first = s->state == TLS_RECORDS_START;
	uint8_t first_byte = s->header_len > 0 ? s->header[0] : bytes.data[0];
	size_t want = first ? HELLO_PEEK_LEN : (first_byte & 0x80) != 0 ? 2 : 3;
	size_t n = want - s->header_len;

	n = bytes.len < n ? bytes.len : n;
	memcpy(s->header + s->header_len, bytes.data, n);
	s->header_len = (uint8_t)(s->header_len + n);
	if (s->header_len == want) {
		if (first)
			begin_first(s, sink, arg);
		else
			begin_later(s, sink, arg);
	}
	return n;
}
