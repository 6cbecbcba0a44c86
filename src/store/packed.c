/*
 * Several rows in one column: a list of texts as JSON, which views take apart with json_each, and
 * of each text what stands at fixed places.  What is always read and written together costs SQLite
 * one value so.  (json_extract would do for plain numbers, but SQLite up to 3.40 does not let views
 * use it where PRAGMA trusted_schema is off, and it takes three times as long.)
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
store_packed_end(struct buf *out)
{
	if (out->len > 0)
		buf_add_char(out, ']');
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
