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

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "packet/packet.h"
#include "pipeline/front.h"
#include "pipeline/pipeline.h"

/* More than there are threads of use beside a reading one; few enough to cost nothing on one. */
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

/*
 * The lane of a packet, and of those the other way.  No secret: who chooses connections can fill
 * one lane with them, and gains nothing by it that filling all of them would not give.
 */
static inline unsigned
lane_of(const struct packet *packet)
{
	uint64_t src[2], dst[2], sum;

	memcpy(src, packet->src.bytes, sizeof(src));
	memcpy(dst, packet->dst.bytes, sizeof(dst));
	sum = (src[0] ^ src[1]) + (dst[0] ^ dst[1]) +
	      (((uint64_t)packet->src_port + packet->dst_port) << 40);
	/* Fibonacci hashing (Knuth, volume 3, section 6.4): the highest bits are the mixed ones. */
	return (unsigned)(sum * UINT64_C(0x9e3779b97f4a7c15) >> 61);
}
_Static_assert(LANES == 8, "three bits");

/* Packets of these lanes, in the order of capture. */
void lanes_add(struct lanes *l, const struct packet *packets, size_t count);
/* The same for packets that do not stand side by side. */
void lanes_add_listed(struct lanes *l, const struct packet *const *packets, size_t count);
/*
 * Packets of all lanes, for whoever has them all: all[i] is what lanes_new gave for i and
 * `all_count`.
 */
void lanes_add_to_all(
    struct lanes *const *all, size_t all_count, const struct packet *packets, size_t count);
/* Packet time goes on without packets: settles what is due. */
void lanes_advance(struct lanes *l, int64_t now_us);
/*
 * The clock was set back by `step_us` from now_us, which is later than what any lane knows: see
 * flow_table_set_back.
 */
void lanes_set_back(struct lanes *l, int64_t now_us, int64_t step_us);
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
