/*
 * store_fixture - what the suites of the tally and the store share: a folder of their own, events,
 * and SQL beside the store.
 */
#ifndef TLSTALLY_TESTS_STORE_FIXTURE_H
#define TLSTALLY_TESTS_STORE_FIXTURE_H

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "policy/verdict.h"
#include "store/query.h"
#include "suite.h"
#include "tls/names.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define V10 TLS_VERSION_1_0
#define V12 TLS_VERSION_1_2
#define V13 TLS_VERSION_1_3
/* 2026-11-19 00:00 UTC */
#define DAY INT64_C(1795046400000000)
#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

static char folder[64], path[256];

static inline void
make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/check_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/t.db", folder);
}

static inline void
remove_folder(void)
{
	DIR *dir;
	const struct dirent *entry;
	char name[512];

	(void)chmod(folder, 0700);
	dir = opendir(folder);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		(void)snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
		if (unlink(name) != 0 && entry->d_name[0] != '.')
			(void)rmdir(name);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(folder);
}

/* An IMAPS handshake that went through. */
static inline struct event
handshake(const char *client, const char *server, uint16_t version, int64_t at)
{
	struct event ev = {
		.kind = EVENT_TLS_HANDSHAKE,
		.timestamp_us = at,
		.settled_us = at,
		.client_port = 50000,
		.server_port = 993,
		.vlan = -1,
		.protocol = PROTOCOL_IMAP,
		.tls_mode = TLS_MODE_IMPLICIT,
		.tls_version = version,
		.offered_version = version,
		.server_name_source = NAME_SOURCE_SNI,
		.outcome = OUTCOME_ESTABLISHED,
	};

	ck_assert(addr_from_text(client, &ev.client_ip));
	ck_assert(addr_from_text("192.0.2.1", &ev.server_ip));
	event_text_set(&ev.server_name, span_from_text(server));
	return ev;
}

/* How the session behind that handshake ended, as the sink judges it. */
static inline struct event
session_end(const struct event *ev, int64_t duration_us, uint64_t server_len)
{
	struct event_ending_limits limits;
	struct event end = *ev;

	end.kind = EVENT_SESSION_END;
	end.settled_us += duration_us;
	end.ending = (struct event_ending){
		.how = SESSION_END_CLOSE,
		.by = SIDE_SERVER,
		.duration_us = duration_us,
		.server_len = server_len,
	};
	event_ending_limits_init(&limits);
	event_ending_judge(&end, &limits);
	return end;
}

/* The server closes on it. */
static inline struct event
refusal(const char *client, const char *server, uint16_t offered, int64_t at)
{
	struct event ev = handshake(client, server, offered, at);

	ev.tls_version = 0;
	ev.outcome = OUTCOME_REFUSED;
	ev.refused_by = SIDE_SERVER;
	ev.refusal = REFUSAL_CLOSE;
	return ev;
}

/* A small generator, the same numbers every time (xorshift64). */
static inline uint32_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 24);
}

/* One of some hundred different ones that are close to each other, at about `at`. */
static inline struct event
random_event(uint64_t *state, int64_t at)
{
	static const char *const clients[] = { "10.0.0.1", "10.0.0.2", "fd00::1" };
	static const char *const servers[] = { "a.example", "B.example", "\xff", "\\xff", "" };
	static const uint16_t versions[] = { V10, V12, V13 };
	struct event ev = handshake(clients[next_random(state) % 3],
	    servers[next_random(state) % 5], versions[next_random(state) % 3], at);

	if (next_random(state) % 4 == 0)
		ev.offered_version = V13;
	if (next_random(state) % 3 == 0)
		ev = refusal(clients[next_random(state) % 3], servers[next_random(state) % 5],
		    versions[next_random(state) % 3], at);
	ev.server_ip.bytes[3] = (uint8_t)(next_random(state) % 2);
	ev.has_cipher_suite = ev.tls_version != 0;
	ev.cipher_suite = 0xc02b + next_random(state) % 3;
	ev.capture_gap = next_random(state) % 5 == 0;
	ev.has_client_mac = next_random(state) % 2 == 0;
	ev.client_mac[5] = (uint8_t)(next_random(state) % 4);
	if (next_random(state) % 4 == 0)
		event_text_set(&ev.client_name, BYTES("scan\nner"));
	return ev;
}

static inline uint8_t
judge_by_policy(void *arg, const struct finding *findings, size_t count,
    struct store_judgement *out, struct buf *reason)
{
	const struct policy policy = { .minimum = V12 };
	enum verdict *verdicts = xcalloc(count, sizeof(*verdicts));
	enum verdict worst;

	(void)arg;
	policy_judge(&policy, findings, count, verdicts);
	worst = policy_judge_client(&policy, findings, verdicts, count, reason);
	for (size_t i = 0; i < count; i++)
		out[i] = (struct store_judgement){ (uint8_t)verdicts[i], 0 };
	free(verdicts);
	return (uint8_t)worst;
}

static inline struct store *
open_store(enum store_mode mode)
{
	struct error err = { "" };
	struct store *s = store_open(path, mode, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	store_set_judge(s, judge_by_policy, NULL);
	return s;
}

static inline int64_t
sensor_of(struct store *s, const char *name)
{
	struct error err = { "" };
	int64_t id;

	ck_assert_msg(store_sensor(s, name, &id, &err) == 0, "%s", err.text);
	return id;
}

static inline void
flush(struct store *s, struct tally *t, struct store_run *run)
{
	struct error err = { "" };

	ck_assert_msg(store_flush(s, sensor_of(s, "here"), t, run, &err) == 0, "%s", err.text);
}

/*
 * Flushes where no file may grow beyond `room`.  No assertion meanwhile: the file by which Check
 * hears of it is a file too.
 */
static inline int
flush_within(struct store *s, int64_t sensor, struct tally *t, struct store_run *run, rlim_t room,
    struct error *err)
{
	struct rlimit limit, old;
	int limited, result;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = room;
	limited = setrlimit(RLIMIT_FSIZE, &limit);
	result = store_flush(s, sensor, t, run, err);
	(void)setrlimit(RLIMIT_FSIZE, &old);
	ck_assert_int_eq(limited, 0);
	return result;
}

static inline void
flush_event(struct store *s, const struct event *ev)
{
	struct tally *t = tally_new(NULL);

	ck_assert(tally_add(t, ev));
	flush(s, t, NULL);
	tally_free(t);
}

/* What a query gives, "a|b\nc|d"; NULL values as "-".  A connection of its own; good until the
 * next call. */
static inline const char *
sql(const char *query)
{
	static struct buf out;
	sqlite3 *db;
	sqlite3_stmt *st;
	int status;

	buf_clear(&out);
	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 20000);
	ck_assert_msg(sqlite3_prepare_v2(db, query, -1, &st, NULL) == SQLITE_OK, "%s: %s", query,
	    sqlite3_errmsg(db));
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		if (out.len > 0)
			buf_add_char(&out, '\n');
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const char *text = (const char *)sqlite3_column_text(st, i);

			if (i > 0)
				buf_add_char(&out, '|');
			buf_add_text(&out, text != NULL ? text : "-");
		}
	}
	ck_assert_msg(status == SQLITE_DONE, "%s: %s", query, sqlite3_errmsg(db));
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return buf_text(&out);
}

/* All that a finding says, as a line. */
static inline void
dump_finding(struct buf *out, const struct finding *f)
{
	char client[ADDR_TEXT_LEN], server_ip[ADDR_TEXT_LEN];

	buf_addf(out,
	    "%s %u %u %.*s %u %04x %04x %u %u %u %u: ", addr_to_text(&f->key.client_ip, client),
	    (unsigned)f->key.protocol, (unsigned)f->key.tls_mode, (int)f->key.server.len,
	    f->key.server.data, f->key.server_port, f->key.tls_version, f->key.offered_version,
	    (unsigned)f->key.outcome, (unsigned)f->key.refused_by, (unsigned)f->key.refusal,
	    f->key.refusal_alert);
	buf_addf(out, "%llu %llu %llu %llu %lld..%lld %s %u", (unsigned long long)f->count,
	    (unsigned long long)f->gap_count, (unsigned long long)f->login_count,
	    (unsigned long long)f->scsv_count, (long long)f->first_us, (long long)f->last_us,
	    addr_to_text(&f->server_ip, server_ip), (unsigned)f->server_name_source);
	if (f->has_cipher_suite)
		buf_addf(out, " suite %x", f->cipher_suite);
	if (f->has_ja4)
		buf_addf(out, " ja4 %.*s", EVENT_JA4_LEN, f->ja4);
	buf_addf(out, " limited %u subject %.*s", (unsigned)f->limited_by,
	    (int)f->certificate_subject.len, f->certificate_subject.data);
	if (f->has_certificate_not_after)
		buf_addf(out, " until %lld", (long long)f->certificate_not_after_us);
	buf_addf(out, " %d%d %" PRIx64 " %" PRIx64 " %" PRIu64 " %x\n", f->offers_aead,
	    f->offers_ecdhe, f->suites_all, f->suites_any, f->fallback_count, f->fallback_from);
}

static inline bool
dump_one_finding(
    void *arg, const struct store_client *client, const struct finding *finding, uint8_t verdict)
{
	struct buf *out = arg;

	buf_addf(out, "%s %u ", client->sensor, verdict);
	dump_finding(out, finding);
	return true;
}

static inline bool
dump_one_client(void *arg, const struct store_client *c)
{
	struct buf *out = arg;
	char ip[ADDR_TEXT_LEN];

	buf_addf(out, "%s %s %d%02x %.*s %u %lld..%lld %llu %04x %04x %u %s\n", c->sensor,
	    addr_to_text(&c->ip, ip), c->has_mac, c->mac[5], (int)c->name.len, c->name.data,
	    (unsigned)c->name_source, (long long)c->first_us, (long long)c->last_us,
	    (unsigned long long)c->count, c->worst_version, c->best_version, c->verdict, c->reason);
	return true;
}

static inline bool
dump_one_day(void *arg, const struct store_day *d)
{
	buf_addf(arg, "%s %s %lld %04x %u %llu\n", d->sensor, d->client, (long long)d->day,
	    d->tls_version, (unsigned)d->outcome, (unsigned long long)d->count);
	return true;
}

/* The whole inventory, by the queries. */
static inline void
dump_store(struct store *s, struct buf *out)
{
	struct error err = { "" };

	buf_clear(out);
	ck_assert_msg(store_each_client(s, NULL, dump_one_client, out, &err) == 0, "%s", err.text);
	ck_assert_msg(
	    store_each_finding(s, NULL, dump_one_finding, out, &err) == 0, "%s", err.text);
	ck_assert_msg(store_each_day(s, NULL, dump_one_day, out, &err) == 0, "%s", err.text);
}

/* All that a tally holds, in its order. */
static inline void
dump_tally(struct tally *t, struct buf *out)
{
	char ip[ADDR_TEXT_LEN];

	buf_clear(out);
	tally_sort(t);
	for (size_t i = 0; i < tally_client_count(t); i++) {
		struct tally_client c;

		tally_client_at(t, i, &c);
		buf_addf(out, "%s %d%02x %.*s %u %lld..%lld %llu\n", addr_to_text(&c.ip, ip),
		    c.has_mac, c.mac[5], (int)c.name.len, (const char *)c.name.data,
		    (unsigned)c.name_source, (long long)c.first_us, (long long)c.last_us,
		    (unsigned long long)c.event_count);
		for (size_t k = 0; k < c.finding_count; k++) {
			struct finding f;

			tally_finding_at(t, c.first_finding + k, &f);
			dump_finding(out, &f);
		}
		for (size_t k = 0; k < c.day_count; k++) {
			struct tally_day d;

			tally_day_at(t, c.first_day + k, &d);
			buf_addf(out, "day %lld %04x %u %llu\n", (long long)d.day, d.tls_version,
			    (unsigned)d.outcome, (unsigned long long)d.count);
		}
	}
}

#endif
