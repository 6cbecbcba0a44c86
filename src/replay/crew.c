/*
 * Several threads and one replay.  What there is to do with an epoch, in this order:
 *
 *   read     decode its packets, and copy of them what would not last; one epoch after the other
 *   follow   each group of lanes takes its packets; per group one epoch after the other
 *   hand on  names and events go to the sink; one epoch after the other
 *
 * Each thread takes whatever can be done next, under the one lock there is, so none has a part of
 * its own that the others would wait for.  An epoch's memory is used again once it was handed on.
 *
 * To pass packets from one processor to another costs about as much as to read them, and where
 * connections are long, or are a flood's, little else is done for them.  So unless the number of
 * threads was asked for, the first one works alone, following what it reads batch by batch, but
 * where handshakes are many.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "replay/epoch.h"
#include "replay/share_choice.h"
#include "replay/threads.h"
#include "replay/work_internal.h"

#include "base/banned.h"

/* One reads, one hands on, and each group is followed by one: more would have nothing to do. */
#define THREADS_MAX (LANES + 2)
/* For each thread the epoch it is at, and one more, so that a long task is no reason to wait. */
#define EPOCHS_SPARE 1
/* So much is kept of files for epochs that are not followed yet, as saved_mark counts. */
#define KEPT_MAX 1
/* Epochs are short where so many and more lie between two marks. */
#define SHORT_EPOCHS 3
/* So often it is decided whether the work is shared. */
#define DECIDED_EPOCHS 16

struct crew {
	struct replay_work *work;
	struct epoch *epochs; /* owned */
	size_t epoch_count;
	uint8_t group_of[LANES];

	/* Under the lock.  Epochs are numbered; number n lies in epochs[n % epoch_count]. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned thread_count, waiting_count;
	size_t read_count, handed_on_count;
	size_t followed_counts[LANES];
	bool reading, handing_on, following[LANES];
	bool all_read, failed;
	bool is_auto;          /* now and then it is decided whether the work is shared */
	bool is_shared;        /* else only the first thread works */
	pthread_cond_t shared; /* is_shared has become true, or nothing is left */
	struct share_choice choice;
	uint64_t frame_count, event_count; /* handed on since it was decided */
	uint64_t earlier_frame_count;      /* handed on before */
	int64_t earlier_spent_ns;          /* of the processors' time */
	pthread_t others[THREADS_MAX - 1];
	unsigned wanted_count, other_count; /* of those: to be started, and started */

	/* Of whoever reads. */
	bool is_dense;     /* epochs lie in few bytes of a file: borrowing keeps little */
	size_t stay_count; /* latest epochs that crossed no mark */
};

enum task_kind { TASK_READ, TASK_FOLLOW, TASK_HAND_ON };

struct task {
	enum task_kind kind;
	size_t group; /* TASK_FOLLOW */
	struct epoch *epoch;
};

static struct epoch *
epoch_at(struct crew *c, size_t number)
{
	return &c->epochs[number % c->epoch_count];
}

/* Who does what: all of it under the lock. */

/*
 * A group that has something to do: the thread's own if that can be, whose connections are in the
 * caches of its processor, and else the one that is furthest behind.
 */
static bool
find_group(const struct crew *c, size_t own, size_t *group)
{
	size_t best = LANES; /* none */

	for (size_t g = 0; g < c->work->group_count; g++) {
		if (c->following[g] || c->followed_counts[g] == c->read_count)
			continue;
		if (best != LANES && g != own && c->followed_counts[g] >= c->followed_counts[best])
			continue;
		best = g;
		if (g == own)
			break;
	}
	*group = best;
	return best != LANES;
}

/* Each of these is true, and *task filled in, where there is such a one to do. */

static bool
take_follow(struct crew *c, size_t own, struct task *task)
{
	if (!find_group(c, own, &task->group))
		return false;
	c->following[task->group] = true;
	task->kind = TASK_FOLLOW;
	task->epoch = epoch_at(c, c->followed_counts[task->group]);
	return true;
}

static bool
take_read(struct crew *c, struct task *task)
{
	if (c->reading || c->all_read || c->read_count - c->handed_on_count == c->epoch_count)
		return false;
	c->reading = true;
	task->kind = TASK_READ;
	task->epoch = epoch_at(c, c->read_count);
	return true;
}

static bool
take_hand_on(struct crew *c, struct task *task)
{
	struct epoch *next = epoch_at(c, c->handed_on_count);

	if (c->handing_on || c->handed_on_count == c->read_count ||
	    next->followed_count < c->work->group_count)
		return false;
	c->handing_on = true;
	task->kind = TASK_HAND_ON;
	task->epoch = next;
	return true;
}

/* Reading first, which nobody else can do then; alone, what was read is to be followed first. */
static bool
take_task(struct crew *c, size_t own, struct task *task)
{
	if (!c->is_shared)
		return take_hand_on(c, task) || take_follow(c, own, task) || take_read(c, task);
	return take_read(c, task) || take_hand_on(c, task) || take_follow(c, own, task);
}

/* Where that begins what epochs borrow that are not followed yet; `mark`, if nothing is. */
static uint64_t
first_mark(struct crew *c, uint64_t mark)
{
	for (size_t n = c->read_count; n-- > c->handed_on_count;) {
		const struct epoch *e = epoch_at(c, n);

		if (e->borrows && e->followed_count < c->work->group_count)
			mark = e->mark;
	}
	return mark;
}

static bool
is_over(const struct crew *c)
{
	return c->failed || (c->all_read && c->handed_on_count == c->read_count);
}

static void
tell_change(struct crew *c)
{
	if (c->waiting_count > 0)
		(void)pthread_cond_broadcast(&c->changed);
}

static void
wait_for_change(struct crew *c)
{
	c->waiting_count++;
	(void)pthread_cond_wait(&c->changed, &c->lock);
	c->waiting_count--;
}

/* The tasks: begun and ended under the lock, done without it. */

static void
do_follow(struct crew *c, const struct task *task)
{
	struct epoch *e = task->epoch;
	size_t g = task->group;
	struct replay_group *group = &c->work->groups[g];

	(void)pthread_mutex_unlock(&c->lock);
	group->outbox = &e->outboxes[g];
	lanes_add_listed(group->lanes, e->lists[g].items, e->lists[g].count);
	replay_work_end_epoch(group->lanes, e->now_us, e->set_back_us, e->last);
	(void)pthread_mutex_lock(&c->lock);
	c->following[g] = false;
	c->followed_counts[g]++;
	e->followed_count++;
	tell_change(c);
}

/*
 * Whoever reads, at `mark` or at the border in front of it: what is kept for others is not much,
 * and what nobody needs goes.
 */
static void
keep_little(struct crew *c, size_t own, struct epoch *e, uint64_t mark)
{
	uint64_t first;

	if (e->borrows && mark - e->mark > 1)
		epoch_stop_borrowing(e);
	(void)pthread_mutex_lock(&c->lock);
	while (mark - (first = first_mark(c, mark)) > KEPT_MAX) {
		struct task task;

		if (take_follow(c, own, &task))
			do_follow(c, &task);
		else
			wait_for_change(c);
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (e->borrows && e->mark < first)
		first = e->mark;
	saved_release(c->work->options.saved, first);
}

/* So many packets were decoded behind those that the epoch has. */
static void
add_read(struct crew *c, struct epoch *e, size_t count)
{
	struct span kept = saved_kept(c->work->options.saved);

	for (; count > 0; count--) {
		unsigned lane = lane_of(&e->packets[e->packet_count]);

		epoch_add(e, c->group_of[lane], kept);
	}
}

/* Short epochs cross a mark now and then, long ones most of the time. */
static void
note_density(struct crew *c, uint64_t crossed_count)
{
	c->is_dense = crossed_count <= (c->stay_count >= SHORT_EPOCHS ? 1 : 0);
	c->stay_count = crossed_count == 0 ? c->stay_count + 1 : 0;
}

/* Returns false where there is nothing behind this epoch. */
static bool
read_epoch(struct crew *c, size_t own, struct epoch *e)
{
	struct replay_work *w = c->work;
	struct saved *saved = w->options.saved;
	uint64_t mark = saved_mark(saved);
	size_t count;

	epoch_begin(e, mark, c->is_dense);
	keep_little(c, own, e, mark);
	w->on_name_arg = e;
	while (!front_epoch_is_over(w->front)) {
		/* What nobody needs goes before the next piece is there, not behind it. */
		if (replay_work_is_at_border(w))
			keep_little(c, own, e, mark + 1);
		if (!replay_work_read(w, e->packets + e->packet_count, REPLAY_BATCH, &count)) {
			e->last = true;
			front_finish(w->front);
			break;
		}
		if (saved_mark(saved) != mark) {
			mark = saved_mark(saved);
			keep_little(c, own, e, mark);
		}
		add_read(c, e, count);
	}
	note_density(c, mark - e->mark);
	e->now_us = front_now(w->front);
	e->set_back_us = front_next_epoch(w->front);
	return !e->last;
}

/* The first thread, alone with all groups: reads an epoch and follows it. */
static bool
read_alone(struct crew *c, struct epoch *e)
{
	struct replay_work *w = c->work;

	epoch_clear(e);
	w->on_name_arg = e;
	for (size_t g = 0; g < w->group_count; g++)
		w->groups[g].outbox = &e->outboxes[g];
	e->last = !replay_work_follow_epoch(w);
	return !e->last;
}

/* Under the lock.  No other thread follows, nor can one begin to before this epoch was read. */
static bool
is_alone(const struct crew *c)
{
	for (size_t g = 0; g < c->work->group_count; g++) {
		if (c->following[g] || c->followed_counts[g] != c->read_count)
			return false;
	}
	return !c->is_shared;
}

/* Under the lock. */
static void
note_alone(struct crew *c, struct epoch *e)
{
	for (size_t g = 0; g < c->work->group_count; g++)
		c->followed_counts[g]++;
	e->followed_count = c->work->group_count;
}

static void
do_read(struct crew *c, size_t own, const struct task *task)
{
	uint64_t frames_before = c->work->frames_seen;
	struct epoch *e = task->epoch;
	bool alone = is_alone(c), go_on;

	(void)pthread_mutex_unlock(&c->lock);
	go_on = alone ? read_alone(c, e) : read_epoch(c, own, e);
	e->frame_count = c->work->frames_seen - frames_before;
	(void)pthread_mutex_lock(&c->lock);
	if (alone)
		note_alone(c, e);
	c->reading = false;
	c->read_count++;
	c->all_read = !go_on;
	tell_change(c);
}

static void *run(void *arg);

/* The other threads are started when they are wanted first.  False: there is none. */
static bool
has_others(struct crew *c)
{
	if (c->wanted_count > 0)
		c->other_count = replay_threads_start(c->others, c->wanted_count, run, c);
	c->wanted_count = 0;
	return c->other_count > 0;
}

/* Of the processors, by all threads. */
static int64_t
spent_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What was done since this was called last. */
static struct share_stretch
end_stretch(struct crew *c)
{
	int64_t now_ns = spent_ns();
	struct share_stretch stretch = {
		.is_shared = c->is_shared,
		.frame_count = c->frame_count,
		.event_count = c->event_count,
		.spent_ns = now_ns - c->earlier_spent_ns,
	};

	c->earlier_spent_ns = now_ns;
	c->earlier_frame_count += c->frame_count;
	c->frame_count = c->event_count = 0;
	return stretch;
}

static void
decide(struct crew *c)
{
	bool was_shared = c->is_shared;
	struct share_stretch stretch;

	if (!c->is_auto || c->handed_on_count % DECIDED_EPOCHS != 0)
		return;
	stretch = end_stretch(c);
	c->is_shared = share_choice_add(&c->choice, &stretch) && has_others(c);
	if (c->is_shared != was_shared)
		log_debug("behind packet %llu: %s", (unsigned long long)c->earlier_frame_count,
		    c->is_shared ? "threads share the work" : "one thread works alone");
	if (c->is_shared && !was_shared)
		(void)pthread_cond_broadcast(&c->shared);
}

static size_t
event_count(const struct crew *c, const struct epoch *e)
{
	size_t count = 0;

	for (size_t g = 0; g < c->work->group_count; g++)
		count += e->outboxes[g].count;
	return count;
}

static void
do_hand_on(struct crew *c, const struct task *task)
{
	struct event_sink *sink = c->work->options.sink;
	struct epoch *e = task->epoch;
	bool failed;

	(void)pthread_mutex_unlock(&c->lock);
	name_list_hand_on(&e->names, sink);
	failed = event_sink_hand_on(sink, e->outboxes, c->work->group_count) != 0;
	(void)pthread_mutex_lock(&c->lock);
	c->handing_on = false;
	c->handed_on_count++;
	c->failed = c->failed || failed;
	c->frame_count += e->frame_count;
	c->event_count += event_count(c, e);
	decide(c);
	tell_change(c);
}

static void
do_task(struct crew *c, size_t own, const struct task *task)
{
	switch (task->kind) {
	case TASK_READ:
		do_read(c, own, task);
		break;
	case TASK_FOLLOW:
		do_follow(c, task);
		break;
	case TASK_HAND_ON:
		do_hand_on(c, task);
		break;
	}
}

static void *
run(void *arg)
{
	struct crew *c = arg;
	struct task task;
	unsigned number;
	size_t own;

	(void)pthread_mutex_lock(&c->lock);
	number = c->thread_count++;
	own = number % c->work->group_count;
	while (!is_over(c)) {
		if (number > 0 && !c->is_shared)
			(void)pthread_cond_wait(&c->shared, &c->lock);
		else if (take_task(c, own, &task))
			do_task(c, own, &task);
		else
			wait_for_change(c);
	}
	(void)pthread_cond_broadcast(&c->changed);
	(void)pthread_cond_broadcast(&c->shared);
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void
on_name(void *arg, const struct name_seen *seen)
{
	struct epoch *e = arg;

	name_list_add(&e->names, seen);
}

static struct crew *
crew_new(struct replay_work *work, unsigned thread_count)
{
	struct crew *c = xcalloc(1, sizeof(*c));

	c->work = work;
	c->epoch_count = thread_count + EPOCHS_SPARE;
	c->epochs = xcalloc(c->epoch_count, sizeof(*c->epochs));
	for (size_t lane = 0; lane < LANES; lane++)
		c->group_of[lane] = (uint8_t)(lane % work->group_count);
	c->is_dense = true;
	c->is_auto = work->is_auto;
	c->is_shared = !work->is_auto;
	c->wanted_count = thread_count - 1;
	share_choice_init(&c->choice);
	/* Where one may work alone, whether files are mapped is to be found out. */
	if (!c->is_auto)
		saved_keep(work->options.saved);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->changed, NULL);
	(void)pthread_cond_init(&c->shared, NULL);
	work->on_name = on_name;
	return c;
}

static void
crew_free(struct crew *c)
{
	for (size_t i = 0; i < c->epoch_count; i++)
		epoch_release(&c->epochs[i]);
	free(c->epochs);
	for (size_t g = 0; g < c->work->group_count; g++)
		c->work->groups[g].outbox = NULL;
	c->work->on_name = NULL;
	(void)pthread_cond_destroy(&c->changed);
	(void)pthread_cond_destroy(&c->shared);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

int
replay_crew_run(struct replay_work *w)
{
	unsigned wanted = w->options.thread_count;
	struct crew *c = crew_new(w, wanted < THREADS_MAX ? wanted : THREADS_MAX);
	int result;

	/* What one would have done that could not be started is done by the others. */
	if (c->is_shared)
		(void)has_others(c);
	(void)run(c);
	for (unsigned i = 0; i < c->other_count; i++)
		(void)pthread_join(c->others[i], NULL);
	result = c->failed ? -1 : 0;
	crew_free(c);
	return result;
}
