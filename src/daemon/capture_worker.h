/*
 * capture_worker - one thread: a live interface, a whole pipeline, an event loop of its own.
 *
 * Nothing is shared with other workers.  Settled events, and names that were seen, wait in an
 * outbox, figures in a snapshot; both are taken under a lock by whoever owns the worker, which is
 * woken by its eventfd.
 *
 * Threads: the functions are for the owner's thread.
 */
#ifndef TLSTALLY_DAEMON_CAPTURE_WORKER_H
#define TLSTALLY_DAEMON_CAPTURE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/live.h"
#include "daemon/capture_outbox.h"
#include "event/event.h"
#include "pipeline/pipeline.h"

/* How often a worker looks at all that it has, also where no packet comes. */
#define CAPTURE_WORKER_TICK_US INT64_C(200000)

struct capture_worker; /* opaque */

struct capture_worker_options {
	struct live_options live; /* `filter` is made by the worker */
	bool tunnels;
	struct port_list vxlan_ports;
	bool names;                  /* learn names that pass by */
	unsigned share, share_count; /* of the interface's connections: see capture/filter.h */
	const struct service_set *services; /* copied */
	const struct network_set *internal; /* copied */
	uint16_t minimum;
	struct flow_options flows;
	const struct hash_key *name_key; /* as in pipeline_options */
	int wake_fd;                     /* eventfd of the owner; borrowed */
};

/* Cumulative since the worker began. */
struct capture_snapshot {
	struct live_stats live;
	uint64_t packet_count, byte_count;
	uint64_t snapped_count;   /* packets cut by the snapshot length */
	int64_t begin_us, end_us; /* packet time; 0: no packet */
	size_t flow_count, unsettled_count, held_len;
	uint64_t lost_events; /* the outbox was full */
	uint64_t lost_names;  /* the same */
	uint64_t down_us;     /* so long the interface was not there, or down */
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	size_t counter_count;
	int64_t beat_us;     /* when it was made: the monotonic clock */
	bool bound;          /* the interface is there */
	int interface_index; /* live_index */
	bool ended;          /* the thread is about to end */
};

/* Opens the interface; NULL with `err` where that is not possible. */
struct capture_worker *capture_worker_new(
    const struct capture_worker_options *options, struct error *err);
int capture_worker_start(struct capture_worker *w, struct error *err);
/* Asks the thread to settle what is open and to end. */
void capture_worker_stop(struct capture_worker *w);
/* False while the thread is at work: what it settles is to be taken meanwhile. */
bool capture_worker_try_join(struct capture_worker *w);
void capture_worker_free(struct capture_worker *w);

/* Other services, networks and minimum from the next packet on. */
void capture_worker_reload(struct capture_worker *w, const struct service_set *services,
    const struct network_set *internal, uint16_t minimum);

const char *capture_worker_interface(const struct capture_worker *w);
/*
 * Gives what the worker has put into its outbox, and takes `out`, emptied, in exchange.  What names
 * an event is never taken after the event.
 */
void capture_worker_take(struct capture_worker *w, struct capture_outbox *out);
void capture_worker_snapshot(struct capture_worker *w, struct capture_snapshot *out);

#endif
