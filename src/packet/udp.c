/* UDP: only tunnels and name services matter, and only on the ports that are theirs. */
#include "packet/packet_internal.h"

#include "base/banned.h"

/* IANA service names and port numbers; 8472, 37008 and 51820 are customary. */
#define PORT_L2TP 1701
#define PORT_GTP_U 2152
#define PORT_TEREDO 3544
#define PORT_LISP 4341
#define PORT_ESP 4500
#define PORT_GRE 4754
#define PORT_VXLAN 4789
#define PORT_VXLAN_GPE 4790
#define PORT_CAPWAP 5247
#define PORT_GUE 6080
#define PORT_GENEVE 6081
#define PORT_MPLS 6635
#define PORT_VXLAN_LINUX 8472
#define PORT_TZSP 37008
#define PORT_WIREGUARD 51820
#define PORT_DHCP_SERVER 67
#define PORT_DHCP_CLIENT 68
#define PORT_NBNS 137
#define PORT_MDNS 5353

#define UDP_LEN 8

#define VXLAN_LEN 8
#define VXLAN_HAS_VNI 0x08
#define VXLAN_HAS_NEXT 0x04

#define LISP_LEN 8
#define LISP_HAS_NEXT 0x04  /* RFC 9305 */
#define LISP_ENCRYPTED 0x03 /* RFC 8061 */

#define GUE_CONTROL 0x20
#define GUE_WORDS 0x1f

#define GTP_LEN 8
#define GTP_G_PDU 255
#define GTP_OPTIONAL 0x07 /* extension header, sequence number, N-PDU number: one is enough */
#define GTP_OPTIONAL_LEN 4

#define WIREGUARD_DATA 0x04000000 /* message 4, reserved bytes */

#define TZSP_ETHERNET 0x01
#define TZSP_WIFI 0x12
#define TZSP_TAG_PADDING 0
#define TZSP_TAG_END 1

/*
 * RFC 7348, section 5; draft-ietf-nvo3-vxlan-gpe, section 3: the P bit names what is inside.  Where
 * it is none of the latter that bit is reserved and to be ignored, and some senders leave out the I
 * bit; so a frame that shows comes first.
 */
static void
vxlan(struct walk *w)
{
	struct span h;
	uint8_t bits;

	if (!walk_take(w, VXLAN_LEN, PACKET_OTHER, &h))
		return;
	bits = h.data[0] & (VXLAN_HAS_VNI | VXLAN_HAS_NEXT);
	if (bits == VXLAN_HAS_VNI || guess_ethernet(w->rest, w->wire_rest))
		w->next = LAYER_ETHERNET;
	else if ((bits & VXLAN_HAS_NEXT) != 0)
		nsh_next_protocol(w, h.data[3]);
	else
		walk_end(w, PACKET_OTHER);
}

/* RFC 9300, section 5.3: flags, nonce or what is inside, whose instance; an IP packet by default.
 */
static void
lisp(struct walk *w)
{
	struct span h;

	if (!walk_take(w, LISP_LEN, PACKET_OTHER, &h))
		return;
	if ((h.data[0] & LISP_ENCRYPTED) != 0)
		walk_end(w, PACKET_ENCRYPTED);
	else if ((h.data[0] & LISP_HAS_NEXT) != 0)
		nsh_next_protocol(w, h.data[3]);
	else
		w->next = LAYER_IP;
}

/* RFC 8926, section 3.4: version, options' length in units of 4 bytes, flags, EtherType, VNI. */
static void
geneve(struct walk *w)
{
	struct span h, options;

	if (!walk_take(w, 8, PACKET_OTHER, &h))
		return;
	if (h.data[0] >> 6 != 0)
		walk_end(w, PACKET_OTHER);
	else if (walk_take(w, (h.data[0] & 0x3fu) * 4, PACKET_OTHER, &options))
		walk_ethertype(w, u16_at(h, 2));
}

/*
 * draft-ietf-intarea-gue, section 3: version, control, options' length in units of 4 bytes; what is
 * inside, as IP names it; flags.  Version 1 has no header: its first bits are those of an IP
 * packet.
 */
static void
gue(struct walk *w)
{
	struct span h, options;
	uint8_t first;

	if (span_peek_u8(w->rest, &first) && first >> 6 == 1) {
		w->next = LAYER_IP;
		return;
	}
	if (!walk_take(w, 4, PACKET_OTHER, &h))
		return;
	if (h.data[0] >> 6 != 0 || (h.data[0] & GUE_CONTROL) != 0) {
		walk_end(w, PACKET_OTHER);
	} else if (walk_take(w, (h.data[0] & GUE_WORDS) * 4u, PACKET_OTHER, &options)) {
		w->next = LAYER_PROTO;
		w->ip_proto = h.data[1];
	}
}

/* 3GPP TS 29.281, section 5.2.1: length in units of 4 bytes first, next type last; 0: no more. */
static bool
skip_gtp_extensions(struct walk *w, uint8_t next)
{
	struct span h;

	while (next != 0) {
		size_t len = w->rest.len > 0 ? w->rest.data[0] * 4u : 4;

		if (len == 0) {
			walk_end(w, PACKET_OTHER);
			return false;
		}
		if (!walk_take(w, len, PACKET_OTHER, &h))
			return false;
		next = h.data[len - 1];
	}
	return true;
}

/* 3GPP TS 29.281, section 5.1; the inside is IP, or Ethernet in a 5G session of that kind. */
static void
gtp_u(struct walk *w)
{
	struct span h, optional;

	if (!walk_take(w, GTP_LEN, PACKET_OTHER, &h))
		return;
	/* Version 1, protocol type GTP. */
	if (h.data[0] >> 4 != 3 || h.data[1] != GTP_G_PDU) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	if ((h.data[0] & GTP_OPTIONAL) != 0) {
		if (!walk_take(w, GTP_OPTIONAL_LEN, PACKET_OTHER, &optional))
			return;
		if ((h.data[0] & 4) != 0 && !skip_gtp_extensions(w, optional.data[3]))
			return;
	}
	w->next = guess_ip(w->rest, w->wire_rest) ? LAYER_IP : LAYER_ETHERNET;
}

/* TZSP: version 1, type (0 received, 1 to be sent), encapsulated protocol; then tagged fields. */
static void
tzsp(struct walk *w)
{
	struct span h, value;
	uint16_t inside;

	if (!walk_take(w, 4, PACKET_OTHER, &h))
		return;
	inside = u16_at(h, 2);
	if (h.data[0] != 1 || h.data[1] > 1 || (inside != TZSP_ETHERNET && inside != TZSP_WIFI)) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	do {
		if (!walk_take(w, 1, PACKET_OTHER, &h))
			return;
		if (h.data[0] > TZSP_TAG_END &&
		    (!walk_take(w, 1, PACKET_OTHER, &value) ||
			!walk_take(w, value.data[0], PACKET_OTHER, &value)))
			return;
	} while (h.data[0] != TZSP_TAG_END);
	if (inside == TZSP_WIFI)
		link_wifi(w);
	else
		w->next = LAYER_ETHERNET;
}

/* RFC 4380, section 5.1.1: authentication and origin may stand in front of the IPv6 packet. */
static void
teredo(struct walk *w)
{
	struct span h;

	if (w->rest.len >= 4 && u16_at(w->rest, 0) == 1) {
		size_t len = 4u + w->rest.data[2] + w->rest.data[3] + 8 + 1;

		if (!walk_take(w, len, PACKET_OTHER, &h))
			return;
	}
	if (w->rest.len >= 2 && u16_at(w->rest, 0) == 0 && !walk_take(w, 8, PACKET_OTHER, &h))
		return;
	w->next = LAYER_IPV6;
}

/* RFC 3948, section 2: an index of zero is for the exchange of keys, and one byte keeps a NAT open.
 */
static void
esp(struct walk *w)
{
	bool is_esp = w->rest.len >= 4 && u32_at(w->rest, 0) != 0;

	walk_end(w, is_esp ? PACKET_ENCRYPTED : PACKET_OTHER);
}

/* https://www.wireguard.com/protocol: messages of the other kinds exchange keys. */
static void
wireguard(struct walk *w)
{
	bool is_data = w->rest.len >= 4 && u32_at(w->rest, 0) == WIREGUARD_DATA;

	walk_end(w, is_data ? PACKET_ENCRYPTED : PACKET_OTHER);
}

static const struct {
	uint16_t port;
	void (*open)(struct walk *w);
} tunnels[] = {
	{ PORT_VXLAN, vxlan }, { PORT_VXLAN_GPE, vxlan }, { PORT_VXLAN_LINUX, vxlan },
	{ PORT_GENEVE, geneve }, { PORT_GUE, gue }, { PORT_GTP_U, gtp_u }, { PORT_TZSP, tzsp },
	{ PORT_LISP, lisp }, { PORT_TEREDO, teredo }, { PORT_L2TP, l2tp_over_udp },
	{ PORT_ESP, esp }, { PORT_WIREGUARD, wireguard }, { PORT_CAPWAP, tunnel_capwap },
	{ PORT_GRE, tunnel_gre },   /* RFC 8086 */
	{ PORT_MPLS, tunnel_mpls }, /* RFC 7510 */
};

#define TUNNEL_COUNT (sizeof(tunnels) / sizeof(tunnels[0]))

static bool
open_by_port(struct walk *w, uint16_t port)
{
	for (size_t i = 0; i < TUNNEL_COUNT; i++) {
		if (tunnels[i].port == port) {
			tunnels[i].open(w);
			return true;
		}
	}
	if (w->options == NULL || !port_list_has(&w->options->vxlan_ports, port))
		return false;
	vxlan(w);
	return true;
}

void
udp_add_tunnel_ports(const struct packet_options *options, struct port_set *out)
{
	for (size_t i = 0; i < TUNNEL_COUNT; i++)
		port_set_add(out, tunnels[i].port);
	for (size_t i = 0; i < options->vxlan_ports.count; i++)
		port_set_add(out, options->vxlan_ports.ports[i]);
}

/* Only answers and announcements tell something; of DHCP both sides do. */
bool
udp_tells_names(uint16_t src, uint16_t dst)
{
	return src == PORT_DNS || src == PORT_MDNS || dst == PORT_DHCP_SERVER ||
	       dst == PORT_DHCP_CLIENT || dst == PORT_NBNS;
}

static void
name_service(struct walk *w, uint16_t src, uint16_t dst)
{
	struct packet *out = w->out;

	out->src_port = src;
	out->dst_port = dst;
	out->is_tcp = false;
	out->payload = w->rest;
	out->payload_len = w->wire_rest;
	walk_end(w, PACKET_NAMES);
}

/* RFC 768. */
void
udp_header(struct walk *w)
{
	struct span h;
	uint16_t src, dst;

	if (w->rest.len < UDP_LEN || !walk_take(w, UDP_LEN, PACKET_OTHER, &h)) {
		walk_end(w, PACKET_OTHER);
		return;
	}
	src = u16_at(h, 0);
	dst = u16_at(h, 2);
	/* Zero: a super-segment, or a jumbogram. */
	if (u16_at(h, 4) > UDP_LEN)
		walk_trim_to(w, u16_at(h, 4) - UDP_LEN);
	walk_guess(w);
	/* The port of who asks for a name is any, also a tunnel's. */
	if (walk_wants_names(w) && udp_tells_names(src, dst)) {
		name_service(w, src, dst);
		return;
	}
	/* Tunnels send to their port; from it, only where the peer chose a port of its own. */
	if (!open_by_port(w, dst) && !open_by_port(w, src))
		walk_end(w, PACKET_OTHER);
}
