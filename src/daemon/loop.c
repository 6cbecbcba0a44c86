#include "daemon/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/library.h"
#include "base/log.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define EVENT_LIBRARY "libevent-2.1.so.7"
#define EVENT_FUNCTIONS(f)                                                                         \
	f(event_add) f(event_base_dispatch) f(event_base_free) f(event_base_loopbreak)             \
	    f(event_base_new) f(event_free) f(event_new) f(event_set_log_callback)

struct event_library {
	EVENT_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(event_library, EVENT_FUNCTIONS);

/* Set once, before there are threads. */
static struct event_library lib;

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

static void
log_of_library(int severity, const char *text)
{
	switch (severity) {
	case EVENT_LOG_ERR:
		log_error("%s", text);
		return;
	case EVENT_LOG_WARN:
		log_warning("%s", text);
		return;
	default:
		log_debug("%s", text);
		return;
	}
}

/* At once, as other threads may be at work: it costs no more than a `kill -9` does. */
static _Noreturn void
give_up(void)
{
	log_error("cannot wait for packets, timers and signals: %s", strerror(errno));
	_exit(EXIT_FAILURE);
}

int
loop_prepare(struct error *err)
{
	if (LIBRARY_LOAD(EVENT_LIBRARY, event_library, &lib, err) == 0)
		return 0;
	error_prefix(err, "cannot wait for packets");
	return -1;
}

struct loop *
loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	lib.event_set_log_callback(log_of_library);
	l->base = lib.event_base_new();
	if (l->base == NULL)
		give_up();
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	while (l->watches != NULL) {
		struct loop_watch *next = l->watches->next;

		lib.event_free(l->watches->event);
		free(l->watches);
		l->watches = next;
	}
	lib.event_base_free(l->base);
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
	watch->event = lib.event_new(l->base, fd, (short)(what | EV_PERSIST), on_event, watch);
	if (watch->event == NULL || lib.event_add(watch->event, interval) != 0)
		give_up();
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
		.tv_sec = (time_t)(interval_us / 1000000),
		.tv_usec = (suseconds_t)(interval_us % 1000000),
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
	if (lib.event_base_dispatch(l->base) < 0)
		give_up();
}

void
loop_stop(struct loop *l)
{
	(void)lib.event_base_loopbreak(l->base);
}
