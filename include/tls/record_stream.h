/*
 * record_stream - one side of a TLS connection: bytes in order → records, messages, alerts.
 *
 * Understands SSLv3 to TLS 1.3 records and SSLv2 ones, handshake messages over many records,
 * records over many segments, several messages in a record.  Keeps only messages that matter
 * (hellos and certificates) until they are whole; of everything else, that it was there and how
 * long it was.
 *
 * After a hole it goes on inside the record where its length allows, else at the next record that
 * can be recognised.  A hello that a hole cut is handed out as far as it is there; one that another
 * record interrupts is not.
 *
 * Source:  RFC 8446 section 5.1 and RFC 5246 section 6.2.1 (records), RFC 6101 (SSLv3),
 *          draft-hickman-netscape-ssl-00 section 1.1 (SSLv2 records).
 * Memory:  at most TLS_MESSAGE_MAX bytes of an unfinished message, within `struct
 *          tls_record_budget`.
 * Threads: one thread at a time per stream.
 */
#ifndef TLSTALLY_TLS_RECORD_STREAM_H
#define TLSTALLY_TLS_RECORD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mark.h"
#include "base/pool.h"
#include "base/span.h"

/* Of a longer message the beginning is kept: a ClientHello or a leaf certificate fits easily. */
#define TLS_MESSAGE_MAX 65536
/* Room that an unfinished message begins with; it doubles.  The smallest sizes are from pools. */
#define TLS_MESSAGE_ROOM 1024
#define TLS_MESSAGE_POOLS 2

/* What a record holds, as far as the outside shows it. */
enum tls_seen {
	TLS_SEEN_HANDSHAKE, /* a handshake message in the clear; `value` is its type */
	TLS_SEEN_CCS,       /* ChangeCipherSpec */
	TLS_SEEN_ALERT,     /* in the clear; `value` is level << 8 | description */
	TLS_SEEN_ENCRYPTED_HANDSHAKE,
	TLS_SEEN_ENCRYPTED_ALERT,
	TLS_SEEN_APPLICATION_DATA,
	TLS_SEEN_SSL2_RECORD, /* an SSLv2 record behind the hello */
	TLS_SEEN_SSL2_ERROR,  /* `value` is the error code */
};

struct tls_record_sink {
	/* `len`: of the message or record.  `mark`: of its first byte. */
	void (*seen)(
	    void *arg, enum tls_seen what, uint16_t value, uint32_t len, const struct mark *mark);
	/*
	 * A hello or certificate: `type` is TLS_HANDSHAKE_*, `body` what is there of it behind the
	 * header, borrowed for the call; `whole` tells whether that is all of it.  A chain of
	 * certificates ends behind the first one.
	 */
	void (*message)(
	    void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark);
	/* The same for a hello in SSLv2 format, `type` being 1 (client) or 4 (server). */
	void (*sslv2_hello)(
	    void *arg, uint8_t type, struct span body, bool whole, const struct mark *mark);
};

enum tls_record_state {
	TLS_RECORDS_START,   /* at the first byte */
	TLS_RECORDS_IN_SYNC, /* at a record's header, or inside a record */
	TLS_RECORDS_LOST,    /* behind a hole: looks for the next record */
	TLS_RECORDS_GARBAGE, /* what came is no TLS; nothing more is read */
};

/* Memory of unfinished messages, shared by the streams of a pipeline. */
struct tls_record_budget {
	size_t kept_len, max_kept_len;
	uint64_t exceeded_count; /* messages that are handed out cut because of it */
	struct pool *rooms;      /* borrowed: TLS_MESSAGE_POOLS, see below; NULL: malloc's */
};

/* The first one's rooms have TLS_MESSAGE_ROOM bytes, each next one's twice as many. */
void tls_message_pools_init(struct pool pools[TLS_MESSAGE_POOLS]);
void tls_message_pools_release(struct pool pools[TLS_MESSAGE_POOLS]);

/*
 * Embedded; private but for `state`, `hello_pending` and `budget`.  What records and messages that
 * are there whole need comes first, in one line of the processor's cache.
 */
struct tls_record_stream {
	uint8_t state;      /* enum tls_record_state */
	bool hello_pending; /* a ClientHello or ServerHello has begun and is not whole yet */
	bool encrypted;     /* a ChangeCipherSpec went by: handshake records may be ciphertext */
	bool sslv2;         /* records are in SSLv2 format */
	uint8_t header_len; /* bytes in `header` */
	uint8_t type;       /* of the record that is being read */
	bool skipped;       /* the rest of the record is of no interest */
	uint8_t plain_len;  /* bytes in `plain` */
	uint8_t message_type;
	bool message_kept;
	bool kept_full;      /* the budget was reached in this message */
	uint32_t record_len; /* of the record that is being read */
	uint32_t record_left;
	uint32_t message_len;
	uint32_t message_left;
	uint32_t kept_len, kept_room;
	uint32_t kept_want; /* with so much of it, it is handed out */
	struct mark record_mark;

	struct mark message_mark;
	struct tls_record_budget *budget; /* borrowed; set after _init; NULL: none is shared */
	uint8_t *kept;                    /* the unfinished message; owned */
	uint8_t header[5];
	uint8_t plain[6]; /* the first bytes of an alert, or of a handshake message */
};

void tls_record_stream_init(struct tls_record_stream *s);
void tls_record_stream_release(struct tls_record_stream *s);

/* Starts where the beginning of the records is not known: in mid-connection. */
void tls_record_stream_start_lost(struct tls_record_stream *s);

/* Feeds one segment's bytes; `mark` is of the first one. */
void tls_record_stream_feed(struct tls_record_stream *s, struct span bytes, const struct mark *mark,
    const struct tls_record_sink *sink, void *arg);

/*
 * The quick way of tls_record_stream_feed: takes a segment's bytes, one or more, that lie inside a
 * record and say nothing new, so that they are only counted.  Returns false, and changes nothing,
 * for all others.
 */
bool tls_record_stream_pass(struct tls_record_stream *s, struct span bytes);

/* `len` bytes are missing from the capture here. */
void tls_record_stream_gap(
    struct tls_record_stream *s, int64_t len, const struct tls_record_sink *sink, void *arg);

/* Hands out what there is of an unfinished hello. */
void tls_record_stream_flush(
    struct tls_record_stream *s, const struct tls_record_sink *sink, void *arg);

/*
 * True when the bytes look like the beginning of a record with a hello inside: the type, the
 * versions and the lengths agree.  For finding TLS behind another protocol's words.
 */
bool tls_looks_like_hello(struct span bytes);
/*
 * True when the bytes are one SSLv2 record with a ClientHello inside, whole: in mid-connection less
 * would not tell it from ciphertext.
 */
bool tls_looks_like_sslv2_hello(struct span bytes);
/* True when the bytes begin with the header of a TLS record. */
bool tls_looks_like_record(struct span bytes);
/* The same, or they are whole in a form that only a side's first record has. */
bool tls_looks_like_first_record(struct span bytes);
/* The type of the last record, where the bytes are whole records; else 0. */
uint8_t tls_last_record_type(struct span bytes);

#endif
