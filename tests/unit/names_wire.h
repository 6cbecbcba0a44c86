/*
 * names_wire - messages of DNS, DHCP and NBNS, written piece by piece.
 */
#ifndef TLSTALLY_TESTS_NAMES_WIRE_H
#define TLSTALLY_TESTS_NAMES_WIRE_H

#include <string.h>

#include "base/span.h"

struct names_wire {
	size_t len;
	uint8_t bytes[2048];
};

static inline struct span
names_bytes(const struct names_wire *w)
{
	return span_from(w->bytes, w->len);
}

static inline void
names_u8(struct names_wire *w, unsigned value)
{
	w->bytes[w->len++] = (uint8_t)value;
}

static inline void
names_u16(struct names_wire *w, unsigned value)
{
	names_u8(w, value >> 8 & 0xff);
	names_u8(w, value & 0xff);
}

static inline void
names_u32(struct names_wire *w, uint32_t value)
{
	names_u16(w, value >> 16);
	names_u16(w, value & 0xffff);
}

static inline void
names_put(struct names_wire *w, struct span bytes)
{
	memcpy(w->bytes + w->len, bytes.data, bytes.len);
	w->len += bytes.len;
}

static inline void
names_zeros(struct names_wire *w, size_t len)
{
	memset(w->bytes + w->len, 0, len);
	w->len += len;
}

/* "a.b.c" as labels with the root behind them. */
static inline void
names_labels(struct names_wire *w, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ".");

		names_u8(w, (unsigned)len);
		names_put(w, span_from(text, len));
		text += len + (text[len] == '.');
	}
	names_u8(w, 0);
}

/* RFC 1035, section 4.1.1. */
static inline void
names_header(struct names_wire *w, unsigned flags, unsigned questions, unsigned answers)
{
	names_u16(w, 0x1234);
	names_u16(w, flags);
	names_u16(w, questions);
	names_u16(w, answers);
	names_zeros(w, 4);
}

static inline void
names_question(struct names_wire *w, const char *name, unsigned type)
{
	names_labels(w, name);
	names_u16(w, type);
	names_u16(w, 1);
}

/* What stands between a record's owner and its data. */
static inline void
names_record(struct names_wire *w, unsigned type, uint32_t ttl, unsigned data_len)
{
	names_u16(w, type);
	names_u16(w, 1);
	names_u32(w, ttl);
	names_u16(w, data_len);
}

#endif
