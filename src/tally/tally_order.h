/*
 * tally_order - a log in the order in which it is read: by client, finding and time.
 *
 * tally_sort makes the order; it holds until the next change.
 */
#ifndef TLSTALLY_TALLY_TALLY_ORDER_H
#define TLSTALLY_TALLY_TALLY_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tally/tally_entries.h"

/*
 * Where a client's findings, days and hours begin; they end where the next client's begin.  One
 * more stands behind the last client's.
 */
struct tally_share {
	uint32_t first_finding, first_day, first_hour;
};

/* A finding with several records: the first is in tally_order.findings, the others in `more`. */
struct tally_run {
	uint32_t finding;    /* its place in tally_order.findings */
	uint32_t first_more; /* where its others begin in tally_order.more, up to the next run's */
	uint32_t story;      /* what all tell together; from story_count up: none of the tally's */
};

/* Set in a number of tally_order.findings: the finding has several records. */
#define TALLY_MORE (UINT32_C(1) << 31)
#define TALLY_RECORDS_MAX ((size_t)TALLY_MORE)

struct tally_order {
	bool valid;
	bool outdated;     /* the order is right, but runs, days and hours are to be made anew */
	uint32_t *clients; /* numbers of clients, in order */
	uint32_t *ranks;   /* by a client's number: its place in `clients` */
	struct tally_share *shares; /* by that place */
	uint32_t *findings;         /* numbers of the findings' first records; see TALLY_MORE */
	uint32_t *more;             /* numbers of the runs' other records */
	struct tally_run *runs;
	struct tally_day_entry *days;
	uint32_t *hours; /* numbers of hours, in order */
	size_t finding_count, more_count, run_count, day_count, hour_count;
	size_t more_room, run_room, day_room;
};

/* --- tally_order.c: sorting and grouping --- */

/* The key by which the entry with that number is sorted, or the client to which it belongs. */
typedef uint64_t tally_key_of(const struct tally *t, uint32_t number);
/* Sorts numbers of entries by their keys; those with the same key keep their order. */
void tally_sort_numbers(
    const struct tally *t, tally_key_of *key_of, uint32_t *numbers, size_t count);
/* A `key_of` for the order in which the entries were added. */
uint64_t tally_own_number(const struct tally *t, uint32_t number);
/*
 * Returns the numbers 0 to `count` - 1 of items, grouped by the client to which `client_of` says
 * they belong; the caller frees them.  Clients stand in the order of `ranks` (NULL: of their
 * numbers), and each one's items in the order of their own numbers.  `firsts`, with room for one
 * more than there are clients, gets where each client's items begin.
 */
uint32_t *tally_group(const struct tally *t, const uint32_t *ranks, tally_key_of *client_of,
    size_t count, uint32_t *firsts);
/* A `client_of` for records of the log. */
uint64_t tally_record_client(const struct tally *t, uint32_t number);

/* --- tally_sort.c: making the order, and giving it up --- */

/* Gives up the order, which is no longer needed or no longer true. */
void tally_drop_order(struct tally *t);
/* The day of a time, in days since 1970-01-01 UTC. */
int64_t tally_day_of(int64_t time_us);

/* --- tally_read.c: reading in that order --- */

/* The records, `count` of them, of the finding at that place but for its first; borrowed. */
const uint32_t *tally_more_of(const struct tally *t, size_t finding, size_t *count);

#endif
