/*
 * hello - the bytes of ClientHello and ServerHello (RFC 8446 and RFC 5246, section 4.1 and 7.4.1).
 */
#ifndef TLSTALLY_BENCH_HELLO_H
#define TLSTALLY_BENCH_HELLO_H

#include "base/buf.h"
#include "client_kind.h"
#include "dice.h"

#define HELLO_RANDOM_LEN 32
#define HELLO_SESSION_ID_LEN 32

enum { RECORD_CCS = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };

/* What a handshake's hellos have in common. */
struct hello {
	const struct client_kind *kind;
	const char *server_name; /* "": no SNI */
	uint16_t version;        /* the server's choice; 0: none */
	uint16_t suite;
	bool server_has_1_3;
	bool has_fallback_scsv, is_resumed, has_retry;
	uint8_t client_random[HELLO_RANDOM_LEN];
	uint8_t session_id[HELLO_SESSION_ID_LEN];
};

/* The record's header up to its length: to be closed with wire_close_u16(). */
size_t record_open(struct buf *b, unsigned type, unsigned version);
void record_random(struct buf *b, struct dice *dice, unsigned type, unsigned version, size_t len);
void record_change_cipher_spec(struct buf *b, unsigned version);

/* Appends a whole record; `is_second`: the one that answers a HelloRetryRequest. */
void hello_client(struct buf *b, struct dice *dice, const struct hello *h, bool is_second);
/* Appends the message without a record; `is_retry`: a HelloRetryRequest. */
void hello_server(struct buf *b, struct dice *dice, const struct hello *h, bool is_retry);

#endif
