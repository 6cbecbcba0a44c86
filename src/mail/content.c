/*
 * Content, which is no line: a counted number of bytes, and all up to a line with a single dot.
 *
 * Source: RFC 9051, section 4.3 (literals); RFC 3030 (BDAT); RFC 5321 and RFC 1939 (dots).
 */
#include "mail/mail_internal.h"

#include <string.h>

#include "base/banned.h"

/* mail_reader.dot: how much of <CRLF>.<CRLF> has just been read. */
enum {
	DOT_LINE_START,
	DOT_DOT,
	DOT_DOT_CR,
	DOT_TEXT,
	DOT_TEXT_CR,
};

/* mail_reader.literal: how much of {123+} has just been read. */
enum {
	LITERAL_NONE = MAIL_LITERAL_NONE,
	LITERAL_OPEN,
	LITERAL_DIGITS,
	LITERAL_PLUS,
	LITERAL_CLOSED,
	LITERAL_CLOSED_PLUS,
	LITERAL_END,
	LITERAL_END_PLUS,
};

enum {
	LITERAL_DIGITS_MAX = 20,
	/* '{', the digits, '+', '}' and CR; what stands before them does not matter. */
	LITERAL_TAIL_LEN = 1 + LITERAL_DIGITS_MAX + 3,
};

void
mail_begin_dots(struct mail_reader *r)
{
	r->mode = MAIL_MODE_DOT;
	r->dot = DOT_LINE_START;
}

void
mail_begin_bytes(struct mail_reader *r, uint64_t len)
{
	r->literal_left = len;
	r->mode = len > 0 ? MAIL_MODE_LITERAL : MAIL_MODE_LINE;
}

bool
mail_line_has_literal(const struct mail_reader *r)
{
	return r->literal == LITERAL_CLOSED || r->literal == LITERAL_CLOSED_PLUS ||
	       r->literal == LITERAL_END || r->literal == LITERAL_END_PLUS;
}

bool
mail_literal_is_synchronizing(const struct mail_reader *r)
{
	return r->literal == LITERAL_CLOSED || r->literal == LITERAL_END;
}

static uint8_t
literal_digit(struct mail_reader *r, uint8_t c)
{
	if (r->literal_digits == LITERAL_DIGITS_MAX || r->literal_left > (INT64_MAX - 9) / 10)
		return LITERAL_NONE;
	r->literal_digits++;
	r->literal_left = r->literal_left * 10 + (uint64_t)(c - '0');
	return LITERAL_DIGITS;
}

static void
literal_step(struct mail_reader *r, uint8_t c)
{
	uint8_t now = r->literal;

	r->literal = LITERAL_NONE;
	if (c == '{') {
		r->literal = LITERAL_OPEN;
		r->literal_digits = 0;
		r->literal_left = 0;
	} else if (c >= '0' && c <= '9') {
		if (now == LITERAL_OPEN || now == LITERAL_DIGITS)
			r->literal = literal_digit(r, c);
	} else if (c == '+') {
		if (now == LITERAL_DIGITS)
			r->literal = LITERAL_PLUS;
	} else if (c == '}') {
		if (now == LITERAL_DIGITS)
			r->literal = LITERAL_CLOSED;
		else if (now == LITERAL_PLUS)
			r->literal = LITERAL_CLOSED_PLUS;
	} else if (c == '\r') {
		if (now == LITERAL_CLOSED)
			r->literal = LITERAL_END;
		else if (now == LITERAL_CLOSED_PLUS)
			r->literal = LITERAL_END_PLUS;
	}
}

__attribute__((noinline)) void
mail_literal_track(struct mail_reader *r, struct span part)
{
	if (part.len > LITERAL_TAIL_LEN) {
		r->literal = LITERAL_NONE;
		part.data += part.len - LITERAL_TAIL_LEN;
		part.len = LITERAL_TAIL_LEN;
	}
	/* As nearly always: nothing but a brace begins one. */
	if (r->literal == LITERAL_NONE &&
	    (part.len == 0 || memchr(part.data, '{', part.len) == NULL))
		return;
	for (size_t i = 0; i < part.len; i++)
		literal_step(r, part.data[i]);
}

void
mail_pass_literal(struct mail_dialogue *d, enum mail_side side, uint64_t len)
{
	struct mail_reader *r = &d->readers[side];

	if (side == MAIL_CLIENT && d->login_literal) {
		mail_note_credentials(d);
		mail_login_sent(d, MAIL_LOGIN_NAMELESS);
	}
	r->literal_left -= len;
	if (r->literal_left == 0)
		r->mode = MAIL_MODE_LINE;
}

static size_t
read_literal(struct mail_dialogue *d, enum mail_side side, struct span bytes)
{
	const struct mail_reader *r = &d->readers[side];
	size_t len = r->literal_left < bytes.len ? (size_t)r->literal_left : bytes.len;

	if (side == MAIL_CLIENT && d->id_open)
		mail_imap_id_literal(d, span_first(bytes, len), len == r->literal_left);
	mail_pass_literal(d, side, len);
	return len;
}

/*
 * RFC 5321, section 4.1.1.4; RFC 1939, section 3: <CRLF>.<CRLF> ends the content.  Only a side that
 * ends its lines with a bare LF may end its content that way: message text is full of surprises.
 */
static bool
dot_step(struct mail_reader *r, uint8_t c)
{
	uint8_t now = r->dot;

	r->dot = DOT_TEXT;
	if (c == '\n') {
		if (now == DOT_DOT_CR || (now == DOT_DOT && r->bare_lf))
			return true;
		if (now == DOT_TEXT_CR || r->bare_lf)
			r->dot = DOT_LINE_START;
	} else if (c == '\r') {
		r->dot = now == DOT_DOT ? DOT_DOT_CR : DOT_TEXT_CR;
	} else if (c == '.' && now == DOT_LINE_START) {
		r->dot = DOT_DOT;
	}
	return false;
}

/* Lines without a dot are passed at once, up to what tells whether the first dot begins a line. */
static size_t
skip_to_dot(struct span bytes, size_t i)
{
	size_t len = bytes.len - i, kept = sizeof("\r\n") - 1;
	const uint8_t *dot = memchr(bytes.data + i, '.', len);

	if (dot != NULL)
		len = (size_t)(dot - bytes.data) - i;
	return len > kept ? i + len - kept : i;
}

static size_t
read_dots(struct mail_dialogue *d, enum mail_side side, struct span bytes)
{
	struct mail_reader *r = &d->readers[side];
	bool skipped = false; /* once: text has dots enough, what is encoded has none */
	size_t i = 0;

	while (i < bytes.len) {
		const uint8_t *lf;

		if (dot_step(r, bytes.data[i++])) {
			r->mode = MAIL_MODE_LINE;
			r->lost = false;
			if (side == MAIL_CLIENT)
				mail_smtp_message_end(d);
			break;
		}
		if (r->dot != DOT_TEXT || i == bytes.len)
			continue;
		if (!skipped) {
			skipped = true;
			i = skip_to_dot(bytes, i);
			continue;
		}
		/* Inside a line only its end matters. */
		lf = memchr(bytes.data + i, '\n', bytes.len - i);
		i = lf != NULL ? (size_t)(lf - bytes.data) : bytes.len;
		if (bytes.data[i - 1] == '\r')
			r->dot = DOT_TEXT_CR;
	}
	return i;
}

__attribute__((noinline)) size_t
mail_read_content(struct mail_dialogue *d, enum mail_side side, struct span bytes)
{
	switch ((enum mail_mode)d->readers[side].mode) {
	case MAIL_MODE_LITERAL:
		return read_literal(d, side, bytes);
	case MAIL_MODE_DOT:
		return read_dots(d, side, bytes);
	case MAIL_MODE_OPAQUE:
		return bytes.len;
	case MAIL_MODE_LINE:
	case MAIL_MODE_TLS:
		break;
	}
	return 0;
}
