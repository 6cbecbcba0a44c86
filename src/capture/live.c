#include "capture/live_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "capture/ether_filter.h"

#include "base/banned.h"

/* So long, at most, older packets are dropped: once the clock is set back all of them seem older.
 */
#define PASS_OVER_US INT64_C(2000000)

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

	/* In cooked mode the program still has to be changed, which libpcap does. */
	if (l->link_type != DLT_EN10MB || program->bf_len > BPF_MAXINSNS)
		return l->lib.pcap_setfilter(l->pcap, program);
	return setsockopt(
	    live_socket(l), SOL_SOCKET, SO_ATTACH_FILTER, &kernel_program, sizeof(kernel_program));
}

/* Sets the filter that was made last; -1: `err` says why. */
static int
set_made_filter(struct live *l, struct error *err)
{
	if (attach(l, &l->program) == 0)
		return 0;
	error_set(err, "cannot set the filter of %s: %s", l->interface,
	    *l->lib.pcap_geterr(l->pcap) != '\0' ? l->lib.pcap_geterr(l->pcap) : strerror(errno));
	return -1;
}

int
live_reject_all(struct live *l)
{
	struct bpf_insn reject = BPF_STMT(BPF_RET | BPF_K, 0);
	struct bpf_program program = { .bf_len = 1, .bf_insns = &reject };

	return attach(l, &program);
}

bool
live_is_bound(const struct live *l)
{
	return l->bound;
}

int
live_index(const struct live *l)
{
	return l->bound ? l->index : 0;
}

/* An interface may come back with frames of another kind, which an open handle cannot read. */
static bool
is_of_our_kind(struct live *l, int hardware)
{
	if (l->link_type == DLT_EN10MB)
		return hardware == ARPHRD_ETHER || hardware == ARPHRD_LOOPBACK;
	if (l->hardware == 0)
		l->hardware = hardware;
	return l->hardware == hardware;
}

/*
 * Its number, with its name in `request`; 0: it is not there.  The name counts; where nobody has
 * it, it is the one that was captured from, which was given another.
 */
static int
find_interface(const struct live *l, struct ifreq *request)
{
	int index = (int)if_nametoindex(l->interface);

	if (index != 0 && strlen(l->interface) < sizeof(request->ifr_name)) {
		memcpy(request->ifr_name, l->interface, strlen(l->interface) + 1);
		return index;
	}
	request->ifr_ifindex = l->index != 0 ? l->index : l->lost_index;
	return request->ifr_ifindex != 0 &&
		       ioctl(l->lib.pcap_fileno(l->pcap), SIOCGIFNAME, request) == 0
		   ? request->ifr_ifindex
		   : 0;
}

/* Notes how it is called.  True where that is new, and `err` says so. */
static bool
take_name(struct live *l, const char *name, struct error *err)
{
	bool is_new = strcmp(name, l->name) != 0;

	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	if (is_new && strcmp(name, l->interface) != 0)
		error_set(err,
		    "interface %s is called %s now: capturing goes on; give the new name before "
		    "the next start",
		    l->interface, name);
	else
		error_set(err, "interface %s is there: capturing", l->interface);
	return is_new;
}

/*
 * The interface's flags and kind of hardware, asked on the handle's own socket; its name in
 * `request`.
 */
static enum live_bind_answer
look_at_interface(struct live *l, int *index, struct ifreq *request, struct error *err)
{
	int fd = l->lib.pcap_fileno(l->pcap);
	struct ifreq answer;

	*index = find_interface(l, request);
	if (*index == 0) {
		error_set(err, "interface %s is not there", l->interface);
		return LIVE_BIND_LATER;
	}
	answer = *request;
	if (ioctl(fd, SIOCGIFFLAGS, &answer) != 0 || (answer.ifr_flags & IFF_UP) == 0) {
		error_set(err, "interface %s is down", answer.ifr_name);
		return LIVE_BIND_LATER;
	}
	l->is_loopback = (answer.ifr_flags & IFF_LOOPBACK) != 0;
	if (ioctl(fd, SIOCGIFHWADDR, &answer) != 0) {
		error_set(err, "interface %s is not there", l->interface);
		return LIVE_BIND_LATER;
	}
	if (!is_of_our_kind(l, answer.ifr_hwaddr.sa_family)) {
		error_set(err, "interface %s is %s: start anew to capture on it", l->interface,
		    l->link_type == DLT_EN10MB ? "no Ethernet" : "of another kind than before");
		return LIVE_BIND_OTHER_KIND;
	}
	return LIVE_BIND_DONE;
}

/* The kernel may have let go of it: it is bound anew, also where it comes back as the same one. */
static enum live_state
lose(struct live *l)
{
	l->bound = false;
	if (l->index != 0)
		l->lost_index = l->index;
	l->index = 0;
	return LIVE_LOST;
}

enum live_state
live_check(struct live *l, struct error *err)
{
	struct ifreq request = { 0 };
	int index;

	/* 0: "any", which is always there. */
	if (!l->bound || l->index == 0)
		return LIVE_OK;
	if (look_at_interface(l, &index, &request, err) == LIVE_BIND_DONE) {
		if (index == l->index)
			return take_name(l, request.ifr_name, err) ? LIVE_RENAMED : LIVE_OK;
		error_set(err, "interface %s is another one than before", l->interface);
	}
	return lose(l);
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
	return bind(l->lib.pcap_fileno(l->pcap), (const struct sockaddr *)(const void *)&address,
	    sizeof(address));
}

void
live_watch_drops(struct live *l)
{
	struct ifreq request = { .ifr_ifindex = l->index };

	/* By its number, as it may have been given by another of its names. */
	if (l->index != 0 && ioctl(l->lib.pcap_fileno(l->pcap), SIOCGIFNAME, &request) == 0)
		interface_drops_open(&l->drops, request.ifr_name);
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
		(void)setsockopt(live_socket(l), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
		    sizeof(promiscuous));
	l->index = index;
	live_watch_drops(l);
	return 0;
}

enum live_bind_answer
live_bind(struct live *l, struct error *err)
{
	struct ifreq request = { 0 };
	enum live_bind_answer answer;
	int index;

	answer = look_at_interface(l, &index, &request, err);
	if (answer != LIVE_BIND_DONE)
		return answer;
	if (bind_to(l, index, err) != 0)
		return LIVE_BIND_LATER;
	/* A ring has kept its filter. */
	if (l->ring == NULL && set_made_filter(l, err) != 0)
		return LIVE_BIND_LATER;
	l->bound = true;
	(void)take_name(l, request.ifr_name, err);
	return LIVE_BIND_DONE;
}

int
live_fd(const struct live *l)
{
	return l->fd;
}

/* The ring also has packets from before the first filter was set. */
static bool
is_from_before(struct live *l, int64_t time_us)
{
	int64_t now_us = clock_monotonic_us();

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
	int status;

	errno = 0;
	status = l->lib.pcap_dispatch(l->pcap, (int)max, on_packet, (u_char *)(void *)l);
	*count = status > 0 ? (size_t)status : 0;
	/* libpcap takes it for an error when NFLOG has nothing more to read. */
	if (status >= 0 || (l->link_type == DLT_NFLOG && errno == EAGAIN))
		return LIVE_OK;
	error_set(err, "interface %s is lost: %s", l->interface, l->lib.pcap_geterr(l->pcap));
	return LIVE_LOST;
}

static enum live_state
read_ring(struct live *l, size_t max, size_t *count, struct error *err)
{
	int fault;

	*count = ring_read(l->ring, max, l->frames, l->frames_arg);
	/* The socket is also readable when it has an error, until somebody asks for that. */
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
	return state == LIVE_LOST ? lose(l) : state;
}

static void
ask_handle(struct live *l)
{
	struct pcap_stat now;

	if (l->lib.pcap_stats(l->pcap, &now) != 0)
		return;
	/* The counters wrap; their differences are right as long as they are taken often enough. */
	l->stats.received += now.ps_recv - l->last.ps_recv;
	l->stats.dropped_by_kernel += now.ps_drop - l->last.ps_drop;
	l->last = now;
}

void
live_get_stats(struct live *l, bool all, struct live_stats *out)
{
	if (l->ring != NULL)
		ring_add_stats(l->ring, &l->stats.received, &l->stats.dropped_by_kernel);
	else
		ask_handle(l);
	if (all)
		l->stats.dropped_by_interface += interface_drops_take(&l->drops);
	*out = l->stats;
}

/* libpcap has none for what a firewall's rules log, nor behind the tags of a switch chip. */
static bool
has_filter(uint32_t link_type)
{
	return link_type != DLT_NFLOG && link_type != DLT_DSA_TAG_BRCM &&
	       link_type != DLT_DSA_TAG_BRCM_PREPEND && link_type != DLT_DSA_TAG_DSA &&
	       link_type != DLT_DSA_TAG_EDSA;
}

static int
compile(struct live *l, const struct filter_options *options, struct bpf_program *out,
    struct error *err)
{
	struct buf text = { 0 };
	int status;

	if (has_filter(l->link_type))
		filter_write(options, &text);
	status = l->lib.pcap_compile(l->pcap, out, buf_text(&text), 1, PCAP_NETMASK_UNKNOWN);
	if (status != 0)
		error_set(err, "cannot make a filter for %s: %s", l->interface,
		    l->lib.pcap_geterr(l->pcap));
	buf_release(&text);
	return status;
}

static void
make_rejecting(struct bpf_program *out)
{
	out->bf_len = 1;
	out->bf_insns = xmalloc(sizeof(*out->bf_insns));
	*out->bf_insns = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_K, 0);
}

static int
make_program(
    struct live *l, const struct filter_options *filter, struct bpf_program *out, struct error *err)
{
	struct filter_options untagged = *filter;

	if (l->ring != NULL) {
		ether_filter_make(filter, l->options.snap_len, out);
		return 0;
	}
	/* Nothing tells the shares apart: the first one has all of it. */
	if (!has_filter(l->link_type) && filter->share > 0) {
		make_rejecting(out);
		return 0;
	}
	/* For most link types libpcap cannot look for tags. */
	untagged.untagged = true;
	return compile(l, filter, out, err) != 0 ? compile(l, &untagged, out, err) : 0;
}

int
live_set_filter(struct live *l, const struct filter_options *filter, struct error *err)
{
	struct bpf_program old = l->program, made;

	if (make_program(l, filter, &made, err) != 0)
		return -1;
	l->program = made;
	/* A placeholder of libpcap goes on rejecting everything; live_bind sets what is kept. */
	if ((l->ring != NULL || l->bound) && set_made_filter(l, err) != 0) {
		l->program = old;
		l->lib.pcap_freecode(&made);
		return -1;
	}
	l->lib.pcap_freecode(&old);
	return 0;
}
