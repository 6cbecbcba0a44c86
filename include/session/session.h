/*
 * session - one connection's state machine: mail dialogue, then TLS, then the outcome → one event.
 *
 * Hears the bytes, gaps and ends of both directions, and settles at most one event: the handshake
 * attempt, or the mail session that stayed in cleartext.  What is no attempt gives no event and is
 * counted by kind.
 *
 * Source:  SPEC sections 3 and 4; RFC 8446, 5246 (TLS); RFC 3207, 2595 (STARTTLS).
 * Memory:  one allocation, one more for a mail dialogue where none was expected, and what
 *          tls/record_stream.h keeps.
 * Threads: one thread at a time per session.
 */
#ifndef TLSTALLY_SESSION_SESSION_H
#define TLSTALLY_SESSION_SESSION_H

#include <stdint.h>

#include "base/addr.h"
#include "base/connection.h"
#include "base/hash.h"
#include "base/mark.h"
#include "base/service.h"
#include "base/span.h"
#include "event/event.h"

struct session; /* opaque */
struct session_pool;
struct tls_cache;
struct tls_record_budget;

/* Connections that end without an event, and why. */
struct session_counters {
	uint64_t banner_only;       /* the client said nothing */
	uint64_t quit_only;         /* or nothing but QUIT */
	uint64_t half_hello;        /* a ClientHello that never became whole */
	uint64_t starttls_no_hello; /* STARTTLS granted, not answered or not yet asked; no hello */
	uint64_t http;              /* an HTTP request */
	uint64_t garbage;           /* neither TLS nor the mail protocol */
	uint64_t no_hello;          /* TLS whose hellos were not captured, or nothing of it */
	uint64_t external_client;   /* the client is not internal: --internal */
	uint64_t bad_certificate;   /* certificates that could not be read */
	uint64_t login_before_tls;  /* credentials in the clear that no event's `login` tells of */
	uint64_t events;
};

struct session_options {
	const struct service_set *services;               /* borrowed */
	const struct network_set *internal;               /* borrowed */
	uint16_t minimum;                                 /* TLS_VERSION_*; for limited_by */
	struct session_counters *counters;                /* borrowed */
	struct tls_record_budget *records;                /* borrowed; NULL: none */
	struct tls_cache *cache;                          /* borrowed; NULL: none */
	struct session_pool *pool;                        /* borrowed; NULL: none */
	void (*event)(void *arg, const struct event *ev); /* `ev`: for the call */
	/* Behind the event of a session in cleartext, how its logins went (EVENT_SESSION_END);
	 * NULL: nobody wants to know. */
	void (*ending)(void *arg, const struct event *ev);
	/* True where more of its connection was captured than it has heard yet: nothing is settled
	 * before that came.  NULL: it hears all. */
	bool (*has_more)(const struct session *s);
	const struct hash_key *name_key; /* borrowed; for event_ending.failed_names; NULL: none */
	void *arg;
};

/* What the session wants of its connection from now on. */
enum session_wish {
	SESSION_GO_ON,
	SESSION_LINGER,  /* an answer is there; only what was delayed could still change it */
	SESSION_SETTLED, /* nothing more is needed: free it */
};

/* `conn` and `options` are borrowed for the session's life; `conn` may change as packets come. */
struct session *session_new(const struct session_options *options, const struct connection *conn);
/* Emits nothing. */
void session_free(struct session *s);

/* The memory of sessions that ended, for those that begin; outlives all sessions made with it. */
struct session_pool *session_pool_new(void);
void session_pool_free(struct session_pool *pool);

/*
 * It has logged in in the clear: its words, if nothing is remembered of it, look like another
 * session in the clear.
 */
bool session_has_logged_in(const struct session *s);

/* Whatever made the session may keep a pointer with it. */
void session_set_owner(struct session *s, void *owner);
void *session_owner(const struct session *s);

/* How far it has come, for whoever has to give one up. */
enum session_phase {
	SESSION_ONE_SIDED,    /* one side only has said something */
	SESSION_ANSWERED,     /* both have */
	SESSION_IN_HANDSHAKE, /* the same, with a ClientHello */
};
enum session_phase session_phase(const struct session *s);

/* Asks the machine's memory for what the next call for direction `dir` will need. */
void session_prefetch(const struct session *s, unsigned dir);

/*
 * What direction `dir` (0 or 1, as in the connection) does next: each begins where the one before
 * has ended, and `mark` is of its first byte.  Nothing may follow SESSION_SETTLED.
 */
/* `bytes`: one or more, borrowed for the call. */
enum session_wish session_data(
    struct session *s, unsigned dir, struct span bytes, const struct mark *mark);
/* `len` bytes, one or more, that were not captured. */
enum session_wish session_gap(
    struct session *s, unsigned dir, int64_t len, const struct mark *mark);
/* Its end: behind its last byte, or at the number that the reset has, wherever that is. */
enum session_wish session_fin(struct session *s, unsigned dir, const struct mark *mark);
enum session_wish session_reset(struct session *s, unsigned dir, const struct mark *mark);

/* After SESSION_SETTLED: the event that was handed on; NULL: there was none. */
const struct event *session_event(const struct session *s);
/*
 * The stream offset at which direction `dir` goes on behind its handshake: behind its Finished in
 * TLS 1.2 and below; -1 where that cannot be told.
 */
int64_t session_handshake_end(const struct session *s, unsigned dir);
/* After SESSION_SETTLED: packet time at which both sides had finished, or else at which it was
 * settled, which may be later. */
int64_t session_finished_us(const struct session *s);
/* Who closed the connection first while it was followed; UNSEEN: neither side did. */
struct session_close {
	enum session_end how;
	unsigned dir;
	int64_t time_us;  /* packet time */
	int64_t received; /* of the other direction, as in struct mark */
};
struct session_close session_first_close(const struct session *s);

/* Before the end: so much of direction `dir` was acknowledged, by packets without data as well. */
void session_acked(struct session *s, unsigned dir, int64_t offset);
/* The connection is over at packet time `time_us`: settles with the evidence that is there. */
void session_end(struct session *s, int64_t time_us);

#endif
