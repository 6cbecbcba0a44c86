#include "pipeline/pipeline.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "pipeline/front.h"
#include "pipeline/lanes.h"

#include "base/banned.h"

/* Packets that go through the halves together. */
#define BATCH 32

struct pipeline {
	struct front *front;
	struct lanes *lanes;
};

struct pipeline *
pipeline_new(const struct pipeline_options *options)
{
	struct pipeline *p = xcalloc(1, sizeof(*p));

	p->front = front_new(options);
	p->lanes = lanes_new_single(options);
	return p;
}

void
pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	lanes_free(p->lanes);
	front_free(p->front);
	free(p);
}

void
pipeline_add(struct pipeline *p, const struct frame *frame)
{
	pipeline_add_many(p, frame, 1);
}

void
pipeline_add_many(struct pipeline *p, const struct frame *frames, size_t count)
{
	struct packet packets[BATCH];
	size_t at = 0, found;

	while (at < count) {
		at += front_read(p->front, frames + at, count - at, packets, BATCH, &found);
		lanes_add(p->lanes, packets, found);
		/* A single lane has a clock of its own, and needs no epochs. */
		if (front_epoch_is_over(p->front))
			(void)front_next_epoch(p->front);
	}
}

void
pipeline_advance(struct pipeline *p, int64_t now_us)
{
	lanes_advance(p->lanes, now_us);
}

void
pipeline_finish(struct pipeline *p)
{
	front_finish(p->front);
	lanes_finish(p->lanes);
}

size_t
pipeline_flow_count(const struct pipeline *p)
{
	return lanes_flow_count(p->lanes);
}

size_t
pipeline_unsettled_count(const struct pipeline *p)
{
	return lanes_unsettled_count(p->lanes);
}

size_t
pipeline_held_len(const struct pipeline *p)
{
	return lanes_held_len(p->lanes);
}

void
pipeline_set_minimum(struct pipeline *p, uint16_t minimum)
{
	lanes_set_minimum(p->lanes, minimum);
}

size_t
pipeline_counters(const struct pipeline *p, struct pipeline_counter out[PIPELINE_COUNTERS_MAX])
{
	const struct lanes *lanes = p->lanes;

	return lanes_counters(p->front, &lanes, 1, out);
}

size_t
pipeline_unknown_links(
    const struct pipeline *p, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX])
{
	return front_unknown_links(p->front, out);
}
