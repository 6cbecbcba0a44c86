#include "event/common_name.h"

#include <string.h>

#include "base/banned.h"

static const char digits[] = "0123456789ABCDEF";

static bool
is_in(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static int
digit_of(char c)
{
	return (int)(strchr(digits, c) - digits);
}

/* Adds what a character of an attribute's value stands for: RFC 4514, section 3. */
static void
add_value_char(struct span *text, struct buf *out)
{
	const char *c = (const char *)text->data;
	char value = c[0];
	size_t len = 1;

	if (value == '\\' && text->len >= 2 && is_in("\"+,;<>#= \\", c[1])) {
		value = c[1];
		len = 2;
	} else if (value == '\\' && text->len >= 3 && is_in(digits, c[1]) && is_in(digits, c[2])) {
		value = (char)(digit_of(c[1]) << 4 | digit_of(c[2]));
		len = 3;
	}
	buf_add_char(out, value);
	*text = span_from(text->data + len, text->len - len);
}

/* RFC 4514, section 2: what stands between two attributes. */
static bool
ends_attribute(struct span text)
{
	return text.len == 0 || text.data[0] == ',' || text.data[0] == '+';
}

/* Goes on to the value of the first CN; false where there is none. */
static bool
find_common_name(struct span *text)
{
	bool begins = true;

	while (text->len > 0) {
		bool found = begins && span_equals(span_first(*text, 3), span_from_text("CN="));
		size_t len = found ? 3 : text->data[0] == '\\' && text->len > 1 ? 2 : 1;

		begins = ends_attribute(*text);
		*text = span_from(text->data + len, text->len - len);
		if (found)
			return true;
	}
	return false;
}

bool
common_name_add(struct span subject, struct buf *out)
{
	if (!find_common_name(&subject))
		return false;
	while (!ends_attribute(subject))
		add_value_char(&subject, out);
	return true;
}
