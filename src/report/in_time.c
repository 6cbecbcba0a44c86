/*
 * What lies in the time asked for.
 *
 * A finding has a first time and a last one.  Where both are outside, on either side, only the days
 * tell whether anything of it lies in between.
 */
#include <stdlib.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "report/report_internal.h"
#include "report/silence.h"

#include "base/banned.h"

struct looking {
	const struct report_options *options;
	const struct finding *findings;
	bool *seen; /* of each finding: it lies in the time */
	size_t count;
	bool reach_back; /* the days are known from the beginning of the time on */
};

static bool
surrounds(const struct finding *f, const struct report_options *o)
{
	return f->first_us < o->since_us && f->last_us >= o->until_us;
}

/* The days have no room for a version that nobody knows: 0. */
static bool
is_of_day(const struct finding *f, const struct store_day *day)
{
	return f->key.outcome == day->outcome &&
	       (day->tls_version == 0 || f->key.tls_version == day->tls_version);
}

static bool
take_day(void *arg, const struct store_day *day)
{
	struct looking *l = arg;
	int64_t begin_us = day->day * USEC_PER_DAY;

	l->reach_back = l->reach_back || day->day <= silence_day(l->options->since_us);
	if (begin_us >= l->options->until_us)
		return false;
	if (begin_us + USEC_PER_DAY <= l->options->since_us)
		return true;
	for (size_t i = 0; i < l->count; i++)
		l->seen[i] = l->seen[i] || is_of_day(&l->findings[i], day);
	return true;
}

static bool
mark_seen(struct looking *l)
{
	bool all = true;

	for (size_t i = 0; i < l->count; i++) {
		l->seen[i] = !surrounds(&l->findings[i], l->options);
		all = all && l->seen[i];
	}
	return all;
}

int
report_drop_unseen(struct store *s, int64_t client_id, const struct report_options *options,
    struct finding *findings, size_t *count, struct error *err)
{
	struct looking l = { .options = options, .findings = findings, .count = *count };
	int rc = 0;

	if (!options->has_since || !options->has_until)
		return 0;
	l.seen = xcalloc(l.count, sizeof(*l.seen));
	if (!mark_seen(&l))
		rc = store_each_day_of(s, client_id, take_day, &l, err);
	/* Of days that retention has removed nobody knows. */
	if (rc == 0 && l.reach_back) {
		*count = 0;
		for (size_t i = 0; i < l.count; i++) {
			if (l.seen[i])
				findings[(*count)++] = findings[i];
		}
	}
	free(l.seen);
	return rc;
}
