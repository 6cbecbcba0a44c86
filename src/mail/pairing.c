/*
 * Source: RFC 5321, section 4.2 and RFC 2920 (one reply per command, in order); RFC 1939, section
 *         3; RFC 9051, section 2.2.2 (a reply carries the tag of its command).
 *
 * A mirror may show replies before their commands, so either side may wait for the other.  The
 * table is small: a capture that shows one side only fills it, and then nothing is lost that could
 * still be joined.  Where one of the two is missing, what their senders had received tells the
 * other one from what answers something else.
 */
#include "mail/mail_internal.h"

#include <string.h>

#include "base/banned.h"

/* An entry is a command or a reply, with these bits. */
enum {
	ENTRY_REPLY = 0x80,
	ENTRY_IMPLIES = 0x40,
	ENTRY_PLUS = 0x20,
	ENTRY_VALUE = 0x1f,
};

/*
 * RFC 5321, section 4.3.2: what can answer what.  After a lost packet this finds the place again:
 * no 250 answers STARTTLS.
 */
static bool
can_answer(enum mail_command command, enum mail_reply reply)
{
	if (reply == MAIL_REPLY_OK || reply == MAIL_REPLY_NO)
		return true;
	switch (command) {
	case MAIL_COMMAND_STARTTLS:
		return reply == MAIL_REPLY_READY;
	case MAIL_COMMAND_XCLIENT:
		return reply == MAIL_REPLY_READY || reply == MAIL_REPLY_DONE;
	case MAIL_COMMAND_LOGIN:
	case MAIL_COMMAND_AUTH:
	case MAIL_COMMAND_PASS:
		return reply == MAIL_REPLY_AUTHED;
	case MAIL_COMMAND_DATA:
		return reply == MAIL_REPLY_GO;
	case MAIL_COMMAND_QUIT:
		return reply == MAIL_REPLY_BYE;
	case MAIL_COMMAND_UNKNOWN:
		return reply == MAIL_REPLY_DONE || reply == MAIL_REPLY_BYE;
	case MAIL_COMMAND_OTHER:
	case MAIL_COMMAND_MAIL:
	case MAIL_COMMAND_COMPRESS:
	case MAIL_COMMAND_EHLO:
	case MAIL_COMMAND_BDAT:
	case MAIL_COMMAND_ID:
	case MAIL_COMMAND_USER:
		return reply == MAIL_REPLY_DONE;
	}
	return false;
}

static bool
is_reply(uint8_t entry)
{
	return (entry & ENTRY_REPLY) != 0;
}

static enum mail_command
entry_command(uint8_t entry)
{
	return (enum mail_command)(entry & ENTRY_VALUE);
}

static enum mail_reply
entry_reply(uint8_t entry)
{
	return (enum mail_reply)(entry & ENTRY_VALUE);
}

/* Modulo 2^32. */
static bool
is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* The command was sent when the server's line that is being read had been received. */
static bool
is_behind_line(const struct mail_dialogue *d, size_t i)
{
	return is_before(d->line_offset, d->pending_at[i]);
}

bool
mail_pair_has_command(const struct mail_dialogue *d)
{
	return d->pending_count > 0 && !is_reply(d->pending[0]) && !is_behind_line(d, 0);
}

bool
mail_pair_has_tag(const struct mail_dialogue *d, uint32_t key)
{
	for (size_t i = 0; i < d->pending_count; i++) {
		if (!is_reply(d->pending[i]) && d->pending_key[i] == key)
			return true;
	}
	return false;
}

bool
mail_pair_first_is(const struct mail_dialogue *d, enum mail_command command)
{
	return mail_pair_has_command(d) && entry_command(d->pending[0]) == command;
}

bool
mail_pair_implies_command(const struct mail_dialogue *d)
{
	for (size_t i = 0; i < d->pending_count; i++) {
		if ((d->pending[i] & ENTRY_IMPLIES) != 0)
			return true;
	}
	return false;
}

bool
mail_pair_waits(const struct mail_dialogue *d, enum mail_command command)
{
	for (size_t i = 0; i < d->pending_count; i++) {
		if (d->pending[i] == (uint8_t)command)
			return true;
	}
	return false;
}

bool
mail_dialogue_awaits_tls(const struct mail_dialogue *d)
{
	return d->starttls_last && d->starttls_due;
}

bool
mail_dialogue_may_turn_to_tls(const struct mail_dialogue *d)
{
	return d->readers[MAIL_CLIENT].mode == MAIL_MODE_LINE && !d->facts.login &&
	       !d->facts.logged_in && !d->facts.starttls_refused && !d->has_mail && !d->facts.quit;
}

/* RFC 3207, section 4; RFC 2595, sections 3.1 (where a tag has one letter or more) and 4. */
uint32_t
mail_dialogue_request_min(const struct mail_dialogue *d)
{
	switch ((enum protocol)d->protocol) {
	case PROTOCOL_SMTP:
		return sizeof("STARTTLS\r\n") - 1;
	case PROTOCOL_IMAP:
		return sizeof("a STARTTLS\r\n") - 1;
	case PROTOCOL_POP3:
	case PROTOCOL_NONE:
	case PROTOCOL_TLS:
		break;
	}
	return sizeof("STLS\r\n") - 1;
}

static void
remove_entries(struct mail_dialogue *d, size_t first, size_t count)
{
	size_t after = d->pending_count - first - count;

	d->pending_count = (uint8_t)(d->pending_count - count);
	if (after == 0)
		return;
	memmove(d->pending + first, d->pending + first + count, after);
	memmove(d->pending_key + first, d->pending_key + first + count,
	    after * sizeof(d->pending_key[0]));
	memmove(d->pending_name + first, d->pending_name + first + count,
	    after * sizeof(d->pending_name[0]));
	memmove(
	    d->pending_at + first, d->pending_at + first + count, after * sizeof(d->pending_at[0]));
}

void
mail_pair_clear(struct mail_dialogue *d)
{
	if (mail_pair_implies_command(d))
		d->implied = true;
	d->pending_count = 0;
}

/* Tags tell what belongs together, whatever was lost. */
static bool
may_answer_lost(const struct mail_dialogue *d, size_t i, uint32_t end)
{
	return d->pending_key[i] == 0 && !is_reply(d->pending[i]) &&
	       is_before(d->pending_at[i], end);
}

void
mail_pair_lose(struct mail_dialogue *d, uint32_t end)
{
	for (size_t i = d->pending_count; i-- > 0;) {
		if (may_answer_lost(d, i, end))
			remove_entries(d, i, 1);
	}
}

/* Replies that had been received when the client's line was sent: their commands were lost. */
static void
lose_answered(struct mail_dialogue *d)
{
	size_t count = 0;

	while (count < d->pending_count && d->pending_key[count] == 0 &&
	       is_reply(d->pending[count]) && is_before(d->pending_at[count], d->received))
		d->implied |= (d->pending[count++] & ENTRY_IMPLIES) != 0;
	remove_entries(d, 0, count);
}

static void
push(struct mail_dialogue *d, uint32_t key, uint8_t entry)
{
	d->pending_at[d->pending_count] = is_reply(entry) ? d->line_offset : d->received;
	d->pending_key[d->pending_count] = key;
	d->pending[d->pending_count] = entry;
	if (entry == (uint8_t)MAIL_COMMAND_LOGIN)
		d->pending_name[d->pending_count] = d->login_name;
	d->pending_count++;
}

/*
 * Takes entry `i` out.  Where replies have no tags, what waits before it goes too: its other half
 * was not captured.
 */
static void
take(struct mail_dialogue *d, size_t i)
{
	if (d->pending_key[i] != 0) {
		remove_entries(d, i, 1);
		return;
	}
	for (size_t k = 0; k < i; k++)
		d->implied |= (d->pending[k] & ENTRY_IMPLIES) != 0;
	remove_entries(d, 0, i + 1);
}

/* RFC 3207, section 4: behind the grant comes TLS, and no command. */
static void
note_words_behind_grant(struct mail_dialogue *d, enum mail_command command)
{
	if (d->facts.starttls_granted && d->starttls_due && command != MAIL_COMMAND_STARTTLS &&
	    command != MAIL_COMMAND_QUIT && command != MAIL_COMMAND_UNKNOWN)
		d->facts.granted_in_vain = true;
}

/* `late`: the reply came after its command, as it should.  `name`: whose, for a login. */
static void
settle(struct mail_dialogue *d, uint32_t key, enum mail_command command, enum mail_reply reply,
    bool late, uint32_t name)
{
	bool no = reply == MAIL_REPLY_NO;

	note_words_behind_grant(d, command);
	switch (command) {
	case MAIL_COMMAND_STARTTLS:
		d->facts.starttls_granted = !no;
		d->facts.starttls_refused |= no;
		d->starttls_due = !no;
		break;
	case MAIL_COMMAND_LOGIN:
		d->facts.logged_in |= !no;
		mail_login_answered(d, name, !no);
		/*
		 * Refused at once: no response follows.  Otherwise only the client's lines tell
		 * where it is, since the mirror may show the end of the exchange before them.  It
		 * is in a later one where that waits for its answer.
		 */
		if (late && no && !d->server_plus && !mail_pair_waits(d, MAIL_COMMAND_LOGIN))
			d->auth = MAIL_AUTH_NONE;
		break;
	case MAIL_COMMAND_DATA:
		mail_smtp_data_answered(d, !no);
		break;
	case MAIL_COMMAND_COMPRESS:
		if (no)
			break;
		mail_client(d)->mode = MAIL_MODE_OPAQUE;
		mail_server(d)->mode = MAIL_MODE_OPAQUE;
		break;
	case MAIL_COMMAND_MAIL:
		/* RFC 3207, section 4: 530 answers it where STARTTLS has to come first. */
		d->has_mail = d->has_mail && !no;
		break;
	case MAIL_COMMAND_OTHER:
	case MAIL_COMMAND_UNKNOWN:
	case MAIL_COMMAND_QUIT:
	case MAIL_COMMAND_XCLIENT:
	case MAIL_COMMAND_EHLO:
	case MAIL_COMMAND_BDAT:
	case MAIL_COMMAND_AUTH:
	case MAIL_COMMAND_PASS:
	case MAIL_COMMAND_ID:
	case MAIL_COMMAND_USER:
		break;
	}
	if (late && no && key != 0)
		mail_imap_command_refused(d, key);
}

static void
push_command(struct mail_dialogue *d, uint32_t key, enum mail_command command)
{
	if (d->pending_count < MAIL_PENDING_MAX) {
		push(d, key, (uint8_t)command);
		return;
	}
	d->lockstep = true;
	/* A tag is found wherever it stands: keep the one whose answer matters. */
	if (key != 0 && command != MAIL_COMMAND_OTHER) {
		d->pending_count--;
		push(d, key, (uint8_t)command);
	}
}

bool
mail_pair_command(struct mail_dialogue *d, uint32_t key, enum mail_command command,
    enum mail_reply *reply, bool *plus)
{
	lose_answered(d);
	for (size_t i = 0; i < d->pending_count; i++) {
		uint8_t entry = d->pending[i];

		if (!is_reply(entry) || d->pending_key[i] != key ||
		    !can_answer(command, entry_reply(entry)))
			continue;
		*reply = entry_reply(entry);
		*plus = (entry & ENTRY_PLUS) != 0;
		take(d, i);
		settle(d, key, command, *reply, false, d->login_name);
		d->login_name = MAIL_LOGIN_NOTHING_SENT;
		mail_recount(d);
		return true;
	}
	if (key == 0 && d->pending_count > 0 && is_reply(d->pending[0]))
		mail_pair_clear(d);
	push_command(d, key, command);
	d->login_name = MAIL_LOGIN_NOTHING_SENT;
	mail_recount(d);
	return false;
}

void
mail_pair_next(struct mail_dialogue *d, enum mail_command command)
{
	enum mail_reply reply;
	bool plus;

	(void)mail_pair_command(d, 0, command, &reply, &plus);
}

void
mail_pair_reply(struct mail_dialogue *d, uint32_t key, enum mail_reply reply, bool implies)
{
	bool waiting = false;
	uint32_t name;

	for (size_t i = 0; i < d->pending_count; i++) {
		uint8_t entry = d->pending[i];

		if (is_reply(entry) || d->pending_key[i] != key)
			continue;
		waiting = true;
		if (!can_answer(entry_command(entry), reply) || (key == 0 && is_behind_line(d, i)))
			continue;
		name = MAIL_LOGIN_NOTHING_SENT;
		if (entry_command(entry) == MAIL_COMMAND_LOGIN)
			name = d->pending_name[i];
		take(d, i);
		settle(d, key, entry_command(entry), reply, true, name);
		return;
	}
	if (waiting || (key == 0 && d->lockstep) || d->pending_count == MAIL_PENDING_MAX) {
		d->implied |= implies;
	} else {
		push(d, key,
		    (uint8_t)(ENTRY_REPLY | (implies ? ENTRY_IMPLIES : 0) |
			      (d->server_plus ? ENTRY_PLUS : 0) | (unsigned)reply));
	}
	mail_recount(d);
}
