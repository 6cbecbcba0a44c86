/*
 * live_internal - the state of a live capture, shared by what opens it and what reads it.
 */
#ifndef TLSTALLY_CAPTURE_LIVE_INTERNAL_H
#define TLSTALLY_CAPTURE_LIVE_INTERNAL_H

#include <net/if.h>

#include "capture/interface_drops.h"
#include "capture/live.h"
#include "capture/pcap_library.h"
#include "capture/ring.h"

struct live {
	struct pcap_library lib;
	pcap_t *pcap;      /* tells the link type, and makes filters; reads, where `ring` is NULL */
	struct ring *ring; /* Ethernet's */
	struct live_options options;
	char *interface;
	struct bpf_program program; /* of the filter; all zero before there is one */
	int index;                  /* of the interface that the handle is bound to; 0: of none */
	int lost_index;             /* of the one before; 0: of none */
	char name[IF_NAMESIZE];     /* how it was called at the last look */
	uint32_t link_type;
	bool bound;
	bool is_loopback;
	int hardware; /* ARPHRD_*, of what is no Ethernet; 0: not looked at yet */
	int fd;
	struct live_stats stats;
	struct interface_drops drops;
	struct pcap_stat last;      /* as libpcap last told them; its counters wrap at 32 bits */
	bool passing_over;          /* what came before the first filter */
	int64_t filtered_us;        /* when that was set: the time of packets */
	int64_t pass_over_until_us; /* the monotonic clock */
	live_frames_fn frames;
	void *frames_arg;
};

/* The socket that packets come through. */
static inline int
live_socket(const struct live *l)
{
	return l->ring != NULL ? ring_fd(l->ring) : l->lib.pcap_fileno(l->pcap);
}

/* Begins to count what the interface drops that the handle is bound to. */
void live_watch_drops(struct live *l);

/* Lets nothing through; -1, with errno. */
int live_reject_all(struct live *l);

#endif
