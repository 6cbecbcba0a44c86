/* Without a hello: is that a session in cleartext, or may TLS have followed unseen? */
#include "session/session_internal.h"
#include "tls/hello.h"
#include "tls/names.h"

#include "base/banned.h"

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

bool
session_is_cleartext(const struct session *s)
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
	return evidence_close(words) == NULL &&
	       lost_at_end(server, client) >= (int64_t)MAIL_GRANT_MIN;
}

bool
session_ends_before_tls(const struct session *s, int64_t time_us)
{
	bool closed = session_has_closed(s);

	if (may_hide_tls(s) || (!closed && session_has_just_begun(s, time_us)))
		return true;
	return mail_dialogue_awaits_tls(s->mail) && (!closed || s->side[0].gap || s->side[1].gap);
}

/*
 * RFC 9051, section 6.2.1; RFC 2595, section 4: no STARTTLS once logged in.  In SMTP nothing
 * forbids it, and behind PREAUTH some servers grant it.  The server's yes may be delivered before
 * the client's question, which tells how it logged in.
 */
bool
session_login_is_over(const struct session *s)
{
	const struct mail_facts *facts = &s->mail->facts;

	return facts->login && facts->logged_in && !facts->starttls_granted &&
	       s->mail->protocol != PROTOCOL_SMTP;
}
