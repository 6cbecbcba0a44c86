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

/* The flags stand in front, and are all that is cleared: a mark counts only where one is set. */
struct evidence_side {
	bool hello;       /* its ClientHello or ServerHello (not a HelloRetryRequest) was seen */
	bool hello_retry; /* server: HelloRetryRequest */
	bool early_data;  /* client: its hello offers early data */
	bool ccs;         /* ChangeCipherSpec */
	bool ciphertext;  /* an encrypted record behind it that is no alert */
	bool finished;    /* of it, a handshake record: a Finished of 1.2 or below */
	bool goes_on;     /* sent what presupposes a ServerHello */
	bool bytes;       /* server: sent anything in answer; `answer_mark` is set */
	bool lost;        /* bytes of it were not captured: `lost_*` are set */
	bool hole;        /* of them, whole records */
	bool hello_lost;  /* server: of them, so many in answer that its hello may be among them */
	bool answers;     /* its alert may answer an end of the other side that was lost */
	bool fin, rst;
	bool alert;   /* `alert_*` is set */
	bool warning; /* of these: a warning, which counts only as the last word before a close */
	uint8_t alert_kind; /* enum refusal_kind */
	uint8_t alert_description;
	uint8_t ssl2_records;
	uint8_t recent_count;    /* in `recent`, the oldest first */
	uint32_t ciphertext_len; /* of the first one, without its header */

	struct mark ciphertext_mark; /* of its header's first byte */
	struct mark hello_mark;
	struct mark answer_mark; /* server: of the first of these bytes */
	struct evidence_record recent[EVIDENCE_RECENT];
	struct mark alert_mark, fin_mark, rst_mark;
	int64_t lost_begin, lost_end; /* of the first of these bytes, and behind the last; */
	int64_t last_lost;            /* where the last piece of them begins */
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

/* Nothing was seen yet; what no flag or count speaks of is left as it is. */
static inline void
evidence_side_init(struct evidence_side *side)
{
	memset(side, 0, offsetof(struct evidence_side, ciphertext_mark));
}

/* Where it closed: at its FIN, or its reset where there is none; NULL: nowhere. */
static inline const struct mark *
evidence_close(const struct evidence_side *side)
{
	if (side->fin)
		return &side->fin_mark;
	return side->rst ? &side->rst_mark : NULL;
}

void evidence_add_record(struct evidence_side *side, uint32_t len, const struct mark *mark);
/* An alert in the clear; `level` and `description` as on the wire. */
void evidence_add_alert(
    struct evidence_side *side, uint8_t level, uint8_t description, const struct mark *mark);

/*
 * Whether there is anything by which a handshake can end or be established: where there is not,
 * evidence_judge finds it neither `settled` nor `ended`.
 */
bool evidence_is_decisive(const struct evidence_side *client, const struct evidence_side *server);

/* Whether the side may have ended the handshake; where it has not, `answer_mark` is not read. */
bool evidence_may_act(const struct evidence_side *side);

/* SPEC section 4.  Where nothing has ended the handshake yet: the outcome if it ended here. */
void evidence_judge(const struct evidence *ev, struct evidence_outcome *out);

#endif
