/* Text from outside, made fit for a database that people read with plain `sqlite3`. */
#include "store/store_internal.h"

#include "base/banned.h"

static bool
is_plain(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] >= 0x7f)
			return false;
	}
	return true;
}

/*
 * Controls (C0, DEL, C1), and what has no width or steers the direction of the text around it:
 * a terminal or a spreadsheet would not show what is there.
 */
static bool
is_unseen(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

/*
 * RFC 3629, section 4: the length of the character in front, shortest form and no surrogates; 0
 * for bytes that are none, or that are better not shown.
 */
static size_t
shown_char(struct span text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = text.data[0];
	size_t len = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t c = len == 1 ? lead : lead & (0xffu >> (len + 1));

	if (len == 0 || lead >= 0xf8 || text.len < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text.data[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || is_unseen(c))
		return 0;
	return len;
}

struct span
store_printable(struct buf *scratch, struct span text, enum store_charset charset, size_t max)
{
	static const char digits[] = "0123456789abcdef";

	if (text.len <= max && is_plain(text))
		return text;
	buf_clear(scratch);
	while (text.len > 0) {
		size_t len = shown_char(text);

		if (charset == CHARSET_ASCII && len > 1)
			len = 0;
		if ((len > 0 ? len : 4) > max - scratch->len)
			break;
		if (len == 0) {
			buf_add_text(scratch, "\\x");
			buf_add_char(scratch, digits[text.data[0] >> 4]);
			buf_add_char(scratch, digits[text.data[0] & 15]);
			len = 1;
		} else {
			buf_add(scratch, text.data, len);
		}
		text = span_from(text.data + len, text.len - len);
	}
	return span_from(scratch->data, scratch->len);
}

void
store_make_printable(struct buf *scratch, struct event_text *text, enum store_charset charset)
{
	struct span whole = event_text_span(text);
	struct span shown = store_printable(scratch, whole, charset, EVENT_NAME_MAX);

	if (shown.data != whole.data)
		event_text_set(text, shown);
}
