/*
 * event - the record of one handshake attempt, or of a mail session left in cleartext.
 *
 * A value: the session fills it, the tally counts it, event_json writes it.  Absent knowledge is a
 * zero length, a zero version or a tri-state's TRI_UNKNOWN, never a made-up value.
 */
#ifndef TLSTALLY_EVENT_EVENT_H
#define TLSTALLY_EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/service.h"
#include "base/span.h"

#define EVENT_NAME_MAX 255 /* bytes kept of a name from the network; longer ones are cut */
#define EVENT_ALPN_MAX 32
#define EVENT_JA3_LEN 32
#define EVENT_JA4_LEN 36

enum event_kind {
	EVENT_TLS_HANDSHAKE,
	EVENT_CLEARTEXT_SESSION,
	/* How the session behind one of these went: for the inventory alone, no line of JSON. */
	EVENT_SESSION_END,
};

enum tls_mode { TLS_MODE_NONE, TLS_MODE_IMPLICIT, TLS_MODE_STARTTLS };

/* SPEC section 4. */
enum outcome {
	OUTCOME_ESTABLISHED,
	OUTCOME_NEGOTIATED,
	OUTCOME_REFUSED,
	OUTCOME_UNANSWERED,
	OUTCOME_CLEARTEXT,
};

enum event_side { SIDE_NONE, SIDE_CLIENT, SIDE_SERVER };

enum tri { TRI_UNKNOWN, TRI_FALSE, TRI_TRUE };

/* How a refusal showed itself. */
enum refusal_kind {
	REFUSAL_NONE,
	REFUSAL_ALERT, /* a readable alert: event.refusal_alert holds its description */
	REFUSAL_ENCRYPTED_ALERT,
	REFUSAL_RESET,
	REFUSAL_CLOSE,
	REFUSAL_SSLV2_ERROR, /* an SSLv2 ERROR message: event.refusal_alert holds its low byte */
};

enum name_source {
	NAME_SOURCE_NONE,
	NAME_SOURCE_SNI,
	NAME_SOURCE_DNS,
	NAME_SOURCE_CERTIFICATE,
	NAME_SOURCE_RANGE,
	NAME_SOURCE_EHLO,
	NAME_SOURCE_IMAP_ID,
	NAME_SOURCE_DHCP,
	NAME_SOURCE_MDNS,
	NAME_SOURCE_NBNS,
	/* In reports only: */
	NAME_SOURCE_LIST, /* the user's own list of names */
	NAME_SOURCE_REVERSE_DNS,
};
#define NAME_SOURCE_LAST NAME_SOURCE_REVERSE_DNS

/* Bytes from the network as they came: any value, any encoding; writers escape. */
struct event_text {
	uint16_t len;
	char data[EVENT_NAME_MAX];
};

/* How a session ended; known of the connection's headers, never of its content. */
enum session_end {
	SESSION_END_UNSEEN, /* idle too long, given up for lack of memory, or the capture ended */
	SESSION_END_CLOSE,
	SESSION_END_RESET,
};

#define EVENT_LOGIN_NAMES_MAX 16

struct event_ending {
	enum session_end how;
	enum event_side by;  /* who was first; SIDE_NONE where it was not seen */
	int64_t duration_us; /* from the end of the handshake to that; 0 where it was not seen */
	uint64_t client_len; /* bytes of the stream behind the handshake, TLS's own included */
	uint64_t server_len;
	bool dropped_early; /* event_ending_judge: an inference */
	bool is_short;
	/* Of a cleartext session: logins by the server's answer, and different names that failed.
	 */
	uint16_t failed_logins, accepted_logins;
	uint8_t failed_name_count;
	uint32_t failed_names[EVENT_LOGIN_NAMES_MAX]; /* keyed hashes: never stored */
	uint16_t names_in_hour; /* of this client so far: tally/login_names.h */
};

/* What is dropped early, and what is short: event_ending_judge. */
struct event_ending_limits {
	uint16_t minimum; /* TLS_VERSION_*: from it on nothing is dropped for its version */
	int64_t dropped_us;
	uint64_t dropped_len; /* bytes of the server */
	int64_t short_us;
	uint64_t short_len; /* bytes of each side */
};

/*
 * A value.  EVENT_SESSION_END repeats what an inventory row is found by (client, server and its
 * name, ports, protocol, mode, versions, outcome, timestamp) and adds `ending`; of such an event
 * nothing from EVENT_ENDING_LEN up to the server's name counts, nor the texts behind that.
 *
 * Members stand in the order of their use, and of their sizes, not of their meaning: an event is
 * copied on its way, and what has no gaps takes four lines of memory, and an ending two.
 */
struct event {
	int64_t timestamp_us; /* packet time: ClientHello's first byte, else the first byte of
				 interest */
	int64_t settled_us;   /* packet time at which the attempt was settled; orders the events */
	struct addr client_ip, server_ip;
	uint16_t client_port, server_port;
	uint16_t tls_version; /* negotiated, TLS_VERSION_*; 0: not known.  Drafts of 1.3 are 1.3 */
	uint16_t offered_version; /* highest offered; 0: not known */
	uint8_t client_mac[6];    /* `has_client_mac` */

	enum event_kind kind;
	enum protocol protocol;
	enum tls_mode tls_mode;
	enum outcome outcome;
	enum event_side refused_by;
	enum refusal_kind refusal;
	enum name_source server_name_source; /* CERTIFICATE, RANGE: for the inventory alone */
	enum name_source client_name_source;
	uint32_t source; /* frame.source of the packet that brought the first byte */
	int32_t vlan;    /* outermost VLAN id, 1 to 4095; -1: none */
	uint8_t refusal_alert;
	bool has_client_mac, has_cipher_suite, has_ja3, has_ja4, has_certificate_not_after;
	bool offers_aead, offers_ecdhe; /* of the ClientHello's suites; for "what if" questions */
	bool login;                     /* cleartext: credentials went over the wire in the clear */
	bool capture_gap;
	uint16_t downgrade_sentinel; /* TLS_VERSION_1_2, TLS_VERSION_1_1, or 0 */
	enum event_side limited_by;
	uint32_t cipher_suite; /* 16 bits, or 24 bits for SSLv2 (tls_version SSLv2) */
	uint8_t alpn_len;      /* the server's choice */

	int64_t certificate_not_after_us;
	uint64_t suites; /* of the ClientHello: tls/suite_set.h */
	enum tri resumed, hello_retry, fallback_scsv;
	char alpn[EVENT_ALPN_MAX];
	char ja3[EVENT_JA3_LEN], ja4[EVENT_JA4_LEN];

	/* Last, because what is behind their length is rarely touched. */
	struct event_text server_name, client_name;
	union {
		struct event_text certificate_subject; /* RFC 4514 text of the server's leaf */
		struct event_ending ending;            /* of an EVENT_SESSION_END */
	};
};
#define EVENT_ENDING_LEN offsetof(struct event, certificate_not_after_us)

/* Nothing known, vlan -1.  It does not touch every byte, which is quicker. */
void event_init(struct event *ev);

const char *outcome_name(enum outcome outcome);        /* "established", ... */
const char *tls_mode_name(enum tls_mode mode);         /* "implicit", "starttls", "none" */
const char *event_side_name(enum event_side side);     /* "client", "server"; NULL for SIDE_NONE */
const char *name_source_name(enum name_source source); /* "sni", ...; NULL for none */

#define EVENT_REFUSAL_TEXT_LEN 40
/* The `refusal` of SPEC section 3: an alert's RFC name, "alert_250", "reset", ...; NULL for none.
 */
const char *event_refusal_text(const struct event *ev, char out[EVENT_REFUSAL_TEXT_LEN]);

#define EVENT_CIPHER_TEXT_LEN 64
/* The IANA name of the suite, "0x1234" for one without; NULL where there is none. */
const char *event_cipher_text(const struct event *ev, char out[EVENT_CIPHER_TEXT_LEN]);

void event_text_set(struct event_text *text, struct span value); /* cut at EVENT_NAME_MAX */
struct span event_text_span(const struct event_text *text);      /* data NULL when empty */

/*
 * SPEC section 6: old versions may be refused inside TLS, after the handshake.  A session is
 * dropped early when the server ends it within `dropped_us` after at most `dropped_len` bytes; it
 * is short when anybody ends it within `short_us` after at most `short_len` bytes of each side.
 * Sets these two members of ev->ending; `ev` is an EVENT_SESSION_END.
 */
void event_ending_judge(struct event *ev, const struct event_ending_limits *limits);
/* The defaults of the configuration; `minimum` is TLS_VERSION_1_2. */
void event_ending_limits_init(struct event_ending_limits *limits);

/*
 * Order in which events are written: settled_us, then timestamp, then the 5-tuple, then the kind;
 * <0, 0, >0.
 */
int event_compare(const struct event *a, const struct event *b);

/* Appends the event as one line of JSON (SPEC section 3) with its newline. */
void event_write_json(
    const struct event *ev, const char *sensor, const char *source, struct buf *out);

#endif
