#include "capture/live.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/xalloc.h"

#include "base/banned.h"

/* A block of the ring is handed over after so long at the latest, full or not. */
#define RING_TIMEOUT_MS 100

struct live {
	pcap_t *pcap;
	struct live_options options;
	char *interface;
	uint32_t link_type;
	bool nanoseconds;
	int fd;
	struct live_stats stats;
	struct pcap_stat last; /* as libpcap last told them; its counters wrap at 32 bits */
	void (*frame)(void *arg, const struct frame *f);
	void *frame_arg;
};

static enum live_fault
fault_of(int status)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
	case PCAP_ERROR_IFACE_NOT_UP:
		return LIVE_FAULT_NO_INTERFACE;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return LIVE_FAULT_NO_PERMISSION;
	default:
		return LIVE_FAULT_OTHER;
	}
}

static void
describe(const struct live *l, int status, enum live_fault *fault, struct error *err)
{
	*fault = fault_of(status);
	switch (*fault) {
	case LIVE_FAULT_NO_INTERFACE:
		error_set(err, "interface %s is %s", l->interface,
		    status == PCAP_ERROR_IFACE_NOT_UP ? "down" : "not there");
		return;
	case LIVE_FAULT_NO_PERMISSION:
		error_set(err,
		    "capturing on %s needs the capability CAP_NET_RAW: run as root, or "
		    "grant it with 'setcap cap_net_raw+ep' on the program",
		    l->interface);
		return;
	case LIVE_FAULT_OTHER:
	case LIVE_FAULT_FILTER:
		error_set(err, "cannot capture on %s: %s", l->interface, pcap_geterr(l->pcap));
		return;
	}
}

/* LINKTYPE_ values of files; a live handle speaks in DLT_ ones, which differ for raw IP only. */
static uint32_t
link_type_of(int dlt)
{
	return dlt == DLT_RAW ? 101 : (uint32_t)dlt;
}

static int
join_fanout(const struct live *l, struct error *err)
{
	/* Defragmented first, so that the fragments of a packet go where its flow goes. */
	int value = l->options.fanout_group | (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG)
						  << 16;

	if (setsockopt(pcap_fileno(l->pcap), SOL_PACKET, PACKET_FANOUT, &value, sizeof(value)) == 0)
		return 0;
	error_set(err, "cannot share %s between threads: %s", l->interface, strerror(errno));
	return -1;
}

static int
activate(struct live *l, enum live_fault *fault, struct error *err)
{
	const struct live_options *o = &l->options;
	char text[PCAP_ERRBUF_SIZE];
	int status;

	(void)pcap_set_snaplen(l->pcap, (int)o->snap_len);
	(void)pcap_set_promisc(l->pcap, o->promiscuous);
	(void)pcap_set_timeout(l->pcap, RING_TIMEOUT_MS);
	(void)pcap_set_buffer_size(l->pcap, (int)o->buffer_len);
	status = pcap_activate(l->pcap);
	if (status < 0) {
		describe(l, status, fault, err);
		return -1;
	}
	*fault = LIVE_FAULT_OTHER;
	if (pcap_setnonblock(l->pcap, 1, text) != 0) {
		error_set(err, "cannot capture on %s: %s", l->interface, text);
		return -1;
	}
	l->fd = pcap_get_selectable_fd(l->pcap);
	if (l->fd < 0) {
		error_set(err, "cannot wait for packets on %s", l->interface);
		return -1;
	}
	l->link_type = link_type_of(pcap_datalink(l->pcap));
	if (o->filter != NULL && live_set_filter(l, o->filter, err) != 0) {
		*fault = LIVE_FAULT_FILTER;
		return -1;
	}
	return o->fanout ? join_fanout(l, err) : 0;
}

struct live *
live_open(const struct live_options *options, enum live_fault *fault, struct error *err)
{
	struct live *l = xcalloc(1, sizeof(*l));
	char text[PCAP_ERRBUF_SIZE];

	l->options = *options;
	l->interface = xstrdup(options->interface);
	l->pcap = pcap_create(options->interface, text);
	if (l->pcap == NULL) {
		*fault = LIVE_FAULT_OTHER;
		error_set(err, "cannot capture on %s: %s", options->interface, text);
	} else if (activate(l, fault, err) == 0) {
		return l;
	}
	live_close(l);
	return NULL;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	if (l->pcap != NULL)
		pcap_close(l->pcap);
	free(l->interface);
	free(l);
}

int
live_fd(const struct live *l)
{
	return l->fd;
}

static void
on_packet(u_char *arg, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct live *l = (struct live *)(void *)arg;
	struct frame frame = {
		.bytes = span_from(bytes, header->caplen),
		.wire_len = header->len,
		.link_type = l->link_type,
		.source = l->options.source,
		.time_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec,
	};

	l->frame(l->frame_arg, &frame);
}

enum live_state
live_read(struct live *l, int max, void (*frame)(void *arg, const struct frame *f), void *arg,
    size_t *count, struct error *err)
{
	int status;

	l->frame = frame;
	l->frame_arg = arg;
	status = pcap_dispatch(l->pcap, max, on_packet, (u_char *)(void *)l);
	*count = status > 0 ? (size_t)status : 0;
	if (status >= 0)
		return LIVE_OK;
	error_set(err, "interface %s: %s", l->interface, pcap_geterr(l->pcap));
	return LIVE_LOST;
}

void
live_get_stats(struct live *l, struct live_stats *out)
{
	struct pcap_stat now;

	if (pcap_stats(l->pcap, &now) == 0) {
		/* Differences of what wraps are right as long as they are asked for often enough.
		 */
		l->stats.received += now.ps_recv - l->last.ps_recv;
		l->stats.dropped_by_kernel += now.ps_drop - l->last.ps_drop;
		l->stats.dropped_by_interface += now.ps_ifdrop - l->last.ps_ifdrop;
		l->last = now;
	}
	*out = l->stats;
}

int
live_set_filter(struct live *l, const char *filter, struct error *err)
{
	struct bpf_program program;
	int status;

	if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		error_set(
		    err, "cannot make a filter for %s: %s", l->interface, pcap_geterr(l->pcap));
		return -1;
	}
	status = pcap_setfilter(l->pcap, &program);
	if (status != 0)
		error_set(
		    err, "cannot set the filter of %s: %s", l->interface, pcap_geterr(l->pcap));
	pcap_freecode(&program);
	return status == 0 ? 0 : -1;
}
