/*
 * Source: RFC 5321 (SMTP), 4954 (AUTH), 3030 (CHUNKING), 2920 (PIPELINING), 3207 (STARTTLS), 2033
 *         (LMTP), 4217 (FTP over TLS, whose replies look the same).
 */
#include "mail/mail_internal.h"

#include "base/banned.h"

static const struct mail_verb verbs[] = {
	{ "EHLO", MAIL_COMMAND_EHLO },
	{ "HELO", MAIL_COMMAND_EHLO },
	{ "LHLO", MAIL_COMMAND_EHLO },
	{ "MAIL", MAIL_COMMAND_MAIL },
	{ "RCPT", MAIL_COMMAND_OTHER },
	{ "DATA", MAIL_COMMAND_DATA },
	{ "BDAT", MAIL_COMMAND_BDAT },
	{ "RSET", MAIL_COMMAND_OTHER },
	{ "NOOP", MAIL_COMMAND_OTHER },
	{ "QUIT", MAIL_COMMAND_QUIT },
	{ "STARTTLS", MAIL_COMMAND_STARTTLS },
	{ "AUTH", MAIL_COMMAND_AUTH },
	{ "VRFY", MAIL_COMMAND_OTHER },
	{ "EXPN", MAIL_COMMAND_OTHER },
	{ "HELP", MAIL_COMMAND_OTHER },
	{ "XCLIENT", MAIL_COMMAND_XCLIENT },
	{ "XFORWARD", MAIL_COMMAND_OTHER },
	{ "ETRN", MAIL_COMMAND_OTHER },
	{ "ATRN", MAIL_COMMAND_OTHER },
	{ "TURN", MAIL_COMMAND_OTHER },
	{ "BURL", MAIL_COMMAND_OTHER },
	{ "SEND", MAIL_COMMAND_OTHER },
	{ "SOML", MAIL_COMMAND_OTHER },
	{ "SAML", MAIL_COMMAND_OTHER },
	{ "", MAIL_COMMAND_OTHER },
};

void
mail_smtp_message_end(struct mail_dialogue *d)
{
	mail_pair_next(d, MAIL_COMMAND_OTHER);
}

void
mail_smtp_data_answered(struct mail_dialogue *d, bool go)
{
	struct mail_reader *client = mail_client(d);

	/* The answer to an earlier DATA, whose message is over. */
	if (mail_pair_waits(d, MAIL_COMMAND_DATA))
		return;
	if (d->data != MAIL_DATA_NONE) {
		d->data = go ? MAIL_DATA_GO : MAIL_DATA_NONE;
	} else if (!go && client->mode == MAIL_MODE_DOT) {
		/* What was taken for a message was none; its last line may be half read. */
		client->mode = MAIL_MODE_LINE;
		client->lost = true;
	}
}

/*
 * Where the answer to DATA is not known, only the client's next line tells whether a message comes:
 * a message begins with a header field, a client that was refused gives up or starts again.
 */
static bool
gives_up_message(struct span line)
{
	struct span rest = line, word;

	return mail_starts_with(line, "MAIL FROM:") || mail_starts_with(line, "RCPT TO:") ||
	       mail_starts_with(line, "EHLO ") || mail_starts_with(line, "HELO ") ||
	       mail_starts_with(line, "AUTH ") ||
	       (mail_read_word(&rest, &word) && rest.len == 0 &&
		   (mail_word_is(word, "RSET") || mail_word_is(word, "QUIT") ||
		       mail_word_is(word, "NOOP") || mail_word_is(word, "DATA") ||
		       mail_word_is(word, "STARTTLS")));
}

/* Returns true when the line is the first of a message. */
static bool
is_message(struct mail_dialogue *d, struct span line)
{
	struct mail_reader *client = mail_client(d);
	bool asked = d->data == MAIL_DATA_ASKED;

	d->data = MAIL_DATA_NONE;
	if (asked && gives_up_message(line))
		return false;
	if (mail_word_is(line, "."))
		mail_smtp_message_end(d);
	else
		mail_begin_dots(client);
	return true;
}

static void
auth_command(struct mail_dialogue *d, struct span args)
{
	struct span rest = args, mechanism;

	(void)mail_read_word(&rest, &mechanism);
	/* RFC 4217, section 4: FTP's way to ask for TLS. */
	if (mail_word_is(mechanism, "TLS") || mail_word_is(mechanism, "SSL")) {
		d->facts.starttls_asked = true;
		d->starttls_due = d->starttls_last = true;
		mail_pair_next(d, MAIL_COMMAND_STARTTLS);
		return;
	}
	mail_auth_begin(d, args);
	mail_pair_next(d, mechanism.len > 0 ? MAIL_COMMAND_LOGIN : MAIL_COMMAND_OTHER);
}

static void
bdat_command(struct mail_dialogue *d, struct span args)
{
	struct span word;
	uint64_t len;

	mail_pair_next(d, MAIL_COMMAND_OTHER);
	/* RFC 3030, section 2: the chunk follows at once, whatever the answer will be. */
	(void)mail_read_word(&args, &word);
	if (mail_number_from_text(word, &len))
		mail_begin_bytes(mail_client(d), len);
}

static void
known_command(struct mail_dialogue *d, const struct mail_verb *verb, struct span args)
{
	switch (verb->command) {
	case MAIL_COMMAND_QUIT:
		d->facts.quit = true;
		break;
	case MAIL_COMMAND_STARTTLS:
		d->facts.starttls_asked = true;
		d->starttls_due = d->starttls_last = true;
		break;
	case MAIL_COMMAND_EHLO:
		mail_set_client_name(d, MAIL_NAME_EHLO, args, span_from_text(""));
		/* RFC 2033, section 4.2: LMTP answers a message once per recipient. */
		if (verb->name[0] == 'L')
			d->lockstep = true;
		break;
	case MAIL_COMMAND_MAIL:
		d->has_mail = true;
		break;
	case MAIL_COMMAND_DATA:
		d->data = MAIL_DATA_ASKED;
		d->has_mail = true;
		break;
	case MAIL_COMMAND_AUTH:
		auth_command(d, args);
		return;
	case MAIL_COMMAND_BDAT:
		bdat_command(d, args);
		return;
	case MAIL_COMMAND_OTHER:
	case MAIL_COMMAND_UNKNOWN:
	case MAIL_COMMAND_LOGIN:
	case MAIL_COMMAND_XCLIENT:
	case MAIL_COMMAND_COMPRESS:
	case MAIL_COMMAND_PASS:
	case MAIL_COMMAND_ID:
	case MAIL_COMMAND_USER:
		break;
	}
	mail_pair_next(d, verb->command);
}

void
mail_smtp_client_line(struct mail_dialogue *d, struct span line)
{
	const struct mail_verb *verb;
	struct span rest = line, word;

	d->go_ahead = false;
	if (d->data != MAIL_DATA_NONE && is_message(d, line))
		return;
	(void)mail_read_word(&rest, &word);
	verb = mail_find_verb(verbs, word);
	if (verb == NULL || mail_auth_is_name(d, line)) {
		if (mail_auth_response(d, line))
			return;
		mail_pair_next(d, MAIL_COMMAND_UNKNOWN);
		if (line.len > 0)
			mail_note_garbage(d, MAIL_CLIENT);
		return;
	}
	d->auth = MAIL_AUTH_NONE;
	mail_client(d)->lost = false;
	if (verb->command != MAIL_COMMAND_QUIT)
		mail_note_command(d);
	known_command(d, verb, rest);
}

/* RFC 5321, section 4.2: three digits, then a blank, a hyphen (more lines follow), or nothing. */
static bool
read_code(struct span line, unsigned *code, bool *last)
{
	if (line.len < 3 || line.data[0] < '1' || line.data[0] > '5')
		return false;
	*code = 0;
	for (size_t i = 0; i < 3; i++) {
		if (line.data[i] < '0' || line.data[i] > '9')
			return false;
		*code = *code * 10 + (unsigned)(line.data[i] - '0');
	}
	*last = line.len == 3 || line.data[3] != '-';
	return line.len == 3 || line.data[3] == ' ' || line.data[3] == '\t' || line.data[3] == '-';
}

/* RFC 3463, section 2: an enhanced status code of the reply's own class. */
static bool
has_enhanced_code(struct span line)
{
	const uint8_t *c = line.data;

	return line.len >= sizeof("220 2.0.0") - 1 && c[4] == c[0] && c[5] == '.' && c[6] >= '0' &&
	       c[6] <= '9' && (c[7] == '.' || c[8] == '.');
}

/*
 * What tells a greeting from the grant of STARTTLS, where no command does: RFC 2034, section 4, has
 * no enhanced code in a greeting.  Exchange's grant is "220 2.0.0 SMTP server ready".
 */
static bool
looks_like_greeting(struct span line)
{
	return mail_contains(line, "SMTP") && !has_enhanced_code(line);
}

/* The first reply: a greeting, unless the capture began behind it. */
static bool
first_reply(struct mail_dialogue *d, unsigned code, struct span line)
{
	d->server_spoke = true;
	if (code == 220) {
		/* Or a hole took the greeting, and the answers to all that was asked. */
		bool late = d->holed && d->command_seen > 0 && d->pending_count == 0;

		d->lockstep = d->lockstep || late;
		if ((late || mail_pair_first_is(d, MAIL_COMMAND_STARTTLS)) &&
		    !looks_like_greeting(line))
			return false;
		d->facts.greeting = true;
		return true;
	}
	/* RFC 3977, section 5.1: NNTP's greetings, and no reply of SMTP. */
	if (code == 200 || code == 201) {
		d->facts.greeting = true;
		return true;
	}
	/* RFC 5321, section 3.1: 554 may stand in for the greeting. */
	if (code >= 400 && !mail_pair_has_command(d))
		return true;
	d->lockstep = true;
	return false;
}

static void
ready_reply(struct mail_dialogue *d, unsigned code, struct span line)
{
	/* Or a greeting goes on, without the hyphen that belongs there. */
	bool answers = code != 220 || mail_pair_has_command(d) || d->facts.command_count > 0;

	/* Seen without its command; a second greeting answers XCLIENT. */
	if (answers && !mail_pair_has_command(d) && !looks_like_greeting(line))
		d->facts.starttls_granted = true;
	mail_pair_reply(d, 0, MAIL_REPLY_READY, answers);
}

/* The capture has 354, not the DATA before it. */
static void
go_reply(struct mail_dialogue *d)
{
	struct mail_reader *client = mail_client(d);

	d->go_ahead = !mail_pair_waits(d, MAIL_COMMAND_DATA) && d->data == MAIL_DATA_NONE &&
		      client->mode == MAIL_MODE_LINE;
	if (d->go_ahead && (d->lockstep || d->holed) && client->len == 0) {
		mail_begin_dots(client);
		client->lost = true;
	}
	mail_pair_reply(d, 0, MAIL_REPLY_GO, true);
}

static void
final_reply(struct mail_dialogue *d, unsigned code)
{
	struct mail_reader *client = mail_client(d);

	/* Behind a gap the message's dot may be lost: the server knows that it is over. */
	if (client->mode == MAIL_MODE_DOT && client->lost && !mail_pair_has_command(d))
		client->mode = MAIL_MODE_LINE;
	/* RFC 3977, section 5.4: NNTP's answer to QUIT. */
	if (code == 221 || code == 205) {
		mail_pair_reply(d, 0, MAIL_REPLY_BYE, false);
	} else if (code == 235) {
		d->facts.logged_in = true;
		mail_pair_reply(d, 0, MAIL_REPLY_AUTHED, true);
	} else if (code < 300) {
		mail_pair_reply(d, 0, MAIL_REPLY_DONE, true);
	} else {
		/* 421 comes unasked, 500 and 502 answer what is no command. */
		mail_pair_reply(d, 0, MAIL_REPLY_NO, code != 421 && code != 500 && code != 502);
	}
}

void
mail_smtp_server_line(struct mail_dialogue *d, struct span line)
{
	unsigned code;
	bool last;

	if (!read_code(line, &code, &last)) {
		if (line.len > 0)
			mail_note_garbage(d, MAIL_SERVER);
		return;
	}
	mail_server(d)->lost = false;
	if (!last || (!d->server_spoke && first_reply(d, code, line)))
		return;
	/* RFC 4217, section 4, and RFC 4642, section 2.2.2: so FTP and NNTP grant TLS. */
	if (code == 220 || code == 234 || code == 382) {
		ready_reply(d, code, line);
	} else if (code == 354) {
		go_reply(d);
	} else if (code >= 300 && code < 400) {
		/* RFC 4954, section 4: 334 asks for more; AUTH still waits for its answer. */
		d->server_plus = true;
		d->implied = true;
		mail_recount(d);
	} else if (code >= 200) {
		final_reply(d, code);
		d->server_plus = false;
	}
}

/*
 * FTP (RFC 4217) and NNTP (RFC 4642) have replies of three digits as well; STARTTLS is also a
 * command of NNTP and ManageSieve (RFC 5804).
 */
bool
mail_smtp_is_certain(enum mail_side side, struct span line)
{
	static const struct mail_verb own[] = {
		{ "EHLO", MAIL_COMMAND_EHLO },
		{ "HELO", MAIL_COMMAND_EHLO },
		{ "LHLO", MAIL_COMMAND_EHLO },
		{ "RCPT", MAIL_COMMAND_OTHER },
		{ "BDAT", MAIL_COMMAND_BDAT },
		{ "", MAIL_COMMAND_OTHER },
	};

	if (side == MAIL_SERVER)
		return mail_contains(line, "SMTP") || mail_contains(line, "LMTP") ||
		       has_enhanced_code(line);
	return mail_starts_with(line, "MAIL FROM:") || mail_starts_with_verb(line, own);
}

bool
mail_smtp_recognises(enum mail_side side, struct span line)
{
	struct span word;
	unsigned code;
	bool last;

	if (side == MAIL_SERVER)
		return read_code(line, &code, &last);
	if (mail_smtp_is_certain(side, line))
		return true;
	(void)mail_read_word(&line, &word);
	return mail_word_is(word, "STARTTLS");
}

bool
mail_smtp_has(enum mail_side side, struct span line)
{
	return side == MAIL_CLIENT ? mail_starts_with_verb(line, verbs)
				   : mail_smtp_recognises(side, line);
}
