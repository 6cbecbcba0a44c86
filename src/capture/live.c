#include "capture/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "capture/ring.h"

#include "base/banned.h"

/* A block of the ring is handed over after so long at the latest, full or not. */
#define RING_TIMEOUT_MS 100
/* So long, at most, what came before the first filter is passed over: clocks may be set back. */
#define PASS_OVER_US INT64_C(2000000)
/* The ring of a handle of libpcap through which nothing comes. */
#define UNUSED_RING_LEN 65536
/* For local experiments (IEEE 802): nobody sends such frames. */
#define UNUSED_ETHERTYPE 0x88b5
/* Stands in for an interface that is missing; always there, and of the same link type. */
#define PLACEHOLDER "lo"

struct live {
	pcap_t *pcap;      /* tells the link type, and makes filters; reads, where `ring` is NULL */
	struct ring *ring; /* Ethernet's */
	struct live_options options;
	char *interface;
	char *filter; /* NULL: none */
	int index;    /* of the interface that the handle is bound to; 0: of none */
	uint32_t link_type;
	bool bound;
	bool is_loopback;
	int fd;
	struct live_stats stats;
	struct pcap_stat last;      /* as libpcap last told them; its counters wrap at 32 bits */
	bool passing_over;          /* what came before the first filter */
	int64_t filtered_us;        /* when that was set: the time of packets */
	int64_t pass_over_until_us; /* the monotonic clock */
	live_frames_fn frames;
	void *frames_arg;
};

static void
describe(const struct live *l, int status, enum live_fault *fault, struct error *err)
{
	if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) {
		*fault = LIVE_FAULT_NO_PERMISSION;
		error_set(err,
		    "capturing on %s needs the capability CAP_NET_RAW: run as root, or grant it "
		    "with "
		    "'setcap cap_net_raw+ep' on the program",
		    l->interface);
		return;
	}
	*fault = LIVE_FAULT_OTHER;
	error_set(err, "cannot capture on %s: %s", l->interface,
	    *pcap_geterr(l->pcap) != '\0' ? pcap_geterr(l->pcap) : pcap_statustostr(status));
}

/* LINKTYPE_ values of files; a live handle speaks in DLT_ ones, which differ for raw IP only. */
static uint32_t
link_type_of(int dlt)
{
	return dlt == DLT_RAW ? 101 : (uint32_t)dlt;
}

/* The socket that packets come through. */
static int
socket_of(const struct live *l)
{
	return l->ring != NULL ? ring_fd(l->ring) : pcap_fileno(l->pcap);
}

/* A handle on `device`, activated; -1 with the status of libpcap in *status. */
static int
open_device(struct live *l, const char *device, uint32_t ring_len, int *status, struct error *err)
{
	const struct live_options *o = &l->options;
	char text[PCAP_ERRBUF_SIZE] = "";

	*status = PCAP_ERROR;
	l->pcap = pcap_create(device, text);
	if (l->pcap == NULL) {
		error_set(err, "cannot capture on %s: %s", device, text);
		return -1;
	}
	(void)pcap_set_snaplen(l->pcap, (int)o->snap_len);
	(void)pcap_set_promisc(l->pcap, o->promiscuous);
	(void)pcap_set_timeout(l->pcap, RING_TIMEOUT_MS);
	(void)pcap_set_buffer_size(l->pcap, (int)ring_len);
	*status = pcap_activate(l->pcap);
	return *status < 0 ? -1 : 0;
}

static int64_t
monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * The kernel changes one filter for another without losing a packet.  pcap_setfilter would first
 * set one that rejects everything, and then filter a part of the ring once more.
 */
static int
attach(struct live *l, struct bpf_program *program)
{
	const struct sock_fprog kernel_program = {
		.len = (unsigned short)program->bf_len,
		/* struct bpf_insn of libpcap is struct sock_filter of the kernel. */
		.filter = (struct sock_filter *)(void *)program->bf_insns,
	};

	/* In cooked mode the program is not the kernel's yet. */
	if (l->link_type != DLT_EN10MB || program->bf_len > BPF_MAXINSNS)
		return pcap_setfilter(l->pcap, program);
	return setsockopt(
	    socket_of(l), SOL_SOCKET, SO_ATTACH_FILTER, &kernel_program, sizeof(kernel_program));
}

static int
reject_all(struct live *l)
{
	struct bpf_insn reject = BPF_STMT(BPF_RET | BPF_K, 0);
	struct bpf_program program = { .bf_len = 1, .bf_insns = &reject };

	return attach(l, &program);
}

/* On the interface, or on the placeholder where it is missing or down. */
static int
open_handle(struct live *l, uint32_t ring_len, enum live_fault *fault, struct error *err)
{
	int status;

	l->bound = open_device(l, l->interface, ring_len, &status, err) == 0;
	if (l->bound)
		l->index = (int)if_nametoindex(l->interface);
	if (!l->bound &&
	    (status == PCAP_ERROR_NO_SUCH_DEVICE || status == PCAP_ERROR_IFACE_NOT_UP)) {
		pcap_close(l->pcap);
		if (open_device(l, PLACEHOLDER, ring_len, &status, err) != 0) {
			if (l->pcap != NULL)
				describe(l, status, fault, err);
			return -1;
		}
	} else if (!l->bound) {
		*fault = LIVE_FAULT_OTHER;
		if (l->pcap != NULL)
			describe(l, status, fault, err);
		return -1;
	}
	l->link_type = link_type_of(pcap_datalink(l->pcap));
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

	return bind(
	    pcap_fileno(l->pcap), (const struct sockaddr *)(const void *)&address, sizeof(address));
}

static bool
open_ring(struct live *l)
{
	const struct ring_options options = {
		.snap_len = l->options.snap_len,
		.buffer_len = l->options.buffer_len,
		.timeout_ms = RING_TIMEOUT_MS,
		.block = { .link_type = l->link_type, .source = l->options.source },
	};

	/* What has no number is no interface of the kernel's. */
	if (l->link_type != DLT_EN10MB || (l->bound && l->index == 0) || silence(l) != 0)
		return false;
	l->ring = ring_open(&options);
	return l->ring != NULL;
}

static int
open_reader(struct live *l, enum live_fault *fault, struct error *err)
{
	if (open_handle(l, UNUSED_RING_LEN, fault, err) != 0)
		return -1;
	if (open_ring(l))
		return 0;
	pcap_close(l->pcap);
	return open_handle(l, l->options.buffer_len, fault, err);
}

/* What libpcap reads: its handle has heard the interface already. */
static int
prepare_handle(struct live *l, enum live_fault *fault, struct error *err)
{
	char text[PCAP_ERRBUF_SIZE];

	if (pcap_setnonblock(l->pcap, 1, text) != 0) {
		error_set(err, "cannot capture on %s: %s", l->interface, text);
		return -1;
	}
	l->fd = pcap_get_selectable_fd(l->pcap);
	if (l->fd < 0) {
		error_set(err, "cannot wait for packets on %s", l->interface);
		return -1;
	}
	if (!l->bound && reject_all(l) != 0) {
		error_set(err, "cannot wait for %s: %s", l->interface, strerror(errno));
		return -1;
	}
	if (l->bound && l->filter != NULL && live_set_filter(l, l->filter, err) != 0) {
		*fault = LIVE_FAULT_FILTER;
		return -1;
	}
	l->passing_over = true;
	l->filtered_us = timestamp_now();
	return 0;
}

/* The ring hears nothing before it has its filter. */
static int
prepare_ring(struct live *l, enum live_fault *fault, struct error *err)
{
	l->fd = ring_fd(l->ring);
	if (l->filter != NULL && live_set_filter(l, l->filter, err) != 0) {
		*fault = LIVE_FAULT_FILTER;
		return -1;
	}
	l->bound = false;
	l->index = 0;
	(void)live_bind(l, err);
	return 0;
}

static int
prepare(struct live *l, enum live_fault *fault, struct error *err)
{
	*fault = LIVE_FAULT_OTHER;
	return l->ring != NULL ? prepare_ring(l, fault, err) : prepare_handle(l, fault, err);
}

struct live *
live_open(const struct live_options *options, enum live_fault *fault, struct error *err)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->options = *options;
	l->interface = xstrdup(options->interface);
	l->filter = options->filter != NULL ? xstrdup(options->filter) : NULL;
	if (open_reader(l, fault, err) == 0 && prepare(l, fault, err) == 0)
		return l;
	live_close(l);
	return NULL;
}

bool
live_is_bound(const struct live *l)
{
	return l->bound;
}

/* The interface's flags and kind of hardware, asked on the handle's own socket. */
static int
look_at_interface(struct live *l, int *index, struct error *err)
{
	struct ifreq request = { 0 };
	int fd = pcap_fileno(l->pcap);

	*index = (int)if_nametoindex(l->interface);
	if (*index == 0 || strlen(l->interface) >= sizeof(request.ifr_name)) {
		error_set(err, "interface %s is not there", l->interface);
		return -1;
	}
	memcpy(request.ifr_name, l->interface, strlen(l->interface));
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0 || (request.ifr_flags & IFF_UP) == 0) {
		error_set(err, "interface %s is down", l->interface);
		return -1;
	}
	l->is_loopback = (request.ifr_flags & IFF_LOOPBACK) != 0;
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0 ||
	    (l->link_type == DLT_EN10MB && request.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
		request.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)) {
		error_set(
		    err, "interface %s is no Ethernet: start anew to capture on it", l->interface);
		return -1;
	}
	return 0;
}

enum live_state
live_check(struct live *l, struct error *err)
{
	int index;

	/* 0: "any", which is always there. */
	if (!l->bound || l->index == 0)
		return LIVE_OK;
	if (look_at_interface(l, &index, err) == 0) {
		if (index == l->index)
			return LIVE_OK;
		error_set(err, "interface %s is another one than before", l->interface);
	}
	l->bound = false;
	return LIVE_LOST;
}

static int
bind_socket(struct live *l, int index)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index,
	};

	if (l->ring != NULL)
		return ring_bind(l->ring, index, l->is_loopback);
	return bind(
	    pcap_fileno(l->pcap), (const struct sockaddr *)(const void *)&address, sizeof(address));
}

static int
bind_to(struct live *l, int index, struct error *err)
{
	struct packet_mreq promiscuous = { .mr_type = PACKET_MR_PROMISC, .mr_ifindex = index };

	if (index == l->index)
		return 0;
	if (bind_socket(l, index) != 0) {
		error_set(err, "cannot capture on %s: %s", l->interface, strerror(errno));
		return -1;
	}
	if (l->options.promiscuous)
		(void)setsockopt(socket_of(l), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
		    sizeof(promiscuous));
	l->index = index;
	return 0;
}

enum live_bind_answer
live_bind(struct live *l, struct error *err)
{
	int index;

	if (look_at_interface(l, &index, err) != 0)
		return LIVE_BIND_LATER;
	if (bind_to(l, index, err) != 0)
		return LIVE_BIND_LATER;
	l->bound = true;
	if (l->filter != NULL && live_set_filter(l, l->filter, err) != 0) {
		l->bound = false;
		return LIVE_BIND_LATER;
	}
	return LIVE_BIND_DONE;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	ring_close(l->ring);
	if (l->pcap != NULL)
		pcap_close(l->pcap);
	free(l->interface);
	free(l->filter);
	free(l);
}

int
live_fd(const struct live *l)
{
	return l->fd;
}

/* The ring has what came before the first filter was set. */
static bool
is_from_before(struct live *l, int64_t time_us)
{
	int64_t now_us = monotonic_us();

	if (l->pass_over_until_us == 0)
		l->pass_over_until_us = now_us + PASS_OVER_US;
	l->passing_over = time_us < l->filtered_us && now_us < l->pass_over_until_us;
	return l->passing_over;
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

	if (l->passing_over && is_from_before(l, frame.time_us))
		return;
	l->frames(l->frames_arg, &frame, 1);
}

static enum live_state
read_handle(struct live *l, size_t max, size_t *count, struct error *err)
{
	int status = pcap_dispatch(l->pcap, (int)max, on_packet, (u_char *)(void *)l);

	*count = status > 0 ? (size_t)status : 0;
	if (status >= 0)
		return LIVE_OK;
	error_set(err, "interface %s is lost: %s", l->interface, pcap_geterr(l->pcap));
	return LIVE_LOST;
}

static enum live_state
read_ring(struct live *l, size_t max, size_t *count, struct error *err)
{
	int fault;

	*count = ring_read(l->ring, max, l->frames, l->frames_arg);
	/* Its socket is readable for an error, too, as long as that was not asked for. */
	fault = *count == 0 ? ring_take_error(l->ring) : 0;
	if (fault == 0)
		return LIVE_OK;
	error_set(err, "interface %s is lost: %s", l->interface, strerror(fault));
	return LIVE_LOST;
}

enum live_state
live_read(
    struct live *l, size_t max, live_frames_fn frames, void *arg, size_t *count, struct error *err)
{
	enum live_state state;

	l->frames = frames;
	l->frames_arg = arg;
	state = l->ring != NULL ? read_ring(l, max, count, err) : read_handle(l, max, count, err);
	if (state == LIVE_LOST)
		l->bound = false;
	return state;
}

void
live_get_stats(struct live *l, struct live_stats *out)
{
	struct pcap_stat now;

	if (pcap_stats(l->pcap, &now) == 0) {
		/* Differences of what wraps are right as long as they are asked for often enough.
		 */
		if (l->ring == NULL) {
			l->stats.received += now.ps_recv - l->last.ps_recv;
			l->stats.dropped_by_kernel += now.ps_drop - l->last.ps_drop;
		}
		l->stats.dropped_by_interface += now.ps_ifdrop - l->last.ps_ifdrop;
		l->last = now;
	}
	if (l->ring != NULL)
		ring_add_stats(l->ring, &l->stats.received, &l->stats.dropped_by_kernel);
	*out = l->stats;
}

/* A placeholder of libpcap goes on rejecting everything; live_bind sets what is kept. */
static int
apply_filter(struct live *l, struct bpf_program *program, struct error *err)
{
	if ((l->ring == NULL && !l->bound) || attach(l, program) == 0)
		return 0;
	error_set(err, "cannot set the filter of %s: %s", l->interface,
	    *pcap_geterr(l->pcap) != '\0' ? pcap_geterr(l->pcap) : strerror(errno));
	return -1;
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
	status = apply_filter(l, &program, err);
	if (status == 0 && filter != l->filter) {
		free(l->filter);
		l->filter = xstrdup(filter);
	}
	pcap_freecode(&program);
	return status;
}
