/*
 * live - one interface, captured in bounded batches: Ethernet from a ring that the kernel shares
 * (src/capture/ring.h), what else there is through libpcap.
 *
 * Opening needs CAP_NET_RAW; everything after does not.  The handle never blocks: wait for its file
 * descriptor, then read a batch.  An interface that goes down or away shows as LIVE_LOST; live_bind
 * takes it up again, also where it is another one with the same name.  Where no other one has taken
 * its name, one that is renamed is the same as before.
 *
 * Source:  pcap(3PCAP), packet(7).
 * Threads: one at a time per handle.
 */
#ifndef TLSTALLY_CAPTURE_LIVE_H
#define TLSTALLY_CAPTURE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/frame.h"
#include "capture/filter.h"

/* The kernel gives packets away in blocks: when one is full, or after so long. */
#define LIVE_BLOCK_MS 100

struct live; /* opaque */

struct live_options {
	const char *interface;
	uint32_t snap_len;   /* bytes kept of a packet, 96 to 262144 */
	uint32_t buffer_len; /* bytes of the ring */
	bool promiscuous;
	const struct filter_options *filter; /* `untagged` is not read: it is found out */
	uint32_t source;                     /* for frame.source */
};

/* Of the packets that the filter lets through; `received` includes what the kernel dropped. */
struct live_stats {
	uint64_t received, dropped_by_kernel, dropped_by_interface;
};

enum live_state {
	LIVE_OK,
	LIVE_LOST,    /* the interface is down or gone: `err` says so; live_bind brings it back */
	LIVE_RENAMED, /* it has another name since the last look: `err` says which */
};

/*
 * NULL, with a sentence in `err`.  An interface that is not there, or down, is no fault: see
 * live_is_bound.
 */
struct live *live_open(const struct live_options *options, struct error *err);
/* False while the interface is missing or down: nothing is captured then. */
bool live_is_bound(const struct live *l);
/* The kernel's number of the interface that is captured from; 0: none, or it is no interface. */
int live_index(const struct live *l);

enum live_bind_answer {
	LIVE_BIND_DONE,       /* `err` says so, and whether it has another name now */
	LIVE_BIND_LATER,      /* the interface is missing or down; `err` says so */
	LIVE_BIND_OTHER_KIND, /* it is there with another kind of frames; `err` says so */
};
/* Tries to bind to an interface that was missing or lost. */
enum live_bind_answer live_bind(struct live *l, struct error *err);
void live_close(struct live *l);

/* Readable when packets wait. */
int live_fd(const struct live *l);

/*
 * Looks whether the interface is still there and up.  To be called now and then: a read notices the
 * loss only of an interface from which packets were still to come.
 */
enum live_state live_check(struct live *l, struct error *err);

typedef void (*live_frames_fn)(void *arg, const struct frame *frames, size_t count);

/*
 * Hands about `max` frames to `frames`, several at a time, whose bytes are valid for the call.
 * *count: how many; less than `max` when no more wait.
 */
enum live_state live_read(
    struct live *l, size_t max, live_frames_fn frames, void *arg, size_t *count, struct error *err);

/*
 * Cumulative since live_open; what cannot be read stays as it was.  `all`: also what the interface
 * has dropped, for which files are read; now and then will do.
 */
void live_get_stats(struct live *l, bool all, struct live_stats *out);

/*
 * Another filter from now on, and no packet is lost in between; -1: `err` says why, and the old one
 * stays.
 */
int live_set_filter(struct live *l, const struct filter_options *filter, struct error *err);

#endif
