/*
 * digits - small numbers as decimal text, without a division per digit.
 */
#ifndef TLSTALLY_BASE_DIGITS_H
#define TLSTALLY_BASE_DIGITS_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_ZEROS UINT64_C(0x3030303030303030)

/*
 * A number below 100,000,000 as eight digits, a byte each with the values 0 to 9, the first digit
 * in the lowest byte.  Halves, then pairs, then digits are split, all of them in one step each.
 */
static inline uint64_t
digits_of_eight(uint32_t value)
{
	uint64_t parts = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t upper = (parts * 5243 >> 19) & UINT64_C(0x7f0000007f); /* / 100 */

	parts = upper | (parts - 100 * upper) << 16;
	upper = (parts * 103 >> 10) & UINT64_C(0xf000f000f000f); /* / 10 */
	return upper | (parts - 10 * upper) << 8;
}

/* With leading zeros; returns where it ends. */
static inline char *
digits_put_eight(char *out, uint32_t value)
{
	uint64_t digits = htole64(digits_of_eight(value) | DIGITS_ZEROS);

	memcpy(out, &digits, sizeof(digits));
	return out + 8;
}

/* Without leading zeros; returns where it ends.  Always writes eight bytes. */
static inline char *
digits_put_up_to_eight(char *out, uint32_t value)
{
	uint64_t digits = digits_of_eight(value);
	unsigned zeros = value != 0 ? (unsigned)__builtin_ctzll(digits) / 8 : 7;

	digits = htole64((digits | DIGITS_ZEROS) >> (8 * zeros));
	memcpy(out, &digits, sizeof(digits));
	return out + 8 - zeros;
}

/* The opposite of digits_put_eight; false: the eight bytes are not all digits. */
static inline bool
digits_take_eight(const void *from, uint32_t *value)
{
	const uint64_t uppers = UINT64_C(0xf0f0f0f0f0f0f0f0);
	uint64_t digits;

	memcpy(&digits, from, sizeof(digits));
	digits = le64toh(digits);
	/* Their upper halves are 3, and those of '9' + 6 still are. */
	if (((digits & uppers) | (((digits + (DIGITS_ZEROS >> 3)) & uppers) >> 4)) !=
	    (DIGITS_ZEROS | DIGITS_ZEROS >> 4))
		return false;
	digits -= DIGITS_ZEROS;
	digits = digits * 10 + (digits >> 8); /* pairs, in every second byte */
	*value =
	    (uint32_t)(((digits & UINT64_C(0xff000000ff)) * UINT64_C(0xf424000000064) +
			   (digits >> 16 & UINT64_C(0xff000000ff)) * UINT64_C(0x271000000001)) >>
		       32);
	return true;
}

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
