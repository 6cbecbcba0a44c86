/*
 * Source: RFC 9051 and 3501 (IMAP), 7888 (LITERAL+), 3516 (literal8), 4959 (SASL-IR), 4978
 *         (COMPRESS), 2971 (ID).
 */
#include "mail/mail_internal.h"

#include <string.h>

#include "base/banned.h"

/* Longer tags than this are nobody's, and would not fit the server's window. */
#define TAG_LEN_MAX 40

static const struct mail_verb verbs[] = {
	{ "CAPABILITY", MAIL_COMMAND_OTHER },
	{ "NOOP", MAIL_COMMAND_OTHER },
	{ "LOGOUT", MAIL_COMMAND_QUIT },
	{ "STARTTLS", MAIL_COMMAND_STARTTLS },
	{ "AUTHENTICATE", MAIL_COMMAND_AUTH },
	{ "LOGIN", MAIL_COMMAND_LOGIN },
	{ "ID", MAIL_COMMAND_ID },
	{ "COMPRESS", MAIL_COMMAND_COMPRESS },
	{ "ENABLE", MAIL_COMMAND_OTHER },
	{ "SELECT", MAIL_COMMAND_OTHER },
	{ "EXAMINE", MAIL_COMMAND_OTHER },
	{ "CREATE", MAIL_COMMAND_OTHER },
	{ "DELETE", MAIL_COMMAND_OTHER },
	{ "RENAME", MAIL_COMMAND_OTHER },
	{ "SUBSCRIBE", MAIL_COMMAND_OTHER },
	{ "UNSUBSCRIBE", MAIL_COMMAND_OTHER },
	{ "LIST", MAIL_COMMAND_OTHER },
	{ "LSUB", MAIL_COMMAND_OTHER },
	{ "XLIST", MAIL_COMMAND_OTHER },
	{ "NAMESPACE", MAIL_COMMAND_OTHER },
	{ "STATUS", MAIL_COMMAND_OTHER },
	{ "APPEND", MAIL_COMMAND_OTHER },
	{ "REPLACE", MAIL_COMMAND_OTHER },
	{ "IDLE", MAIL_COMMAND_OTHER },
	{ "CHECK", MAIL_COMMAND_OTHER },
	{ "CLOSE", MAIL_COMMAND_OTHER },
	{ "UNSELECT", MAIL_COMMAND_OTHER },
	{ "EXPUNGE", MAIL_COMMAND_OTHER },
	{ "SEARCH", MAIL_COMMAND_OTHER },
	{ "ESEARCH", MAIL_COMMAND_OTHER },
	{ "SORT", MAIL_COMMAND_OTHER },
	{ "THREAD", MAIL_COMMAND_OTHER },
	{ "FETCH", MAIL_COMMAND_OTHER },
	{ "STORE", MAIL_COMMAND_OTHER },
	{ "COPY", MAIL_COMMAND_OTHER },
	{ "MOVE", MAIL_COMMAND_OTHER },
	{ "UID", MAIL_COMMAND_OTHER },
	{ "NOTIFY", MAIL_COMMAND_OTHER },
	{ "GETQUOTA", MAIL_COMMAND_OTHER },
	{ "GETQUOTAROOT", MAIL_COMMAND_OTHER },
	{ "SETQUOTA", MAIL_COMMAND_OTHER },
	{ "GETACL", MAIL_COMMAND_OTHER },
	{ "SETACL", MAIL_COMMAND_OTHER },
	{ "DELETEACL", MAIL_COMMAND_OTHER },
	{ "LISTRIGHTS", MAIL_COMMAND_OTHER },
	{ "MYRIGHTS", MAIL_COMMAND_OTHER },
	{ "GETMETADATA", MAIL_COMMAND_OTHER },
	{ "SETMETADATA", MAIL_COMMAND_OTHER },
	{ "GENURLAUTH", MAIL_COMMAND_OTHER },
	{ "RESETKEY", MAIL_COMMAND_OTHER },
	{ "URLFETCH", MAIL_COMMAND_OTHER },
	{ "LANGUAGE", MAIL_COMMAND_OTHER },
	{ "UNAUTHENTICATE", MAIL_COMMAND_OTHER },
	{ "", MAIL_COMMAND_OTHER },
};

/* RFC 9051, section 9: the characters of a tag. */
static bool
is_tag(struct span word)
{
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.data[i];

		if (c <= 0x20 || c >= 0x7f || strchr("(){%*\"\\+", c) != NULL)
			return false;
	}
	return word.len > 0;
}

/* FNV-1a, never 0.  Who makes two tags of one session collide confuses nobody but that session. */
static uint32_t
tag_key(struct span tag)
{
	uint32_t hash = 2166136261U;

	if (tag.len > TAG_LEN_MAX)
		return 1;
	for (size_t i = 0; i < tag.len; i++)
		hash = (hash ^ tag.data[i]) * 16777619U;
	return hash != 0 ? hash : 1;
}

/*
 * The first of LOGIN's arguments: a quoted string without its quotes (an escape in it counts as two
 * characters), or an atom.  *more: a blank and something else follows.
 */
static struct span
first_argument(struct span args, bool *more)
{
	bool quoted = args.len > 0 && args.data[0] == '"';
	size_t i = quoted ? 1 : 0, end;
	size_t begin = i;

	while (i < args.len && args.data[i] != (quoted ? '"' : ' ')) {
		if (quoted && args.data[i] == '\\')
			i++;
		i++;
	}
	end = i < args.len ? i : args.len;
	i += quoted;
	*more = i + 1 < args.len && args.data[i] == ' ';
	return span_from(args.data + begin, end - begin);
}

static void
login_command(struct mail_dialogue *d, struct span args)
{
	const struct mail_reader *client = mail_client(d);
	bool more;
	struct span user = first_argument(args, &more);

	if (mail_line_has_literal(client))
		d->login_literal = true; /* true once the literal comes */
	else if (client->cut || more)
		mail_note_credentials(d);
	/* The name itself may be the literal that follows; then it stays unknown. */
	if (more)
		d->login_name = mail_login_name(d, user);
	else if (client->cut)
		d->login_name = MAIL_LOGIN_NAMELESS;
}

/* Makes ready for the literal that ends the line, or for the next command. */
static void
end_of_part(struct mail_dialogue *d, bool refused)
{
	struct mail_reader *client = mail_client(d);

	client->in_command = mail_line_has_literal(client) && !refused;
	if (client->in_command) {
		d->literal_refusable = mail_literal_is_synchronizing(client);
		mail_begin_bytes(client, client->literal_left);
	} else {
		d->literal_refusable = false;
		d->login_literal = false;
		if (d->id_open)
			mail_forget(d);
	}
}

void
mail_imap_command_refused(struct mail_dialogue *d, uint32_t key)
{
	struct mail_reader *client = mail_client(d);

	/* RFC 9051, section 4.3: no "+", no literal. */
	if (!client->in_command || !d->literal_refusable || d->command_key != key)
		return;
	client->in_command = false;
	client->mode = MAIL_MODE_LINE;
	client->lost = true;
	d->literal_refusable = false;
	d->login_literal = false;
	if (d->id_open)
		mail_forget(d);
}

static void
known_command(struct mail_dialogue *d, enum mail_command command, uint32_t key, struct span args)
{
	enum mail_reply reply = MAIL_REPLY_OK;
	bool plus = true, before, sync;

	d->auth = MAIL_AUTH_NONE;
	d->login_literal = false;
	mail_client(d)->lost = false;
	if (command != MAIL_COMMAND_QUIT)
		mail_note_command(d);
	if (command == MAIL_COMMAND_QUIT) {
		d->facts.quit = true;
	} else if (command == MAIL_COMMAND_STARTTLS) {
		d->facts.starttls_asked = true;
		d->starttls_due = d->starttls_last = true;
	} else if (command == MAIL_COMMAND_LOGIN) {
		login_command(d, args);
	} else if (command == MAIL_COMMAND_AUTH) {
		mail_auth_begin(d, args);
		command = MAIL_COMMAND_LOGIN;
	} else if (command == MAIL_COMMAND_ID) {
		mail_imap_id_part(d, args);
	}
	before = mail_pair_command(d, key, command, &reply, &plus);
	sync = mail_literal_is_synchronizing(mail_client(d));
	end_of_part(d, before && reply == MAIL_REPLY_NO && !plus && sync);
}

void
mail_imap_client_line(struct mail_dialogue *d, struct span line)
{
	const struct mail_verb *verb;
	struct span rest = line, tag, name;
	bool tagged;

	if (mail_client(d)->in_command) {
		if (d->login_literal && line.len > 0) {
			mail_note_credentials(d);
			mail_login_sent(d, MAIL_LOGIN_NAMELESS);
		}
		if (d->id_open)
			mail_imap_id_part(d, line);
		end_of_part(d, false);
		return;
	}
	tagged = mail_read_word(&rest, &tag) && mail_read_word(&rest, &name) && is_tag(tag);
	verb = tagged ? mail_find_verb(verbs, name) : NULL;
	if (verb != NULL) {
		d->command_key = tag_key(tag);
		known_command(d, verb->command, d->command_key, rest);
		return;
	}
	/* RFC 2177: DONE ends IDLE. */
	if (mail_auth_response(d, line) || line.len == 0 || mail_word_is(line, "DONE"))
		return;
	mail_note_garbage(d, MAIL_CLIENT);
	/* An extension's command has literals like any other. */
	if (tagged) {
		d->command_key = tag_key(tag);
		end_of_part(d, false);
	}
}

static void
status_untagged(struct mail_dialogue *d, struct span word)
{
	if (mail_word_is(word, "OK")) {
		d->facts.greeting = true;
	} else if (mail_word_is(word, "PREAUTH")) {
		d->facts.greeting = true;
		d->facts.logged_in = true;
	} else if (mail_word_is(word, "BYE")) {
		d->bye = true;
	}
}

static bool
is_status(struct span word)
{
	return mail_word_is(word, "OK") || mail_word_is(word, "NO") || mail_word_is(word, "BAD") ||
	       mail_word_is(word, "PREAUTH") || mail_word_is(word, "BYE");
}

/* A response may hold literals; the text of a status only looks as if. */
static void
server_literal(struct mail_reader *server)
{
	server->in_command = mail_line_has_literal(server);
	if (server->in_command)
		mail_begin_bytes(server, server->literal_left);
}

static void
tagged_reply(struct mail_dialogue *d, struct span tag, struct span word, struct span text)
{
	bool ok = mail_word_is(word, "OK");
	uint32_t key = tag_key(tag);
	/* BAD may answer what is no command, and behind BYE it is LOGOUT that is answered. */
	bool implies = !mail_word_is(word, "BAD") && !d->bye;

	/* Seen without its command. */
	if (ok && !mail_pair_has_tag(d, key) && mail_grants_tls(text))
		d->facts.starttls_granted = true;
	mail_pair_reply(d, key, ok ? MAIL_REPLY_OK : MAIL_REPLY_NO, implies);
	d->server_plus = false;
}

static bool
is_tagged_reply(struct span tag, struct span word)
{
	return is_tag(tag) &&
	       (mail_word_is(word, "OK") || mail_word_is(word, "NO") || mail_word_is(word, "BAD"));
}

void
mail_imap_server_line(struct mail_dialogue *d, struct span line)
{
	struct mail_reader *server = mail_server(d);
	struct span rest = line, tag, word;

	if (server->in_command) {
		server_literal(server);
		return;
	}
	if (!mail_read_word(&rest, &tag))
		return;
	(void)mail_read_word(&rest, &word);
	if (tag.data[0] == '+') {
		d->server_plus = true;
		d->literal_refusable = false;
	} else if (mail_word_is(tag, "*")) {
		if (is_status(word))
			status_untagged(d, word);
		else
			server_literal(server);
	} else if (is_tagged_reply(tag, word)) {
		tagged_reply(d, tag, word, rest);
	} else {
		mail_note_garbage(d, MAIL_SERVER);
		return;
	}
	server->lost = false;
	d->server_spoke = true;
}

bool
mail_imap_recognises(enum mail_side side, struct span line)
{
	struct span tag, word;

	if (!mail_read_word(&line, &tag) || !mail_read_word(&line, &word))
		return false;
	if (side == MAIL_CLIENT)
		return is_tag(tag) && mail_find_verb(verbs, word) != NULL;
	return (mail_word_is(tag, "*") && is_status(word)) || is_tagged_reply(tag, word);
}
