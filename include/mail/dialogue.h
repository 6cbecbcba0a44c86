/*
 * dialogue - follows an IMAP, POP3 or SMTP session up to the byte where TLS starts.
 *
 * Takes the bytes of both sides, each in order, in pieces of any size and in any interleaving (a
 * mirror may deliver the server's answer before the client's question, or one side only), and stops
 * a side at the first byte of TLS.  It keeps no line, no user name and no secret: a few counters,
 * the name that the device gives itself, keyed hashes of the names that failed to log in, and a
 * small bounded window of a line that comes in pieces, wiped when the line ends.
 *
 * TLS starts on a side at a line's first byte, outside literals and message data, when that byte is
 * a TLS record type (0x14 to 0x16, which no command or reply begins with), or has its high bit set
 * while STARTTLS has been asked for and not been refused (an SSLv2-format hello).
 *
 * Source: RFC 3501/9051 (IMAP), 7888 (LITERAL+), 2971 (ID), 1939 and 2449 and 5034 (POP3), 5321,
 *         4954, 3030 (SMTP, AUTH, CHUNKING), 2595 and 3207 (STLS/STARTTLS).
 * Memory:  one fixed-size struct, embedded; no allocation.
 */
#ifndef TLSTALLY_MAIL_DIALOGUE_H
#define TLSTALLY_MAIL_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/service.h"
#include "base/span.h"

#define MAIL_CLIENT_NAME_MAX 128

/* How much of a line is looked at; the rest is skipped up to the line's end. */
#define MAIL_CLIENT_WINDOW 256
#define MAIL_SERVER_WINDOW 64

/* RFC 854: the byte with which a Telnet client's options begin, in front of its line. */
#define MAIL_TELNET 0xff

/* Commands that wait for their reply, or replies that wait for their command. */
#define MAIL_PENDING_MAX 16

/* So many different names with failed logins are told apart in one session. */
#define MAIL_FAILED_NAMES_MAX 16

enum mail_side { MAIL_CLIENT, MAIL_SERVER };

enum mail_name_source { MAIL_NAME_NONE, MAIL_NAME_EHLO, MAIL_NAME_IMAP_ID };

/* What has been seen so far.  Read-only for users. */
struct mail_facts {
	bool greeting;         /* the server's banner looked like one of the protocol */
	bool starttls_asked;   /* STARTTLS or STLS seen from the client */
	bool starttls_granted; /* the last answer to it */
	bool starttls_refused; /* at least one refusal */
	/* Where it was granted: what followed it in the clear had credentials, or was answered. */
	bool granted_in_vain;
	bool login;             /* credentials went over the wire in the clear */
	bool logged_in;         /* the server accepted a login (or PREAUTH) */
	uint16_t command_count; /* known commands other than QUIT/LOGOUT; 1 when only a reply says
				   that there was one */
	bool quit;              /* QUIT or LOGOUT seen */
	bool garbage; /* a side spoke something that is no line of the protocol (HTTP, binary) */
	/* Logins with credentials that were seen, and the server's answer.  They saturate. */
	uint16_t failed_logins, accepted_logins;
	uint8_t failed_name_count;
	uint8_t client_name_source; /* enum mail_name_source */
	uint8_t client_name_len;
};

/* Where one side is in its bytes.  Private to the module. */
struct mail_reader {
	uint64_t literal_left; /* content bytes to come; inside a line: the number being read */
	uint16_t len;          /* bytes of the current line in the window */
	uint8_t mode;
	uint8_t dot;            /* place in content that a lone dot ends */
	uint8_t literal;        /* place in an IMAP {123+} at the line's end */
	uint8_t literal_digits; /* so that a long run of zeros stays bounded */
	bool cut;               /* the line is longer than its window */
	bool prev_cr;           /* the last byte was CR */
	bool bare_lf;           /* the last line ended without CR */
	bool in_command;        /* IMAP: the line goes on after a literal */
	bool lost;              /* a gap, and no line recognised since */
	bool after_gap;         /* a gap right before the next byte */
};

/*
 * What nearly all lines of a dialogue need stands in two lines of the processor's cache, the first
 * of which is needed for each segment.  `protocol`, `name_key`, `facts` and the names are for
 * users, all else is private to the module.
 */
struct mail_dialogue {
	struct mail_reader readers[2]; /* by enum mail_side */
	uint8_t protocol;              /* enum protocol */
	uint8_t pending_count;
	uint8_t auth;          /* the client is in a SASL exchange, */
	uint8_t mechanism;     /* of this kind, */
	bool auth_named;       /* and has said who it is */
	uint8_t data;          /* the client's next line may be a message's first */
	uint16_t command_seen; /* saturates */
	bool login_literal;    /* IMAP: LOGIN, with arguments that come as literals */
	bool implied;          /* a reply was seen that only a command can have brought */
	bool lockstep;         /* a part of the dialogue is missing: no reply waits */
	bool server_spoke;
	bool server_plus;   /* "+" or 334 since the last final reply: the server asked for more */
	bool server_ok;     /* POP3: the last line was +OK, so lines up to a dot may follow */
	bool server_greets; /* POP3: that line was its greeting */
	bool bye;           /* IMAP: "* BYE" */
	bool starttls_due;  /* asked for, not refused */
	bool starttls_last; /* the client's last line that was seen asks for it */
	bool guessed;       /* `protocol` is one whose words others have too: see below */
	bool by_port;       /* `protocol` is only the usual one: see below */
	bool go_ahead;      /* SMTP: 354 came behind the client's last line, and no DATA */
	bool holed;         /* there was a gap */
	bool has_mail;      /* SMTP: the client has begun to send mail */
	uint32_t offset, received; /* of what is fed next: see below */
	uint32_t line_offset;      /* of the line that is read, or of its latest piece */

	struct mail_facts facts;
	bool literal_refusable; /* the client's literal waits for a "+" which was not seen */
	bool id_open; /* IMAP: the client's window holds an ID up to a literal, or into it */
	uint32_t command_key; /* the tag whose literal is being sent */
	uint32_t login_name;  /* of a command not yet among the pending ones */
	uint32_t user_name;   /* POP3: of the last USER */

	/* As much of these counts as the numbers above say; a dialogue begins without clearing
	 * them. */
	uint8_t pending[MAIL_PENDING_MAX];
	uint32_t pending_key[MAIL_PENDING_MAX];  /* 0: in order; else the hash of an IMAP tag */
	uint32_t pending_name[MAIL_PENDING_MAX]; /* of logins alone: whose, see mail_internal.h */
	/* In the server's stream: of a reply where it stands, of a command how much of it its
	 * sender had received. */
	uint32_t pending_at[MAIL_PENDING_MAX];
	const struct hash_key *name_key; /* the user's to set, borrowed; NULL: no names */
	uint32_t failed_names[MAIL_FAILED_NAMES_MAX]; /* hashes under name_key */
	char client_name[MAIL_CLIENT_NAME_MAX];       /* from EHLO/HELO/LHLO or IMAP ID "name" */
	uint8_t client_window[MAIL_CLIENT_WINDOW];
	uint8_t server_window[MAIL_SERVER_WINDOW];
};

/*
 * PROTOCOL_TLS: the protocol is not known yet and taken from the server's banner or client's words.
 * Replies of three digits and the word STARTTLS are read as SMTP's, but `guessed` as long as they
 * may be those of FTP, NNTP or ManageSieve.  Any other protocol stays, unless the caller sets
 * `by_port` afterwards: it is only what is usual on the port, and the dialogue is seen from its
 * start.  Then the server's words may show another one, and the first known line of the client
 * settles it.
 *
 * `offset` and `received` are the caller's to set before each feed or gap, or to leave at zero:
 * where it stands in its side's stream, and how much of the other side's had been received when it
 * was sent.  They tell which replies cannot answer a command, where packets were lost.
 */
void mail_dialogue_init(struct mail_dialogue *d, enum protocol protocol);

/*
 * Feeds the next bytes of one side.  Returns how many were consumed: fewer than bytes.len only when
 * the byte at that index is where TLS starts on that side; nothing more of that side is taken.
 */
size_t mail_dialogue_feed(struct mail_dialogue *d, enum mail_side side, struct span bytes);

/*
 * `len` bytes of that side are missing from the capture here.  Inside counted content they are as
 * good as read.  Otherwise the half line before the hole is dropped; a TLS record type right behind
 * the hole, 0x17 too, is where TLS starts; other bytes up to the next line's end count only if they
 * are a whole line that the protocol knows.
 */
void mail_dialogue_gap(struct mail_dialogue *d, enum mail_side side, uint64_t len);

/* That side has begun a line and not ended it. */
static inline bool
mail_dialogue_is_in_line(const struct mail_dialogue *d, enum mail_side side)
{
	return d->readers[side].len > 0;
}

/* That side's next byte stands right behind a gap, and in no content. */
bool mail_dialogue_is_behind_gap(const struct mail_dialogue *d, enum mail_side side);
/* The client's next line, or the one that it has begun, is the first of a message. */
bool mail_dialogue_begins_message(const struct mail_dialogue *d);
/* The client has asked for STARTTLS and said nothing since, and no refusal was seen. */
bool mail_dialogue_awaits_tls(const struct mail_dialogue *d);
/*
 * What is not captured of the client may be that it asks for TLS: it has not logged in (behind
 * which SMTP allows that, but hardly anybody does it), nor begun to send mail, nor said that it
 * goes, nor is it in the middle of a message.
 */
bool mail_dialogue_may_turn_to_tls(const struct mail_dialogue *d);
/* The least that it takes to ask for TLS, and to grant it. */
uint32_t mail_dialogue_request_min(const struct mail_dialogue *d);
#define MAIL_GRANT_MIN (sizeof("+OK\r\n") - 1)

#endif
