/* Opening a live capture, while the right to do so is there. */
#include "capture/live_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/timestamp.h"
#include "base/xalloc.h"

#include "base/banned.h"

/* The ring of a handle of libpcap through which nothing comes. */
#define UNUSED_RING_LEN 65536
/* For local experiments (IEEE 802): nobody sends such frames. */
#define UNUSED_ETHERTYPE 0x88b5
/* Stands in for an interface that is missing; always there, and of the same link type. */
#define PLACEHOLDER "lo"

/* libpcap says no more than that something is not permitted, in words alone. */
static bool
is_refused_nflog(const struct live *l)
{
	return strncmp(l->interface, "nflog", strlen("nflog")) == 0 &&
	       strstr(l->lib.pcap_geterr(l->pcap), strerror(EPERM)) != NULL;
}

/* The kernel refuses a group that somebody listens to as it refuses who has not the right. */
static void
describe_refused_nflog(const struct live *l, struct error *err)
{
	if (l->options.filter->share > 0)
		error_set(err,
		    "what %s logs cannot be shared among threads: let threads be 1, or capture "
		    "there with a daemon of its own",
		    l->interface);
	else
		error_set(err,
		    "capturing on %s needs the capability CAP_NET_ADMIN (run as root), and that "
		    "no other program listens there",
		    l->interface);
}

static void
describe(const struct live *l, int status, struct error *err)
{
	if (is_refused_nflog(l)) {
		describe_refused_nflog(l, err);
		return;
	}
	if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) {
		error_set(err,
		    "capturing on %s needs the capability CAP_NET_RAW: run as root, or grant it "
		    "with "
		    "'setcap cap_net_raw+ep' on the program",
		    l->interface);
		return;
	}
	error_set(err, "cannot capture on %s: %s", l->interface,
	    *l->lib.pcap_geterr(l->pcap) != '\0' ? l->lib.pcap_geterr(l->pcap)
						 : l->lib.pcap_statustostr(status));
}

/* LINKTYPE_ values of files; a live handle speaks in DLT_ ones, which differ for raw IP only. */
static uint32_t
link_type_of(int dlt)
{
	return dlt == DLT_RAW ? 101 : (uint32_t)dlt;
}

/* A handle on `device`, activated; -1 with the status of libpcap in *status. */
static int
open_device(struct live *l, const char *device, uint32_t ring_len, int *status, struct error *err)
{
	const struct live_options *o = &l->options;
	char text[PCAP_ERRBUF_SIZE] = "";

	*status = PCAP_ERROR;
	l->pcap = l->lib.pcap_create(device, text);
	if (l->pcap == NULL) {
		error_set(err, "cannot capture on %s: %s", device, text);
		return -1;
	}
	(void)l->lib.pcap_set_snaplen(l->pcap, (int)o->snap_len);
	(void)l->lib.pcap_set_promisc(l->pcap, o->promiscuous);
	(void)l->lib.pcap_set_timeout(l->pcap, LIVE_BLOCK_MS);
	(void)l->lib.pcap_set_buffer_size(l->pcap, (int)ring_len);
	*status = l->lib.pcap_activate(l->pcap);
	return *status < 0 ? -1 : 0;
}

/* On the interface, or on the placeholder where it is missing or down. */
static int
open_handle(struct live *l, uint32_t ring_len, struct error *err)
{
	int status;

	l->bound = open_device(l, l->interface, ring_len, &status, err) == 0;
	if (l->bound)
		l->index = (int)if_nametoindex(l->interface);
	if (!l->bound &&
	    (status == PCAP_ERROR_NO_SUCH_DEVICE || status == PCAP_ERROR_IFACE_NOT_UP)) {
		l->lib.pcap_close(l->pcap);
		if (open_device(l, PLACEHOLDER, ring_len, &status, err) != 0) {
			if (l->pcap != NULL)
				describe(l, status, err);
			return -1;
		}
	} else if (!l->bound) {
		if (l->pcap != NULL)
			describe(l, status, err);
		return -1;
	}
	l->link_type = link_type_of(l->lib.pcap_datalink(l->pcap));
	return 0;
}

/* Lets the socket of libpcap hear nothing: `l->ring` does. */
static int
silence(struct live *l)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(UNUSED_ETHERTYPE),
		.sll_ifindex = l->bound ? l->index : (int)if_nametoindex(PLACEHOLDER),
	};

	return bind(l->lib.pcap_fileno(l->pcap), (const struct sockaddr *)(const void *)&address,
	    sizeof(address));
}

static bool
open_ring(struct live *l)
{
	const struct ring_options options = {
		.snap_len = l->options.snap_len,
		.buffer_len = l->options.buffer_len,
		.timeout_ms = LIVE_BLOCK_MS,
		.block = { .link_type = l->link_type, .source = l->options.source },
	};

	/* What has no number is no interface of the kernel's. */
	if (l->link_type != DLT_EN10MB || (l->bound && l->index == 0) || silence(l) != 0)
		return false;
	l->ring = ring_open(&options);
	return l->ring != NULL;
}

static int
open_reader(struct live *l, struct error *err)
{
	if (open_handle(l, UNUSED_RING_LEN, err) != 0)
		return -1;
	if (open_ring(l))
		return 0;
	l->lib.pcap_close(l->pcap);
	return open_handle(l, l->options.buffer_len, err);
}

/* What libpcap reads: its handle has heard the interface already. */
static int
prepare_handle(struct live *l, struct error *err)
{
	char text[PCAP_ERRBUF_SIZE];

	if (l->lib.pcap_setnonblock(l->pcap, 1, text) != 0) {
		error_set(err, "cannot capture on %s: %s", l->interface, text);
		return -1;
	}
	l->fd = l->lib.pcap_get_selectable_fd(l->pcap);
	if (l->fd < 0) {
		error_set(err, "cannot wait for packets on %s", l->interface);
		return -1;
	}
	if (!l->bound && live_reject_all(l) != 0) {
		error_set(err, "cannot wait for %s: %s", l->interface, strerror(errno));
		return -1;
	}
	if (live_set_filter(l, l->options.filter, err) != 0)
		return -1;
	l->passing_over = true;
	l->filtered_us = timestamp_now();
	(void)live_check(l, err); /* learns what kind of interface it is */
	live_watch_drops(l);
	return 0;
}

/* The ring hears nothing before it has its filter. */
static int
prepare_ring(struct live *l, struct error *err)
{
	l->fd = ring_fd(l->ring);
	if (live_set_filter(l, l->options.filter, err) != 0)
		return -1;
	l->bound = false;
	l->index = 0;
	(void)live_bind(l, err);
	return 0;
}

static int
prepare(struct live *l, struct error *err)
{
	return l->ring != NULL ? prepare_ring(l, err) : prepare_handle(l, err);
}

static int
load_library(struct live *l, struct error *err)
{
	if (pcap_library_load(&l->lib, err) == 0)
		return 0;
	error_prefix(err, "cannot capture on %s", l->interface);
	return -1;
}

struct live *
live_open(const struct live_options *options, struct error *err)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->options = *options;
	l->interface = xstrdup(options->interface);
	interface_drops_init(&l->drops);
	(void)snprintf(l->name, sizeof(l->name), "%s", options->interface);
	if (load_library(l, err) != 0 || open_reader(l, err) != 0 || prepare(l, err) != 0) {
		live_close(l);
		return NULL;
	}
	l->options.filter = NULL; /* it was borrowed */
	return l;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	ring_close(l->ring);
	interface_drops_close(&l->drops);
	if (l->pcap != NULL) {
		l->lib.pcap_close(l->pcap);
		l->lib.pcap_freecode(&l->program);
	}
	free(l->interface);
	free(l);
}
