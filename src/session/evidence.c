#include "session/evidence.h"

#include <string.h>

#include "tls/names.h"

#include "base/banned.h"

/* The longest protected alert, with room for an unusual tag: SPEC section 4. */
#define TLS13_ALERT_MAX 24
#define ALERT_DECODE_ERROR 50
#define ALERT_INTERNAL_ERROR 80
#define ALERT_USER_CANCELED 90

void
evidence_add_record(struct evidence_side *side, uint32_t len, const struct mark *mark)
{
	if (side->recent_count == EVIDENCE_RECENT) {
		memmove(side->recent, side->recent + 1,
		    (EVIDENCE_RECENT - 1) * sizeof(side->recent[0]));
		side->recent_count--;
	}
	side->recent[side->recent_count++] = (struct evidence_record){ .len = len, .mark = *mark };
}

void
evidence_add_alert(
    struct evidence_side *side, uint8_t level, uint8_t description, const struct mark *mark)
{
	bool warning = level == TLS_ALERT_LEVEL_WARNING && description != TLS_ALERT_CLOSE_NOTIFY;

	/* The first one that ends the handshake counts; a warning gives way to any later one. */
	if (side->alert && !side->warning)
		return;
	side->alert = true;
	side->warning = warning || description == ALERT_USER_CANCELED;
	side->alert_kind =
	    (uint8_t)(description == TLS_ALERT_CLOSE_NOTIFY ? REFUSAL_CLOSE : REFUSAL_ALERT);
	side->alert_description = description;
	side->alert_mark = *mark;
}

/* How a side ended the handshake. */
struct act {
	bool present;
	enum refusal_kind kind;
	uint8_t alert;
	struct mark mark;
};

/*
 * The first thing by which a side ends the handshake.  An alert and the reset or close behind it
 * are one act, named by the alert.  A warning ends nothing before that close.
 */
static struct act
first_act(const struct evidence_side *side)
{
	struct act act = { 0 };
	bool last_word = side->alert && !(side->lost && side->lost_end > side->alert_mark.offset);
	bool closed = side->fin || side->rst;

	if (side->rst)
		act = (struct act){ true, REFUSAL_RESET, 0, side->rst_mark };
	if (side->fin && (!side->rst || side->fin_mark.offset <= side->rst_mark.offset))
		act = (struct act){ true, REFUSAL_CLOSE, 0, side->fin_mark };
	if (side->alert && (!side->warning || (closed && last_word)))
		act = (struct act){ true, (enum refusal_kind)side->alert_kind,
			side->alert_description, side->warning ? act.mark : side->alert_mark };
	return act;
}

static bool
is_tls13(const struct evidence *ev)
{
	return ev->version == TLS_VERSION_1_3;
}

/* JSSE (seen in Java 17) adds 16 bytes of padding to what is no application data. */
#define TLS13_ALERT_PADDED 35

/* RFC 8446, section 5.2: an alert's two bytes, the content type and a tag of 8 or 16 bytes. */
static bool
is_alert_len(uint32_t len)
{
	return len == 11 || len == 19 || len == TLS13_ALERT_PADDED;
}

/* Where Finished belongs, what is as short is an alert; Finished has 45 bytes or more. */
static bool
is_too_short_to_finish(uint32_t len)
{
	return len <= TLS13_ALERT_MAX || len == TLS13_ALERT_PADDED;
}

/*
 * True when the sender of `act` had received the other side's `earlier`: what it acknowledged
 * tells, packet time only where that is not known.
 */
static bool
had_received(const struct mark *act, const struct mark *earlier)
{
	return act->peer_offset != MARK_NO_PEER ? act->peer_offset > earlier->offset
						: act->time_us >= earlier->time_us;
}

/*
 * The client's first protected record in answer to the ServerHello, NULL where there is none. Early
 * data was sent before the ServerHello came.  A short record that a longer one follows is no alert
 * but EndOfEarlyData or an empty Certificate: RFC 8446, sections 4.5 and 4.4.2.
 */
static const struct evidence_record *
client_answer(const struct evidence *ev)
{
	const struct evidence_side *c = ev->client;
	const struct mark *hello = &ev->server->hello_mark;
	const struct evidence_record *answer = NULL;

	if (c->early_data && !ev->server->hello && ev->server_seen && !ev->server->lost)
		return NULL;
	for (unsigned i = 0; i < c->recent_count; i++) {
		if (ev->server->hello && !had_received(&c->recent[i].mark, hello))
			continue;
		if (!is_too_short_to_finish(c->recent[i].len))
			return &c->recent[i];
		if (answer == NULL)
			answer = &c->recent[i];
	}
	return answer;
}

/* The client's Finished, or what shows that it went by. */
static const struct evidence_record *
client_finished(const struct evidence *ev)
{
	const struct evidence_record *first = client_answer(ev);

	return first != NULL && !is_too_short_to_finish(first->len) ? first : NULL;
}

/* The client closed, by an alert behind its Finished or a FIN, before this record of the server. */
static bool
client_closed_before(const struct evidence *ev, const struct evidence_record *finished,
    const struct evidence_record *answer)
{
	const struct evidence_side *c = ev->client;

	if (c->fin && had_received(&answer->mark, &c->fin_mark))
		return true;
	for (unsigned i = 0; i < c->recent_count; i++) {
		const struct evidence_record *r = &c->recent[i];

		if (r->mark.offset > finished->mark.offset && is_alert_len(r->len) &&
		    had_received(&answer->mark, &r->mark))
			return true;
	}
	return false;
}

enum answer { ANSWER_NONE, ANSWER_ALERT, ANSWER_GOES_ON };

/*
 * What the server sent after the client's Finished.  Alerts alone refuse, unless the client had
 * closed before in good order.
 */
static enum answer
server_answer(const struct evidence *ev, const struct evidence_record *finished)
{
	const struct evidence_side *s = ev->server;
	enum answer answer = ANSWER_NONE;

	for (unsigned i = 0; i < s->recent_count; i++) {
		const struct evidence_record *r = &s->recent[i];

		if (!had_received(&r->mark, &finished->mark))
			continue;
		if (!is_alert_len(r->len) || client_closed_before(ev, finished, r))
			return ANSWER_GOES_ON;
		answer = ANSWER_ALERT;
	}
	return answer;
}

/* RFC 8446: both sides finished, as far as ciphertext shows it. */
static bool
tls13_is_established(const struct evidence *ev)
{
	const struct evidence_record *finished = client_finished(ev);

	return finished != NULL && server_answer(ev, finished) == ANSWER_GOES_ON;
}

/* RFC 5246, section 7.3: ChangeCipherSpec and ciphertext from both. */
static bool
both_finished(const struct evidence_side *c, const struct evidence_side *s)
{
	return c->ccs && s->ccs && c->ciphertext && s->ciphertext;
}

/* The close or reset of a side that had acknowledged nothing of the other side's Finished. */
static bool
closes_before(const struct mark *close, const struct evidence_side *peer)
{
	return close->peer_offset != MARK_NO_PEER &&
	       close->peer_offset <= peer->ciphertext_mark.offset;
}

/*
 * An alert behind its own Finished, or the end, sent before the other side's came: a client that
 * checks the certificate late (NSS does) ends the handshake so, and the server's Finished crosses
 * that on its way.
 */
static bool
ends_before(const struct evidence_side *side, const struct evidence_side *peer)
{
	if ((side->fin && closes_before(&side->fin_mark, peer)) ||
	    (side->rst && closes_before(&side->rst_mark, peer)))
		return true;
	return side->alert && !side->warning && side->alert_kind == REFUSAL_ENCRYPTED_ALERT &&
	       side->ciphertext_mark.offset < side->alert_mark.offset &&
	       !had_received(&side->alert_mark, &peer->ciphertext_mark);
}

/* It said more behind `offset`. */
static bool
goes_on_behind(const struct evidence_side *side, int64_t offset)
{
	if (side->alert && side->alert_mark.offset >= offset)
		return true;
	return side->recent_count > 0 && side->recent[side->recent_count - 1].mark.offset >= offset;
}

/* Such an alert may stand in what was not captured: nothing shows that the side went on. */
static bool
may_end_before(const struct evidence_side *side, const struct evidence_side *peer)
{
	int64_t end = side->ciphertext_mark.offset + TLS_RECORD_HEADER_LEN + side->ciphertext_len;

	return side->lost && side->lost_end > end &&
	       peer->ciphertext_mark.peer_offset > side->last_lost &&
	       !goes_on_behind(side, side->lost_end);
}

/* Both have finished, and neither had ended it before the other one did. */
static bool
is_finished(const struct evidence_side *c, const struct evidence_side *s)
{
	return !ends_before(c, s) && !ends_before(s, c) && !may_end_before(c, s) &&
	       !may_end_before(s, c);
}

static bool
is_established(const struct evidence *ev)
{
	const struct evidence_side *c = ev->client, *s = ev->server;

	if (ev->version == TLS_VERSION_SSL2)
		return c->ssl2_records >= 2 && s->ssl2_records >= 2;
	if (is_tls13(ev))
		return s->hello && tls13_is_established(ev);
	if (ev->version != 0)
		return both_finished(c, s) && is_finished(c, s);
	/* The ServerHello was lost, or what it chose: both directions go on, by either way. */
	if (c->finished && s->finished)
		return is_finished(c, s);
	return (c->hello || s->hello) && tls13_is_established(ev);
}

/* RFC 8446, section 4.4.4: up to SHA-384 and JSSE's padding; CertificateVerify is longer. */
#define TLS13_FINISHED_MIN 45
#define TLS13_FINISHED_MAX 85

/*
 * The client went on after its Finished: another record, in a segment of its own, that is no alert.
 * A flight with a Certificate, be it empty, has several records as well, in as many segments.
 */
static bool
client_goes_on(const struct evidence *ev)
{
	const struct evidence_side *c = ev->client;
	const struct evidence_record *finished = client_finished(ev);
	/* So many records are no flight, and its Finished may not be among the latest any more. */
	bool many = c->recent_count == EVIDENCE_RECENT;

	for (unsigned i = 0; finished != NULL && i < c->recent_count; i++) {
		const struct evidence_record *r = &c->recent[i];
		uint32_t len = finished->len;

		if (r->mark.offset <= finished->mark.offset)
			continue;
		if ((len < TLS13_FINISHED_MIN || len > TLS13_FINISHED_MAX) && !many)
			finished = r;
		else if (r->mark.time_us > finished->mark.time_us && !is_alert_len(r->len))
			return true;
	}
	return false;
}

static struct act
client_act(const struct evidence *ev)
{
	bool unknown = ev->version == 0;
	const struct evidence_record *answer = is_tls13(ev) || unknown ? client_answer(ev) : NULL;
	struct act act = first_act(ev->client);

	if (answer == NULL || (act.present && act.mark.offset <= answer->mark.offset))
		return act;
	/* It has finished: what it does now does not end the handshake. */
	if (!is_too_short_to_finish(answer->len))
		return (struct act){ 0 };
	/* Where Finished belongs stands a protected alert, whose name nobody can read. */
	if (!unknown)
		return (struct act){ true, REFUSAL_NONE, 0, answer->mark };
	/* That may be one, too, and name the close behind it. */
	if (act.kind != REFUSAL_ALERT)
		act.kind = REFUSAL_NONE;
	return act;
}

/* A protected alert is the last that the side said. */
static const struct evidence_record *
last_word_is_alert(const struct evidence_side *side)
{
	const struct evidence_record *last = side->recent + side->recent_count - 1;

	return side->recent_count > 0 && is_alert_len(last->len) ? last : NULL;
}

/*
 * The side ends the connection after it has received that alert.  One that is padded is as long as
 * a greeting may be, on which a monitor resets as well.
 */
static bool
ends_on_alert(const struct evidence_side *side, const struct evidence_record *alert)
{
	return alert->len <= TLS13_ALERT_MAX &&
	       ((side->rst && had_received(&side->rst_mark, &alert->mark)) ||
		   (side->fin && had_received(&side->fin_mark, &alert->mark)));
}

static struct act
server_act(const struct evidence *ev)
{
	const struct evidence_record *finished = is_tls13(ev) ? client_finished(ev) : NULL;
	const struct evidence_record *last = last_word_is_alert(ev->server);
	struct act act = first_act(ev->server);

	/*
	 * In place of its flight, or of the rest of it: the close behind it is one act with it, and
	 * so is the client's end in answer to it.
	 */
	if (is_tls13(ev) && last != NULL &&
	    (finished == NULL || !had_received(&last->mark, &finished->mark)) &&
	    (act.present ? act.kind != REFUSAL_ALERT : ends_on_alert(ev->client, last)))
		return (struct act){ true, REFUSAL_NONE, 0, last->mark };
	/* Nothing but an alert behind the client's Finished, and the end: nobody can read it. */
	if (finished != NULL && server_answer(ev, finished) == ANSWER_ALERT) {
		if (act.present && act.kind != REFUSAL_ALERT) {
			act.kind = REFUSAL_NONE;
			act.alert = 0;
		} else if (!act.present && last != NULL && ends_on_alert(ev->client, last)) {
			act = (struct act){ true, REFUSAL_NONE, 0, last->mark };
		}
	}
	return act;
}

/*
 * True when an end says nothing: the other direction was not captured at all, and an end that
 * cannot be read may as well be that of a session that went well.
 */
static bool
is_blind(const struct evidence *ev, const struct act *act)
{
	bool one_way = !ev->client_seen || !ev->server_seen;

	return one_way && (act->kind == REFUSAL_CLOSE || act->kind == REFUSAL_RESET ||
			      act->kind == REFUSAL_ENCRYPTED_ALERT || act->kind == REFUSAL_NONE);
}

/*
 * The server sent what stands only behind a ServerHello, or may have sent one that was lost.
 * RFC 8446, appendix D.4: a ChangeCipherSpec stands behind a HelloRetryRequest as well.
 */
static bool
server_goes_on(const struct evidence_side *s)
{
	return s->hello_lost || s->ciphertext || s->recent_count > 0 ||
	       (s->goes_on && !s->hello_retry);
}

/*
 * The answer was not captured, but what the client sent presupposes one.  Where the server's side
 * was captured whole it is asked instead: some clients send on without any answer.
 */
static bool
was_answered_unseen(const struct evidence *ev)
{
	if (!ev->server->hello && server_goes_on(ev->server))
		return true;
	return ev->client->goes_on && (!ev->server_seen || ev->server->lost);
}

/*
 * Where the server was not captured, or not whole, an alert with a reason shows that it did answer.
 * Clients send decode_error to a mere close as well.
 */
static bool
needs_an_answer(uint8_t alert)
{
	return alert != ALERT_DECODE_ERROR && alert != ALERT_INTERNAL_ERROR &&
	       alert != ALERT_USER_CANCELED;
}

/* What the other side had received by then was not all captured: it may have acted before. */
static bool
may_come_second(const struct act *act, const struct evidence_side *peer)
{
	return peer->hole &&
	       (act->mark.peer_offset == MARK_NO_PEER || act->mark.peer_offset > peer->lost_begin);
}

/*
 * True when an end that cannot be read may stand behind the handshake's true end, in a hole of the
 * capture: SPEC section 4, "negotiated".
 */
static bool
is_behind_a_hole(const struct evidence *ev, const struct act *act, bool by_server)
{
	const struct evidence_side *c = ev->client, *s = ev->server;
	bool answered = s->hello || server_goes_on(s) || (c->goes_on && s->lost);
	bool hole = c->hole || s->hole || !s->hello || (c->lost && !c->hello);

	if (act->kind == REFUSAL_ALERT)
		return (by_server ? s : c)->answers ||
		       (!by_server && !needs_an_answer(act->alert) && was_answered_unseen(ev));
	if (act->kind == REFUSAL_SSLV2_ERROR)
		return false;
	/* An alert between the Finished of both, which are here: whatever else was lost. */
	if (c->finished && s->finished && (ends_before(c, s) || ends_before(s, c)))
		return false;
	return (answered && hole) || may_come_second(act, by_server ? c : s);
}

/*
 * An alert is the very next that the server said after what the client had received when it
 * finished: it does not go on, whatever the client sent before the alert came.
 */
static bool
server_answers_with_alert(const struct evidence *ev)
{
	const struct evidence_record *finished = client_finished(ev);
	const struct evidence_side *s = ev->server;

	if (finished == NULL || finished->mark.peer_offset == MARK_NO_PEER)
		return false;
	/* What was lost there has no room for more than an alert, and nothing came behind it. */
	if (s->lost && s->lost_end > finished->mark.peer_offset &&
	    s->lost_end - finished->mark.peer_offset <= TLS_RECORD_HEADER_LEN + TLS13_ALERT_MAX)
		return server_answer(ev, finished) != ANSWER_GOES_ON;
	if (server_answer(ev, finished) != ANSWER_ALERT)
		return false;
	for (unsigned i = 0; i < s->recent_count; i++) {
		if (s->recent[i].mark.offset == finished->mark.peer_offset)
			return true;
	}
	return false;
}

static enum outcome
outcome_without_end(const struct evidence *ev)
{
	const struct evidence_side *s = ev->server;

	if (is_tls13(ev) && s->hello && client_goes_on(ev) && !server_answers_with_alert(ev))
		return OUTCOME_ESTABLISHED;
	if (s->hello || s->hello_retry || was_answered_unseen(ev))
		return OUTCOME_NEGOTIATED;
	return OUTCOME_UNANSWERED;
}

/*
 * SPEC section 4: the client closes after silence.  What counts is what had reached the client, so
 * that an answer which crosses its close on the way makes no difference.
 */
static bool
gives_up(const struct evidence *ev, const struct act *act)
{
	if (was_answered_unseen(ev))
		return false;
	if ((!ev->server_seen || ev->server->lost) && act->kind == REFUSAL_ALERT &&
	    needs_an_answer(act->alert))
		return false;
	return !ev->server->bytes || !had_received(&act->mark, &ev->server->answer_mark);
}

/* The client's half alone is closed: the server, late or far away, may still answer. */
static bool
is_half_open(const struct evidence *ev)
{
	const struct evidence_side *c = ev->client, *s = ev->server;

	return c->fin && !c->rst && !s->fin && !s->rst && ev->server_seen;
}

/* The client has finished and closed: a close or reset of the server behind it refuses nothing. */
static bool
is_farewell(const struct evidence *ev, const struct act *server)
{
	const struct evidence_record *finished = is_tls13(ev) ? client_finished(ev) : NULL;

	return (server->kind == REFUSAL_CLOSE || server->kind == REFUSAL_RESET) &&
	       finished != NULL && had_received(&server->mark, &finished->mark) &&
	       ev->client->fin && mark_is_before(&ev->client->fin_mark, &server->mark);
}

static bool
has_ended(const struct evidence_side *side)
{
	return side->fin || side->rst || side->alert;
}

bool
evidence_may_act(const struct evidence_side *side)
{
	if (has_ended(side))
		return true;
	/* A short record may be an alert: client_act(). */
	for (unsigned i = 0; i < side->recent_count; i++) {
		if (is_too_short_to_finish(side->recent[i].len))
			return true;
	}
	return false;
}

bool
evidence_is_decisive(const struct evidence_side *client, const struct evidence_side *server)
{
	/* What is established shows as one of these on both sides: is_established(). */
	if ((client->ciphertext && server->ciphertext) ||
	    (client->recent_count > 0 && server->recent_count > 0) ||
	    (client->ssl2_records > 0 && server->ssl2_records > 0))
		return true;
	return has_ended(server) || evidence_may_act(client);
}

/* Neither side has done what may end the handshake, a protected alert included: client_act(). */
static bool
is_going_on(const struct evidence *ev)
{
	const struct evidence_record *answer;

	if (has_ended(ev->client) || has_ended(ev->server))
		return false;
	answer = is_tls13(ev) ? client_answer(ev) : NULL;
	return answer == NULL || !is_too_short_to_finish(answer->len);
}

/* What a side did may have ended it; where it did not, `out` says what there is. */
static __attribute__((noinline)) void
judge_end(const struct evidence *ev, struct evidence_outcome *out)
{
	struct act client = client_act(ev), server = server_act(ev), *first;

	if (!client.present && !server.present) {
		out->ended = ev->client->fin || ev->client->rst;
		return;
	}
	out->ended = true;
	client.present = client.present && !is_blind(ev, &client);
	server.present = server.present && !is_blind(ev, &server);
	if (!client.present && !server.present)
		return;
	first = &client;
	if (!client.present || (server.present && mark_is_before(&server.mark, &client.mark)))
		first = &server;
	if (first == &client && gives_up(ev, first)) {
		out->ended = !is_half_open(ev);
		return;
	}
	if (is_behind_a_hole(ev, first, first == &server) ||
	    (first == &server && is_farewell(ev, &server)))
		return;
	out->outcome = OUTCOME_REFUSED;
	out->refused_by = first == &client ? SIDE_CLIENT : SIDE_SERVER;
	out->refusal = first->kind;
	out->refusal_alert = first->alert;
}

void
evidence_judge(const struct evidence *ev, struct evidence_outcome *out)
{
	bool established = is_established(ev);

	*out = (struct evidence_outcome){
		.settled = established,
		.outcome = established ? OUTCOME_ESTABLISHED : outcome_without_end(ev),
	};
	if (!established && !is_going_on(ev))
		judge_end(ev, out);
}
