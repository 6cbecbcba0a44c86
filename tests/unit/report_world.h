/*
 * report_world - databases for the suites of what a report takes from one.
 */
#ifndef TLSTALLY_TESTS_REPORT_WORLD_H
#define TLSTALLY_TESTS_REPORT_WORLD_H

#include "report/report.h"
#include "store_fixture.h"

struct seen {
	const char *client;
	enum outcome outcome;
	uint16_t offered, version;
	int64_t at;
	const char *server;
};

static inline void
add_event(struct tally *t, const struct seen *s)
{
	struct event ev = {
		.kind =
		    s->outcome == OUTCOME_CLEARTEXT ? EVENT_CLEARTEXT_SESSION : EVENT_TLS_HANDSHAKE,
		.timestamp_us = s->at,
		.settled_us = s->at,
		.client_port = 50000,
		.server_port = 993,
		.vlan = -1,
		.protocol = PROTOCOL_IMAP,
		.tls_mode = TLS_MODE_IMPLICIT,
		.tls_version = s->version,
		.offered_version = s->offered,
		.server_name_source = NAME_SOURCE_SNI,
		.outcome = s->outcome,
		.refused_by = s->outcome == OUTCOME_REFUSED ? SIDE_SERVER : SIDE_NONE,
		.refusal = s->outcome == OUTCOME_REFUSED ? REFUSAL_CLOSE : REFUSAL_NONE,
	};

	ck_assert(addr_from_text(s->client, &ev.client_ip));
	ck_assert(addr_from_text("192.0.2.1", &ev.server_ip));
	event_text_set(&ev.server_name, span_from_text(s->server));
	ck_assert(tally_add(t, &ev));
}

static inline void
fill_store(const char *sensor, const struct seen *seen, size_t count, struct store_run *run)
{
	struct tally *t = tally_new(NULL);
	struct error err = { "" };
	struct store *s = store_open(path, STORE_WRITE, &err);
	int64_t sensor_id;

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_msg(store_sensor(s, sensor, &sensor_id, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < count; i++)
		add_event(t, &seen[i]);
	ck_assert_msg(store_flush(s, sensor_id, t, run, &err) == 0, "%s", err.text);
	store_close(s);
	tally_free(t);
}

static const struct seen some[] = {
	{ "10.0.0.9", OUTCOME_ESTABLISHED, V13, V13, DAY, "mail.example" },
	{ "10.0.0.2", OUTCOME_ESTABLISHED, V10, V10, DAY, "mail.example" },
	{ "10.0.0.1", OUTCOME_REFUSED, V10, 0, DAY + HOUR, "mail.example" },
	{ "10.0.0.1", OUTCOME_REFUSED, V10, 0, DAY + 2 * HOUR, "mail.example" },
	{ "10.0.0.1", OUTCOME_ESTABLISHED, V12, V12, DAY + 3 * HOUR, "mail.example" },
	{ "10.0.0.3", OUTCOME_CLEARTEXT, 0, 0, DAY, "mail.example" },
	{ "10.0.0.4", OUTCOME_UNANSWERED, V12, 0, DAY, "mail.example" },
	{ "10.0.0.5", OUTCOME_REFUSED, V10, 0, DAY, "a\033[2j" },
	{ "10.0.0.5", OUTCOME_REFUSED, V10, 0, DAY + HOUR, "b.example" },
};
#define SOME_COUNT (sizeof(some) / sizeof(some[0]))

static inline void
fill_some(void)
{
	const struct store_counter counters[] = { { "gaps", 2 }, { "frames", 40 } };
	const struct store_source sources[] = {
		{ .name = "a.pcap", .packet_count = 30, .begin_us = DAY, .end_us = DAY + HOUR },
		{ .name = "b.pcap",
		    .packet_count = 10,
		    .begin_us = DAY + 2 * HOUR,
		    .end_us = DAY + 4 * HOUR,
		    .snapped_count = 5,
		    .error = "cut short" },
	};
	struct store_run run = {
		.command = "replay",
		.started_us = DAY,
		.begin_us = DAY,
		.end_us = DAY + 4 * HOUR,
		.packet_count = 40,
		.byte_count = 4000,
		.counters = counters,
		.counter_count = 2,
		.sources = sources,
		.source_count = 2,
	};

	fill_store("one", some, SOME_COUNT, &run);
}

static inline void
load(struct report *r, const struct report_options *options)
{
	struct error err = { "" };
	struct store *s = store_open(path, STORE_READ, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	ck_assert_msg(report_load(r, s, options, &err) == 0, "%s", err.text);
	store_close(s);
}

/* Fails where there is none. */
static inline const struct report_client *
find_client(const struct report *r, const char *text)
{
	struct addr ip;

	ck_assert(addr_from_text(text, &ip));
	for (size_t i = 0; i < r->client_count; i++) {
		if (addr_equals(&r->clients[i].ip, &ip))
			return &r->clients[i];
	}
	ck_abort_msg("there is no client %s", text);
}

static const struct report_options plain = { .policy = { .minimum = TLS_VERSION_1_2 } };

#endif
