#include "app/loop.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

/* A descriptor, timer or signal that a loop watches. */
struct loop_watch {
	struct loop_watch *next;
	struct event *event;
	loop_fn fn;
	void *arg;
};

struct loop {
	struct event_base *base;
	struct loop_watch *watches;
};

struct loop *
loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->base = event_base_new();
	if (l->base == NULL)
		abort(); /* no epoll on this system: nothing works here */
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	while (l->watches != NULL) {
		struct loop_watch *next = l->watches->next;

		event_free(l->watches->event);
		free(l->watches);
		l->watches = next;
	}
	event_base_free(l->base);
	free(l);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;

	(void)fd;
	(void)what;
	watch->fn(watch->arg);
}

static void
add(struct loop *l, int fd, short what, const struct timeval *interval, loop_fn fn, void *arg)
{
	struct loop_watch *watch = xmalloc(sizeof(*watch));

	watch->fn = fn;
	watch->arg = arg;
	watch->next = l->watches;
	watch->event = event_new(l->base, fd, (short)(what | EV_PERSIST), on_event, watch);
	if (watch->event == NULL || event_add(watch->event, interval) != 0)
		abort();
	l->watches = watch;
}

void
loop_add_fd(struct loop *l, int fd, loop_fn fn, void *arg)
{
	add(l, fd, EV_READ, NULL, fn, arg);
}

void
loop_add_timer(struct loop *l, int64_t interval_us, loop_fn fn, void *arg)
{
	const struct timeval interval = {
		.tv_sec = interval_us / 1000000,
		.tv_usec = interval_us % 1000000,
	};

	add(l, -1, 0, &interval, fn, arg);
}

void
loop_add_signal(struct loop *l, int signal_number, loop_fn fn, void *arg)
{
	add(l, signal_number, EV_SIGNAL, NULL, fn, arg);
}

void
loop_run(struct loop *l)
{
	(void)event_base_dispatch(l->base);
}

void
loop_stop(struct loop *l)
{
	(void)event_base_loopbreak(l->base);
}
