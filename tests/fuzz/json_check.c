#include "json_check.h"

#include "base/banned.h"

#define DEPTH_MAX 16

static bool
take(struct span *in, uint8_t byte)
{
	uint8_t found;

	if (!span_peek_u8(*in, &found) || found != byte)
		return false;
	return span_skip(in, 1);
}

static bool
take_word(struct span *in, const char *word)
{
	struct span want = span_from_text(word);

	return span_equals(span_first(*in, want.len), want) && span_skip(in, want.len);
}

static bool
is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* RFC 8259, section 7: what may follow a backslash. */
static bool
take_escape(struct span *in)
{
	uint8_t byte;

	if (!span_read_u8(in, &byte))
		return false;
	if (byte != 'u')
		return byte != 0 && strchr("\"\\/bfnrt", byte) != NULL;
	for (int i = 0; i < 4; i++) {
		if (!span_read_u8(in, &byte) || !(is_digit(byte) || (byte >= 'a' && byte <= 'f') ||
						    (byte >= 'A' && byte <= 'F')))
			return false;
	}
	return true;
}

/* RFC 3629, section 4; `lead` was taken already. */
static bool
take_rune(struct span *in, uint8_t lead)
{
	unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
	uint32_t rune = lead & (0x3fu >> more);
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

	if (lead < 0xc2 || lead > 0xf4)
		return false;
	for (unsigned i = 0; i < more; i++) {
		uint8_t byte;

		if (!span_read_u8(in, &byte) || (byte & 0xc0) != 0x80)
			return false;
		rune = rune << 6 | (byte & 0x3f);
	}
	return rune >= least[more] && rune <= 0x10ffff && (rune < 0xd800 || rune > 0xdfff) &&
	       rune >= 0xa0;
}

static bool
take_string(struct span *in)
{
	uint8_t byte;

	if (!take(in, '"'))
		return false;
	while (span_read_u8(in, &byte)) {
		if (byte == '"')
			return true;
		if (byte < 0x20 || byte == 0x7f)
			return false;
		if (byte == '\\' ? !take_escape(in) : byte >= 0x80 && !take_rune(in, byte))
			return false;
	}
	return false;
}

/* Whole numbers are all that is written. */
static bool
take_number(struct span *in)
{
	struct span copy = *in;
	size_t count = 0;
	uint8_t byte;

	(void)take(&copy, '-');
	if (take(&copy, '0')) {
		*in = copy;
		return true;
	}
	for (; span_peek_u8(copy, &byte) && is_digit(byte) && span_skip(&copy, 1); count++)
		;
	*in = copy;
	return count > 0;
}

static bool take_value(struct span *in, unsigned depth);

static bool
take_object(struct span *in, unsigned depth)
{
	if (!take(in, '{'))
		return false;
	if (take(in, '}'))
		return true;
	do {
		if (!take_string(in) || !take(in, ':') || !take_value(in, depth + 1))
			return false;
	} while (take(in, ','));
	return take(in, '}');
}

static bool
take_value(struct span *in, unsigned depth)
{
	uint8_t first;

	if (depth > DEPTH_MAX || !span_peek_u8(*in, &first))
		return false;
	if (first == '{')
		return take_object(in, depth);
	if (first == '"')
		return take_string(in);
	if (first == '-' || is_digit(first))
		return take_number(in);
	return take_word(in, "null") || take_word(in, "true") || take_word(in, "false");
}

bool
json_check_line(struct span line)
{
	return take_object(&line, 0) && span_is_empty(line);
}
