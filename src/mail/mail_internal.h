/*
 * mail_internal - what the files of this module share.
 *
 * dialogue.c cuts the bytes of a side into lines and content, which content.c reads, and knows no
 * protocol; smtp.c, pop3.c and imap.c say what a line means; pairing.c joins commands with their
 * replies; text.c and auth.c hold what the protocols have in common.
 */
#ifndef TLSTALLY_MAIL_INTERNAL_H
#define TLSTALLY_MAIL_INTERNAL_H

#include "mail/dialogue.h"

/* mail_reader.mode: how a side's next bytes are read. */
enum mail_mode {
	MAIL_MODE_LINE,
	MAIL_MODE_LITERAL, /* a counted number of bytes: an IMAP literal, a BDAT chunk */
	MAIL_MODE_DOT,     /* up to a line with a single dot: DATA, a POP3 multi-line response */
	MAIL_MODE_OPAQUE,  /* compressed from here on: nothing can be read any more */
	MAIL_MODE_TLS,     /* TLS has begun: the dialogue is over */
};

/* mail_dialogue.auth: the SASL exchange that is under way. */
enum mail_auth {
	MAIL_AUTH_NONE,
	MAIL_AUTH_CLEAR,  /* a response holds the secret, or a token as good as it */
	MAIL_AUTH_HIDDEN, /* challenge and response, or no secret at all */
};

/* mail_dialogue.mechanism: where a SASL response holds the user's name. */
enum mail_mechanism {
	MAIL_MECHANISM_OTHER,
	MAIL_MECHANISM_PLAIN,
	MAIL_MECHANISM_LOGIN, /* the first response */
	MAIL_MECHANISM_XOAUTH2,
	MAIL_MECHANISM_CRAM_MD5,
};

/* The `name` of a login: one of these, or the keyed hash of the user's name. */
enum {
	MAIL_LOGIN_NOTHING_SENT, /* no credentials were seen */
	MAIL_LOGIN_NAMELESS,     /* they were, but not the name */
};

/* mail_dialogue.data: how far a client's DATA has come. */
enum mail_data {
	MAIL_DATA_NONE,
	MAIL_DATA_ASKED, /* DATA sent, no answer seen */
	MAIL_DATA_GO,    /* 354 seen, no line of the message yet */
};

/* What a client's command is, as far as that matters. */
enum mail_command {
	MAIL_COMMAND_OTHER,
	MAIL_COMMAND_UNKNOWN, /* no command of the protocol, but the server answers it too */
	MAIL_COMMAND_QUIT,
	MAIL_COMMAND_STARTTLS,
	MAIL_COMMAND_LOGIN, /* a good answer means logged in */
	MAIL_COMMAND_MAIL,  /* a good answer lets the client send mail */
	MAIL_COMMAND_DATA,
	MAIL_COMMAND_XCLIENT,  /* answered by a second greeting */
	MAIL_COMMAND_COMPRESS, /* RFC 4978 */
	MAIL_COMMAND_EHLO,
	MAIL_COMMAND_BDAT,
	MAIL_COMMAND_AUTH, /* with a SASL mechanism: a LOGIN in the end */
	MAIL_COMMAND_PASS,
	MAIL_COMMAND_ID,
	MAIL_COMMAND_USER,
};

/* What a server's reply is. */
enum mail_reply {
	MAIL_REPLY_OK,     /* IMAP OK, POP3 +OK: answers any command */
	MAIL_REPLY_DONE,   /* SMTP 250 and its like */
	MAIL_REPLY_READY,  /* SMTP 220 */
	MAIL_REPLY_BYE,    /* SMTP 221 */
	MAIL_REPLY_AUTHED, /* SMTP 235 */
	MAIL_REPLY_GO,     /* SMTP 354 */
	MAIL_REPLY_NO,
};

/* A row of a protocol's list of commands; the list ends with an empty name. */
#define MAIL_VERB_ROOM 16
struct mail_verb {
	char name[MAIL_VERB_ROOM]; /* upper case, and zeros behind it */
	enum mail_command command;
};

/* --- dialogue.c: lines and content --- */

static inline struct mail_reader *
mail_client(struct mail_dialogue *d)
{
	return &d->readers[MAIL_CLIENT];
}

static inline struct mail_reader *
mail_server(struct mail_dialogue *d)
{
	return &d->readers[MAIL_SERVER];
}

/*
 * True if `text`, which is not empty, begins with a Telnet command.  A message's first line may
 * begin with that byte, too, and is read as it is.
 */
static inline bool
mail_begins_with_telnet(const struct mail_dialogue *d, enum mail_side side, struct span text)
{
	return text.data[0] == MAIL_TELNET && (side == MAIL_SERVER || d->data == MAIL_DATA_NONE);
}

/* Notes that credentials went over the wire in the clear. */
static inline void
mail_note_credentials(struct mail_dialogue *d)
{
	d->facts.login = true;
	d->facts.granted_in_vain |= d->starttls_due;
}

/*
 * Notes that a side's line is none of the protocol.  Behind a gap it may be half of one, and
 * nothing is noted.
 */
void mail_note_garbage(struct mail_dialogue *d, enum mail_side side);
/* Counts a command of the protocol other than QUIT. */
void mail_note_command(struct mail_dialogue *d);
/* Brings facts.command_count up to date. */
void mail_recount(struct mail_dialogue *d);
/*
 * For a command that goes on behind this line: the client's window keeps `text` in place of the
 * line, and the next line is put behind it.
 */
void mail_keep(struct mail_dialogue *d, struct span text);
/* Puts more text into the client's window, behind what is there. */
void mail_keep_more(struct mail_dialogue *d, struct span text);
/* Wipes the client's window. */
void mail_forget(struct mail_dialogue *d);

/* --- content.c: literals, messages and other content --- */

/* mail_reader.literal: the line does not end in a literal's length, as far as it was read. */
enum { MAIL_LITERAL_NONE };

/* Reads the next bytes of a line, to know whether a literal is announced at its end. */
void mail_literal_track(struct mail_reader *r, struct span part);
/* True if the line ends in {123}, {123+} or ~{123}: RFC 9051, section 4.3. */
bool mail_line_has_literal(const struct mail_reader *r);
/* True if that has no '+': the client sends the literal only when the server says so. */
bool mail_literal_is_synchronizing(const struct mail_reader *r);
/* Behind the line that is being handled comes content: up to a lone dot, or `len` bytes. */
void mail_begin_dots(struct mail_reader *r);
void mail_begin_bytes(struct mail_reader *r, uint64_t len);
/* Reads content, if the side is in any; returns how many of the bytes that are. */
size_t mail_read_content(struct mail_dialogue *d, enum mail_side side, struct span bytes);
/* Passes over `len` bytes of a literal, no more than `literal_left` says are to come. */
void mail_pass_literal(struct mail_dialogue *d, enum mail_side side, uint64_t len);

/* --- pairing.c: commands and their replies --- */

/*
 * Joins a command with the first reply that can answer it, whichever came first.  `key`: 0 where
 * replies come in the order of the commands, else what the IMAP tag hashes to.
 * Returns true when the reply was there before its command; then `*reply` is set, and `*plus` says
 * whether a continuation request came before it.
 */
bool mail_pair_command(struct mail_dialogue *d, uint32_t key, enum mail_command command,
    enum mail_reply *reply, bool *plus);
/* The same where replies come in the order of the commands. */
void mail_pair_next(struct mail_dialogue *d, enum mail_command command);
/*
 * Joins a reply with the command that it answers, as above, or keeps it until that comes.
 * `implies`: the server sends such a reply only after a command other than QUIT.
 */
void mail_pair_reply(struct mail_dialogue *d, uint32_t key, enum mail_reply reply, bool implies);
/* Forgets the commands and replies that wait. */
void mail_pair_clear(struct mail_dialogue *d);
/*
 * The server's stream has a hole up to the offset `end`, in low 32 bits: commands that it may have
 * answered there wait no longer.
 */
void mail_pair_lose(struct mail_dialogue *d, uint32_t end);
/* True if a command waits that the server's line may answer. */
bool mail_pair_has_command(const struct mail_dialogue *d);
/* True if a command with that IMAP tag waits. */
bool mail_pair_has_tag(const struct mail_dialogue *d, uint32_t key);
/* True if the first one that the server's line may answer is that command. */
bool mail_pair_first_is(const struct mail_dialogue *d, enum mail_command command);
/* True if such a command waits, wherever it stands. */
bool mail_pair_waits(const struct mail_dialogue *d, enum mail_command command);
/* True if a reply waits for its command, and is one that no server sends unasked. */
bool mail_pair_implies_command(const struct mail_dialogue *d);

/* --- auth.c: SASL exchanges --- */

/* Begins one.  `args`: mechanism and, perhaps, initial response, as AUTH and AUTHENTICATE have. */
void mail_auth_begin(struct mail_dialogue *d, struct span args);
/* Reads a line that is no command; true if it belongs to an exchange that is under way. */
bool mail_auth_response(struct mail_dialogue *d, struct span line);
/*
 * True if the line belongs to an exchange although it looks like a command: TURN is base64, too, of
 * "MDM".
 */
bool mail_auth_is_name(const struct mail_dialogue *d, struct span line);

/* --- login.c: whose logins failed --- */

/* The keyed hash of a user's name as it stands, or as a response of that mechanism holds it. */
uint32_t mail_login_name(const struct mail_dialogue *d, struct span text);
uint32_t mail_login_name_in(
    const struct mail_dialogue *d, enum mail_mechanism mechanism, struct span text);
/*
 * True if the response is base64 of printable ASCII, without padding.  TURN, SEND and XTND are
 * that, too; no usual command is.
 */
bool mail_login_is_text(struct span response);
/* Credentials of the login that waits for its answer went by; `name`: whose. */
void mail_login_sent(struct mail_dialogue *d, uint32_t name);
/* Counts the answer to a login with that name, and keeps the name where it failed. */
void mail_login_answered(struct mail_dialogue *d, uint32_t name, bool accepted);

/* --- text.c: words and lines --- */

/* Takes a word and the blanks around it; at the end the word is empty, and false is returned. */
bool mail_read_word(struct span *s, struct span *word);
/* Compare without regard to case; `text` is upper case. */
bool mail_word_is(struct span word, const char *text);
bool mail_starts_with(struct span s, const char *text);
bool mail_contains(struct span s, const char *text);
bool mail_contains_any(struct span s, const char *const *texts);
/* True for what IMAP and POP3 servers say when they grant STARTTLS, and to nothing else. */
bool mail_grants_tls(struct span text);
/* The text without blanks at either end. */
struct span mail_trim(struct span s);
/*
 * A device may send its strings with the bytes of zero that end them: then one ends the line, or
 * stands in front of the next, as what a Telnet client asks for does.  False where it is no line:
 * behind a hole it is ciphertext, behind DATA the text of a message.
 */
bool mail_cut_noise(struct mail_dialogue *d, enum mail_side side, struct span *text);
/* Reads a word of decimal digits only; false for any other, or for more than 2^63 - 1. */
bool mail_number_from_text(struct span word, uint64_t *out);
/* The row of a list for a command's name, or NULL. */
const struct mail_verb *mail_find_verb(const struct mail_verb *verbs, struct span word);
/* True if the line's first word is in the list. */
bool mail_starts_with_verb(struct span line, const struct mail_verb *verbs);
/*
 * Sets the client's name to `name` and, unless it is empty, a blank and `version`.  An empty name
 * changes nothing.
 */
void mail_set_client_name(
    struct mail_dialogue *d, enum mail_name_source source, struct span name, struct span version);

/*
 * --- smtp.c, pop3.c, imap.c: what a line means ---
 *
 * A line comes without its end, and at most as long as the window.
 */

void mail_smtp_client_line(struct mail_dialogue *d, struct span line);
void mail_smtp_server_line(struct mail_dialogue *d, struct span line);
/* The client's message has ended with its dot. */
void mail_smtp_message_end(struct mail_dialogue *d);
/* The answer to DATA; the client may be far into its message, or have given up on it. */
void mail_smtp_data_answered(struct mail_dialogue *d, bool go);
void mail_pop3_client_line(struct mail_dialogue *d, struct span line);
void mail_pop3_server_line(struct mail_dialogue *d, struct span line);
void mail_imap_client_line(struct mail_dialogue *d, struct span line);
void mail_imap_server_line(struct mail_dialogue *d, struct span line);
/* That tag's command was refused: a literal that waits for the server's yes does not come. */
void mail_imap_command_refused(struct mail_dialogue *d, uint32_t key);

/* For a port whose protocol is not known: true if the line is one of this protocol. */
bool mail_smtp_recognises(enum mail_side side, struct span line);
bool mail_pop3_recognises(enum mail_side side, struct span line);
bool mail_imap_recognises(enum mail_side side, struct span line);
/* For a port whose protocol is known: true if it has such a line at all. */
bool mail_smtp_has(enum mail_side side, struct span line);
bool mail_pop3_has(enum mail_side side, struct span line);
/* True if the line is SMTP's and cannot be one of the protocols that look like it. */
bool mail_smtp_is_certain(enum mail_side side, struct span line);

/* --- imap_id.c: what a client says of itself --- */

/* `args`: what stands behind ID, up to a literal or the line's end. */
void mail_imap_id_part(struct mail_dialogue *d, struct span args);
void mail_imap_id_literal(struct mail_dialogue *d, struct span bytes, bool ends);

#endif
