/*
 * How often a client comes, counted in days, and whether it is silent for longer than that.
 *
 * A day counts as observed for a client when at least half as much was captured on it as on an
 * average day on which the client was seen: a sensor that ran for an hour says nothing about a
 * client that comes once a day.  Where no capture times are known, each day counts.
 */
#include <stdlib.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "report/diff_internal.h"

#include "base/banned.h"

/* No capture is that long: the times in it are wrong. */
#define CAPTURE_DAYS_MAX 40000
/* Of a client without a cadence, that many silent days are needed. */
#define UNKNOWN_CADENCE_DAYS 7
/* Seen that often on its only day, it is one that comes several times a day. */
#define SEVERAL_A_DAY 4
/* With fewer intervals the longest one counts, with more the one that nine of ten do not exceed. */
#define FEW_INTERVALS 10

static int64_t
day_of(int64_t time_us)
{
	return diff_day_floor(time_us) / USEC_PER_DAY;
}

static int
compare_intervals(const void *a, const void *b)
{
	const struct diff_interval *x = a, *y = b;

	return (x->begin_us > y->begin_us) - (x->begin_us < y->begin_us);
}

static void
add_covered(struct diff_covered *covered, size_t *room, int64_t day, int64_t us)
{
	struct diff_covered_day *last =
	    covered->count > 0 ? &covered->days[covered->count - 1] : NULL;

	if (last != NULL && last->day == day) {
		last->captured_us += us;
		return;
	}
	if (covered->count == *room) {
		*room = *room == 0 ? 64 : 2 * *room;
		covered->days = xreallocarray(covered->days, *room, sizeof(*covered->days));
	}
	covered->days[covered->count++] = (struct diff_covered_day){ day, us };
}

void
diff_covered_init(
    struct diff_covered *covered, const struct diff_side *a, const struct diff_side *b)
{
	size_t b_count = b != NULL ? b->captured_count : 0, count = a->captured_count + b_count;
	struct diff_interval *all = xcalloc(count + 1, sizeof(*all));
	int64_t done_us = INT64_MIN; /* what begins before that is in it already */
	size_t room = 0;

	*covered = (struct diff_covered){ 0 };
	for (size_t i = 0; i < a->captured_count; i++)
		all[i] = a->captured[i];
	for (size_t i = 0; i < b_count; i++)
		all[a->captured_count + i] = b->captured[i];
	qsort(all, count, sizeof(*all), compare_intervals);
	for (size_t i = 0; i < count; i++) {
		int64_t begin_us = all[i].begin_us > done_us ? all[i].begin_us : done_us;
		int64_t end_us = all[i].end_us;

		if (begin_us > end_us || day_of(end_us) - day_of(begin_us) > CAPTURE_DAYS_MAX)
			continue;
		for (int64_t day = day_of(begin_us); day <= day_of(end_us); day++) {
			int64_t day_us = day * USEC_PER_DAY, next_us = day_us + USEC_PER_DAY;
			int64_t from_us = begin_us > day_us ? begin_us : day_us;

			/* A capture of one packet is a moment, and still one. */
			add_covered(covered, &room, day,
			    (end_us < next_us ? end_us : next_us) - from_us + 1);
		}
		done_us = end_us;
	}
	free(all);
}

void
diff_covered_release(struct diff_covered *covered)
{
	free(covered->days);
	*covered = (struct diff_covered){ 0 };
}

/* The first one that is `day` or later. */
static size_t
covered_from(const struct diff_covered *covered, int64_t day)
{
	size_t low = 0, high = covered->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (covered->days[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t
captured_on(const struct diff_covered *covered, int64_t day)
{
	size_t i = covered_from(covered, day);

	return i < covered->count && covered->days[i].day == day ? covered->days[i].captured_us : 0;
}

/* Observed days behind `after` and before `before`. */
static unsigned
observed_between(
    const struct diff_covered *covered, int64_t least_us, int64_t after, int64_t before)
{
	unsigned count = 0;

	if (covered->count == 0 || least_us == 0)
		return before - after > 1 ? (unsigned)(before - after - 1) : 0;
	for (size_t i = covered_from(covered, after + 1);
	     i < covered->count && covered->days[i].day < before; i++)
		count += covered->days[i].captured_us >= least_us;
	return count;
}

/* The different days on which it was seen in that way, before `at_day`. */
struct seen {
	int64_t *days;
	size_t count;
	uint64_t times;   /* on all of them */
	int64_t least_us; /* a day with so much captured counts as observed */
};

static bool
is_seen_on(const struct diff_day *day, const struct diff_row *row)
{
	return day->tls_version == row->tls_version && day->outcome == row->outcome;
}

static void
seen_init(struct seen *seen, const struct diff_client *c, const struct diff_row *row,
    const struct diff_covered *covered, int64_t at_day)
{
	int64_t captured_us = 0;

	*seen = (struct seen){ .days = xcalloc(c->day_count + 1, sizeof(*seen->days)) };
	for (size_t i = 0; i < c->day_count && c->days[i].day < at_day; i++) {
		if (!is_seen_on(&c->days[i], row))
			continue;
		seen->times += c->days[i].count;
		if (seen->count > 0 && seen->days[seen->count - 1] == c->days[i].day)
			continue;
		seen->days[seen->count++] = c->days[i].day;
		captured_us += captured_on(covered, c->days[i].day);
	}
	if (seen->count > 0)
		seen->least_us = captured_us / (int64_t)seen->count / 2;
}

static int
compare_unsigned(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* From the days on which it was seen; 0: not known. */
static unsigned
cadence_of_days(const struct seen *seen, const struct diff_covered *covered)
{
	size_t count = seen->count > 0 ? seen->count - 1 : 0, chosen;
	unsigned *gaps, result;

	if (count == 0)
		return seen->times >= SEVERAL_A_DAY ? 1 : 0;
	gaps = xcalloc(count, sizeof(*gaps));
	for (size_t i = 0; i < count; i++)
		gaps[i] =
		    1 + observed_between(covered, seen->least_us, seen->days[i], seen->days[i + 1]);
	qsort(gaps, count, sizeof(*gaps), compare_unsigned);
	chosen = count < FEW_INTERVALS ? count - 1 : (9 * count + 9) / 10 - 1;
	result = gaps[chosen];
	free(gaps);
	return result;
}

/* An export has no days: the average between the first and the last. */
static unsigned
cadence_of_row(const struct diff_row *row)
{
	int64_t average_us;

	if (row->count < 2 || row->last_us <= row->first_us)
		return 0;
	average_us = (row->last_us - row->first_us) /
		     (int64_t)(row->count - 1 < INT64_MAX ? row->count - 1 : INT64_MAX);
	return (unsigned)((average_us + USEC_PER_DAY - 1) / USEC_PER_DAY);
}

void
diff_silence_of(const struct diff_client *c, const struct diff_row *row,
    const struct diff_covered *covered, int64_t at_day, struct diff_silence *out)
{
	struct seen seen;
	int64_t last_day = day_of(row->last_us);
	unsigned needed;

	seen_init(&seen, c, row, covered, at_day);
	*out = (struct diff_silence){
		.silent_days = observed_between(covered, seen.least_us, last_day, at_day),
		.cadence_days =
		    c->day_count > 0 ? cadence_of_days(&seen, covered) : cadence_of_row(row),
	};
	needed = out->cadence_days > 0 ? out->cadence_days : UNKNOWN_CADENCE_DAYS;
	out->overdue = out->silent_days >= needed;
	free(seen.days);
}
