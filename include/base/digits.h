/*
 * digits - small numbers as decimal text, without a division per digit.
 */
#ifndef TLSTALLY_BASE_DIGITS_H
#define TLSTALLY_BASE_DIGITS_H

#include <string.h>

/* A number below 100, with a leading zero; returns where it ends. */
static inline char *
digits_put_two(char *out, unsigned value)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";

	memcpy(out, pairs + 2 * (size_t)value, 2);
	return out + 2;
}

/* A number below 1000, without leading zeros. */
static inline char *
digits_put_small(char *out, unsigned value)
{
	if (value >= 100) {
		*out++ = (char)('0' + value / 100);
		return digits_put_two(out, value % 100);
	}
	if (value >= 10)
		return digits_put_two(out, value);
	*out = (char)('0' + value);
	return out + 1;
}

#endif
