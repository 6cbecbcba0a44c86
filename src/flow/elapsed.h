/*
 * elapsed - differences of packet times, which a file can put anywhere.
 */
#ifndef TLSTALLY_FLOW_ELAPSED_H
#define TLSTALLY_FLOW_ELAPSED_H

#include <stdint.h>

/* now_us - then_us; a difference that has no room is the largest one of its sign. */
static inline int64_t
elapsed_us(int64_t now_us, int64_t then_us)
{
	int64_t difference;

	if (__builtin_sub_overflow(now_us, then_us, &difference))
		return now_us > then_us ? INT64_MAX : INT64_MIN;
	return difference;
}

/* A time and a span of it, which is not negative. */
static inline int64_t
time_after(int64_t time_us, int64_t span_us)
{
	int64_t sum;

	return __builtin_add_overflow(time_us, span_us, &sum) ? INT64_MAX : sum;
}

#endif
