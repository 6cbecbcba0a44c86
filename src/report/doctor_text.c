/* The doctor's sentences: what is wrong, by number and share, and what to change. */
#include "report/doctor.h"

#include "report/phrase.h"

#include "base/banned.h"

struct wording {
	const char *of;   /* what is counted; NULL: `says` is the whole sentence */
	const char *says; /* behind "12 of 80 connections (15.0 %)", or behind the number */
	const char *advice;
};

static const struct wording wordings[DOCTOR_RULE_COUNT] = {
	[DOCTOR_RULE_NO_RUN] = { NULL, "no capture ran in that time",
	    "Start the sensor, and read its log if it does not stay; or ask for another time." },
	[DOCTOR_RULE_NO_PACKETS] = { NULL, "no packet arrived",
	    "Check that the mirror session is on, that it ends at this port, and that the "
	    "interface "
	    "(or the file) is the right one." },
	[DOCTOR_RULE_UNKNOWN_LINK] = { "packets", "had a link type that is not supported",
	    "Capture on an Ethernet interface, or on \"any\"; radio and USB headers are not "
	    "read." },
	[DOCTOR_RULE_NO_MAIL] = { "packets",
	    "belonged to TCP on a mail port: there was nothing to look at",
	    "Mirror the port towards the mail servers or the internet gateway. Is the mail on "
	    "another port? --service PORT=imap|pop3|smtp|tls names it." },
	[DOCTOR_RULE_NO_PAYLOAD] = { "packets on mail ports", "carried payload",
	    "Look for a filter in front of the sensor that lets through openings and "
	    "acknowledgments only, or a scan that nobody answered." },
	[DOCTOR_RULE_EXTERNAL_CLIENTS] = { "handshakes and sessions",
	    "came from clients that are not internal, and were left out",
	    "The sensor stands outside the address translation (NAT), or your clients have other "
	    "addresses: mirror the inside, or name their networks with --internal." },
	[DOCTOR_RULE_ONE_CLIENT] = { "handshakes and sessions",
	    "came from one and the same address, although several programs that differ were at "
	    "work",
	    "If that is no single computer, the sensor stands behind an address translation (NAT), "
	    "a proxy or a load balancer: mirror the side where each device has its own address." },
	[DOCTOR_RULE_KERNEL_DROPPED] = { "packets",
	    "were dropped by the kernel before they could be read",
	    "Enlarge the capture buffer, give the interface more threads, or mirror less." },
	[DOCTOR_RULE_INTERFACE_DROPPED] = { "packets", "were dropped by the network card",
	    "Enlarge the card's ring (ethtool -G), and compare the mirror's load with the speed of "
	    "this port. In a file by dumpcap they are those of the kernel, too: enlarge its buffer "
	    "(-B)." },
	[DOCTOR_RULE_INTERFACE_DOWN] = { "seconds of capturing",
	    "passed while the interface was down or not there",
	    "Check cable, port and mirror session; the sensor's log says when it was." },
	[DOCTOR_RULE_EVENTS_LOST] = { "handshakes and sessions",
	    "were seen, but did not get into the database",
	    "The database was locked, its disk full or too slow for long: the sensor's log says "
	    "which. A larger tally in [budgets] bridges more of it." },
	[DOCTOR_RULE_ONE_WAY] = { "connections", "showed packets of one direction only",
	    "Mirror both directions (rx and tx) of the port, and where routes differ, the other "
	    "path too. Without the server's side no version is known. Where each direction has a "
	    "capture of its own, their clocks may differ by a second at most." },
	[DOCTOR_RULE_LOST] = { "segments with payload, at the least,", "never got here",
	    "The mirror loses packets: its port is slower than what is copied to it, or the switch "
	    "gives copies the lowest priority. Mirror fewer ports, or use a tap." },
	[DOCTOR_RULE_SNAPPED] = { "segments with payload", "were cut by the snapshot length",
	    "Raise the snapshot length: tcpdump -s 0, or at least 2048 bytes; also look for a "
	    "mirror "
	    "that truncates." },
	[DOCTOR_RULE_NO_SYN] = { "connections",
	    "began without a SYN: no opening of any connection got here",
	    "Look for a filter that drops SYN packets; if the capture is short, let it run "
	    "longer." },
	[DOCTOR_RULE_MID_START] = { "connections", "had begun before they were seen",
	    "Usual right after the start. Later on it means lost SYN packets, or paths that "
	    "change." },
	[DOCTOR_RULE_EVICTED] = { "connections", "were given up for want of room",
	    "Keep floods and scans away from the mirror; where that many are open at once, raise "
	    "unsettled_flows in [budgets] of a live capture." },
	[DOCTOR_RULE_ACK_BEFORE_DATA] = { "segments with payload",
	    "were acknowledged before they were captured",
	    "The two directions reach the sensor through queues of different length: take both "
	    "from "
	    "one port, or merge the captures by time (mergecap)." },
	[DOCTOR_RULE_CLOCK_BACK] = { "packets",
	    "came with a clock that had gone back by more than a second",
	    "Let the sensor's clock be slewed, not stepped (chrony, ntpd), and give all ports that "
	    "are captured together one clock." },
	[DOCTOR_RULE_CLOCK_FORWARD] = { "packets",
	    "came with a clock that had jumped ahead by more than a day",
	    "Set the sensor's clock before the capture begins. If the capture was idle for so "
	    "long, "
	    "nothing is wrong." },
	[DOCTOR_RULE_CUT_HEADER] = { "packets", "were cut inside their headers",
	    "Raise the snapshot length: tunnels make headers longer than 96 bytes." },
	[DOCTOR_RULE_BAD_LINK_HEADER] = { "packets", "had a link-layer header that makes no sense",
	    "Check that the capture's link type is the wire's, and that the mirror's own header is "
	    "one that is known." },
	[DOCTOR_RULE_BAD_IP_HEADER] = { "packets", "had an IP header that makes no sense",
	    "Check cables and tap for damaged frames, and the mirror for headers of its own." },
	[DOCTOR_RULE_BAD_TCP_HEADER] = { "packets", "had a TCP header that makes no sense",
	    "Check cables and tap for damaged frames, and the mirror for headers of its own." },
	[DOCTOR_RULE_NESTED_TOO_DEEP] = { "packets", "were wrapped in more layers than are undone",
	    "Mirror nearer to the clients, where fewer tunnels are around the traffic." },
	[DOCTOR_RULE_ENCRYPTED] = { "packets",
	    "were encrypted on their way (IPsec, WireGuard, MACsec, PPP, wireless LAN)",
	    "If mail goes through them, mirror a place where it is not in the tunnel: nearer to "
	    "the clients, or behind the gateway." },
	[DOCTOR_RULE_DUPLICATES] = { "segments with payload", "came twice",
	    "The results are right, the load is not: mirror a VLAN or port once, in one direction "
	    "where both ends of the path are mirrored." },
	[DOCTOR_RULE_SUPER_SEGMENTS] = { "segments with payload",
	    "were larger than a frame of the wire",
	    "A network card or kernel joined them (offload). The results are right; to see the "
	    "wire's "
	    "packets: ethtool -K INTERFACE gro off lro off tso off gso off." },
};

const char *
doctor_severity_name(enum doctor_severity severity)
{
	switch (severity) {
	case DOCTOR_CRITICAL:
		return "critical";
	case DOCTOR_WARNING:
		return "warning";
	case DOCTOR_NOTE:
		return "note";
	}
	return "?";
}

const char *
doctor_advice(enum doctor_rule rule)
{
	return wordings[rule].advice;
}

void
doctor_add_sentence(
    const struct doctor_finding *finding, const struct doctor_feed *feed, struct buf *out)
{
	const struct wording *w = &wordings[finding->rule];

	if (w->of == NULL) {
		buf_addf(out, "%s.", w->says);
		return;
	}
	if (finding->part == 0)
		buf_add_text(out, "none");
	else
		phrase_add_number(out, finding->part);
	buf_add_text(out, " of ");
	phrase_add_number(out, finding->whole);
	buf_addf(out, " %s", w->of);
	if (finding->part > 0) {
		buf_add_text(out, " (");
		phrase_add_share(out, finding->part, finding->whole);
		buf_add_char(out, ')');
	}
	buf_addf(out, " %s", w->says);
	if (finding->rule == DOCTOR_RULE_UNKNOWN_LINK && feed->unknown_links != NULL)
		buf_addf(out, " (%s)", feed->unknown_links);
	buf_add_char(out, '.');
}

void
doctor_add_examined(const struct doctor_feed *feed, struct buf *out)
{
	const uint64_t *c = feed->counters;

	phrase_add_count(out, c[DOCTOR_PACKETS], "packet", "packets");
	buf_add_text(out, ", ");
	phrase_add_number(out, c[DOCTOR_TCP]);
	buf_add_text(out, " of them on mail ports; ");
	phrase_add_count(out, c[DOCTOR_FLOWS], "connection", "connections");
	buf_add_text(out, ", ");
	phrase_add_count(out, c[DOCTOR_EVENTS], "handshake or session", "handshakes and sessions");
	buf_add_text(out, " of internal clients");
}
