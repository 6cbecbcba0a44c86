#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/printable.h"
#include "report/report.h"
#include "report/report_internal.h"
#include "report/sensor_days.h"

#include "base/banned.h"

/* A finding, for its place among the client's rows. */
struct ranked {
	const struct finding *finding;
	enum verdict verdict;
};

/* What is gathered while the store hands out its rows. */
struct loading {
	struct report *report;
	struct store *store;
	const struct report_options *options;
	size_t client_room;
	struct error *err;
	int result;

	/* The findings of the client that is being read. */
	int64_t client_id;
	struct report_client client;
	bool has_client;
	struct finding *findings;
	enum verdict *verdicts;
	struct ranked *ranked;
	size_t finding_count, finding_room;

	/* When something was captured. */
	struct report_interval *intervals;
	size_t interval_count, interval_room;
	struct observed_days observed_days;
	struct sensor_days sensor_days;
	/* Also before the time asked for, where that begins at some time. */
	struct sensor_days earlier_too;

	/* The days of the client that is being read, up to the last one asked for. */
	int64_t *days, last_day;
	size_t day_count, day_room;
	int64_t interval_us; /* its usual gap; 0: not known */
	uint64_t day_times;
};

static char *
printable_server(const struct finding *f)
{
	struct buf text = { 0 };
	char *copy;

	printable_add_server(&text, event_text_span(&f->key.server), f->key.server_port, SIZE_MAX);
	copy = xstrdup(buf_text(&text));
	buf_release(&text);
	return copy;
}

static int
compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->verdict != y->verdict ? (int)x->verdict - (int)y->verdict
					: tally_key_compare(&x->finding->key, &y->finding->key);
}

/* The worst first: the order of the store is by the verdicts of its last flush. */
static void
put_in_order(struct loading *l)
{
	for (size_t i = 0; i < l->finding_count; i++)
		l->ranked[i] = (struct ranked){ &l->findings[i], l->verdicts[i] };
	qsort(l->ranked, l->finding_count, sizeof(*l->ranked), compare_ranked);
}

static void
keep_rows(struct loading *l)
{
	struct report_client *c = &l->client;

	c->rows = xcalloc(l->finding_count, sizeof(*c->rows));
	c->row_count = l->finding_count;
	for (size_t i = 0; i < l->finding_count; i++) {
		const struct finding *f = l->ranked[i].finding;

		c->rows[i] = (struct report_row){
			.protocol = f->key.protocol,
			.tls_mode = f->key.tls_mode,
			.server = printable_server(f),
			.tls_version = f->key.tls_version,
			.offered_version = f->key.offered_version,
			.outcome = f->key.outcome,
			.refused_by = f->key.refused_by,
			.refusal = f->key.refusal,
			.refusal_alert = f->key.refusal_alert,
			.count = f->count,
			.fallback_count = f->fallback_count,
			.fallback_from = f->fallback_from,
			.first_us = f->first_us,
			.last_us = f->last_us,
			.verdict = l->ranked[i].verdict,
		};
	}
}

static void
keep_details(struct loading *l)
{
	struct report_client *c = &l->client;

	c->details = xcalloc(l->finding_count, sizeof(*c->details));
	c->row_count = l->finding_count;
	for (size_t i = 0; i < l->finding_count; i++)
		report_detail_fill(&l->options->policy, l->ranked[i].finding, &c->details[i]);
}

/*
 * Fills in the columns of the client's line: what its verdict rests on, and its lowest version of
 * all.
 */
static void
summarise(struct loading *l)
{
	struct report_client *c = &l->client;
	const struct finding *latest = NULL;

	for (size_t i = 0; i < l->finding_count; i++) {
		const struct finding *f = &l->findings[i];
		uint16_t offered = f->key.offered_version;

		if (f->key.tls_version != 0 &&
		    (c->worst_version == 0 || f->key.tls_version < c->worst_version))
			c->worst_version = f->key.tls_version;
		if (f->key.tls_version > c->best_version)
			c->best_version = f->key.tls_version;
		c->total_count += f->count;
		if (i == 0 || f->first_us < c->first_seen_us)
			c->first_seen_us = f->first_us;
		if (i == 0 || f->last_us > c->last_seen_us)
			c->last_seen_us = f->last_us;
		if (l->verdicts[i] != c->verdict)
			continue;
		if (offered != 0 && (c->offered_version == 0 || offered < c->offered_version))
			c->offered_version = offered;
		if (latest == NULL || f->last_us > latest->last_us)
			latest = f;
		c->count += f->count;
	}
	if (latest == NULL)
		return;
	c->last_us = latest->last_us;
	c->server = printable_server(latest);
}

/* What is counted as a whole counts more than what lies in the time asked for. */
static bool
reaches_out(const struct report_options *o, int64_t first_us, int64_t last_us)
{
	return (o->has_since && first_us < o->since_us) || (o->has_until && last_us >= o->until_us);
}

static void
count_unclear(struct loading *l)
{
	struct report_observed *o = &l->report->observed;

	for (size_t i = 0; i < l->finding_count; i++) {
		const struct finding *f = &l->findings[i];

		o->beyond = o->beyond || reaches_out(l->options, f->first_us, f->last_us);
		if (f->key.outcome == OUTCOME_CLEARTEXT)
			o->cleartext_count += f->count;
		else
			o->handshake_count += f->count;
		if (l->verdicts[i] == VERDICT_UNCLEAR)
			report_count_unclear(o, f);
		if (f->key.outcome == OUTCOME_NEGOTIATED)
			o->open_end_count += f->count;
	}
}

static bool
take_day(void *arg, const struct store_day *day)
{
	struct loading *l = arg;

	if (day->day > l->last_day)
		return false;
	l->day_times += day->count;
	if (l->day_count > 0 && l->days[l->day_count - 1] == day->day)
		return true;
	l->days = xgrow(l->days, l->day_count, &l->day_room, sizeof(*l->days));
	l->days[l->day_count++] = day->day;
	return true;
}

/*
 * To be silent for long is no good news, so it is said beside the verdict.  How often the client
 * used to come, all days up to the end of the time asked for tell.
 */
static void
find_silence(struct loading *l, struct buf *reason)
{
	struct report_client *c = &l->client;
	const struct observed_days *observed =
	    sensor_days_of(l->options->has_since ? &l->earlier_too : &l->sensor_days, c->sensor);
	struct silence_seen seen = { .average_cadence = silence_days_of(l->interval_us) };
	struct silence silence;

	if (observed->count == 0 || c->verdict == VERDICT_OK)
		return;
	l->last_day = seen.last_day = silence_day(c->last_seen_us);
	l->day_count = 0;
	l->day_times = 0;
	if (store_each_day_of(l->store, l->client_id, take_day, l, l->err) != 0) {
		l->result = -1;
		return;
	}
	seen.days = l->days;
	seen.day_count = l->day_count;
	seen.times = l->day_times;
	silence_judge(&seen, observed, observed->days[observed->count - 1].day + 1, &silence);
	c->is_quiet = silence.overdue && silence_is_long(&silence, observed, c->last_seen_us);
	if (!c->is_quiet)
		return;
	buf_add_text(reason, "; quiet: ");
	silence_add_text(&silence, reason);
	buf_add_text(reason, ", which does not make it fixed");
}

static enum verdict
judge(struct loading *l, struct buf *reason)
{
	const struct policy *policy = &l->options->policy;
	const struct what_if *question = l->options->what_if;

	policy_judge(policy, l->findings, l->finding_count, l->verdicts);
	/* What was observed, whatever is asked. */
	count_unclear(l);
	if (question == NULL)
		return policy_judge_client(
		    policy, l->findings, l->verdicts, l->finding_count, reason);
	what_if_judge(question, policy, l->findings, l->finding_count, l->verdicts);
	return what_if_judge_client(question, l->findings, l->verdicts, l->finding_count, reason);
}

static void
forget_client(struct loading *l)
{
	report_client_release(&l->client);
	l->has_client = false;
	l->finding_count = 0;
}

static void
finish_client(struct loading *l)
{
	struct report *r = l->report;
	struct buf reason = { 0 };
	size_t servers[VERDICT_COUNT];

	if (!l->has_client)
		return;
	if (report_drop_unseen(
		l->store, l->client_id, l->options, l->findings, &l->finding_count, l->err) != 0)
		l->result = -1;
	if (l->finding_count == 0) {
		forget_client(l);
		return;
	}
	l->client.verdict = judge(l, &reason);
	summarise(l);
	find_silence(l, &reason);
	l->client.reason = xstrdup(buf_text(&reason));
	buf_release(&reason);
	policy_count_servers(l->findings, l->verdicts, l->finding_count, servers);
	l->client.server_count = servers[l->client.verdict];
	if (l->options->keep_rows || l->options->keep_details)
		put_in_order(l);
	if (l->options->keep_rows)
		keep_rows(l);
	if (l->options->keep_details)
		keep_details(l);
	r->totals[l->client.verdict]++;
	r->clients = xgrow(r->clients, r->client_count, &l->client_room, sizeof(*r->clients));
	r->clients[r->client_count++] = l->client;
	l->client = (struct report_client){ 0 };
	forget_client(l);
}

static void
begin_client(struct loading *l, const struct store_client *from)
{
	l->client_id = from->id;
	l->interval_us = from->interval_us;
	l->has_client = true;
	l->client = (struct report_client){
		.ip = from->ip,
		.sensor = report_printable(span_from_text(from->sensor)),
		.name_source = from->name_source,
	};
	report_device_fill(from, &l->client);
	if (from->name.len > 0)
		l->client.name = report_printable(event_text_span(&from->name));
}

static bool
take_finding(
    void *arg, const struct store_client *client, const struct finding *finding, uint8_t verdict)
{
	struct loading *l = arg;

	(void)verdict; /* judged afresh: the minimum and the time looked at may differ */
	if (l->has_client && l->client_id != client->id)
		finish_client(l);
	if (!l->has_client)
		begin_client(l, client);
	if (l->finding_count == l->finding_room) {
		l->finding_room = l->finding_room == 0 ? 64 : 2 * l->finding_room;
		l->findings = xreallocarray(l->findings, l->finding_room, sizeof(*l->findings));
		l->verdicts = xreallocarray(l->verdicts, l->finding_room, sizeof(*l->verdicts));
		l->ranked = xreallocarray(l->ranked, l->finding_room, sizeof(*l->ranked));
	}
	l->findings[l->finding_count++] = *finding;
	return true;
}

static void
add_interval(void *arg, const char *sensor, int64_t begin_us, int64_t end_us)
{
	struct loading *l = arg;
	const struct report_options *o = l->options;

	if (o->has_since && begin_us < o->since_us)
		begin_us = o->since_us;
	if (o->has_until && end_us > o->until_us)
		end_us = o->until_us;
	if (begin_us > end_us)
		return;
	l->intervals =
	    xgrow(l->intervals, l->interval_count, &l->interval_room, sizeof(*l->intervals));
	l->intervals[l->interval_count++] = (struct report_interval){ begin_us, end_us };
	sensor_days_add(&l->sensor_days, sensor, begin_us, end_us);
}

static void
add_earlier(void *arg, const char *sensor, int64_t begin_us, int64_t end_us)
{
	struct loading *l = arg;
	const struct report_options *o = l->options;

	if (o->has_until && end_us > o->until_us)
		end_us = o->until_us;
	if (begin_us > end_us)
		return;
	sensor_days_add(&l->earlier_too, sensor, begin_us, end_us);
	sensor_days_know(&l->sensor_days, sensor);
}

static bool
take_earlier_run(void *arg, const struct store_run *run)
{
	report_each_capture(run, add_earlier, arg);
	return true;
}

static void
add_counter(struct report_observed *o, const struct store_counter *from)
{
	struct report_counter *c = NULL;

	for (size_t i = 0; i < o->counter_count && c == NULL; i++) {
		if (strcmp(o->counters[i].name, from->name) == 0)
			c = &o->counters[i];
	}
	if (c == NULL) {
		o->counters =
		    xreallocarray(o->counters, o->counter_count + 1, sizeof(*o->counters));
		c = &o->counters[o->counter_count++];
		*c = (struct report_counter){ .name = xstrdup(from->name) };
	}
	c->value += from->value;
	c->run_count++;
}

/* Where a mirror cuts packets, the frames around them are whole, and only the payloads tell. */
static uint64_t
snapped_count_of(const struct store_run *run)
{
	uint64_t frames = 0, payloads = 0;

	for (size_t i = 0; i < run->source_count; i++)
		frames += run->sources[i].snapped_count;
	for (size_t i = 0; i < run->counter_count; i++) {
		if (strcmp(run->counters[i].name, "snapped") == 0)
			payloads = run->counters[i].value;
	}
	return frames > payloads ? frames : payloads;
}

static bool
take_run(void *arg, const struct store_run *run)
{
	struct loading *l = arg;
	struct report_observed *o = &l->report->observed;

	o->run_count++;
	o->beyond = o->beyond ||
		    (run->packet_count > 0 && reaches_out(l->options, run->begin_us, run->end_us));
	o->packet_count += run->packet_count;
	o->byte_count += run->byte_count;
	o->snapped_count += snapped_count_of(run);
	if (run->packet_count > 0 && run->end_us > o->heard_us)
		o->heard_us = run->end_us;
	for (size_t i = 0; i < run->source_count; i++) {
		const struct store_source *source = &run->sources[i];

		o->source_count++;
		o->failed_source_count += source->error != NULL && source->error[0] != '\0';
	}
	report_each_capture(run, add_interval, l);
	for (size_t i = 0; i < run->counter_count; i++)
		add_counter(o, &run->counters[i]);
	return true;
}

static int
compare_clients(const void *a, const void *b)
{
	const struct report_client *x = a, *y = b;
	int order = (int)x->verdict - (int)y->verdict;

	if (order == 0)
		order = addr_compare(&x->ip, &y->ip);
	return order != 0 ? order : strcmp(x->sensor, y->sensor);
}

static int
load_earlier_days(struct loading *l, struct store_filter filter)
{
	if (!filter.has_since)
		return 0;
	filter.has_since = false;
	if (store_each_run(l->store, &filter, take_earlier_run, l, l->err) != 0)
		return -1;
	sensor_days_finish(&l->earlier_too);
	return 0;
}

int
report_load(
    struct report *out, struct store *s, const struct report_options *options, struct error *err)
{
	struct loading l = { .report = out, .store = s, .options = options, .err = err };
	struct store_filter filter = {
		.has_since = options->has_since,
		.has_until = options->has_until,
		.since_us = options->since_us,
		.until_us = options->until_us,
		.clients = options->clients,
	};
	int rc = -1;

	*out = (struct report){ 0 };
	if (store_snapshot_begin(s, err) != 0)
		return -1;
	if (store_each_run(s, &filter, take_run, &l, err) != 0 ||
	    load_earlier_days(&l, filter) != 0)
		goto out;
	/* Also puts the intervals in order. */
	observed_days_init(&l.observed_days, l.intervals, l.interval_count);
	sensor_days_finish(&l.sensor_days);
	report_sum_intervals(&out->observed, l.intervals, l.interval_count);
	if (store_each_finding(s, &filter, take_finding, &l, err) != 0)
		goto out;
	finish_client(&l);
	if (l.result != 0)
		goto out;
	if (out->client_count > 0)
		qsort(out->clients, out->client_count, sizeof(*out->clients), compare_clients);
	for (size_t i = 1; i < out->client_count; i++) {
		if (strcmp(out->clients[i].sensor, out->clients[0].sensor) != 0)
			out->several_sensors = true;
	}
	out->observed.days = l.observed_days.days;
	out->observed.day_count = l.observed_days.count;
	l.observed_days = (struct observed_days){ 0 };
	sensor_days_detach(&l.sensor_days, &out->observed);
	rc = 0;
out:
	store_snapshot_end(s);
	report_client_release(&l.client);
	free(l.findings);
	free(l.verdicts);
	free(l.ranked);
	free(l.intervals);
	free(l.days);
	observed_days_release(&l.observed_days);
	sensor_days_release(&l.sensor_days);
	sensor_days_release(&l.earlier_too);
	return rc;
}
