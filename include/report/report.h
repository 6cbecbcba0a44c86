/*
 * report - what a database says, judged and put in order for people.
 *
 * Everything is judged afresh from the stored findings, so that the minimum, and the time looked
 * at, may differ from those with which the database was filled.
 *
 * Memory: one report_client per client, its reason included; the findings behind it one client at a
 *         time, kept as compact rows, and as what exports need of them, only where asked for.
 */
#ifndef TLSTALLY_REPORT_REPORT_H
#define TLSTALLY_REPORT_REPORT_H

#include "base/buf.h"
#include "policy/verdict.h"
#include "policy/what_if.h"
#include "report/owners.h"
#include "report/vendors.h"
#include "store/query.h"

struct report_interval {
	int64_t begin_us, end_us;
};

struct report_options {
	struct policy policy;
	const struct what_if *what_if; /* NULL: judged as things are */
	bool has_since, has_until;
	int64_t since_us, until_us;        /* findings seen at since_us or later, before until_us */
	const struct network_set *clients; /* NULL: all */
	const char *services_path;         /* of policy.services; NULL: there is no file */
	size_t services_fault_count;       /* lines of it that could not be used */
	int64_t now_us;                    /* the machine's clock: how old the file is */
	bool keep_rows;                    /* fill report_client.rows */
	bool keep_details;                 /* fill report_client.details */
};

/* One row of the inventory.  Texts are printable (policy/printable.h). */
struct report_row {
	enum protocol protocol;
	enum tls_mode tls_mode;
	char *server; /* with its port */
	uint16_t tls_version, offered_version;
	enum outcome outcome;
	enum event_side refused_by;
	enum refusal_kind refusal;
	uint8_t refusal_alert;
	uint64_t count;
	int64_t first_us, last_us;
	enum verdict verdict;
	uint64_t fallback_count; /* of `count` */
	uint16_t fallback_from;  /* the highest offer that had failed before; 0: not seen */
};

/* What exports say of a row beyond report_row.  Texts are printable. */
struct report_detail {
	char *server; /* without its port */
	uint16_t server_port;
	struct addr server_ip;
	enum name_source server_name_source;
	enum event_side limited_by;
	bool has_cipher_suite;
	uint32_t cipher_suite;
	bool has_ja4;
	char ja4[EVENT_JA4_LEN];
	char *certificate_subject; /* NULL: not known */
	bool has_certificate_not_after;
	int64_t certificate_not_after_us;
	uint64_t gap_count, login_count;
	uint64_t ended_count, dropped_early_count; /* sessions, as in event/finding.h */
	enum tri legacy_endpoint; /* an opt-in host; unknown where only an address is known */
};

struct report_client {
	struct addr ip;
	char *sensor;
	char *name; /* what the device calls itself; NULL where it does not */
	enum name_source name_source;
	bool has_mac, has_router_mac; /* of the device, or of a router in front of several */
	uint8_t mac[6];               /* of either */
	char *vendor;                 /* of the device's MAC; NULL: not known */
	char *owner, *note;           /* from the user's own list; NULL: none */
	char *cadence;                /* "every 300 s, day and night"; NULL: not known */
	int64_t interval_us;          /* the usual gap between attempts; 0: none */
	char *active_hours;           /* UTC, "7-18"; NULL: not known */
	enum verdict verdict;
	char *reason;
	uint16_t worst_version; /* the lowest negotiated with anyone; 0: none */
	uint16_t best_version;  /* the highest */
	uint64_t total_count;
	int64_t first_seen_us, last_seen_us;
	bool is_quiet; /* not seen for longer than its own cadence; of `ok` ones not worked out */
	/* Of the findings with the client's verdict: */
	uint16_t offered_version; /* the lowest; 0: not known */
	char *server;             /* the one last seen, with its port */
	size_t server_count;
	uint64_t count;
	int64_t last_us;

	struct report_row *rows;       /* the worst first; NULL unless asked for */
	struct report_detail *details; /* of the same findings; NULL unless asked for */
	size_t row_count;
};

/* A counter summed over the runs that knew it. */
struct report_counter {
	char *name;
	uint64_t value;
	size_t run_count; /* runs that knew it; fewer than all: the sum is a lower bound */
};

/* Runs that follow each other are not without a pause. */
#define REPORT_GAP_US INT64_C(60000000)

enum report_unclear {
	REPORT_UNCLEAR_GAP,        /* bytes that matter were missing from the capture */
	REPORT_UNCLEAR_ONE_WAY,    /* seen in one direction only */
	REPORT_UNCLEAR_UNANSWERED, /* nothing came from the server */
	REPORT_UNCLEAR_REFUSED,    /* refused, but not for the version, or not always */
	REPORT_UNCLEAR_OTHER,
};
#define REPORT_UNCLEAR_COUNT (REPORT_UNCLEAR_OTHER + 1)

/* A UTC day, since 1970-01-01, with a capture. */
struct report_day {
	int64_t day, captured_us;
};

/* What one sensor captures says nothing of another one's clients. */
struct report_sensor {
	char *name; /* printable */
	struct report_day *days;
	size_t day_count;
};

/* How much was seen, and how much was not. */
struct report_observed {
	size_t run_count, source_count;
	bool beyond; /* runs or findings are counted that reach out of the time asked for */
	size_t failed_source_count; /* could not be read, or not to the end */
	uint64_t packet_count, byte_count, snapped_count;
	bool has_packets;
	int64_t begin_us, end_us; /* packet time; where has_packets */
	int64_t covered_us;       /* of that time, within a capture */
	int64_t heard_us;         /* end of the latest run with a packet; 0: there is none */
	struct report_day *days;  /* in order; those without a capture are left out */
	size_t day_count;
	struct report_sensor *sensors; /* whose days these are */
	size_t sensor_count;
	/* Times without a capture in between that are longer than REPORT_GAP_US. */
	size_t gap_count;
	int64_t gap_us;                     /* of all of them together */
	struct report_interval longest_gap; /* where there is one */
	struct report_counter *counters;    /* in order of first appearance */
	size_t counter_count;
	uint64_t handshake_count; /* of the findings */
	uint64_t cleartext_count; /* sessions, of the findings */
	uint64_t unclear_count;   /* of both together; and why: */
	uint64_t unclear_by[REPORT_UNCLEAR_COUNT];
	uint64_t open_end_count; /* handshakes whose end was not seen, whatever their verdict */
};

struct report {
	struct report_observed observed;
	struct report_client *clients; /* the worst first, then by address, then by sensor */
	size_t client_count;
	size_t totals[VERDICT_COUNT];
	bool several_sensors;
};

/* Returns -1 when the database cannot be read; `out` may be released either way. */
int report_load(
    struct report *out, struct store *s, const struct report_options *options, struct error *err);
void report_release(struct report *r);
/* True when the list of services has data that is more than a year old. */
bool report_services_are_old(const struct report_options *options);

/*
 * Adds what others know: vendors of MAC addresses, and the user's own names.  The name of an
 * address outranks all others; that of a network stands in where there is no other.  Either list
 * may be NULL.
 */
void report_join_devices(
    struct report *r, const struct vendors *vendors, const struct owners *owners);

/* False where all that it calls itself is "localhost" or an address: any other name is better. */
bool report_is_named(const struct report_client *c);

/* Names the client in place of what it was called before. */
void report_name_client(struct report_client *c, const char *name, enum name_source source);

/*
 * Appends, in sentences, what was observed and what was not: what each report, export and diff
 * begins with.  Where no client was seen it says that this is no clean result.
 */
void report_add_coverage(
    const struct report *r, const struct report_options *options, struct buf *text);

/*
 * False: a live run all of whose interfaces were down, or not there, from its begin to its end.
 * That was no capture, and nobody's silence in it says anything.
 */
bool report_run_captured(const struct store_run *run);

/* Why there is no client at all, which is no clean bill of health. */
void report_add_nothing(
    const struct report *r, const struct report_options *options, struct buf *text);

/* The sum of that counter; NULL where no run knew it. */
const struct report_counter *report_counter_find(
    const struct report_observed *observed, const char *name);

#endif
