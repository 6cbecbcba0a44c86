#include "app/event_sink.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "tally/login_names.h"

#include "base/banned.h"

/* A flood settles tens of thousands at once: when its time is over, or at a capture's end. */
#define BATCH_MAX 4096

struct event_sink {
	struct event_sink_options options;
	struct fallback_tracker *fallbacks;
	struct login_names *login_names;
	struct event *batch;
	size_t count, room;
	size_t lost; /* of batches that were full before their end */
};

struct event_sink *
event_sink_new(const struct event_sink_options *options)
{
	struct event_sink *sink = xcalloc(1, sizeof(*sink));

	sink->options = *options;
	sink->login_names = login_names_new();
	sink->fallbacks =
	    fallback_tracker_new(options->fallback_window_us != 0 ? options->fallback_window_us
								  : FALLBACK_DEFAULT_WINDOW_US);
	return sink;
}

void
event_sink_free(struct event_sink *sink)
{
	if (sink == NULL)
		return;
	fallback_tracker_free(sink->fallbacks);
	login_names_free(sink->login_names);
	free(sink->batch);
	free(sink);
}

static int
compare_events(const void *a, const void *b)
{
	return event_compare(a, b);
}

static bool
hand_on(struct event_sink *sink, struct event *ev)
{
	const struct event_sink_options *o = &sink->options;
	struct fallback_mark mark;

	if (o->naming != NULL)
		naming_apply(o->naming, ev);
	if (ev->kind == EVENT_SESSION_END) {
		event_ending_judge(ev, &o->limits);
		login_names_apply(sink->login_names, ev);
	} else if (o->writer != NULL) {
		event_writer_add(o->writer, ev, o->source_name(o->arg, ev->source));
	}
	if (!tally_add(o->tally, ev) && (o->make_room(o->arg) != 0 || !tally_add(o->tally, ev)))
		return false;
	if (ev->kind != EVENT_SESSION_END && fallback_tracker_add(sink->fallbacks, ev, &mark) &&
	    !tally_mark_fallback(o->tally, &mark) && o->make_room(o->arg) == 0)
		(void)tally_mark_fallback(o->tally, &mark);
	return true;
}

/* As events are settled nearly always. */
static bool
is_in_order(const struct event_sink *sink)
{
	for (size_t i = 1; i < sink->count; i++) {
		if (event_compare(&sink->batch[i - 1], &sink->batch[i]) > 0)
			return false;
	}
	return true;
}

static void
hand_on_batch(struct event_sink *sink)
{
	if (!is_in_order(sink))
		qsort(sink->batch, sink->count, sizeof(*sink->batch), compare_events);
	for (size_t i = 0; i < sink->count; i++)
		sink->lost += !hand_on(sink, &sink->batch[i]);
	sink->count = 0;
}

void
event_sink_add(void *arg, const struct event *ev)
{
	struct event_sink *sink = arg;

	if (sink->count == BATCH_MAX)
		hand_on_batch(sink);
	if (sink->count == sink->room) {
		sink->room = sink->room < 64 ? 64 : sink->room * 2;
		sink->batch = xreallocarray(sink->batch, sink->room, sizeof(*sink->batch));
	}
	event_copy(&sink->batch[sink->count++], ev);
}

void
event_sink_add_name(void *arg, const struct name_seen *seen)
{
	struct event_sink *sink = arg;

	if (sink->options.naming != NULL)
		naming_add(sink->options.naming, seen);
}

size_t
event_sink_end_batch(struct event_sink *sink)
{
	size_t lost;

	hand_on_batch(sink);
	lost = sink->lost;
	sink->lost = 0;
	return lost;
}

void
event_sink_set_fallback_window(struct event_sink *sink, int64_t window_us)
{
	fallback_tracker_set_window(sink->fallbacks, window_us);
}

void
event_sink_set_limits(struct event_sink *sink, const struct event_ending_limits *limits)
{
	sink->options.limits = *limits;
}

void
event_sink_set_tally(struct event_sink *sink, struct tally *tally)
{
	sink->options.tally = tally;
}
