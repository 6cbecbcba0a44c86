/*
 * Several threads and one replay.  What there is to do with an epoch, in this order:
 *
 *   read     decode its packets and copy what the lanes need of them; one epoch after the other
 *   follow   each group of lanes takes its packets; per group one epoch after the other
 *   hand on  names and events go to the sink; one epoch after the other
 *
 * Each thread takes whatever can be done next, under the one lock there is, so none has a part of
 * its own that the others would wait for.  An epoch's memory is used again once it was handed on.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/replay_work_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#include "base/banned.h"

/* One reads, one hands on, and each group is followed by one: more would have nothing to do. */
#define THREADS_MAX (LANES + 2)
/* Enough that one long task is no reason for the others to wait. */
#define EPOCHS 8
/* Packets that are decoded together. */
#define BATCH 32
#define MAC_LEN 6
/* A captured packet has up to 1 MiB: an epoch ends behind the one that fills it. */
#define COPY_ROOM (FRONT_EPOCH_LEN + ((size_t)1 << 20) + (size_t)FRONT_EPOCH_PACKETS * 2 * MAC_LEN)

struct packet_list {
	struct packet *items; /* owned */
	size_t count, room;
};

struct epoch {
	struct packet_list packets[LANES]; /* per group */
	uint8_t *copies;                   /* owned, COPY_ROOM: what the packets borrow */
	size_t copies_len;
	struct name_seen *names; /* owned */
	size_t name_count, name_room;
	int64_t now_us, set_back_us;
	bool last; /* nothing follows: all that is open settles */
	struct event_list outboxes[LANES];
	size_t followed_count; /* groups that are done with it */
};

struct crew {
	struct replay_work *work;
	struct epoch epochs[EPOCHS];

	/* Under the lock.  Epochs are numbered; number n lies in epochs[n % EPOCHS]. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned waiting_count;
	size_t read_count, handed_on_count;
	size_t followed_counts[LANES];
	bool reading, handing_on, following[LANES];
	bool all_read, failed;
};

enum task_kind { TASK_NONE, TASK_READ, TASK_FOLLOW, TASK_HAND_ON };

struct task {
	enum task_kind kind;
	size_t group; /* TASK_FOLLOW */
	struct epoch *epoch;
};

/* What packets and names become. */

static const uint8_t *
copy_bytes(struct epoch *e, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = e->copies + e->copies_len;

	if (len > 0)
		memcpy(copy, bytes, len);
	e->copies_len += len;
	return copy;
}

static void
keep_packet(struct epoch *e, size_t group, const struct packet *packet)
{
	struct packet_list *list = &e->packets[group];
	struct packet *copy;

	if (list->count == list->room) {
		list->room = list->room * 2 + 64;
		list->items = xreallocarray(list->items, list->room, sizeof(*list->items));
	}
	copy = &list->items[list->count++];
	*copy = *packet;
	copy->payload.data = copy_bytes(e, packet->payload.data, packet->payload.len);
	if (packet->src_mac != NULL)
		copy->src_mac = copy_bytes(e, packet->src_mac, MAC_LEN);
	if (packet->dst_mac != NULL)
		copy->dst_mac = copy_bytes(e, packet->dst_mac, MAC_LEN);
}

static void
keep_name(void *arg, const struct name_seen *seen)
{
	struct epoch *e = arg;

	if (e->name_count == e->name_room) {
		e->name_room = e->name_room * 2 + 64;
		e->names = xreallocarray(e->names, e->name_room, sizeof(*e->names));
	}
	name_seen_copy(&e->names[e->name_count++], seen);
}

static void
empty_epoch(struct epoch *e)
{
	for (size_t g = 0; g < LANES; g++) {
		e->packets[g].count = 0;
		event_list_clear(&e->outboxes[g]);
	}
	e->copies_len = e->name_count = e->followed_count = 0;
}

/* The tasks. */

/* Returns false where there is nothing behind this epoch. */
static bool
read_epoch(struct crew *c, struct epoch *e)
{
	struct replay_work *w = c->work;
	struct packet packets[BATCH];
	size_t count;

	empty_epoch(e);
	w->on_name_arg = e;
	while (!front_epoch_is_over(w->front)) {
		if (!replay_work_read(w, packets, BATCH, &count)) {
			e->last = true;
			front_finish(w->front);
			break;
		}
		for (size_t i = 0; i < count; i++)
			keep_packet(e, lane_of(&packets[i]) % w->group_count, &packets[i]);
	}
	e->now_us = front_now(w->front);
	e->set_back_us = front_next_epoch(w->front);
	return !e->last;
}

static void
follow(struct crew *c, struct epoch *e, size_t g)
{
	struct replay_group *group = &c->work->groups[g];

	group->outbox = &e->outboxes[g];
	lanes_add(group->lanes, e->packets[g].items, e->packets[g].count);
	replay_work_end_epoch(group->lanes, e->now_us, e->set_back_us, e->last);
}

static int
hand_on(struct crew *c, struct epoch *e)
{
	struct event_sink *sink = c->work->options.sink;

	for (size_t i = 0; i < e->name_count; i++)
		event_sink_add_name(sink, &e->names[i]);
	return event_sink_hand_on(sink, e->outboxes, c->work->group_count) == 0 ? 0 : -1;
}

/* Who does what: all of it under the lock. */

static struct epoch *
epoch_at(struct crew *c, size_t number)
{
	return &c->epochs[number % EPOCHS];
}

/* The group that is furthest behind and has something to do. */
static bool
find_group(const struct crew *c, size_t *group)
{
	bool found = false;

	for (size_t g = 0; g < c->work->group_count; g++) {
		if (c->following[g] || c->followed_counts[g] == c->read_count)
			continue;
		if (found && c->followed_counts[g] >= c->followed_counts[*group])
			continue;
		*group = g;
		found = true;
	}
	return found;
}

/* Reading first: nothing else can be done by nobody as long. */
static struct task
take_task(struct crew *c)
{
	struct epoch *next = epoch_at(c, c->handed_on_count);
	struct task task = { .kind = TASK_NONE };

	if (!c->reading && !c->all_read && c->read_count - c->handed_on_count < EPOCHS) {
		c->reading = true;
		task.kind = TASK_READ;
		task.epoch = epoch_at(c, c->read_count);
	} else if (!c->handing_on && c->handed_on_count < c->read_count &&
		   next->followed_count == c->work->group_count) {
		c->handing_on = true;
		task.kind = TASK_HAND_ON;
		task.epoch = next;
	} else if (find_group(c, &task.group)) {
		c->following[task.group] = true;
		task.kind = TASK_FOLLOW;
		task.epoch = epoch_at(c, c->followed_counts[task.group]);
	}
	return task;
}

static bool
is_over(const struct crew *c)
{
	return c->failed || (c->all_read && c->handed_on_count == c->read_count);
}

/* Does a task without the lock, and notes under it that it is done. */
static void
do_task(struct crew *c, const struct task *task)
{
	bool go_on = true;

	(void)pthread_mutex_unlock(&c->lock);
	if (task->kind == TASK_READ)
		go_on = read_epoch(c, task->epoch);
	else if (task->kind == TASK_HAND_ON)
		go_on = hand_on(c, task->epoch) == 0;
	else
		follow(c, task->epoch, task->group);
	(void)pthread_mutex_lock(&c->lock);
	if (task->kind == TASK_READ) {
		c->reading = false;
		c->read_count++;
		c->all_read = !go_on;
	} else if (task->kind == TASK_HAND_ON) {
		c->handing_on = false;
		c->handed_on_count++;
		c->failed = c->failed || !go_on;
	} else {
		c->following[task->group] = false;
		c->followed_counts[task->group]++;
		task->epoch->followed_count++;
	}
	if (c->waiting_count > 0)
		(void)pthread_cond_broadcast(&c->changed);
}

static void *
run(void *arg)
{
	struct crew *c = arg;

	(void)pthread_mutex_lock(&c->lock);
	while (!is_over(c)) {
		struct task task = take_task(c);

		if (task.kind != TASK_NONE) {
			do_task(c, &task);
		} else {
			c->waiting_count++;
			(void)pthread_cond_wait(&c->changed, &c->lock);
			c->waiting_count--;
		}
	}
	(void)pthread_cond_broadcast(&c->changed);
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Returns how many were started; what they would have done is done by the others. */
static unsigned
start(struct crew *c, pthread_t *threads, unsigned count)
{
	sigset_t all, old;
	unsigned started = 0;
	int status = 0;

	/* Signals are for the thread that was there before. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (started < count && status == 0) {
		status = pthread_create(&threads[started], NULL, run, c);
		if (status == 0)
			started++;
		else
			log_warning("cannot start a thread: %s", strerror(status));
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return started;
}

static struct crew *
crew_new(struct replay_work *work)
{
	struct crew *c = xcalloc(1, sizeof(*c));

	c->work = work;
	for (size_t i = 0; i < EPOCHS; i++)
		c->epochs[i].copies = xmalloc(COPY_ROOM);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->changed, NULL);
	work->on_name = keep_name;
	return c;
}

static void
crew_free(struct crew *c)
{
	for (size_t i = 0; i < EPOCHS; i++) {
		struct epoch *e = &c->epochs[i];

		for (size_t g = 0; g < LANES; g++) {
			free(e->packets[g].items);
			event_list_release(&e->outboxes[g]);
		}
		free(e->copies);
		free(e->names);
	}
	for (size_t g = 0; g < c->work->group_count; g++)
		c->work->groups[g].outbox = NULL;
	c->work->on_name = NULL;
	(void)pthread_cond_destroy(&c->changed);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

int
replay_crew_run(struct replay_work *w)
{
	unsigned wanted = w->options.thread_count;
	pthread_t others[THREADS_MAX - 1];
	struct crew *c = crew_new(w);
	unsigned started = start(c, others, (wanted < THREADS_MAX ? wanted : THREADS_MAX) - 1);
	int result;

	(void)run(c);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(others[i], NULL);
	result = c->failed ? -1 : 0;
	crew_free(c);
	return result;
}
