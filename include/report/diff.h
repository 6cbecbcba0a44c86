/*
 * diff - what changed between two moments: in one database, or between two databases or exports.
 *
 * A client's state at a moment follows from all that was seen before it.  A row of the inventory
 * below the minimum is open, until either it is known to be gone (the client succeeded with a good
 * version since: `fixed`), or it is silent for longer than its own cadence (`quiet`: nothing says
 * that it is mended).  Silence counts only on days on which something was captured.
 *
 * Source:  SPEC section 6; the view `days`, so moments are beginnings of UTC days.
 * Memory:  the clients of both sides, with their rows.
 */
#ifndef TLSTALLY_REPORT_DIFF_H
#define TLSTALLY_REPORT_DIFF_H

#include "base/buf.h"
#include "report/report.h"
#include "report/terminal.h"

#define DIFF_SCHEMA_VERSION 1

struct diff_options {
	struct policy policy;
	const struct network_set *clients; /* NULL: all */
};

/* How often a client was seen on a day, negotiating (or not) in one way. */
struct diff_day {
	int64_t day; /* UTC, since 1970-01-01 */
	uint16_t tls_version;
	enum outcome outcome;
	uint64_t count;
};

/* A row of the inventory, as known at the side's moment.  Texts are printable. */
struct diff_row {
	char *server; /* without its port */
	uint16_t server_port;
	enum protocol protocol;
	uint16_t tls_version, offered_version;
	enum outcome outcome;
	enum verdict verdict;
	uint64_t count;
	int64_t first_us, last_us;
	bool is_cut; /* it went on after the moment: of `last_us` only the day is known */
};

struct diff_client {
	struct addr ip;
	char *sensor;
	char *name; /* NULL: not known */
	bool has_mac;
	uint8_t mac[6];
	int64_t interval_us;   /* the usual gap between attempts; 0: not known */
	struct diff_row *rows; /* by server, port, then the rest */
	size_t row_count, row_room;
	struct diff_day *days; /* in order of time; none in an export */
	size_t day_count, day_room;
};

struct diff_captured {
	char *sensor; /* NULL: a CSV does not tell which */
	int64_t begin_us, end_us;
};

struct diff_side {
	struct diff_client *clients; /* by address, then sensor */
	size_t client_count, client_room;
	struct diff_captured *captured; /* when something was captured */
	size_t captured_count, captured_room;
	bool has_time;
	int64_t begin_us, end_us; /* of the packets */
	char *coverage;           /* a sentence of an export; NULL: none */
	bool is_partial;          /* an export of some clients, verdicts or times only */
};

/* What was known before `until_us`; INT64_MAX: all.  May be released also after -1. */
int diff_side_load(struct diff_side *out, struct store *s, const struct diff_options *options,
    int64_t until_us, struct error *err);
/*
 * An export as JSON, NDJSON or CSV, with the verdicts that it gives.  `name` is for `err`.  May be
 * released also after -1.
 */
int diff_side_import(struct diff_side *out, const char *name, struct span content,
    const struct diff_options *options, struct error *err);
/* False: no client of one can be known in the other.  True also where one has no client. */
bool diff_sides_share_sensor(const struct diff_side *a, const struct diff_side *b);
void diff_side_release(struct diff_side *side);

enum diff_change {
	DIFF_NEW,   /* not seen before, and below the minimum */
	DIFF_WORSE, /* seen before with a better verdict */
	DIFF_BACK,  /* below the minimum again after it was quiet */
	DIFF_FIXED, /* was below the minimum, and succeeded with a good version since */
	DIFF_QUIET, /* was below the minimum, and is silent for longer than its cadence */
};
#define DIFF_CHANGE_COUNT (DIFF_QUIET + 1)

const char *diff_change_name(enum diff_change change);
bool diff_change_from_text(const char *text, enum diff_change *out);

struct diff_item {
	enum diff_change change;
	const struct diff_client *client; /* whose address and names; of either side */
	enum verdict verdict;             /* of `row`: what the change is about */
	enum verdict before, after;       /* VERDICT_OK where there is nothing below the minimum */
	const struct diff_row *row;       /* the worst: before for fixed and quiet, else after */
	const struct diff_row *good;      /* fixed: the success since; else NULL */
	unsigned silent_days;             /* observed days: quiet, back */
	unsigned cadence_days;            /* it came at least once in so many days; 0: not known */
};

struct diff {
	struct diff_item *items; /* by change, then verdict, address, sensor */
	size_t count;
	size_t totals[DIFF_CHANGE_COUNT];
	size_t unchanged_count; /* clients that are below the minimum as before */
	size_t seen_count;      /* clients known at the later moment */
	int64_t from_us, to_us;
	void *joined; /* what items may borrow from */
};

/* The sides have to outlive the diff.  The moments are rounded to days: down, and up. */
void diff_compare(struct diff *out, const struct diff_side *old, const struct diff_side *new,
    int64_t from_us, int64_t to_us);
void diff_release(struct diff *d);

/* The beginning of the UTC day of that time, and of the first one that is not before it. */
int64_t diff_day_floor(int64_t time_us);
int64_t diff_day_ceil(int64_t time_us);

struct diff_view {
	struct terminal terminal;
	bool quiet;           /* nothing but the changes; nothing at all where there are none */
	const char *coverage; /* what was observed, in sentences */
	const char *old_name, *new_name; /* of files; NULL: one database at two moments */
};

void diff_write_text(const struct diff *d, const struct diff_view *view, struct buf *out);
/* docs/schema/diff.schema.json */
void diff_write_json(const struct diff *d, const struct diff_view *view, struct buf *out);

#endif
