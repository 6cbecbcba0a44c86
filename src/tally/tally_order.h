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

/* A finding of which there are several records. */
struct tally_run {
	uint32_t finding;
	uint32_t first_more; /* in tally_order.more, up to the next run's */
	uint32_t story;      /* of all of them; from story_count up where the tally has none such */
};

#define TALLY_MORE (UINT32_C(1) << 31)
#define TALLY_RECORDS_MAX ((size_t)TALLY_MORE)

/* Made by tally_sort; valid until the next change. */
struct tally_order {
	bool valid;
	bool outdated;             /* the order is right, what else is told is not */
	uint32_t *clients, *ranks; /* numbers in order; and each number's place in it */
	struct tally_share *shares;
	uint32_t *findings; /* numbers of records; with TALLY_MORE: the first of a run */
	uint32_t *more;
	struct tally_run *runs;
	struct tally_day_entry *days;
	uint32_t *hours;
	size_t finding_count, more_count, run_count, day_count, hour_count;
	size_t more_room, run_room, day_room;
};

/* --- tally_order.c --- */

/* Sorts numbers by a key each; those with the same key stay as they are. */
typedef uint64_t tally_key_of(const struct tally *t, uint32_t number);
void tally_sort_numbers(
    const struct tally *t, tally_key_of *key_of, uint32_t *numbers, size_t count);
/* A key for the order in which the entries were added. */
uint64_t tally_own_number(const struct tally *t, uint32_t number);
/*
 * The numbers of `count` items, grouped by client, and owned by the caller: first those of the
 * client with rank 0 (`ranks` NULL: with number 0), each client's in their order.  `client_of`
 * tells whose an item is.  `firsts`, with room for one more than there are clients, gets where each
 * client's begin.
 */
uint32_t *tally_group(const struct tally *t, const uint32_t *ranks, tally_key_of *client_of,
    size_t count, uint32_t *firsts);
/* A `client_of` for records of the log. */
uint64_t tally_record_client(const struct tally *t, uint32_t number);

/* --- tally_sort.c --- */

/* Gives up the order, which is no longer needed or no longer true. */
void tally_drop_order(struct tally *t);
/* The day of a time, in days since 1970-01-01 UTC. */
int64_t tally_day_of(int64_t time_us);

/* --- tally_read.c --- */

/* The finding's records but for its first, in order; borrowed. */
const uint32_t *tally_more_of(const struct tally *t, size_t finding, size_t *count);

#endif
