/*
 * tally_entries - what a tally consists of: the layout of its entries.
 *
 * Most of what an event says many others say as well, and it is kept once: the key of its finding
 * without the client (a kind), and what the handshake told (a story).  For each event the log gets
 * a record of 16 bytes, which has the numbers of its client, kind and story.  A record counts what
 * its flags say, or else has a sum, so that it can stand for several events.
 *
 * Entries refer to each other by their numbers: their places in the arrays of struct tally.
 */
#ifndef TLSTALLY_TALLY_TALLY_ENTRIES_H
#define TLSTALLY_TALLY_TALLY_ENTRIES_H

#include "base/addr.h"
#include "base/xalloc.h"
#include "tally/cadence.h"
#include "tally/tally.h"
#include "tally/tally_index.h"

/* A text in the arena (tally_arena.c), without a NUL; len 0: none. */
struct tally_text {
	const char *data;
	uint16_t len;
};

/* Fits into one line of the processor's cache; what is looked at last stands last. */
struct tally_client_entry {
	struct addr ip;
	bool has_mac;
	uint8_t mac[6];
	int64_t mac_us;       /* packet time of the event that told `mac` */
	int64_t name_us;      /* packet time of the event that told `name` */
	uint32_t newest_hour; /* in tally.hours; TALLY_NONE: it has none */
	uint8_t name_len;     /* bytes in `name` */
	uint8_t name_source;  /* enum name_source */
	uint8_t name_rank;    /* device_name_rank() of `name` */
	const char *name;     /* what it calls itself, in the arena; NULL: nothing yet */
	uint32_t cadence;     /* in tally.briefs; TALLY_NONE: all its times are in the log */
};
_Static_assert(sizeof(struct tally_client_entry) <= CACHE_LINE, "one line");

/*
 * A struct cadence (tally/cadence.h) with room for one hour of the day and few lengths of gaps,
 * which is enough for most clients between two flushes.
 */
#define TALLY_BRIEF_CLASSES 8
struct tally_brief_class {
	uint32_t sum_ms; /* of the gaps in this class */
	uint16_t count;
	uint8_t class; /* cadence_class() */
};

struct tally_brief {
	uint32_t full;       /* in tally.cadences, where everything is then; TALLY_NONE: here */
	uint32_t hour_count; /* attempts in `hour` */
	uint8_t hour;        /* cadence_hour() */
	uint8_t class_count; /* of `classes`, so many are in use */
	struct tally_brief_class classes[TALLY_BRIEF_CLASSES];
};

/* A finding's key without the client; members as in struct finding_key. */
struct tally_kind {
	struct tally_text server;
	uint16_t server_port, tls_version, offered_version;
	uint8_t protocol, tls_mode, outcome, refused_by, refusal, refusal_alert;
	uint32_t rank; /* its place among all kinds in order; set by tally_sort */
};

/*
 * What handshakes told and only the latest of them decides, as in struct finding.  Compared as
 * bytes, so there is no padding.
 */
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
	struct tally_text subject; /* of the server's certificate */
};

/*
 * Numbers of clients, kinds and stories are below TALLY_NUMBER_MAX: tally_new takes no budget with
 * room for as many.
 */
#define TALLY_NUMBER_BITS 24
#define TALLY_NUMBER_MAX ((UINT32_C(1) << TALLY_NUMBER_BITS) - 1)

/*
 * An entry of the log.  As a rule it is one event, and `what` and a time say all of it; with
 * TALLY_SUM it may be several, and `low` is the number of its sum.
 */
struct tally_record {
	uint32_t client : TALLY_NUMBER_BITS, what : 8; /* TALLY_* flags */
	uint32_t kind : TALLY_NUMBER_BITS, middle : 8;
	uint32_t story : TALLY_NUMBER_BITS, high : 8;
	/* Without TALLY_SUM: together with `middle` and `high` the time, see tally_unpack_time. */
	uint32_t low;
};
_Static_assert(sizeof(struct tally_record) == 16, "no gaps");

/* Flags of a record.  With TALLY_SUM the sum counts, and of the others TALLY_PACED alone is set. */
#define TALLY_ATTEMPT 1u   /* an attempt; else only what became of one is counted */
#define TALLY_GAP 2u       /* event.capture_gap */
#define TALLY_LOGIN 4u     /* event.login */
#define TALLY_SCSV 8u      /* event.fallback_scsv is TRI_TRUE */
#define TALLY_FALLBACK 16u /* it was found to be a fallback: tally_mark_fallback */
#define TALLY_ENDED 32u    /* the end of its session was seen */
#define TALLY_PACED 0x40u  /* its time is counted in the client's cadence already */
#define TALLY_SUM 0x80u    /* what it counts is in tally.sums */

/*
 * What a record counts that stands for several events of one finding and day, or for one that its
 * flags and its time cannot tell.
 */
struct tally_sum {
	int64_t first_us, last_us; /* of its attempts; INT64_MAX, INT64_MIN: there are none */
	uint32_t count;            /* attempts; of a sum that is free, the next free one */
	uint32_t gap_count, login_count, scsv_count, fallback_count;
	uint32_t ended_count, dropped_early_count;
	/*
	 * The most of any session that was dropped early: its length in milliseconds, rounded up,
	 * and the server's bytes.  Both stay at UINT32_MAX.
	 */
	uint32_t dropped_early_ms, dropped_early_len;
};

/* One hour of a client: struct tally_hour.  The counts stay at UINT32_MAX. */
struct tally_hour_entry {
	int64_t hour;
	uint32_t sessions, short_sessions, failed_logins, accepted_logins;
	uint32_t older; /* the client's next older entry; TALLY_NONE: this is its oldest */
	uint32_t client : TALLY_NUMBER_BITS, failed_names : 8;
};

/* Attempts of one client on one day with one version and outcome: struct tally_day. */
struct tally_day_entry {
	uint32_t record; /* one of them, which tells day and kind */
	uint32_t count;
};

#endif
