/*
 * pipeline - joins packet, flow and session: frames in, events out.
 *
 * No input or output of its own, no clock but packet time, nothing shared with another pipeline.
 *
 * Memory:  bounded by struct flow_options and struct packet_options.
 * Threads: one per pipeline.
 */
#ifndef TLSTALLY_PIPELINE_PIPELINE_H
#define TLSTALLY_PIPELINE_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/frame.h"
#include "base/service.h"
#include "event/event.h"
#include "flow/flow_table.h"
#include "names/observe.h"
#include "packet/decoder.h"

struct pipeline; /* opaque */

struct pipeline_options {
	const struct service_set *services; /* borrowed */
	const struct network_set *internal; /* borrowed */
	uint16_t minimum;                   /* TLS_VERSION_*; for limited_by */
	struct flow_options flows;
	struct packet_options packets; /* all zero: the defaults */
	/* One settled attempt; `ev` is valid for the call. */
	void (*event)(void *arg, const struct event *ev);
	/* A name that passed by, for pipeline/naming.h; NULL: such packets are not looked at. */
	void (*name)(void *arg, const struct name_seen *seen);
	/* An EVENT_SESSION_END, its `ending` not judged yet; NULL: nobody wants to know. */
	void (*ending)(void *arg, const struct event *ev);
	/* With it: the key of event_ending.failed_names, the same for all pipelines whose endings
	 * are counted together; borrowed, and nowhere but in memory.  NULL: names are not told
	 * apart. */
	const struct hash_key *name_key;
	void *arg;
};

/* A link type that cannot be decoded, and how many frames had it. */
struct pipeline_unknown_link {
	uint32_t link_type;
	uint32_t source; /* of the first such frame */
	uint64_t frame_count;
};
#define PIPELINE_UNKNOWN_LINKS_MAX 8

struct pipeline_counter {
	const char *name; /* lower_snake, as in the view `coverage` */
	uint64_t value;
};
#define PIPELINE_COUNTERS_MAX 64

/* `options` is borrowed for the call, what it borrows for the pipeline's life. */
struct pipeline *pipeline_new(const struct pipeline_options *options);
void pipeline_free(struct pipeline *p);

/* In the order of capture; the frame's bytes are borrowed for the call. */
void pipeline_add(struct pipeline *p, const struct frame *frame);
/* The same for frames whose bytes are there at the same time; faster. */
void pipeline_add_many(struct pipeline *p, const struct frame *frames, size_t count);
/* Packet time goes on without packets (a live capture that is quiet): settles what is due. */
void pipeline_advance(struct pipeline *p, int64_t now_us);
/* The capture is over: settles what is open. */
void pipeline_finish(struct pipeline *p);

/* Connections tracked now, and how many of them are not settled. */
size_t pipeline_flow_count(const struct pipeline *p);
size_t pipeline_unsettled_count(const struct pipeline *p);
/* Bytes that wait behind holes, of the budget flows.max_held_len. */
size_t pipeline_held_len(const struct pipeline *p);
/* Another minimum from now on: TLS_VERSION_*. */
void pipeline_set_minimum(struct pipeline *p, uint16_t minimum);

/* All counters, zero ones too, in a fixed order; returns how many. */
size_t pipeline_counters(
    const struct pipeline *p, struct pipeline_counter out[PIPELINE_COUNTERS_MAX]);
/* Returns how many were written to `out`. */
size_t pipeline_unknown_links(
    const struct pipeline *p, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX]);

#endif
