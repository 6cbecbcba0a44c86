#include "replay/work.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "replay/threads.h"
#include "replay/work_internal.h"

#include "base/banned.h"

static void
on_event(void *arg, const struct event *ev)
{
	struct replay_group *group = arg;

	if (group->outbox != NULL)
		event_list_add(group->outbox, ev);
	else
		event_sink_add(group->sink, ev);
}

static void
on_name(void *arg, const struct name_seen *seen)
{
	struct replay_work *w = arg;

	if (w->on_name != NULL)
		w->on_name(w->on_name_arg, seen);
	else
		event_sink_add_name(w->options.sink, seen);
}

struct replay_work *
replay_work_new(const struct replay_work_options *options)
{
	struct replay_work *w = xcalloc(1, sizeof(*w));
	struct pipeline_options pipeline = *options->pipeline;
	unsigned threads = options->thread_count != 0 ? options->thread_count
						      : replay_useful_threads(options->saved);

	w->options = *options;
	w->options.pipeline = NULL;
	w->options.thread_count = threads;
	w->is_auto = options->thread_count == 0;
	pipeline.name = options->names ? on_name : NULL;
	pipeline.arg = w;
	w->front = front_new(&pipeline);
	w->group_count = threads < LANES ? threads : LANES;
	pipeline.event = pipeline.ending = on_event;
	for (unsigned i = 0; i < w->group_count; i++) {
		w->groups[i].sink = options->sink;
		pipeline.arg = &w->groups[i];
		w->groups[i].lanes = lanes_new(&pipeline, i, (unsigned)w->group_count);
	}
	return w;
}

void
replay_work_free(struct replay_work *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->group_count; i++)
		lanes_free(w->groups[i].lanes);
	front_free(w->front);
	free(w);
}

bool
replay_work_read(struct replay_work *w, struct packet *packets, size_t max, size_t *packet_count)
{
	struct saved *saved = w->options.saved;
	size_t looked_at;

	*packet_count = 0;
	if (w->frame_at == w->frame_count) {
		w->frame_at = 0;
		w->frame_count = *w->options.stop ? 0 : saved_read(saved, w->frames, REPLAY_FRAMES);
		progress_update(&w->progress, saved_bytes_done(saved), saved_bytes_total(saved));
	}
	looked_at = front_read(w->front, w->frames + w->frame_at, w->frame_count - w->frame_at,
	    packets, max, packet_count);
	w->frame_at += looked_at;
	w->frames_seen += looked_at;
	return w->frame_count > 0;
}

bool
replay_work_is_at_border(const struct replay_work *w)
{
	return w->frame_at == w->frame_count && saved_is_at_border(w->options.saved);
}

void
replay_work_end_epoch(struct lanes *lanes, int64_t now_us, int64_t set_back_us, bool last)
{
	if (set_back_us != 0)
		lanes_set_back(lanes, now_us, set_back_us);
	else
		lanes_advance(lanes, now_us);
	if (last)
		lanes_finish(lanes);
}

bool
replay_work_follow_epoch(struct replay_work *w)
{
	struct packet packets[REPLAY_BATCH];
	int64_t now_us, set_back_us;
	struct lanes *all[LANES];
	bool more = true;
	size_t count;

	for (size_t g = 0; g < w->group_count; g++)
		all[g] = w->groups[g].lanes;
	while (more && !front_epoch_is_over(w->front)) {
		more = replay_work_read(w, packets, REPLAY_BATCH, &count);
		lanes_add_to_all(all, w->group_count, packets, count);
	}
	if (!more)
		front_finish(w->front);
	now_us = front_now(w->front);
	set_back_us = front_next_epoch(w->front);
	for (size_t g = 0; g < w->group_count; g++)
		replay_work_end_epoch(all[g], now_us, set_back_us, !more);
	return more;
}

static int
run_alone(struct replay_work *w)
{
	bool more;

	do {
		more = replay_work_follow_epoch(w);
		if (event_sink_end_batch(w->options.sink) != 0)
			return -1;
	} while (more);
	return 0;
}

int
replay_work_run(struct replay_work *w)
{
	int result;

	progress_start(&w->progress, w->options.show_progress);
	result = w->group_count > 1 ? replay_crew_run(w) : run_alone(w);
	progress_end(&w->progress);
	return result;
}

bool
replay_work_has_threads(const struct replay_work *w)
{
	return w->group_count > 1;
}

size_t
replay_work_counters(
    const struct replay_work *w, struct pipeline_counter out[PIPELINE_COUNTERS_MAX])
{
	const struct lanes *lanes[LANES];

	for (size_t i = 0; i < w->group_count; i++)
		lanes[i] = w->groups[i].lanes;
	return lanes_counters(w->front, lanes, w->group_count, out);
}

size_t
replay_work_unknown_links(
    const struct replay_work *w, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX])
{
	return front_unknown_links(w->front, out);
}
