#include "replay/solo.h"

#include <time.h>

#include "base/banned.h"

int64_t
replay_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nothing is kept: what was read before this batch was followed. */
static bool
read_batch(struct replay_work *w, struct epoch *e, size_t *count)
{
	struct replay *replay = w->options.replay;

	if (replay_work_is_at_border(w))
		replay_release(replay, replay_mark(replay) + 1);
	return replay_work_read(w, e->packets, REPLAY_BATCH, count);
}

static void
follow_batch(struct replay_work *w, const struct packet *packets, size_t count)
{
	struct lanes *all[LANES];

	for (size_t g = 0; g < w->group_count; g++)
		all[g] = w->groups[g].lanes;
	lanes_add_to_all(all, w->group_count, packets, count);
}

static bool
take_batch(struct replay_work *w, struct epoch *e)
{
	size_t count;
	bool more = read_batch(w, e, &count);

	follow_batch(w, e->packets, count);
	return more;
}

static bool
take_timed_batch(struct replay_work *w, struct epoch *e, struct replay_spent *spent)
{
	uint64_t begin_frames = w->frames_read;
	int64_t begin_ns = replay_now_ns(), read_ns;
	size_t count;
	bool more = read_batch(w, e, &count);

	read_ns = replay_now_ns();
	follow_batch(w, e->packets, count);
	spent->read_ns += read_ns - begin_ns;
	spent->follow_ns += replay_now_ns() - read_ns;
	spent->frame_count += w->frames_read - begin_frames;
	spent->packet_count += count;
	return more;
}

bool
replay_solo_epoch(struct replay_work *w, struct epoch *e, struct replay_spent *spent)
{
	bool more = true;

	epoch_begin(e, replay_mark(w->options.replay), false);
	e->timed_part = REPLAY_SOLO_TIMED;
	w->on_name_arg = e;
	for (size_t g = 0; g < w->group_count; g++)
		w->groups[g].outbox = &e->outboxes[g];
	while (more && !front_epoch_is_over(w->front))
		more = w->solo_batches++ % REPLAY_SOLO_TIMED == 0 ? take_timed_batch(w, e, spent)
								  : take_batch(w, e);
	if (!more)
		front_finish(w->front);
	e->last = !more;
	e->now_us = front_now(w->front);
	e->set_back_us = front_next_epoch(w->front);
	for (size_t g = 0; g < w->group_count; g++)
		replay_work_end_epoch(w->groups[g].lanes, e->now_us, e->set_back_us, e->last);
	e->followed_count = w->group_count;
	return more;
}
