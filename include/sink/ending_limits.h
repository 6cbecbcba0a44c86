/*
 * ending_limits - [sessions] of the configuration, as the event sink wants it.
 */
#ifndef TLSTALLY_SINK_ENDING_LIMITS_H
#define TLSTALLY_SINK_ENDING_LIMITS_H

#include "config/config.h"
#include "event/event.h"

/* `minimum`: TLS_VERSION_*, which an option may have set. */
static inline struct event_ending_limits
ending_limits(const struct config *config, uint16_t minimum)
{
	return (struct event_ending_limits){
		.minimum = minimum,
		.dropped_us = config->dropped_within_us,
		.dropped_len = config->dropped_len,
		.short_us = config->short_within_us,
		.short_len = config->short_len,
	};
}

#endif
