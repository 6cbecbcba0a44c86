#include "mail/mail_internal.h"

#include "base/banned.h"

/* Mechanisms whose response holds the password, or a token that is as good as one. */
static const struct mail_verb clear_mechanisms[] = {
	{ "PLAIN", MAIL_COMMAND_LOGIN },
	{ "LOGIN", MAIL_COMMAND_LOGIN },
	{ "XOAUTH2", MAIL_COMMAND_LOGIN },
	{ "OAUTHBEARER", MAIL_COMMAND_LOGIN },
	{ NULL, MAIL_COMMAND_OTHER },
};

void
mail_auth_begin(struct mail_dialogue *d, struct span args)
{
	struct span mechanism, response;

	d->auth = MAIL_AUTH_NONE;
	if (!mail_read_word(&args, &mechanism))
		return;
	d->auth = mail_find_verb(clear_mechanisms, mechanism) != NULL ? MAIL_AUTH_CLEAR
								      : MAIL_AUTH_HIDDEN;
	/* RFC 4954, section 4: "=" stands for an initial response of no bytes. */
	if (d->auth == MAIL_AUTH_CLEAR && mail_read_word(&args, &response) &&
	    !mail_word_is(response, "=") && !mail_word_is(response, "*"))
		d->facts.login = true;
}

static bool
is_base64(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '+' || c == '/' || c == '='))
			return false;
	}
	return s.len > 0;
}

bool
mail_auth_response(struct mail_dialogue *d, struct span line)
{
	line = mail_trim(line);
	if (d->auth == MAIL_AUTH_NONE)
		return false;
	/* The exchange may go on: LOGIN has two responses, and an error one more, of no bytes. */
	if (line.len == 0)
		return true;
	if (is_base64(line)) {
		if (d->auth == MAIL_AUTH_CLEAR && !mail_word_is(line, "="))
			d->facts.login = true;
		return true;
	}
	d->auth = MAIL_AUTH_NONE;
	/* RFC 4954, section 4; RFC 9051, section 6.2.2: a single "*" cancels. */
	return mail_word_is(line, "*");
}
