#include "hello_parts.h"

#include "truth.h"
#include "wire.h"

#include "base/banned.h"

#define SERVER_HELLO 2
#define MLKEM_SERVER_LEN 1120

static void
add_server_random(struct buf *b, struct dice *dice, const struct hello *h, bool is_retry)
{
	/* RFC 8446, section 4.1.3. */
	static const uint8_t retry[HELLO_RANDOM_LEN] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61,
		0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a,
		0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

	if (is_retry) {
		buf_add(b, retry, sizeof(retry));
	} else if (h->server_has_1_3 && h->version < TLS_1_3) {
		wire_random(b, dice, HELLO_RANDOM_LEN - 8);
		buf_add(b, "DOWNGRD", 7);
		wire_u8(b, h->version == TLS_1_2);
	} else {
		wire_random(b, dice, HELLO_RANDOM_LEN);
	}
}

static void
add_server_extensions_13(struct buf *b, struct dice *dice, const struct hello *h, bool is_retry)
{
	size_t all = wire_open_u16(b), share = extension_open(b, EXT_KEY_SHARE);

	if (is_retry)
		wire_u16(b, GROUP_P256);
	else if (h->has_retry)
		hello_add_share(b, dice, GROUP_P256, P256_LEN);
	else if (h->kind->has & HELLO_MLKEM)
		hello_add_share(b, dice, GROUP_X25519_MLKEM768, MLKEM_SERVER_LEN);
	else
		hello_add_share(b, dice, GROUP_X25519, X25519_LEN);
	wire_close_u16(b, share);
	if (h->is_resumed && !is_retry)
		extension_add(b, EXT_PRE_SHARED_KEY, "\0", 2);
	extension_add(b, EXT_SUPPORTED_VERSIONS, "\3\4", 2);
	wire_close_u16(b, all);
}

static void
add_server_extensions(struct buf *b, const struct hello *h)
{
	uint32_t has = h->kind->has;
	size_t all;

	if (!(has & (HELLO_RENEGOTIATION | HELLO_RENEGOTIATION_SUITE | HELLO_MASTER_SECRET)))
		return; /* an empty list is left out */
	all = wire_open_u16(b);
	if (has & (HELLO_RENEGOTIATION | HELLO_RENEGOTIATION_SUITE))
		extension_add(b, EXT_RENEGOTIATION_INFO, "", 1);
	if (has & HELLO_MASTER_SECRET)
		extension_add(b, EXT_EXTENDED_MASTER_SECRET, "", 0);
	if ((has & HELLO_TICKET) && !h->is_resumed)
		extension_add(b, EXT_SESSION_TICKET, "", 0);
	wire_close_u16(b, all);
}

void
hello_server(struct buf *b, struct dice *dice, const struct hello *h, bool is_retry)
{
	bool is_13 = h->version == TLS_1_3;
	size_t message, id;

	wire_u8(b, SERVER_HELLO);
	message = wire_open_u24(b);
	wire_u16(b, is_13 ? TLS_1_2 : h->version);
	add_server_random(b, dice, h, is_retry);
	if (is_13 || h->is_resumed) {
		/* Echoed, in TLS 1.3 for the sake of what is in between. */
		hello_add_session_id(b, h, (h->kind->has & HELLO_SESSION_ID) || h->is_resumed);
	} else {
		id = wire_open_u8(b);
		wire_random(b, dice, HELLO_SESSION_ID_LEN);
		wire_close_u8(b, id);
	}
	wire_u16(b, h->suite);
	wire_u8(b, 0);
	if (is_13)
		add_server_extensions_13(b, dice, h, is_retry);
	else
		add_server_extensions(b, h);
	wire_close_u24(b, message);
}
