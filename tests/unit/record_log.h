/*
 * record_log - what a record stream hands out, as text, and streams to feed it with.
 */
#ifndef TLSTALLY_TESTS_RECORD_LOG_H
#define TLSTALLY_TESTS_RECORD_LOG_H

#include "base/buf.h"
#include "tls/record_stream.h"

#include "suite.h"
#include "tls_wire.h"

static inline const char *
seen_name(enum tls_seen what)
{
	static const char *const names[] = {
		[TLS_SEEN_HANDSHAKE] = "handshake",
		[TLS_SEEN_CCS] = "ccs",
		[TLS_SEEN_ALERT] = "alert",
		[TLS_SEEN_ENCRYPTED_HANDSHAKE] = "sealed-handshake",
		[TLS_SEEN_ENCRYPTED_ALERT] = "sealed-alert",
		[TLS_SEEN_APPLICATION_DATA] = "data",
		[TLS_SEEN_SSL2_RECORD] = "ssl2",
		[TLS_SEEN_SSL2_ERROR] = "ssl2-error",
	};

	return names[what];
}

/* What a stream says: one line of text (names, values, lengths, where it began), and the bodies. */
struct fixture {
	struct tls_record_stream stream;
	struct buf log, bodies;
	int64_t offset;
};

static inline void
on_seen(void *arg, enum tls_seen what, uint16_t value, uint32_t len, const struct mark *mark)
{
	struct fixture *f = arg;

	buf_addf(&f->log, "%s(%u,%u)@%lld ", seen_name(what), value, len, (long long)mark->offset);
}

static inline void
add_body(struct fixture *f, const char *name, uint8_t type, struct span body, bool whole,
    const struct mark *mark)
{
	buf_addf(&f->log, "%s %u:%s%zu@%lld ", name, type, whole ? "" : "cut ", body.len,
	    (long long)mark->offset);
	buf_add(&f->bodies, body.data, body.len);
}

static inline void
on_message(void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark)
{
	add_body(arg, "message", type, body, whole, mark);
}

static inline void
on_sslv2_hello(void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark)
{
	add_body(arg, "sslv2", type, body, whole, mark);
}

static const struct tls_record_sink sink = { on_seen, on_message, on_sslv2_hello };

static inline void
begin(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	tls_record_stream_init(&f->stream);
}

static inline void
end(struct fixture *f)
{
	tls_record_stream_release(&f->stream);
	buf_release(&f->log);
	buf_release(&f->bodies);
}

static inline void
feed(struct fixture *f, struct span bytes)
{
	struct mark mark = {
		.time_us = f->offset, .offset = f->offset, .peer_offset = MARK_NO_PEER
	};

	tls_record_stream_feed(&f->stream, bytes, &mark, &sink, f);
	f->offset += (int64_t)bytes.len;
}

static inline void
feed_pieces(struct fixture *f, struct span bytes, size_t len)
{
	struct span piece;

	while (bytes.len > 0) {
		ck_assert(span_read_span(&bytes, bytes.len < len ? bytes.len : len, &piece));
		feed(f, piece);
	}
}

static inline void
gap(struct fixture *f, int64_t len)
{
	tls_record_stream_gap(&f->stream, len, &sink, f);
	f->offset += len;
}

static inline struct span
bodies(const struct fixture *f)
{
	return span_from(f->bodies.data, f->bodies.len);
}

#define ck_log(f, text) ck_assert_str_eq(buf_text(&(f)->log), text)

static inline bool
log_has(struct fixture *f, const char *text)
{
	return strstr(buf_text(&f->log), text) != NULL;
}

#endif
