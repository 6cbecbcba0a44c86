#include "mail/mail_internal.h"

#include "base/banned.h"

/* Mechanisms whose response holds the password, or a token that is as good as one. */
static const struct mechanism {
	const char *name; /* upper case */
	enum mail_auth auth;
	enum mail_mechanism mechanism;
} mechanisms[] = {
	{ "PLAIN", MAIL_AUTH_CLEAR, MAIL_MECHANISM_PLAIN },
	{ "LOGIN", MAIL_AUTH_CLEAR, MAIL_MECHANISM_LOGIN },
	{ "XOAUTH2", MAIL_AUTH_CLEAR, MAIL_MECHANISM_XOAUTH2 },
	{ "OAUTHBEARER", MAIL_AUTH_CLEAR, MAIL_MECHANISM_OTHER },
	{ "CRAM-MD5", MAIL_AUTH_HIDDEN, MAIL_MECHANISM_CRAM_MD5 },
};

static struct mechanism
find_mechanism(struct span name)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (mail_word_is(name, mechanisms[i].name))
			return mechanisms[i];
	}
	return (struct mechanism){ NULL, MAIL_AUTH_HIDDEN, MAIL_MECHANISM_OTHER };
}

/*
 * Whose name a response of the exchange holds: in all mechanisms that are known here it is the
 * first response that names somebody.
 */
static uint32_t
name_in_response(struct mail_dialogue *d, struct span response)
{
	if (d->auth_named)
		return MAIL_LOGIN_NAMELESS;
	d->auth_named = true;
	return mail_login_name_in(d, (enum mail_mechanism)d->mechanism, response);
}

void
mail_auth_begin(struct mail_dialogue *d, struct span args)
{
	struct span name, response;
	struct mechanism mechanism;

	d->auth = MAIL_AUTH_NONE;
	d->auth_named = false;
	if (!mail_read_word(&args, &name))
		return;
	mechanism = find_mechanism(name);
	d->auth = (uint8_t)mechanism.auth;
	d->mechanism = (uint8_t)mechanism.mechanism;
	/* RFC 4954, section 4: "=" stands for an initial response of no bytes. */
	if (!mail_read_word(&args, &response) || mail_word_is(response, "=") ||
	    mail_word_is(response, "*"))
		return;
	if (d->auth == MAIL_AUTH_CLEAR)
		mail_note_credentials(d);
	d->login_name = name_in_response(d, response);
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
mail_auth_is_name(const struct mail_dialogue *d, struct span line)
{
	return d->auth != MAIL_AUTH_NONE && mail_login_is_text(mail_trim(line));
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
		if (mail_word_is(line, "="))
			return true;
		if (d->auth == MAIL_AUTH_CLEAR)
			mail_note_credentials(d);
		mail_login_sent(d, name_in_response(d, line));
		return true;
	}
	d->auth = MAIL_AUTH_NONE;
	/* RFC 4954, section 4; RFC 9051, section 6.2.2: a single "*" cancels. */
	return mail_word_is(line, "*");
}
