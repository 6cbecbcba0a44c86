#include "session/evidence.h"

#include <string.h>

#include "session/evidence_finished.h"
#include "tls/names.h"

#include "base/banned.h"

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

static struct act
client_act(const struct evidence *ev)
{
	bool unknown = ev->version == 0;
	const struct evidence_record *answer =
	    evidence_is_tls13(ev) || unknown ? evidence_client_answer(ev) : NULL;
	struct act act = first_act(ev->client);

	if (answer == NULL || (act.present && act.mark.offset <= answer->mark.offset))
		return act;
	/* It has finished: what it does now does not end the handshake. */
	if (!evidence_is_too_short_to_finish(answer->len))
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

	return side->recent_count > 0 && evidence_is_alert_len(last->len) ? last : NULL;
}

/*
 * The side ends the connection after it has received that alert.  One that is padded is as long as
 * a greeting may be, on which a monitor resets as well.
 */
static bool
ends_on_alert(const struct evidence_side *side, const struct evidence_record *alert)
{
	return alert->len <= TLS13_ALERT_MAX &&
	       ((side->rst && evidence_had_received(&side->rst_mark, &alert->mark)) ||
		   (side->fin && evidence_had_received(&side->fin_mark, &alert->mark)));
}

static struct act
server_act(const struct evidence *ev)
{
	const struct evidence_record *finished =
	    evidence_is_tls13(ev) ? evidence_client_finished(ev) : NULL;
	const struct evidence_record *last = last_word_is_alert(ev->server);
	struct act act = first_act(ev->server);

	/*
	 * In place of its flight, or of the rest of it: the close behind it is one act with it, and
	 * so is the client's end in answer to it.
	 */
	if (evidence_is_tls13(ev) && last != NULL &&
	    (finished == NULL || !evidence_had_received(&last->mark, &finished->mark)) &&
	    (act.present ? act.kind != REFUSAL_ALERT : ends_on_alert(ev->client, last)))
		return (struct act){ true, REFUSAL_NONE, 0, last->mark };
	/* Nothing but an alert behind the client's Finished, and the end: nobody can read it. */
	if (finished != NULL && evidence_server_answer(ev, finished) == ANSWER_ALERT) {
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
	if (c->finished && s->finished &&
	    (evidence_ends_before(c, s) || evidence_ends_before(s, c)))
		return false;
	return (answered && hole) || may_come_second(act, by_server ? c : s);
}

static enum outcome
outcome_without_end(const struct evidence *ev)
{
	const struct evidence_side *s = ev->server;

	if (evidence_is_tls13(ev) && s->hello && evidence_client_goes_on(ev) &&
	    !evidence_server_says_alert(ev))
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
	return !ev->server->bytes || !evidence_had_received(&act->mark, &ev->server->answer_mark);
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
	const struct evidence_record *finished =
	    evidence_is_tls13(ev) ? evidence_client_finished(ev) : NULL;

	return (server->kind == REFUSAL_CLOSE || server->kind == REFUSAL_RESET) &&
	       finished != NULL && evidence_had_received(&server->mark, &finished->mark) &&
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
		if (evidence_is_too_short_to_finish(side->recent[i].len))
			return true;
	}
	return false;
}

bool
evidence_is_decisive(const struct evidence_side *client, const struct evidence_side *server)
{
	/* What is established shows as one of these on both sides: evidence_is_established(). */
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
	answer = evidence_is_tls13(ev) ? evidence_client_answer(ev) : NULL;
	return answer == NULL || !evidence_is_too_short_to_finish(answer->len);
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
	bool established = evidence_is_established(ev);

	*out = (struct evidence_outcome){
		.settled = established,
		.outcome = established ? OUTCOME_ESTABLISHED : outcome_without_end(ev),
	};
	if (!established && !is_going_on(ev))
		judge_end(ev, out);
}
