#include "session/evidence_finished.h"

#include "base/banned.h"

/*
 * RFC 8446, section 4.2.10: what the client sends before it has received the ServerHello is early
 * data.  Where that was lost, what comes before anything of an answer is.
 */
static bool
may_answer(const struct evidence *ev, const struct mark *record)
{
	const struct evidence_side *c = ev->client;

	if (ev->server->hello)
		return evidence_had_received(record, &ev->server->hello_mark);
	return !c->early_data || record->peer_offset == MARK_NO_PEER ||
	       record->peer_offset > c->hello_mark.peer_offset;
}

const struct evidence_record *
evidence_client_answer(const struct evidence *ev)
{
	const struct evidence_side *c = ev->client;
	const struct evidence_record *answer = NULL;

	if (c->early_data && !ev->server->hello && ev->server_seen && !ev->server->lost)
		return NULL;
	for (unsigned i = 0; i < c->recent_count; i++) {
		if (!may_answer(ev, &c->recent[i].mark))
			continue;
		if (!evidence_is_too_short_to_finish(c->recent[i].len))
			return &c->recent[i];
		if (answer == NULL)
			answer = &c->recent[i];
	}
	return answer;
}

const struct evidence_record *
evidence_client_finished(const struct evidence *ev)
{
	const struct evidence_record *first = evidence_client_answer(ev);

	return first != NULL && !evidence_is_too_short_to_finish(first->len) ? first : NULL;
}

/* The client closed, by an alert behind its Finished or a FIN, before this record of the server. */
static bool
client_closed_before(const struct evidence *ev, const struct evidence_record *finished,
    const struct evidence_record *answer)
{
	const struct evidence_side *c = ev->client;

	if (c->fin && evidence_had_received(&answer->mark, &c->fin_mark))
		return true;
	for (unsigned i = 0; i < c->recent_count; i++) {
		const struct evidence_record *r = &c->recent[i];

		if (r->mark.offset > finished->mark.offset && evidence_is_alert_len(r->len) &&
		    evidence_had_received(&answer->mark, &r->mark))
			return true;
	}
	return false;
}

enum evidence_answer
evidence_server_answer(const struct evidence *ev, const struct evidence_record *finished)
{
	const struct evidence_side *s = ev->server;
	enum evidence_answer answer = ANSWER_NONE;

	for (unsigned i = 0; i < s->recent_count; i++) {
		const struct evidence_record *r = &s->recent[i];

		if (!evidence_had_received(&r->mark, &finished->mark))
			continue;
		if (!evidence_is_alert_len(r->len) || client_closed_before(ev, finished, r))
			return ANSWER_GOES_ON;
		answer = ANSWER_ALERT;
	}
	return answer;
}

/* RFC 8446: both sides finished, as far as ciphertext shows it. */
static bool
tls13_is_established(const struct evidence *ev)
{
	const struct evidence_record *finished = evidence_client_finished(ev);

	return finished != NULL && evidence_server_answer(ev, finished) == ANSWER_GOES_ON;
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

bool
evidence_ends_before(const struct evidence_side *side, const struct evidence_side *peer)
{
	if ((side->fin && closes_before(&side->fin_mark, peer)) ||
	    (side->rst && closes_before(&side->rst_mark, peer)))
		return true;
	return side->alert && !side->warning && side->alert_kind == REFUSAL_ENCRYPTED_ALERT &&
	       side->ciphertext_mark.offset < side->alert_mark.offset &&
	       !evidence_had_received(&side->alert_mark, &peer->ciphertext_mark);
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
	return !evidence_ends_before(c, s) && !evidence_ends_before(s, c) &&
	       !may_end_before(c, s) && !may_end_before(s, c);
}

/*
 * The ServerHello is here, or was lost behind a HelloRetryRequest, which named the version.  Behind
 * that nothing of the client's is early data: RFC 8446, section 4.2.10.
 */
static bool
says_hello_13(const struct evidence *ev)
{
	const struct evidence_side *s = ev->server;

	return s->hello || (s->hello_retry && s->hello_lost && !ev->client->early_data);
}

bool
evidence_is_established(const struct evidence *ev)
{
	const struct evidence_side *c = ev->client, *s = ev->server;

	/* Where the ServerHello was cut, its format is all that tells the version. */
	if (ev->version == TLS_VERSION_SSL2 || (ev->version == 0 && s->ssl2_records > 0))
		return c->ssl2_records >= 2 && s->ssl2_records >= 2;
	if (evidence_is_tls13(ev))
		return says_hello_13(ev) && tls13_is_established(ev);
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

bool
evidence_client_goes_on(const struct evidence *ev)
{
	const struct evidence_side *c = ev->client;
	const struct evidence_record *finished = evidence_client_finished(ev);
	/* So many records are no flight, and its Finished may not be among the latest any more. */
	bool many = c->recent_count == EVIDENCE_RECENT;

	for (unsigned i = 0; finished != NULL && i < c->recent_count; i++) {
		const struct evidence_record *r = &c->recent[i];
		uint32_t len = finished->len;

		if (r->mark.offset <= finished->mark.offset)
			continue;
		if ((len < TLS13_FINISHED_MIN || len > TLS13_FINISHED_MAX) && !many)
			finished = r;
		else if (r->mark.time_us > finished->mark.time_us && !evidence_is_alert_len(r->len))
			return true;
	}
	return false;
}

bool
evidence_server_says_alert(const struct evidence *ev)
{
	const struct evidence_record *finished = evidence_client_finished(ev);
	const struct evidence_side *s = ev->server;

	if (finished == NULL || finished->mark.peer_offset == MARK_NO_PEER)
		return false;
	/* What was lost there has no room for more than an alert, and nothing came behind it. */
	if (s->lost && s->lost_end > finished->mark.peer_offset &&
	    s->lost_end - finished->mark.peer_offset <= TLS_RECORD_HEADER_LEN + TLS13_ALERT_MAX)
		return evidence_server_answer(ev, finished) != ANSWER_GOES_ON;
	if (evidence_server_answer(ev, finished) != ANSWER_ALERT)
		return false;
	for (unsigned i = 0; i < s->recent_count; i++) {
		if (s->recent[i].mark.offset == finished->mark.peer_offset)
			return true;
	}
	return false;
}
