#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

#define FIRST_CLIENT 0x0a010000u   /* 10.1.0.0 */
#define FIRST_STRANGER 0x0a800000u /* 10.128.0.0/9 */
#define STRANGERS 0x800000u
#define FIRST_PORT 20000
#define PORTS 44000
#define V6_PER_MILLE 100
#define TAGGED_PER_MILLE 200
#define FIRST_VLAN 10

void
network_init(struct network *n, uint32_t client_count)
{
	n->client_count = client_count;
	n->connections = xcalloc(client_count, sizeof(*n->connections));
}

void
network_release(struct network *n)
{
	free(n->connections);
}

static void
set_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static void
set_v6(uint8_t *at, unsigned net, uint32_t host)
{
	static const uint8_t documentation[] = { 0x20, 0x01, 0x0d, 0xb8 }; /* RFC 3849 */

	memset(at, 0, 16);
	memcpy(at, documentation, sizeof(documentation));
	at[5] = (uint8_t)net;
	set_u32(at + 12, host);
}

struct span
network_server(uint32_t server, bool is_v6, uint8_t out[16])
{
	static const uint8_t documentation[] = { 192, 0, 2 }; /* RFC 5737 */

	if (is_v6) {
		set_v6(out, 2, server + 1);
		return span_from(out, 16);
	}
	memcpy(out, documentation, sizeof(documentation));
	out[3] = (uint8_t)(server + 1);
	return span_from(out, 4);
}

/* Which of a thousand clients this one is: spread, so that neighbours differ. */
static uint32_t
per_mille(uint32_t client, uint32_t factor)
{
	return (client * factor >> 8) % 1000;
}

void
network_connect(
    struct network *n, uint32_t client, uint32_t server, uint16_t port, struct endpoints *out)
{
	*out = (struct endpoints){ .is_v6 = per_mille(client, 2654435761u) < V6_PER_MILLE,
		.client_port =
		    (uint16_t)(FIRST_PORT + (client * 7919u + n->connections[client]++) % PORTS),
		.server_port = port,
		.vlan = -1 };
	if (out->is_v6)
		set_v6(out->client_ip, 1, client + 1);
	else
		set_u32(out->client_ip, FIRST_CLIENT + client);
	(void)network_server(server, out->is_v6, out->server_ip);
	out->client_mac[0] = 2; /* locally administered */
	set_u32(out->client_mac + 2, FIRST_CLIENT + client);
	if (per_mille(client, 2246822519u) < TAGGED_PER_MILLE)
		out->vlan = FIRST_VLAN + (int32_t)(client % 4);
}

void
network_connect_stranger(struct dice *dice, uint32_t server, uint16_t port, struct endpoints *out)
{
	*out = (struct endpoints){
		.server_port = port, .client_mac = { 2, 0, 0, 0, 0, 2 }, .vlan = -1
	};
	out->client_port = (uint16_t)dice_between(dice, 1024, 65535);
	set_u32(out->client_ip, FIRST_STRANGER + dice_below(dice, STRANGERS));
	(void)network_server(server, false, out->server_ip);
}
