#define _XOPEN_SOURCE 700 /* wcwidth */

#include "report/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/text.h"

#include "base/banned.h"

static size_t
width_of(int fd)
{
	struct winsize size = { 0 };
	const char *columns = getenv("COLUMNS");
	unsigned long value = 0;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		value = size.ws_col;
	if (value == 0 && columns != NULL)
		value = strtoul(columns, NULL, 10);
	if (value == 0 || value > 10000)
		value = 80;
	return value < TERMINAL_WIDTH_MIN ? TERMINAL_WIDTH_MIN : value;
}

static bool
wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color != NULL && no_color[0] != '\0')
		return false;
	return term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

struct terminal
terminal_detect(FILE *stream)
{
	struct terminal t = { .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };

	if (isatty(fileno(stream))) {
		t.width = width_of(fileno(stream));
		t.colour = wants_colour();
	}
	return t;
}

void
terminal_add_text(const struct terminal *t, struct buf *out, const char *text)
{
	if (t->utf8) {
		buf_add_text(out, text);
		return;
	}
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x80)
			buf_add_char(out, *text);
		else
			buf_addf(out, "\\x%02x", (unsigned char)*text);
	}
}

/* The character at the front: its length in bytes, and its columns. */
static size_t
next_char(struct span text, size_t *width)
{
	uint32_t c = 0;
	size_t len = text_utf8_char(text, &c);
	int columns = len > 1 ? wcwidth((wchar_t)c) : 1;

	/* A character that this machine does not know is taken for one column. */
	*width = columns < 0 ? 1 : (size_t)columns;
	return len == 0 ? 1 : len;
}

size_t
terminal_text_fit(const char *text, size_t width)
{
	struct span rest = span_from_text(text);
	size_t total = 0;

	while (rest.len > 0) {
		size_t columns, len = next_char(rest, &columns);

		if (columns > width - total)
			break;
		total += columns;
		rest = span_from(rest.data + len, rest.len - len);
	}
	return strlen(text) - rest.len;
}

size_t
terminal_text_width(const char *text)
{
	struct span rest = span_from_text(text);
	size_t total = 0;

	while (rest.len > 0) {
		size_t columns, len = next_char(rest, &columns);

		total += columns;
		rest = span_from(rest.data + len, rest.len - len);
	}
	return total;
}

/* How many bytes of `text` are the next line: up to the last space that fits, or as many as fit. */
static size_t
line_len(const char *text, size_t width)
{
	size_t fit = terminal_text_fit(text, width), len = fit, columns;

	while (text[fit] != '\0' && len > 0 && text[len] != ' ')
		len--;
	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (len > 0 || fit > 0)
		return len > 0 ? len : fit;
	/* A character that is wider than the line has a line of its own. */
	return text[0] != '\0' ? next_char(span_from_text(text), &columns) : 0;
}

void
terminal_add_wrapped(struct buf *out, const char *text, size_t indent, size_t width)
{
	if (width == 0) {
		buf_add_text(out, text);
		buf_add_char(out, '\n');
		return;
	}
	for (;;) {
		size_t len = line_len(text, width);

		buf_add(out, text, len);
		buf_add_char(out, '\n');
		text += len;
		text += strspn(text, " ");
		if (*text == '\0')
			return;
		buf_addf(out, "%*s", (int)indent, "");
	}
}
