#include "daemon/event_intake.h"

#include <stdlib.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "daemon/event_delay.h"

#include "base/banned.h"

struct event_intake {
	struct capture_worker *const *workers;
	size_t worker_count;
	struct event_sink *sink;
	struct capture_outbox *taken;    /* one for each worker */
	struct event_list *taken_events; /* the same: their lists, borrowed */
	bool delays;                     /* events, for the names that other workers have seen */
	struct event_delay delay;
};

struct event_intake *
event_intake_new(
    struct capture_worker *const *workers, size_t worker_count, struct event_sink *sink, bool names)
{
	struct event_intake *in = xcalloc(1, sizeof(*in));

	in->workers = workers;
	in->worker_count = worker_count;
	in->sink = sink;
	in->taken = xcalloc(worker_count, sizeof(*in->taken));
	in->taken_events = xcalloc(worker_count, sizeof(*in->taken_events));
	in->delays = names && worker_count > 1;
	return in;
}

void
event_intake_free(struct event_intake *in)
{
	if (in == NULL)
		return;
	for (size_t i = 0; i < in->worker_count; i++)
		capture_outbox_release(&in->taken[i]);
	free(in->taken);
	free(in->taken_events);
	event_delay_release(&in->delay);
	free(in);
}

bool
event_intake_delays(const struct event_intake *in)
{
	return in->delays;
}

/* Hands on what was there at the turn before. */
static void
turn(struct event_intake *in)
{
	/* What goes on waiting came within a turn, and was settled within another one before. */
	event_sink_expect(in->sink, timestamp_now() - 2 * EVENT_INTAKE_TURN_US);
	(void)event_sink_hand_on(in->sink, event_delay_turn(&in->delay), 1);
}

void
event_intake_take(struct event_intake *in)
{
	for (size_t i = 0; i < in->worker_count; i++) {
		struct capture_outbox *taken = &in->taken[i];

		capture_worker_take(in->workers[i], taken);
		for (size_t k = 0; k < taken->name_count; k++)
			event_sink_add_name(in->sink, &taken->names[k]);
		in->taken_events[i] = taken->events;
		if (in->delays)
			event_delay_add(&in->delay, &taken->events);
	}
	if (!in->delays)
		(void)event_sink_hand_on(in->sink, in->taken_events, in->worker_count);
	else if (event_delay_is_full(&in->delay))
		turn(in);
}

void
event_intake_turn(struct event_intake *in)
{
	event_intake_take(in);
	turn(in);
}

void
event_intake_finish(struct event_intake *in)
{
	turn(in);
	turn(in); /* what has come since the latest one */
}
