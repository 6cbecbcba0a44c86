#include "capture/filter.h"

#include "base/banned.h"

/*
 * The kernel takes a program of so many instructions only (net.core.optmem_max), and each range
 * costs about fifty: with more, all of TCP goes through.
 */
#define RANGES_MAX 32

/* The next ports from *first on that are next to each other; false: there are none. */
static bool
next_range(const struct service_set *services, unsigned *first, unsigned *last)
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

static size_t
count_ranges(const struct service_set *services)
{
	size_t count = 0;

	for (unsigned first = 1, last; next_range(services, &first, &last); first = last + 1)
		count++;
	return count;
}

/* "tcp and (port 993 or portrange 110-143)". */
static void
write_ports(const struct service_set *services, struct buf *out)
{
	const char *between = "";

	if (count_ranges(services) > RANGES_MAX) {
		buf_add_text(out, "tcp");
		return;
	}
	buf_add_text(out, "tcp and (");
	for (unsigned first = 1, last; next_range(services, &first, &last); first = last + 1) {
		if (last > first)
			buf_addf(out, "%sportrange %u-%u", between, first, last);
		else
			buf_addf(out, "%sport %u", between, first);
		between = " or ";
	}
	buf_add_text(out, *between == '\0' ? "port 0)" : ")");
}

static void
write_untagged(const struct filter_options *options, struct buf *out)
{
	buf_add_char(out, '(');
	write_ports(options->services, out);
	buf_add_text(out, ") or (ip[6:2] & 0x1fff != 0) or ip6 proto 44");
	/* pcap-filter(7) looks for TCP right behind the IPv6 header only. */
	buf_add_text(out, " or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60))");
	if (options->names)
		buf_add_text(out,
		    " or udp src port 53 or udp src port 5353 or udp dst port 67 or udp dst port 68"
		    " or udp dst port 137 or tcp src port 53");
	if (options->tunnels)
		buf_add_text(out,
		    " or ip proto 4 or ip proto 41 or ip proto 47 or ip6 proto 4 or ip6 proto 41"
		    " or ip6 proto 47 or udp port 4789 or udp port 8472 or udp port 6081"
		    " or udp port 2152 or udp port 37008 or ether proto 0x8847"
		    " or ether proto 0x8848 or ether proto 0x8864 or ether proto 0x8909");
}

void
filter_write(const struct filter_options *options, struct buf *out)
{
	/* Each `vlan` moves all offsets behind it, so the tagged forms come last. */
	write_untagged(options, out);
	buf_add_text(out, " or (vlan and (");
	write_untagged(options, out);
	buf_add_text(out, " or (vlan and (");
	write_untagged(options, out);
	buf_add_text(out, "))))");
}
