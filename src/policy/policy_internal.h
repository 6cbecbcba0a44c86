/*
 * policy_internal - what verdict.c and reason.c share: what a finding shows by itself, and what
 * the same client's successes with the same server say about it.
 */
#ifndef TLSTALLY_POLICY_INTERNAL_H
#define TLSTALLY_POLICY_INTERNAL_H

#include "policy/verdict.h"

/* A ServerHello was accepted: SPEC section 4, `established` or `negotiated`. */
bool policy_is_success(const struct finding *f);
/* The ClientHello was seen, and its highest version is below the minimum. */
bool policy_offers_too_little(const struct policy *policy, const struct finding *f);
/* The version that was surely not exceeded: the negotiated one, else what was offered; 0: none. */
uint16_t policy_version_bound(const struct finding *f);
/* Same port, and same name or address; two names the client itself asked for must be the same. */
bool policy_same_server(const struct finding *a, const struct finding *b);
/* The same, whatever the port. */
bool policy_same_host(const struct finding *a, const struct finding *b);
/* Refused or unanswered, though the offer was at or above the minimum. */
bool policy_failed_with_enough(const struct policy *policy, const struct finding *f);
/* The verdict on a success, which depends on nothing else. */
enum verdict policy_judge_success(const struct policy *policy, const struct finding *f);

/*
 * The successes of one client, and its tries that failed with enough.  Where there may be many they
 * are kept by server, so that each failure finds its own in logarithmic time: a client that invents
 * host names must not make the judge slow.
 */
struct success_index {
	const struct policy *policy;
	const struct finding *findings; /* of that client; borrowed */
	size_t finding_count;
	struct success *items; /* owned; NULL: the findings are few, and looked through */
	size_t count;
	/* By service: made when one is asked for. */
	struct success *services; /* owned */
	size_t service_count;
};

#define SUCCESS_NEVER INT64_MIN

/* Packet times, SUCCESS_NEVER where there was none. */
struct success_times {
	int64_t any_last;              /* any success with the server */
	int64_t good_first, good_last; /* at or above the minimum */
	int64_t legacy_last;           /* below the minimum, which was the client's limit */
	enum verdict legacy_verdict;   /* of the last of them; of several the worst */
	/* Those that were fallbacks, from a version up to fallback_from. */
	int64_t fallback_last;
	uint16_t fallback_from;
	enum verdict fallback_verdict; /* as legacy_verdict */
	/* No successes: tries that offered enough and failed. */
	int64_t enough_first, enough_last;
};

void success_index_init(struct success_index *index, const struct policy *policy,
    const struct finding *findings, size_t count);
void success_index_find(
    const struct success_index *index, const struct finding *f, struct success_times *out);
/*
 * For a failure of which only the address says what service it was with: since when the client
 * succeeds there at or above the minimum, on the same port, under whatever name.
 */
int64_t success_index_service_since(struct success_index *index, const struct finding *f);
void success_index_release(struct success_index *index);
/*
 * The tries of this finding come seconds after some with enough, which failed too: the client falls
 * back, and is refused all the same.
 */
bool policy_falls_back_in_vain(
    const struct policy *policy, const struct finding *f, const struct success_times *there);

/*
 * What a reason rests on: the finding that stands for the client's verdict, and all that went the
 * same way with the same server.  What is better may be on another port of that host, for the same
 * protocol, where there is nothing on this one.
 */
struct grounds {
	const struct policy *policy;
	const struct finding *lead;
	enum verdict verdict;
	uint64_t count;               /* handshakes, or sessions in cleartext, like the lead */
	uint64_t try_count;           /* with the same server and offer, however they went */
	uint64_t unseen_count;        /* of `count`: the end was not seen */
	uint64_t gap_count;           /* of `count` */
	uint64_t login_count;         /* of `count` */
	uint64_t scsv_count;          /* of `count` */
	uint64_t fallback_count;      /* of `count` */
	uint16_t fallback_from;       /* the highest offer that had failed before; 0: not seen */
	int64_t first_us, last_us;    /* of `count` */
	uint64_t ended_count;         /* of `count`: the session's end was seen */
	uint64_t dropped_count;       /* of these, dropped early; and of them the most: */
	uint64_t dropped_len;         /* bytes */
	int64_t dropped_us;           /* time */
	bool several_refusals;        /* not all in the lead's way */
	bool in_vain;                 /* a fallback, refused like what it follows */
	uint64_t refused_count;       /* same server and offer, refused; not in `count` */
	int64_t refused_last_us;      /* of these */
	const struct finding *better; /* latest success at or above the minimum there; NULL: none */
	bool better_since;            /* all of those began after last_us */
};

/* `verdicts` has at least one row of the worst verdict. */
void grounds_collect(struct grounds *ev, const struct policy *policy,
    const struct finding *findings, const enum verdict *verdicts, size_t count);

/* reason.c */
/* "1 try", "2 tries" */
void reason_add_number_of(struct buf *out, uint64_t count, const char *one, const char *many);
/* Behind a number of tries: from when `count` of them were seen, or when it was. */
void reason_add_since(struct buf *out, const struct grounds *ev);
/* ", last 2026-11-19 22:14 UTC", where there is more than one. */
void reason_add_last(struct buf *out, const struct grounds *ev);

/* reason_service.c */
/* " (an address of SERVICE)", where nothing but the address says whose the server is. */
void reason_add_service_of_address(
    struct buf *out, const struct policy *policy, const struct finding *f);
/*
 * "; SERVICE switches that off on 2026-07-01", and what kind of host this is; nothing where no
 * service is known to.  `last_us`: when the version was used last.
 */
void reason_add_switch_off(
    struct buf *out, const struct policy *policy, const struct finding *f, int64_t last_us);

#endif
