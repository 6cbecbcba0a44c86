/*
 * pipeline_internal - what the two halves of a pipeline have counted.
 */
#ifndef TLSTALLY_PIPELINE_INTERNAL_H
#define TLSTALLY_PIPELINE_INTERNAL_H

#include "flow/flow_table.h"
#include "packet/decoder.h"
#include "packet/packet.h"
#include "pipeline/front.h"
#include "pipeline/lanes.h"
#include "pipeline/mirror.h"
#include "session/session.h"

struct front_counters {
	uint64_t kinds[PACKET_KIND_COUNT];
	uint64_t names_seen;
	struct mirror_clock clock;
};

struct lane_counters {
	struct flow_counters flows;
	struct session_counters sessions;
	uint64_t snapped; /* packets on mail ports cut by the snapshot length */
	uint64_t duplicate_packets, super_segments;
	uint64_t messages_cut;
};

const struct front_counters *front_counters(const struct front *f);
const struct packet_fragment_counters *front_fragments(const struct front *f);
uint64_t front_unread(const struct front *f);
/* Adds what its lanes have counted. */
void lanes_sum(const struct lanes *l, struct lane_counters *sum);
void counters_add_flows(struct flow_counters *to, const struct flow_counters *f);
void counters_add_sessions(struct session_counters *to, const struct session_counters *s);

#endif
