/* How often a client came in one of its ways to connect, and whether it is overdue. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "report/diff_internal.h"

#include "base/banned.h"

static void
add_captured(struct sensor_days *observed, const struct diff_side *side)
{
	for (size_t i = 0; i < side->captured_count; i++) {
		const struct diff_captured *c = &side->captured[i];

		sensor_days_add(observed, c->sensor, c->begin_us, c->end_us);
	}
}

void
diff_observed_init(
    struct sensor_days *observed, const struct diff_side *a, const struct diff_side *b)
{
	*observed = (struct sensor_days){ 0 };
	add_captured(observed, a);
	if (b != NULL)
		add_captured(observed, b);
	sensor_days_finish(observed);
}

/* Where the days are not known, as in an export: the usual gap, else the average one. */
static unsigned
average_cadence(const struct diff_client *c, const struct diff_row *row)
{
	int64_t average_us;

	if (c->interval_us > 0)
		return silence_days_of(c->interval_us);
	if (row->count < 2 || row->last_us <= row->first_us)
		return 0;
	average_us = (row->last_us - row->first_us) /
		     (int64_t)(row->count <= INT64_MAX ? row->count - 1 : INT64_MAX);
	return silence_days_of(average_us);
}

void
diff_silence_of(const struct diff_client *c, const struct diff_row *row,
    const struct observed_days *observed, int64_t at_day, struct silence *out)
{
	int64_t *days = xcalloc(c->day_count + 1, sizeof(*days));
	struct silence_seen seen = {
		.days = days,
		.last_day = silence_day(row->last_us),
		.average_cadence = average_cadence(c, row),
	};

	for (size_t i = 0; i < c->day_count && c->days[i].day < at_day; i++) {
		const struct diff_day *day = &c->days[i];

		if (day->tls_version != row->tls_version || day->outcome != row->outcome)
			continue;
		seen.times += day->count;
		if (seen.day_count == 0 || days[seen.day_count - 1] != day->day)
			days[seen.day_count++] = day->day;
	}
	silence_judge(&seen, observed, at_day, out);
	/* Where the row goes on after the moment, the days before it are over. */
	out->overdue =
	    out->overdue && (row->is_cut || silence_is_long(out, observed, row->last_us));
	free(days);
}
