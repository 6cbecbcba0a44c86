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

#endif
