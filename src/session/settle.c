/* Judges from the evidence what became of the attempt, and when nothing changes that any more. */
#include "session/session_internal.h"
#include "tls/hello.h"
#include "tls/names.h"

#include "base/banned.h"

int64_t
session_handshake_end(const struct session *s, unsigned dir)
{
	const struct evidence_side *side = &s->side[dir].evidence;

	/* In 1.3 nobody can tell Finished from what follows it. */
	if (!side->finished || s->event.tls_version >= TLS_VERSION_1_3)
		return -1;
	return side->ciphertext_mark.offset + TLS_RECORD_HEADER_LEN + side->ciphertext_len;
}

bool
session_has_closed(const struct session *s)
{
	return evidence_close(&s->side[0].evidence) != NULL ||
	       evidence_close(&s->side[1].evidence) != NULL;
}

struct session_close
session_first_close(const struct session *s)
{
	const struct mark *a = evidence_close(&s->side[0].evidence),
			  *b = evidence_close(&s->side[1].evidence);
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
 * Finds the first byte by which the server answers the ClientHello; false where there is none.  On
 * a port where TLS comes at once, any word of the server is an answer, a greeting too.
 */
static bool
find_answer(const struct session *s, unsigned client, struct mark *answer)
{
	const struct session_side *server = &s->side[1 - client];
	const struct evidence_side *hello = &s->side[client].evidence;
	struct service service = session_service(s, client);

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
 * An alert and the close behind it are one act, named by the alert.  True if bytes right in front
 * of the close were not captured, so that nobody knows that name.  What the other side had received
 * before it said hello was no alert.
 */
static bool
may_lack_alert(const struct session *s, unsigned dir, enum refusal_kind end)
{
	const struct session_side *side = &s->side[dir];
	const struct evidence_side *peer = &s->side[1 - dir].evidence;
	int64_t known = session_known_end(side);

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
 * True if more of the client is to come, in which there may be an alert: the server had received it
 * before it sent its Finished.  What is known to be lost does not come any more.
 */
static bool
awaits_client(const struct session *s)
{
	const struct session_side *client = &s->side[s->client];
	const struct evidence_side *server = &s->side[1 - s->client].evidence;

	return server->ciphertext && server->ciphertext_mark.peer_offset > session_said_end(client);
}

/* Judges evidence by which a handshake can end or be established. */
static enum session_wish
judge_decisive(struct session *s, int64_t time_us)
{
	struct evidence_outcome result;

	judge_tls(s, &result);
	if (result.settled && !awaits_client(s) && !session_hears_more(s)) {
		session_emit_tls(s, &result, time_us);
		return SESSION_SETTLED;
	}
	/* Whatever comes may be what is waited for; behind the end that is not for long. */
	s->evidence_changed = result.settled;
	s->waited = s->waited || (result.settled && s->side[0].evidence.finished &&
				     s->side[1].evidence.finished);
	s->wish = result.ended || (result.settled && session_has_closed(s)) ? SESSION_LINGER
									    : SESSION_GO_ON;
	return s->wish;
}

/* Judges a session of which no hello was seen yet. */
static enum session_wish
judge_words(struct session *s, int64_t time_us)
{
	if (s->mail != NULL && session_login_is_over(s) && session_is_cleartext(s)) {
		session_emit_cleartext(s, time_us);
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

/* True if the client said what is no line of a mail protocol: noise, or half a line. */
static bool
has_noise(const struct session *s)
{
	const struct session_side *client = &s->side[s->mail_client];

	return s->mail->facts.garbage || client->stage == STAGE_PREAMBLE ||
	       client->stage == STAGE_GARBAGE || mail_dialogue_is_in_line(s->mail, MAIL_CLIENT);
}

/* Counts, by its kind, a session that gives no event because nothing was attempted. */
static void
count_no_event(struct session *s, int64_t time_us)
{
	struct session_counters *c = s->options->counters;
	const struct session_side *a = &s->side[0], *b = &s->side[1];
	bool greeted = s->mail != NULL && s->spoke[1 - (unsigned)s->mail_client];

	session_count_login(s);
	if (a->records.hello_pending || b->records.hello_pending)
		c->half_hello++;
	else if (s->mail != NULL &&
		 (s->mail->facts.starttls_granted || session_ends_before_tls(s, time_us)))
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
 * The offset behind which a hello of the client may be missing: its first hole or, where whole
 * lines stand behind that hole, which are no rest of a hello, its end.
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
 * True if the server's first record is a fatal alert to a hello that was not captured.  It is to a
 * hello if enough bytes for one are missing of what the alert acknowledges.  It is not if the
 * client was heard, or had words for a server that had none.  A FIN counts as a byte.
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
		session_emit_tls(s, &result, time_us);
	} else if (session_is_cleartext(s) && !session_ends_before_tls(s, time_us)) {
		session_emit_cleartext(s, time_us);
	} else {
		count_no_event(s, time_us);
	}
	session_free(s);
}
