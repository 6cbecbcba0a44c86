/*
 * tally_entries - what a tally consists of.
 *
 * Most of an event many others repeat: the key of its finding without the client (a kind), and what
 * is known of the latest handshake (a story).  Each of these is kept once; a record of the log has
 * their numbers, and a sum where it stands for more than its flags can say.
 */
#ifndef TLSTALLY_TALLY_TALLY_ENTRIES_H
#define TLSTALLY_TALLY_TALLY_ENTRIES_H

#include "base/addr.h"
#include "base/xalloc.h"
#include "tally/cadence.h"
#include "tally/tally.h"
#include "tally/tally_index.h"

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

#endif
