/*
 * tally_internal - the tally's state, and what its files do for each other.
 *
 * A tally is a log of events in 16 bytes each.  Nothing looks for a finding's other events while
 * they are counted: that is done for all together, when the log is sorted to be read
 * (tally_sort.c), or to make room (tally_pack.c).
 */
#ifndef TLSTALLY_TALLY_TALLY_INTERNAL_H
#define TLSTALLY_TALLY_TALLY_INTERNAL_H

#include "base/hash.h"
#include "base/xalloc.h"
#include "tally/tally.h"
#include "tally/tally_entries.h"
#include "tally/tally_order.h"

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

/*
 * Room for one more entry in a list of `count`, which may move: returns where it is then.  `room`:
 * for how many it has room, before and after.
 */
void *tally_make_room(void *items, size_t count, size_t *room, size_t item_len);

/* --- tally_finding.c --- */

/* <0, 0, >0: the order of tally_key_compare, without the client. */
int tally_kind_compare(const struct tally_kind *a, const struct tally_kind *b);
/* The kind of a finding; borrows the name of the server from its key. */
struct tally_kind tally_kind_of(const struct finding_key *key);

/* --- tally_kind.c: what findings of several clients have in common --- */

/* Writes the server of a finding's key (its name in lower case, else its address); its length. */
uint16_t tally_server_text(struct span name, const struct addr *ip, char out[EVENT_NAME_MAX]);

/* A kind that is looked for, or was found. */
struct tally_wanted_kind {
	struct tally_kind kind; /* borrows its text from the event, or from `text` */
	uint64_t hash;
	uint32_t number; /* TALLY_NONE: the tally has none such */
	char text[EVENT_NAME_MAX];
};

/* The hash that tally_find_kind wants, of the server as the event names it. */
uint64_t tally_kind_hash(const struct tally *t, const struct event *ev);
/* Look for the kind of an event, or of a finding. */
void tally_find_kind(
    const struct tally *t, const struct event *ev, uint64_t hash, struct tally_wanted_kind *out);
void tally_find_key_kind(
    const struct tally *t, const struct finding_key *key, struct tally_wanted_kind *out);
/* The kind's number; the tally keeps it first where it has none such. */
uint32_t tally_keep_kind(struct tally *t, const struct tally_wanted_kind *wanted);

/* --- tally_story.c: what is known of the latest handshake --- */

/* A story in which nothing is known. */
struct tally_story tally_no_story(void);
/* What one attempt told; borrows from the event. */
void tally_story_of(const struct event *ev, struct tally_story *out);
/*
 * Adds to `s` what attempts told whose offer is known (`has_offer`) or not.  `latest`: they were no
 * earlier than those of `s`.
 */
void tally_story_join(
    struct tally_story *s, const struct tally_story *more, bool has_offer, bool latest);
/* The number of an equal story; TALLY_NONE: the tally has none. */
uint32_t tally_story_find(const struct tally *t, const struct tally_story *wanted);
uint64_t tally_story_hash(const struct tally *t, const struct tally_story *s);
/* The story's number; the tally keeps it first where it has none such. */
uint32_t tally_story_keep(struct tally *t, const struct tally_story *wanted, uint64_t hash);

/* --- tally_pack.c --- */

/* Joins records of one finding and day, where that gives room. */
void tally_pack(struct tally *t);

/* --- tally_full.c: what a tally takes that has no room --- */

/* The finding's record that counts that day or, where `any_day`, any of its records; else NULL. */
struct tally_record *tally_find_record(
    struct tally *t, uint32_t client, uint32_t kind, int64_t day, bool any_day);
/* True if the record has a sum, or may still be given one. */
bool tally_may_widen(const struct tally *t, const struct tally_record *r);
/* To be called before a record of a full tally is given a sum: takes what was set aside for it. */
void tally_take_spare(struct tally *t, const struct tally_record *r);
/* Counts an event of a finding that is known.  False where that takes room. */
bool tally_add_known(struct tally *t, uint32_t client, uint32_t kind, const struct event *ev);

/* --- tally_cadence.c: how regularly a client comes --- */

/*
 * Counts the times of a client's records, in the order in which they were added, that are not
 * counted yet: they may be joined then.  `may_grow`: also where that takes a struct cadence.
 */
void tally_pace(
    struct tally *t, uint32_t client, const uint32_t *numbers, size_t number_count, bool may_grow);
/* Tells what was counted, with the records that were not. */
void tally_tell_cadence(const struct tally *t, uint32_t client, const uint32_t *numbers,
    size_t number_count, struct cadence *out);

/* --- tally_hours.c: a client's sessions and logins by the hour --- */

/* The client's hour; where there is none and `may_make`, a new one, else NULL. */
struct tally_hour_entry *tally_hour_of(
    struct tally *t, uint32_t client, int64_t hour, bool may_make);
void tally_count_hour(struct tally_hour_entry *h, const struct event_ending *e);
/* Puts them in order: by client, then by time. */
void tally_sort_hours(struct tally *t);

/* --- tally_ahead.c --- */

/* What tally_look_ahead works out, without asking for memory that will be needed. */
void tally_work_out(const struct tally *t, const struct event *ev, struct tally_ahead *out);

/* --- tally_client.c --- */

uint64_t tally_client_hash(const struct tally *t, const struct addr *ip);
/* The client's number; TALLY_NONE: the tally has none such. */
uint32_t tally_find_client(const struct tally *t, uint64_t hash, const struct addr *ip);
/* The client's number; the tally keeps it first where it has none such. */
uint32_t tally_client_of(struct tally *t, uint64_t hash, const struct addr *ip);
/* True if tally_update_client takes no further memory for this event. */
bool tally_client_fits(const struct tally *t, uint32_t client, const struct event *ev);
/* Takes what the event tells of its client: MAC address, name. */
void tally_update_client(struct tally *t, uint32_t client, const struct event *ev);

/* --- tally_arena.c: texts, which stay where they are until all are dropped --- */

/* True if keeping `len` bytes takes no further memory. */
bool tally_text_fits(const struct tally *t, size_t len);
struct tally_text tally_keep_text(struct tally *t, const char *data, size_t len);
void tally_drop_texts(struct tally *t);

#endif
