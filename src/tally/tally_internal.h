/*
 * tally_internal - the tally's state, and what its files do for each other.
 *
 * A tally is a log of events in 16 bytes each.  While they are counted nothing looks for the other
 * events of the same finding.  That is done for all together: when the log is sorted to be read
 * (tally_sort.c), or when records are joined to make room (tally_pack.c).
 *
 * tally_entries.h has the layout of the entries, tally_log.h reads and writes the log's records,
 * tally_order.h is the order in which they are read, and tally_index.h finds entries by a hash.
 */
#ifndef TLSTALLY_TALLY_TALLY_INTERNAL_H
#define TLSTALLY_TALLY_TALLY_INTERNAL_H

#include "base/hash.h"
#include "base/xalloc.h"
#include "tally/tally.h"
#include "tally/tally_entries.h"
#include "tally/tally_order.h"

/* What is worked out of an event before it is added, to find where it is counted. */
struct tally_ahead {
	uint64_t client_hash, kind_hash, story_hash;
	struct tally_story story; /* borrows from the event; unset for EVENT_SESSION_END */
};

#define TALLY_RECENT_COUNT 64    /* places in tally.recent */
#define TALLY_NEWEST_COUNT 32768 /* places in tally.newest; a power of two */

struct tally_chunk;

struct tally {
	size_t max_bytes, bytes; /* the budget, and how much of it is in use */
	struct hash_key key;
	uint64_t event_count;  /* attempts that were added since the last clear */
	uint64_t ending_count; /* the same of EVENT_SESSION_END */

	struct tally_index client_index, kind_index, story_index;
	struct tally_client_entry *clients;
	struct tally_kind *kinds;
	struct tally_story *stories;
	size_t client_count, client_room;
	size_t kind_count, kind_room, story_count, story_room;

	struct tally_record *records; /* in the order in which they were added */
	size_t record_count, record_room;
	size_t pack_at;   /* from so many records on, tally_pack is tried again */
	uint32_t *newest; /* TALLY_NEWEST_COUNT numbers of records: tally_newest_place */
	struct tally_sum *sums;
	size_t sum_count, sum_room;
	bool has_base;     /* there was an attempt: `base_us` is set */
	int64_t base_us;   /* packet time of the first one */
	uint32_t free_sum; /* the first free sum; its `count` is the next one; TALLY_NONE: none */
	size_t spare_used; /* sums that were made when the tally was full: tally_full.c */

	struct tally_hour_entry *hours;
	struct tally_brief *briefs; /* cadences of clients some of whose records were joined */
	struct cadence *cadences;   /* those of them for which a brief is too small */
	size_t hour_count, hour_room;
	size_t brief_count, brief_room, cadence_count, cadence_room;

	struct tally_order order;
	struct tally_ahead ahead[TALLY_AHEAD_MAX];    /* made by tally_look_ahead */
	struct tally_chunk *chunks;                   /* the arena: tally_arena.c */
	struct tally_text recent[TALLY_RECENT_COUNT]; /* kept lately: many entries share a text */
};

/*
 * How many bytes of the budget an entry takes, in all: with two slots of its index, which is a
 * quarter to three quarters full, and with what sorting needs for it.
 */
#define TALLY_CLIENT_LEN                                                                           \
	(sizeof(struct tally_client_entry) + 2 * sizeof(struct tally_slot) +                       \
	    sizeof(struct tally_share) + 3 * sizeof(uint32_t))
/* Set aside with each record, for the sums that some of them get when the tally is full. */
#define TALLY_RECORD_SPARE sizeof(uint32_t)
/* Sorting needs a place in the order, one in scratch memory and one among the days. */
#define TALLY_RECORD_LEN                                                                           \
	(sizeof(struct tally_record) + 2 * sizeof(uint32_t) + sizeof(struct tally_day_entry) +     \
	    TALLY_RECORD_SPARE)
#define TALLY_STORY_LEN (sizeof(struct tally_story) + 2 * sizeof(struct tally_slot))
#define TALLY_KIND_LEN                                                                             \
	(sizeof(struct tally_kind) + 2 * sizeof(struct tally_slot) + sizeof(uint32_t))
#define TALLY_HOUR_LEN (sizeof(struct tally_hour_entry) + sizeof(uint32_t))

/* --- tally_finding.c: findings, compared and joined --- */

/* As tally_key_compare, without the client: <0, 0, >0. */
int tally_kind_compare(const struct tally_kind *a, const struct tally_kind *b);
/* The kind of a finding with that key, from which it borrows the name of the server. */
struct tally_kind tally_kind_of(const struct finding_key *key);

/* --- tally_kind.c: what findings of several clients have in common --- */

/*
 * Writes a server as in a finding's key: its name in lower case or, where that is empty, its
 * address.  Returns the length in bytes; there is no NUL.
 */
uint16_t tally_server_text(struct span name, const struct addr *ip, char out[EVENT_NAME_MAX]);

/* A kind that is looked for, and what was found. */
struct tally_wanted_kind {
	struct tally_kind kind; /* borrows its text from the event, or from `text` */
	uint64_t hash;
	uint32_t number; /* TALLY_NONE: the tally does not have it yet */
	char text[EVENT_NAME_MAX];
};

/* The `hash` for tally_find_kind. */
uint64_t tally_kind_hash(const struct tally *t, const struct event *ev);
/* Look for the kind of an event, or of a finding with that key, and set all of `out`. */
void tally_find_kind(
    const struct tally *t, const struct event *ev, uint64_t hash, struct tally_wanted_kind *out);
void tally_find_key_kind(
    const struct tally *t, const struct finding_key *key, struct tally_wanted_kind *out);
/* Returns the kind's number, after adding it to the tally if it was not found. */
uint32_t tally_keep_kind(struct tally *t, const struct tally_wanted_kind *wanted);

/* --- tally_story.c: what is known of the latest handshake --- */

/* A story in which nothing is known. */
struct tally_story tally_no_story(void);
/* Sets `out` to what one attempt told; borrows from the event. */
void tally_story_of(const struct event *ev, struct tally_story *out);
/*
 * Adds to `s` what other attempts of the same finding told.  `has_offer`: it is known what their
 * client offered.  `latest`: they were no earlier than those of `s`, and replace what these told.
 */
void tally_story_join(
    struct tally_story *s, const struct tally_story *more, bool has_offer, bool latest);
/* The number of a story that equals `wanted`; TALLY_NONE: the tally has none. */
uint32_t tally_story_find(const struct tally *t, const struct tally_story *wanted);
/* The `hash` for tally_story_keep. */
uint64_t tally_story_hash(const struct tally *t, const struct tally_story *s);
/* Returns the story's number, after adding it to the tally if it has none that is equal. */
uint32_t tally_story_keep(struct tally *t, const struct tally_story *wanted, uint64_t hash);

/* --- tally_pack.c: making room --- */

/* Joins records of one finding and day into one with a sum, where that makes room. */
void tally_pack(struct tally *t);

/* --- tally_full.c: what a full tally still takes --- */

/*
 * A record of that client and kind with attempts of that day, or if `any_day`, any of theirs; NULL:
 * there is none.  Sorts the tally if it is not in order.
 */
struct tally_record *tally_find_record(
    struct tally *t, uint32_t client, uint32_t kind, int64_t day, bool any_day);
/* True if the record has a sum, or there is still memory set aside to give it one. */
bool tally_may_widen(const struct tally *t, const struct tally_record *r);
/*
 * Called before tally_widen on a record of a full tally: the sum, if it gets one, is paid from what
 * was set aside (TALLY_RECORD_SPARE).
 */
void tally_take_spare(struct tally *t, const struct tally_record *r);
/*
 * Counts an attempt in a record that is there.  `client`, `kind`: TALLY_NONE if the tally does not
 * have them.  Returns false, and changes nothing, if that would take memory.
 */
bool tally_add_known(struct tally *t, uint32_t client, uint32_t kind, const struct event *ev);

/* --- tally_cadence.c: how regularly a client comes --- */

/*
 * Counts in the client's cadence when its records were, as far as that is not done yet, so that
 * they may be joined.  `numbers`: all the client's records, in the order in which they were added.
 * `may_grow`: a struct cadence may be made where a brief is too small; else that leaves times out.
 */
void tally_pace(
    struct tally *t, uint32_t client, const uint32_t *numbers, size_t number_count, bool may_grow);
/* Sets `out` to the whole cadence: what tally_pace has counted, and the records that it has not. */
void tally_tell_cadence(const struct tally *t, uint32_t client, const uint32_t *numbers,
    size_t number_count, struct cadence *out);

/* --- tally_hours.c: a client's sessions and logins by the hour --- */

/*
 * The client's entry for an hour (UTC, since 1970-01-01); if it has none, a new one where
 * `may_make`, else NULL.  Borrowed until the next one is made.
 */
struct tally_hour_entry *tally_hour_of(
    struct tally *t, uint32_t client, int64_t hour, bool may_make);
/* Counts in it how a session ended. */
void tally_count_hour(struct tally_hour_entry *h, const struct event_ending *e);
/* Puts the hours of all clients in order, by client and time, into tally.order. */
void tally_sort_hours(struct tally *t);

/* --- tally_ahead.c: several events at once --- */

/* Sets `out` for one event, without a prefetch; tally_look_ahead does it with one, for several. */
void tally_work_out(const struct tally *t, const struct event *ev, struct tally_ahead *out);

/* --- tally_client.c: clients, and what they say of themselves --- */

/* The `hash` for the next two. */
uint64_t tally_client_hash(const struct tally *t, const struct addr *ip);
/* The number of the client with that address; TALLY_NONE: the tally has none. */
uint32_t tally_find_client(const struct tally *t, uint64_t hash, const struct addr *ip);
/* The same, after adding the client to the tally if it has none. */
uint32_t tally_client_of(struct tally *t, uint64_t hash, const struct addr *ip);
/* True if tally_update_client takes no further memory for this event. */
bool tally_client_fits(const struct tally *t, uint32_t client, const struct event *ev);
/* Keeps the client's MAC address and name, if the event has them and no better ones are kept. */
void tally_update_client(struct tally *t, uint32_t client, const struct event *ev);

/* --- tally_arena.c: texts, which stay where they are until all are dropped --- */

/* True if keeping `len` bytes takes no further memory. */
bool tally_text_fits(const struct tally *t, size_t len);
/* A copy of the text, or an equal one that was kept lately; valid until tally_drop_texts. */
struct tally_text tally_keep_text(struct tally *t, const char *data, size_t len);
void tally_drop_texts(struct tally *t);

#endif
