/*
 * packet - one frame → the headers that matter: addresses, ports, TCP, payload.
 *
 * The frame's wrapping (link layer, tags, tunnels) is taken off layer by layer, bounded by one
 * depth counter; the innermost addresses count.  Checksums are not verified: offload makes them
 * wrong on every host that captures its own traffic.
 *
 * Source: IEEE 802.3, 802.1Q, 802.1ad; RFC 791, 8200, 9293; LINKTYPE_ registry of tcpdump.org;
 *         RFC 2784/2890 (GRE), 2516 (PPPoE), 3032 (MPLS), 2003/4213/2473 (IP in IP), 7348 (VXLAN),
 *         8926 (Geneve); 3GPP TS 29.281 (GTP-U); draft-foschiano-erspan.
 * Memory:  spans and MAC addresses borrow from the frame.
 */
#ifndef TLSTALLY_PACKET_PACKET_H
#define TLSTALLY_PACKET_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/frame.h"
#include "base/service.h"
#include "base/span.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct packet {
	struct addr src, dst;
	uint16_t src_port, dst_port;
	union {
		uint32_t seq;          /* host order */
		uint32_t unknown_link; /* PACKET_UNKNOWN_LINK: which one it is */
	};
	uint32_t ack;         /* host order; counts only with TCP_ACK */
	uint8_t flags;        /* TCP_* */
	struct span payload;  /* what was captured of it */
	uint32_t payload_len; /* on the wire; more than payload.len where the capture cut it */
	const uint8_t *src_mac, *dst_mac; /* innermost Ethernet; NULL: none */
	uint16_t ip_id;                   /* IPv4 identification, innermost; IPv6: 0 */
	bool is_tcp;                      /* PACKET_NAMES: else UDP */
	bool joins;   /* SYN of one more path of a connection: RFC 8684, section 3.2 */
	int32_t vlan; /* outermost VLAN id, 1 to 4095; -1: none */
	int64_t time_us;
	uint32_t source;
};

/* What became of a frame.  All but the first four are findings about the feed. */
enum packet_kind {
	PACKET_TCP,          /* TCP on a port of interest: the packet is filled in */
	PACKET_OTHER_PORT,   /* TCP between other ports */
	PACKET_OTHER,        /* not TCP: ARP, UDP, ICMP, ... */
	PACKET_NAMES,        /* DNS, DHCP, mDNS, NBNS, where asked for: addresses, ports, payload */
	PACKET_ENCRYPTED,    /* what is inside cannot be read: ESP, MACsec, wireless, MPPE */
	PACKET_FRAGMENT,     /* part of a packet of which more is missing */
	PACKET_CUT,          /* the snap length cut the headers */
	PACKET_BAD_LINK,     /* link-layer header that makes no sense */
	PACKET_BAD_IP,       /* IP header that makes no sense */
	PACKET_BAD_TCP,      /* TCP header that makes no sense */
	PACKET_TOO_DEEP,     /* more nested layers than PACKET_MAX_DEPTH */
	PACKET_UNKNOWN_LINK, /* link type that is not supported */
};
#define PACKET_KIND_COUNT (PACKET_UNKNOWN_LINK + 1)

/* Steps of one frame: headers, tags, labels, tunnels and IPv6 extension headers, all together. */
#define PACKET_MAX_DEPTH 24

/*
 * Decodes one frame by itself; packet/decoder.h also joins fragments, and finds PACKET_NAMES. `out`
 * is filled in only for PACKET_TCP, and has the number of PACKET_UNKNOWN_LINK.  `services`: ports
 * of interest; NULL: all ports.
 */
enum packet_kind packet_decode(
    const struct frame *frame, const struct service_set *services, struct packet *out);

/*
 * The same for the frames of which a mirror is full, at a fraction of the cost.  False, and `out`
 * undefined, for any other, whose headers have to be walked through one by one.
 */
bool packet_decode_quick(const struct frame *frame, const struct service_set *services,
    struct packet *out, enum packet_kind *kind);

/* Name of the counter: "tcp", "other_port", "fragment", ... */
const char *packet_kind_name(enum packet_kind kind);

#endif
