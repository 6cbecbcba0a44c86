/*
 * Two threads and one replay: the first reads packets and follows them batch by batch, the other
 * hands on what comes of them.
 *
 * Epochs are given away in parcels.  What crosses from one processor to the other are names and
 * settled events, which are few, and seldom: so the second thread costs hardly more than it does.
 * To share the packets as well (crew.c) saves some more time, for up to half as much work again.
 */
#include <pthread.h>
#include <stdbool.h>

#include "event/event_list.h"
#include "replay/name_list.h"
#include "replay/threads.h"
#include "replay/work_internal.h"

#include "base/banned.h"

/* Epochs that form a parcel. */
#define PARCEL_EPOCHS 8
/*
 * Events in them for which another thread is woken, unless so many frames were read for each: then
 * it would save a few percent of the time, for more of the processors'.
 */
#define PARCEL_EVENTS 128
#define FRAMES_PER_EVENT_MAX 48
/* One parcel is filled while another is handed on. */
#define EPOCHS (2 * PARCEL_EPOCHS)

/* What came of an epoch. */
struct settled {
	struct event_list events;
	struct name_list names;
};

/* Epochs are numbered; what came of number n lies in settled[n % EPOCHS]. */
struct pair {
	struct replay_work *work;
	struct settled settled[EPOCHS];

	/* Of the first thread. */
	pthread_t second;
	bool has_second; /* it was started */
	bool is_alone;   /* it could not be */
	size_t followed_count;
	size_t event_count;   /* in those that were not given away */
	uint64_t frames_seen; /* before those */

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t given, handed_on; /* these have changed */
	size_t given_count, handed_on_count;
	bool all_given, failed;
};

static struct settled *
settled_at(struct pair *p, size_t number)
{
	return &p->settled[number % EPOCHS];
}

static void
on_name(void *arg, const struct name_seen *seen)
{
	struct settled *s = arg;

	name_list_add(&s->names, seen);
}

/* Returns false where there is nothing behind this epoch. */
static bool
follow(struct pair *p)
{
	struct settled *s = settled_at(p, p->followed_count);
	bool more;

	event_list_clear(&s->events);
	s->names.count = 0;
	p->work->on_name_arg = s;
	p->work->groups[0].outbox = &s->events;
	more = replay_work_follow_epoch(p->work);
	p->followed_count++;
	p->event_count += s->events.count;
	return more;
}

static int
hand_on(struct pair *p, size_t number)
{
	struct event_sink *sink = p->work->options.sink;
	const struct settled *s = settled_at(p, number);

	name_list_hand_on(&s->names, sink);
	return event_sink_hand_on(sink, &s->events, 1) == 0 ? 0 : -1;
}

/* The second thread: hands on what it is given. */
static void *
run_second(void *arg)
{
	struct pair *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->failed && !(p->all_given && p->handed_on_count == p->given_count)) {
		bool failed;

		if (p->handed_on_count == p->given_count) {
			(void)pthread_cond_wait(&p->given, &p->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&p->lock);
		failed = hand_on(p, p->handed_on_count) != 0;
		(void)pthread_mutex_lock(&p->lock);
		p->handed_on_count++;
		p->failed = failed;
		(void)pthread_cond_signal(&p->handed_on);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Hands on what was followed while the second thread has nothing, and leaves it asleep. */
static int
hand_on_alone(struct pair *p)
{
	for (; p->handed_on_count < p->followed_count; p->handed_on_count++) {
		if (hand_on(p, p->handed_on_count) != 0)
			return -1;
	}
	p->given_count = p->handed_on_count;
	return 0;
}

/* Whether the second thread is worth to be woken for what was followed; starts it for the first. */
static bool
needs_second(struct pair *p)
{
	uint64_t frames = p->work->frames_seen - p->frames_seen;
	size_t events = p->event_count;

	p->frames_seen = p->work->frames_seen;
	p->event_count = 0;
	if (events < PARCEL_EVENTS || frames / FRAMES_PER_EVENT_MAX > events || p->is_alone)
		return false;
	if (!p->has_second) {
		p->has_second = replay_threads_start(&p->second, 1, run_second, p) == 1;
		p->is_alone = !p->has_second;
	}
	return p->has_second;
}

/* Gives away what was followed, and waits until there is room for more.  False: for none. */
static bool
give(struct pair *p, bool all)
{
	bool is_little = !needs_second(p);
	bool wanted;

	(void)pthread_mutex_lock(&p->lock);
	if (is_little && p->handed_on_count == p->given_count && !p->failed)
		p->failed = hand_on_alone(p) != 0;
	else
		p->given_count = p->followed_count;
	p->all_given = all;
	if (p->given_count > p->handed_on_count || p->failed || all)
		(void)pthread_cond_signal(&p->given);
	while (p->followed_count - p->handed_on_count > EPOCHS - PARCEL_EPOCHS && !p->failed)
		(void)pthread_cond_wait(&p->handed_on, &p->lock);
	wanted = !p->failed;
	(void)pthread_mutex_unlock(&p->lock);
	return wanted;
}

static void
run_first(struct pair *p)
{
	bool more = true, wanted = true;

	while (more && wanted) {
		more = follow(p);
		if (!more || p->followed_count % PARCEL_EPOCHS == 0)
			wanted = give(p, !more);
	}
}

static void
pair_release(struct pair *p)
{
	for (size_t i = 0; i < EPOCHS; i++) {
		event_list_release(&p->settled[i].events);
		name_list_release(&p->settled[i].names);
	}
	p->work->groups[0].outbox = NULL;
	p->work->on_name = NULL;
	(void)pthread_cond_destroy(&p->given);
	(void)pthread_cond_destroy(&p->handed_on);
	(void)pthread_mutex_destroy(&p->lock);
}

int
replay_pair_run(struct replay_work *w)
{
	struct pair p = { .work = w };

	(void)pthread_mutex_init(&p.lock, NULL);
	(void)pthread_cond_init(&p.given, NULL);
	(void)pthread_cond_init(&p.handed_on, NULL);
	w->on_name = on_name;
	run_first(&p);
	if (p.has_second)
		(void)pthread_join(p.second, NULL);
	pair_release(&p);
	return p.failed ? -1 : 0;
}
