#include "store/packed.h"

#include <string.h>

#include "base/digits.h"

#include "base/banned.h"

#define EIGHT_DIGITS 100000000

char *
store_packed_put(char *out, uint64_t value, unsigned width)
{
	unsigned at = width;

	for (; at >= 8; at -= 8) {
		(void)digits_put_eight(out + at - 8, (uint32_t)(value % EIGHT_DIGITS));
		value /= EIGHT_DIGITS;
	}
	for (; at >= 2; at -= 2) {
		(void)digits_put_two(out + at - 2, (unsigned)(value % 100));
		value /= 100;
	}
	if (at == 1)
		out[0] = (char)('0' + value % 10);
	return out + width;
}

char *
store_packed_put_short(char *out, uint64_t value)
{
	uint64_t upper = value / EIGHT_DIGITS;
	uint32_t lower = (uint32_t)(value % EIGHT_DIGITS);

	if (upper == 0)
		return digits_put_up_to_eight(out, lower);
	if (upper < EIGHT_DIGITS) {
		out = digits_put_up_to_eight(out, (uint32_t)upper);
	} else {
		out = digits_put_small(out, (unsigned)(upper / EIGHT_DIGITS));
		out = digits_put_eight(out, (uint32_t)(upper % EIGHT_DIGITS));
	}
	return digits_put_eight(out, lower);
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

char *
store_packed_begin_named(struct buf *out, size_t len)
{
	char *begin = buf_reserve(out, len + 5 + STORE_PACKED_WIDTH_MAX);

	begin[0] = out->len == 0 ? '{' : ',';
	begin[1] = '"';
	return begin + 2;
}

void
store_packed_end_named(struct buf *out, char *end, uint64_t number)
{
	*end++ = '"';
	*end++ = ':';
	end = store_packed_put_short(end, number);
	out->len = (size_t)(end - out->data);
}

void
store_packed_add_again(struct buf *out, struct span item)
{
	char *begin = buf_reserve(out, item.len + 1);

	begin[0] = out->len == 0 ? '{' : ',';
	memcpy(begin + 1, item.data, item.len);
	out->len += item.len + 1;
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

/* Up to what is no digit, or wider than any. */
static bool
take_number(struct span *text, uint64_t *value)
{
	uint64_t sum = 0;
	uint32_t eight;
	size_t width = 0;

	while (width < text->len && width < STORE_PACKED_WIDTH_MAX) {
		unsigned digit;

		/* Twice as a rule, and then three more. */
		if (width + 8 <= text->len && width + 8 <= STORE_PACKED_WIDTH_MAX &&
		    digits_take_eight(text->data + width, &eight)) {
			sum = EIGHT_DIGITS * sum + eight;
			width += 8;
			continue;
		}
		digit = (unsigned)text->data[width] - '0';
		if (digit > 9)
			break;
		sum = 10 * sum + digit;
		width++;
	}
	*value = sum;
	return width > 0 && span_skip(text, width);
}

bool
store_packed_next_named(
    struct span *text, struct span *item, struct span *name, uint64_t *number, bool *damaged)
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
	*item = span_from(at + 1, (size_t)(text->data - at) - 1);
	/* The bracket at the end of all. */
	if (text->len == 1)
		*text = span_from(NULL, 0);
	*damaged = false;
	return true;
}

bool
store_packed_take(struct span *item, unsigned width, uint64_t *value)
{
	const uint8_t *at = item->data, *end;
	uint64_t sum = 0;
	uint32_t eight;

	if (item->len < width)
		return false;
	for (end = at + width; end - at >= 8; at += 8) {
		if (!digits_take_eight(at, &eight))
			return false;
		sum = EIGHT_DIGITS * sum + eight;
	}
	for (; at < end; at++) {
		unsigned digit = (unsigned)*at - '0';

		if (digit > 9)
			return false;
		sum = 10 * sum + digit;
	}
	*value = sum;
	return span_skip(item, width);
}
