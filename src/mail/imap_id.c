/*
 * Source: RFC 2971, section 3.1: ID ("name" "value" "name" "value" ...), or ID NIL.
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
		/* RFC 2971, section 3.3: NIL is no value; a literal's is not on this line. */
		if (mail_word_is(span_from(text->data, text->len), "NIL") || text->data[0] == '{')
			text->len = 0;
	}
	s->data += i;
	s->len -= i;
	return true;
}

void
mail_imap_id_read(struct mail_dialogue *d, struct span args)
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
