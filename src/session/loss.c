/*
 * What of each side was not captured, and what may have been in it.
 *
 * A hole shows by the numbers of what stands behind it, and by what the other side acknowledged.
 * What follows from a handshake depends on what a hole has room for: another hello, an alert, a
 * FIN.
 */
#include "session/session_internal.h"
#include "tls/hello.h"
#include "tls/names.h"

#include "base/banned.h"

void
session_note_hole(struct session_side *side, int64_t begin, int64_t end)
{
	struct evidence_side *evidence = &side->evidence;

	if (!evidence->lost)
		evidence->lost_begin = begin;
	if (!evidence->lost || evidence->lost_end != begin)
		evidence->last_lost = begin;
	evidence->lost_end = end;
	side->gap = evidence->lost = true;
}

void
session_note_hole_before_hello(struct session *s, unsigned dir)
{
	struct session_side *side = &s->side[dir];

	s->hole_before_hello[dir] = true;
	side->hole_begin = side->evidence.last_lost;
	side->hole_end = side->evidence.lost_end;
}

void
session_lose_words(struct session *s, unsigned dir, int64_t offset, int64_t len)
{
	bool client = dir == (unsigned)s->mail_client;

	s->mail->offset = (uint32_t)offset;
	mail_dialogue_gap(s->mail, client ? MAIL_CLIENT : MAIL_SERVER, (uint64_t)len);
}

/* A hole inside a record, as where a packet was cut, hides no other record. */
int64_t
session_known_end(const struct session_side *side)
{
	const struct evidence_side *evidence = &side->evidence;
	int64_t end = session_end_offset(side);

	if (side->stage == STAGE_TLS && !evidence->hole && evidence->lost &&
	    evidence->lost_end > end)
		return evidence->lost_end;
	return end;
}

bool
session_lacks_before_reset(const struct session_side *side)
{
	/* A FIN counts as a byte, and is the last one: nothing lies between it and a reset. */
	return side->evidence.rst && !side->evidence.fin &&
	       side->evidence.rst_mark.offset > session_end_offset(side) + 1;
}

void
session_acked(struct session *s, unsigned dir, int64_t offset)
{
	struct session_side *side = &s->side[dir], *peer = &s->side[1 - dir];

	if (offset <= peer->peer_end_offset)
		return;
	/*
	 * One more may be a FIN.  A packet without data does not tell whether its sender had acted
	 * before, so nothing follows from that one: see session_imply_fin.
	 */
	if (offset == session_said_end(side) + 1 && !side->evidence.fin) {
		side->lacks_fin = true;
		offset--;
	}
	if (offset > session_end_offset(side) + 1)
		peer->peer_end_offset = offset;
}

/* The direction whose Finished was captured later.  Both have finished. */
static unsigned
later_to_finish(const struct session *s)
{
	return s->side[1].evidence.ciphertext_mark.time_us >
	       s->side[0].evidence.ciphertext_mark.time_us;
}

/*
 * True if the mirror is late with this side: the other side's Finished answers this one's, but was
 * captured first.  What this side sent before it received that Finished may still be to come.
 */
static bool
is_late(const struct session *s, unsigned dir)
{
	const struct session_side *side = &s->side[dir];
	const struct evidence_side *late = &side->evidence, *peer = &s->side[1 - dir].evidence;

	return peer->ciphertext_mark.time_us < late->ciphertext_mark.time_us &&
	       peer->ciphertext_mark.peer_offset > late->ciphertext_mark.offset &&
	       side->peer_end_offset <= peer->ciphertext_mark.offset;
}

/*
 * What is still to be heard (behind a hole, or from a side with which the mirror is late) may show
 * that a side had ended the handshake before the other one's Finished reached it.  In TLS 1.3 that
 * does not show, and so undoes nothing.
 */
bool
session_hears_more(const struct session *s)
{
	if (!s->side[0].evidence.finished || !s->side[1].evidence.finished)
		return false;
	return (s->options->has_more != NULL && s->options->has_more(s)) ||
	       is_late(s, later_to_finish(s));
}

int64_t
session_finished_us(const struct session *s)
{
	if (!s->waited)
		return s->event.settled_us;
	return s->side[later_to_finish(s)].evidence.ciphertext_mark.time_us;
}

/*
 * Notes the hole in front of the side's first byte that was captured: it begins with what the other
 * side had not received yet when it said hello.
 */
static void
note_loss_in_front(struct session *s, unsigned dir)
{
	const struct evidence_side *peer = &s->side[1 - dir].evidence;
	struct session_side *side = &s->side[dir];

	if (!s->spoke[dir] || side->evidence.lost || !peer->hello ||
	    peer->hello_mark.peer_offset == MARK_NO_PEER ||
	    peer->hello_mark.peer_offset >= side->first_mark.offset)
		return;
	session_note_hole(side, peer->hello_mark.peer_offset, side->first_mark.offset);
	side->evidence.hole = true;
}

/*
 * Where the capture begins in mid-connection, and no record was found in what the side answered to
 * the other one's hello, that answer is as good as lost.
 */
static void
note_unread(struct session *s, unsigned dir)
{
	const struct evidence_side *peer = &s->side[1 - dir].evidence;
	struct session_side *side = &s->side[dir];
	int64_t begin, end = session_end_offset(side);

	if (!s->conn->mid_start[dir] || !side->tls || side->records.state != TLS_RECORDS_LOST ||
	    !peer->hello)
		return;
	begin = side->tls_mark.offset;
	if (begin < peer->hello_mark.peer_offset)
		begin = peer->hello_mark.peer_offset;
	if (begin >= end)
		return;
	session_note_hole(side, begin, end);
	side->evidence.hole = true;
}

/*
 * RFC 9293, section 3.4: a FIN takes a number, so that the other side's acknowledgment of one more
 * than was said tells of it.  It has to be noted at once: who closed first decides.
 */
void
session_imply_fin(struct session *s, unsigned dir, int64_t acked, int64_t time_us)
{
	struct session_side *side = &s->side[dir];
	struct evidence_side *evidence = &side->evidence;
	int64_t end = session_known_end(side);

	if (acked != end + 1 || evidence->fin || (evidence->lost && evidence->lost_end > end))
		return;
	evidence->fin = side->fin_implied = side->ended = true;
	evidence->fin_mark = (struct mark){ time_us, end, MARK_NO_PEER };
	s->evidence_changed = s->maybe_decisive = true;
}

/*
 * The same at the connection's end, for a FIN of which only a packet without data told (so any act
 * that was seen came before it), or the number of a reset behind it.
 */
static void
imply_fin(struct session *s, unsigned dir, int64_t time_us)
{
	const struct evidence_side *side = &s->side[dir].evidence;

	session_imply_fin(s, dir, s->side[1 - dir].peer_end_offset, time_us);
	if (side->rst)
		session_imply_fin(s, dir, side->rst_mark.offset, side->rst_mark.time_us);
}

/* The end of the side's bytes, by the other side's acknowledgments and by the side's own reset. */
static int64_t
known_end(const struct session *s, unsigned dir)
{
	const struct evidence_side *side = &s->side[dir].evidence;
	int64_t acked = s->side[1 - dir].peer_end_offset;

	return side->rst && side->rst_mark.offset > acked ? side->rst_mark.offset : acked;
}

/* Notes the hole at the side's end. */
static void
note_loss_at_end(struct session *s, unsigned dir)
{
	struct session_side *side = &s->side[dir];
	int64_t begin = session_known_end(side), end = known_end(s, dir),
		said = session_said_end(side);

	/* A FIN counts as a byte. */
	if (end <= begin + 1)
		return;
	/* Some of it may have been told as a hole before. */
	if (end > said + 1)
		session_note_hole(side, said, end);
	/* The rest of a record is no other one. */
	if (side->stage != STAGE_TLS || end - begin > (int64_t)side->records.record_left)
		side->evidence.hole = true;
}

bool
session_note_losses(struct session *s, unsigned dir, int64_t time_us)
{
	const struct session_side *side = &s->side[dir];
	/* The other side has acknowledged more than was captured; a FIN counts as a byte there. */
	bool cut = s->side[1 - dir].peer_end_offset > session_end_offset(side) + 1;

	imply_fin(s, dir, time_us);
	note_loss_in_front(s, dir);
	note_unread(s, dir);
	if (cut || session_lacks_before_reset(side))
		note_loss_at_end(s, dir);
	return cut;
}

/* So soon a client that wants TLS asks for it, once it knows what the server can do. */
#define TLS_ASKED_WITHIN_US (INT64_C(5) * 1000 * 1000)

/* False for a side of which no word was captured: its answer is still to come. */
static bool
is_silent_since_long(const struct session *s, unsigned dir, int64_t time_us)
{
	return s->spoke[dir] && time_us - s->side[dir].last_mark.time_us >= TLS_ASKED_WITHIN_US;
}

bool
session_has_just_begun(const struct session *s, int64_t time_us)
{
	const struct mail_facts *facts = &s->mail->facts;

	return facts->command_count <= 1 && !facts->quit &&
	       mail_dialogue_may_turn_to_tls(s->mail) && !is_silent_since_long(s, 0, time_us) &&
	       !is_silent_since_long(s, 1, time_us);
}

/* RFC 5246, section 7.4.1.3: the shortest one, in a record of its own. */
#define SERVER_HELLO_MIN (TLS_RECORD_HEADER_LEN + 4 + 2 + TLS_RANDOM_LEN + 1 + 2 + 1)

/* True if the holes in the server's answer up to `end` have room for a ServerHello. */
static bool
hole_has_room_for_hello(const struct session *s, unsigned client, int64_t end)
{
	const struct evidence_side *server = &s->side[1 - client].evidence;
	const struct evidence_side *hello = &s->side[client].evidence;
	int64_t begin = server->lost_begin;

	if (!server->lost)
		return false;
	if (hello->hello && hello->hello_mark.peer_offset > begin)
		begin = hello->hello_mark.peer_offset;
	return (server->lost_end < end ? server->lost_end : end) - begin >= SERVER_HELLO_MIN;
}

bool
session_may_lack_hello(const struct session *s, unsigned client)
{
	return !s->side[1 - client].evidence.hello && hole_has_room_for_hello(s, client, INT64_MAX);
}

/* The last hole in front of the side's hello, or of all where it said none.  False: no hole. */
static bool
find_hole(const struct session *s, unsigned dir, int64_t *begin, int64_t *end)
{
	const struct session_side *side = &s->side[dir];
	bool before_hello = s->hole_before_hello[dir];

	if (!side->evidence.lost)
		return false;
	*begin = before_hello ? side->hole_begin : side->evidence.last_lost;
	*end = before_hello ? side->hole_end : side->evidence.lost_end;
	return true;
}

/* How many bytes right in front of the ClientHello were not captured. */
static int64_t
missing_before_hello(const struct session *s, unsigned client)
{
	const struct evidence_side *c = &s->side[client].evidence;
	int64_t begin, end;

	if (!c->hello || !find_hole(s, client, &begin, &end) || end != c->hello_mark.offset)
		return 0;
	return end - begin;
}

/* True if the holes right in front of the ClientHello have room for another one and its answer. */
static bool
hole_has_room_before_hello(const struct session *s, unsigned client, int64_t missing)
{
	const struct session_side *server = &s->side[1 - client];
	int64_t received = s->side[client].evidence.hello_mark.peer_offset, begin, end;

	if (missing == 0)
		return false;
	/* Nothing tells how much the server had said by then. */
	if (s->conn->mid_start[1 - client] &&
	    (!s->spoke[1 - client] || server->first_mark.offset >= received))
		return missing >= CLIENT_HELLO_MIN;
	return find_hole(s, 1 - client, &begin, &end) && end - begin >= SERVER_HELLO_MIN &&
	       begin < received;
}

/*
 * True if the capture begins so late that a ClientHello and a HelloRetryRequest may have been in
 * front of it.  RFC 8446, appendix D.4: in its compatible form either side has a ChangeCipherSpec
 * behind its first message; the client's shows its second hello: see note_second_hello.
 */
static bool
begins_behind_first_hello(const struct session *s, unsigned client)
{
	const struct session_side *c = &s->side[client], *server = &s->side[1 - client];
	int64_t offset = server->evidence.hello_mark.offset;

	if (!s->conn->mid_start[1 - client] || server->words ||
	    (server->evidence.ccs && !server->gap))
		return false;
	/* All that the server said in answer to a hello of the client is here. */
	if (c->evidence.hello && c->evidence.hello_mark.peer_offset == offset)
		return s->conn->mid_start[client] && !s->offers_session_id && !c->words &&
		       c->evidence.hello_mark.offset == c->first_mark.offset;
	return offset - server->first_mark.offset < SERVER_HELLO_MIN;
}

/* True if the version is TLS 1.3, or not known. */
static bool
may_be_13(const struct event *ev)
{
	uint16_t version = ev->tls_version != 0 ? ev->tls_version : ev->offered_version;

	return version == 0 || version >= TLS_VERSION_1_3;
}

void
session_doubt_first_hello(struct session *s, unsigned client)
{
	const struct session_side *server = &s->side[1 - client];
	const struct evidence_side *c = &s->side[client].evidence;
	struct event *ev = &s->event;
	int64_t missing;
	bool room;

	if (!may_be_13(ev))
		return;
	missing = missing_before_hello(s, client);
	room = hole_has_room_before_hello(s, client, missing);
	if (ev->hello_retry == TRI_FALSE &&
	    (room || hole_has_room_for_hello(s, client, server->evidence.hello_mark.offset) ||
		begins_behind_first_hello(s, client)))
		ev->hello_retry = TRI_UNKNOWN;
	if (ev->hello_retry == TRI_FALSE || !c->hello)
		return;
	/* The fingerprints are of the first hello, which this one may not be. */
	if ((room && missing >= CLIENT_HELLO_MIN) ||
	    ((ev->tls_version != 0 || server->evidence.hello) && server->tls &&
		mark_is_before(&server->tls_mark, &c->hello_mark)))
		ev->has_ja3 = ev->has_ja4 = false;
}

/* RFC 8446, section 6: the length of an alert in the clear, in its own record, and of a FIN. */
#define ALERT_AND_FIN (TLS_RECORD_HEADER_LEN + 2 + 1)

/*
 * Libraries answer an alert or a close by an alert, too.  So it is with a side whose alert
 * acknowledges bytes that were not captured, where these have room for nothing but an alert or a
 * close, or, as an answer to a ClientHello, not for a ServerHello.
 */
bool
session_may_alert_second(const struct session *s, unsigned dir)
{
	const struct session_side *peer = &s->side[1 - dir];
	const struct evidence_side *side = &s->side[dir].evidence;
	bool by_client = s->client == (int8_t)dir;
	int64_t known = session_known_end(peer), unseen;

	if (!side->alert || side->alert_mark.peer_offset == MARK_NO_PEER)
		return false;
	if (side->hello && side->hello_mark.peer_offset > known)
		known = side->hello_mark.peer_offset;
	known +=
	    peer->evidence.fin && !peer->fin_implied && peer->evidence.fin_mark.offset <= known;
	unseen = side->alert_mark.peer_offset - known;
	if (unseen <= (peer->stage == STAGE_TLS ? (int64_t)peer->records.record_left : 0))
		return false;
	if (by_client && side->hello && !peer->evidence.hello && !peer->evidence.hello_retry)
		return unseen < SERVER_HELLO_MIN;
	return unseen <= ALERT_AND_FIN;
}
