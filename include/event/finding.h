/*
 * finding - one row of the inventory: all handshakes of one client with one server that went the
 * same way, counted.
 *
 * The key says what went the same way (SPEC section 5); the rest is what is known of them together.
 * The tally makes findings from events, the store keeps them, the policy judges them.
 */
#ifndef TLSTALLY_EVENT_FINDING_H
#define TLSTALLY_EVENT_FINDING_H

#include "event/event.h"

struct finding_key {
	struct addr client_ip;
	enum protocol protocol;
	enum tls_mode tls_mode;
	struct event_text server; /* its name, else its address as text */
	uint16_t server_port;
	uint16_t tls_version, offered_version; /* as in the event; 0: not known */
	enum outcome outcome;
	enum event_side refused_by;
	enum refusal_kind refusal;
	uint8_t refusal_alert;
};

struct finding {
	struct finding_key key;
	uint64_t count;            /* handshakes, or sessions in cleartext; 0: only the end of some
				      that were counted before */
	uint64_t gap_count;        /* of these, with capture_gap */
	uint64_t login_count;      /* of these, cleartext sessions with credentials in the clear */
	uint64_t scsv_count;       /* of these, with TLS_FALLBACK_SCSV */
	uint64_t fallback_count;   /* of these, second tries after a higher one: tally/fallback.h */
	uint16_t fallback_from;    /* the highest offer that had failed before; 0: not seen */
	int64_t first_us, last_us; /* packet time of the earliest and the latest */

	/* Of those that were established, as far as the end of their session was seen: */
	uint64_t ended_count;
	uint64_t dropped_early_count; /* of these: event_ending_judge; and the most of any: */
	int64_t dropped_early_us;     /* between handshake and end */
	uint64_t dropped_early_len;   /* bytes of the server */

	/* Of the latest one that knew it: */
	struct addr server_ip;
	enum name_source server_name_source;
	bool has_cipher_suite;
	uint32_t cipher_suite;
	bool has_ja4;
	char ja4[EVENT_JA4_LEN];
	enum event_side limited_by;
	/* Suites that each handshake with a known offer offered, and those that any of them did. */
	uint64_t suites_all, suites_any;
	struct event_text certificate_subject;
	bool has_certificate_not_after;
	int64_t certificate_not_after_us;
	bool offers_aead, offers_ecdhe;
};

/* A certificate need not have a subject, where it has names of hosts: RFC 5280, section 4.1.2.6. */
static inline bool
finding_has_certificate(const struct finding *f)
{
	return f->certificate_subject.len > 0 || f->has_certificate_not_after;
}

#endif
