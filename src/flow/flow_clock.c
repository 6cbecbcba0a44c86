#include "flow/flow_clock.h"

#include "flow/elapsed.h"

#include "base/banned.h"

int64_t
flow_clock_add_behind(struct flow_clock *c, int64_t time_us)
{
	int64_t behind_us = elapsed_us(c->packet_us, time_us);

	if (behind_us <= FLOW_CLOCK_STEP_US) {
		c->behind_count = 0;
		return 0;
	}
	if (++c->behind_count < FLOW_CLOCK_STEP_COUNT)
		return 0;
	c->behind_count = 0;
	c->packet_us = time_us;
	return behind_us;
}
