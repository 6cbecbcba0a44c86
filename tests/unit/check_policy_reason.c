#include <string.h>

#include "base/text.h"
#include "policy/printable.h"
#include "policy/verdict.h"
#include "suite.h"
#include "tls/names.h"

#include "base/banned.h"

#define V10 TLS_VERSION_1_0
#define V11 TLS_VERSION_1_1
#define V12 TLS_VERSION_1_2
#define V13 TLS_VERSION_1_3
#define EST OUTCOME_ESTABLISHED
#define NEG OUTCOME_NEGOTIATED
#define REF OUTCOME_REFUSED
#define UNA OUTCOME_UNANSWERED
#define CLR OUTCOME_CLEARTEXT

/* 2026-07-03 00:00, 2026-11-01 00:00, 2026-11-19 22:14 and 2026-11-20 06:30 UTC */
#define JUL INT64_C(1783036800000000)
#define NOV INT64_C(1793491200000000)
#define EVE INT64_C(1795126440000000)
#define DAY INT64_C(1795156200000000)

/* In the tables a row ends where the rest of it is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define ROWS_MAX 4

struct row {
	enum outcome outcome;
	uint16_t offered, version;
	uint64_t count;
	int64_t first, last;
	const char *server; /* NULL: mail.example.com */
	uint16_t port;      /* 0: 993 */
	enum event_side by;
	enum refusal_kind refusal;
	uint8_t alert;
	uint64_t gaps, logins, scsv, fallbacks;
	uint16_t from;
	uint64_t ended, dropped, dropped_len;
	int64_t dropped_us;
	uint8_t address; /* 198.51.100.x; 0: one of its own */
};

static const struct sentence {
	struct row rows[ROWS_MAX];
	size_t count;
	const char *text;
} sentences[] = {
	/* broken */
	{ { { REF, V10, 0, 212, JUL, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_ALERT,
	      .alert = 70 } },
	    1,
	    "offers at most TLS 1.0; mail.example.com:993 refused 212 of 212 tries since "
	    "2026-07-03 "
	    "with alert protocol_version, last 2026-11-19 22:14 UTC; the client has to change" },
	{ { { REF, V10, 0, 1, EVE, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_RESET } }, 1,
	    "offers at most TLS 1.0; mail.example.com:993 refused 1 of 1 try on 2026-11-19 22:14 "
	    "UTC "
	    "by a reset; the client has to change" },
	{ { { REF, TLS_VERSION_SSL3, 0, 12, NOV, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_CLOSE },
	      { EST, TLS_VERSION_SSL3, TLS_VERSION_SSL3, 30, JUL, NOV } },
	    2,
	    "offers at most SSLv3; mail.example.com:993 refused 12 of 42 tries since 2026-11-01 by "
	    "closing the connection, last 2026-11-19 22:14 UTC; the client has to change; also "
	    "legacy "
	    "with 1 server" },
	{ { { REF, V11, 0, 3, NOV, NOV, .by = SIDE_SERVER, .refusal = REFUSAL_RESET },
	      { REF, V11, 0, 4, NOV, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_ALERT,
		  .alert = 40 } },
	    2,
	    "offers at most TLS 1.1; mail.example.com:993 refused 7 of 7 tries since 2026-11-01, "
	    "the "
	    "latest with alert handshake_failure, last 2026-11-19 22:14 UTC; the client has to "
	    "change" },
	{ { { REF, V10, V10, 5, NOV, EVE, .by = SIDE_CLIENT, .refusal = REFUSAL_ALERT,
	      .alert = 48 } },
	    1,
	    "offers at most TLS 1.0; the client itself broke off 5 of 5 tries with "
	    "mail.example.com:993 since 2026-11-01 with alert unknown_ca, last 2026-11-19 22:14 "
	    "UTC, "
	    "after the server had chosen TLS 1.0; the client has to change: it rejects the "
	    "certificate, so a newer version alone will not mend it" },
	{ { { REF, V10, 0, 5, NOV, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_ALERT, .alert = 86,
	      .scsv = 5 } },
	    1,
	    "offers at most TLS 1.0; mail.example.com:993 refused 5 of 5 tries since 2026-11-01 "
	    "with "
	    "alert inappropriate_fallback, last 2026-11-19 22:14 UTC; the client marks these tries "
	    "as "
	    "a fallback (TLS_FALLBACK_SCSV), so a better offer has failed before" },
	{ { { REF, V10, 0, 5, NOV, EVE, "2001:db8::25", 587, SIDE_SERVER, REFUSAL_ALERT, 250 },
	      { REF, V10, 0, 9, NOV, NOV, "192.0.2.9", 587, SIDE_SERVER, REFUSAL_RESET },
	      { CLR, 0, 0, 1, NOV, NOV, "192.0.2.9", 587 } },
	    3,
	    "offers at most TLS 1.0; [2001:db8::25]:587 refused 5 of 5 tries since 2026-11-01 with "
	    "alert_250, last 2026-11-19 22:14 UTC; the client has to change; also broken with 1 "
	    "more "
	    "server, cleartext with 1 server" },

	/* legacy */
	{ { { EST, V10, V10, 212, JUL, EVE } }, 1,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 212 handshakes "
	    "since "
	    "2026-07-03, last 2026-11-19 22:14 UTC; the client has to change" },
	{ { { EST, V10, V10, 45, NOV, EVE, .ended = 43, .dropped = 43, .dropped_len = 180,
	      .dropped_us = 1000001 } },
	    1,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 45 handshakes "
	    "since "
	    "2026-11-01, last 2026-11-19 22:14 UTC; the server ended 43 of 43 sessions within 2 s "
	    "after at most 180 bytes: dropped early, so it may be refused inside TLS and not work "
	    "at "
	    "all (an inference); the client has to change" },
	{ { { EST, V10, V10, 45, NOV, EVE, .ended = 43, .dropped = 5, .dropped_len = 1 } }, 1,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 45 handshakes "
	    "since "
	    "2026-11-01, last 2026-11-19 22:14 UTC; the server ended 5 of 43 sessions within 1 s "
	    "after at most 1 byte: dropped early (an inference); the client has to change" },
	{ { { EST, V10, V10, 45, NOV, EVE, .ended = 43 } }, 1,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 45 handshakes "
	    "since "
	    "2026-11-01, last 2026-11-19 22:14 UTC; the client has to change" },
	{ { { EST, V10, V10, 2, EVE - 60000000, EVE } }, 1,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 2 handshakes since "
	    "2026-11-19 22:13, last 2026-11-19 22:14 UTC; the client has to change" },
	{ { { EST, V11, V10, 1, EVE, EVE } }, 1,
	    "negotiates TLS 1.0 and offers at most TLS 1.1, with mail.example.com:993: 1 handshake "
	    "on "
	    "2026-11-19 22:14 UTC; the client has to change" },
	{ { { NEG, 0, V10, 2, JUL, EVE } }, 1,
	    "negotiates TLS 1.0 with mail.example.com:993: 2 handshakes since 2026-07-03, last "
	    "2026-11-19 22:14 UTC; how they ended was not seen; what the client offers was not "
	    "seen, "
	    "so whether it or the server has to change is open" },
	{ { { NEG, V10, 0, 2, JUL, EVE } }, 1,
	    "offers at most TLS 1.0, and goes on without the server's choice being seen, with "
	    "mail.example.com:993: 2 handshakes since 2026-07-03, last 2026-11-19 22:14 UTC; how "
	    "they "
	    "ended was not seen; the client has to change" },
	{ { { EST, V10, V10, 5, JUL, EVE }, { NEG, V10, V10, 2, JUL, NOV } }, 2,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 7 handshakes since "
	    "2026-07-03, last 2026-11-19 22:14 UTC; how 2 of them ended was not seen; the client "
	    "has "
	    "to change" },
	{ { { EST, V10, V10, 90, JUL, EVE },
	      { REF, V10, 0, 10, NOV, NOV, .by = SIDE_SERVER, .refusal = REFUSAL_RESET } },
	    2,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 90 handshakes "
	    "since "
	    "2026-07-03, last 2026-11-19 22:14 UTC; 10 more tries were refused, last 2026-11-01 "
	    "00:00 "
	    "UTC; the client has to change" },
	{ { { EST, V10, V10, 90, JUL, NOV }, { EST, V12, V12, 10, EVE, DAY } }, 2,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 90 handshakes "
	    "since "
	    "2026-07-03, last 2026-11-01 00:00 UTC; since then it negotiates TLS 1.2 there, last "
	    "on "
	    "2026-11-20" },

	{ { { EST, V10, V10, 90, JUL, EVE }, { EST, V12, V12, 10, NOV, DAY } }, 2,
	    "negotiates TLS 1.0, the most it offers, with mail.example.com:993: 90 handshakes "
	    "since 2026-07-03, last 2026-11-19 22:14 UTC; the client has to change" },
	{ { { EST, V11, V10, 90, JUL, EVE }, { EST, V11, V11, 10, JUL, NOV } }, 2,
	    "negotiates TLS 1.0 and offers at most TLS 1.1, with mail.example.com:993: 90 "
	    "handshakes since 2026-07-03, last 2026-11-19 22:14 UTC; the client has to change" },

	/* fallbacks */
	{ { { EST, V10, V10, 40, JUL, EVE, .fallbacks = 39, .from = V12 } }, 1,
	    "negotiates TLS 1.0, the most it offers then, with mail.example.com:993: 40 handshakes "
	    "since 2026-07-03, last 2026-11-19 22:14 UTC; 39 of them are fallbacks, seconds after "
	    "a try with TLS 1.2 failed; find out why the higher version fails, and let the client "
	    "not fall back" },
	{ { { EST, V10, V10, 1, EVE, EVE, .fallbacks = 1, .scsv = 1 } }, 1,
	    "negotiates TLS 1.0, the most it offers then, with mail.example.com:993: 1 handshake "
	    "on "
	    "2026-11-19 22:14 UTC; it is a fallback, as the client itself says "
	    "(TLS_FALLBACK_SCSV); the client has to change" },
	{ { { EST, V10, V10, 4, JUL, EVE, .fallbacks = 4, .from = V12 },
	      { REF, V12, 0, 4, JUL, NOV, .by = SIDE_SERVER, .refusal = REFUSAL_RESET } },
	    2,
	    "negotiates TLS 1.0, the most it offers then, with mail.example.com:993: 4 handshakes "
	    "since 2026-07-03, last 2026-11-19 22:14 UTC; all are fallbacks, seconds after a try "
	    "with TLS 1.2 failed; find out why the higher version fails, and let the client not "
	    "fall back" },

	/* server-limited */
	{ { { EST, V12, V10, 5, JUL, EVE } }, 1,
	    "offers TLS 1.2, but mail.example.com:993 chose TLS 1.0 in 5 of 5 tries since "
	    "2026-07-03, "
	    "last 2026-11-19 22:14 UTC; the server has to change" },
	{ { { REF, V12, V10, 5, JUL, EVE, .by = SIDE_CLIENT, .refusal = REFUSAL_ALERT,
	      .alert = 70 } },
	    1,
	    "offers TLS 1.2, but mail.example.com:993 chose TLS 1.0 in 5 of 5 tries since "
	    "2026-07-03, "
	    "last 2026-11-19 22:14 UTC; the client then broke off with alert protocol_version; the "
	    "server has to change" },

	/* cleartext */
	{ { { CLR, 0, 0, 14, JUL, EVE, "192.0.2.1", 143, .logins = 14 } }, 1,
	    "14 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-19 "
	    "22:14 "
	    "UTC, all with a login in the clear; TLS has to be turned on in the client" },
	{ { { CLR, 0, 0, 14, JUL, EVE, "192.0.2.1", 143, .logins = 3 } }, 1,
	    "14 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-19 "
	    "22:14 "
	    "UTC, 3 with a login in the clear; TLS has to be turned on in the client" },
	{ { { CLR, 0, 0, 1, EVE, EVE, "192.0.2.1", 143 } }, 1,
	    "1 IMAP session without TLS with 192.0.2.1:143 on 2026-11-19 22:14 UTC, none seen with "
	    "a "
	    "login; TLS has to be turned on in the client" },
	{ { { CLR, 0, 0, 30, JUL, NOV, "192.0.2.1", 143, .logins = 30, .address = 1 },
	      { EST, V13, V13, 9, EVE, EVE, NULL, 143, .address = 1 } },
	    2,
	    "30 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-01 "
	    "00:00 UTC, all with a login in the clear; since then it negotiates TLS 1.3 there, "
	    "last on 2026-11-19" },
	{ { { CLR, 0, 0, 30, JUL, NOV, "192.0.2.1", 143, .logins = 30, .address = 1 },
	      { EST, V13, V13, 9, EVE, EVE, NULL, 993, .address = 1 } },
	    2,
	    "30 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-01 "
	    "00:00 UTC, all with a login in the clear; since then it negotiates TLS 1.3 there on "
	    "port 993, last on 2026-11-19" },
	{ { { CLR, 0, 0, 30, JUL, EVE, "192.0.2.1", 143, .logins = 30, .address = 1 },
	      { EST, V13, V13, 9, NOV, EVE, NULL, 993, .address = 1 } },
	    2,
	    "30 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-19 "
	    "22:14 UTC, all with a login in the clear; TLS has to be turned on in the client" },
	{ { { CLR, 0, 0, 30, JUL, NOV, "192.0.2.1", 143, .logins = 30, .address = 1 },
	      { EST, V13, V13, 9, JUL, EVE, NULL, 993, .address = 1 },
	      { EST, V12, V12, 2, EVE, EVE, NULL, 143, .address = 1 } },
	    3,
	    "30 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-01 "
	    "00:00 UTC, all with a login in the clear; since then it negotiates TLS 1.2 there, "
	    "last on 2026-11-19" },
	{ { { CLR, 0, 0, 30, JUL, NOV, "192.0.2.1", 143, .logins = 30, .address = 1 },
	      { EST, V13, V13, 9, EVE, EVE, NULL, 993, .address = 2 } },
	    2,
	    "30 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-01 "
	    "00:00 UTC, all with a login in the clear; TLS has to be turned on in the client" },
	{ { { CLR, 0, 0, 30, JUL, EVE, "192.0.2.1", 143, .logins = 30, .address = 1 },
	      { EST, V13, V13, 9, NOV, EVE, NULL, 143, .address = 1 } },
	    2,
	    "30 IMAP sessions without TLS with 192.0.2.1:143 since 2026-07-03, last 2026-11-19 "
	    "22:14 UTC, all with a login in the clear; TLS has to be turned on in the client" },

	/* unclear */
	{ { { UNA, V12, 0, 3, JUL, EVE }, { EST, V12, V12, 2, JUL, NOV } }, 2,
	    "offers TLS 1.2; mail.example.com:993 did not answer 3 of 5 tries since 2026-07-03, "
	    "last "
	    "2026-11-19 22:14 UTC; it is silent, or the capture does not see what it sends" },
	{ { { UNA, V10, 0, 3, JUL, EVE, .gaps = 2 } }, 1,
	    "offers at most TLS 1.0; mail.example.com:993 did not answer 3 of 3 tries since "
	    "2026-07-03, last 2026-11-19 22:14 UTC; it is silent, or the capture does not see what "
	    "it "
	    "sends; bytes are missing from the capture in 2 of them" },
	{ { { UNA, V12, 0, 1, EVE, EVE, .gaps = 1 } }, 1,
	    "offers TLS 1.2; mail.example.com:993 did not answer 1 of 1 try on 2026-11-19 22:14 "
	    "UTC; "
	    "it is silent, or the capture does not see what it sends; bytes are missing from the "
	    "capture" },
	{ { { NEG, V13, 0, 3, JUL, EVE } }, 1,
	    "3 handshakes with mail.example.com:993 since 2026-07-03, last 2026-11-19 22:14 UTC "
	    "went "
	    "on, but the server's choice of version was not seen (offered: TLS 1.3)" },
	{ { { REF, V13, V13, 3, JUL, EVE, .by = SIDE_CLIENT, .refusal = REFUSAL_ALERT,
	      .alert = 48 } },
	    1,
	    "offers TLS 1.3, which is enough; the client itself broke off 3 of 3 tries with "
	    "mail.example.com:993 since 2026-07-03 with alert unknown_ca, last 2026-11-19 22:14 "
	    "UTC, "
	    "after the server had chosen TLS 1.3: the certificate is what it rejects, not the "
	    "version" },
	{ { { REF, V12, 0, 3, JUL, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_ALERT,
	      .alert = 70 } },
	    1,
	    "offers TLS 1.2, which is enough; mail.example.com:993 refused 3 of 3 tries since "
	    "2026-07-03 with alert protocol_version, last 2026-11-19 22:14 UTC: it takes none of "
	    "the "
	    "versions offered; look at the server" },
	{ { { REF, V12, 0, 3, JUL, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_ALERT,
	      .alert = 40 } },
	    1,
	    "offers TLS 1.2, which is enough; mail.example.com:993 refused 3 of 3 tries since "
	    "2026-07-03 with alert handshake_failure, last 2026-11-19 22:14 UTC: not for an old "
	    "version" },
	{ { { REF, V13, V13, 3, JUL, EVE, .by = SIDE_CLIENT } }, 1,
	    "offers TLS 1.3, which is enough; the client itself broke off 3 of 3 tries with "
	    "mail.example.com:993 since 2026-07-03 in a way that is encrypted, last 2026-11-19 "
	    "22:14 UTC, after the server had chosen TLS 1.3: not for an old version" },
	{ { { REF, V13, 0, 1, EVE, EVE, .by = SIDE_SERVER, .gaps = 1 } }, 1,
	    "offers TLS 1.3, which is enough; mail.example.com:993 refused 1 of 1 try on "
	    "2026-11-19 22:14 UTC in a way that was not seen: not for an old version; bytes are "
	    "missing from the capture" },
	{ { { REF, V12, V12, 3, JUL, EVE, .by = SIDE_SERVER } }, 1,
	    "offers TLS 1.2, which is enough; mail.example.com:993 refused 3 of 3 tries since "
	    "2026-07-03 in a way that was not seen, last 2026-11-19 22:14 UTC, having chosen TLS "
	    "1.2: not for an old version" },
	{ { { REF, 0, 0, 3, JUL, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_ENCRYPTED_ALERT } }, 1,
	    "mail.example.com:993 refused 3 of 3 tries since 2026-07-03 with an encrypted alert, "
	    "last "
	    "2026-11-19 22:14 UTC; what the client offers was not seen, so whether the version is "
	    "the "
	    "cause cannot be told" },
	{ { { REF, V10, 0, 3, JUL, NOV, .by = SIDE_SERVER, .refusal = REFUSAL_CLOSE },
	      { EST, V13, V13, 900, JUL, EVE } },
	    2,
	    "offers at most TLS 1.0; mail.example.com:993 refused 3 of 3 tries since 2026-07-03 by "
	    "closing the connection, last 2026-11-01 00:00 UTC, while other handshakes there go "
	    "through: another program on this device, or a fallback" },

	{ { { REF, V13, 0, 3, JUL, NOV, .by = SIDE_SERVER, .refusal = REFUSAL_RESET },
	      { REF, V10, 0, 3, JUL, NOV, .by = SIDE_SERVER, .refusal = REFUSAL_RESET } },
	    2,
	    "offers at most TLS 1.0 then; mail.example.com:993 refused 3 of 3 tries since "
	    "2026-07-03 by a reset, last 2026-11-01 00:00 UTC, seconds after a better offer had "
	    "failed there: not for the old version alone" },

	/* ok */
	{ { { EST, V13, V13, 4012, JUL, EVE } }, 1,
	    "negotiates TLS 1.3: 4012 handshakes with mail.example.com:993 since 2026-07-03, last "
	    "2026-11-19 22:14 UTC" },
	{ { { EST, V13, V13, 40, NOV, NOV }, { EST, V13, V12, 2, JUL, EVE, "b.example" },
	      { UNA, V13, 0, 1, JUL, JUL } },
	    3,
	    "negotiates TLS 1.2 to TLS 1.3: 42 handshakes with 2 servers since 2026-07-03, last "
	    "2026-11-19 22:14 UTC; 1 try failed, with a success since" },
	{ { { EST, V13, V13, 2, JUL, EVE, "b.example" }, { EST, V13, V13, 40, NOV, NOV } }, 2,
	    "negotiates TLS 1.3: 42 handshakes with 2 servers since 2026-07-03, last 2026-11-19 "
	    "22:14 UTC" },
	{ { { REF, V10, 0, 3, JUL, JUL, "198.51.100.7", .by = SIDE_SERVER, .refusal = REFUSAL_CLOSE,
		.address = 7 },
	      { EST, V13, V13, 1, EVE, EVE, .address = 7 } },
	    2,
	    "negotiates TLS 1.3: 1 handshake with mail.example.com:993 on 2026-11-19 22:14 UTC; 3 "
	    "tries failed, with a success since" },
};

static void
fill(struct finding *f, const struct row *row)
{
	const char *server = row->server != NULL ? row->server : "mail.example.com";

	*f = (struct finding){
		.key = {
			.protocol = PROTOCOL_IMAP,
			.server_port = row->port != 0 ? row->port : 993,
			.tls_version = row->version,
			.offered_version = row->offered,
			.outcome = row->outcome,
			.refused_by = row->by,
			.refusal = row->refusal,
			.refusal_alert = row->alert,
		},
		.count = row->count,
		.gap_count = row->gaps,
		.login_count = row->logins,
		.scsv_count = row->scsv,
		.fallback_count = row->fallbacks,
		.fallback_from = row->from,
		.ended_count = row->ended,
		.dropped_early_count = row->dropped,
		.dropped_early_len = row->dropped_len,
		.dropped_early_us = row->dropped_us,
		.first_us = row->first,
		.last_us = row->last,
	};
	event_text_set(&f->key.server, span_from_text(server));
	if (row->address != 0)
		f->server_ip = addr_from_v4((const uint8_t[]){ 198, 51, 100, row->address });
}

static void
judge(const struct finding *findings, size_t count, struct buf *reason)
{
	struct policy policy = { .minimum = V12 };
	enum verdict verdicts[ROWS_MAX];

	policy_judge(&policy, findings, count, verdicts);
	(void)policy_judge_client(&policy, findings, verdicts, count, reason);
}

START_TEST(reason_reads_like_this)
{
	const struct sentence *s = &sentences[_i];
	struct finding findings[ROWS_MAX] = { 0 };
	struct buf reason = { 0 };

	for (size_t i = 0; i < s->count; i++)
		fill(&findings[i], &s->rows[i]);
	judge(findings, s->count, &reason);
	ck_assert_str_eq(buf_text(&reason), s->text);
	buf_release(&reason);
}
END_TEST

START_TEST(reason_is_the_same_in_whatever_order_findings_come)
{
	/* Alike in all that counts, but for the name, the port, the way of refusal. */
	const struct row rows[] = {
		{ REF, V10, 0, 3, NOV, EVE, "b.example", .by = SIDE_SERVER,
		    .refusal = REFUSAL_RESET },
		{ REF, V10, 0, 3, NOV, EVE, "b.example", .by = SIDE_SERVER,
		    .refusal = REFUSAL_CLOSE },
		{ REF, V10, 0, 3, NOV, EVE, "a.example", 995, .by = SIDE_SERVER,
		    .refusal = REFUSAL_RESET },
		{ REF, V10, 0, 3, NOV, EVE, "a.example", 993, .by = SIDE_SERVER,
		    .refusal = REFUSAL_CLOSE },
	};
	struct finding findings[ROWS_MAX] = { 0 };
	struct buf reason = { 0 };

	for (size_t i = 0; i < ROWS_MAX; i++)
		fill(&findings[(i * 3 + (size_t)_i) % ROWS_MAX], &rows[i]);
	judge(findings, ROWS_MAX, &reason);
	ck_assert_str_eq(buf_text(&reason),
	    "offers at most TLS 1.0; a.example:993 refused 3 of 3 tries since 2026-11-01 by "
	    "closing the connection, last 2026-11-19 22:14 UTC; the client has to change; also "
	    "broken with 2 more servers");
	buf_release(&reason);
}
END_TEST

START_TEST(reason_is_appended)
{
	struct finding finding;
	struct buf reason = { 0 };

	fill(&finding, &sentences[0].rows[0]);
	buf_add_text(&reason, "10.0.0.1: ");
	judge(&finding, 1, &reason);
	ck_assert(strncmp(buf_text(&reason), "10.0.0.1: offers", 16) == 0);
	buf_release(&reason);
}
END_TEST

/* What a name from the network must not become on a terminal. */
static const struct {
	const char *name;
	const char *shown;
} hostile[] = {
	{ "plain.example", "plain.example" },
	{ "", "" },
	{ "a\033[2Jb", "a\\x1b[2Jb" },
	{ "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d" },
	{ "del\x7f.", "del\\x7f." },
	{ "c1\xc2\x9b"
	  "2J",
	    "c1\\xc2\\x9b2J" },
	{ "b\xc3\xbcro", "b\xc3\xbcro" },
	{ "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac" },
	{ "\xf0\x9f\x93\xa7", "\xf0\x9f\x93\xa7" },
	{ "latin\xe9", "latin\\xe9" },
	{ "cut\xc3", "cut\\xc3" },
	{ "overlong\xc0\xaf", "overlong\\xc0\\xaf" },
	{ "overlong\xe0\x80\xaf", "overlong\\xe0\\x80\\xaf" },
	{ "surrogate\xed\xa0\x80", "surrogate\\xed\\xa0\\x80" },
	{ "beyond\xf4\x90\x80\x80", "beyond\\xf4\\x90\\x80\\x80" },
	{ "rtl\xe2\x80\xaemoc", "rtl\\xe2\\x80\\xaemoc" },
	{ "zero\xe2\x80\x8bwidth", "zero\\xe2\\x80\\x8bwidth" },
	{ "bom\xef\xbb\xbf", "bom\\xef\\xbb\\xbf" },
	{ "back\\x1b", "back\\x1b" },
};

START_TEST(hostile_name_is_shown_escaped)
{
	struct buf out = { 0 };

	printable_add(&out, span_from_text(hostile[_i].name), SIZE_MAX);
	ck_assert_str_eq(buf_text(&out), hostile[_i].shown);
	buf_release(&out);
}
END_TEST

START_TEST(zero_byte_in_a_name_is_shown_escaped)
{
	struct buf out = { 0 };

	printable_add(&out, BYTES("a\0b"), SIZE_MAX);
	ck_assert_str_eq(buf_text(&out), "a\\x00b");
	buf_release(&out);
}
END_TEST

START_TEST(hostile_name_cannot_steer_the_terminal_through_a_reason)
{
	struct row row = { REF, V10, 0, 2, JUL, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_CLOSE };
	struct finding finding;
	struct buf reason = { 0 };

	row.server = hostile[_i].name;
	fill(&finding, &row);
	judge(&finding, 1, &reason);
	for (size_t i = 0; i < reason.len; i++)
		ck_assert(
		    (unsigned char)reason.data[i] >= 0x20 && (unsigned char)reason.data[i] < 0x7f);
	buf_release(&reason);
}
END_TEST

/* The store keeps names printable: a reason must not depend on whether it was made before or after.
 */
START_TEST(printable_name_is_left_as_it_is)
{
	struct buf once = { 0 }, twice = { 0 };

	printable_add_server(&once, span_from_text(hostile[_i].name), 993, SIZE_MAX);
	printable_add_server(&twice, span_from(once.data, once.len - 4), 993, SIZE_MAX);
	ck_assert_str_eq(buf_text(&twice), buf_text(&once));
	buf_release(&once);
	buf_release(&twice);
}
END_TEST

START_TEST(server_name_beyond_ascii_is_shown_escaped)
{
	struct buf out = { 0 };

	/* The first letter is Cyrillic. */
	printable_add_server(&out, span_from_text("\xd0\xbeutlook.example"), 993, SIZE_MAX);
	ck_assert_str_eq(buf_text(&out), "\\xd0\\xbeutlook.example:993");
	buf_release(&out);
}
END_TEST

START_TEST(name_of_255_bytes_does_not_flood_the_reason)
{
	struct row row = { REF, V10, 0, 2, JUL, EVE, .by = SIDE_SERVER, .refusal = REFUSAL_CLOSE };
	char name[EVENT_NAME_MAX + 1];
	struct finding finding;
	struct buf reason = { 0 };

	memset(name, _i == 0 ? 'a' : '\033', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	row.server = name;
	fill(&finding, &row);
	ck_assert_uint_eq(finding.key.server.len, EVENT_NAME_MAX);
	judge(&finding, 1, &reason);
	ck_assert_uint_lt(reason.len, 300);
	ck_assert_ptr_nonnull(strstr(buf_text(&reason), "...:993 refused"));
	buf_release(&reason);
}
END_TEST

/* Every limit around and below the text's own length, in whole characters. */
START_TEST(cut_name_ends_in_dots_and_keeps_its_limit)
{
	static const char name[] = "a\xc3\xbc\xe6\x97\xa5\033z";
	const size_t whole = 1 + 2 + 3 + 4 + 1;

	for (size_t max = 0; max <= whole + 1; max++) {
		struct buf out = { 0 };
		struct span rest;
		uint32_t c;

		printable_add(&out, span_from_text(name), max);
		ck_assert_uint_le(out.len, max);
		ck_assert_uint_eq(out.len == whole, max >= whole);
		if (max < whole && max >= 3)
			ck_assert_mem_eq(out.data + out.len - 3, "...", 3);
		for (rest = span_from(out.data, out.len); rest.len > 0;) {
			size_t len = text_utf8_char(rest, &c);

			ck_assert_uint_gt(len, 0);
			ck_assert(span_skip(&rest, len));
		}
		buf_release(&out);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	const int hostile_count = (int)(sizeof(hostile) / sizeof(hostile[0]));

	tcase_add_loop_test(
	    tc, reason_reads_like_this, 0, (int)(sizeof(sentences) / sizeof(sentences[0])));
	tcase_add_loop_test(tc, reason_is_the_same_in_whatever_order_findings_come, 0, ROWS_MAX);
	tcase_add_test(tc, reason_is_appended);
	tcase_add_loop_test(tc, hostile_name_is_shown_escaped, 0, hostile_count);
	tcase_add_test(tc, zero_byte_in_a_name_is_shown_escaped);
	tcase_add_loop_test(
	    tc, hostile_name_cannot_steer_the_terminal_through_a_reason, 0, hostile_count);
	tcase_add_loop_test(tc, printable_name_is_left_as_it_is, 0, hostile_count);
	tcase_add_test(tc, server_name_beyond_ascii_is_shown_escaped);
	tcase_add_loop_test(tc, name_of_255_bytes_does_not_flood_the_reason, 0, 2);
	tcase_add_test(tc, cut_name_ends_in_dots_and_keeps_its_limit);
}

SUITE_MAIN("policy_reason")
