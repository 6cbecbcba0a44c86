/* Text from outside, made fit for a database that people read with plain `sqlite3`. */
#include "base/text.h"
#include "store/store_internal.h"

#include "base/banned.h"

struct span
store_printable(struct buf *scratch, struct span text, enum store_charset charset, size_t max)
{
	static const char digits[] = "0123456789abcdef";

	if (text.len <= max && text_is_plain(text))
		return text;
	buf_clear(scratch);
	while (text.len > 0) {
		size_t len = text_shown_char(text);

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
