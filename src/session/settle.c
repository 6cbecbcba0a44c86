/* From the evidence to the event. */
#include <string.h>

#include "session/session_internal.h"
#include "tls/hello.h"
#include "tls/names.h"

#include "base/banned.h"

static bool
is_service(const struct session *s, unsigned dir)
{
	return service_set_has(s->options->services, s->conn->port[dir]);
}

unsigned
session_client_dir(const struct session *s)
{
	if (s->client >= 0)
		return (unsigned)s->client;
	if (s->conn->opener >= 0)
		return (unsigned)s->conn->opener;
	if (s->mail_client >= 0)
		return (unsigned)s->mail_client;
	return is_service(s, 0) && !is_service(s, 1) ? 1 : 0;
}

static void
set_endpoints(const struct session *s, struct event *ev)
{
	const struct connection *conn = s->conn;
	unsigned client = session_client_dir(s);

	ev->client_ip = conn->addr[client];
	ev->client_port = conn->port[client];
	ev->server_ip = conn->addr[1 - client];
	ev->server_port = conn->port[1 - client];
	ev->source = conn->source;
	ev->vlan = connection_vlan(conn, client);
	ev->has_client_mac = (conn->mac_dirs & 1u << client) != 0;
	memcpy(ev->client_mac, conn->mac[client], 6);
}

static struct service
service_of(const struct session *s, unsigned client)
{
	struct service service = service_set_find(s->options->services, s->conn->port[1 - client]);

	/* The service may stand on the side of the one who sent the ClientHello. */
	if (service.protocol == PROTOCOL_NONE)
		service = service_set_find(s->options->services, s->conn->port[client]);
	return service;
}

static void
set_client_name(const struct session *s, struct event *ev)
{
	const struct mail_facts *facts;

	if (s->mail == NULL)
		return;
	facts = &s->mail->facts;
	switch ((enum mail_name_source)facts->client_name_source) {
	case MAIL_NAME_NONE:
		return;
	case MAIL_NAME_EHLO:
		ev->client_name_source = NAME_SOURCE_EHLO;
		break;
	case MAIL_NAME_IMAP_ID:
		ev->client_name_source = NAME_SOURCE_IMAP_ID;
		break;
	}
	event_text_set(&ev->client_name, span_from(s->mail->client_name, facts->client_name_len));
}

static void
set_limited_by(const struct session *s, struct event *ev)
{
	ev->limited_by = SIDE_NONE;
	if (ev->tls_version == 0 || ev->offered_version == 0 ||
	    tls_version_compare(ev->tls_version, s->options->minimum) >= 0)
		return;
	ev->limited_by = tls_version_compare(ev->offered_version, ev->tls_version) > 0
			     ? SIDE_SERVER
			     : SIDE_CLIENT;
}

/* A FIN that was not captured matters where nothing else tells how the handshake went. */
static bool
lacks_end(const struct session *s)
{
	return (s->side[0].lacks_fin || s->side[1].lacks_fin) &&
	       (s->event.outcome == OUTCOME_NEGOTIATED || s->event.outcome == OUTCOME_UNANSWERED);
}

static void
emit(struct session *s, int64_t time_us)
{
	struct event *ev = &s->event;
	unsigned client = session_client_dir(s);
	struct service service = service_of(s, client);

	set_endpoints(s, ev);
	ev->settled_us = time_us;
	ev->protocol = service.protocol;
	if (s->mail != NULL && !s->mail->guessed)
		ev->protocol = (enum protocol)s->mail->protocol;
	set_client_name(s, ev);
	if (ev->kind == EVENT_TLS_HANDSHAKE) {
		ev->tls_mode = session_mode(s, &service);
		set_limited_by(s, ev);
		session_doubt_first_hello(s, client);
		/* What was not captured matters: the other direction, or a hello of it. */
		ev->capture_gap = s->side[0].gap || s->side[1].gap || !s->conn->seen[0] ||
				  !s->conn->seen[1] || !s->side[client].evidence.hello ||
				  s->second_hello || lacks_end(s);
	} else {
		ev->capture_gap =
		    s->side[0].gap || s->side[1].gap || !s->conn->seen[0] || !s->conn->seen[1];
	}
	if (!network_set_contains(s->options->internal, &ev->client_ip)) {
		s->options->counters->external_client++;
		return;
	}
	s->options->counters->events++;
	if (ev->kind == EVENT_TLS_HANDSHAKE && s->mail != NULL && s->mail->facts.login)
		s->options->counters->login_before_tls++;
	s->emitted = true;
	s->options->event(s->options->arg, ev);
}

const struct event *
session_event(const struct session *s)
{
	return s->emitted ? &s->event : NULL;
}

int64_t
session_handshake_end(const struct session *s, unsigned dir)
{
	const struct evidence_side *side = &s->side[dir].evidence;

	/* In 1.3 nobody can tell Finished from what follows it. */
	if (!side->finished || s->event.tls_version >= TLS_VERSION_1_3)
		return -1;
	return side->ciphertext_mark.offset + TLS_RECORD_HEADER_LEN + side->ciphertext_len;
}

/* A side's FIN, or its reset where there is none; NULL: it did not close. */
static const struct mark *
close_of(const struct evidence_side *side)
{
	if (side->fin)
		return &side->fin_mark;
	return side->rst ? &side->rst_mark : NULL;
}

static bool
has_closed(const struct session *s)
{
	return close_of(&s->side[0].evidence) != NULL || close_of(&s->side[1].evidence) != NULL;
}

struct session_close
session_first_close(const struct session *s)
{
	const struct mark *a = close_of(&s->side[0].evidence), *b = close_of(&s->side[1].evidence);
	unsigned dir = a != NULL && (b == NULL || mark_is_before(a, b)) ? 0 : 1;
	const struct mark *first = dir == 0 ? a : b;

	if (first == NULL)
		return (struct session_close){ .how = SESSION_END_UNSEEN };
	return (struct session_close){
		.how = s->side[dir].evidence.fin ? SESSION_END_CLOSE : SESSION_END_RESET,
		.dir = dir,
		.time_us = first->time_us,
		.received = first->peer_offset,
	};
}

__attribute__((cold)) void
session_note_reply(struct session *s, unsigned dir, const struct mark *mark)
{
	const struct evidence_side *client = &s->side[1 - dir].evidence;
	struct session_side *side = &s->side[dir];

	if (side->replied || !client->hello || !mark_is_before(&client->hello_mark, mark))
		return;
	side->replied = true;
	side->reply_mark = *mark;
}

/*
 * The first byte by which the server answers the ClientHello; false where there is none.  Where TLS
 * comes at once any word of the server is an answer, a greeting too.
 */
static bool
find_answer(const struct session *s, unsigned client, struct mark *answer)
{
	const struct session_side *server = &s->side[1 - client];
	const struct evidence_side *hello = &s->side[client].evidence;
	struct service service = service_of(s, client);

	if (!s->spoke[1 - client])
		return false;
	*answer = server->tls_mark;
	if (!hello->hello)
		return server->tls;
	/* In mid-connection, words of the dialogue before TLS may pass for lost records. */
	if (server->tls && mark_is_before(&hello->hello_mark, answer))
		return true;
	*answer = server->first_mark;
	if (session_mode(s, &service) == TLS_MODE_IMPLICIT)
		return true;
	*answer = server->replied ? server->reply_mark : server->last_mark;
	/* Delivered before the hello, they answer it from where that had received them. */
	if (!server->replied && hello->hello_mark.peer_offset != MARK_NO_PEER &&
	    hello->hello_mark.peer_offset < answer->offset)
		*answer = mark_at(answer, hello->hello_mark.peer_offset);
	return mark_is_before(&hello->hello_mark, answer);
}

/*
 * An alert and the close behind it are one act, named by the alert: where bytes right in front of
 * the close were not captured, its name is not known.  What the other side had received before it
 * said hello was none.
 */
static bool
may_lack_alert(const struct session *s, unsigned dir, enum refusal_kind end)
{
	const struct session_side *side = &s->side[dir];
	const struct evidence_side *peer = &s->side[1 - dir].evidence;
	int64_t known = session_end_offset(side);

	if (peer->hello && peer->hello_mark.peer_offset > known)
		known = peer->hello_mark.peer_offset;
	/* A close by an alert is a close_notify: it is here. */
	if (end == REFUSAL_CLOSE)
		return !side->evidence.alert && side->evidence.fin_mark.offset > known;
	return end == REFUSAL_RESET && session_lacks_before_reset(side) &&
	       side->evidence.rst_mark.offset > known;
}

static void
judge_tls(struct session *s, struct evidence_outcome *out)
{
	unsigned client = (unsigned)s->client;
	struct evidence_side *server = &s->side[1 - client].evidence;
	const struct evidence ev = {
		.client = &s->side[client].evidence,
		.server = server,
		.client_seen = s->conn->seen[client],
		.server_seen = s->conn->seen[1 - client],
		.version = s->event.tls_version,
	};

	server->bytes = evidence_may_act(ev.client) && find_answer(s, client, &server->answer_mark);
	server->hello_lost = session_may_lack_hello(s, client);
	for (unsigned dir = 0; dir < 2; dir++)
		s->side[dir].evidence.answers = session_may_alert_second(s, dir);
	evidence_judge(&ev, out);
	if (out->outcome == OUTCOME_REFUSED &&
	    may_lack_alert(s, out->refused_by == SIDE_CLIENT ? client : 1 - client, out->refusal))
		out->refusal = REFUSAL_NONE;
}

/*
 * The server had received more of the client before its Finished than is here yet.  There may be an
 * alert in it.  What was lost will not come any more, what was captured behind it will.
 */
static bool
awaits_client(const struct session *s)
{
	const struct session_side *client = &s->side[s->client];
	const struct evidence_side *server = &s->side[1 - s->client].evidence;
	int64_t known = session_end_offset(client);

	if (client->evidence.lost && client->evidence.lost_end > known)
		known = client->evidence.lost_end;
	return server->ciphertext && server->ciphertext_mark.peer_offset > known;
}

static void
emit_tls(struct session *s, const struct evidence_outcome *result, int64_t time_us)
{
	s->event.kind = EVENT_TLS_HANDSHAKE;
	s->event.outcome = result->outcome;
	s->event.refused_by = result->refused_by;
	s->event.refusal = result->refusal;
	s->event.refusal_alert = result->refusal_alert;
	emit(s, time_us);
}

static void
emit_logins(struct session *s)
{
	const struct mail_facts *facts = &s->mail->facts;
	struct event_ending *ending = &s->event.ending;

	_Static_assert(
	    sizeof(ending->failed_names) == sizeof(s->mail->failed_names), "all of them");
	if (!s->emitted || s->options->ending == NULL ||
	    (facts->failed_logins == 0 && facts->accepted_logins == 0))
		return;
	s->event.kind = EVENT_SESSION_END;
	*ending = (struct event_ending){
		.failed_logins = facts->failed_logins,
		.accepted_logins = facts->accepted_logins,
		.failed_name_count = facts->failed_name_count,
	};
	memcpy(ending->failed_names, s->mail->failed_names,
	    facts->failed_name_count * sizeof(ending->failed_names[0]));
	s->options->ending(s->options->arg, &s->event);
}

static void
emit_cleartext(struct session *s, int64_t time_us)
{
	struct event *ev = &s->event;
	const struct session_side *a = &s->side[0], *b = &s->side[1];

	session_begin_event(s);
	ev->kind = EVENT_CLEARTEXT_SESSION;
	ev->tls_mode = TLS_MODE_NONE;
	ev->outcome = OUTCOME_CLEARTEXT;
	ev->fallback_scsv = TRI_FALSE;
	ev->login = s->mail->facts.login;
	ev->timestamp_us =
	    !s->spoke[1] || (s->spoke[0] && a->first_mark.time_us <= b->first_mark.time_us)
		? a->first_mark.time_us
		: b->first_mark.time_us;
	emit(s, time_us);
	emit_logins(s);
}

/*
 * A server that has nothing but TLS answers words with an alert.  All that was said is here, so no
 * hello was.
 */
static bool
refuses_words(const struct session *s, unsigned dir)
{
	const struct session_side *side = &s->side[dir], *peer = &s->side[1 - dir];

	return dir != (unsigned)s->mail_client && side->evidence.alert &&
	       side->evidence.alert_kind == REFUSAL_ALERT &&
	       side->evidence.alert_mark.offset == side->tls_mark.offset &&
	       peer->stage == STAGE_MAIL && !side->gap && !peer->gap && !s->conn->mid_start[0] &&
	       !s->conn->mid_start[1] &&
	       (!s->mail->facts.starttls_asked || s->mail->facts.granted_in_vain);
}

/*
 * No command was seen: there is an answer, as if to one.  It was to noise, where all that the
 * client said is here.
 */
static bool
answers_noise(const struct session *s)
{
	const struct session_side *client = &s->side[s->mail_client];

	return s->mail->command_seen == 0 && !client->gap && !s->conn->mid_start[s->mail_client] &&
	       (client->stage == STAGE_PREAMBLE || client->stage == STAGE_GARBAGE);
}

static bool
is_cleartext(const struct session *s)
{
	const struct mail_facts *facts = s->mail != NULL ? &s->mail->facts : NULL;

	if (facts == NULL || facts->command_count == 0 || answers_noise(s) ||
	    (facts->starttls_granted && !facts->granted_in_vain &&
		!(facts->login && facts->logged_in)))
		return false;
	for (unsigned dir = 0; dir < 2; dir++) {
		if (s->side[dir].stage == STAGE_TLS && !refuses_words(s, dir))
			return false;
	}
	return true;
}

/* So much of what the side said last was not captured, nor had the other one received it yet. */
static int64_t
lost_at_end(const struct session_side *side, const struct session_side *peer)
{
	const struct evidence_side *said = &side->evidence;
	int64_t begin = said->last_lost, end = said->lost_end;

	if (!said->lost || end < session_end_offset(side))
		return 0;
	if (peer->last_mark.peer_offset > begin)
		begin = peer->last_mark.peer_offset;
	/* The FIN that was acknowledged, too, is none of them. */
	if (said->fin && end > said->fin_mark.offset)
		end = said->fin_mark.offset;
	return end - begin;
}

/*
 * The last words are missing: so many of the client's that a hello may be among them, or a STARTTLS
 * to which no answer is here; or of the server's an answer that nothing here has asked for, as far
 * as that is known.
 */
static bool
may_hide_tls(const struct session *s)
{
	const struct session_side *client = &s->side[s->mail_client];
	const struct session_side *server = &s->side[1 - s->mail_client];
	const struct evidence_side *words = &client->evidence;

	if (!mail_dialogue_may_turn_to_tls(s->mail))
		return false;
	if (words->lost && words->lost_end >= session_end_offset(client) &&
	    words->lost_end - words->last_lost >= CLIENT_HELLO_MIN)
		return true;
	if (lost_at_end(client, server) >= (int64_t)mail_dialogue_request_min(s->mail))
		return true;
	return close_of(words) == NULL && lost_at_end(server, client) >= (int64_t)MAIL_GRANT_MIN;
}

/*
 * SPEC section 4: cleartext is where STARTTLS was refused or never asked for.  Where the capture
 * ends behind the question, or right in front of it, or lacks what followed, nobody knows.
 */
static bool
ends_before_tls(const struct session *s, int64_t time_us)
{
	bool closed = has_closed(s);

	if (may_hide_tls(s) || (!closed && session_has_just_begun(s, time_us)))
		return true;
	return mail_dialogue_awaits_tls(s->mail) && (!closed || s->side[0].gap || s->side[1].gap);
}

/*
 * RFC 9051, section 6.2.1; RFC 2595, section 4: no STARTTLS once logged in.  In SMTP nothing
 * forbids it, and behind PREAUTH some servers grant it.  The server's yes may be delivered before
 * the client's question, which tells how it logged in.
 */
static bool
login_is_over(const struct session *s)
{
	const struct mail_facts *facts = &s->mail->facts;

	return facts->login && facts->logged_in && !facts->starttls_granted &&
	       s->mail->protocol != PROTOCOL_SMTP;
}

/* There is something by which a handshake can end or be established. */
static enum session_wish
judge_decisive(struct session *s, int64_t time_us)
{
	struct evidence_outcome result;

	judge_tls(s, &result);
	if (result.settled && !awaits_client(s) && !session_hears_more(s)) {
		emit_tls(s, &result, time_us);
		return SESSION_SETTLED;
	}
	/* Whatever comes may be what is waited for; behind the end that is not for long. */
	s->evidence_changed = result.settled;
	s->waited = s->waited || (result.settled && s->side[0].evidence.finished &&
				     s->side[1].evidence.finished);
	s->wish =
	    result.ended || (result.settled && has_closed(s)) ? SESSION_LINGER : SESSION_GO_ON;
	return s->wish;
}

/* No hello was seen. */
static enum session_wish
judge_words(struct session *s, int64_t time_us)
{
	if (s->mail != NULL && login_is_over(s) && is_cleartext(s)) {
		emit_cleartext(s, time_us);
		return SESSION_SETTLED;
	}
	if (s->side[0].evidence.fin && s->side[1].evidence.fin)
		return SESSION_LINGER;
	if (s->side[0].evidence.rst || s->side[1].evidence.rst)
		return SESSION_LINGER;
	return SESSION_GO_ON;
}

enum session_wish
session_judge_anew(struct session *s, int64_t time_us)
{
	if (s->client < 0)
		return judge_words(s, time_us);
	s->evidence_changed = false;
	s->wish = SESSION_GO_ON;
	if (!s->maybe_decisive ||
	    !evidence_is_decisive(&s->side[s->client].evidence, &s->side[1 - s->client].evidence))
		return s->wish;
	return judge_decisive(s, time_us);
}

/* To a server that greets, the client said something that is no line: noise, or half a line. */
static bool
has_noise(const struct session *s)
{
	const struct session_side *client = &s->side[s->mail_client];

	return s->mail->facts.garbage || client->stage == STAGE_PREAMBLE ||
	       client->stage == STAGE_GARBAGE || mail_dialogue_is_in_line(s->mail, MAIL_CLIENT);
}

/* No attempt, no event: counted by kind. */
static void
count_no_event(struct session *s, int64_t time_us)
{
	struct session_counters *c = s->options->counters;
	const struct session_side *a = &s->side[0], *b = &s->side[1];
	bool greeted = s->mail != NULL && s->spoke[1 - (unsigned)s->mail_client];

	if (a->records.hello_pending || b->records.hello_pending)
		c->half_hello++;
	else if (s->mail != NULL &&
		 (s->mail->facts.starttls_granted || ends_before_tls(s, time_us)))
		c->starttls_no_hello++;
	else if (a->stage == STAGE_TLS || b->stage == STAGE_TLS || (!s->spoke[0] && !s->spoke[1]))
		c->no_hello++;
	else if (session_is_http(s))
		c->http++;
	else if (s->mail != NULL && s->mail->facts.quit && !s->mail->facts.garbage)
		c->quit_only++;
	else if (!greeted || has_noise(s))
		c->garbage++; /* no line of the client's is whole, where that is all */
	else
		c->banner_only++;
}

/*
 * Behind what of the client a hello may be missing: what it said in words behind a hole, in whole
 * lines, is no rest of one.
 */
static int64_t
unheard_from(const struct session *s, const struct session_side *heard)
{
	const struct evidence_side *said = &heard->evidence;
	bool in_words = heard->stage == STAGE_MAIL && heard->last_mark.offset >= said->lost_end &&
			!mail_dialogue_is_in_line(s->mail, MAIL_CLIENT);

	return said->lost && !in_words ? said->lost_begin : session_end_offset(heard);
}

/*
 * What the server says first is a fatal alert, to bytes that were not captured, or not all of them:
 * that was a hello, and this is what became of it.  A client that was heard has said none, and one
 * that has words for a server without any does not begin TLS; nor is a hello so short as what is
 * missing.  A FIN counts as a byte.
 */
static bool
is_refused_unheard(const struct session *s)
{
	unsigned client = session_client_dir(s);
	const struct session_side *server = &s->side[1 - client], *heard = &s->side[client];
	const struct evidence_side *said = &server->evidence;
	int64_t answered = said->alert_mark.peer_offset;

	return said->alert && !said->warning && said->alert_kind == REFUSAL_ALERT &&
	       said->alert_mark.offset == server->tls_mark.offset && !server->gap &&
	       !s->conn->mid_start[1 - client] &&
	       answered >= unheard_from(s, heard) + CLIENT_HELLO_MIN &&
	       ((!heard->tls && answered > session_end_offset(heard) + 1) ||
		   (heard->evidence.lost && answered > heard->evidence.lost_end &&
		       (server->words || !heard->words)));
}

void
session_end(struct session *s, int64_t time_us)
{
	struct evidence_outcome result;

	for (unsigned dir = 0; dir < 2; dir++) {
		struct session_record_arg arg = { .s = s, .dir = dir };
		bool cut = session_note_losses(s, dir, time_us);

		/* Half a hello is no attempt, but one that the capture cut is. */
		if (s->client >= 0 || s->side[1 - dir].evidence.hello || cut)
			tls_record_stream_flush(&s->side[dir].records, &session_record_sink, &arg);
	}
	if (s->client < 0 && is_refused_unheard(s))
		s->client = (int8_t)session_client_dir(s);
	if (s->client >= 0) {
		judge_tls(s, &result);
		emit_tls(s, &result, time_us);
	} else if (is_cleartext(s) && !ends_before_tls(s, time_us)) {
		emit_cleartext(s, time_us);
	} else {
		count_no_event(s, time_us);
	}
	session_free(s);
}
