/*
 * threads - how many a replay gains by, and starting them.
 */
#ifndef TLSTALLY_REPLAY_THREADS_H
#define TLSTALLY_REPLAY_THREADS_H

#include <pthread.h>

#include "capture/saved.h"

/*
 * So many are of use for these captures on this machine, or in this container; 1 where no second
 * one is.
 */
unsigned replay_useful_threads(const struct saved *saved);
/*
 * So many processors' time a container may take, in whole ones, at least 1: by cpu.max (version 2)
 * or cpu/cpu.cfs_quota_us (version 1) in the folder where it has its control groups.  UINT_MAX: as
 * much as there is.
 */
unsigned replay_quota(const char *cgroups);
/*
 * Starts `count` threads, which leave signals to those that were there before.  Returns how many
 * there are: that one could not be started is logged.
 */
unsigned replay_threads_start(
    pthread_t *threads, unsigned count, void *(*run)(void *arg), void *arg);

#endif
