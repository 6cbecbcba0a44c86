#include "base/json.h"

#include <string.h>

#include "base/banned.h"

void
json_begin_object(struct buf *b)
{
	buf_add_char(b, '{');
}

void
json_end_object(struct buf *b)
{
	buf_add_char(b, '}');
}

void
json_key(struct buf *b, const char *name)
{
	if (b->len > 0 && b->data[b->len - 1] != '{')
		buf_add_char(b, ',');
	buf_add_char(b, '"');
	buf_add_text(b, name);
	buf_add(b, "\":", 2);
}

/*
 * Length of the well-formed UTF-8 sequence at the front, 0 for none.  RFC 3629, section 4: no
 * overlong forms, no surrogates, nothing above U+10FFFF.
 */
static size_t
utf8_len(struct span s)
{
	const uint8_t *p = s.data;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < 2 || (p[1] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if (s.len < 3 || (p[2] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xf0) {
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (s.len < 4 || (p[3] & 0xc0) != 0x80)
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return 4;
}

static char *
put_escape(char *out, const char form[4], unsigned value)
{
	static const char digits[] = "0123456789abcdef";

	memcpy(out, form, 4);
	out[4] = digits[value >> 4 & 15];
	out[5] = digits[value & 15];
	return out + 6;
}

/* What is not itself in a string: writes the first character of `value` and takes it. */
static char *
put_special(char *out, struct span *value)
{
	uint8_t first = value->data[0];
	size_t len = utf8_len(*value);

	if (first == '"' || first == '\\') {
		*out++ = '\\';
		*out++ = (char)first;
	} else if (len == 0) {
		out = put_escape(out - 1, "?\\\\x", first);
		out[-6] = '\\';
		len = 1;
	} else if (len == 1) {
		out = put_escape(out, "\\u00", first);
	} else if (first == 0xc2 && value->data[1] < 0xa0) {
		out = put_escape(out, "\\u00", value->data[1]); /* C1: terminals obey some */
	} else {
		memcpy(out, value->data, len);
		out += len;
	}
	value->data += len;
	value->len -= len;
	return out;
}
void
json_member_text(struct buf *b, const char *name, const char *value)
{
	json_member_span(b, name, value != NULL ? span_from_text(value) : (struct span){ 0 });
}

void
json_member_span(struct buf *b, const char *name, struct span value)
{
	if (value.data == NULL) {
		json_member_null(b, name);
		return;
	}
	json_key(b, name);
	json_string(b, value);
}

void
json_member_u64(struct buf *b, const char *name, uint64_t value)
{
	json_key(b, name);
	buf_add_u64(b, value);
}

void
json_member_bool(struct buf *b, const char *name, bool value)
{
	json_key(b, name);
	buf_add_text(b, value ? "true" : "false");
}

void
json_member_null(struct buf *b, const char *name)
{
	json_key(b, name);
	buf_add_text(b, "null");
}
