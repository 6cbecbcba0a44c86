#include "sink/event_sink.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "tally/login_names.h"

#include "base/banned.h"

/* More references than in most batches are not kept for the next one. */
#define KEPT_REFS 65536
/* Events whose places are worked out and prefetched together. */
#define AHEAD TALLY_AHEAD_MAX
/* An epoch of a replay has fewer; what others gather has to stay finite. */
#define NAMES_MAX 4096

_Static_assert(AHEAD <= FALLBACK_AHEAD_MAX, "both look at the same events");

/* A name that waits for its turn among the events. */
struct name_ref {
	int64_t time_us;
	size_t index; /* in `names` */
};

struct event_sink {
	struct event_sink_options options;
	struct name_seen *names;    /* owned; of this batch, as they came */
	struct name_ref *name_refs; /* owned; the same in order of time */
	size_t name_count, name_room, names_learned;
	int64_t next_us; /* event_sink_expect */
	struct fallback_tracker *fallbacks;
	struct login_names *login_names;
	struct event_list batch;
	/* Owned; to the events of the batch that is handed on, and to sort these. */
	struct event_ref *refs, *scratch;
	size_t ref_room;
	struct event events[AHEAD]; /* that are handed on now */
	uint64_t lost;              /* event_sink_lost */
	bool ahead_holds;           /* what was worked out for them is so for the tally */
};

struct event_sink *
event_sink_new(const struct event_sink_options *options)
{
	struct event_sink *sink = xcalloc(1, sizeof(*sink));

	sink->options = *options;
	sink->next_us = INT64_MAX;
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
	event_list_release(&sink->batch);
	free(sink->names);
	free(sink->name_refs);
	free(sink->refs);
	free(sink->scratch);
	free(sink);
}

static int
compare_names(const void *a, const void *b)
{
	const struct name_ref *x = a, *y = b;

	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void
sort_names(struct event_sink *sink)
{
	bool sorted = true;

	for (size_t i = 0; i < sink->name_count; i++) {
		sink->name_refs[i] = (struct name_ref){ sink->names[i].time_us, i };
		sorted = sorted && (i == 0 || sink->names[i - 1].time_us <= sink->names[i].time_us);
	}
	if (!sorted)
		qsort(sink->name_refs, sink->name_count, sizeof(*sink->name_refs), compare_names);
}

/*
 * Learns the names that were seen up to that time, in its order.  Of an address with many names
 * only the latest are kept, so one that is learned too early would push out the one that an event
 * needs.
 */
static void
learn_names(struct event_sink *sink, int64_t upto_us)
{
	while (sink->names_learned < sink->name_count) {
		const struct name_ref *ref = &sink->name_refs[sink->names_learned];

		if (ref->time_us > upto_us)
			return;
		naming_add(sink->options.naming, &sink->names[ref->index]);
		sink->names_learned++;
	}
}

static void
learn_all_names(struct event_sink *sink)
{
	learn_names(sink, INT64_MAX);
	sink->name_count = sink->names_learned = 0;
}

/* Those that were seen later than the events which are handed on next wait for these. */
static void
learn_due_names(struct event_sink *sink)
{
	size_t left, kept = 0;
	int64_t from_us;

	learn_names(sink, sink->next_us);
	left = sink->name_count - sink->names_learned;
	from_us = left > 0 ? sink->name_refs[sink->names_learned].time_us : 0;
	for (size_t i = 0; kept < left; i++) {
		if (sink->names[i].time_us < from_us)
			continue;
		if (kept < i)
			name_seen_copy(&sink->names[kept], &sink->names[i]);
		kept++;
	}
	sink->name_count = left;
	sink->names_learned = 0;
}

static void
reserve_refs(struct event_sink *sink, size_t count)
{
	if (count <= sink->ref_room && sink->ref_room <= KEPT_REFS)
		return;
	sink->ref_room = count;
	sink->refs = xreallocarray(sink->refs, count, sizeof(*sink->refs));
	sink->scratch = xreallocarray(sink->scratch, count, sizeof(*sink->scratch));
}

static size_t
gather_refs(struct event_sink *sink, const struct event_list *lists, size_t list_count)
{
	size_t count = 0;

	for (size_t i = 0; i < list_count; i++)
		count += lists[i].count;
	reserve_refs(sink, count);
	count = 0;
	for (size_t i = 0; i < list_count; i++) {
		/* A list that never had an event has no memory either. */
		if (lists[i].count == 0)
			continue;
		event_list_refs(&lists[i], count, sink->refs + count);
		count += lists[i].count;
	}
	return count;
}

static void
prefetch_events(const struct event_ref *refs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		event_ref_prefetch(&refs[i]);
}

static void
name_event(struct event_sink *sink, struct event *ev)
{
	if (sink->options.naming == NULL)
		return;
	learn_names(sink, ev->settled_us);
	naming_apply(sink->options.naming, ev);
}

static bool
count(struct event_sink *sink, const struct event *ev, size_t index)
{
	const struct event_sink_options *o = &sink->options;

	if (sink->ahead_holds ? tally_add_ahead(o->tally, ev, index) : tally_add(o->tally, ev))
		return true;
	return o->make_room(o->arg) == 0 && tally_add(o->tally, ev);
}

static bool
hand_on(struct event_sink *sink, size_t index)
{
	const struct event_sink_options *o = &sink->options;
	struct event *ev = &sink->events[index];
	struct fallback_mark mark;

	if (ev->kind == EVENT_SESSION_END) {
		event_ending_judge(ev, &o->limits);
		login_names_apply(sink->login_names, ev);
		return count(sink, ev, index);
	}
	if (o->writer != NULL)
		event_writer_add(o->writer, ev, o->source_name(o->arg, ev->source));
	if (!count(sink, ev, index))
		return false;
	if (fallback_tracker_add(sink->fallbacks, ev, &mark) &&
	    !tally_mark_fallback(o->tally, &mark) && o->make_room(o->arg) == 0)
		(void)tally_mark_fallback(o->tally, &mark);
	return true;
}

/* Returns how many could not be counted. */
static size_t
hand_on_some(struct event_sink *sink, const struct event_ref *refs, size_t count)
{
	size_t lost = 0;

	for (size_t i = 0; i < count; i++) {
		event_ref_read(&refs[i], &sink->events[i]);
		name_event(sink, &sink->events[i]);
	}
	tally_look_ahead(sink->options.tally, sink->events, count);
	sink->ahead_holds = true;
	fallback_tracker_look_ahead(sink->fallbacks, sink->events, count);
	for (size_t i = 0; i < count; i++) {
		if (hand_on(sink, i))
			continue;
		lost++;
		sink->lost += sink->events[i].kind != EVENT_SESSION_END;
	}
	return lost;
}

static size_t
next_of(size_t at, size_t count)
{
	return count - at < AHEAD ? count : at + AHEAD;
}

size_t
event_sink_hand_on(struct event_sink *sink, const struct event_list *lists, size_t list_count)
{
	size_t count = gather_refs(sink, lists, list_count), lost = 0;

	event_refs_sort(sink->refs, count, sink->scratch);
	sort_names(sink);
	prefetch_events(sink->refs, next_of(0, count));
	for (size_t i = 0, next; i < count; i = next) {
		next = next_of(i, count);
		prefetch_events(sink->refs + next, next_of(next, count) - next);
		lost += hand_on_some(sink, sink->refs + i, next - i);
	}
	learn_due_names(sink);
	return lost;
}

void
event_sink_add(void *arg, const struct event *ev)
{
	struct event_sink *sink = arg;

	event_list_add(&sink->batch, ev);
}

void
event_sink_add_name(void *arg, const struct name_seen *seen)
{
	struct event_sink *sink = arg;

	if (sink->options.naming == NULL)
		return;
	if (sink->name_count == NAMES_MAX) {
		sort_names(sink);
		learn_all_names(sink);
	}
	if (sink->name_count == sink->name_room) {
		sink->name_room = sink->name_room * 2 + 64;
		sink->names = xreallocarray(sink->names, sink->name_room, sizeof(*sink->names));
		sink->name_refs =
		    xreallocarray(sink->name_refs, sink->name_room, sizeof(*sink->name_refs));
	}
	name_seen_copy(&sink->names[sink->name_count++], seen);
}

size_t
event_sink_end_batch(struct event_sink *sink)
{
	size_t lost = event_sink_hand_on(sink, &sink->batch, 1);

	event_list_clear(&sink->batch);
	return lost;
}

uint64_t
event_sink_lost(const struct event_sink *sink)
{
	return sink->lost;
}

void
event_sink_expect(struct event_sink *sink, int64_t settled_us)
{
	sink->next_us = settled_us;
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
	sink->ahead_holds = false;
}
