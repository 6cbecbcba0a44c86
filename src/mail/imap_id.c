/*
 * Source: RFC 2971, section 3.1: ID ("name" "value" "name" "value" ...), or ID NIL.
 *
 * Each string may be a literal, which ends the line.  What was read up to there waits in the
 * client's window, the literal behind it as a quoted string.
 */
#include "mail/mail_internal.h"

#include <string.h>

#include "base/banned.h"

/* A quoted string with its escapes taken out, cut where a name is cut anyway. */
struct id_text {
	uint8_t data[MAIL_CLIENT_NAME_MAX];
	size_t len;
};

static void
add(struct id_text *text, uint8_t c)
{
	if (text->len < sizeof(text->data))
		text->data[text->len++] = c;
}

static void
skip_blanks(struct span *s)
{
	*s = mail_trim(*s);
}

/* A quoted string, or an atom, which is what NIL and careless clients send. */
static bool
read_text(struct span *s, struct id_text *text)
{
	size_t i = 0;

	text->len = 0;
	skip_blanks(s);
	if (s->len == 0 || s->data[0] == ')')
		return false;
	if (s->data[0] == '"') {
		for (i = 1; i < s->len && s->data[i] != '"'; i++) {
			if (s->data[i] == '\\' && i + 1 < s->len)
				i++;
			add(text, s->data[i]);
		}
		i = i < s->len ? i + 1 : i;
	} else {
		for (; i < s->len && s->data[i] != ' ' && s->data[i] != ')'; i++)
			add(text, s->data[i]);
		/* RFC 2971, section 3.3: NIL is no value; nor is a literal that did not fit. */
		if (mail_word_is(span_from(text->data, text->len), "NIL") || text->data[0] == '{')
			text->len = 0;
	}
	s->data += i;
	s->len -= i;
	return true;
}

static void
id_read(struct mail_dialogue *d, struct span args)
{
	struct id_text key, value, name = { .len = 0 }, version = { .len = 0 };

	if (!mail_starts_with(args, "("))
		return;
	args.data++;
	args.len--;
	while (read_text(&args, &key) && read_text(&args, &value)) {
		struct span field = span_from(key.data, key.len);

		if (mail_word_is(field, "NAME"))
			name = value;
		else if (mail_word_is(field, "VERSION"))
			version = value;
	}
	mail_set_client_name(d, MAIL_NAME_IMAP_ID, span_from(name.data, name.len),
	    span_from(version.data, version.len));
}

/* The text in front of the {123}, {123+} or ~{123} that ends it. */
static struct span
before_literal(struct span text)
{
	while (text.len > 0 && text.data[text.len - 1] != '{')
		text.len--;
	text.len -= text.len > 0;
	text.len -= text.len > 0 && text.data[text.len - 1] == '~';
	return text;
}

void
mail_imap_id_part(struct mail_dialogue *d, struct span args)
{
	const struct mail_reader *client = mail_client(d);

	d->id_open = mail_line_has_literal(client) && !client->cut;
	if (!d->id_open) {
		id_read(d, args);
		return;
	}
	mail_keep(d, before_literal(args));
	mail_keep_more(d, span_from_text(client->literal_left > 0 ? "\"" : "\"\""));
}

void
mail_imap_id_literal(struct mail_dialogue *d, struct span bytes, bool ends)
{
	for (size_t i = 0; i < bytes.len && !mail_client(d)->cut; i++) {
		uint8_t c = bytes.data[i];

		if (c == '"' || c == '\\')
			mail_keep_more(d, span_from_text("\\"));
		if (c != '\0')
			mail_keep_more(d, span_from(&c, 1));
	}
	if (ends)
		mail_keep_more(d, span_from_text("\""));
}
