#include "hello_parts.h"

#include <string.h>

#include "truth.h"
#include "wire.h"

#include "base/banned.h"

#define CLIENT_HELLO 1
#define MLKEM_CLIENT_LEN 1216
#define SUITE_RENEGOTIATION 0x00ff
#define SUITE_FALLBACK 0x5600
/* Hellos of 256 to 511 bytes upset some servers; padding takes them beyond (RFC 7685). */
#define PADDED_LEN 512

static unsigned
draw_grease(struct dice *dice)
{
	return (dice_below(dice, 16) << 4 | 0xa) * 0x0101;
}

static void
add_server_name(struct buf *b, const char *name)
{
	size_t extension = extension_open(b, EXT_SERVER_NAME), list = wire_open_u16(b), text;

	wire_u8(b, 0);
	text = wire_open_u16(b);
	buf_add_text(b, name);
	wire_close_u16(b, text);
	wire_close_u16(b, list);
	wire_close_u16(b, extension);
}

static void
add_groups(struct buf *b, const struct client_kind *kind, unsigned grease)
{
	size_t extension = extension_open(b, EXT_SUPPORTED_GROUPS), list = wire_open_u16(b);

	if (kind->has & HELLO_GREASE)
		wire_u16(b, grease);
	if (kind->has & HELLO_MLKEM)
		wire_u16(b, GROUP_X25519_MLKEM768);
	if (kind->best >= TLS_1_2)
		wire_u16(b, GROUP_X25519);
	wire_u16(b, GROUP_P256);
	wire_u16(b, GROUP_P384);
	if (kind->best < TLS_1_3)
		wire_u16(b, GROUP_P521);
	wire_close_u16(b, list);
	wire_close_u16(b, extension);
}

static void
add_signatures(struct buf *b)
{
	static const uint16_t algorithms[] = { 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501,
		0x0806, 0x0601, 0x0203, 0x0201 };
	size_t extension = extension_open(b, EXT_SIGNATURE_ALGORITHMS), list = wire_open_u16(b);

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		wire_u16(b, algorithms[i]);
	wire_close_u16(b, list);
	wire_close_u16(b, extension);
}

static void
add_client_shares(struct buf *b, struct dice *dice, const struct client_kind *kind, unsigned grease,
    bool is_second)
{
	size_t extension = extension_open(b, EXT_KEY_SHARE), list = wire_open_u16(b);

	if (is_second) {
		hello_add_share(b, dice, GROUP_P256, P256_LEN);
	} else {
		if (kind->has & HELLO_GREASE)
			hello_add_share(b, dice, grease, 1);
		if (kind->has & HELLO_MLKEM)
			hello_add_share(b, dice, GROUP_X25519_MLKEM768, MLKEM_CLIENT_LEN);
		hello_add_share(b, dice, GROUP_X25519, X25519_LEN);
	}
	wire_close_u16(b, list);
	wire_close_u16(b, extension);
}

static void
add_versions(struct buf *b, const struct client_kind *kind, unsigned grease)
{
	size_t extension = extension_open(b, EXT_SUPPORTED_VERSIONS), list = wire_open_u8(b);
	unsigned last = kind->has & HELLO_OLD_VERSIONS ? TLS_1_0 : TLS_1_2;

	if (kind->has & HELLO_GREASE)
		wire_u16(b, grease);
	for (unsigned version = TLS_1_3; version >= last; version--)
		wire_u16(b, version);
	wire_close_u8(b, list);
	wire_close_u16(b, extension);
}

/* RFC 9849: an outer hello, as far as its bytes go. */
static void
add_ech(struct buf *b, struct dice *dice)
{
	static const uint8_t outer_suite[] = { 0, 0, 1, 0, 1 };
	size_t extension = extension_open(b, EXT_ENCRYPTED_CLIENT_HELLO), part;

	buf_add(b, outer_suite, sizeof(outer_suite));
	wire_u8(b, dice_below(dice, 256));
	part = wire_open_u16(b);
	wire_random(b, dice, X25519_LEN);
	wire_close_u16(b, part);
	part = wire_open_u16(b);
	wire_random(b, dice, 176);
	wire_close_u16(b, part);
	wire_close_u16(b, extension);
}

static void
add_ticket(struct buf *b, struct dice *dice, const struct hello *h)
{
	size_t extension = extension_open(b, EXT_SESSION_TICKET);

	if (h->is_resumed && h->version < TLS_1_3)
		wire_random(b, dice, 176);
	wire_close_u16(b, extension);
}

/* RFC 8446, section 4.2.11: the last one. */
static void
add_pre_shared_key(struct buf *b, struct dice *dice)
{
	size_t extension = extension_open(b, EXT_PRE_SHARED_KEY), list = wire_open_u16(b),
	       part = wire_open_u16(b);

	wire_random(b, dice, 192);
	wire_close_u16(b, part);
	wire_random(b, dice, 4);
	wire_close_u16(b, list);
	list = wire_open_u16(b);
	part = wire_open_u8(b);
	wire_random(b, dice, 32);
	wire_close_u8(b, part);
	wire_close_u16(b, list);
	wire_close_u16(b, extension);
}

static void
add_padding(struct buf *b, size_t start)
{
	size_t len = b->len - start, extension;

	if (len + 4 >= PADDED_LEN)
		return;
	extension = extension_open(b, EXT_PADDING);
	len = PADDED_LEN - (b->len - start);
	memset(buf_reserve(b, len), 0, len);
	b->len += len;
	wire_close_u16(b, extension);
}

/* Those that TLS 1.2 had, in the order in which this module's clients send them. */
static void
add_old_extensions(struct buf *b, struct dice *dice, const struct hello *h, unsigned grease)
{
	uint32_t has = h->kind->has;

	if (h->server_name[0] != '\0')
		add_server_name(b, h->server_name);
	if (has & HELLO_MASTER_SECRET)
		extension_add(b, EXT_EXTENDED_MASTER_SECRET, "", 0);
	if (has & HELLO_RENEGOTIATION)
		extension_add(b, EXT_RENEGOTIATION_INFO, "", 1);
	if (has & HELLO_GROUPS)
		add_groups(b, h->kind, grease);
	if (has & HELLO_POINT_FORMATS)
		extension_add(b, EXT_EC_POINT_FORMATS, "\1", 2);
	if (has & HELLO_TICKET)
		add_ticket(b, dice, h);
	if (has & HELLO_STATUS_REQUEST)
		extension_add(b, EXT_STATUS_REQUEST, "\1\0\0\0", 5);
	if (has & HELLO_SIGNATURES)
		add_signatures(b);
	if (has & HELLO_HEARTBEAT)
		extension_add(b, EXT_HEARTBEAT, "\1", 1);
}

static void
add_client_extensions(
    struct buf *b, struct dice *dice, const struct hello *h, size_t start, bool is_second)
{
	uint32_t has = h->kind->has;
	unsigned grease = draw_grease(dice), other_grease = grease ^ 0x1010;
	size_t all = wire_open_u16(b);

	if (has & HELLO_GREASE)
		extension_add(b, other_grease, "", 0);
	add_old_extensions(b, dice, h, grease);
	if (has & HELLO_TLS_1_3) {
		add_client_shares(b, dice, h->kind, grease, is_second);
		extension_add(b, EXT_PSK_KEY_EXCHANGE_MODES, "\1\1", 2);
		add_versions(b, h->kind, other_grease);
	}
	if (has & HELLO_GREASE)
		extension_add(b, grease, "", 1);
	if (has & HELLO_ECH)
		add_ech(b, dice);
	if (has & HELLO_PADDING)
		add_padding(b, start);
	if (h->is_resumed && h->version == TLS_1_3)
		add_pre_shared_key(b, dice);
	wire_close_u16(b, all);
}

static void
add_suites(struct buf *b, struct dice *dice, const struct hello *h)
{
	size_t list = wire_open_u16(b);

	if (h->kind->has & HELLO_GREASE)
		wire_u16(b, draw_grease(dice));
	for (size_t i = 0; i < CLIENT_SUITES_MAX && h->kind->suites[i] != 0; i++)
		wire_u16(b, h->kind->suites[i]);
	if (h->kind->has & HELLO_RENEGOTIATION_SUITE)
		wire_u16(b, SUITE_RENEGOTIATION);
	if (h->has_fallback_scsv)
		wire_u16(b, SUITE_FALLBACK);
	wire_close_u16(b, list);
}

static unsigned
client_record_version(const struct hello *h, bool is_second)
{
	if (is_second)
		return TLS_1_2;
	return h->kind->legacy_version == SSL_3 ? SSL_3 : TLS_1_0;
}

void
hello_client(struct buf *b, struct dice *dice, const struct hello *h, bool is_second)
{
	size_t record = record_open(b, RECORD_HANDSHAKE, client_record_version(h, is_second));
	size_t message;

	wire_u8(b, CLIENT_HELLO);
	message = wire_open_u24(b);
	wire_u16(b, h->kind->legacy_version);
	buf_add(b, h->client_random, sizeof(h->client_random));
	hello_add_session_id(b, h, (h->kind->has & HELLO_SESSION_ID) || h->is_resumed);
	add_suites(b, dice, h);
	buf_add(b, "\1", 2); /* no compression */
	if (h->kind->has != 0)
		add_client_extensions(b, dice, h, record, is_second);
	wire_close_u24(b, message);
	wire_close_u16(b, record);
}
