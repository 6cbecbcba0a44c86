/*
 * tally_internal - compact entries: what struct finding says in a kilobyte, in some 60 bytes.
 *
 * Most of a finding many clients have in common: the key without the client, and what is known of
 * the latest handshake.  Each such kind and each such story is kept once; a finding has their
 * numbers.
 */
#ifndef TLSTALLY_TALLY_TALLY_INTERNAL_H
#define TLSTALLY_TALLY_TALLY_INTERNAL_H

#include "base/hash.h"
#include "tally/cadence.h"
#include "tally/tally.h"

#define TALLY_NONE UINT32_MAX

/* Bytes in the arena; len 0: none. */
struct tally_text {
	const char *data;
	uint16_t len;
};

struct tally_client_entry {
	struct addr ip;
	bool has_mac;
	uint8_t mac[6];
	uint8_t name_source, name_rank;
	uint32_t cadence; /* in tally.briefs; TALLY_NONE: one event only */
	struct tally_text name;
	int64_t mac_us, name_us; /* packet time of the event that told them */
	int64_t first_us, last_us;
	uint64_t event_count;
	uint32_t first_finding, finding_count, first_day, day_count; /* after tally_sort */
	uint32_t first_hour, hour_count;
};

/* A struct cadence of which little is counted, as of most clients between two flushes. */
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

/* What the latest handshakes of a finding told. */
struct tally_story {
	struct tally_text subject;
	int64_t not_after_us;
	uint32_t cipher_suite;
	struct addr server_ip;
	uint8_t server_name_source, limited_by;
	bool has_cipher_suite, has_ja4, has_not_after, offers_aead, offers_ecdhe;
	uint16_t fallback_from;
	uint64_t suites_all, suites_any;
	char ja4[EVENT_JA4_LEN];
};

struct tally_finding_entry {
	int64_t first_us, last_us;
	uint32_t client, kind, story; /* numbers of entries */
	uint32_t count;
	/* Seldom anything but 0; what does not fit makes the tally full. */
	uint16_t gap_count, login_count, scsv_count, fallback_count;
	uint16_t ended_count, dropped_early_count;
	uint32_t dropped_early_ms, dropped_early_len; /* rounded up; they saturate */
};

struct tally_hour_entry {
	int64_t hour;
	uint64_t sessions, short_sessions, failed_logins, accepted_logins;
	uint32_t client;
	uint32_t failed_names;
};

struct tally_day_entry {
	int64_t day;
	uint64_t count;
	uint32_t client;
	uint16_t tls_version;
	uint8_t outcome;
};

/*
 * Open addressing over numbers of entries in an array.  A slot keeps 32 bits of its entry's hash,
 * so that a search seldom looks at a wrong entry, and growing at none.
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

#define TALLY_RECENT_COUNT 64

struct tally_chunk;

struct tally {
	size_t max_bytes, bytes;
	struct hash_key key;
	uint64_t event_count, ending_count;
	struct tally_index hour_index;
	struct tally_index client_index, finding_index, day_index, kind_index, story_index;
	struct tally_client_entry *clients;
	struct tally_finding_entry *findings;
	struct tally_day_entry *days;
	struct tally_hour_entry *hours;
	size_t hour_count, hour_room;
	struct tally_kind *kinds;
	struct tally_story *stories;
	struct tally_brief *briefs; /* of clients with several events */
	struct cadence *cadences;   /* of these, where that is too little */
	size_t brief_count, brief_room, cadence_count, cadence_room;
	size_t client_count, client_room, finding_count, finding_room, day_count, day_room;
	size_t kind_count, kind_room, story_count, story_room;
	/* By tally_sort, until the next change: numbers of entries in order; the indexes of
	 * clients, findings and days are empty then. */
	bool sorted;
	uint32_t *client_order, *finding_order, *day_order;
	struct tally_chunk *chunks;
	struct tally_text recent[TALLY_RECENT_COUNT]; /* kept lately: many findings share a text */
};

/* tally_index.c */
void tally_index_init(struct tally_index *index);
void tally_index_clear(struct tally_index *index);
/* The same, and gives its memory back. */
void tally_index_shrink(struct tally_index *index);
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

static inline void
tally_index_prefetch(const struct tally_index *index, uint64_t hash)
{
	__builtin_prefetch(&index->slots[(uint32_t)hash & index->mask]);
}

/* tally_finding.c: the order of tally_key_compare. */
int tally_kind_compare(const struct tally_kind *a, const struct tally_kind *b);

/* tally_kind.c: kinds and stories, each kept once. */
/* `wanted` borrows its texts from elsewhere.  TALLY_NONE: not kept yet. */
uint32_t tally_kind_find(const struct tally *t, uint64_t hash, const struct tally_kind *wanted);
uint32_t tally_kind_keep(struct tally *t, uint64_t hash, const struct tally_kind *wanted);
uint64_t tally_kind_hash(const struct tally *t, const struct tally_kind *kind);
uint32_t tally_story_find(const struct tally *t, const struct tally_story *wanted);
uint32_t tally_story_keep(struct tally *t, const struct tally_story *wanted);
bool tally_story_equals(const struct tally_story *a, const struct tally_story *b);

/* Room for one more entry in a list of `count`. */
void *tally_make_room(void *items, size_t count, size_t *room, size_t item_len);

/* tally_sort.c */
/* The order is no longer needed, or no longer true. */
void tally_drop_order(struct tally *t);

/* tally.c */
/* What of an event is a finding's key. */
void tally_event_key(const struct event *ev, struct finding_key *out);

/* tally_cadence.c */
/*
 * Before the event is counted in `c`.  One event has no gap, and its hour can be told from its
 * time.  A full tally begins none: it takes no memory for what it knows, and one gap more or less
 * tells nothing.
 */
void tally_count_cadence(struct tally *t, struct tally_client_entry *c, int64_t time_us);
void tally_tell_cadence(
    const struct tally *t, const struct tally_client_entry *c, struct cadence *out);

/* tally_hours.c */
/* False when there is no such hour yet, and no room for it. */
bool tally_count_hour(struct tally *t, uint32_t client, const struct event *ev);
void tally_reindex_hours(struct tally *t);
/* By client, in time; the index is empty then. */
void tally_sort_hours(struct tally *t);

/* tally_arena.c */
/* True when keeping `len` bytes takes no more memory. */
bool tally_text_fits(const struct tally *t, size_t len);
struct tally_text tally_keep_text(struct tally *t, const char *data, size_t len);
void tally_drop_texts(struct tally *t);

#endif
