/*
 * query - reads the inventory back as structs, for reports and exports.
 *
 * Rows come through a callback, in a stable order: the same database gives the same order.  What a
 * row borrows is valid during the callback.  A callback that returns false ends the query, which is
 * no error.
 *
 * A query sees the database as it was when the query began; store_snapshot_begin/_end make several
 * queries see the same moment while a writer goes on.
 */
#ifndef TLSTALLY_STORE_QUERY_H
#define TLSTALLY_STORE_QUERY_H

#include "base/addr.h"
#include "store/store.h"

/* All conditions hold together; a zeroed filter lets everything through. */
struct store_filter {
	bool has_since, has_until;
	int64_t since_us;                  /* seen at this time or later */
	int64_t until_us;                  /* seen before this time */
	const struct network_set *clients; /* NULL or empty: all */
	uint32_t verdicts;                 /* bit 1 << rank each; 0: all */
	const char *sensor;                /* NULL: all */
};

struct store_client {
	int64_t id;
	const char *sensor;
	struct addr ip;
	bool has_mac;
	uint8_t mac[6];
	struct event_text name; /* UTF-8; what cannot be shown is \xNN already */
	enum name_source name_source;
	int64_t first_us, last_us;
	uint64_t count;                       /* handshakes, and sessions in cleartext */
	uint16_t worst_version, best_version; /* negotiated ones; 0: none seen */
	uint8_t verdict;                      /* rank, or STORE_VERDICT_NONE */
	const char *reason;                   /* "" where there is none; UTF-8 */
	bool is_routers_mac;                  /* several clients are behind `mac` */
	const char *cadence;                  /* "every 300 s, day and night"; "": not known */
	int64_t interval_us;                  /* the usual gap between attempts; 0: none */
	unsigned interval_share;              /* of the gaps that are about so long, in percent */
	const char *active_hours;             /* UTC, "7-18" */
};

typedef bool (*store_client_fn)(void *arg, const struct store_client *client);
/* `client` is the same for all findings of one client, which come together. */
typedef bool (*store_finding_fn)(
    void *arg, const struct store_client *client, const struct finding *finding, uint8_t verdict);
typedef bool (*store_run_fn)(void *arg, const struct store_run *run);
typedef bool (*store_identity_fn)(void *arg, const struct store_identity *identity);

/*
 * Clients, the worst verdict first, then by address, then by sensor.  The filter's times and
 * verdicts are compared with the client's own.  `filter` may be NULL.
 */
int store_each_client(struct store *s, const struct store_filter *filter, store_client_fn fn,
    void *arg, struct error *err);

/*
 * Findings: in the order of their clients, and of one client the worst first, then by server, port
 * and the rest of the key.  The filter's times and verdicts are compared with the finding's own;
 * the order of the clients is by the client's.
 */
int store_each_finding(struct store *s, const struct store_filter *filter, store_finding_fn fn,
    void *arg, struct error *err);

/* One client's day.  `client` is the address as text; both names are NULL in a query by client. */
struct store_day {
	const char *sensor;
	const char *client;
	int64_t day; /* UTC, days since 1970-01-01 */
	uint16_t tls_version;
	enum outcome outcome;
	uint64_t count;
};
typedef bool (*store_day_fn)(void *arg, const struct store_day *day);

/* Days in order of time, then client.  Of the filter, times (whole days), clients and sensor. */
int store_each_day(struct store *s, const struct store_filter *filter, store_day_fn fn, void *arg,
    struct error *err);

/* One client's days in order of time; also from within store_each_finding. */
int store_each_day_of(
    struct store *s, int64_t client_id, store_day_fn fn, void *arg, struct error *err);

/* How the sessions and logins of a client's hour went. */
struct store_hour {
	const char *sensor;
	const char *client_name; /* "" where it has none; UTF-8 */
	struct addr client;
	struct tally_hour hour;
};
typedef bool (*store_hour_fn)(void *arg, const struct store_hour *hour);

/* Hours in order of client, sensor, time.  Of the filter, times (whole hours), clients and sensor.
 */
int store_each_hour(struct store *s, const struct store_filter *filter, store_hour_fn fn, void *arg,
    struct error *err);

/*
 * Runs, the oldest first, with their counters (by name) and sources.  Of the filter, times (those
 * of the packets; a run without packets by its start) and sensor count.
 */
int store_each_run(struct store *s, const struct store_filter *filter, store_run_fn fn, void *arg,
    struct error *err);

/*
 * The captures counted before whose first packets hash to `head_hash`, the longest first.
 * `sensor_id` 0: of any sensor.
 */
int store_each_identity(struct store *s, int64_t sensor_id, uint64_t head_hash,
    store_identity_fn fn, void *arg, struct error *err);

/* Queries in between see one moment of the database.  Not inside store_begin. */
int store_snapshot_begin(struct store *s, struct error *err);
void store_snapshot_end(struct store *s);

#endif
