#include "capture/filter.h"

#include "capture/filter_internal.h"

#include "base/banned.h"

/*
 * The kernel takes a program of so many instructions only (net.core.optmem_max), and each range
 * costs about fifty: with more, all of TCP goes through.
 */
#define RANGES_MAX 32

/* RFC 8200, section 4, RFC 4302, 6275, 7401 and 5533. */
const uint8_t filter_extensions[FILTER_EXTENSIONS] = { 0, 43, 44, FILTER_AH, 60, 135, 139, 140 };
const uint16_t filter_old_tags[FILTER_OLD_TAGS] = { 0x9200, 0x9300 };
const uint8_t filter_ip_protos[FILTER_IP_PROTOS] = { 4, 41, 47, 97, 115, 137, 143 };
const uint16_t filter_udp_ports[FILTER_UDP_PORTS] = { 1701, 2152, 3544, 4341, 4754, 4789, 4790,
	5247, 6080, 6081, 6635, 8472, 37008 };
const uint16_t filter_ethertypes[FILTER_ETHERTYPES] = { 0x8847, 0x8848, 0x8864, 0x6558, 0x8909,
	0x88e7, 0x8903, 0x8926, 0x893f, 0x894f, 0x88e5, 0x892f, 0xd28b, 0xf1c1, 0x22f3, 0xdada };

bool
filter_next_range(const struct service_set *services, unsigned *first, unsigned *last)
{
	while (*first <= UINT16_MAX && !service_set_has(services, (uint16_t)*first))
		(*first)++;
	if (*first > UINT16_MAX)
		return false;
	*last = *first;
	while (*last < UINT16_MAX && service_set_has(services, (uint16_t)(*last + 1)))
		(*last)++;
	return true;
}

bool
filter_takes_all_tcp(const struct service_set *services)
{
	size_t count = 0;

	for (unsigned first = 1, last; filter_next_range(services, &first, &last); first = last + 1)
		count++;
	return count > RANGES_MAX;
}

/* "tcp and (port 993 or portrange 110-143)". */
static void
write_ports(const struct service_set *services, struct buf *out)
{
	const char *between = "";

	if (filter_takes_all_tcp(services)) {
		buf_add_text(out, "tcp");
		return;
	}
	buf_add_text(out, "tcp and (");
	for (unsigned first = 1, last; filter_next_range(services, &first, &last);
	     first = last + 1) {
		if (last > first)
			buf_addf(out, "%sportrange %u-%u", between, first, last);
		else
			buf_addf(out, "%sport %u", between, first);
		between = " or ";
	}
	buf_add_text(out, *between == '\0' ? "port 0)" : ")");
}

/*
 * A number that is the same in both directions, and whose high bits depend on all of the addresses.
 */
static void
write_sum(const char *protocol, unsigned first, unsigned last, struct buf *out)
{
	buf_add_text(out, "((");
	for (unsigned at = first; at <= last; at += 4)
		buf_addf(out, "%s%s[%u:4]", at > first ? " ^ " : "", protocol, at);
	buf_addf(out, ") * %u >> %u)", FILTER_SHARE_FACTOR, FILTER_SHARE_SHIFT);
}

/* " and (this share's part of it)"; what has no addresses is the first one's. */
static void
write_share(const struct filter_options *options, struct buf *out)
{
	if (options->share_count <= 1)
		return;
	/* pcap-filter(7): `and` does not go before `or`. */
	buf_add_text(out, " and ((ip and ");
	write_sum("ip", 12, 16, out);
	buf_addf(out, " %% %u = %u) or (ip6 and ", options->share_count, options->share);
	write_sum("ip6", 8, 36, out);
	buf_addf(out, " %% %u = %u)%s)", options->share_count, options->share,
	    options->share == 0 ? " or not (ip or ip6)" : "");
}

/* What packet/packet.h looks into. */
static void
write_tunnels(const struct filter_options *options, struct buf *out)
{
	for (size_t i = 0; i < FILTER_IP_PROTOS; i++)
		buf_addf(out, " or ip proto %u or ip6 proto %u", (unsigned)filter_ip_protos[i],
		    (unsigned)filter_ip_protos[i]);
	for (size_t i = 0; i < FILTER_UDP_PORTS; i++)
		buf_addf(out, " or udp port %u", (unsigned)filter_udp_ports[i]);
	for (size_t i = 0; i < options->vxlan_ports.count; i++)
		buf_addf(out, " or udp port %u", options->vxlan_ports.ports[i]);
	for (size_t i = 0; i < FILTER_ETHERTYPES; i++)
		buf_addf(out, " or ether proto 0x%04x", (unsigned)filter_ethertypes[i]);
}

/* pcap-filter(7) looks for TCP right behind the IP header only. */
static void
write_extensions(struct buf *out)
{
	buf_addf(out, " or ip[9] = %u", (unsigned)FILTER_AH);
	for (size_t i = 0; i < FILTER_EXTENSIONS; i++)
		buf_addf(out, " or ip6[6] = %u", (unsigned)filter_extensions[i]);
}

static void
write_wanted(const struct filter_options *options, struct buf *out)
{
	buf_add_char(out, '(');
	write_ports(options->services, out);
	buf_addf(out, ") or (ip[6:2] & %u != 0)", FILTER_FRAGMENT_MASK);
	write_extensions(out);
	for (size_t i = 0; i < FILTER_OLD_TAGS; i++)
		buf_addf(out, " or ether proto 0x%04x", (unsigned)filter_old_tags[i]);
	/* Where all frames have SNAP, as wireless ones do, libpcap looks behind it for IP. */
	buf_addf(out, " or (ether proto 0x%02x and not (ip or ip6))", (unsigned)FILTER_LLC_SNAP);
	if (options->names)
		buf_add_text(out,
		    " or udp src port 53 or udp src port 5353 or udp dst port 67 or udp dst port 68"
		    " or udp dst port 137 or tcp src port 53");
	if (options->tunnels)
		write_tunnels(options, out);
}

static void
write_untagged(const struct filter_options *options, struct buf *out)
{
	buf_add_char(out, '(');
	write_wanted(options, out);
	buf_add_char(out, ')');
	write_share(options, out);
}

/*
 * Linux takes the outer one of two VLAN tags off in front of the filter of a cooked socket, which
 * then sees the EtherType of the inner one; libpcap cannot look behind it.  They are rare: the
 * first share has all of them.
 */
static void
write_inner_tags(const struct filter_options *options, struct buf *out)
{
	if (options->share == 0)
		buf_add_text(
		    out, " or ether proto 0x8100 or ether proto 0x88a8 or ether proto 0x9100");
}

void
filter_write(const struct filter_options *options, struct buf *out)
{
	/* Each `vlan` moves all offsets behind it, so the tagged forms come last. */
	write_untagged(options, out);
	if (options->untagged) {
		write_inner_tags(options, out);
		return;
	}
	buf_add_text(out, " or (vlan and (");
	write_untagged(options, out);
	buf_add_text(out, " or (vlan and (");
	write_untagged(options, out);
	/* Three tags and more are rare: the first share has all of them. */
	buf_add_text(out, options->share == 0 ? " or vlan))))" : "))))");
}
