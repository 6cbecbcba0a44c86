/*
 * session_script - a conversation written down once, then told to a session in any order.
 *
 * Each act has received everything before it, as its acknowledgement says.
 */
#ifndef TLSTALLY_TESTS_SESSION_SCRIPT_H
#define TLSTALLY_TESTS_SESSION_SCRIPT_H

#include "base/buf.h"
#include "session/session.h"
#include "session/session_internal.h"

#include "tls_wire.h"

#define CLIENT 0
#define SERVER 1
#define SCRIPT_MAX 48
#define SCRIPT_START_US INT64_C(1700000000000000)

enum script_verb { SAYS, CLOSES, RESETS, LOSES };

struct script_act {
	enum script_verb verb;
	unsigned side;
	size_t begin, len; /* SAYS: in `bytes`; LOSES: bytes that are missing */
	struct mark mark;
};

struct script {
	struct writer out; /* what is said next */
	struct writer bytes;
	struct script_act acts[SCRIPT_MAX];
	size_t count;
	int64_t offset[2];
	uint16_t server_port;
	bool no_syn;         /* the capture began later */
	bool cut_off;        /* it ends right behind the last act, not after a while */
	bool one_way;        /* the other direction was not captured */
	unsigned one_way_is; /* which direction is there */
	int64_t acked[2];    /* of each side's bytes, in packets without data */
	bool whole_segments; /* a segment's beginning is what is recognised: not in pieces */
};

static inline void
script_act(struct script *s, enum script_verb verb, unsigned side, size_t len)
{
	struct script_act *act = &s->acts[s->count];

	ck_assert_uint_lt(s->count, SCRIPT_MAX);
	*act = (struct script_act){ .verb = verb, .side = side, .len = len };
	act->mark = (struct mark){
		.time_us = SCRIPT_START_US + (int64_t)s->count * 1000,
		.offset = s->offset[side],
		.peer_offset = s->offset[1 - side],
	};
	s->count++;
}

/* One segment with everything that was put into `out`. */
static inline void
says(struct script *s, unsigned side)
{
	script_act(s, SAYS, side, s->out.len);
	s->acts[s->count - 1].begin = s->bytes.len;
	put_span(&s->bytes, written(&s->out));
	s->offset[side] += (int64_t)s->out.len;
	s->out.len = 0;
}

static inline void
says_text(struct script *s, unsigned side, const char *text)
{
	put_span(&s->out, span_from_text(text));
	says(s, side);
}

static inline void
loses(struct script *s, unsigned side, size_t len)
{
	s->whole_segments = true;
	script_act(s, LOSES, side, len);
	s->offset[side] += (int64_t)len;
}

static inline void
closes(struct script *s, unsigned side)
{
	script_act(s, CLOSES, side, 0);
	s->offset[side]++; /* RFC 9293, section 3.4: a FIN takes a number */
}

static inline void
resets(struct script *s, unsigned side)
{
	script_act(s, RESETS, side, 0);
}

/* In which order a mirror delivers the acts. */
enum script_order { IN_TIME, CLIENT_FIRST, SERVER_FIRST, TURN_BY_TURN, SCRIPT_ORDERS };

struct telling {
	enum script_order order;
	size_t piece_len;     /* 0: segments as they are */
	bool swapped;         /* the client is direction 1 */
	const char *internal; /* NULL: any */
};

struct told {
	unsigned event_count;
	struct event event;
	struct session_counters counters;
	enum session_wish wish; /* the last one before the end */
};

static inline void
told_event(void *arg, const struct event *ev)
{
	struct told *told = arg;

	told->event_count++;
	told->event = *ev;
}

static inline enum session_wish
tell_bytes(struct session *session, const struct script *s, const struct script_act *act,
    unsigned dir, size_t piece_len)
{
	struct span bytes = span_from(s->bytes.data + act->begin, act->len), piece;
	struct mark mark = act->mark;
	enum session_wish wish = SESSION_GO_ON;

	if (s->no_syn && mark.offset == 0)
		mark.peer_offset = MARK_NO_PEER;
	while (bytes.len > 0 && wish != SESSION_SETTLED) {
		size_t len = piece_len > 0 && piece_len < bytes.len ? piece_len : bytes.len;

		ck_assert(span_read_span(&bytes, len, &piece));
		wish = session_data(session, dir, piece, &mark);
		mark.offset += (int64_t)len;
	}
	return wish;
}

static inline enum session_wish
tell_act(struct session *session, const struct script *s, const struct script_act *act,
    const struct telling *how)
{
	unsigned dir = how->swapped ? 1 - act->side : act->side;

	switch (act->verb) {
	case SAYS:
		return tell_bytes(session, s, act, dir, how->piece_len);
	case CLOSES:
		return session_fin(session, dir, &act->mark);
	case RESETS:
		return session_reset(session, dir, &act->mark);
	case LOSES:
		return session_gap(session, dir, (int64_t)act->len, &act->mark);
	}
	return SESSION_GO_ON;
}

/* The act that comes next in this order; each act is marked as done when it is. */
static inline const struct script_act *
next_act(const struct script *s, enum script_order order, bool *done, unsigned turn)
{
	static const unsigned first[] = { [CLIENT_FIRST] = CLIENT, [SERVER_FIRST] = SERVER };
	unsigned side = order == TURN_BY_TURN ? turn % 2 : order == IN_TIME ? 0 : first[order];

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < s->count; i++) {
			bool fits = order == IN_TIME || s->acts[i].side == side;

			if (!done[i] && fits && (!s->one_way || s->acts[i].side == s->one_way_is)) {
				done[i] = true;
				return &s->acts[i];
			}
		}
		side = 1 - side;
	}
	return NULL;
}

static inline struct connection
script_connection(const struct script *s, const struct telling *how)
{
	unsigned client = how->swapped ? 1 : 0;
	struct connection conn = { .opener = s->no_syn ? CONNECTION_NO_DIR : (int8_t)client,
		.vlan = { 7, 7 },
		.source = 3 };

	conn.addr[client] = addr_from_v4((const uint8_t[]){ 10, 0, 0, 5 });
	conn.addr[1 - client] = addr_from_v4((const uint8_t[]){ 192, 0, 2, 25 });
	conn.port[client] = 40000;
	conn.port[1 - client] = s->server_port;
	memcpy(conn.mac[client], "\x02\x00\x00\x00\x00\x05", 6);
	conn.mac_dirs = (1u << client) & 3u;
	conn.mid_start[0] = conn.mid_start[1] = s->no_syn;
	conn.seen[0] = conn.seen[1] = true;
	if (s->one_way)
		conn.seen[s->one_way_is == CLIENT ? 1 - client : client] = false;
	return conn;
}

/* The sessions it gives are full of what earlier ones have left: nothing of that may count. */
static inline struct session_pool *
script_soiled_pool(void)
{
	struct session_pool *pool = session_pool_new();
	struct session *without = session_alloc(pool, false), *with = session_alloc(pool, true);

	memset(without, 0xa5, sizeof(*without));
	memset(with, 0xa5, sizeof(struct session_with_dialogue));
	without->mail = with->mail = NULL;
	without->with_dialogue = false;
	with->with_dialogue = true;
	session_give_back(pool, without);
	session_give_back(pool, with);
	return pool;
}

static inline struct told
tell(const struct script *s, const struct telling *how)
{
	static struct service_set services;
	struct network_set internal = { .any = how->internal == NULL };
	struct told told = { 0 };
	struct session_options options = { .services = &services,
		.internal = &internal,
		.minimum = TLS_VERSION_1_2,
		.counters = &told.counters,
		.pool = script_soiled_pool(),
		.event = told_event,
		.arg = &told };
	struct connection conn = script_connection(s, how);
	struct session *session;
	const struct script_act *act;
	bool done[SCRIPT_MAX] = { false };
	struct error err;

	service_set_init_defaults(&services);
	ck_assert_int_eq(service_set_add_text(&services, "8443=tls", &err), 0);
	ck_assert_int_eq(service_set_add_text(&services, "8389=tls+starttls", &err), 0);
	if (how->internal != NULL)
		ck_assert_int_eq(network_set_add_text(&internal, how->internal, &err), 0);
	session = session_new(&options, &conn);
	for (unsigned turn = 0; (act = next_act(s, how->order, done, turn)) != NULL; turn++) {
		told.wish = tell_act(session, s, act, how);
		if (told.wish == SESSION_SETTLED)
			break;
	}
	for (unsigned side = 0; side < 2; side++)
		session_acked(session, how->swapped ? 1 - side : side, s->acked[side]);
	if (told.wish == SESSION_SETTLED)
		session_free(session);
	else
		session_end(session, SCRIPT_START_US + INT64_C(60000000) / (s->cut_off ? 60 : 1));
	session_pool_free(options.pool);
	network_set_release(&internal);
	return told;
}

/* An event in one line, for comparing: everything but addresses, times and fingerprints. */
static inline void
describe(const struct told *told, struct buf *out)
{
	const struct event *ev = &told->event;
	char refusal[EVENT_REFUSAL_TEXT_LEN];
	const char *texts[] = { tls_mode_name(ev->tls_mode), tls_version_name(ev->tls_version),
		tls_version_name(ev->offered_version), outcome_name(ev->outcome),
		event_side_name(ev->refused_by), event_refusal_text(ev, refusal),
		event_side_name(ev->limited_by) };
	static const char *const tris[] = { "-", "no", "yes" };
	const struct session_counters *c = &told->counters;

	if (told->event_count == 0) {
		buf_addf(out, "nothing%s%s%s%s%s%s%s%s%s", c->banner_only > 0 ? " banner_only" : "",
		    c->quit_only > 0 ? " quit_only" : "", c->http > 0 ? " http" : "",
		    c->half_hello > 0 ? " half_hello" : "",
		    c->starttls_no_hello > 0 ? " starttls_no_hello" : "",
		    c->garbage > 0 ? " garbage" : "", c->no_hello > 0 ? " no_hello" : "",
		    c->external_client > 0 ? " external_client" : "",
		    c->login_before_tls > 0 ? " login_before_tls" : "");
		return;
	}
	buf_add_text(out, protocol_name(ev->protocol));
	if (ev->kind == EVENT_CLEARTEXT_SESSION)
		buf_add_text(out, ev->login ? " login" : " no-login");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		buf_addf(out, " %s", texts[i] != NULL ? texts[i] : "-");
	buf_addf(out, " resumed=%s retry=%s scsv=%s%s", tris[ev->resumed], tris[ev->hello_retry],
	    tris[ev->fallback_scsv], ev->capture_gap ? " gap" : "");
	if (c->login_before_tls > 0)
		buf_add_text(out, " login_before_tls");
	if (told->event_count > 1)
		buf_addf(out, " and %u more", told->event_count - 1);
}

#endif
