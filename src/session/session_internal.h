/*
 * session_internal - the session's state, shared by the files of this module.
 */
#ifndef TLSTALLY_SESSION_SESSION_INTERNAL_H
#define TLSTALLY_SESSION_SESSION_INTERNAL_H

#include <stddef.h>

#include "base/xalloc.h"
#include "mail/dialogue.h"
#include "session/evidence.h"
#include "session/proxy_header.h"
#include "session/session.h"
#include "tls/record_stream.h"

/* What one direction speaks. */
enum stage {
	STAGE_START,    /* nothing seen yet */
	STAGE_MAIL,     /* lines of a mail dialogue */
	STAGE_PREAMBLE, /* words of another protocol, in which TLS may begin */
	STAGE_TLS,
	STAGE_GARBAGE,
};

/*
 * A segment of words needs one line of the processor's cache, a segment of TLS one more, where the
 * records begin: see session_prefetch.  A mark counts only where its flag is set, and is not
 * cleared: see session_alloc.
 */
struct session_side {
	_Alignas(CACHE_LINE) uint8_t stage; /* enum stage */
	bool gap;
	bool ended;              /* it was reset, or its FIN implied, and may go on all the same */
	bool tls;                /* bytes were taken for TLS: `tls_mark` is set */
	uint32_t last_len;       /* of its last segment, */
	struct mark last_mark;   /* which was here; all zero where there was none */
	int64_t peer_end_offset; /* how much of the other side it has acknowledged */
	struct evidence_side evidence; /* its flags end the line */
	struct mark first_mark;
	uint8_t head[10];      /* its first bytes, session.head_len of them: see session_is_http */
	uint32_t preamble_len; /* bytes in which no TLS was found */
	bool words;            /* it began with lines, as of a mail protocol */
	bool reset;            /* by itself or somebody else: `evidence.rst_mark` is set */
	bool fin_implied;      /* its FIN was not captured: see session_imply_fin */
	bool lacks_fin;        /* nor does anything tell when it came: see session_acked */
	bool replied;          /* in words to the other side's hello: `reply_mark` is set */
	struct proxy_header proxy_header;
	_Alignas(CACHE_LINE) struct tls_record_stream records;
	struct mark tls_mark;  /* of the first byte taken for TLS */
	uint32_t no_hello_len; /* bytes of TLS while neither side's hello was there */
	struct mark reply_mark;
	/* of the last hole in front of its hello; set where session.hole_before_hello is */
	int64_t hole_begin, hole_end;
};
_Static_assert(offsetof(struct session_side, evidence.ciphertext_mark) == CACHE_LINE, "one line");

/* Behind its last byte. */
static inline int64_t
session_end_offset(const struct session_side *side)
{
	return side->last_mark.offset + (int64_t)side->last_len;
}

/* Behind the last byte that it is known to have said, be it here or lost. */
static inline int64_t
session_said_end(const struct session_side *side)
{
	int64_t end = session_end_offset(side);

	return side->evidence.lost && side->evidence.lost_end > end ? side->evidence.lost_end : end;
}

struct session {
	const struct session_options *options;
	const struct connection *conn;
	void *owner;
	struct mail_dialogue *mail; /* owned; NULL until needed */
	int8_t client;      /* direction of the client by its hello; CONNECTION_NO_DIR: not known */
	int8_t mail_client; /* direction of the client in the mail dialogue */
	bool spoke[2];      /* each side sent anything: its `first_mark` is set */
	uint8_t head_len[2];    /* bytes in each side's `head` */
	bool maybe_decisive;    /* false: the evidence is not, without a look at it */
	bool evidence_changed;  /* since it was judged: */
	enum session_wish wish; /* what followed from it then */
	bool event_begun;       /* nothing of `event` is set before there is TLS, or its end */
	bool has_time;          /* `event.timestamp_us` is set, for want of a ClientHello */
	bool emitted;           /* `event` was handed on */
	bool with_dialogue;     /* this is a session of struct session_with_dialogue */
	bool speaks_mail;       /* words before TLS are lines of a mail protocol */
	bool long_preamble;     /* a side has said so much without TLS that none will come */
	bool http;              /* a side began with an HTTP request */
	bool client_hello_seen;
	bool second_hello; /* that one answers a HelloRetryRequest; the first was not captured */
	bool server_key_exchange; /* the server went through a full handshake */
	bool offers_session_id;
	uint8_t session_id_len;
	bool hole_before_hello[2];
	bool waited; /* it was established before it was settled: see session_hears_more */
	struct session_side side[2];
	uint8_t session_id[32]; /* the client's; `session_id_len` of it are set */
	struct event event;     /* what is known so far */
};
_Static_assert(offsetof(struct session, side) == CACHE_LINE, "one line in front of the sides");

/*
 * Where words usually come before TLS, the dialogue stands right behind its session, so that one
 * prefetch brings both.
 */
struct session_with_dialogue {
	struct session session;
	_Alignas(CACHE_LINE) struct mail_dialogue dialogue;
};

/* --- pool.c: sessions that are used again --- */

/*
 * Takes a session in which nothing is set, and gives it back, with its dialogue.  Members that
 * count only where a flag says so are not cleared, because that would cost more than all else at
 * the start of a session.
 */
struct session *session_alloc(struct session_pool *pool, bool with_dialogue);
void session_give_back(struct session_pool *pool, struct session *s);
/* Room for the session's dialogue, which the caller has to initialise. */
struct mail_dialogue *session_alloc_mail(struct session *s);

/* Sets all of the session's event, once: before that nothing of it may be read. */
static inline void
session_begin_event(struct session *s)
{
	if (s->event_begun)
		return;
	s->event_begun = true;
	event_init(&s->event);
}

/* --- hello.c: from handshake messages to the event's fields --- */

extern const struct tls_record_sink session_record_sink;
/* What session_record_sink gets as its argument. */
struct session_record_arg {
	struct session *s;
	unsigned dir; /* who sent the record */
};

/* --- first_words.c: what a side speaks, by its first bytes --- */

/* Keeps the direction's first bytes, as far as session_side.head has room. */
void session_keep_head(struct session *s, unsigned dir, struct span bytes);
/* True if either side begins with an HTTP request. */
bool session_is_http(const struct session *s);
/* What the direction speaks, by its first bytes.  Where these are words, their dialogue begins. */
enum stage session_first_stage(struct session *s, unsigned dir, struct span bytes);
/*
 * True if `bytes`, behind a hole in a dialogue, are no words of it but the rest of a TLS record:
 * TLS was granted, or the other side has said hello.
 */
bool session_is_past_words(const struct session *s, unsigned dir, struct span bytes);

/* --- loss.c: what was not captured.  Offsets are those of the side's stream, in bytes --- */

/* RFC 5246, section 7.4.1.2: the shortest ClientHello, in a record of its own. */
#define CLIENT_HELLO_MIN (TLS_RECORD_HEADER_LEN + 4 + 2 + TLS_RANDOM_LEN + 1 + 2 + 2 + 1 + 1)

/* Notes that the side's bytes from `begin` up to `end` were not captured. */
void session_note_hole(struct session_side *side, int64_t begin, int64_t end);
/* Keeps the side's last hole as the one in front of its hello: later holes do not replace it. */
void session_note_hole_before_hello(struct session *s, unsigned dir);
/* Tells the dialogue of a hole in its words, or in front of them. */
void session_lose_words(struct session *s, unsigned dir, int64_t offset, int64_t len);
/*
 * Notes the side's FIN, which was not captured, where the other side had acknowledged `acked` bytes
 * by `time_us`, one more than the side said.
 */
void session_imply_fin(struct session *s, unsigned dir, int64_t acked, int64_t time_us);
/* The end of the side's last byte that is here, or lies in a hole inside a record that is here. */
int64_t session_known_end(const struct session_side *side);
/* True if the side was reset, and bytes in front of that reset were not captured. */
bool session_lacks_before_reset(const struct session_side *side);
/* True if what was captured, but not heard yet, may undo what both Finished seem to settle. */
bool session_hears_more(const struct session *s);
/*
 * Notes, at the connection's end, what of the side was not captured.  True if its end was not.
 */
bool session_note_losses(struct session *s, unsigned dir, int64_t time_us);
/*
 * True if both sides spoke within five seconds before `time_us`, or not at all, and the client has
 * given one command at most: it may still ask for TLS.
 */
bool session_has_just_begun(const struct session *s, int64_t time_us);
/* True if the ServerHello may be among what was not captured. */
bool session_may_lack_hello(const struct session *s, unsigned client);
/*
 * Calls `hello_retry` and the fingerprints unknown where a HelloRetryRequest, or the ClientHello in
 * front of one, may be among what was not captured.
 */
void session_doubt_first_hello(struct session *s, unsigned client);
/* True if the side's alert may be an answer to how the other one had ended the handshake, unseen.
 */
bool session_may_alert_second(const struct session *s, unsigned dir);

/* --- mode.c --- */

/* How TLS began.  `service`: the event's. */
enum tls_mode session_mode(const struct session *s, const struct service *service);

/* --- settle.c: judging what is there --- */

/* Judges it; emits the event and returns SESSION_SETTLED when nothing changes it any more. */
enum session_wish session_judge_anew(struct session *s, int64_t time_us);
/* The same, but cheap where nothing has changed. */
static inline enum session_wish
session_judge(struct session *s, int64_t time_us)
{
	/* More bytes of what is known already change neither `settled` nor `ended`. */
	return s->client >= 0 && !s->evidence_changed ? s->wish : session_judge_anew(s, time_us);
}
/* Notes words of `dir` at `mark`: the first behind the client's hello answer it, whatever follows.
 */
void session_note_reply(struct session *s, unsigned dir, const struct mark *mark);
/* True if a side has sent its FIN, or a reset. */
bool session_has_closed(const struct session *s);

/* --- cleartext.c: sessions without a hello (SPEC section 4) --- */

/* True if what the client said were commands, and no TLS came of them. */
bool session_is_cleartext(const struct session *s);
/*
 * True if nobody knows whether it would have gone on with TLS: the capture ends behind the question
 * for STARTTLS or right in front of it, or lacks what followed.  For sessions with a dialogue.
 */
bool session_ends_before_tls(const struct session *s, int64_t time_us);
/* True if the client is logged in, from where nothing leads to TLS.  For sessions with a dialogue.
 */
bool session_login_is_over(const struct session *s);

/* --- emit.c: the session's one event --- */

/* The client's direction, by what was seen, else by the ports. */
unsigned session_client_dir(const struct session *s);
/* The service that is the client's peer, by the same. */
struct service session_service(const struct session *s, unsigned client);
/* Hands the event on, unless its client is none of the internal ones, which is counted. */
void session_emit_tls(struct session *s, const struct evidence_outcome *result, int64_t time_us);
void session_emit_cleartext(struct session *s, int64_t time_us);
/* Counts credentials in the clear of an internal client of which no event tells. */
void session_count_login(const struct session *s);

#endif
