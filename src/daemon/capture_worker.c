#include "daemon/capture_worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "daemon/loop.h"

#include "base/banned.h"

/* About so many packets are read per wake-up, so that timers get their turn. */
#define READ_MAX 4096
/* At the end the block that was being filled is waited for so long, with some room. */
#define LAST_BLOCK_US (2 * LIVE_BLOCK_MS * INT64_C(1000))
/* And so many times READ_MAX may still be in the ring. */
#define LAST_READS 8
/* Packets may wait in the ring for its time-out: packet time is certain only up to this long ago.
 */
#define LAG_US INT64_C(1000000)
/* The interface is looked at only so often, as that takes system calls. */
#define LOOK_EVERY_TICKS 5
/* At the end, where no packet waits for the thread, it waits for room in the outbox: for so long.
 */
#define ROOM_S 10
/* While packets come, the outbox is filled and its reader woken at most this often. */
#define HAND_OVER_US INT64_C(20000)

struct capture_worker {
	struct capture_worker_options options;
	char *interface;
	struct service_set services;
	struct network_set internal;
	struct live *live;
	struct pipeline *pipeline;
	pthread_t thread;
	bool started;

	/* The thread's own. */
	struct loop *loop;
	struct capture_snapshot figures;
	struct capture_outbox settled; /* and not handed over */
	bool drained;                  /* the ring had nothing more when it was last read */
	int64_t handed_over_us;        /* the monotonic clock */
	unsigned ticks;
	bool told_kind; /* that the interface is one of another kind now */
	bool finishing; /* no packet comes any more */

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t taken; /* the outbox is empty again */
	int command_fd;       /* wakes the thread */
	bool stop_asked, reload_asked;
	struct service_set new_services;
	struct network_set new_internal;
	uint16_t new_minimum;
	struct capture_outbox outbox;
	struct capture_snapshot published;
};

static void
copy_networks(struct network_set *to, const struct network_set *from)
{
	struct network_set copy = { .count = from->count, .any = from->any };

	copy.items = xreallocarray(NULL, from->count, sizeof(*copy.items));
	if (from->count > 0)
		memcpy(copy.items, from->items, from->count * sizeof(*copy.items));
	network_set_release(to);
	*to = copy;
}

static void
wake(int fd)
{
	const uint64_t one = 1;

	/* A counter that cannot grow any more wakes as well. */
	if (write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("cannot wake a thread: %s", strerror(errno));
}

static void
clear_wake(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

/* Under the lock.  Who takes what is there may be busy with what came before. */
static void
wait_for_room(struct capture_worker *w)
{
	struct timespec deadline;

	(void)clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += ROOM_S;
	while (!capture_outbox_is_empty(&w->outbox) &&
	       pthread_cond_timedwait(&w->taken, &w->lock, &deadline) == 0)
		;
}

/* Moves what was settled to the outbox. */
static void
hand_over(struct capture_worker *w)
{
	bool was_empty;

	if (capture_outbox_is_empty(&w->settled))
		return;
	(void)pthread_mutex_lock(&w->lock);
	if (w->finishing)
		wait_for_room(w);
	was_empty = capture_outbox_is_empty(&w->outbox);
	capture_outbox_move(
	    &w->outbox, &w->settled, &w->figures.lost_events, &w->figures.lost_names);
	(void)pthread_mutex_unlock(&w->lock);
	if (was_empty)
		wake(w->options.wake_fd);
}

static void
on_event(void *arg, const struct event *ev)
{
	struct capture_worker *w = arg;

	if (capture_outbox_add_event(&w->settled, ev))
		return;
	/* As at the end, where all is settled at once: then there is room. */
	hand_over(w);
	(void)capture_outbox_add_event(&w->settled, ev);
}

static void
on_name(void *arg, const struct name_seen *seen)
{
	struct capture_worker *w = arg;

	w->figures.lost_names += !capture_outbox_add_name(&w->settled, seen);
}

static struct filter_options
filter_of(const struct capture_worker *w)
{
	return (struct filter_options){
		.services = &w->services,
		.tunnels = w->options.tunnels,
		.vxlan_ports = w->options.vxlan_ports,
		.names = w->options.names,
		.share = w->options.share,
		.share_count = w->options.share_count,
	};
}

struct capture_worker *
capture_worker_new(const struct capture_worker_options *options, struct error *err)
{
	struct capture_worker *w = xcalloc(1, sizeof(*w));
	struct live_options live_options = options->live;
	struct pipeline_options pipeline_options = {
		.services = &w->services,
		.internal = &w->internal,
		.minimum = options->minimum,
		.flows = options->flows,
		.packets.vxlan_ports = options->vxlan_ports,
		.event = on_event,
		.name = options->names ? on_name : NULL,
		.ending = on_event,
		.name_key = options->name_key,
		.arg = w,
	};
	struct filter_options filter;
	pthread_condattr_t attr;

	w->options = *options;
	w->interface = xstrdup(options->live.interface);
	w->services = *options->services;
	copy_networks(&w->internal, options->internal);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->taken, &attr);
	(void)pthread_condattr_destroy(&attr);
	w->command_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->command_fd < 0) {
		error_set(err, "cannot make what wakes a thread: %s", strerror(errno));
		goto bad;
	}
	filter = filter_of(w);
	live_options.filter = &filter;
	w->live = live_open(&live_options, err);
	if (w->live == NULL)
		goto bad;
	w->pipeline = pipeline_new(&pipeline_options);
	return w;
bad:
	capture_worker_free(w);
	return NULL;
}

void
capture_worker_free(struct capture_worker *w)
{
	if (w == NULL)
		return;
	pipeline_free(w->pipeline);
	live_close(w->live);
	loop_free(w->loop);
	if (w->command_fd >= 0)
		(void)close(w->command_fd);
	(void)pthread_cond_destroy(&w->taken);
	(void)pthread_mutex_destroy(&w->lock);
	network_set_release(&w->internal);
	network_set_release(&w->new_internal);
	capture_outbox_release(&w->settled);
	capture_outbox_release(&w->outbox);
	free(w->interface);
	free(w);
}

static void
on_frames(void *arg, const struct frame *frames, size_t count)
{
	struct capture_worker *w = arg;
	struct capture_snapshot *f = &w->figures;

	f->packet_count += count;
	if (f->begin_us == 0)
		f->begin_us = frames[0].time_us;
	for (size_t i = 0; i < count; i++) {
		f->byte_count += frames[i].bytes.len;
		f->snapped_count += frames[i].wire_len > frames[i].bytes.len;
		if (frames[i].time_us > f->end_us)
			f->end_us = frames[i].time_us;
	}
	pipeline_add_many(w->pipeline, frames, count);
}

/* What is not handed over now goes with the next packets, or at the next tick. */
static void
hand_over_if_due(struct capture_worker *w)
{
	int64_t now_us = clock_monotonic_us();

	if (now_us - w->handed_over_us < HAND_OVER_US && !capture_outbox_is_large(&w->settled))
		return;
	w->handed_over_us = now_us;
	hand_over(w);
}

/* `all`: the interface's own drops, too. */
static void
publish(struct capture_worker *w, bool all)
{
	struct capture_snapshot *f = &w->figures;
	int64_t now_us = clock_monotonic_us();

	live_get_stats(w->live, all, &f->live);
	if (f->beat_us != 0 && !live_is_bound(w->live))
		f->down_us += (uint64_t)(now_us - f->beat_us);
	f->counter_count = pipeline_counters(w->pipeline, f->counters);
	f->flow_count = pipeline_flow_count(w->pipeline);
	f->unsettled_count = pipeline_unsettled_count(w->pipeline);
	f->held_len = pipeline_held_len(w->pipeline);
	f->beat_us = now_us;
	f->bound = live_is_bound(w->live);
	f->interface_index = live_index(w->live);
	(void)pthread_mutex_lock(&w->lock);
	w->published = *f;
	(void)pthread_mutex_unlock(&w->lock);
}

/* Of an interface's threads one logs what becomes of it. */
static bool
announces(const struct capture_worker *w)
{
	return w->options.share == 0;
}

static void
on_readable(void *arg)
{
	struct capture_worker *w = arg;
	bool was_bound = live_is_bound(w->live);
	struct error err;
	size_t count;

	if (live_read(w->live, READ_MAX, on_frames, w, &count, &err) == LIVE_LOST && was_bound &&
	    announces(w))
		log_warning("%s; waiting for it", err.text);
	w->drained = count < READ_MAX;
	hand_over_if_due(w);
}

static void
check_interface(struct capture_worker *w)
{
	struct error err;
	enum live_state state = live_check(w->live, &err);

	if (state == LIVE_LOST && announces(w))
		log_warning("%s; waiting for it", err.text);
	else if (state == LIVE_RENAMED && announces(w))
		log_warning("%s", err.text);
}

static void
try_to_bind(struct capture_worker *w)
{
	struct error err;

	switch (live_bind(w->live, &err)) {
	case LIVE_BIND_DONE:
		w->told_kind = false;
		if (announces(w))
			log_notice("%s", err.text);
		return;
	case LIVE_BIND_OTHER_KIND:
		if (announces(w) && !w->told_kind)
			log_warning("%s", err.text);
		w->told_kind = true;
		return;
	case LIVE_BIND_LATER:
		w->told_kind = false;
		log_debug("%s", err.text);
		return;
	}
}

static void
on_tick(void *arg)
{
	struct capture_worker *w = arg;
	bool looks;

	w->ticks++;
	looks = w->ticks % LOOK_EVERY_TICKS == 0;
	/* libpcap's handle tells of a lost interface only when it is asked. */
	on_readable(w);
	if (looks)
		check_interface(w);
	if (looks && !live_is_bound(w->live))
		try_to_bind(w);
	/*
	 * Packets still in the ring may be older than this: then the clock is left to their own
	 * times.
	 */
	if (w->drained)
		pipeline_advance(w->pipeline, timestamp_now() - LAG_US);
	hand_over(w);
	publish(w, looks);
}

/* Takes over what capture_worker_reload left. */
static void
reload(struct capture_worker *w)
{
	struct filter_options filter;
	struct error err;

	(void)pthread_mutex_lock(&w->lock);
	w->reload_asked = false;
	w->services = w->new_services;
	copy_networks(&w->internal, &w->new_internal);
	pipeline_set_minimum(w->pipeline, w->new_minimum);
	(void)pthread_mutex_unlock(&w->lock);
	filter = filter_of(w);
	if (live_set_filter(w->live, &filter, &err) != 0)
		log_error("%s; the old filter stays", err.text);
}

static void
on_command(void *arg)
{
	struct capture_worker *w = arg;
	bool stop, must_reload;

	clear_wake(w->command_fd);
	(void)pthread_mutex_lock(&w->lock);
	stop = w->stop_asked;
	must_reload = w->reload_asked;
	(void)pthread_mutex_unlock(&w->lock);
	if (must_reload)
		reload(w);
	if (stop)
		loop_stop(w->loop);
}

/* What had come when the end was asked for counts, also what the kernel has not given away yet. */
static void
read_rest(struct capture_worker *w)
{
	struct pollfd packets = { .fd = live_fd(w->live), .events = POLLIN };
	int64_t until_us = clock_monotonic_us() + LAST_BLOCK_US, left_us = LAST_BLOCK_US;

	for (; left_us > 0 && live_is_bound(w->live); left_us = until_us - clock_monotonic_us()) {
		(void)poll(&packets, 1, (int)(left_us / 1000) + 1);
		on_readable(w);
	}
	for (unsigned i = 0; i < LAST_READS; i++)
		on_readable(w);
}

/* After the last packets everything open is settled. */
static void
finish(struct capture_worker *w)
{
	read_rest(w);
	w->finishing = true;
	pipeline_finish(w->pipeline);
	w->figures.ended = true;
	hand_over(w); /* first, as it counts what is lost */
	publish(w, true);
	wake(w->options.wake_fd);
}

static void *
run(void *arg)
{
	struct capture_worker *w = arg;

	loop_add_fd(w->loop, live_fd(w->live), on_readable, w);
	loop_add_fd(w->loop, w->command_fd, on_command, w);
	loop_add_timer(w->loop, CAPTURE_WORKER_TICK_US, on_tick, w);
	publish(w, true);
	loop_run(w->loop);
	finish(w);
	return NULL;
}

int
capture_worker_start(struct capture_worker *w, struct error *err)
{
	sigset_t all, old;
	int status;

	if (!live_is_bound(w->live) && announces(w))
		log_warning("interface %s is not there, or down: waiting for it", w->interface);
	w->loop = loop_new();
	/* Signals are the owner's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	status = pthread_create(&w->thread, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (status != 0) {
		error_set(err, "cannot start a thread: %s", strerror(status));
		return -1;
	}
	w->started = true;
	return 0;
}

void
capture_worker_stop(struct capture_worker *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->stop_asked = true;
	(void)pthread_mutex_unlock(&w->lock);
	wake(w->command_fd);
}

bool
capture_worker_try_join(struct capture_worker *w)
{
	bool ended;

	(void)pthread_mutex_lock(&w->lock);
	ended = w->published.ended;
	(void)pthread_mutex_unlock(&w->lock);
	if (w->started && !ended)
		return false;
	if (w->started)
		(void)pthread_join(w->thread, NULL);
	w->started = false;
	return true;
}

void
capture_worker_reload(struct capture_worker *w, const struct service_set *services,
    const struct network_set *internal, uint16_t minimum)
{
	(void)pthread_mutex_lock(&w->lock);
	w->new_services = *services;
	copy_networks(&w->new_internal, internal);
	w->new_minimum = minimum;
	w->reload_asked = true;
	(void)pthread_mutex_unlock(&w->lock);
	wake(w->command_fd);
}

const char *
capture_worker_interface(const struct capture_worker *w)
{
	return w->interface;
}

void
capture_worker_take(struct capture_worker *w, struct capture_outbox *out)
{
	struct capture_outbox old = *out;

	capture_outbox_clear(&old);
	/* The arrays change places: nothing is copied under the lock. */
	(void)pthread_mutex_lock(&w->lock);
	*out = w->outbox;
	w->outbox = old;
	(void)pthread_cond_signal(&w->taken);
	(void)pthread_mutex_unlock(&w->lock);
}

void
capture_worker_snapshot(struct capture_worker *w, struct capture_snapshot *out)
{
	(void)pthread_mutex_lock(&w->lock);
	*out = w->published;
	(void)pthread_mutex_unlock(&w->lock);
}
