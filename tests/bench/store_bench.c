/*
 * store_bench - how many handshakes a second are counted and flushed, and how the database grows.
 *
 * usage: store_bench [--tally MIB] [--clients NUMBER] DATABASE
 *
 * DATABASE must not be there yet.  Twice the same round: 500,000 handshakes of 50,000 clients, no
 * two of which are of one finding; then nine times as many of the same findings in other orders,
 * flushed when the tally is full; then as the daemon does each second, a flush for each 200,000,
 * and one for each 5,000.  Each handshake comes with the end of its session, and each client is
 * judged.  The second round finds all of its rows in the database.  With fewer clients all of that
 * is as much less: for callgrind.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "app/services_file.h"
#include "sink/judge.h"
#include "store/store.h"
#include "tally/tally.h"
#include "tls/names.h"

#include "base/banned.h"

#define CLIENTS 50000
#define CLIENTS_MAX 65536
#define FINDINGS_PER_CLIENT 10
#define REPETITIONS 9
#define SERVERS 24
#define DAEMON_FLUSHES 4
#define START_US INT64_C(1794787200000000) /* 2026-11-16 00:00 UTC */
#define GAP_US 100
/* SQLite's, for what is said of growth. */
#define PAGE_LEN 4096

/* What a finding of each client looks like. */
static const struct {
	uint16_t port;
	enum protocol protocol;
	enum tls_mode mode;
	uint16_t offered, version; /* version 0: refused */
	uint16_t suite;
} ways[FINDINGS_PER_CLIENT] = {
	{ 993, PROTOCOL_IMAP, TLS_MODE_IMPLICIT, TLS_VERSION_1_3, TLS_VERSION_1_3, 0x1301 },
	{ 993, PROTOCOL_IMAP, TLS_MODE_IMPLICIT, TLS_VERSION_1_3, TLS_VERSION_1_2, 0xc030 },
	{ 993, PROTOCOL_IMAP, TLS_MODE_IMPLICIT, TLS_VERSION_1_2, TLS_VERSION_1_2, 0xc02f },
	{ 993, PROTOCOL_IMAP, TLS_MODE_IMPLICIT, TLS_VERSION_1_0, 0, 0 },
	{ 587, PROTOCOL_SMTP, TLS_MODE_STARTTLS, TLS_VERSION_1_3, TLS_VERSION_1_3, 0x1302 },
	{ 587, PROTOCOL_SMTP, TLS_MODE_STARTTLS, TLS_VERSION_1_2, TLS_VERSION_1_2, 0xc030 },
	{ 465, PROTOCOL_SMTP, TLS_MODE_IMPLICIT, TLS_VERSION_1_3, TLS_VERSION_1_3, 0x1303 },
	{ 143, PROTOCOL_IMAP, TLS_MODE_STARTTLS, TLS_VERSION_1_0, TLS_VERSION_1_0, 0x002f },
	{ 995, PROTOCOL_POP3, TLS_MODE_IMPLICIT, TLS_VERSION_1_2, TLS_VERSION_1_2, 0x009c },
	{ 110, PROTOCOL_POP3, TLS_MODE_STARTTLS, TLS_VERSION_1_1, TLS_VERSION_1_1, 0xc014 },
};

struct bench {
	struct store *store;
	struct tally *tally;
	int64_t sensor_id;
	uint64_t findings;   /* in all */
	uint64_t handshakes; /* of this round, so far: each has its time */
	uint64_t flush_count;
	double flush_seconds;
};

static double
seconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
stop_with(const char *text)
{
	(void)fprintf(stderr, "store_bench: %s\n", text);
	exit(1);
}

static void
make_event(uint32_t client, uint32_t way, int64_t time_us, struct event *ev)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t address = 0x0a010000 + client, server = (client * 7 + way * 5) % SERVERS;
	uint8_t client_ip[4] = { (uint8_t)(address >> 24), (uint8_t)(address >> 16),
		(uint8_t)(address >> 8), (uint8_t)address };
	uint8_t server_ip[4] = { 192, 0, 2, (uint8_t)(server + 1) };
	char name[40];

	event_init(ev);
	ev->kind = EVENT_TLS_HANDSHAKE;
	ev->timestamp_us = time_us;
	ev->settled_us = time_us + 50000;
	ev->client_ip = addr_from_v4(client_ip);
	ev->server_ip = addr_from_v4(server_ip);
	ev->client_port = (uint16_t)(20000 + time_us % 40000);
	ev->server_port = ways[way].port;
	ev->has_client_mac = true;
	ev->client_mac[0] = 2;
	memcpy(ev->client_mac + 2, client_ip, sizeof(client_ip));
	ev->protocol = ways[way].protocol;
	ev->tls_mode = ways[way].mode;
	ev->offered_version = ways[way].offered;
	ev->tls_version = ways[way].version;
	ev->has_cipher_suite = ways[way].version != 0;
	ev->cipher_suite = ways[way].suite;
	ev->outcome = ways[way].version != 0 ? OUTCOME_ESTABLISHED : OUTCOME_REFUSED;
	if (ways[way].version == 0) {
		ev->refused_by = SIDE_SERVER;
		ev->refusal = REFUSAL_ALERT;
		ev->refusal_alert = 70; /* protocol_version */
	}
	if (ways[way].version != 0 && ways[way].version < TLS_VERSION_1_2)
		ev->limited_by = SIDE_CLIENT;
	ev->has_ja4 = true;
	memset(ev->ja4, hex[way], sizeof(ev->ja4));
	ev->suites = UINT64_C(0xff) << way;
	ev->offers_aead = ev->offers_ecdhe = true;
	ev->server_name_source = NAME_SOURCE_SNI;
	(void)snprintf(name, sizeof(name), "mail%u.site%u.example.com", server, server / 6);
	event_text_set(&ev->server_name, span_from_text(name));
}

static void
make_ending(struct event *ev)
{
	ev->kind = EVENT_SESSION_END;
	ev->settled_us += 900000;
	ev->ending = (struct event_ending){ .how = SESSION_END_CLOSE,
		.by = SIDE_CLIENT,
		.duration_us = 900000,
		.client_len = 400,
		.server_len = 3000 };
}

static void
flush(struct bench *b)
{
	double begin = seconds(CLOCK_MONOTONIC);
	struct error err;

	if (store_flush(b->store, b->sensor_id, b->tally, NULL, &err) != 0)
		stop_with(err.text);
	b->flush_count++;
	b->flush_seconds += seconds(CLOCK_MONOTONIC) - begin;
}

static void
count_event(struct bench *b, const struct event *ev)
{
	if (tally_add(b->tally, ev))
		return;
	flush(b);
	if (!tally_add(b->tally, ev))
		stop_with("an empty tally has no room");
}

/* Handshake number `i` of a pass over all findings, in an order that depends on `pass`. */
static void
count_handshake(struct bench *b, uint64_t i, uint64_t pass)
{
	/* Primes that do not divide the number of findings: each has its turn once. */
	static const uint64_t strides[] = { 314159, 271829, 141413, 161831, 173207 };
	uint64_t finding = (i * strides[pass % 5] + pass) % b->findings;
	struct event ev;

	make_event((uint32_t)(finding / FINDINGS_PER_CLIENT),
	    (uint32_t)(finding % FINDINGS_PER_CLIENT), START_US + (int64_t)b->handshakes * GAP_US,
	    &ev);
	b->handshakes++;
	count_event(b, &ev);
	if (ev.outcome == OUTCOME_ESTABLISHED) {
		make_ending(&ev);
		count_event(b, &ev);
	}
}

/* Counts `count` handshakes, and flushes each `flush_each` (0: when the tally is full). */
static void
run_phase(struct bench *b, const char *what, uint64_t count, uint64_t flush_each, uint64_t pass)
{
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct error err;

	b->flush_count = 0;
	b->flush_seconds = 0;
	/* As replay does: one transaction for all flushes that are made for lack of room. */
	if (flush_each == 0 && store_begin(b->store, &err) != 0)
		stop_with(err.text);
	for (uint64_t i = 0; i < count; i++) {
		count_handshake(b, i % b->findings, pass + i / b->findings);
		if (flush_each != 0 && (i + 1) % flush_each == 0)
			flush(b);
	}
	if (!tally_is_empty(b->tally))
		flush(b);
	if (flush_each == 0 && store_commit(b->store, &err) != 0)
		stop_with(err.text);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	(void)printf("  %-28s %8" PRIu64 " %3" PRIu64 " %7.2f %7.2f %7.2f %9.0f %9.0f\n", what,
	    count, b->flush_count, wall, cpu, b->flush_seconds, (double)count / wall,
	    (double)count / cpu);
	(void)fflush(stdout);
}

static off_t
file_len(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

struct bench_options {
	const char *path;
	struct tally_options tally;
	uint64_t clients;
};

/* The database is closed at the end, so that its file has everything.  Returns its length. */
static off_t
run_round(const struct bench_options *options, struct policy *policy)
{
	struct bench b = { .tally = tally_new(&options->tally),
		.findings = options->clients * FINDINGS_PER_CLIENT };
	struct error err;

	b.store = store_open(options->path, STORE_WRITE, &err);
	if (b.store == NULL || store_sensor(b.store, "bench", &b.sensor_id, &err) != 0)
		stop_with(err.text);
	store_set_judge(b.store, judge_client, policy);
	run_phase(&b, "distinct findings", b.findings, 0, 0);
	run_phase(&b, "the same findings", REPETITIONS * b.findings, 0, 1);
	run_phase(&b, "the same, 4 of each client", DAEMON_FLUSHES * 4 * options->clients,
	    4 * options->clients, 3);
	run_phase(&b, "the same, 1 of few clients", options->clients, options->clients / 10, 3);
	store_close(b.store);
	tally_free(b.tally);
	return file_len(options->path);
}

static bool
parse_options(int argc, char **argv, struct bench_options *out)
{
	static const struct option longs[] = {
		{ "tally", required_argument, NULL, 't' },
		{ "clients", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 't')
			out->tally.max_bytes = (size_t)strtoull(optarg, NULL, 10) << 20;
		else if (option == 'c')
			out->clients = strtoull(optarg, NULL, 10);
		else
			return false;
	}
	out->path = argv[optind];
	return optind + 1 == argc && out->clients >= 10 && out->clients <= CLIENTS_MAX;
}

int
main(int argc, char **argv)
{
	struct bench_options options = { .clients = CLIENTS };
	struct services_file services = { 0 };
	struct policy policy = { .minimum = TLS_VERSION_1_2 };
	struct error err;
	off_t once, twice;

	if (!parse_options(argc, argv, &options)) {
		(void)fprintf(
		    stderr, "usage: store_bench [--tally MIB] [--clients NUMBER] DATABASE\n");
		return 2;
	}
	if (file_len(options.path) > 0)
		stop_with("the database is there already");
	if (services_file_load(&services, SERVICES_FILE, NULL, &err) != 0)
		stop_with(err.text);
	policy.services = services.list;
	(void)printf("  %-28s %8s %3s %7s %7s %7s %9s %9s\n", "", "number", "fl.", "wall s",
	    "cpu s", "flush s", "/s wall", "/s cpu");
	once = run_round(&options, &policy);
	(void)printf("%.1f MB; the same once more:\n", (double)once / 1e6);
	twice = run_round(&options, &policy);
	(void)printf("%.1f MB: %" PRId64 " pages more; %" PRId64 " bytes for a finding\n",
	    (double)twice / 1e6, (int64_t)(twice - once) / PAGE_LEN,
	    (int64_t)twice / (int64_t)(options.clients * FINDINGS_PER_CLIENT));
	services_file_release(&services);
	return 0;
}
