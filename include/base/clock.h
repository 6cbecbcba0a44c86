/*
 * clock - the machine's monotonic clock, for patience and latencies; nothing of it is stored.
 */
#ifndef TLSTALLY_BASE_CLOCK_H
#define TLSTALLY_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t
clock_monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif
