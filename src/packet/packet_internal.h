/*
 * packet_internal - the walk from layer to layer that the files of this module share.
 *
 * Each layer's function consumes its header from `rest` and names the next layer in `next`.
 */
#ifndef TLSTALLY_PACKET_PACKET_INTERNAL_H
#define TLSTALLY_PACKET_PACKET_INTERNAL_H

#include <string.h>

#include "base/port_set.h"
#include "packet/decoder.h"
#include "packet/packet.h"

/* What both the quick way and the walk know; the walk's other numbers are in its files. */
#define LINKTYPE_ETHERNET 1 /* https://www.tcpdump.org/linktypes.html */
#define IP_PROTO_TCP 6      /* IANA, "Protocol Numbers" */
#define IP_PROTO_UDP 17

struct fragment_table;

enum layer {
	LAYER_ETHERNET,
	LAYER_ETHERTYPE, /* a header named by `ethertype` follows */
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_IP,    /* the version nibble tells which */
	LAYER_PROTO, /* a header named by `ip_proto` follows */
	LAYER_TCP,
	LAYER_PPP,
	LAYER_END, /* `kind` holds the result */
};

struct walk {
	struct span rest;   /* captured bytes not yet consumed */
	uint32_t wire_rest; /* bytes on the wire from here on; at least rest.len */
	enum layer next;
	uint16_t ethertype;
	uint8_t ip_proto;
	unsigned depth;
	enum packet_kind kind;
	struct packet *out;
	const struct service_set *services;
	const struct packet_options *options; /* NULL: the defaults */
	struct fragment_table *fragments;     /* NULL: fragments are not joined */
	uint64_t *unread; /* packets behind the first of a frame; NULL: not counted */
	bool cooked;      /* Linux cooked capture, which takes the link layer away */
	bool guess;       /* a port or a nibble told what follows: nonsense is then no fault */
	bool cut;         /* bytes are missing of what is there by that */
};

/* Numbers in a header that was taken whole; all their bytes are inside it. */
static inline uint16_t
u16_at(struct span s, size_t at)
{
	return bytes_u16(s.data + at);
}

static inline uint32_t
u32_at(struct span s, size_t at)
{
	return bytes_u32(s.data + at);
}

/*
 * The VLAN id of the two bytes behind a tag's EtherType; -1: none.  IEEE 802.1Q-2018, table 9-2:
 * with id 0 a tag has a priority alone, and the frame no VLAN id.
 */
static inline int32_t
vlan_id(uint16_t tci)
{
	return (tci & 0x0fff) != 0 ? tci & 0x0fff : -1;
}

/* Ports of name services (IANA): where a packet from, or to, them tells a name. */
#define PORT_DNS 53

static inline bool
walk_wants_names(const struct walk *w)
{
	return w->options != NULL && w->options->names;
}

/* Ends the walk with `kind`. */
void walk_end(struct walk *w, enum packet_kind kind);
/*
 * Takes a header of `len` bytes off the front.  Ends the walk and returns false when the capture
 * cut it (PACKET_CUT) or the wire itself had fewer bytes (`bad`).
 */
bool walk_take(struct walk *w, size_t len, enum packet_kind bad, struct span *header);
/*
 * The packet ends after `len` more bytes on the wire: what follows is padding or a trailer.  A
 * length beyond the frame's end is believed: some mirrors shorten frames without saying so.
 */
void walk_trim(struct walk *w, uint32_t len);
/* The same for a tunnel's length, which is ignored where it says more than the frame has. */
void walk_trim_to(struct walk *w, uint32_t len);
/* What follows is told by no more than a port or a nibble. */
void walk_guess(struct walk *w);
/* A header named by `ethertype` follows. */
void walk_ethertype(struct walk *w, uint16_t ethertype);
/* Walks the whole frame.  `w` holds what the caller knows beyond the frame. */
enum packet_kind walk_frame(struct walk *w, const struct frame *frame);

/* link.c */
void link_start(struct walk *w, uint32_t link_type);
void link_ethernet(struct walk *w);
void link_ethertype(struct walk *w);
/* True for an EtherType that is walked into. */
bool link_knows_ethertype(uint16_t ethertype);

/* ppp.c */
void link_ppp(struct walk *w);

/* ip.c */
void ip_any(struct walk *w);
void ip_v4(struct walk *w);
void ip_v6(struct walk *w);
void ip_proto(struct walk *w);
/* True for a protocol or next header that is walked into. */
bool ip_knows_proto(uint8_t proto);

/* ip_fragment.c: what is left of the walk is one fragment's payload. */
void ip_fragment(struct walk *w, uint32_t id, uint16_t offset, bool more, uint8_t proto);

/* udp.c */
void udp_header(struct walk *w);
/* The ports, of either side, where a tunnel may begin. */
void udp_add_tunnel_ports(const struct packet_options *options, struct port_set *out);
bool udp_tells_names(uint16_t src, uint16_t dst);

/* quick.c: UDP that is wrapped as usual, its header whole. */
struct quick_udp {
	uint16_t src, dst;  /* ports */
	size_t ip, inner;   /* offsets: the IP header, UDP's */
	uint32_t wire_rest; /* bytes from `inner` on, by the IP header's length */
};

/* False for any other frame. */
bool quick_udp_find(const struct frame *frame, struct quick_udp *out);
/* Fills in the packet as a walk does that ends in that UDP header. */
void quick_udp_take(const struct frame *frame, const struct quick_udp *udp, struct packet *out);

/* tags.c: false when `w->ethertype` is not one of its tags. */
bool tag_by_ethertype(struct walk *w);
bool tag_knows_ethertype(uint16_t ethertype);
void tag_cisco_metadata(struct walk *w);
void tag_cisco_metadata_in_gre(struct walk *w);
/* Of the chip of a switch; all but the second stand behind the addresses. */
void tag_broadcom(struct walk *w);
void tag_broadcom_in_front(struct walk *w);
void tag_dsa(struct walk *w);
void tag_dsa_with_ethertype(struct walk *w);

/* nsh.c */
void nsh_header(struct walk *w);
/* The numbers that NSH and VXLAN-GPE share. */
void nsh_next_protocol(struct walk *w, uint8_t next);

/* l2tp.c */
void l2tp_over_ip(struct walk *w);
void l2tp_over_udp(struct walk *w);

/* guess.c: does the inside look like it?  `wire_len`: bytes on the wire, at least s.len. */
bool guess_ipv4(struct span s, uint32_t wire_len);
bool guess_ipv6(struct span s, uint32_t wire_len);
/* An IP packet of either version, and not a frame of Ethernet whose address begins like one. */
bool guess_ip(struct span s, uint32_t wire_len);
bool guess_ethernet(struct span s, uint32_t wire_len);
/* The same by its EtherType alone, whatever that is of. */
bool guess_ethertype(struct span s);

/* tunnel.c, gre.c, mpls.c */
void tunnel_pppoe(struct walk *w);
void tunnel_etherip(struct walk *w);
void tunnel_gre(struct walk *w);
void tunnel_mpls(struct walk *w);

/* nflog.c */
void link_nflog(struct walk *w);

/* wifi.c */
void link_wifi(struct walk *w);
void link_radiotap(struct walk *w);
void tunnel_capwap(struct walk *w);

/* tcp.c */
void tcp_header(struct walk *w);
/* Multipath TCP: is a SYN with these options one more path of a connection that is there? */
bool tcp_join_is_among(struct span options);
/*
 * And does its sender end what it says on all paths, behind this payload?  Several segments of one
 * mapping have the same option, all but the last in front of that end.
 */
bool tcp_data_fin_is_among(struct span options, uint32_t payload_len);

#define TCP_OPTION_MPTCP 30 /* RFC 8684, section 3 */

/*
 * tcp_join_is_among, for each SYN of a flood: most have no byte at all that could be the option's
 * kind, and to find that out takes a fraction of reading the options one by one.
 */
static inline bool
tcp_joins(uint8_t flags, struct span options)
{
	if ((flags & TCP_SYN) == 0 || options.len == 0)
		return false;
	return memchr(options.data, TCP_OPTION_MPTCP, options.len) != NULL &&
	       tcp_join_is_among(options);
}

/* RFC 7323, section 3.2: timestamps are all that most packets have; the others are read. */
static inline bool
tcp_may_end_data(uint8_t flags, size_t options_len)
{
	return options_len > 12 && (flags & TCP_SYN) == 0;
}

#endif
