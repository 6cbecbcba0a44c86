/*
 * client_kind - what the clients of the captures offer: ten programs, from SSL 3 to post-quantum.
 *
 * Modelled on what such programs send, GREASE included (RFC 8701), without being any of them.
 */
#ifndef TLSTALLY_BENCH_CLIENT_KIND_H
#define TLSTALLY_BENCH_CLIENT_KIND_H

#include <stdint.h>

#include "dice.h"

/* What is in the ClientHello. */
enum {
	HELLO_SNI = 1 << 0,
	HELLO_STATUS_REQUEST = 1 << 1,
	HELLO_GROUPS = 1 << 2,
	HELLO_POINT_FORMATS = 1 << 3,
	HELLO_SIGNATURES = 1 << 4,
	HELLO_TICKET = 1 << 5,
	HELLO_MASTER_SECRET = 1 << 6,
	HELLO_RENEGOTIATION = 1 << 7,
	HELLO_HEARTBEAT = 1 << 8,
	HELLO_TLS_1_3 = 1 << 9,
	HELLO_GREASE = 1 << 10,
	HELLO_MLKEM = 1 << 11, /* a key share that makes it longer than a segment */
	HELLO_ECH = 1 << 12,
	HELLO_PADDING = 1 << 13,
	HELLO_SESSION_ID = 1 << 14,          /* RFC 8446, appendix D.4 */
	HELLO_RENEGOTIATION_SUITE = 1 << 15, /* RFC 5746's, in place of the extension */
	HELLO_OLD_VERSIONS = 1 << 16,        /* supported_versions goes down to TLS 1.0 */
};

#define CLIENT_SUITES_MAX 40

struct client_kind {
	unsigned weight;
	uint16_t legacy_version, best;
	uint32_t has;                       /* HELLO_*; 0: no extensions at all */
	uint16_t suites[CLIENT_SUITES_MAX]; /* up to the first 0 */
};

const struct client_kind *client_kind_draw(struct dice *dice);
/* Of those that browse. */
const struct client_kind *client_kind_draw_new(struct dice *dice);

#endif
