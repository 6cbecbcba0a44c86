/*
 * report_page - a report of two clients, for the suites of its text.
 */
#ifndef TLSTALLY_TESTS_REPORT_PAGE_H
#define TLSTALLY_TESTS_REPORT_PAGE_H

#include <string.h>

#include "report/table.h"
#include "suite.h"
#include "tls/names.h"

/* 2026-07-03 00:00 and 2026-11-19 22:14 UTC */
#define BEGIN INT64_C(1783036800000000)
#define END INT64_C(1795126440000000)

#define ADDR_LONG "2001:db8:1111:2222:3333:4444:5555:6666"
#define NAME_LONG "a-name-that-goes-on-and-on.and-on-and-on-and-on-and-on-and-on.example.com:993"

static char sensor_a[] = "a", device[] = "scanner-3";
static char server_short[] = "mail.example.com:993", server_long[] = NAME_LONG;
static char reason_long[] =
    "offers at most TLS 1.0; mail.example.com:993 refused 212 of 212 tries since 2026-07-03 with "
    "alert protocol_version, last 2026-11-19 22:14 UTC; the client has to change";
static char reason_short[] = "negotiates TLS 1.3";

static struct report_row rows[] = {
	{ PROTOCOL_IMAP, TLS_MODE_IMPLICIT, server_short, 0, TLS_VERSION_1_0, OUTCOME_REFUSED,
	    SIDE_SERVER, REFUSAL_ALERT, 70, 212, BEGIN, END, VERDICT_BROKEN, 0, 0 },
	{ PROTOCOL_SMTP, TLS_MODE_STARTTLS, server_long, TLS_VERSION_1_0, TLS_VERSION_1_0,
	    OUTCOME_ESTABLISHED, SIDE_NONE, REFUSAL_NONE, 0, 5, BEGIN, BEGIN, VERDICT_LEGACY, 3,
	    TLS_VERSION_1_2 },
};

static struct report_counter counters[] = {
	{ NULL, 12, 2 },
	{ NULL, 3, 1 },
	{ NULL, 0, 2 },
};
static char counter_gaps[] = "gaps", counter_evicted[] = "flows_evicted",
	    counter_undecodable[] = "undecodable";

/* Two clients; what a test is about, it changes. */
struct fixture {
	struct report report;
	struct report_client clients[2];
	struct report_options options;
	struct report_view view;
};

static inline void
set_up(struct fixture *f)
{
	counters[0].name = counter_gaps;
	counters[1].name = counter_evicted;
	counters[2].name = counter_undecodable;
	*f = (struct fixture){
		.options = { .policy = { .minimum = TLS_VERSION_1_2 } },
		.view = { .terminal = { .width = 100 } },
		.clients = {
			{ .sensor = sensor_a, .name = device, .name_source = NAME_SOURCE_EHLO,
			    .has_mac = true, .mac = { 0, 1, 2, 0xab, 0xcd, 0xef },
			    .verdict = VERDICT_BROKEN, .reason = reason_long,
			    .worst_version = TLS_VERSION_1_0, .offered_version = TLS_VERSION_1_0,
			    .server = server_short, .server_count = 1, .count = 212,
			    .last_us = END, .rows = rows, .row_count = 2 },
			{ .sensor = sensor_a, .verdict = VERDICT_OK, .reason = reason_short,
			    .worst_version = TLS_VERSION_1_3, .offered_version = TLS_VERSION_1_3,
			    .server = server_long, .server_count = 3, .count = 4012,
			    .last_us = END },
		},
		.report = {
			.client_count = 2,
			.totals = { [VERDICT_BROKEN] = 1, [VERDICT_OK] = 1 },
			.observed = {
				.run_count = 2,
				.source_count = 3,
				.packet_count = 12345678,
				.has_packets = true,
				.begin_us = BEGIN,
				.end_us = END,
				.covered_us = END - BEGIN,
				.counters = counters,
				.counter_count = 3,
				.handshake_count = 4229,
				.cleartext_count = 1,
			},
		},
	};
	ck_assert(addr_from_text("10.1.2.14", &f->clients[0].ip));
	ck_assert(addr_from_text(ADDR_LONG, &f->clients[1].ip));
	f->report.clients = f->clients;
}

static inline const char *
write_report(struct fixture *f, struct buf *out)
{
	f->report.clients = f->clients;
	buf_clear(out);
	report_write(&f->report, &f->options, &f->view, out);
	return buf_text(out);
}

static inline size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

#endif
