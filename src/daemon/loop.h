/*
 * loop - an event loop: file descriptors, timers, signals.
 *
 * A thin cover over libevent, which has a `struct event` of its own that must not meet ours.
 *
 * Threads: one loop, one thread.
 *
 * Without a loop nothing works: where the system has no room for one, or for one more thing to be
 * watched, or lets none wait, that is logged, and the program ends with exit status 1.
 */
#ifndef TLSTALLY_DAEMON_LOOP_H
#define TLSTALLY_DAEMON_LOOP_H

#include <stdint.h>

#include "base/error.h"

struct loop; /* opaque */

typedef void (*loop_fn)(void *arg);

/* Loads libevent, before privileges are dropped and the first loop is made; -1: `err` says why not.
 */
int loop_prepare(struct error *err);
struct loop *loop_new(void);
void loop_free(struct loop *l);

/* `fn` runs whenever `fd` is readable. */
void loop_add_fd(struct loop *l, int fd, loop_fn fn, void *arg);
/* `fn` runs every `interval_us` of the machine's monotonic clock. */
void loop_add_timer(struct loop *l, int64_t interval_us, loop_fn fn, void *arg);
/* `fn` runs for each delivery of the signal, outside of the signal handler. */
void loop_add_signal(struct loop *l, int signal_number, loop_fn fn, void *arg);

/* Runs until loop_stop. */
void loop_run(struct loop *l);
/* From a callback: ends loop_run when the callback returns. */
void loop_stop(struct loop *l);

#endif
