/*
 * event_flush - the flush of an owner that goes on where events cannot be written: each change is
 * logged, and how many lines are lost meanwhile.
 */
#ifndef TLSTALLY_SINK_EVENT_FLUSH_H
#define TLSTALLY_SINK_EVENT_FLUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "sink/event_writer.h"

/* Starts as { .writer }. */
struct event_flush {
	struct event_writer *writer; /* borrowed; NULL: there is none */
	bool failing;                /* which was logged */
	uint64_t lost_told;          /* lines */
};

void event_flush_try(struct event_flush *f);

#endif
