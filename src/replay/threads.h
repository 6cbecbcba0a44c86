/*
 * threads - how many a replay gains by, and starting them.
 */
#ifndef TLSTALLY_REPLAY_THREADS_H
#define TLSTALLY_REPLAY_THREADS_H

#include <pthread.h>

#include "capture/replay.h"

/* So many are of use for these captures on this machine; 1 where no second one is. */
unsigned replay_useful_threads(const struct replay *replay);
/*
 * Starts `count` threads, which leave signals to those that were there before.  Returns how many
 * there are: that one could not be started is logged.
 */
unsigned replay_threads_start(
    pthread_t *threads, unsigned count, void *(*run)(void *arg), void *arg);

#endif
