#include "report/silence.h"

#include <stdlib.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "report/phrase.h"

#include "base/banned.h"

/* A capture that is longer has wrong times in it. */
#define CAPTURE_DAYS_MAX 40000
/* So many silent days are needed where a client's cadence is not known. */
#define UNKNOWN_CADENCE_DAYS 7
/* A client that was seen this often on its only day comes several times a day. */
#define SEVERAL_A_DAY 4
/* With fewer intervals the longest one counts, with more the one that nine of ten do not exceed. */
#define FEW_INTERVALS 10

int64_t
silence_day(int64_t time_us)
{
	int64_t day = time_us / USEC_PER_DAY;

	return time_us % USEC_PER_DAY < 0 ? day - 1 : day;
}

static int
compare_intervals(const void *a, const void *b)
{
	const struct report_interval *x = a, *y = b;

	return (x->begin_us > y->begin_us) - (x->begin_us < y->begin_us);
}

static void
add_captured(struct observed_days *observed, size_t *room, int64_t day, int64_t us)
{
	struct report_day *last = observed->count > 0 ? &observed->days[observed->count - 1] : NULL;

	if (last != NULL && last->day == day) {
		last->captured_us += us;
		return;
	}
	observed->days = xgrow(observed->days, observed->count, room, sizeof(*observed->days));
	observed->days[observed->count++] = (struct report_day){ day, us };
}

void
observed_days_init(struct observed_days *observed, struct report_interval *intervals, size_t count)
{
	int64_t done_us = INT64_MIN; /* what begins before that is in it already */
	size_t room = 0;

	*observed = (struct observed_days){ 0 };
	if (count > 0)
		qsort(intervals, count, sizeof(*intervals), compare_intervals);
	for (size_t i = 0; i < count; i++) {
		int64_t end_us = intervals[i].end_us, begin_us = intervals[i].begin_us;

		if (begin_us < done_us)
			begin_us = done_us;
		if (begin_us > end_us ||
		    silence_day(end_us) - silence_day(begin_us) > CAPTURE_DAYS_MAX)
			continue;
		for (int64_t day = silence_day(begin_us); day <= silence_day(end_us); day++) {
			int64_t day_us = day * USEC_PER_DAY, next_us = day_us + USEC_PER_DAY;
			int64_t from_us = begin_us > day_us ? begin_us : day_us;

			/* Plus one, so that a capture of a single packet counts. */
			add_captured(observed, &room, day,
			    (end_us < next_us ? end_us : next_us) - from_us + 1);
		}
		observed->end_us = done_us = end_us;
	}
}

void
observed_days_release(struct observed_days *observed)
{
	free(observed->days);
	*observed = (struct observed_days){ 0 };
}

/* The index of the first observed day that is `day` or later. */
static size_t
observed_from(const struct observed_days *observed, int64_t day)
{
	size_t low = 0, high = observed->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (observed->days[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t
captured_on(const struct observed_days *observed, int64_t day)
{
	size_t i = observed_from(observed, day);

	return i < observed->count && observed->days[i].day == day ? observed->days[i].captured_us
								   : 0;
}

/* Observed days behind `after` and before `before`; where none are known, each is one. */
static unsigned
observed_between(
    const struct observed_days *observed, int64_t least_us, int64_t after, int64_t before)
{
	unsigned count = 0;

	if (observed->count == 0)
		return before - after > 1 ? (unsigned)(before - after - 1) : 0;
	for (size_t i = observed_from(observed, after + 1);
	     i < observed->count && observed->days[i].day < before; i++)
		count += observed->days[i].captured_us >= least_us;
	return count;
}

/* On the average of the days on which the client was seen; 0: on none of them. */
static int64_t
captured_when_seen(const struct silence_seen *seen, const struct observed_days *observed)
{
	int64_t captured_us = 0;

	if (seen->day_count == 0)
		return captured_on(observed, seen->last_day);
	for (size_t i = 0; i < seen->day_count; i++)
		captured_us += captured_on(observed, seen->days[i]);
	/* Rounded up: a single packet counts. */
	return (captured_us + (int64_t)seen->day_count - 1) / (int64_t)seen->day_count;
}

static int
compare_unsigned(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static unsigned
cadence_of(const struct silence_seen *seen, const struct observed_days *observed, int64_t least_us)
{
	size_t count = seen->day_count > 0 ? seen->day_count - 1 : 0, chosen;
	unsigned *gaps, result;

	if (count == 0)
		return seen->day_count == 1 && seen->times >= SEVERAL_A_DAY ? 1
									    : seen->average_cadence;
	gaps = xcalloc(count, sizeof(*gaps));
	for (size_t i = 0; i < count; i++)
		gaps[i] =
		    1 + observed_between(observed, least_us, seen->days[i], seen->days[i + 1]);
	qsort(gaps, count, sizeof(*gaps), compare_unsigned);
	chosen = count < FEW_INTERVALS ? count - 1 : (9 * count + 9) / 10 - 1;
	result = gaps[chosen];
	free(gaps);
	return result;
}

unsigned
silence_days_of(int64_t interval_us)
{
	return interval_us > 0 ? (unsigned)((interval_us + USEC_PER_DAY - 1) / USEC_PER_DAY) : 0;
}

void
silence_judge(const struct silence_seen *seen, const struct observed_days *observed, int64_t at_day,
    struct silence *out)
{
	int64_t captured_us = captured_when_seen(seen, observed);
	int64_t least_us = captured_us / 2; /* for a day to count as observed */

	*out = (struct silence){ 0 };
	/* When it was seen is not known, as where a capture has no times. */
	if (observed->count > 0 && captured_us == 0)
		return;
	out->silent_days = observed_between(observed, least_us, seen->last_day, at_day);
	out->cadence_days = cadence_of(seen, observed, least_us);
	out->needed_days = out->cadence_days > 0 ? out->cadence_days : UNKNOWN_CADENCE_DAYS;
	out->overdue = out->silent_days >= out->needed_days;
}

bool
silence_is_long(
    const struct silence *silence, const struct observed_days *observed, int64_t last_us)
{
	return observed->count == 0 ||
	       observed->end_us - last_us >= (int64_t)silence->needed_days * USEC_PER_DAY;
}

void
silence_add_text(const struct silence *silence, struct buf *text)
{
	buf_add_text(text, "silent for ");
	phrase_add_count(text, silence->silent_days, "observed day", "observed days");
	if (silence->cadence_days == 0) {
		buf_add_text(text, ", seen on one day only");
	} else if (silence->cadence_days == 1) {
		buf_add_text(text, ", came every day");
	} else {
		buf_add_text(text, ", came every ");
		phrase_add_number(text, silence->cadence_days);
		buf_add_text(text, " days");
	}
}
