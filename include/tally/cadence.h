/*
 * cadence - how regularly a client comes, in counts that stay small and add up.
 *
 * Gaps between attempts are counted by their length, two classes to each doubling, with their sum
 * so that the usual gap can be told to the second; hours of the day (UTC) are counted by
 * themselves.  Adding the counts of two stretches of time gives those of both.
 *
 * Memory: a value of fixed size; as bytes, CADENCE_BYTES_MAX at most and some 60 as a rule.
 */
#ifndef TLSTALLY_TALLY_CADENCE_H
#define TLSTALLY_TALLY_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define CADENCE_HOURS 24
/* Below a second; two classes each from 1 s, 2 s, 4 s ... to 2^20 s (12 days); beyond. */
#define CADENCE_CLASSES 42
#define CADENCE_BYTES_MAX (1 + 4 + 4 * CADENCE_HOURS + 13 * CADENCE_CLASSES)

struct cadence {
	uint32_t hours[CADENCE_HOURS];
	uint32_t gap_count[CADENCE_CLASSES];
	uint64_t gap_sum_ms[CADENCE_CLASSES];
};

/* The index by which a time is counted, and that of a gap, which is not negative. */
unsigned cadence_hour(int64_t time_us);
unsigned cadence_class(int64_t gap_us);

void cadence_add_time(struct cadence *c, int64_t time_us);
/* `gap_us`: from one attempt to the next; a negative one is not counted. */
void cadence_add_gap(struct cadence *c, int64_t gap_us);
void cadence_merge(struct cadence *into, const struct cadence *from);
/* Leaves in `c` what it counted beyond an earlier state of itself. */
void cadence_subtract(struct cadence *c, const struct cadence *before);

/* Appends it as bytes, the same on every machine. */
void cadence_write(const struct cadence *c, struct buf *out);
/* False, and zeroed, for bytes that cadence_write does not make. */
bool cadence_read(struct span bytes, struct cadence *out);

struct cadence_summary {
	uint64_t gap_count;  /* that tell something: those inside a burst do not */
	int64_t interval_us; /* the usual gap; 0: too few, or there is no usual one */
	unsigned share;      /* of the gaps that are about as long, in percent */
	uint32_t hours;      /* bit N: it comes between N:00 and N:59 UTC */
	unsigned hour_count;
	bool has_range;                 /* the hours are one stretch, shorter than a day */
	unsigned first_hour, last_hour; /* of that; it may go past midnight */
};

void cadence_summarise(const struct cadence *c, struct cadence_summary *out);
/* "every 300 s, day and night: unattended"; nothing where too little is known. */
void cadence_add_text(const struct cadence_summary *summary, struct buf *out);
/* "0-23", "7-18", "0-2,22-23". */
void cadence_add_hours(const struct cadence_summary *summary, struct buf *out);

#endif
