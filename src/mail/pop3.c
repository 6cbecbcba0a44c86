/*
 * Source: RFC 1939 (POP3), 2449 (CAPA), 5034 (AUTH), 2595 (STLS), 6856 (UTF8, LANG).
 */
#include "mail/mail_internal.h"

#include "base/banned.h"

static const struct mail_verb verbs[] = {
	{ "USER", MAIL_COMMAND_USER },
	{ "PASS", MAIL_COMMAND_PASS },
	{ "APOP", MAIL_COMMAND_LOGIN },
	{ "AUTH", MAIL_COMMAND_AUTH },
	{ "CAPA", MAIL_COMMAND_OTHER },
	{ "STLS", MAIL_COMMAND_STARTTLS },
	{ "QUIT", MAIL_COMMAND_QUIT },
	{ "STAT", MAIL_COMMAND_OTHER },
	{ "LIST", MAIL_COMMAND_OTHER },
	{ "RETR", MAIL_COMMAND_OTHER },
	{ "DELE", MAIL_COMMAND_OTHER },
	{ "NOOP", MAIL_COMMAND_OTHER },
	{ "RSET", MAIL_COMMAND_OTHER },
	{ "LAST", MAIL_COMMAND_OTHER },
	{ "TOP", MAIL_COMMAND_OTHER },
	{ "UIDL", MAIL_COMMAND_OTHER },
	{ "UTF8", MAIL_COMMAND_OTHER },
	{ "LANG", MAIL_COMMAND_OTHER },
	{ "XTND", MAIL_COMMAND_OTHER },
	{ "XSENDER", MAIL_COMMAND_OTHER },
	{ "RPOP", MAIL_COMMAND_OTHER },
	{ "IMPLEMENTATION", MAIL_COMMAND_OTHER },
	{ "", MAIL_COMMAND_OTHER },
};

static void
known_command(struct mail_dialogue *d, enum mail_command command, struct span args)
{
	struct span word;

	switch (command) {
	case MAIL_COMMAND_QUIT:
		d->facts.quit = true;
		break;
	case MAIL_COMMAND_USER:
		d->user_name = mail_login_name(d, mail_trim(args));
		command = MAIL_COMMAND_OTHER;
		break;
	case MAIL_COMMAND_STARTTLS:
		d->facts.starttls_asked = true;
		d->starttls_due = d->starttls_last = true;
		break;
	case MAIL_COMMAND_PASS:
		if (args.len > 0) {
			mail_note_credentials(d);
			d->login_name =
			    d->user_name > MAIL_LOGIN_NAMELESS ? d->user_name : MAIL_LOGIN_NAMELESS;
		}
		d->user_name = MAIL_LOGIN_NOTHING_SENT;
		command = MAIL_COMMAND_LOGIN;
		break;
	case MAIL_COMMAND_LOGIN: /* RFC 1939, section 7: APOP, the name and a digest */
		if (mail_read_word(&args, &word))
			d->login_name = mail_login_name(d, word);
		break;
	case MAIL_COMMAND_AUTH:
		mail_auth_begin(d, args);
		/* RFC 1734's forerunners: AUTH alone lists the mechanisms. */
		command = args.len > 0 ? MAIL_COMMAND_LOGIN : MAIL_COMMAND_OTHER;
		break;
	case MAIL_COMMAND_OTHER:
	case MAIL_COMMAND_UNKNOWN:
	case MAIL_COMMAND_DATA:
	case MAIL_COMMAND_XCLIENT:
	case MAIL_COMMAND_MAIL:
	case MAIL_COMMAND_COMPRESS:
	case MAIL_COMMAND_EHLO:
	case MAIL_COMMAND_BDAT:
	case MAIL_COMMAND_ID:
		break;
	}
	mail_pair_next(d, command);
}

void
mail_pop3_client_line(struct mail_dialogue *d, struct span line)
{
	const struct mail_verb *verb;
	struct span rest = line, word;

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
	known_command(d, verb->command, rest);
}

/*
 * The server speaks first, so the first +OK is its greeting, unless the capture began behind it.
 * Where a command was seen that it may answer, only its words tell.
 */
static bool
is_greeting(const struct mail_dialogue *d, struct span text)
{
	static const char *const words[] = { "READY", "<", "HELLO", "WELCOME", "SERVER", "SERVICE",
		NULL };

	return !mail_pair_has_command(d) || mail_contains_any(text, words);
}

/*
 * Where no command was seen, a status tells of one, except the answer to QUIT, what a server says
 * when it has waited long enough, and what it says to noise.  Only the words tell these apart.
 */
static bool
implies_command(bool ok, struct span text)
{
	static const char *const goodbyes[] = { "BYE", "LOGGING OUT", "SIGNING OFF", "CLOSING",
		NULL };
	static const char *const complaints[] = { "INACTIVITY", "DISCONNECT", "TIMEOUT",
		"TIMED OUT", "TOO MANY", "SHUT", "UNKNOWN", "INVALID", "UNRECOGNI", NULL };

	return !mail_contains_any(text, ok ? goodbyes : complaints);
}

static void
status_line(struct mail_dialogue *d, bool ok, struct span text)
{
	mail_server(d)->lost = false;
	d->server_ok = ok;
	d->server_greets = false;
	if (!d->server_spoke) {
		d->server_spoke = true;
		if (ok && is_greeting(d, text)) {
			d->facts.greeting = d->server_greets = true;
			return;
		}
		if (!ok && !mail_pair_has_command(d))
			return;
		d->lockstep = true;
	}
	/* Seen without its command. */
	if (ok && !mail_pair_has_command(d) && mail_grants_tls(text))
		d->facts.starttls_granted = true;
	mail_pair_reply(d, 0, ok ? MAIL_REPLY_OK : MAIL_REPLY_NO, implies_command(ok, text));
	d->server_plus = false;
}

void
mail_pop3_server_line(struct mail_dialogue *d, struct span line)
{
	struct mail_reader *server = mail_server(d);
	struct span text = line, word;

	(void)mail_read_word(&text, &word);
	if (mail_word_is(word, "+OK") || mail_word_is(word, "-ERR")) {
		status_line(d, word.data[0] == '+', text);
		return;
	}
	/* RFC 5034, section 4: "+ " asks for more. */
	if (mail_word_is(word, "+")) {
		d->server_plus = true;
		return;
	}
	/*
	 * The end of a response of no lines; or more of a greeting, which RFC 1939, section 4, has
	 * end with its line.
	 */
	if (mail_word_is(line, ".") || line.len == 0 || d->server_greets)
		return;
	/*
	 * RFC 1939, section 3: lines behind +OK go on up to a dot.  Which command it answers need
	 * not be known: no such response begins with a status.  The first line behind a gap may be
	 * the half of one.
	 */
	if (d->server_ok)
		mail_begin_dots(server);
	else if (server->lost)
		d->server_ok = true;
	else
		mail_note_garbage(d, MAIL_SERVER);
}

bool
mail_pop3_recognises(enum mail_side side, struct span line)
{
	static const struct mail_verb own[] = {
		{ "USER", MAIL_COMMAND_OTHER },
		{ "PASS", MAIL_COMMAND_PASS },
		{ "APOP", MAIL_COMMAND_LOGIN },
		{ "CAPA", MAIL_COMMAND_OTHER },
		{ "STLS", MAIL_COMMAND_STARTTLS },
		{ "UIDL", MAIL_COMMAND_OTHER },
		{ "RETR", MAIL_COMMAND_OTHER },
		{ "", MAIL_COMMAND_OTHER },
	};
	struct span word;

	if (side == MAIL_CLIENT)
		return mail_starts_with_verb(line, own);
	(void)mail_read_word(&line, &word);
	return mail_word_is(word, "+OK") || mail_word_is(word, "-ERR");
}

bool
mail_pop3_has(enum mail_side side, struct span line)
{
	return side == MAIL_CLIENT ? mail_starts_with_verb(line, verbs)
				   : mail_pop3_recognises(side, line);
}
