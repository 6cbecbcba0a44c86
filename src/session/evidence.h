/*
 * evidence - what both sides did in a handshake, in marks, and what follows from it.
 *
 * A pure function over what was seen: it does not matter in which order the two directions were
 * delivered, so a mirror that swaps them, or a shuffled capture, changes no outcome.
 */
#ifndef TLSTALLY_SESSION_EVIDENCE_H
#define TLSTALLY_SESSION_EVIDENCE_H

#include <stddef.h>
#include <string.h>

#include "base/mark.h"
#include "event/event.h"

/* The latest records that were, or may be, ciphertext. */
#define EVIDENCE_RECENT 8

struct evidence_record {
	uint32_t len;
	struct mark mark;
};

/*
 * What one side did.  The flags stand in front, and are all that is cleared for a new session: a
 * mark or an offset counts only where its flag is set.
 */
struct evidence_side {
	bool hello;       /* its ClientHello or ServerHello (not a HelloRetryRequest) was seen */
	bool hello_retry; /* server: it sent a HelloRetryRequest */
	bool early_data;  /* client: its hello offers early data */
	bool ccs;         /* it sent a ChangeCipherSpec */
	bool ciphertext;  /* behind that, an encrypted record that is no alert */
	bool finished;    /* that record is of the handshake: a Finished of TLS 1.2 or below */
	bool goes_on;     /* it sent what presupposes a ServerHello */
	bool bytes;       /* server: it sent anything in answer; `answer_mark` is set */
	bool lost;        /* bytes of it were not captured: `lost_*` are set */
	bool hole;        /* among the lost bytes may be whole records */
	bool hello_lost;  /* server: among them, in answer to the client, may be its hello */
	bool answers;     /* its alert may answer an end of the other side that was lost */
	bool fin, rst;    /* it closed, or was reset: `fin_mark`, `rst_mark` are set */
	bool alert;       /* it sent an alert in the clear: `alert_*` are set */
	bool warning;     /* that is a warning, which counts only as the last word before a close */
	uint8_t alert_kind; /* enum refusal_kind */
	uint8_t alert_description;
	uint8_t ssl2_records;
	uint8_t recent_count;    /* records in `recent`, the oldest first */
	uint32_t ciphertext_len; /* length of the first `ciphertext` record, without its header */

	struct mark ciphertext_mark; /* of the first byte of that record's header */
	struct mark hello_mark;
	struct mark answer_mark; /* server: of the first byte of its answer */
	struct evidence_record recent[EVIDENCE_RECENT];
	struct mark alert_mark, fin_mark, rst_mark;
	int64_t lost_begin, lost_end; /* offsets of the first lost byte and behind the last one */
	int64_t last_lost;            /* offset at which the last piece of lost bytes begins */
};

struct evidence {
	const struct evidence_side *client, *server; /* borrowed */
	uint16_t version;                            /* negotiated; 0: not known */
	bool client_seen, server_seen;               /* packets of that direction were captured */
};

struct evidence_outcome {
	bool settled; /* nothing that may still come changes it */
	bool ended;   /* a side has ended it: only what was delayed may change it */
	enum outcome outcome;
	enum event_side refused_by;
	enum refusal_kind refusal;
	uint8_t refusal_alert;
};

/* Sets that nothing was seen yet; marks and offsets are left as they are. */
static inline void
evidence_side_init(struct evidence_side *side)
{
	memset(side, 0, offsetof(struct evidence_side, ciphertext_mark));
}

/* The mark of the side's FIN or, without one, of its reset; NULL: it has neither. */
static inline const struct mark *
evidence_close(const struct evidence_side *side)
{
	if (side->fin)
		return &side->fin_mark;
	return side->rst ? &side->rst_mark : NULL;
}

/* Adds a record that is, or may be, ciphertext; `len`: its bytes without the header. */
void evidence_add_record(struct evidence_side *side, uint32_t len, const struct mark *mark);
/* Adds an alert in the clear; `level` and `description` as on the wire. */
void evidence_add_alert(
    struct evidence_side *side, uint8_t level, uint8_t description, const struct mark *mark);

/*
 * True if there is anything by which a handshake can end or be established.  If not, evidence_judge
 * need not be asked: it finds the handshake neither `settled` nor `ended`.
 */
bool evidence_is_decisive(const struct evidence_side *client, const struct evidence_side *server);

/* True if the side may have ended the handshake.  If not, evidence_judge reads no `answer_mark`. */
bool evidence_may_act(const struct evidence_side *side);

/*
 * Sets `out` to what became of the handshake (SPEC section 4).  Where nothing has ended it yet,
 * that is the outcome if the connection ended here.
 */
void evidence_judge(const struct evidence *ev, struct evidence_outcome *out);

#endif
