#include "tls/record_stream.h"

#include <string.h>

#include "tls/names.h"
#include "tls/record_internal.h"

#include "base/banned.h"

/* RFC 8446, section 4.1.2, with all lists full. */
#define CLIENT_HELLO_MAX 131396

void
tls_record_stream_init(struct tls_record_stream *s)
{
	*s = (struct tls_record_stream){ .state = TLS_RECORDS_START };
}

void
tls_record_stream_start_lost(struct tls_record_stream *s)
{
	s->state = TLS_RECORDS_LOST;
}

bool
tls_record_stream_pass(struct tls_record_stream *s, struct span bytes)
{
	if (bytes.len > s->record_left)
		return false;
	if (!s->skipped) {
		if (s->type != TLS_RECORD_HANDSHAKE || s->sslv2 || s->message_left <= bytes.len)
			return false;
		if (s->message_kept) {
			/* Until then it is not known how much of a chain is wanted. */
			if (s->kept_len < TLS_CHAIN_HEADER_LEN ||
			    s->kept_len + bytes.len >= s->kept_want)
				return false;
			tls_message_keep(s, bytes);
		}
		s->message_left -= (uint32_t)bytes.len;
	}
	s->record_left -= (uint32_t)bytes.len;
	return true;
}

/* Alerts in the clear: two bytes each, which may come in records of one. */
static void
take_alert(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg)
{
	uint8_t byte;

	while (span_read_u8(&bytes, &byte)) {
		s->plain[s->plain_len++] = byte;
		if (s->plain_len == 2) {
			s->plain_len = 0;
			sink->seen(arg, TLS_SEEN_ALERT, (uint16_t)(s->plain[0] << 8 | s->plain[1]),
			    2, &s->record_mark);
		}
	}
}

static void
take_body(struct tls_record_stream *s, struct span bytes, const struct mark *mark, int64_t offset,
    const struct tls_record_sink *sink, void *arg)
{
	if (s->sslv2 && s->message_left > 0)
		tls_ssl2_take_body(s, bytes, sink, arg);
	else if (s->sslv2)
		tls_ssl2_take_error(s, bytes, sink, arg);
	else if (s->type == TLS_RECORD_ALERT)
		take_alert(s, bytes, sink, arg);
	else
		tls_messages_take(s, bytes, mark, offset, sink, arg);
}

/*
 * RFC 8446, section 5.1: a message is not interrupted by records of another type.  One that is was
 * none, and stays half of a hello.  What an alert or a message's header lacks does not come either.
 */
static __attribute__((noinline, cold)) void
leave_unfinished(struct tls_record_stream *s, uint8_t type)
{
	s->plain_len = 0;
	if (type == TLS_RECORD_HANDSHAKE)
		return;
	tls_record_stream_release(s);
	s->message_kept = false;
	s->message_left = 0;
}

/* A TLS record's header is whole: what can be said by it alone. */
static void
begin_record(struct tls_record_stream *s, const uint8_t header[TLS_RECORD_HEADER_LEN],
    const struct tls_record_sink *sink, void *arg)
{
	uint8_t type = header[0];

	s->sslv2 = false;
	s->state = TLS_RECORDS_IN_SYNC;
	s->record_len = s->record_left = bytes_u16(header + 3);
	s->header_len = 0;
	s->skipped = true;
	if (type != s->type && (s->plain_len | s->message_left | s->message_kept) != 0)
		leave_unfinished(s, type);
	s->type = type;
	switch (type) {
	case TLS_RECORD_CHANGE_CIPHER_SPEC:
		s->encrypted = true;
		sink->seen(arg, TLS_SEEN_CCS, 0, s->record_len, &s->record_mark);
		return;
	case TLS_RECORD_APPLICATION_DATA:
		sink->seen(arg, TLS_SEEN_APPLICATION_DATA, 0, s->record_len, &s->record_mark);
		return;
	case TLS_RECORD_ALERT:
		if (s->record_len <= 2 || (s->record_len == 4 && !s->encrypted))
			s->skipped = false;
		else
			sink->seen(
			    arg, TLS_SEEN_ENCRYPTED_ALERT, 0, s->record_len, &s->record_mark);
		return;
	case TLS_RECORD_HANDSHAKE:
		s->skipped = s->record_len == 0;
		return;
	default: /* heartbeat */
		return;
	}
}

static bool
is_record_header(const uint8_t h[TLS_RECORD_HEADER_LEN])
{
	return h[0] >= TLS_RECORD_CHANGE_CIPHER_SPEC && h[0] <= TLS_RECORD_HEARTBEAT && h[1] == 3 &&
	       bytes_u16(h + 3) <= TLS_RECORD_MAX;
}

/*
 * An alert in the place of a hello.  RFC 8446, section 5.1: the version of a record counts for
 * nothing.  BearSSL's is zero where it turns a version down, as none is agreed upon by then.
 */
static bool
is_first_alert_header(const uint8_t h[TLS_RECORD_HEADER_LEN])
{
	return h[0] == TLS_RECORD_ALERT && bytes_u16(h + 1) == 0 && bytes_u16(h + 3) == 2;
}

/*
 * What is no TLS record's header in one piece.  Takes header bytes; returns how many.  `*header`:
 * the header, NULL where it is not whole, or none of TLS.
 */
static __attribute__((noinline)) size_t
take_header_piece(struct tls_record_stream *s, struct span bytes, const uint8_t **header,
    const struct tls_record_sink *sink, void *arg)
{
	size_t n = TLS_RECORD_HEADER_LEN - (size_t)s->header_len;

	*header = NULL;
	if (tls_ssl2_is_expected(s, s->header_len > 0 ? s->header[0] : bytes.data[0]))
		return tls_ssl2_take_header(s, bytes, sink, arg);
	n = bytes.len < n ? bytes.len : n;
	memcpy(s->header + s->header_len, bytes.data, n);
	s->header_len = (uint8_t)(s->header_len + n);
	if (s->header_len < TLS_RECORD_HEADER_LEN)
		return n;
	if (is_record_header(s->header) ||
	    (s->state == TLS_RECORDS_START && is_first_alert_header(s->header))) {
		*header = s->header;
	} else {
		s->header_len = 0;
		s->state = s->state == TLS_RECORDS_START ? TLS_RECORDS_GARBAGE : TLS_RECORDS_LOST;
	}
	return n;
}

static inline size_t
take_header(struct tls_record_stream *s, struct span bytes, const struct mark *mark, int64_t offset,
    const struct tls_record_sink *sink, void *arg)
{
	const uint8_t *header = bytes.data;
	size_t n = TLS_RECORD_HEADER_LEN;

	if (s->header_len == 0)
		s->record_mark = mark_at(mark, offset);
	/* No SSLv2 record begins like one of TLS. */
	if (s->header_len > 0 || bytes.len < n || !is_record_header(header))
		n = take_header_piece(s, bytes, &header, sink, arg);
	if (header != NULL)
		begin_record(s, header, sink, arg);
	return n;
}

/*
 * Behind a hole: the index of the next record, or bytes.len.  At a segment's start its header is
 * enough; elsewhere the record must end where the segment does, or another one must follow.
 */
static size_t
find_record(struct span bytes)
{
	for (size_t i = 0; i + TLS_RECORD_HEADER_LEN <= bytes.len; i++) {
		const uint8_t *h = bytes.data + i;
		size_t end;

		if (h[0] > TLS_RECORD_HEARTBEAT || !is_record_header(h) || h[2] > 4 ||
		    (h[3] == 0 && h[4] == 0))
			continue;
		end = i + TLS_RECORD_HEADER_LEN + (size_t)(h[3] << 8 | h[4]);
		if (i == 0 || end == bytes.len)
			return i;
		if (end + TLS_RECORD_HEADER_LEN <= bytes.len && is_record_header(bytes.data + end))
			return i;
	}
	return bytes.len;
}

/* Goes to the next record; returns how many bytes lie before it. */
static size_t
find_next(struct tls_record_stream *s, struct span bytes)
{
	size_t n = find_record(bytes);

	if (n < bytes.len)
		s->state = TLS_RECORDS_IN_SYNC;
	return n;
}

void
tls_record_stream_feed(struct tls_record_stream *s, struct span bytes, const struct mark *mark,
    const struct tls_record_sink *sink, void *arg)
{
	int64_t offset = mark->offset;

	while (bytes.len > 0 && s->state != TLS_RECORDS_GARBAGE) {
		size_t n;

		if (s->record_left == 0) {
			n = s->state == TLS_RECORDS_LOST
				? find_next(s, bytes)
				: take_header(s, bytes, mark, offset, sink, arg);
			bytes = span_from(bytes.data + n, bytes.len - n);
			offset += (int64_t)n;
		}
		n = bytes.len < s->record_left ? bytes.len : s->record_left;
		s->record_left -= (uint32_t)n;
		if (n > 0 && !s->skipped)
			take_body(s, span_first(bytes, n), mark, offset, sink, arg);
		bytes = span_from(bytes.data + n, bytes.len - n);
		offset += (int64_t)n;
	}
}

void
tls_record_stream_gap(
    struct tls_record_stream *s, int64_t len, const struct tls_record_sink *sink, void *arg)
{
	if (s->state == TLS_RECORDS_GARBAGE)
		return;
	tls_messages_gap(s, sink, arg);
	/* An alert that cannot be read is as good as one of which nothing is here. */
	if (s->type == TLS_RECORD_ALERT && !s->skipped)
		s->record_left = 0;
	if (s->record_left > 0 && len <= (int64_t)s->record_left) {
		/* The record's length still tells where the next one begins. */
		s->record_left -= (uint32_t)len;
		if (len <= (int64_t)s->message_left) {
			s->message_left -= (uint32_t)len;
		} else {
			s->message_left = 0;
			s->skipped = true;
		}
		return;
	}
	s->state = TLS_RECORDS_LOST;
	s->record_left = 0;
	s->header_len = 0;
	s->message_left = 0;
}

bool
tls_looks_like_hello(struct span bytes)
{
	const uint8_t *p = bytes.data;
	uint32_t record_len, message_len;

	if (bytes.len < 6 || p[0] != TLS_RECORD_HANDSHAKE || p[1] != 3 || p[2] > 4)
		return false;
	if (p[5] != TLS_HANDSHAKE_CLIENT_HELLO && p[5] != TLS_HANDSHAKE_SERVER_HELLO)
		return false;
	record_len = (uint32_t)(p[3] << 8 | p[4]);
	if (record_len < TLS_MESSAGE_HEADER_LEN || record_len > TLS_RECORD_MAX)
		return false;
	if (bytes.len < 11)
		return true;
	message_len = (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8];
	return message_len >= 38 && message_len <= CLIENT_HELLO_MAX && (p[9] == 3 || p[9] == 0x7f);
}

bool
tls_looks_like_record(struct span bytes)
{
	return bytes.len >= TLS_RECORD_HEADER_LEN && is_record_header(bytes.data) &&
	       bytes.data[2] <= 4;
}

bool
tls_looks_like_first_record(struct span bytes)
{
	return tls_looks_like_record(bytes) || tls_looks_like_sslv2_hello(bytes) ||
	       (bytes.len == TLS_RECORD_HEADER_LEN + 2 && is_first_alert_header(bytes.data));
}

uint8_t
tls_last_record_type(struct span bytes)
{
	uint8_t type = 0;

	while (tls_looks_like_record(bytes)) {
		type = bytes.data[0];
		if (!span_skip(&bytes, TLS_RECORD_HEADER_LEN + bytes_u16(bytes.data + 3)))
			return 0;
	}
	return bytes.len == 0 ? type : 0;
}
