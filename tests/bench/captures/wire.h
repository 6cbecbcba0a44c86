/*
 * wire - numbers in network order, and vectors with their length in front, at the end of a buf.
 *
 * wire_open_u16() leaves room for the length and returns where the content begins; wire_close_u16()
 * writes the length of what has come since.
 */
#ifndef TLSTALLY_BENCH_WIRE_H
#define TLSTALLY_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "dice.h"

static inline void
wire_u8(struct buf *b, unsigned value)
{
	buf_add_char(b, (char)(uint8_t)value);
}

static inline void
wire_u16(struct buf *b, unsigned value)
{
	wire_u8(b, value >> 8);
	wire_u8(b, value);
}

static inline void
wire_u24(struct buf *b, unsigned value)
{
	wire_u8(b, value >> 16);
	wire_u16(b, value);
}

static inline void
wire_random(struct buf *b, struct dice *dice, size_t len)
{
	dice_fill(dice, buf_reserve(b, len), len);
	b->len += len;
}

static inline void
wire_set_u16(struct buf *b, size_t at, size_t value)
{
	b->data[at] = (char)(uint8_t)(value >> 8);
	b->data[at + 1] = (char)(uint8_t)value;
}

static inline size_t
wire_open_u8(struct buf *b)
{
	wire_u8(b, 0);
	return b->len;
}

static inline void
wire_close_u8(struct buf *b, size_t start)
{
	b->data[start - 1] = (char)(uint8_t)(b->len - start);
}

static inline size_t
wire_open_u16(struct buf *b)
{
	wire_u16(b, 0);
	return b->len;
}

static inline void
wire_close_u16(struct buf *b, size_t start)
{
	wire_set_u16(b, start - 2, b->len - start);
}

static inline size_t
wire_open_u24(struct buf *b)
{
	wire_u24(b, 0);
	return b->len;
}

static inline void
wire_close_u24(struct buf *b, size_t start)
{
	size_t len = b->len - start;

	b->data[start - 3] = (char)(uint8_t)(len >> 16);
	wire_set_u16(b, start - 2, len);
}

#endif
