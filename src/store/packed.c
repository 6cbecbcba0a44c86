/*
 * Several rows in one column, as JSON, which views take apart with json_each: a list of texts, or
 * an object with names and numbers; of each text or name they use what stands at fixed places. What
 * is always read and written together costs SQLite one value so.  (json_extract would do for plain
 * numbers, but SQLite up to 3.40 does not let views use it where PRAGMA trusted_schema is off, and
 * it takes three times as long.)
 */
#include <string.h>

#include "base/digits.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* Most numbers are far less wide than there is room for. */
char *
store_packed_put(char *out, uint64_t value, unsigned width)
{
	unsigned at = width;

	memset(out, '0', width);
	for (; at >= 2 && value > 0; at -= 2) {
		(void)digits_put_two(out + at - 2, (unsigned)(value % 100));
		value /= 100;
	}
	if (at == 1)
		out[0] = (char)('0' + value % 10);
	return out + width;
}

/* No wider than it is; below 10^19. */
char *
store_packed_put_short(char *out, uint64_t value)
{
	unsigned width = 1;

	for (uint64_t beyond = 10; width < STORE_PACKED_WIDTH_MAX && value >= beyond; beyond *= 10)
		width++;
	return store_packed_put(out, value, width);
}

void
store_packed_add(struct buf *out, const char *item, size_t len)
{
	char *begin = buf_reserve(out, len + 3);

	begin[0] = out->len == 0 ? '[' : ',';
	begin[1] = '"';
	memcpy(begin + 2, item, len);
	begin[2 + len] = '"';
	out->len += len + 3;
}

void
store_packed_add_named(struct buf *out, const char *name, size_t len, uint64_t number)
{
	char *begin = buf_reserve(out, len + 4 + STORE_PACKED_WIDTH_MAX), *end;

	begin[0] = out->len == 0 ? '{' : ',';
	begin[1] = '"';
	memcpy(begin + 2, name, len);
	begin[2 + len] = '"';
	begin[3 + len] = ':';
	end = store_packed_put_short(begin + 4 + len, number);
	out->len += (size_t)(end - begin);
}

void
store_packed_end(struct buf *out)
{
	if (out->len > 0)
		buf_add_char(out, out->data[0] == '{' ? '}' : ']');
}

bool
store_packed_next(struct span *text, struct span *item, bool *damaged)
{
	const uint8_t *at = text->data, *end;

	if (text->len == 0)
		return false;
	end = text->len > 3 && (at[0] == '[' || at[0] == ',') && at[1] == '"'
		  ? memchr(at + 2, '"', text->len - 3)
		  : NULL;
	if (end == NULL || (end[1] != ',' && end[1] != ']')) {
		*damaged = true;
		return false;
	}
	*item = span_from(at + 2, (size_t)(end - at) - 2);
	*text = span_from(end + 1, text->len - (size_t)(end + 1 - at));
	/* The bracket at the end of all. */
	if (text->len == 1)
		*text = span_from(NULL, 0);
	return true;
}

/* Up to what is no digit. */
static bool
take_number(struct span *text, uint64_t *value)
{
	size_t width = 0;

	while (width < text->len && text->data[width] >= '0' && text->data[width] <= '9')
		width++;
	return width > 0 && width <= STORE_PACKED_WIDTH_MAX &&
	       store_packed_take(text, (unsigned)width, value);
}

bool
store_packed_next_named(struct span *text, struct span *name, uint64_t *number, bool *damaged)
{
	const uint8_t *at = text->data, *end;

	if (text->len == 0)
		return false;
	end = text->len > 3 && (at[0] == '{' || at[0] == ',') && at[1] == '"'
		  ? memchr(at + 2, '"', text->len - 3)
		  : NULL;
	*damaged = true;
	if (end == NULL || end[1] != ':')
		return false;
	*name = span_from(at + 2, (size_t)(end - at) - 2);
	*text = span_from(end + 2, text->len - (size_t)(end + 2 - at));
	if (!take_number(text, number) || text->len == 0 ||
	    (text->data[0] != ',' && text->data[0] != '}'))
		return false;
	/* The bracket at the end of all. */
	if (text->len == 1)
		*text = span_from(NULL, 0);
	*damaged = false;
	return true;
}

bool
store_packed_take(struct span *item, unsigned width, uint64_t *value)
{
	uint64_t sum = 0;

	if (item->len < width)
		return false;
	for (unsigned i = 0; i < width; i++) {
		unsigned digit = (unsigned)item->data[i] - '0';

		if (digit > 9)
			return false;
		sum = 10 * sum + digit;
	}
	*value = sum;
	return span_skip(item, width);
}
