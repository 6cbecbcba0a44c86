/*
 * tally_internal - a log of events in 16 bytes each, and what the events have in common.
 *
 * Most of an event many others repeat: the key of its finding without the client, and what is known
 * of the latest handshake.  Each such kind and each such story is kept once; a record of the log
 * has their numbers.  Nothing looks for a finding's other events while they are counted: that is
 * done for all together, when the log is sorted to be read (tally_sort.c), or to make room
 * (tally_pack.c).
 */
#ifndef TLSTALLY_TALLY_TALLY_INTERNAL_H
#define TLSTALLY_TALLY_TALLY_INTERNAL_H

#include "base/hash.h"
#include "base/xalloc.h"
#include "tally/cadence.h"
#include "tally/tally.h"

#define TALLY_NONE UINT32_MAX

/* Bytes in the arena; len 0: none. */
struct tally_text {
	const char *data;
	uint16_t len;
};

/* One line of the processor's cache, if the list begins at one; what is looked at last is last. */
struct tally_client_entry {
	struct addr ip;
	bool has_mac;
	uint8_t mac[6];
	int64_t mac_us;       /* packet time of the event that told it */
	int64_t name_us;      /* the same of the name */
	uint32_t newest_hour; /* in tally.hours; TALLY_NONE: it has none */
	uint8_t name_len, name_source, name_rank;
	const char *name; /* what it calls itself, in the arena; NULL: nothing yet */
	uint32_t cadence; /* in tally.briefs; TALLY_NONE: all its times are in the log */
};
_Static_assert(sizeof(struct tally_client_entry) <= CACHE_LINE, "one line");

/* A struct cadence with few counts, which is enough for most clients between two flushes. */
#define TALLY_BRIEF_CLASSES 8
struct tally_brief_class {
	uint32_t sum_ms;
	uint16_t count;
	uint8_t class;
};

struct tally_brief {
	uint32_t full; /* in tally.cadences, where all is counted then; TALLY_NONE: it is here */
	uint32_t hour_count;
	uint8_t hour, class_count;
	struct tally_brief_class classes[TALLY_BRIEF_CLASSES];
};

/* A finding's key but for the client. */
struct tally_kind {
	struct tally_text server;
	uint16_t server_port, tls_version, offered_version;
	uint8_t protocol, tls_mode, outcome, refused_by, refusal, refusal_alert;
	uint32_t rank; /* after tally_sort */
};

/* What handshakes told; compared as bytes, so it has no gaps. */
struct tally_facts {
	int64_t not_after_us;
	uint64_t suites_all, suites_any;
	uint32_t cipher_suite;
	uint16_t fallback_from;
	uint8_t server_name_source, limited_by;
	struct addr server_ip;
	bool has_cipher_suite, has_ja4, has_not_after, offers_aead, offers_ecdhe;
	char ja4[EVENT_JA4_LEN];
	uint8_t zero[6];
};

struct tally_story {
	struct tally_facts facts;
	struct tally_text subject;
};

/* Clients, kinds and stories have numbers below this: no budget holds as many (tally_new). */
#define TALLY_NUMBER_BITS 24
#define TALLY_NUMBER_MAX ((UINT32_C(1) << TALLY_NUMBER_BITS) - 1)

/* One event, as a rule; what it counts is in its flags, or in tally.sums. */
struct tally_record {
	uint32_t client : TALLY_NUMBER_BITS, what : 8; /* TALLY_* flags */
	uint32_t kind : TALLY_NUMBER_BITS, middle : 8;
	uint32_t story : TALLY_NUMBER_BITS, high : 8;
	uint32_t low; /* with middle and high its time around tally.base_us; or its sum's number */
};
_Static_assert(sizeof(struct tally_record) == 16, "no gaps");

#define TALLY_SUM 0x80u   /* what it counts is in a sum, and not in its flags */
#define TALLY_PACED 0x40u /* its time is counted in the client's cadence */
#define TALLY_ATTEMPT 1u  /* a handshake, or a session in cleartext; else just what became of it */
#define TALLY_GAP 2u
#define TALLY_LOGIN 4u
#define TALLY_SCSV 8u
#define TALLY_FALLBACK 16u
#define TALLY_ENDED 32u

/* Several events of one finding and one day, or one of which there is more to tell. */
struct tally_sum {
	int64_t first_us, last_us; /* INT64_MAX, INT64_MIN: no attempts */
	uint32_t count, gap_count, login_count, scsv_count, fallback_count;
	uint32_t ended_count, dropped_early_count;
	uint32_t dropped_early_ms, dropped_early_len; /* the most; rounded up; they saturate */
};

struct tally_hour_entry {
	int64_t hour;
	uint32_t sessions, short_sessions, failed_logins, accepted_logins; /* they saturate */
	uint32_t older; /* of this client; TALLY_NONE: none */
	uint32_t client : TALLY_NUMBER_BITS, failed_names : 8;
};

/* Attempts of one client, day, version and outcome; day and kind are those of the record. */
struct tally_day_entry {
	uint32_t record;
	uint32_t count;
};

/*
 * Open addressing over the numbers of an array's entries.  A slot keeps 32 bits of its entry's
 * hash, so that a search seldom looks at a wrong entry, and the table grows without looking at any.
 */
struct tally_slot {
	uint32_t hash;
	uint32_t entry; /* TALLY_NONE: empty */
};

struct tally_index {
	struct tally_slot *slots;
	uint32_t mask;
	size_t used;
};

/*
 * Where a client's findings, days and hours begin; they end where the next client's begin.  One
 * more stands behind the last client's.
 */
struct tally_share {
	uint32_t first_finding, first_day, first_hour;
};

/* A finding of which there are several records. */
struct tally_run {
	uint32_t finding;
	uint32_t first_more; /* in tally_order.more, up to the next run's */
	uint32_t story;      /* of all of them; from story_count up where the tally has none such */
};

#define TALLY_MORE (UINT32_C(1) << 31)
#define TALLY_RECORDS_MAX ((size_t)TALLY_MORE)

/* Made by tally_sort; valid until the next change. */
struct tally_order {
	bool valid;
	bool outdated;             /* the order is right, what else is told is not */
	uint32_t *clients, *ranks; /* numbers in order; and each number's place in it */
	struct tally_share *shares;
	uint32_t *findings; /* numbers of records; with TALLY_MORE: the first of a run */
	uint32_t *more;
	struct tally_run *runs;
	struct tally_day_entry *days;
	uint32_t *hours;
	size_t finding_count, more_count, run_count, day_count, hour_count;
	size_t more_room, run_room, day_room;
};

/* What is worked out before an event is added, to find its places. */
struct tally_ahead {
	uint64_t client_hash, kind_hash, story_hash;
	struct tally_story story; /* borrows from the event; unset for the end of a session */
};

#define TALLY_RECENT_COUNT 64
#define TALLY_NEWEST_COUNT 32768

struct tally_chunk;

struct tally {
	size_t max_bytes, bytes;
	struct hash_key key;
	uint64_t event_count, ending_count;

	struct tally_index client_index, kind_index, story_index;
	struct tally_client_entry *clients;
	struct tally_kind *kinds;
	struct tally_story *stories;
	size_t client_count, client_room;
	size_t kind_count, kind_room, story_count, story_room;

	struct tally_record *records; /* in the order in which they were added */
	size_t record_count, record_room;
	size_t pack_at; /* so many records are worth another try to join some */
	/* The last record of a client and kind, where no other has the same place. */
	uint32_t *newest;
	struct tally_sum *sums;
	size_t sum_count, sum_room;
	bool has_base;
	int64_t base_us;   /* the time of the first attempt */
	uint32_t free_sum; /* the first of a list, by their `count`; TALLY_NONE: none */
	size_t spare_used; /* sums made when it was full: tally_full.c */

	struct tally_hour_entry *hours;
	struct tally_brief *briefs; /* of clients some of whose records were joined */
	struct cadence *cadences;   /* of these, where that is too little */
	size_t hour_count, hour_room;
	size_t brief_count, brief_room, cadence_count, cadence_room;

	struct tally_order order;
	struct tally_ahead ahead[TALLY_AHEAD_MAX]; /* tally_look_ahead's */
	struct tally_chunk *chunks;
	struct tally_text recent[TALLY_RECENT_COUNT]; /* kept lately: many findings share a text */
};

/*
 * How much of the budget each takes: with its slots, as an index is a quarter to three quarters
 * full, and with what sorting needs for it.
 */
#define TALLY_CLIENT_LEN                                                                           \
	(sizeof(struct tally_client_entry) + 2 * sizeof(struct tally_slot) +                       \
	    sizeof(struct tally_share) + 3 * sizeof(uint32_t))
/* Set aside with each record, for a sum that some of them need when the tally is full:
 * tally_full.c. */
#define TALLY_RECORD_SPARE sizeof(uint32_t)
/* With a place each in the order, in scratch memory and among the days. */
#define TALLY_RECORD_LEN                                                                           \
	(sizeof(struct tally_record) + 2 * sizeof(uint32_t) + sizeof(struct tally_day_entry) +     \
	    TALLY_RECORD_SPARE)
#define TALLY_STORY_LEN (sizeof(struct tally_story) + 2 * sizeof(struct tally_slot))
#define TALLY_KIND_LEN                                                                             \
	(sizeof(struct tally_kind) + 2 * sizeof(struct tally_slot) + sizeof(uint32_t))
#define TALLY_HOUR_LEN (sizeof(struct tally_hour_entry) + sizeof(uint32_t))

/* tally_index.c */
void tally_index_init(struct tally_index *index);
void tally_index_clear(struct tally_index *index);
void tally_index_add(struct tally_index *index, uint64_t hash, uint32_t entry);

/*
 * The entries that may have this hash, one a call; TALLY_NONE: no more.  `probe` starts as 0.
 */
static inline uint32_t
tally_index_next(const struct tally_index *index, uint64_t hash, uint32_t *probe)
{
	for (;;) {
		const struct tally_slot *slot =
		    &index->slots[((uint32_t)hash + *probe) & index->mask];

		if (slot->entry == TALLY_NONE)
			return TALLY_NONE;
		(*probe)++;
		if (slot->hash == (uint32_t)hash)
			return slot->entry;
	}
}

/* Room for one more entry in a list of `count`. */
void *tally_make_room(void *items, size_t count, size_t *room, size_t item_len);

/* tally_finding.c: the order of tally_key_compare. */
int tally_kind_compare(const struct tally_kind *a, const struct tally_kind *b);
/* Borrows the name of the server. */
struct tally_kind tally_kind_of(const struct finding_key *key);

/* tally_kind.c */
/* The server in a finding's key: its name in lower case, else its address. */
uint16_t tally_server_text(struct span name, const struct addr *ip, char out[EVENT_NAME_MAX]);

/* A kind that is looked for, or was found. */
struct tally_wanted_kind {
	struct tally_kind kind; /* borrows its text from the event, or from `text` */
	uint64_t hash;
	uint32_t number; /* TALLY_NONE: the tally has none such */
	char text[EVENT_NAME_MAX];
};

/* With the server as the event names it; to be given to tally_find_kind. */
uint64_t tally_kind_hash(const struct tally *t, const struct event *ev);
void tally_find_kind(
    const struct tally *t, const struct event *ev, uint64_t hash, struct tally_wanted_kind *out);
void tally_find_key_kind(
    const struct tally *t, const struct finding_key *key, struct tally_wanted_kind *out);
/* Its number; keeps it first where there is none. */
uint32_t tally_keep_kind(struct tally *t, const struct tally_wanted_kind *wanted);

/* tally_story.c */
/* Nothing known. */
struct tally_story tally_no_story(void);
/* What one attempt told; borrows from the event. */
void tally_story_of(const struct event *ev, struct tally_story *out);
/*
 * Adds what attempts with a known offer (or without) told; `latest`: no earlier than those of `s`.
 */
void tally_story_join(
    struct tally_story *s, const struct tally_story *more, bool has_offer, bool latest);
uint32_t tally_story_find(const struct tally *t, const struct tally_story *wanted);
uint64_t tally_story_hash(const struct tally *t, const struct tally_story *s);
/* Its number; keeps it first where there is none. */
uint32_t tally_story_keep(struct tally *t, const struct tally_story *wanted, uint64_t hash);

/* tally_log.c: records and their sums. */
/* Where the number of the last one that was added stands. */
uint32_t *tally_newest_place(const struct tally *t, uint32_t client, uint32_t kind);
/* The last one that was added; NULL where it is not known any more. */
struct tally_record *tally_newest_record(struct tally *t, uint32_t client, uint32_t kind);
struct tally_record *tally_add_record(
    struct tally *t, uint32_t client, uint32_t kind, uint32_t story);
/* No record can be found by tally_newest_record any more; their numbers may change. */
void tally_forget_newest(struct tally *t);
/* Makes it an attempt, with further flags. */
void tally_set_attempt(struct tally *t, struct tally_record *r, int64_t time_us, unsigned flags);
/* Gives the record a sum of its own, if it has none. */
struct tally_sum *tally_widen(struct tally *t, struct tally_record *r);
void tally_drop_sum(struct tally *t, const struct tally_record *r);
void tally_sum_add(struct tally_sum *into, const struct tally_sum *from);
bool tally_ending_needs_sum(const struct tally_record *r, const struct event_ending *ending);
void tally_add_ending(struct tally *t, struct tally_record *r, const struct event_ending *ending);

/* Four years before and after the first one; other times are kept in sums. */
#define TALLY_TIME_BITS 48
#define TALLY_TIME_MIDDLE (UINT64_C(1) << (TALLY_TIME_BITS - 1))

static inline int64_t
tally_unpack_time(const struct tally *t, const struct tally_record *r)
{
	uint64_t offset = (uint64_t)r->high << 40 | (uint64_t)r->middle << 32 | r->low;

	return (int64_t)((uint64_t)t->base_us + offset - TALLY_TIME_MIDDLE);
}

/* How many there are in a record. */
static inline uint32_t
tally_attempts(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].count : r->what & TALLY_ATTEMPT;
}

static inline bool
tally_is_attempt(const struct tally *t, const struct tally_record *r)
{
	return tally_attempts(t, r) > 0;
}

/* Of an attempt; of several the earliest. */
static inline int64_t
tally_record_time(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].first_us : tally_unpack_time(t, r);
}

/* The same, the latest. */
static inline int64_t
tally_record_last(const struct tally *t, const struct tally_record *r)
{
	return (r->what & TALLY_SUM) != 0 ? t->sums[r->low].last_us : tally_unpack_time(t, r);
}

/* What several records of one finding say together. */
struct tally_joint {
	struct tally_sum sum;
	struct tally_story story;
	uint32_t story_number; /* TALLY_NONE: it may be none of the tally's */
};

void tally_joint_begin(const struct tally *t, struct tally_joint *j, const struct tally_record *r);
void tally_joint_add(const struct tally *t, struct tally_joint *j, const struct tally_record *r);

/* tally_order.c */
/* Sorts numbers by a key each; those with the same key stay as they are. */
typedef uint64_t tally_key_of(const struct tally *t, uint32_t number);
void tally_sort_numbers(
    const struct tally *t, tally_key_of *key_of, uint32_t *numbers, size_t count);
/* For the order in which the entries were added. */
uint64_t tally_own_number(const struct tally *t, uint32_t number);
/*
 * The numbers of `count` items, grouped: first those of the client with rank 0 (`ranks` NULL:
 * number 0), each client's as they are.  `client_of` tells the client of an item.  `firsts`, with
 * room for a number more than there are clients, says where each begins.  Owned by the caller.
 */
uint32_t *tally_group(const struct tally *t, const uint32_t *ranks, tally_key_of *client_of,
    size_t count, uint32_t *firsts);
/* Of a record of the log. */
uint64_t tally_record_client(const struct tally *t, uint32_t number);

/* tally_sort.c */
/* The order is no longer needed, or no longer true. */
void tally_drop_order(struct tally *t);
int64_t tally_day_of(int64_t time_us);

/* tally_read.c */
/* The records of a finding but for its first, in order. */
const uint32_t *tally_more_of(const struct tally *t, size_t finding, size_t *count);

/*
 * Records lie in the order of time: those of one client, whose numbers these are, are all over the
 * log.
 */
static PREFETCHES void
tally_ask_for_records(const struct tally *t, const uint32_t *numbers, size_t count)
{
	enum { MANY = 64 };

	for (size_t i = 0; i < count && i < MANY; i++)
		__builtin_prefetch(&t->records[numbers[i] & ~TALLY_MORE]);
}

/* tally_pack.c */
/* Joins records, where that gives room. */
void tally_pack(struct tally *t);

/* tally_full.c: what a full tally takes. */
/* The record of a finding that counts that day; or, where `any_day`, any.  NULL: none. */
struct tally_record *tally_find_record(
    struct tally *t, uint32_t client, uint32_t kind, int64_t day, bool any_day);
bool tally_may_widen(const struct tally *t, const struct tally_record *r);
/* Before a record of a full tally is given a sum. */
void tally_take_spare(struct tally *t, const struct tally_record *r);
bool tally_add_known(struct tally *t, uint32_t client, uint32_t kind, const struct event *ev);

/* tally_cadence.c */
/*
 * Counts the times of a client's records, in the order in which they were added, that are not
 * counted yet: they may be joined then.  `may_grow`: not only briefly.
 */
void tally_pace(
    struct tally *t, uint32_t client, const uint32_t *numbers, size_t number_count, bool may_grow);
void tally_tell_cadence(const struct tally *t, uint32_t client, const uint32_t *numbers,
    size_t number_count, struct cadence *out);

/* tally_hours.c */
/* The client's hour; made where there is none and it may be; else NULL. */
struct tally_hour_entry *tally_hour_of(
    struct tally *t, uint32_t client, int64_t hour, bool may_make);
void tally_count_hour(struct tally_hour_entry *h, const struct event_ending *e);
/* By client, in time. */
void tally_sort_hours(struct tally *t);

/* tally_ahead.c: tally_look_ahead without the memory. */
void tally_work_out(const struct tally *t, const struct event *ev, struct tally_ahead *out);

/* tally_client.c */
uint64_t tally_client_hash(const struct tally *t, const struct addr *ip);
uint32_t tally_find_client(const struct tally *t, uint64_t hash, const struct addr *ip);
/* The same; makes it where there is none. */
uint32_t tally_client_of(struct tally *t, uint64_t hash, const struct addr *ip);
/* True when that can be counted without another byte. */
bool tally_client_fits(const struct tally *t, uint32_t client, const struct event *ev);
void tally_update_client(struct tally *t, uint32_t client, const struct event *ev);

/* tally_arena.c */
/* True when keeping `len` bytes takes no more memory. */
bool tally_text_fits(const struct tally *t, size_t len);
struct tally_text tally_keep_text(struct tally *t, const char *data, size_t len);
void tally_drop_texts(struct tally *t);

#endif
