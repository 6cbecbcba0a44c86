/*
 * One direction: the first eight bytes say how it is cut into pieces, the next one where bytes are
 * missing, the rest is the stream.  However it is cut, it says the same, up to the place where the
 * stream gets lost: from there on a segment's beginning is what is recognised.
 */
#include "base/buf.h"
#include "tls/record_stream.h"

#include <assert.h>

#include "base/banned.h"

#define PATTERN_LEN 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What a stream said, as bytes that can be compared. */
static void
log_number(struct buf *log, uint64_t value)
{
	buf_add(log, &value, sizeof(value));
}

static void
on_seen(void *arg, enum tls_seen what, uint16_t value, uint32_t len, const struct mark *mark)
{
	struct buf *log = arg;

	log_number(log, (uint64_t)what << 48 | (uint64_t)value << 32 | len);
	log_number(log, (uint64_t)mark->offset);
}

static void
log_body(struct buf *log, uint8_t type, struct span body, bool whole, const struct mark *mark)
{
	assert(body.len <= TLS_MESSAGE_MAX);
	log_number(log, (uint64_t)type << 32 | (uint64_t)whole << 40 | body.len);
	log_number(log, (uint64_t)mark->offset);
	if (body.len > 0)
		buf_add(log, body.data, body.len);
}

static void
on_message(void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark)
{
	log_body(arg, type, body, whole, mark);
}

static void
on_sslv2_hello(void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark)
{
	log_body(arg, (uint8_t)(type | 0x80), body, whole, mark);
}

static const struct tls_record_sink sink = { on_seen, on_message, on_sslv2_hello };

/* Feeds `bytes` in pieces; `pattern` NULL: as a whole.  Stops where the stream is lost. */
static size_t
feed(struct tls_record_stream *s, struct span bytes, const uint8_t *pattern, struct buf *log)
{
	size_t offset = 0;

	for (unsigned i = 0; offset < bytes.len && s->state != TLS_RECORDS_LOST; i++) {
		struct mark mark = { .offset = (int64_t)offset };
		size_t left = bytes.len - offset;
		size_t n = pattern == NULL ? left : (size_t)pattern[i % PATTERN_LEN] + 1;

		n = n < left ? n : left;
		tls_record_stream_feed(s, span_from(bytes.data + offset, n), &mark, &sink, log);
		offset += n;
	}
	return offset;
}

static struct buf
run(struct span bytes, const uint8_t *pattern, size_t *consumed)
{
	struct tls_record_budget budget = { .max_kept_len = TLS_MESSAGE_MAX };
	struct tls_record_stream stream;
	struct buf log = { 0 };

	tls_record_stream_init(&stream);
	stream.budget = &budget;
	*consumed = feed(&stream, bytes, pattern, &log);
	tls_record_stream_flush(&stream, &sink, &log);
	log_number(&log, stream.state);
	tls_record_stream_release(&stream);
	assert(budget.kept_len == 0);
	return log;
}

/* Holes everywhere: nothing is expected but that it goes well. */
static void
run_with_holes(struct span bytes, const uint8_t *pattern, uint8_t holes)
{
	struct tls_record_stream stream;
	struct buf log = { 0 };
	struct mark mark = { 0 };

	tls_record_stream_init(&stream);
	if ((holes & 1) != 0)
		tls_record_stream_start_lost(&stream);
	for (unsigned i = 0; bytes.len > 0; i++) {
		size_t n = (size_t)pattern[i % PATTERN_LEN] + 1;
		struct span piece = span_first(bytes, n);

		if ((holes >> (i % 8) & 1) != 0)
			tls_record_stream_gap(&stream, (int64_t)piece.len, &sink, &log);
		else
			tls_record_stream_feed(&stream, piece, &mark, &sink, &log);
		mark.offset += (int64_t)piece.len;
		bytes = span_from(bytes.data + piece.len, bytes.len - piece.len);
	}
	tls_record_stream_flush(&stream, &sink, &log);
	tls_record_stream_release(&stream);
	buf_release(&log);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t single_bytes[PATTERN_LEN] = { 0 };
	struct span bytes = span_from(data, len), pattern;
	struct buf whole, pieces;
	size_t consumed;
	uint8_t holes;

	if (!span_read_span(&bytes, PATTERN_LEN, &pattern) || !span_read_u8(&bytes, &holes))
		return 0;
	run_with_holes(bytes, pattern.data, holes);
	pieces = run(bytes, single_bytes, &consumed);
	buf_release(&pieces);
	/* Without the byte that lost it, the stream is not lost. */
	bytes = span_first(bytes, consumed < bytes.len ? consumed - 1 : consumed);
	whole = run(bytes, NULL, &consumed);
	pieces = run(bytes, pattern.data, &consumed);
	assert(whole.len == pieces.len);
	assert(memcmp(whole.data, pieces.data, whole.len) == 0);
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
