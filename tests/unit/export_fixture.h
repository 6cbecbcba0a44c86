/*
 * export_fixture - a small report for the suites of the exports: two clients, one of which calls
 * itself something hostile.
 */
#ifndef TLSTALLY_TESTS_EXPORT_FIXTURE_H
#define TLSTALLY_TESTS_EXPORT_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "report/export.h"
#include "suite.h"
#include "tls/names.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
/* 2026-07-03 00:00 and 2026-11-19 22:14 UTC */
#define BEGIN INT64_C(1783036800000000)
#define END INT64_C(1795126440000000)

/* Names as devices could send them; `shown` is what may be left of them before a format escapes. */
static const struct {
	const char *name, *shown;
} hostile[] = {
	{ "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0" },
	{ "+1+1", "+1+1" },
	{ "-2+3", "-2+3" },
	{ "@SUM(1)", "@SUM(1)" },
	{ "  =1+1", "  =1+1" },
	{ "\xef\xbc\x9d"
	  "1+1",
	    "\xef\xbc\x9d"
	    "1+1" },
	{ "\t=1+1", "\\x09=1+1" },
	{ "\r=1+1", "\\x0d=1+1" },
	{ "<script>alert(1)</script>", "<script>alert(1)</script>" },
	{ "\"><img src=x onerror='a'>&amp;", "\"><img src=x onerror='a'>&amp;" },
	{ "\033]0;owned\a\033[2J", "\\x1b]0;owned\\x07\\x1b[2J" },
	{ "a\r\nb", "a\\x0d\\x0ab" },
	{ "a\nb", "a\\x0ab" },
	{ "\xff\xfe", "\\xff\\xfe" },
	{ "cut\xc3", "cut\\xc3" },
	{ "\xc2\x9b"
	  "31m",
	    "\\xc2\\x9b31m" },
	{ "a\xe2\x80\xae"
	  "b",
	    "a\\xe2\\x80\\xaeb" },
	{ "a,b;c\"d\"", "a,b;c\"d\"" },
	{ "b\xc3\xbcro", "b\xc3\xbcro" },
	{ "\\", "\\" },
	{ "", "" },
	{ "{{7*7}}${7*7}", "{{7*7}}${7*7}" },
};

struct fixture {
	struct report report;
	struct report_client clients[2];
	struct report_row rows[2];
	struct report_detail details[2];
	struct report_counter counters[2];
	struct report_options options;
	struct export_view view;
	char name[512];
	struct buf out;
};

/* Strings are borrowed; the report is never released. */
static inline void
set_up(struct fixture *f)
{
	static char sensor[] = "here", server[] = "mail.example:993", host[] = "mail.example",
		    reason[] = "offers at most TLS 1.0; mail.example:993 refused 212 of 212 tries",
		    good[] = "negotiates TLS 1.3", subject[] = "CN=mail.example,O=\"Mail, Inc\"",
		    gaps[] = "gaps", evicted[] = "flows_evicted";

	*f = (struct fixture){
		.options = { .policy = { .minimum = TLS_VERSION_1_2 } },
		.view = { .made_us = END },
		.counters = { { gaps, 12, 2 }, { evicted, 3, 1 } },
		.name = "scanner-3",
	};
	f->rows[0] = (struct report_row){ PROTOCOL_IMAP, TLS_MODE_IMPLICIT, server, 0,
		TLS_VERSION_1_0, OUTCOME_REFUSED, SIDE_SERVER, REFUSAL_ALERT, 70, 212, BEGIN, END,
		VERDICT_BROKEN, 0, 0 };
	f->rows[1] = (struct report_row){ PROTOCOL_SMTP, TLS_MODE_STARTTLS, server, TLS_VERSION_1_3,
		TLS_VERSION_1_3, OUTCOME_ESTABLISHED, SIDE_NONE, REFUSAL_NONE, 0, 4012, BEGIN, END,
		VERDICT_OK, 0, 0 };
	f->details[0] = (struct report_detail){ .server = host, .server_port = 993 };
	f->details[1] = (struct report_detail){
		.server = host,
		.server_port = 993,
		.server_name_source = NAME_SOURCE_SNI,
		.has_cipher_suite = true,
		.cipher_suite = 0x1301,
		.has_ja4 = true,
		.certificate_subject = subject,
		.has_certificate_not_after = true,
		.certificate_not_after_us = END,
	};
	memcpy(f->details[1].ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1", EVENT_JA4_LEN);
	ck_assert(addr_from_text("192.0.2.1", &f->details[0].server_ip));
	f->clients[0] = (struct report_client){ .sensor = sensor,
		.name = f->name,
		.name_source = NAME_SOURCE_EHLO,
		.has_mac = true,
		.mac = { 0, 1, 2, 0xab, 0xcd, 0xef },
		.verdict = VERDICT_BROKEN,
		.reason = reason,
		.offered_version = TLS_VERSION_1_0,
		.server = server,
		.server_count = 2,
		.count = 212,
		.last_us = END,
		.total_count = 212,
		.first_seen_us = BEGIN,
		.last_seen_us = END };
	f->clients[1] = (struct report_client){ .sensor = sensor,
		.verdict = VERDICT_OK,
		.reason = good,
		.worst_version = TLS_VERSION_1_3,
		.best_version = TLS_VERSION_1_3,
		.offered_version = TLS_VERSION_1_3,
		.server = server,
		.server_count = 1,
		.count = 4012,
		.last_us = END,
		.total_count = 4012,
		.first_seen_us = BEGIN,
		.last_seen_us = END };
	ck_assert(addr_from_text("10.1.2.14", &f->clients[0].ip));
	ck_assert(addr_from_text("2001:db8::1", &f->clients[1].ip));
	f->report = (struct report){
		.client_count = 2,
		.totals = { [VERDICT_BROKEN] = 1, [VERDICT_OK] = 1 },
		.observed = { .run_count = 2,
		    .source_count = 3,
		    .packet_count = 12345678,
		    .has_packets = true,
		    .begin_us = BEGIN,
		    .end_us = END,
		    .covered_us = (END - BEGIN) / 4,
		    .counter_count = 2,
		    .handshake_count = 4223,
		    .cleartext_count = 1,
		    .unclear_count = 423 },
	};
}

/* The text, good until the next call. */
static inline const char *
export_as(struct fixture *f, enum export_format format)
{
	for (size_t i = 0; i < 2; i++) {
		f->clients[i].rows = &f->rows[i];
		f->clients[i].details = &f->details[i];
		f->clients[i].row_count = 1;
	}
	f->report.clients = f->clients;
	f->report.observed.counters = f->counters;
	buf_clear(&f->out);
	export_write(format, &f->report, &f->options, &f->view, &f->out);
	return buf_text(&f->out);
}

static inline void
set_name(struct fixture *f, const char *name)
{
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
}

static inline void
tear_down(struct fixture *f)
{
	buf_release(&f->out);
}

/* Whatever a device calls itself: no byte of it that a terminal or an editor would act on. */
static inline void
check_harmless(const char *text, bool crlf)
{
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (crlf && c == '\r' && p[1] == '\n')
			continue;
		ck_assert_msg(c == '\n' || (c >= 0x20 && c != 0x7f), "byte %02x in: %s", c, text);
	}
}

#endif
