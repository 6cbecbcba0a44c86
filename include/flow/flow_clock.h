/*
 * flow_clock - notices that packet time was set back.
 *
 * Time goes forward with the packets, except where a machine's clock was set back or a second
 * capture was appended to a file.  A clock that stood still then would end nothing any more; so it
 * is set back, with the times of all that is remembered, when many packets in a row are far behind.
 *
 * Threads: one at a time per clock.
 */
#ifndef TLSTALLY_FLOW_FLOW_CLOCK_H
#define TLSTALLY_FLOW_FLOW_CLOCK_H

#include <stdint.h>

/* So many packets in a row, so far behind: the clock was set back. */
#define FLOW_CLOCK_STEP_COUNT 256
#define FLOW_CLOCK_STEP_US INT64_C(60000000)

struct flow_clock {
	int64_t packet_us;     /* the latest packet's time; INT64_MIN at first */
	unsigned behind_count; /* packets in a row that were far behind it */
};

/* For flow_clock_add. */
int64_t flow_clock_add_behind(struct flow_clock *c, int64_t time_us);

/* A packet.  Returns 0, or by how much the clock, and all that it measures, is to be set back. */
static inline int64_t
flow_clock_add(struct flow_clock *c, int64_t time_us)
{
	if (time_us < c->packet_us)
		return flow_clock_add_behind(c, time_us);
	c->behind_count = 0;
	c->packet_us = time_us;
	return 0;
}

#endif
