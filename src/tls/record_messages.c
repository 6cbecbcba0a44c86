/*
 * Handshake messages out of the bodies of records, in which they need not begin or end; hellos and
 * certificates are kept until they are whole.
 */
#include <assert.h>
#include <string.h>

#include "tls/names.h"
#include "tls/record_internal.h"

#include "base/banned.h"

/* A plaintext hello behind a ChangeCipherSpec shows by so many bytes. */
#define PEEK_LEN 6
/* Longer handshake messages are not found in practice: such a length is ciphertext. */
#define MESSAGE_LEN_LIMIT (1u << 20)

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

	if (type != TLS_HANDSHAKE_CERTIFICATE || body.len < TLS_CHAIN_HEADER_LEN)
		return message_len;
	len = TLS_CHAIN_HEADER_LEN + (bytes_u32(body.data + 2) & 0xffffff);
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

/* RFC 8446, section 4 and RFC 5246, section 7.4: the types that exist. */
static bool
is_known_type(uint8_t type)
{
	return type <= 6 || type == 8 || (type >= 11 && type <= 16) || (type >= 20 && type <= 25) ||
	       type == 67 || type == 254;
}

/* False when these bytes are no message's header. */
static bool
begin_message(struct tls_record_stream *s, const uint8_t h[TLS_MESSAGE_HEADER_LEN],
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

	if (s->message_left > 0 || s->plain_len > 0 || bytes.len < TLS_MESSAGE_HEADER_LEN)
		return 0;
	word = bytes_u32(bytes.data);
	type = (uint8_t)(word >> 24);
	body = span_from(bytes.data + TLS_MESSAGE_HEADER_LEN, word & 0xffffff);
	if (body.len > bytes.len - TLS_MESSAGE_HEADER_LEN || !is_known_type(type))
		return 0;
	at = message_start(s, mark, offset);
	sink->seen(arg, TLS_SEEN_HANDSHAKE, type, (uint32_t)body.len, &at);
	if (is_kept_type(type))
		sink->message(arg, type,
		    span_first(body, wanted_len(type, (uint32_t)body.len, body)), true, &at);
	return TLS_MESSAGE_HEADER_LEN + body.len;
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
	header = gather(s, bytes, TLS_MESSAGE_HEADER_LEN, &n);
	if (header != NULL && !begin_message(s, header, sink, arg))
		skip_encrypted_record(s, sink, arg);
	return n;
}

/* In the clear. */
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

/* A handshake record behind a ChangeCipherSpec, of which too little is here to show a hello. */
static bool
is_cut_behind_ccs(const struct tls_record_stream *s)
{
	return s->record_left > 0 && s->type == TLS_RECORD_HANDSHAKE && s->encrypted &&
	       !s->skipped && !s->sslv2 && s->message_left == 0;
}

/* What is here of it begins like a hello. */
static bool
begins_like_hello(const struct tls_record_stream *s)
{
	uint8_t peek[PEEK_LEN] = { 0, 0, 0, 0, 3, 0 };

	memcpy(peek, s->plain, s->plain_len);
	return looks_like_plain_hello(peek);
}

void
tls_messages_take(struct tls_record_stream *s, struct span bytes, const struct mark *mark,
    int64_t offset, const struct tls_record_sink *sink, void *arg)
{
	if (s->encrypted && s->message_left == 0)
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

void
tls_messages_gap(struct tls_record_stream *s, const struct tls_record_sink *sink, void *arg)
{
	tls_record_stream_flush(s, sink, arg);
	if (is_cut_behind_ccs(s)) {
		/* Ciphertext begins with the same byte now and then: it may be either. */
		if (!begins_like_hello(s))
			skip_encrypted_record(s, sink, arg);
		else if (s->plain_len == 1)
			s->record_left = 0;
	}
	s->plain_len = 0;
}
