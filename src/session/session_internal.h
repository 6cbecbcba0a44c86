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

/*
 * pool.c: takes a session of which nothing is set, and gives it back.  Members that count only
 * where a flag says so are not cleared, because that would cost more than all else at the start of
 * a session.
 */
struct session *session_alloc(struct session_pool *pool, bool with_dialogue);
/* Its dialogue, too. */
void session_give_back(struct session_pool *pool, struct session *s);
/* A dialogue that has still to be initialised. */
struct mail_dialogue *session_alloc_mail(struct session *s);

/* What is known so far; from now on all of it is set. */
static inline void
session_begin_event(struct session *s)
{
	if (s->event_begun)
		return;
	s->event_begun = true;
	event_init(&s->event);
}

/* hello.c: from messages to the event's fields. */
extern const struct tls_record_sink session_record_sink;
struct session_record_arg {
	struct session *s;
	unsigned dir;
};

/* first_words.c: of a direction, up to session_side.head's room. */
void session_keep_head(struct session *s, unsigned dir, struct span bytes);
/* first_words.c: an HTTP request stands at the beginning of either side. */
bool session_is_http(const struct session *s);
/* first_words.c: the first bytes of a direction: what does it speak?  Words begin a dialogue. */
enum stage session_first_stage(struct session *s, unsigned dir, struct span bytes);
/*
 * first_words.c: behind a hole in a dialogue stands no word of it, but the rest of a record, for
 * TLS was granted, or the other side has said hello.
 */
bool session_is_past_words(const struct session *s, unsigned dir, struct span bytes);

/*
 * loss.c: the other side has acknowledged `acked` by `time_us`; one more than the side said is
 * its FIN.
 */
void session_imply_fin(struct session *s, unsigned dir, int64_t acked, int64_t time_us);

/* RFC 5246, section 7.4.1.2: the shortest one, in a record of its own. */
#define CLIENT_HELLO_MIN (TLS_RECORD_HEADER_LEN + 4 + 2 + TLS_RANDOM_LEN + 1 + 2 + 2 + 1 + 1)

/* loss.c: these bytes of this side were not captured. */
void session_note_hole(struct session_side *side, int64_t begin, int64_t end);
/* loss.c: the side says hello now; more holes may come. */
void session_note_hole_before_hello(struct session *s, unsigned dir);
/* loss.c: a hole in a dialogue's words, or in front of them. */
void session_lose_words(struct session *s, unsigned dir, int64_t offset, int64_t len);
/* loss.c: behind the last byte of the side of which is known what it was a part of. */
int64_t session_known_end(const struct session_side *side);
/* loss.c: bytes in front of this side's reset were not captured. */
bool session_lacks_before_reset(const struct session_side *side);
/* loss.c: what was captured and is still to be heard may show that what seems settled is not. */
bool session_hears_more(const struct session *s);
/* loss.c: the connection is over: what of this side was not captured.  True where its end was not.
 */
bool session_note_losses(struct session *s, unsigned dir, int64_t time_us);
/* loss.c: it was heard until now, and of the client nothing but its first command. */
bool session_has_just_begun(const struct session *s, int64_t time_us);
/* loss.c: the ServerHello may be among what was not captured; */
bool session_may_lack_hello(const struct session *s, unsigned client);
/* A HelloRetryRequest, or the ClientHello in front of one, may be among it: what then is not known.
 */
void session_doubt_first_hello(struct session *s, unsigned client);
/* loss.c: the other side may have ended the handshake by what this one answers with its alert. */
bool session_may_alert_second(const struct session *s, unsigned dir);

/* mode.c: `service` is the event's. */
enum tls_mode session_mode(const struct session *s, const struct service *service);

/* settle.c */
/* Judges what is there; emits the event and returns SESSION_SETTLED when nothing changes it. */
enum session_wish session_judge_anew(struct session *s, int64_t time_us);
static inline enum session_wish
session_judge(struct session *s, int64_t time_us)
{
	/* More bytes of what is known already change neither `settled` nor `ended`. */
	return s->client >= 0 && !s->evidence_changed ? s->wish : session_judge_anew(s, time_us);
}
/* Words of `dir` at `mark`: the first behind the client's hello answer it, whatever comes later. */
void session_note_reply(struct session *s, unsigned dir, const struct mark *mark);
/* A side has sent its FIN, or a reset. */
bool session_has_closed(const struct session *s);

/*
 * cleartext.c: of sessions without a hello; the latter two want a dialogue.  SPEC section 4:
 * cleartext is where STARTTLS was refused or never asked for.
 */
/* What the client said were commands, and no TLS came of them. */
bool session_is_cleartext(const struct session *s);
/*
 * Where the capture ends behind the question for STARTTLS, or right in front of it, or lacks what
 * followed, nobody knows.
 */
bool session_ends_before_tls(const struct session *s, int64_t time_us);
/* The client is logged in, and from there on nothing leads to TLS. */
bool session_login_is_over(const struct session *s);

/* emit.c: the direction of the client and the service, by what was seen and by the ports. */
unsigned session_client_dir(const struct session *s);
struct service session_service(const struct session *s, unsigned client);
/* emit.c: the session's one event is handed on, unless its client is none of the internal ones. */
void session_emit_tls(struct session *s, const struct evidence_outcome *result, int64_t time_us);
void session_emit_cleartext(struct session *s, int64_t time_us);
/* emit.c: credentials in the clear of an internal client, which no event tells of. */
void session_count_login(const struct session *s);

#endif
