/*
 * evidence_finished - whether both sides have finished a handshake, as far as their records tell.
 *
 * In TLS 1.3 what is protected shows by its length alone whether it may be Finished or an alert.
 */
#ifndef TLSTALLY_SESSION_EVIDENCE_FINISHED_H
#define TLSTALLY_SESSION_EVIDENCE_FINISHED_H

#include "session/evidence.h"
#include "tls/names.h"

/* The longest protected alert, with room for an unusual tag: SPEC section 4. */
#define TLS13_ALERT_MAX 24

static inline bool
evidence_is_tls13(const struct evidence *ev)
{
	return ev->version == TLS_VERSION_1_3;
}

/* JSSE (seen in Java 17) adds 16 bytes of padding to what is no application data. */
#define TLS13_ALERT_PADDED 35

/* RFC 8446, section 5.2: an alert's two bytes, the content type and a tag of 8 or 16 bytes. */
static inline bool
evidence_is_alert_len(uint32_t len)
{
	return len == 11 || len == 19 || len == TLS13_ALERT_PADDED;
}

/* Where Finished belongs, what is as short is an alert; Finished has 45 bytes or more. */
static inline bool
evidence_is_too_short_to_finish(uint32_t len)
{
	return len <= TLS13_ALERT_MAX || len == TLS13_ALERT_PADDED;
}

/*
 * True when the sender of `act` had received the other side's `earlier`: what it acknowledged
 * tells, packet time only where that is not known.
 */
static inline bool
evidence_had_received(const struct mark *act, const struct mark *earlier)
{
	return act->peer_offset != MARK_NO_PEER ? act->peer_offset > earlier->offset
						: act->time_us >= earlier->time_us;
}

/*
 * The client's first protected record in answer to the ServerHello, NULL where there is none. Early
 * data was sent before the ServerHello came.  A short record that a longer one follows is no alert
 * but EndOfEarlyData or an empty Certificate: RFC 8446, sections 4.5 and 4.4.2.
 */
const struct evidence_record *evidence_client_answer(const struct evidence *ev);
/* The client's Finished, or what shows that it went by. */
const struct evidence_record *evidence_client_finished(const struct evidence *ev);

enum evidence_answer { ANSWER_NONE, ANSWER_ALERT, ANSWER_GOES_ON };

/*
 * What the server sent after the client's Finished.  Alerts alone refuse, unless the client had
 * closed before in good order.
 */
enum evidence_answer evidence_server_answer(
    const struct evidence *ev, const struct evidence_record *finished);

/*
 * An alert behind its own Finished, or the end, sent before the other side's came: a client that
 * checks the certificate late (NSS does) ends the handshake so, and the server's Finished crosses
 * that on its way.
 */
bool evidence_ends_before(const struct evidence_side *side, const struct evidence_side *peer);
/* Both sides have finished, in whatever version. */
bool evidence_is_established(const struct evidence *ev);
/*
 * The client went on after its Finished: another record, in a segment of its own, that is no alert.
 * A flight with a Certificate, be it empty, has several records as well, in as many segments.
 */
bool evidence_client_goes_on(const struct evidence *ev);
/*
 * An alert is the very next that the server said after what the client had received when it
 * finished: it does not go on, whatever the client sent before the alert came.
 */
bool evidence_server_says_alert(const struct evidence *ev);

#endif
