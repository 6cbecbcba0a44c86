/*
 * short_copy - a few bytes, of a length that the compiler does not know, copied without a call.
 *
 * Names of hosts have some twenty bytes.  For these memcpy() is a call, or, where the compiler
 * knows a bound of the length, an instruction that repeats itself: both take longer to begin than
 * this takes in all.
 */
#ifndef TLSTALLY_BASE_SHORT_COPY_H
#define TLSTALLY_BASE_SHORT_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* As memcpy: the two do not overlap.  The last move may repeat bytes of the one before. */
static inline void
short_copy(void *to, const void *from, size_t len)
{
	uint8_t *out = to;
	const uint8_t *in = from;

	if (len >= 16) {
		for (size_t at = 0; at + 16 < len; at += 16)
			memcpy(out + at, in + at, 16);
		memcpy(out + len - 16, in + len - 16, 16);
	} else if (len >= 8) {
		memcpy(out, in, 8);
		memcpy(out + len - 8, in + len - 8, 8);
	} else if (len >= 4) {
		memcpy(out, in, 4);
		memcpy(out + len - 4, in + len - 4, 4);
	} else if (len > 0) {
		out[0] = in[0];
		out[len / 2] = in[len / 2];
		out[len - 1] = in[len - 1];
	}
}

#endif
