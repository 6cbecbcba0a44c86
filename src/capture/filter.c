#include "capture/filter.h"

#include "base/banned.h"

/* "tcp and (port 993 or portrange 110-143)": ports next to each other become a range. */
static void
write_ports(const struct service_set *services, struct buf *out)
{
	bool first = true;

	buf_add_text(out, "tcp and (");
	for (unsigned port = 1; port <= UINT16_MAX; port++) {
		unsigned last = port;

		if (!service_set_has(services, (uint16_t)port))
			continue;
		while (last < UINT16_MAX && service_set_has(services, (uint16_t)(last + 1)))
			last++;
		if (last > port)
			buf_addf(out, "%sportrange %u-%u", first ? "" : " or ", port, last);
		else
			buf_addf(out, "%sport %u", first ? "" : " or ", port);
		first = false;
		port = last;
	}
	buf_add_text(out, first ? "port 0)" : ")");
}

static void
write_untagged(const struct filter_options *options, struct buf *out)
{
	buf_add_char(out, '(');
	write_ports(options->services, out);
	buf_add_text(out, ") or (ip[6:2] & 0x1fff != 0) or ip6 proto 44");
	/* pcap-filter(7) looks for TCP right behind the IPv6 header only. */
	buf_add_text(out, " or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60))");
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
