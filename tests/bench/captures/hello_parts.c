#include "hello_parts.h"

#include "wire.h"

#include "base/banned.h"

size_t
record_open(struct buf *b, unsigned type, unsigned version)
{
	wire_u8(b, type);
	wire_u16(b, version);
	return wire_open_u16(b);
}

void
record_random(struct buf *b, struct dice *dice, unsigned type, unsigned version, size_t len)
{
	size_t record = record_open(b, type, version);

	wire_random(b, dice, len);
	wire_close_u16(b, record);
}

void
record_change_cipher_spec(struct buf *b, unsigned version)
{
	size_t record = record_open(b, RECORD_CCS, version);

	wire_u8(b, 1);
	wire_close_u16(b, record);
}

size_t
extension_open(struct buf *b, unsigned type)
{
	wire_u16(b, type);
	return wire_open_u16(b);
}

void
extension_add(struct buf *b, unsigned type, const void *data, size_t len)
{
	size_t start = extension_open(b, type);

	buf_add(b, data, len);
	wire_close_u16(b, start);
}

void
hello_add_share(struct buf *b, struct dice *dice, unsigned group, size_t len)
{
	size_t share;

	wire_u16(b, group);
	share = wire_open_u16(b);
	wire_random(b, dice, len);
	if (group == GROUP_P256) /* an uncompressed point */
		b->data[share] = 4;
	wire_close_u16(b, share);
}

void
hello_add_session_id(struct buf *b, const struct hello *h, bool has_one)
{
	size_t id = wire_open_u8(b);

	if (has_one)
		buf_add(b, h->session_id, sizeof(h->session_id));
	wire_close_u8(b, id);
}
