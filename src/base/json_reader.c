#include "base/json_reader.h"

#include <string.h>

#include "base/banned.h"

static void
skip_blanks(struct span *in)
{
	static const char blanks[] = { ' ', '\t', '\r', '\n' };

	while (in->len > 0 && memchr(blanks, in->data[0], sizeof(blanks)) != NULL)
		*in = span_from(in->data + 1, in->len - 1);
}

/* Takes that character, if it comes next. */
static bool
take(struct span *in, char c)
{
	skip_blanks(in);
	if (in->len == 0 || in->data[0] != (uint8_t)c)
		return false;
	*in = span_from(in->data + 1, in->len - 1);
	return true;
}

enum json_kind
json_peek(struct span *in)
{
	skip_blanks(in);
	if (in->len == 0)
		return JSON_NOTHING;
	switch (in->data[0]) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
	case 'n':
		return JSON_WORD;
	default:
		return in->data[0] == '-' || (in->data[0] >= '0' && in->data[0] <= '9')
			   ? JSON_NUMBER
			   : JSON_NOTHING;
	}
}

bool
json_read_begin(struct span *in, enum json_kind object_or_array)
{
	return take(in, object_or_array == JSON_OBJECT ? '{' : '[');
}

/* RFC 3629; U+0000 and surrogates, which no text of ours holds, are written out. */
static void
add_code_point(struct buf *out, uint32_t c)
{
	if (c == 0 || (c >= 0xd800 && c <= 0xdfff)) {
		if (c != 0)
			buf_addf(out, "\\x%02x", (unsigned)(c >> 8));
		buf_addf(out, "\\x%02x", (unsigned)(c & 0xff));
	} else if (c < 0x80) {
		buf_add_char(out, (char)c);
	} else if (c < 0x800) {
		buf_add_char(out, (char)(0xc0 | c >> 6));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_char(out, (char)(0xe0 | c >> 12));
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_add_char(out, (char)(0xf0 | c >> 18));
		buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* Four hexadecimal digits. */
static bool
read_hex(struct span *in, uint32_t *value)
{
	*value = 0;
	if (in->len < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		uint8_t c = in->data[i];
		uint8_t low = c | 0x20;
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			digit = (uint32_t)(low - 'a' + 10);
		else
			return false;
		*value = *value << 4 | digit;
	}
	*in = span_from(in->data + 4, in->len - 4);
	return true;
}

/* RFC 8259, section 7: what is beyond the first plane comes as two surrogates. */
static bool
read_unicode(struct span *in, struct buf *out)
{
	uint32_t c, low;
	struct span rest;

	if (!read_hex(in, &c))
		return false;
	rest = *in;
	if (c >= 0xd800 && c <= 0xdbff && rest.len >= 6 && rest.data[0] == '\\' &&
	    rest.data[1] == 'u') {
		rest = span_from(rest.data + 2, rest.len - 2);
		if (!read_hex(&rest, &low))
			return false;
		if (low >= 0xdc00 && low <= 0xdfff) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*in = rest;
		}
	}
	add_code_point(out, c);
	return true;
}

static bool
read_escape(struct span *in, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	char c;

	if (in->len == 0)
		return false;
	c = (char)in->data[0];
	*in = span_from(in->data + 1, in->len - 1);
	if (c == 'u')
		return read_unicode(in, out);
	letter = c != '\0' ? strchr(letters, c) : NULL;
	if (letter == NULL)
		return false;
	buf_add_char(out, values[letter - letters]);
	return true;
}

static bool
read_string(struct span *in, struct buf *out)
{
	if (!take(in, '"'))
		return false;
	while (in->len > 0) {
		size_t len = 0;

		while (len < in->len && in->data[len] != '"' && in->data[len] != '\\' &&
		       in->data[len] >= 0x20)
			len++;
		buf_add(out, in->data, len);
		*in = span_from(in->data + len, in->len - len);
		if (in->len == 0 || in->data[0] < 0x20)
			return false;
		len = in->data[0] == '"';
		*in = span_from(in->data + 1, in->len - 1);
		if (len > 0)
			return true;
		if (!read_escape(in, out))
			return false;
	}
	return false;
}

static bool
read_word(struct span *in, struct buf *out)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (in->len < len || memcmp(in->data, words[i], len) != 0)
			continue;
		buf_add(out, in->data, len);
		*in = span_from(in->data + len, in->len - len);
		return true;
	}
	return false;
}

static void
read_number(struct span *in, struct buf *out)
{
	size_t len = 0;

	while (len < in->len && in->data[len] != '\0' &&
	       strchr("+-.0123456789eE", in->data[len]) != NULL)
		len++;
	buf_add(out, in->data, len);
	*in = span_from(in->data + len, in->len - len);
}

bool
json_read_scalar(struct span *in, struct buf *out, bool *is_null)
{
	buf_clear(out);
	*is_null = false;
	switch (json_peek(in)) {
	case JSON_STRING:
		return read_string(in, out);
	case JSON_NUMBER:
		read_number(in, out);
		return true;
	case JSON_WORD:
		*is_null = in->data[0] == 'n';
		return read_word(in, out);
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NOTHING:
		break;
	}
	return false;
}

/* The comma in front of the next one, or the end. */
static enum json_step
step(struct span *in, bool *first, char close)
{
	if (take(in, close))
		return JSON_STEP_END;
	if (!*first && !take(in, ','))
		return JSON_STEP_BAD;
	*first = false;
	return JSON_STEP_ITEM;
}

enum json_step
json_read_member(struct span *in, bool *first, struct buf *name)
{
	enum json_step next = step(in, first, '}');

	if (next != JSON_STEP_ITEM)
		return next;
	buf_clear(name);
	return read_string(in, name) && take(in, ':') ? JSON_STEP_ITEM : JSON_STEP_BAD;
}

enum json_step
json_read_item(struct span *in, bool *first)
{
	return step(in, first, ']');
}

static bool
skip(struct span *in, struct buf *scratch, unsigned depth)
{
	enum json_kind kind = json_peek(in);
	enum json_step next;
	bool first = true, is_null;

	if (kind != JSON_OBJECT && kind != JSON_ARRAY)
		return json_read_scalar(in, scratch, &is_null);
	if (depth == JSON_DEPTH_MAX || !json_read_begin(in, kind))
		return false;
	for (;;) {
		next = kind == JSON_OBJECT ? json_read_member(in, &first, scratch)
					   : json_read_item(in, &first);
		if (next != JSON_STEP_ITEM)
			return next == JSON_STEP_END;
		if (!skip(in, scratch, depth + 1))
			return false;
	}
}

bool
json_skip(struct span *in)
{
	struct buf scratch = { 0 };
	bool good = skip(in, &scratch, 0);

	buf_release(&scratch);
	return good;
}
