#include "policy/printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#include "base/banned.h"

/*
 * Characters that would act on the terminal or on the reader instead of being seen: controls, soft
 * hyphen, zero-width and direction marks, separators, variation selectors, private use, tags.
 */
static bool
is_visible(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x00, 0x1f },
		{ 0x7f, 0x9f },
		{ 0xad, 0xad },
		{ 0x34f, 0x34f },
		{ 0x61c, 0x61c },
		{ 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },
		{ 0x200b, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2060, 0x206f },
		{ 0x3164, 0x3164 },
		{ 0xe000, 0xf8ff },
		{ 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },
		{ 0xfffe, 0xffff },
		{ 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (c >= hidden[i].first && c <= hidden[i].last)
			return false;
	}
	return true;
}

/* Takes one character, or one byte that is part of none, and writes how it is shown. */
static size_t
show_char(struct span *text, bool ascii_only, char out[16])
{
	uint32_t c = 0;
	size_t len = text_utf8_char(*text, &c), shown = 0;

	if (len > 0 && is_visible(c) && (len == 1 || !ascii_only)) {
		for (; shown < len; shown++)
			out[shown] = (char)text->data[shown];
	} else {
		static const char digits[] = "0123456789abcdef";

		if (len == 0)
			len = 1;
		for (size_t i = 0; i < len; i++) {
			out[shown++] = '\\';
			out[shown++] = 'x';
			out[shown++] = digits[text->data[i] >> 4];
			out[shown++] = digits[text->data[i] & 0xf];
		}
	}
	*text = span_from(text->data + len, text->len - len);
	return shown;
}

static void
add_shown(struct buf *out, struct span text, bool ascii_only, size_t max)
{
	static const char ellipsis[] = "...";
	const size_t ellipsis_len = sizeof(ellipsis) - 1;
	size_t begin = out->len, keep = begin;
	char shown[16];

	if (text.len <= max && text_is_plain(text)) {
		buf_add(out, text.data, text.len);
		return;
	}
	while (text.len > 0) {
		size_t len = show_char(&text, ascii_only, shown);

		if (out->len - begin + len > max) {
			out->len = keep;
			buf_add(out, ellipsis, max < ellipsis_len ? max : ellipsis_len);
			return;
		}
		buf_add(out, shown, len);
		if (out->len - begin + ellipsis_len <= max)
			keep = out->len;
	}
}

void
printable_add(struct buf *out, struct span text, size_t max)
{
	add_shown(out, text, false, max);
}

void
printable_add_server(struct buf *out, struct span server, uint16_t port, size_t max)
{
	char text[ADDR_TEXT_LEN];
	struct addr addr;
	bool bracket = false;

	/* RFC 3986, section 3.2.2: brackets keep the port apart from an IPv6 address. */
	if (server.len < sizeof(text) && server.len > 0 &&
	    memchr(server.data, ':', server.len) != NULL) {
		memcpy(text, server.data, server.len);
		text[server.len] = '\0';
		bracket = addr_from_text(text, &addr) && addr.family == 6;
	}
	if (bracket)
		buf_add_char(out, '[');
	add_shown(out, server, true, max);
	if (bracket)
		buf_add_char(out, ']');
	buf_add_char(out, ':');
	buf_add_u64(out, port);
}
