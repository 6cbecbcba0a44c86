#include "tls/record_stream.h"

#include <assert.h>
#include <string.h>

#include "tls/names.h"
#include "tls/record_internal.h"

#include "base/banned.h"

#define MESSAGE_HEADER_LEN 4
/* Of a message with certificates: the length of all, and that of the first. */
#define CHAIN_HEADER_LEN 6
/* A plaintext hello behind a ChangeCipherSpec shows by so many bytes. */
#define PEEK_LEN 6
/* RFC 8446, section 4.1.2, with all lists full. */
#define CLIENT_HELLO_MAX 131396
/* Longer handshake messages are not found in practice: such a length is ciphertext. */
#define MESSAGE_LEN_LIMIT (1u << 20)

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

static bool
is_kept_type(uint8_t type)
{
	const unsigned kept = 1U << TLS_HANDSHAKE_CLIENT_HELLO | 1U << TLS_HANDSHAKE_SERVER_HELLO |
			      1U << TLS_HANDSHAKE_HELLO_RETRY_REQUEST |
			      1U << TLS_HANDSHAKE_CERTIFICATE;

	return type < 32 && (kept >> type & 1) != 0;
}

static void
hand_out(struct tls_record_stream *s, struct span body, bool whole,
    const struct tls_record_sink *sink, void *arg)
{
	s->hello_pending = false;
	s->message_kept = false;
	if (s->sslv2)
		sink->sslv2_hello(arg, s->message_type, body, whole, &s->message_mark);
	else
		sink->message(arg, s->message_type, body, whole, &s->message_mark);
	tls_record_stream_release(s);
}

void
tls_record_stream_flush(struct tls_record_stream *s, const struct tls_record_sink *sink, void *arg)
{
	if (s->message_kept && s->kept_len > 0)
		hand_out(s, span_from(s->kept, s->kept_len), false, sink, arg);
	s->message_kept = false;
	s->hello_pending = false;
}

/*
 * How much of the message is needed, as far as its first bytes tell.  RFC 5246, section 7.4.2: in a
 * chain the server's own certificate comes first.
 */
static uint32_t
wanted_len(uint8_t type, uint32_t message_len, struct span body)
{
	uint32_t len;

	if (type != TLS_HANDSHAKE_CERTIFICATE || body.len < CHAIN_HEADER_LEN)
		return message_len;
	len = CHAIN_HEADER_LEN + (bytes_u32(body.data + 2) & 0xffffff);
	return len < message_len ? len : message_len;
}

/* A piece of the body of a message that is kept, or skipped. */
static void
take_message_body(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg)
{
	struct span kept = bytes;

	s->message_left -= (uint32_t)bytes.len;
	if (!s->message_kept)
		return;
	if (s->kept_len == 0 && !s->kept_full)
		s->kept_want = wanted_len(s->message_type, s->message_len, bytes);
	if (s->kept_len > 0 || s->kept_full || bytes.len < s->kept_want) {
		tls_message_keep(s, span_first(bytes, s->kept_want - s->kept_len));
		kept = span_from(s->kept, s->kept_len);
		s->kept_want = wanted_len(s->message_type, s->message_len, kept);
	}
	if (kept.len >= s->kept_want)
		hand_out(s, span_first(kept, s->kept_want), true, sink, arg);
	else if (s->message_left == 0)
		hand_out(s, kept, false, sink, arg);
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
			if (s->kept_len < CHAIN_HEADER_LEN ||
			    s->kept_len + bytes.len >= s->kept_want)
				return false;
			tls_message_keep(s, bytes);
		}
		s->message_left -= (uint32_t)bytes.len;
	}
	s->record_left -= (uint32_t)bytes.len;
	return true;
}

/* RFC 8446, section 4 and RFC 5246, section 7.4: the types that exist. */
static bool
is_known_type(uint8_t type)
{
	return type <= 6 || type == 8 || (type >= 11 && type <= 16) || (type >= 20 && type <= 25) ||
	       type == 67 || type == 254;
}

/* False when these bytes are no message's header. */
static bool
begin_message(struct tls_record_stream *s, const uint8_t h[MESSAGE_HEADER_LEN],
    const struct tls_record_sink *sink, void *arg)
{
	uint32_t word = bytes_u32(h);

	s->plain_len = 0;
	s->message_type = h[0];
	s->message_len = word & 0xffffff;
	if (!is_known_type(s->message_type) || s->message_len > MESSAGE_LEN_LIMIT)
		return false;
	s->message_left = s->message_len;
	s->message_kept = is_kept_type(s->message_type);
	s->hello_pending = s->message_kept && s->message_type != TLS_HANDSHAKE_CERTIFICATE;
	s->kept_len = s->kept_want = 0;
	s->kept_full = false;
	sink->seen(arg, TLS_SEEN_HANDSHAKE, s->message_type, s->message_len, &s->message_mark);
	if (s->message_left == 0 && s->message_kept)
		hand_out(s, span_from(s->plain, 0), true, sink, arg);
	return true;
}

static void
skip_encrypted_record(struct tls_record_stream *s, const struct tls_record_sink *sink, void *arg)
{
	s->plain_len = 0;
	s->message_left = 0;
	s->skipped = true;
	sink->seen(arg, TLS_SEEN_ENCRYPTED_HANDSHAKE, 0, s->record_len, &s->record_mark);
}

static __attribute__((noinline)) const uint8_t *
gather_pieces(struct tls_record_stream *s, struct span bytes, size_t want, size_t *n)
{
	assert(bytes.data != NULL);
	*n = want - (size_t)s->plain_len;
	*n = bytes.len < *n ? bytes.len : *n;
	memcpy(s->plain + s->plain_len, bytes.data, *n);
	s->plain_len = (uint8_t)(s->plain_len + *n);
	return s->plain_len == want ? s->plain : NULL;
}

/*
 * The first `want` bytes of something: where they stand, as nearly always, or in `plain`, where
 * they are gathered over several segments; NULL as long as some are missing.  `n`: how many are
 * taken.
 */
static inline const uint8_t *
gather(struct tls_record_stream *s, struct span bytes, size_t want, size_t *n)
{
	*n = want;
	return s->plain_len == 0 && bytes.len >= want ? bytes.data
						      : gather_pieces(s, bytes, want, n);
}

/* A message at its record's start begins with the record's header, which may have come earlier. */
static struct mark
message_start(const struct tls_record_stream *s, const struct mark *mark, int64_t offset)
{
	return offset == s->record_mark.offset + TLS_RECORD_HEADER_LEN ? s->record_mark
								       : mark_at(mark, offset);
}

/*
 * A message that is there whole, as nearly all are, leaves nothing behind in the stream.  Returns
 * its length with its header; 0, and nothing is done, where there is none.
 */
static inline size_t
take_whole_message(struct tls_record_stream *s, struct span bytes, const struct mark *mark,
    int64_t offset, const struct tls_record_sink *sink, void *arg)
{
	struct mark at;
	struct span body;
	uint32_t word;
	uint8_t type;

	if (s->message_left > 0 || s->plain_len > 0 || bytes.len < MESSAGE_HEADER_LEN)
		return 0;
	word = bytes_u32(bytes.data);
	type = (uint8_t)(word >> 24);
	body = span_from(bytes.data + MESSAGE_HEADER_LEN, word & 0xffffff);
	if (body.len > bytes.len - MESSAGE_HEADER_LEN || !is_known_type(type))
		return 0;
	at = message_start(s, mark, offset);
	sink->seen(arg, TLS_SEEN_HANDSHAKE, type, (uint32_t)body.len, &at);
	if (is_kept_type(type))
		sink->message(arg, type,
		    span_first(body, wanted_len(type, (uint32_t)body.len, body)), true, &at);
	return MESSAGE_HEADER_LEN + body.len;
}

/* A message, or a part of one, that is not there whole; returns how many bytes of it are taken. */
static __attribute__((noinline)) size_t
take_part(struct tls_record_stream *s, struct span bytes, const struct mark *mark, int64_t offset,
    const struct tls_record_sink *sink, void *arg)
{
	const uint8_t *header;
	size_t n;

	if (s->message_left > 0) {
		n = bytes.len < s->message_left ? bytes.len : s->message_left;
		take_message_body(s, span_first(bytes, n), sink, arg);
		return n;
	}
	if (s->plain_len == 0)
		s->message_mark = message_start(s, mark, offset);
	header = gather(s, bytes, MESSAGE_HEADER_LEN, &n);
	if (header != NULL && !begin_message(s, header, sink, arg))
		skip_encrypted_record(s, sink, arg);
	return n;
}

/* Handshake messages in the clear; they need not begin or end where the record does. */
static void
take_handshake(struct tls_record_stream *s, struct span bytes, const struct mark *mark,
    int64_t offset, const struct tls_record_sink *sink, void *arg)
{
	while (bytes.len > 0 && !s->skipped) {
		size_t n = take_whole_message(s, bytes, mark, offset, sink, arg);

		if (n == 0)
			n = take_part(s, bytes, mark, offset, sink, arg);
		bytes = span_from(bytes.data + n, bytes.len - n);
		offset += (int64_t)n;
	}
}

/*
 * RFC 8446, section 4.1.2 and appendix D.4: after a HelloRetryRequest a ChangeCipherSpec stands in
 * front of a hello in the clear, so the content decides.
 */
static bool
looks_like_plain_hello(const uint8_t peek[PEEK_LEN])
{
	return (peek[0] == TLS_HANDSHAKE_CLIENT_HELLO || peek[0] == TLS_HANDSHAKE_SERVER_HELLO) &&
	       peek[1] == 0 && peek[4] == 3 && peek[5] <= 4;
}

/*
 * A handshake record behind a ChangeCipherSpec: ciphertext as a rule.  That is never as short as a
 * piece of a hello may be, so what is shorter waits for the records behind it.
 */
static void
take_after_ccs(struct tls_record_stream *s, struct span bytes, const struct mark *mark,
    int64_t offset, const struct tls_record_sink *sink, void *arg)
{
	bool first = s->plain_len == 0;
	uint8_t peek[PEEK_LEN];
	const uint8_t *begin;
	struct mark start;
	size_t n;

	begin = gather(s, bytes, PEEK_LEN, &n);
	if (begin == NULL) {
		if (first)
			s->message_mark = s->record_mark;
		return;
	}
	if (!looks_like_plain_hello(begin)) {
		skip_encrypted_record(s, sink, arg);
		return;
	}
	memcpy(peek, begin, PEEK_LEN);
	start = first ? s->record_mark : s->message_mark;
	s->plain_len = 0;
	s->encrypted = false;
	take_handshake(s, span_from(peek, PEEK_LEN), &start, start.offset, sink, arg);
	take_handshake(
	    s, span_from(bytes.data + n, bytes.len - n), mark, offset + (int64_t)n, sink, arg);
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
	else if (s->encrypted && s->message_left == 0)
		take_after_ccs(s, bytes, mark, offset, sink, arg);
	else
		take_handshake(s, bytes, mark, offset, sink, arg);
}

void
tls_ssl2_take_body(
    struct tls_record_stream *s, struct span bytes, const struct tls_record_sink *sink, void *arg)
{
	take_message_body(s, bytes, sink, arg);
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
is_first_alert_header(const struct tls_record_stream *s, const uint8_t h[TLS_RECORD_HEADER_LEN])
{
	return s->state == TLS_RECORDS_START && h[0] == TLS_RECORD_ALERT && bytes_u16(h + 1) == 0 &&
	       bytes_u16(h + 3) == 2;
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
	if (is_record_header(s->header) || is_first_alert_header(s, s->header)) {
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

/* A handshake record behind a ChangeCipherSpec, of which too little is here to show a hello. */
static bool
is_cut_ciphertext(const struct tls_record_stream *s)
{
	if (s->type != TLS_RECORD_HANDSHAKE || !s->encrypted || s->skipped || s->sslv2 ||
	    s->message_left > 0)
		return false;
	return s->plain_len == 0 || (s->plain[0] != TLS_HANDSHAKE_CLIENT_HELLO &&
					s->plain[0] != TLS_HANDSHAKE_SERVER_HELLO);
}

void
tls_record_stream_gap(
    struct tls_record_stream *s, int64_t len, const struct tls_record_sink *sink, void *arg)
{
	if (s->state == TLS_RECORDS_GARBAGE)
		return;
	tls_record_stream_flush(s, sink, arg);
	if (s->record_left > 0 && is_cut_ciphertext(s))
		skip_encrypted_record(s, sink, arg);
	s->plain_len = 0;
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
	if (record_len < MESSAGE_HEADER_LEN || record_len > TLS_RECORD_MAX)
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
