/*
 * lanes - the second half of a pipeline: TCP packets in, events out.
 *
 * Connections are dealt to LANES lanes by their addresses and ports.  A lane has its share of all
 * budgets and a clock of its own, so what becomes of a connection depends on the packets of its
 * lane and the epochs (pipeline/front.h) alone, and not on how many threads serve the lanes: each
 * takes some of them, as one `struct lanes`.
 *
 * Memory:  bounded by struct flow_options.
 * Threads: one at a time per struct lanes; two share nothing.
 */
#ifndef TLSTALLY_PIPELINE_LANES_H
#define TLSTALLY_PIPELINE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/packet.h"
#include "pipeline/front.h"
#include "pipeline/pipeline.h"

/* More than threads are of use beside one that reads, few enough to cost nothing on one. */
#define LANES 8

struct lanes; /* opaque */

/*
 * Those of the LANES lanes whose number, divided by `step`, leaves `first`: all of them for 0 and
 * 1.  options->flows are the budgets of all LANES together.
 */
struct lanes *lanes_new(const struct pipeline_options *options, unsigned first, unsigned step);
/* One lane that takes all packets and follows their clock by itself. */
struct lanes *lanes_new_single(const struct pipeline_options *options);
void lanes_free(struct lanes *l);

/* The lane of a packet, less than LANES. */
unsigned lane_of(const struct packet *packet);
/* Packets of these lanes, in the order of capture. */
void lanes_add(struct lanes *l, const struct packet *packets, size_t count);
/* Packet time goes on without packets: settles what is due. */
void lanes_advance(struct lanes *l, int64_t now_us);
/* The clock was set back by `step_us` behind lanes_advance: what is remembered keeps its age. */
void lanes_set_back(struct lanes *l, int64_t step_us);
/* Settles what is open. */
void lanes_finish(struct lanes *l);

/* For pipeline_set_minimum and its kin. */
void lanes_set_minimum(struct lanes *l, uint16_t minimum);
size_t lanes_flow_count(const struct lanes *l);
size_t lanes_unsettled_count(const struct lanes *l);
size_t lanes_held_len(const struct lanes *l);

/* As pipeline_counters, of a front and all the lanes behind it. */
size_t lanes_counters(const struct front *front, const struct lanes *const *lanes,
    size_t lanes_count, struct pipeline_counter out[PIPELINE_COUNTERS_MAX]);

#endif
