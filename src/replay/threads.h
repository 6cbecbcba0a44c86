/*
 * threads - whether a replay gains by a second one, and starting them.
 */
#ifndef TLSTALLY_REPLAY_THREADS_H
#define TLSTALLY_REPLAY_THREADS_H

#include <pthread.h>
#include <stdbool.h>

#include "capture/replay.h"

/* A second thread is of use for these captures on this machine. */
bool replay_threads_pay(const struct replay *replay);
/*
 * Starts `count` threads, which leave signals to those that were there before.  Returns how many
 * there are: that one could not be started is logged.
 */
unsigned replay_threads_start(
    pthread_t *threads, unsigned count, void *(*run)(void *arg), void *arg);

#endif
