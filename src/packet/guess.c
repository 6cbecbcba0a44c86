/*
 * Where a format does not say what it carries: does the inside look like this or like that?
 * Addresses are anything, so lengths and types have to fit.
 */
#include "packet/packet_internal.h"

#include "packet/ethertype.h"

#include "base/banned.h"

#define ETHERNET_LEN 14
#define TAG_LEN 4
#define TAGS_MAX 4
#define PPPOE_LEN 6
#define ARP_LEN 28
#define IPV4_LEN 20
#define IPV6_LEN 40

static bool
skip_both(struct span *s, uint32_t *wire_len, size_t len)
{
	if (*wire_len < len || !span_skip(s, len))
		return false;
	*wire_len -= (uint32_t)len;
	return true;
}

static bool
is_vlan(uint16_t ethertype)
{
	return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ ||
	       ethertype == ETHERTYPE_QINQ_OLD || ethertype == ETHERTYPE_QINQ_OLD_2 ||
	       ethertype == ETHERTYPE_QINQ_OLD_3;
}

bool
guess_ipv4(struct span s, uint32_t wire_len)
{
	uint32_t header_len, total_len;

	if (s.len < IPV4_LEN || s.data[0] >> 4 != 4)
		return false;
	header_len = (s.data[0] & 15u) * 4;
	total_len = u16_at(s, 2);
	return header_len >= IPV4_LEN && total_len >= header_len && total_len <= wire_len;
}

bool
guess_ipv6(struct span s, uint32_t wire_len)
{
	return s.len >= IPV6_LEN && s.data[0] >> 4 == 6 &&
	       (uint32_t)u16_at(s, 4) + IPV6_LEN <= wire_len;
}

static bool
has_ipv4_checksum(struct span s)
{
	size_t header_len = s.len > 0 ? (s.data[0] & 15u) * 4 : 0;
	uint32_t sum = 0;

	if (header_len < IPV4_LEN || s.len < header_len)
		return false;
	for (size_t i = 0; i < header_len; i += 2)
		sum += u16_at(s, i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* RFC 2516, section 4: version and type, code, session, length. */
static bool
guess_pppoe(struct span s, uint32_t wire_len)
{
	return s.len >= PPPOE_LEN && s.data[0] == 0x11 && s.data[1] == 0 &&
	       (uint32_t)u16_at(s, 4) + PPPOE_LEN <= wire_len;
}

bool
guess_ethertype(struct span s)
{
	return s.len >= ETHERNET_LEN && link_knows_ethertype(u16_at(s, ETHERNET_LEN - 2));
}

bool
guess_ethernet(struct span s, uint32_t wire_len)
{
	uint16_t ethertype;

	if (s.len < ETHERNET_LEN)
		return false;
	ethertype = u16_at(s, ETHERNET_LEN - 2);
	if (!skip_both(&s, &wire_len, ETHERNET_LEN))
		return false;
	for (unsigned tags = 0; tags < TAGS_MAX && is_vlan(ethertype) && s.len >= TAG_LEN; tags++) {
		ethertype = u16_at(s, 2);
		if (!skip_both(&s, &wire_len, TAG_LEN))
			return false;
	}
	switch (ethertype) {
	case ETHERTYPE_IPV4:
		return guess_ipv4(s, wire_len);
	case ETHERTYPE_IPV6:
		return guess_ipv6(s, wire_len);
	case ETHERTYPE_PPPOE_SESSION:
		return guess_pppoe(s, wire_len);
	case ETHERTYPE_ARP: /* hardware: Ethernet, protocol: IPv4 */
		return s.len >= ARP_LEN && u16_at(s, 0) == 1 && u16_at(s, 2) == ETHERTYPE_IPV4;
	default:
		return false;
	}
}

static bool
is_ipv4(struct span s, uint32_t wire_len)
{
	/* A packet that the mirror shortened has more than the frame, but a right checksum. */
	if (!guess_ipv4(s, wire_len))
		return has_ipv4_checksum(s) || !guess_ethertype(s);
	return !guess_ethernet(s, wire_len) || has_ipv4_checksum(s);
}

static bool
is_ipv6(struct span s, uint32_t wire_len)
{
	if (!guess_ipv6(s, wire_len))
		return !guess_ethertype(s);
	return !guess_ethernet(s, wire_len) || (uint32_t)u16_at(s, 4) + IPV6_LEN == wire_len;
}

/*
 * A first nibble of 4 or 6 is an IP header's, or that of a frame's address (the very thing that
 * RFC 4928, section 3, warns of).
 */
bool
guess_ip(struct span s, uint32_t wire_len)
{
	uint8_t first;

	if (!span_peek_u8(s, &first))
		return false;
	return (first >> 4 == 4 && is_ipv4(s, wire_len)) ||
	       (first >> 4 == 6 && is_ipv6(s, wire_len));
}
