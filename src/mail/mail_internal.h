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

/* mail_reader.mode */
enum mail_mode {
	MAIL_MODE_LINE,
	MAIL_MODE_LITERAL, /* a counted number of bytes: an IMAP literal, a BDAT chunk */
	MAIL_MODE_DOT,     /* up to a line with a single dot: DATA, a POP3 multi-line response */
	MAIL_MODE_OPAQUE,  /* compressed from here on: nothing can be read any more */
	MAIL_MODE_TLS,
};

/* mail_dialogue.auth */
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

/* Whose login it is: one of these, or the hash of a name. */
enum {
	MAIL_LOGIN_NOTHING_SENT, /* no credentials were seen */
	MAIL_LOGIN_NAMELESS,     /* they were, but not whose */
};

/* mail_dialogue.data */
enum mail_data {
	MAIL_DATA_NONE,
	MAIL_DATA_ASKED, /* DATA sent, no answer seen */
	MAIL_DATA_GO,    /* 354 seen, no line of the message yet */
};

enum mail_command {
	MAIL_COMMAND_OTHER,
	MAIL_COMMAND_UNKNOWN, /* no command of the protocol, but the server answers it too */
	MAIL_COMMAND_QUIT,
	MAIL_COMMAND_STARTTLS,
	MAIL_COMMAND_LOGIN, /* whose good answer means logged in */
	MAIL_COMMAND_MAIL,  /* whose good answer lets the client send mail */
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

/* dialogue.c */
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

/* The first line of a message may begin with any byte, and is read as it is. */
static inline bool
mail_begins_with_telnet(const struct mail_dialogue *d, enum mail_side side, struct span text)
{
	return text.data[0] == MAIL_TELNET && (side == MAIL_SERVER || d->data == MAIL_DATA_NONE);
}

/* Credentials were sent as they are. */
static inline void
mail_note_credentials(struct mail_dialogue *d)
{
	d->facts.login = true;
	d->facts.granted_in_vain |= d->starttls_due;
}

/* A line that is none of the protocol; behind a gap it may be half of one, and says nothing. */
void mail_note_garbage(struct mail_dialogue *d, enum mail_side side);
/* A command of the protocol other than QUIT. */
void mail_note_command(struct mail_dialogue *d);
/* Brings facts.command_count up to date. */
void mail_recount(struct mail_dialogue *d);
/*
 * The client's window keeps the text of a command that goes on in the next line, which is put
 * behind it.
 */
void mail_keep(struct mail_dialogue *d, struct span text);
void mail_keep_more(struct mail_dialogue *d, struct span text);
void mail_forget(struct mail_dialogue *d);

/* content.c */

/* mail_reader.literal: the line's end is none. */
enum { MAIL_LITERAL_NONE };

/* The next bytes of a line, at the end of which a literal may be announced. */
void mail_literal_track(struct mail_reader *r, struct span part);
/* RFC 9051, section 4.3: the line ends in {123}, {123+} or ~{123}. */
bool mail_line_has_literal(const struct mail_reader *r);
bool mail_literal_is_synchronizing(const struct mail_reader *r);
/* The content that the line now being handled announces. */
void mail_begin_dots(struct mail_reader *r);
void mail_begin_bytes(struct mail_reader *r, uint64_t len);
/* What is no line; returns how many bytes of it are read. */
size_t mail_read_content(struct mail_dialogue *d, enum mail_side side, struct span bytes);
/* So many bytes of a literal, which are no more than what is to come. */
void mail_pass_literal(struct mail_dialogue *d, enum mail_side side, uint64_t len);

/* pairing.c */

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
/* `implies`: such a reply only comes after a command other than QUIT. */
void mail_pair_reply(struct mail_dialogue *d, uint32_t key, enum mail_reply reply, bool implies);
/* Forgets what waits. */
void mail_pair_clear(struct mail_dialogue *d);
/* The server's stream has a hole up to `end`: what it may have answered there waits no longer. */
void mail_pair_lose(struct mail_dialogue *d, uint32_t end);
/* One that the server's line may answer. */
bool mail_pair_has_command(const struct mail_dialogue *d);
/* A command with that IMAP tag. */
bool mail_pair_has_tag(const struct mail_dialogue *d, uint32_t key);
bool mail_pair_first_is(const struct mail_dialogue *d, enum mail_command command);
bool mail_pair_waits(const struct mail_dialogue *d, enum mail_command command);
/* A reply waits for its command, and is one that no server sends unasked. */
bool mail_pair_implies_command(const struct mail_dialogue *d);

/* auth.c */

/* `args`: mechanism and, perhaps, initial response, as AUTH and AUTHENTICATE have them. */
void mail_auth_begin(struct mail_dialogue *d, struct span args);
/* Returns true when the line, which is no command, belongs to a SASL exchange. */
bool mail_auth_response(struct mail_dialogue *d, struct span line);
/* The line belongs to one although it is a verb: TURN is base64 of "MDM". */
bool mail_auth_is_name(const struct mail_dialogue *d, struct span line);

/* login.c */

/* A name as it stands, or as a response of that mechanism holds it. */
uint32_t mail_login_name(const struct mail_dialogue *d, struct span text);
uint32_t mail_login_name_in(
    const struct mail_dialogue *d, enum mail_mechanism mechanism, struct span text);
/* Base64 of printable ASCII, without padding.  TURN, SEND and XTND are; no usual verb is. */
bool mail_login_is_text(struct span response);
/* Credentials of the login that waits for its answer went by. */
void mail_login_sent(struct mail_dialogue *d, uint32_t name);
void mail_login_answered(struct mail_dialogue *d, uint32_t name, bool accepted);

/* text.c */

/* Takes a word and the blanks around it; false, and an empty word, at the end. */
bool mail_read_word(struct span *s, struct span *word);
/* Upper and lower case are the same; `text` is upper case. */
bool mail_word_is(struct span word, const char *text);
bool mail_starts_with(struct span s, const char *text);
bool mail_contains(struct span s, const char *text);
bool mail_contains_any(struct span s, const char *const *texts);
/* What IMAP and POP3 servers say when they grant STARTTLS, and in answer to nothing else. */
bool mail_grants_tls(struct span text);
struct span mail_trim(struct span s);
/*
 * A device may send its strings with the bytes of zero that end them: then one ends the line, or
 * stands in front of the next, as what a Telnet client asks for does.  False where it is no line:
 * behind a hole it is ciphertext, behind DATA the text of a message.
 */
bool mail_cut_noise(struct mail_dialogue *d, enum mail_side side, struct span *text);
/* Decimal digits only; false for none of them, or more than 2^63 - 1. */
bool mail_number_from_text(struct span word, uint64_t *out);
const struct mail_verb *mail_find_verb(const struct mail_verb *verbs, struct span word);
bool mail_starts_with_verb(struct span line, const struct mail_verb *verbs);
/* `name` and, where there, a blank and `version`; nothing changes for an empty name. */
void mail_set_client_name(
    struct mail_dialogue *d, enum mail_name_source source, struct span name, struct span version);

/* One line, without its end, at most as long as the window. */
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
/* A tagged reply of that key refused its command, which may still have a literal to send. */
void mail_imap_command_refused(struct mail_dialogue *d, uint32_t key);

/* For a port whose protocol is not known: does the line speak this one? */
bool mail_smtp_recognises(enum mail_side side, struct span line);
bool mail_pop3_recognises(enum mail_side side, struct span line);
bool mail_imap_recognises(enum mail_side side, struct span line);
/* For a port whose protocol is known: does it have such a line at all? */
bool mail_smtp_has(enum mail_side side, struct span line);
bool mail_pop3_has(enum mail_side side, struct span line);
/* The line is SMTP's and cannot be one of the protocols that look like it. */
bool mail_smtp_is_certain(enum mail_side side, struct span line);

/* imap_id.c: `args` is what stands behind ID, up to a literal or the end. */
void mail_imap_id_part(struct mail_dialogue *d, struct span args);
void mail_imap_id_literal(struct mail_dialogue *d, struct span bytes, bool ends);

#endif
