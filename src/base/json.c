#include "base/json.h"

#include <string.h>

#include "base/text.h"

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

static char *
put_escape(char *out, const char *form, unsigned value)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = strlen(form);

	memcpy(out, form, len); /* NOLINT(bugprone-not-null-terminated-result) */
	out += len;
	*out++ = digits[value >> 4 & 15];
	*out++ = digits[value & 15];
	return out;
}

/* Takes the first character of `value`, at which put_plain stopped. */
static char *
put_special(char *out, struct span *value)
{
	uint8_t first = value->data[0];
	uint32_t code_point;
	size_t len = text_utf8_char(*value, &code_point);

	if (first == '"' || first == '\\') {
		*out++ = '\\';
		*out++ = (char)first;
	} else if (len == 0) {
		out = put_escape(out, "\\\\x", first);
		len = 1;
	} else if (len == 1) {
		out = put_escape(out, "\\u00", first);
	} else if (first == 0xc2 && value->data[1] < 0xa0) {
		/* A C1 control: terminals obey some. */
		out = put_escape(out, "\\u00", value->data[1]);
	} else {
		memcpy(out, value->data, len);
		out += len;
	}
	*value = span_from(value->data + len, value->len - len);
	return out;
}

static bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* The same for eight bytes at once: each term has a high bit where one of them is not plain. */
static bool
are_plain(uint64_t bytes)
{
	uint64_t quotes = bytes ^ EACH_BYTE('"'), backslashes = bytes ^ EACH_BYTE('\\');
	uint64_t below =
	    (bytes - EACH_BYTE(0x20)) | (quotes - EACH_BYTE(1)) | (backslashes - EACH_BYTE(1));

	return ((below | bytes | (bytes + EACH_BYTE(1))) & EACH_BYTE(0x80)) == 0;
}

/* Takes what stands for itself at the front of `value`, or a part of it. */
static char *
put_plain(char *out, struct span *value)
{
	size_t len = 0;
	uint64_t eight;

	for (; value->len - len >= sizeof(eight); len += sizeof(eight)) {
		memcpy(&eight, value->data + len, sizeof(eight));
		if (!are_plain(eight))
			break;
		memcpy(out + len, &eight, sizeof(eight));
	}
	/* The last bytes together with some that are copied already. */
	if (len >= sizeof(eight) && value->len - len < sizeof(eight)) {
		size_t last = value->len - sizeof(eight);

		memcpy(&eight, value->data + last, sizeof(eight));
		if (are_plain(eight)) {
			memcpy(out + last, &eight, sizeof(eight));
			len = value->len;
		}
	}
	for (; len < value->len && is_plain(value->data[len]); len++)
		out[len] = (char)value->data[len];
	*value = span_from(value->data + len, value->len - len);
	return out + len;
}

char *
json_put_string(char *out, struct span value)
{
	*out++ = '"';
	while (value.len > 0) {
		out = put_plain(out, &value);
		if (value.len > 0)
			out = put_special(out, &value);
	}
	*out++ = '"';
	return out;
}

void
json_string(struct buf *b, struct span value)
{
	char *out = buf_reserve(b, JSON_STRING_MAX(value.len));

	b->len += (size_t)(json_put_string(out, value) - out);
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
