#include "frame.h"

#include <string.h>

#include "base/banned.h"

#define MAC_LEN 6
#define IP4_LEN 20
#define IP6_LEN 40
#define UDP_LEN 8
#define TCP_LEN 20
#define SYN_OPTIONS_LEN 20
#define TIMESTAMPS_LEN 12
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
/* The mirror stands beside the clients. */
#define CLIENT_HOPS 64
#define SERVER_HOPS 57

static void
put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void
put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value & 0xffff);
}

/* RFC 1071, section 2: the sum does not depend on byte order, as long as it is the same in both. */
static uint64_t
sum_words(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;
	uint32_t word;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	word = 0;
	memcpy(&word, data, len);
	return sum + word;
}

static void
put_checksum(uint8_t *at, uint64_t sum)
{
	uint16_t checksum;

	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	checksum = (uint16_t)~sum;
	memcpy(at, &checksum, sizeof(checksum));
}

static uint8_t *
put_ethernet(uint8_t *at, const struct endpoints *ends, enum side side)
{
	static const uint8_t router[MAC_LEN] = { 2, 0, 0, 0, 0, 1 };

	memcpy(at, side == CLIENT ? router : ends->client_mac, MAC_LEN);
	memcpy(at + MAC_LEN, side == CLIENT ? ends->client_mac : router, MAC_LEN);
	at += 2 * MAC_LEN;
	if (ends->vlan >= 0) {
		put_u16(at, ETHERTYPE_VLAN);
		put_u16(at + 2, (unsigned)ends->vlan);
		at += 4;
	}
	put_u16(at, ends->is_v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
	return at + 2;
}

static uint8_t *
put_ipv4(uint8_t *at, struct conversation *c, enum side side, unsigned protocol, size_t len)
{
	const struct endpoints *ends = &c->ends;

	at[0] = 0x45;
	at[1] = 0;
	put_u16(at + 2, (unsigned)(IP4_LEN + len));
	put_u16(at + 4, c->ip_id[side]++);
	put_u16(at + 6, 0x4000); /* do not fragment */
	at[8] = side == CLIENT ? CLIENT_HOPS : SERVER_HOPS;
	at[9] = (uint8_t)protocol;
	put_u16(at + 10, 0);
	memcpy(at + 12, side == CLIENT ? ends->client_ip : ends->server_ip, 4);
	memcpy(at + 16, side == CLIENT ? ends->server_ip : ends->client_ip, 4);
	put_checksum(at + 10, sum_words(at, IP4_LEN));
	return at + IP4_LEN;
}

static uint8_t *
put_ipv6(uint8_t *at, const struct endpoints *ends, enum side side, unsigned protocol, size_t len)
{
	put_u32(at, UINT32_C(6) << 28);
	put_u16(at + 4, (unsigned)len);
	at[6] = (uint8_t)protocol;
	at[7] = side == CLIENT ? CLIENT_HOPS : SERVER_HOPS;
	memcpy(at + 8, side == CLIENT ? ends->client_ip : ends->server_ip, 16);
	memcpy(at + 24, side == CLIENT ? ends->server_ip : ends->client_ip, 16);
	return at + IP6_LEN;
}

/* Everything in front of the transport header, of which this returns the place. */
static uint8_t *
put_network(uint8_t *at, struct conversation *c, enum side side, unsigned protocol, size_t len)
{
	at = put_ethernet(at, &c->ends, side);
	return c->ends.is_v6 ? put_ipv6(at, &c->ends, side, protocol, len)
			     : put_ipv4(at, c, side, protocol, len);
}

/* RFC 9293, section 3.1: with the pseudo-header. */
static void
put_transport_checksum(uint8_t *at, const struct endpoints *ends, unsigned protocol,
    const uint8_t *transport, size_t len)
{
	uint8_t pseudo[4];
	size_t address_len = ends->is_v6 ? 16 : 4;

	put_u16(pseudo, protocol);
	put_u16(pseudo + 2, (unsigned)len);
	put_checksum(at, sum_words(pseudo, sizeof(pseudo)) +
			     sum_words(ends->client_ip, address_len) +
			     sum_words(ends->server_ip, address_len) + sum_words(transport, len));
}

static void
put_syn_options(uint8_t *at, const struct conversation *c, uint32_t now, uint32_t echo)
{
	at[0] = 2; /* segment size */
	at[1] = 4;
	put_u16(at + 2, c->ends.is_v6 ? 1440 : 1460);
	at[4] = 4; /* selective acknowledgements */
	at[5] = 2;
	memset(at + 6, 1, 10);
	if (c->has_timestamps) {
		at[6] = 8;
		at[7] = 10;
		put_u32(at + 8, now);
		put_u32(at + 12, echo);
	}
	at[16] = 1;
	at[17] = 3; /* window scale */
	at[18] = 3;
	at[19] = 7;
}

/* Returns their length. */
static size_t
put_options(
    uint8_t *at, const struct conversation *c, const struct segment *segment, int64_t time_us)
{
	uint32_t now = c->clock[segment->side] + (uint32_t)(time_us / 1000);
	uint32_t echo = c->echo[!segment->side];

	if (segment->flags & TCP_SYN) {
		put_syn_options(at, c, now, segment->flags & TCP_ACK ? echo : 0);
		return SYN_OPTIONS_LEN;
	}
	if (!c->has_timestamps)
		return 0;
	at[0] = at[1] = 1;
	at[2] = 8;
	at[3] = 10;
	put_u32(at + 4, now);
	put_u32(at + 8, echo);
	return TIMESTAMPS_LEN;
}

static void
put_ports(uint8_t *at, const struct endpoints *ends, enum side side)
{
	put_u16(at, side == CLIENT ? ends->client_port : ends->server_port);
	put_u16(at + 2, side == CLIENT ? ends->server_port : ends->client_port);
}

size_t
frame_segment(struct conversation *c, const struct segment *segment, int64_t time_us,
    uint8_t out[FRAME_LEN_MAX])
{
	bool is_syn = segment->flags & TCP_SYN;
	uint8_t options[SYN_OPTIONS_LEN];
	size_t head = TCP_LEN + put_options(options, c, segment, time_us);
	size_t len = head + segment->payload.len;
	uint8_t *tcp = put_network(out, c, segment->side, PROTOCOL_TCP, len);

	put_ports(tcp, &c->ends, segment->side);
	put_u32(tcp + 4, segment->seq);
	put_u32(tcp + 8, segment->flags & TCP_ACK ? segment->ack : 0);
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = segment->flags;
	put_u16(tcp + 14, is_syn ? 64240 : 502);
	put_u32(tcp + 16, 0); /* checksum, urgent pointer */
	memcpy(tcp + TCP_LEN, options, head - TCP_LEN);
	if (segment->payload.len > 0)
		memcpy(tcp + head, segment->payload.data, segment->payload.len);
	put_transport_checksum(tcp + 16, &c->ends, PROTOCOL_TCP, tcp, len);
	return (size_t)(tcp - out) + len;
}

size_t
frame_datagram(
    struct conversation *c, enum side side, struct span payload, uint8_t out[FRAME_LEN_MAX])
{
	size_t len = UDP_LEN + payload.len;
	uint8_t *udp = put_network(out, c, side, PROTOCOL_UDP, len);

	put_ports(udp, &c->ends, side);
	put_u16(udp + 4, (unsigned)len);
	put_u16(udp + 6, 0);
	memcpy(udp + UDP_LEN, payload.data, payload.len);
	put_transport_checksum(udp + 6, &c->ends, PROTOCOL_UDP, udp, len);
	return (size_t)(udp - out) + len;
}
