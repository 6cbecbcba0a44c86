/* hello_parts - what both hellos are made of; inside of hello_*.c only. */
#ifndef TLSTALLY_BENCH_HELLO_PARTS_H
#define TLSTALLY_BENCH_HELLO_PARTS_H

#include "hello.h"

enum {
	EXT_SERVER_NAME = 0,
	EXT_STATUS_REQUEST = 5,
	EXT_SUPPORTED_GROUPS = 10,
	EXT_EC_POINT_FORMATS = 11,
	EXT_SIGNATURE_ALGORITHMS = 13,
	EXT_HEARTBEAT = 15,
	EXT_PADDING = 21,
	EXT_EXTENDED_MASTER_SECRET = 23,
	EXT_SESSION_TICKET = 35,
	EXT_PRE_SHARED_KEY = 41,
	EXT_SUPPORTED_VERSIONS = 43,
	EXT_PSK_KEY_EXCHANGE_MODES = 45,
	EXT_KEY_SHARE = 51,
	EXT_ENCRYPTED_CLIENT_HELLO = 0xfe0d,
	EXT_RENEGOTIATION_INFO = 0xff01,
};

enum { GROUP_P256 = 23, GROUP_P384 = 24, GROUP_P521 = 25, GROUP_X25519 = 29 };
#define GROUP_X25519_MLKEM768 0x11ec
#define X25519_LEN 32
#define P256_LEN 65

/* An extension's header: to be closed with wire_close_u16(). */
size_t extension_open(struct buf *b, unsigned type);
/* A whole one. */
void extension_add(struct buf *b, unsigned type, const void *data, size_t len);
void hello_add_share(struct buf *b, struct dice *dice, unsigned group, size_t len);
void hello_add_session_id(struct buf *b, const struct hello *h, bool has_one);

#endif
