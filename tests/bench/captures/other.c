#include "other.h"

#include <string.h>

#include "handshake.h"
#include "wire.h"

#include "base/banned.h"

#define DNS_TTL 3600
#define DNS_TYPE_A 1
#define DNS_TYPE_AAAA 28
#define DNS_CLASS_IN 1
#define DNS_POINTER_TO_QUESTION 0xc00c

enum { PORT_SSH = 22, PORT_HTTP = 80, PORT_HTTPS = 443, PORT_SMB = 445, PORT_HTTPS_ALT = 8443 };

static const struct {
	uint16_t port;
	uint32_t percent;
} ports[] = {
	{ PORT_HTTPS, 62 },
	{ PORT_SMB, 14 },
	{ PORT_HTTP, 12 },
	{ PORT_HTTPS_ALT, 4 },
	{ PORT_SSH, 4 },
	{ 3389, 2 },
	{ 2049, 2 },
};

uint16_t
other_port_draw(struct dice *dice)
{
	uint32_t drawn = dice_below(dice, 100);
	size_t i = 0;

	while (drawn >= ports[i].percent)
		drawn -= ports[i++].percent;
	return ports[i].port;
}

/* Of the default services none is here: TLS, but no event. */
static void
write_https(struct conversation *c, const struct server *server, uint32_t len)
{
	struct handshake_plan plan = { .server = server,
		.kind = client_kind_draw_new(c->dice),
		.bulk_len = len,
		.bulk_from = SERVER };

	handshake_write(c, &plan);
	c->truth = (struct truth){ 0 };
}

static void
write_greeting(struct conversation *c, const struct server *server, uint32_t len)
{
	static const uint8_t smb[] = { 0, 0, 0, 0x6c, 0xfe, 'S', 'M', 'B', 0x40 };
	struct buf request = { 0 };

	if (c->ends.server_port == PORT_HTTP) {
		conversation_sayf(c, CLIENT, "GET /%u HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n",
		    dice_below(c->dice, 100000), server->name);
		conversation_sayf(c, SERVER, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", len);
	} else if (c->ends.server_port == PORT_SSH) {
		conversation_sayf(c, SERVER, "SSH-2.0-Example\r\n");
		conversation_sayf(c, CLIENT, "SSH-2.0-Example\r\n");
	} else {
		if (c->ends.server_port == PORT_SMB)
			buf_add(&request, smb, sizeof(smb));
		wire_random(&request, c->dice, 112 - request.len);
		conversation_say(c, CLIENT, &request);
	}
	buf_release(&request);
}

void
other_write(struct conversation *c, const struct server *server, uint32_t len)
{
	conversation_open(c);
	if (c->ends.server_port == PORT_HTTPS || c->ends.server_port == PORT_HTTPS_ALT) {
		write_https(c, server, len);
		return;
	}
	write_greeting(c, server, len);
	/* From the middle of a record on: bytes without a form. */
	c->bulk_offset = dice_below(c->dice, BULK_RECORD_LEN);
	conversation_bulk(c, dice_chance(c->dice, 800) ? SERVER : CLIENT, len);
	conversation_close(c, CLIENT);
}

static void
add_dns_name(struct buf *b, const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		wire_u8(b, (unsigned)len);
		buf_add(b, name, len);
		name += len + (name[len] == '.');
	}
	wire_u8(b, 0);
}

/* RFC 1035, section 4. */
static void
add_dns_message(struct buf *b, unsigned id, const char *name, struct span address, bool is_answer)
{
	unsigned type = address.len == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA;

	wire_u16(b, id);
	wire_u16(b, is_answer ? 0x8180 : 0x0100);
	wire_u16(b, 1);
	wire_u16(b, is_answer);
	wire_u16(b, 0);
	wire_u16(b, 0);
	add_dns_name(b, name);
	wire_u16(b, type);
	wire_u16(b, DNS_CLASS_IN);
	if (!is_answer)
		return;
	wire_u16(b, DNS_POINTER_TO_QUESTION);
	wire_u16(b, type);
	wire_u16(b, DNS_CLASS_IN);
	wire_u16(b, 0);
	wire_u16(b, DNS_TTL);
	wire_u16(b, (unsigned)address.len);
	buf_add(b, address.data, address.len);
}

void
other_write_dns(struct conversation *c, const char *name, struct span address)
{
	unsigned id = dice_below(c->dice, 0x10000);
	struct buf message = { 0 };

	add_dns_message(&message, id, name, address, false);
	conversation_datagram(c, CLIENT, &message, 0);
	buf_clear(&message);
	add_dns_message(&message, id, name, address, true);
	conversation_datagram(c, SERVER, &message, dice_between(c->dice, 400, 20000));
	buf_release(&message);
}
