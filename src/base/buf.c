#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/short_copy.h"
#include "base/xalloc.h"

#include "base/banned.h"

void
buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
}

void
buf_grow(struct buf *b, size_t len)
{
	size_t room = b->room < 256 ? 256 : b->room;

	while (room - b->len < len)
		room *= 2;
	b->data = xreallocarray(b->data, room, 1);
	b->room = room;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (len == 0)
		return;
	short_copy(buf_reserve(b, len), data, len);
	b->len += len;
}

void
buf_add_char(struct buf *b, char c)
{
	*buf_reserve(b, 1) = c;
	b->len++;
}

void
buf_add_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void
buf_addf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	size_t room;
	int len;

	va_start(args, format);
	va_copy(again, args);
	/* The first try tells how much room it takes. */
	(void)buf_reserve(b, 64);
	room = b->room - b->len;
	len = vsnprintf(b->data + b->len, room, format, args);
	va_end(args);
	if (len > 0 && (size_t)len >= room)
		(void)vsnprintf(buf_reserve(b, (size_t)len + 1), (size_t)len + 1, format, again);
	if (len > 0)
		b->len += (size_t)len;
	va_end(again);
}

const char *
buf_text(struct buf *b)
{
	*buf_reserve(b, 1) = '\0';
	return b->data;
}
