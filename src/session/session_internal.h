/*
 * session_internal - the session's state, and what the files of this module do for each other.
 *
 * A session has two sides, one per direction of its connection.  session.c takes what a side does
 * and hands it to the mail dialogue or to the record stream.  Each other file answers one question,
 * and has a heading below.  Offsets are those of a side's stream, in bytes; `dir` is 0 or 1
 * as in struct connection; `time_us` is packet time.
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
	STAGE_START,    /* nothing seen yet, or a load balancer's header that is not over */
	STAGE_MAIL,     /* lines of a mail dialogue */
	STAGE_PREAMBLE, /* words of another protocol, in which TLS may begin */
	STAGE_TLS,      /* records */
	STAGE_GARBAGE,  /* nothing that is worth reading */
};

/*
 * What is known of one direction.  The members stand in the order in which they are needed, for the
 * processor's cache: a segment of words touches the first line, one of TLS also that where
 * `records` begins (session_prefetch asks for both).  A mark counts only where its flag is set, and
 * is not cleared for a new session (session_alloc).
 */
struct session_side {
	_Alignas(CACHE_LINE) uint8_t stage; /* enum stage */
	bool gap;                           /* bytes of it were not captured */
	bool ended;            /* by a FIN, be it implied, or a reset; it may go on all the same */
	bool tls;              /* bytes were taken for TLS: `tls_mark` is set */
	uint32_t last_len;     /* bytes in its last segment */
	struct mark last_mark; /* of that segment's first byte; all zero before the first one */
	int64_t peer_end_offset;       /* so much of the other side it has acknowledged */
	struct evidence_side evidence; /* its flags end the first cache line */
	struct mark first_mark;        /* of its first byte; set where session.spoke is */
	uint8_t head[10];      /* its first bytes, session.head_len of them: see session_is_http */
	uint32_t preamble_len; /* bytes in which no TLS was found */
	bool words;            /* it began with lines, as of a mail protocol */
	bool reset;       /* a reset was seen, perhaps a forged one: `evidence.rst_mark` is set */
	bool fin_implied; /* its FIN was not captured, but follows: session_imply_fin */
	bool lacks_fin;   /* the same, and nothing tells when it came: session_acked */
	bool replied;     /* it answered the other side's hello in words: `reply_mark` is set */
	struct proxy_header proxy_header;
	_Alignas(CACHE_LINE) struct tls_record_stream records;
	struct mark tls_mark;  /* of the first byte taken for TLS */
	uint32_t no_hello_len; /* bytes of TLS that came while neither side's hello was there */
	struct mark reply_mark;
	/* The last hole in front of its hello; set where session.hole_before_hello is. */
	int64_t hole_begin, hole_end;
};
_Static_assert(offsetof(struct session_side, evidence.ciphertext_mark) == CACHE_LINE, "one line");

/* The offset behind the last byte of the side that was captured. */
static inline int64_t
session_end_offset(const struct session_side *side)
{
	return side->last_mark.offset + (int64_t)side->last_len;
}

/* The offset behind the last byte that the side is known to have sent, captured or not. */
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
	int8_t mail_client; /* the same in the mail dialogue, by who speaks how */
	bool spoke[2];      /* each side sent anything: its `first_mark` is set */
	uint8_t head_len[2];    /* bytes in each side's `head` */
	bool maybe_decisive;    /* false: evidence_is_decisive need not be asked, it says no */
	bool evidence_changed;  /* since the last judgement */
	enum session_wish wish; /* the last judgement's answer */
	bool event_begun;       /* `event` is initialised: session_begin_event */
	bool has_time;          /* `event.timestamp_us` is set, for want of a ClientHello */
	bool emitted;           /* `event` was handed on */
	bool with_dialogue;     /* this is a session of struct session_with_dialogue */
	bool speaks_mail;       /* words before TLS are lines of a mail protocol */
	bool long_preamble;     /* a side has said so much without TLS that none will come */
	bool client_hello_seen;
	bool second_hello; /* that one answers a HelloRetryRequest; the first was not captured */
	bool server_key_exchange;  /* the server went through a full handshake */
	bool offers_session_id;    /* the ClientHello has a session id: `session_id` is set */
	uint8_t session_id_len;    /* bytes in `session_id` */
	bool hole_before_hello[2]; /* each side: its `hole_begin` and `hole_end` are set */
	bool waited; /* it was established before it was settled: see session_hears_more */
	struct session_side side[2];
	uint8_t session_id[32]; /* the client's */
	struct event event;     /* what is known so far */
};
_Static_assert(offsetof(struct session, side) == CACHE_LINE, "one line in front of the sides");

/*
 * For ports on which words usually come before TLS: the dialogue stands right behind its session,
 * so that one prefetch brings both.
 */
struct session_with_dialogue {
	struct session session;
	_Alignas(CACHE_LINE) struct mail_dialogue dialogue;
};

/* --- pool.c: the memory of sessions, used again --- */

/*
 * Returns a session in which nothing is set; the caller gives it back with session_give_back.
 * `pool` may be NULL in both: the memory is malloc's then.  `with_dialogue`: a session of struct
 * session_with_dialogue.  Members that count only where a flag says so are not cleared, because
 * that would cost more than all else at the start of a session.
 */
struct session *session_alloc(struct session_pool *pool, bool with_dialogue);
/* Gives the session back, and its mail dialogue with it. */
void session_give_back(struct session_pool *pool, struct session *s);
/* Returns room for the session's mail dialogue, which the caller initialises and puts in `mail`. */
struct mail_dialogue *session_alloc_mail(struct session *s);

/* Initialises the session's event, if that was not done yet.  Before, it must not be read. */
static inline void
session_begin_event(struct session *s)
{
	if (s->event_begun)
		return;
	s->event_begun = true;
	event_init(&s->event);
}

/* --- hello.c: from handshake messages to the event's fields and the evidence --- */

/* What a side's record stream reports to; its argument is a struct session_record_arg. */
extern const struct tls_record_sink session_record_sink;
struct session_record_arg {
	struct session *s;
	unsigned dir; /* who sent the record */
};

/* --- first_words.c: what a side speaks, by its first bytes --- */

/* Adds to the side's `head`, as far as that has room. */
void session_keep_head(struct session *s, unsigned dir, struct span bytes);
/* True if either side began with an HTTP request, by its `head`. */
bool session_is_http(const struct session *s);
/*
 * Tells what a side speaks by its first bytes, of which there is at least one.  Where they are
 * lines of a mail protocol the dialogue is begun; where they may lie in the middle of a TLS record,
 * the side's record stream is told so.
 */
enum stage session_first_stage(struct session *s, unsigned dir, struct span bytes);
/*
 * True if `bytes`, of a side that speaks mail and behind a hole, are no words any more but the rest
 * of a TLS record: STARTTLS was granted, or the other side has sent its hello.
 */
bool session_is_past_words(const struct session *s, unsigned dir, struct span bytes);

/* --- loss.c: what was not captured --- */

/*
 * Length of the shortest ClientHello, in a record of its own: RFC 5246, section 7.4.1.2.  Fewer
 * missing bytes than this hide none.
 */
#define CLIENT_HELLO_MIN (TLS_RECORD_HEADER_LEN + 4 + 2 + TLS_RANDOM_LEN + 1 + 2 + 2 + 1 + 1)

/* Notes that the side's bytes from offset `begin` up to `end` were not captured. */
void session_note_hole(struct session_side *side, int64_t begin, int64_t end);
/* Keeps the side's last hole as the one in front of its hello: later holes do not replace it. */
void session_note_hole_before_hello(struct session *s, unsigned dir);
/*
 * Tells the mail dialogue that `len` bytes of a side's words, from `offset` on, were not captured;
 * 0: so many as nobody knows, in front of the side's first words.
 */
void session_lose_words(struct session *s, unsigned dir, int64_t offset, int64_t len);
/*
 * By `time_us` the other side has acknowledged `acked` bytes of this one.  If that is just one more
 * than this side has said, the one is a FIN that was not captured (or not yet), and it is noted.
 */
void session_imply_fin(struct session *s, unsigned dir, int64_t acked, int64_t time_us);
/*
 * The offset behind the side's last byte that was captured.  Where a hole inside that byte's TLS
 * record follows, as of a packet that the capture cut short, it is the offset behind that hole.
 */
int64_t session_known_end(const struct session_side *side);
/* True if the side was reset, and bytes in front of that reset were not captured. */
bool session_lacks_before_reset(const struct session_side *side);
/*
 * True if both sides have sent Finished, but something that was captured is still to be heard, and
 * may show that the handshake was ended before: the session is not to be settled yet.
 */
bool session_hears_more(const struct session *s);
/*
 * Called at the connection's end, at `time_us`: notes what of the side was not captured, as far as
 * the other side's acknowledgements, its hello and a reset tell.  True if the other side has
 * acknowledged more than was captured, a FIN left out: the side's last bytes are missing.
 */
bool session_note_losses(struct session *s, unsigned dir, int64_t time_us);
/*
 * For sessions with a dialogue.  True if the client may still ask for TLS at `time_us`: it has
 * given one command at most, and no side that has spoken was silent for five seconds since.
 */
bool session_has_just_begun(const struct session *s, int64_t time_us);
/* True if the ServerHello may be among what was not captured.  `client`: the client's direction. */
bool session_may_lack_hello(const struct session *s, unsigned client);
/*
 * Where a HelloRetryRequest may be among what was not captured, the event's `hello_retry` becomes
 * unknown.  Where the ClientHello in front of it may be, too, the event loses its fingerprints,
 * which are of the first hello.  `client`: the client's direction.
 */
void session_doubt_first_hello(struct session *s, unsigned client);
/*
 * True if the side has sent an alert, and may have done so in answer to an alert or a close of the
 * other side that was not captured: then it was the other side that ended the handshake.
 */
bool session_may_alert_second(const struct session *s, unsigned dir);

/* --- mode.c: how a client came to TLS --- */

/* At once, or led by words.  `service`: the event's, from session_service. */
enum tls_mode session_mode(const struct session *s, const struct service *service);

/* --- settle.c: judging what is there --- */

/*
 * Looks at all evidence.  When nothing that may still come changes the outcome, the event is handed
 * on and SESSION_SETTLED returned; else what the session wants of its connection from now on.
 */
enum session_wish session_judge_anew(struct session *s, int64_t time_us);
/* The same, but the last answer is given again where the evidence has not changed since. */
static inline enum session_wish
session_judge(struct session *s, int64_t time_us)
{
	/* More bytes of what is known already change neither `settled` nor `ended`. */
	return s->client >= 0 && !s->evidence_changed ? s->wish : session_judge_anew(s, time_us);
}
/*
 * Notes that `dir` said words at `mark`.  The first ones behind the client's hello are the server's
 * answer to it, whatever follows.
 */
void session_note_reply(struct session *s, unsigned dir, const struct mark *mark);
/* True if a side has sent its FIN, or a reset. */
bool session_has_closed(const struct session *s);

/* --- cleartext.c: sessions without a hello (SPEC section 4) --- */

/* True if the client gave commands of a mail protocol, and no TLS came of them. */
bool session_is_cleartext(const struct session *s);
/*
 * For sessions with a dialogue.  True if TLS may have followed at `time_us` or later, unseen: the
 * capture ends right in front of the client's STARTTLS or behind it, or lacks words in which it, or
 * a hello, may have been.
 */
bool session_ends_before_tls(const struct session *s, int64_t time_us);
/* For sessions with a dialogue.  True if the client is logged in, and nothing leads to TLS now. */
bool session_login_is_over(const struct session *s);

/* --- emit.c: the session's one event --- */

/*
 * The direction of the client: by the hello, else by who sent the SYN, else by the mail dialogue,
 * else by the ports.
 */
unsigned session_client_dir(const struct session *s);
/* The service at the server's port, or if none is there, at that of `client`, its direction. */
struct service session_service(const struct session *s, unsigned client);
/*
 * Complete the event and hand it on, once a session.  Where the client is none of the internal
 * ones, that is only counted.  `time_us`: when it was settled.
 */
void session_emit_tls(struct session *s, const struct evidence_outcome *result, int64_t time_us);
void session_emit_cleartext(struct session *s, int64_t time_us);
/* Counts an internal client's login in the clear of which no event tells. */
void session_count_login(const struct session *s);

#endif
