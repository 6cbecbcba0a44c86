/*
 * noop_pcap - the figure to beat: libpcap reads each packet of a capture, and nothing is done.
 *
 * usage: noop_pcap FILE
 */
#include <pcap/pcap.h>
#include <stdio.h>

struct seen {
	unsigned long long packets, bytes;
};

static void
count(u_char *arg, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct seen *seen = (struct seen *)(void *)arg;

	(void)bytes;
	seen->packets++;
	seen->bytes += header->caplen;
}

int
main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE] = "usage: noop_pcap FILE";
	pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
	struct seen seen = { 0 };
	int result;

	if (pcap == NULL) {
		(void)fprintf(stderr, "noop_pcap: %s\n", why);
		return 2;
	}
	result = pcap_loop(pcap, -1, count, (u_char *)&seen);
	if (result == PCAP_ERROR)
		(void)fprintf(stderr, "noop_pcap: %s\n", pcap_geterr(pcap));
	pcap_close(pcap);
	(void)printf("%llu packets, %llu bytes\n", seen.packets, seen.bytes);
	return result == PCAP_ERROR;
}
