/* What was observed: sums over captures and handshakes. */
#include <stdlib.h>
#include <string.h>

#include "report/report_internal.h"

#include "base/banned.h"

static const char *const unclear_names[REPORT_UNCLEAR_COUNT] = {
	[REPORT_UNCLEAR_GAP] = "capture_gap",
	[REPORT_UNCLEAR_ONE_WAY] = "one_way",
	[REPORT_UNCLEAR_UNANSWERED] = "unanswered",
	[REPORT_UNCLEAR_REFUSED] = "refused",
	[REPORT_UNCLEAR_OTHER] = "other",
};

const char *
report_unclear_name(enum report_unclear why)
{
	return unclear_names[why];
}

bool
report_run_captured(const struct store_run *run)
{
	int64_t whole_us, down_us = 0;

	/* The times of a saved capture may be any. */
	if (strcmp(run->command, "capture") != 0)
		return true;
	whole_us = (run->end_us - run->begin_us) * (int64_t)run->source_count;
	for (size_t i = 0; i < run->counter_count; i++) {
		if (strcmp(run->counters[i].name, "interface_down_ms") == 0)
			down_us = (int64_t)run->counters[i].value * 1000;
	}
	/* The two are measured by different threads. */
	return down_us == 0 || down_us < whole_us - whole_us / 100;
}

void
report_each_capture(const struct store_run *run, report_capture_fn fn, void *arg)
{
	/*
	 * A live sensor also covers time in which nothing comes by; its run knows when that was,
	 * its sources do not.
	 */
	bool is_live = strcmp(run->command, "capture") == 0, has_times = false;
	char *sensor;

	if (!report_run_captured(run))
		return;
	sensor = report_printable(span_from_text(run->sensor));
	for (size_t i = 0; i < run->source_count && !is_live; i++) {
		const struct store_source *source = &run->sources[i];

		if (source->begin_us == 0 && source->end_us == 0) /* store.h: no packet */
			continue;
		has_times = true;
		fn(arg, sensor, source->begin_us, source->end_us);
	}
	if (!has_times && (run->begin_us != 0 || run->end_us != 0))
		fn(arg, sensor, run->begin_us, run->end_us);
	free(sensor);
}

/* Captures may overlap: time that two of them cover counts once. */
void
report_sum_intervals(
    struct report_observed *o, const struct report_interval *intervals, size_t count)
{
	if (count == 0)
		return;
	o->has_packets = true;
	o->begin_us = o->end_us = intervals[0].begin_us;
	for (size_t i = 0; i < count; i++) {
		const struct report_interval *in = &intervals[i];
		int64_t from_us = in->begin_us > o->end_us ? in->begin_us : o->end_us;
		int64_t gap_us = in->begin_us - o->end_us;

		if (gap_us > REPORT_GAP_US) {
			o->gap_us += gap_us;
			if (o->gap_count++ == 0 ||
			    gap_us > o->longest_gap.end_us - o->longest_gap.begin_us)
				o->longest_gap =
				    (struct report_interval){ o->end_us, in->begin_us };
		}
		if (in->end_us < from_us)
			continue;
		o->covered_us += in->end_us - from_us;
		o->end_us = in->end_us;
	}
}

static enum report_unclear
why_unclear(const struct finding *f)
{
	switch (f->key.outcome) {
	case OUTCOME_ESTABLISHED:
	case OUTCOME_NEGOTIATED:
		/* One of the two hellos was not seen. */
		return f->key.tls_version == 0 || f->key.offered_version == 0
			   ? REPORT_UNCLEAR_ONE_WAY
			   : REPORT_UNCLEAR_OTHER;
	case OUTCOME_REFUSED:
		return REPORT_UNCLEAR_REFUSED;
	case OUTCOME_UNANSWERED:
		return REPORT_UNCLEAR_UNANSWERED;
	case OUTCOME_CLEARTEXT:
		break;
	}
	return REPORT_UNCLEAR_OTHER;
}

void
report_count_unclear(struct report_observed *o, const struct finding *f)
{
	uint64_t gaps = f->gap_count < f->count ? f->gap_count : f->count;

	o->unclear_count += f->count;
	o->unclear_by[REPORT_UNCLEAR_GAP] += gaps;
	o->unclear_by[why_unclear(f)] += f->count - gaps;
}
