/*
 * tally_internal - compact entries: what struct finding says in a kilobyte, in some 250 bytes.
 */
#ifndef TLSTALLY_TALLY_TALLY_INTERNAL_H
#define TLSTALLY_TALLY_TALLY_INTERNAL_H

#include "base/hash.h"
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
	uint8_t name_source;
	struct tally_text name;
	int64_t mac_us, name_us; /* packet time of the event that told them */
	int64_t first_us, last_us;
	uint64_t event_count;
	uint32_t first_finding, finding_count, first_day, day_count; /* after tally_sort */
};

struct tally_finding_entry {
	/* What each event touches comes first, in one cache line. */
	struct tally_text server;
	uint32_t client;
	uint16_t server_port, tls_version, offered_version;
	uint8_t protocol, tls_mode, outcome, refused_by, refusal, refusal_alert;
	int64_t first_us, last_us;
	uint64_t count;

	uint8_t server_name_source, limited_by;
	bool has_cipher_suite, has_ja4, has_not_after, offers_aead, offers_ecdhe;
	struct addr server_ip;
	uint32_t cipher_suite;
	char ja4[EVENT_JA4_LEN];
	struct tally_text subject;
	int64_t not_after_us;
	uint64_t gap_count, login_count, scsv_count;
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
	uint64_t event_count;
	struct tally_index client_index, finding_index, day_index;
	struct tally_client_entry *clients;
	struct tally_finding_entry *findings;
	struct tally_day_entry *days;
	size_t client_count, client_room, finding_count, finding_room, day_count, day_room;
	bool sorted; /* by tally_sort: the indexes are stale */
	struct tally_chunk *chunks;
	struct tally_text recent[TALLY_RECENT_COUNT]; /* kept lately: many findings share a text */
};

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

static inline void
tally_index_prefetch(const struct tally_index *index, uint64_t hash)
{
	__builtin_prefetch(&index->slots[(uint32_t)hash & index->mask]);
}

/* tally_arena.c */
/* True when keeping `len` bytes takes no more memory. */
bool tally_text_fits(const struct tally *t, size_t len);
struct tally_text tally_keep_text(struct tally *t, const char *data, size_t len);
void tally_drop_texts(struct tally *t);

#endif
