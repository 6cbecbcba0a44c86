/* What a sorted tally tells. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

/* Most clients have no more records than this. */
#define FEW_RECORDS 48
/* Rows are told one after the other. */
#define ROWS_AHEAD 16

size_t
tally_client_count(const struct tally *t)
{
	return t->client_count;
}

size_t
tally_finding_count(const struct tally *t)
{
	return t->order.finding_count;
}

size_t
tally_kind_count(const struct tally *t)
{
	return t->kind_count;
}

size_t
tally_story_count(const struct tally *t)
{
	return t->story_count + t->order.run_count;
}

/* The run of a finding that has several records. */
static const struct tally_run *
run_of(const struct tally *t, size_t finding)
{
	const struct tally_run *runs = t->order.runs;
	size_t low = 0, high = t->order.run_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (runs[middle].finding <= finding)
			low = middle;
		else
			high = middle;
	}
	return &runs[low];
}

/* Of runs that stand side by side, the records behind the first of each. */
static const uint32_t *
more_of_runs(const struct tally *t, const struct tally_run *runs, size_t run_count, size_t *count)
{
	const struct tally_order *o = &t->order;
	const struct tally_run *end = runs + run_count;

	*count =
	    (end < o->runs + o->run_count ? end->first_more : o->more_count) - runs->first_more;
	return o->more + runs->first_more;
}

const uint32_t *
tally_more_of(const struct tally *t, size_t finding, size_t *count)
{
	*count = 0;
	if ((t->order.findings[finding] & TALLY_MORE) == 0)
		return NULL;
	return more_of_runs(t, run_of(t, finding), 1, count);
}

static void
join_run(const struct tally *t, const struct tally_run *run, struct tally_joint *out)
{
	uint32_t first = t->order.findings[run->finding] & ~TALLY_MORE;
	size_t count;
	const uint32_t *more = more_of_runs(t, run, 1, &count);

	tally_joint_begin(t, out, &t->records[first]);
	for (size_t i = 0; i < count; i++)
		tally_joint_add(t, out, &t->records[more[i]]);
}

/*
 * The numbers of a client's records, in the order in which they were added: in `few`, if there is
 * room for them, else in memory of the caller's.
 */
static uint32_t *
records_of(
    const struct tally *t, const struct tally_client *c, uint32_t few[FEW_RECORDS], size_t *count)
{
	const uint32_t *findings = t->order.findings + c->first_finding, *more = NULL;
	const struct tally_run *runs = NULL;
	size_t run_count = 0, more_count = 0, n;
	uint32_t *numbers = few;

	for (size_t i = 0; i < c->finding_count; i++) {
		if ((findings[i] & TALLY_MORE) != 0 && run_count++ == 0)
			runs = run_of(t, c->first_finding + i);
	}
	if (run_count > 0)
		more = more_of_runs(t, runs, run_count, &more_count);
	n = c->finding_count + more_count;
	if (n > FEW_RECORDS)
		numbers = xreallocarray(NULL, n, sizeof(*numbers));
	for (size_t i = 0; i < c->finding_count; i++)
		numbers[i] = findings[i] & ~TALLY_MORE;
	if (more_count > 0)
		memcpy(numbers + c->finding_count, more, more_count * sizeof(*numbers));
	*count = n;
	tally_sort_numbers(t, tally_own_number, numbers, n);
	return numbers;
}

/* What the log tells of a client. */
static void
tell_times(const struct tally *t, uint32_t client, struct tally_client *out)
{
	uint32_t few[FEW_RECORDS], *numbers;
	size_t count;

	numbers = records_of(t, out, few, &count);
	out->first_us = INT64_MAX;
	out->last_us = INT64_MIN;
	for (size_t i = 0; i < count; i++) {
		const struct tally_record *r = &t->records[numbers[i]];
		uint32_t attempts = tally_attempts(t, r);
		int64_t first_us, last_us;

		/* For tally_row_finding. */
		__builtin_prefetch(&t->kinds[r->kind]);
		__builtin_prefetch(&t->stories[r->story]);
		if (attempts == 0)
			continue;
		first_us = tally_record_time(t, r);
		last_us = tally_record_last(t, r);
		out->first_us = first_us < out->first_us ? first_us : out->first_us;
		out->last_us = last_us > out->last_us ? last_us : out->last_us;
		out->event_count += attempts;
	}
	tally_tell_cadence(t, client, numbers, count, &out->cadence);
	if (numbers != few)
		free(numbers);
}

/* For the clients that are told next. */
static PREFETCHES void
ask_ahead(const struct tally *t, size_t index)
{
	const struct tally_order *o = &t->order;
	const struct tally_share *next = &o->shares[index + 1];

	if (index + 2 >= t->client_count)
		return;
	__builtin_prefetch(&t->clients[o->clients[index + 2]]);
	__builtin_prefetch(t->clients[o->clients[index + 1]].name);
	if (next->first_hour < next[1].first_hour)
		__builtin_prefetch(&t->hours[o->hours[next->first_hour]]);
	tally_ask_for_records(
	    t, o->findings + next->first_finding, next[1].first_finding - next->first_finding);
}

void
tally_client_at(const struct tally *t, size_t index, struct tally_client *out)
{
	uint32_t number = t->order.clients[index];
	const struct tally_client_entry *c = &t->clients[number];
	const struct tally_share *share = &t->order.shares[index];

	/* Member by member: the cadence is not cleared but told below. */
	out->ip = c->ip;
	out->has_mac = c->has_mac;
	out->name = span_from(NULL, 0);
	out->name_source = NAME_SOURCE_NONE;
	out->name_us = 0;
	out->event_count = 0;
	out->first_finding = share->first_finding;
	out->finding_count = share[1].first_finding - share->first_finding;
	out->first_day = share->first_day;
	out->day_count = share[1].first_day - share->first_day;
	out->first_hour = share->first_hour;
	out->hour_count = share[1].first_hour - share->first_hour;
	memcpy(out->mac, c->mac, sizeof(out->mac));
	if (c->name != NULL) {
		out->name = span_from(c->name, c->name_len);
		out->name_source = (enum name_source)c->name_source;
		out->name_us = c->name_us;
	}
	ask_ahead(t, index);
	tell_times(t, number, out);
}

void
tally_kind_at(const struct tally *t, uint32_t kind, struct finding_key *out)
{
	const struct tally_kind *k = &t->kinds[kind];

	out->protocol = (enum protocol)k->protocol;
	out->tls_mode = (enum tls_mode)k->tls_mode;
	event_text_set(&out->server, span_from(k->server.data, k->server.len));
	out->server_port = k->server_port;
	out->tls_version = k->tls_version;
	out->offered_version = k->offered_version;
	out->outcome = (enum outcome)k->outcome;
	out->refused_by = (enum event_side)k->refused_by;
	out->refusal = (enum refusal_kind)k->refusal;
	out->refusal_alert = k->refusal_alert;
}

static void
tell_story(const struct tally_story *s, struct finding *out)
{
	const struct tally_facts *f = &s->facts;

	out->server_ip = f->server_ip;
	out->server_name_source = (enum name_source)f->server_name_source;
	out->has_cipher_suite = f->has_cipher_suite;
	out->cipher_suite = f->cipher_suite;
	out->has_ja4 = f->has_ja4;
	memcpy(out->ja4, f->ja4, EVENT_JA4_LEN);
	out->limited_by = (enum event_side)f->limited_by;
	event_text_set(&out->certificate_subject, span_from(s->subject.data, s->subject.len));
	out->has_certificate_not_after = f->has_not_after;
	out->certificate_not_after_us = f->not_after_us;
	out->offers_aead = f->offers_aead;
	out->offers_ecdhe = f->offers_ecdhe;
	out->fallback_from = f->fallback_from;
	out->suites_all = f->suites_all;
	out->suites_any = f->suites_any;
}

void
tally_story_at(const struct tally *t, uint32_t story, struct finding *out)
{
	struct tally_joint j;

	if (story < t->story_count) {
		tell_story(&t->stories[story], out);
		return;
	}
	join_run(t, &t->order.runs[story - t->story_count], &j);
	tell_story(&j.story, out);
}

/*
 * Of a finding with one record, which has no sum.  Member by member, because the compiler would
 * clear all of them first with an instruction that is slow to start.
 */
static void
tell_single(const struct tally *t, const struct tally_record *r, struct tally_row *out)
{
	bool attempt = (r->what & TALLY_ATTEMPT) != 0;
	int64_t time_us = tally_unpack_time(t, r);

	out->kind = r->kind;
	out->story = r->story;
	out->first_us = attempt ? time_us : INT64_MAX;
	out->last_us = attempt ? time_us : INT64_MIN;
	out->count = attempt;
	out->gap_count = (r->what & TALLY_GAP) != 0;
	out->login_count = (r->what & TALLY_LOGIN) != 0;
	out->scsv_count = (r->what & TALLY_SCSV) != 0;
	out->fallback_count = (r->what & TALLY_FALLBACK) != 0;
	out->ended_count = (r->what & TALLY_ENDED) != 0;
	out->dropped_early_count = out->dropped_early_len = 0;
	out->dropped_early_us = 0;
}

void
tally_row_at(const struct tally *t, size_t index, struct tally_row *out)
{
	uint32_t first = t->order.findings[index];
	const struct tally_record *r = &t->records[first & ~TALLY_MORE];
	uint32_t story = r->story;
	struct tally_sum sum;

	if ((first & TALLY_MORE) != 0) {
		const struct tally_run *run = run_of(t, index);
		struct tally_joint j;

		join_run(t, run, &j);
		story = run->story;
		sum = j.sum;
	} else if ((r->what & TALLY_SUM) != 0) {
		sum = t->sums[r->low];
	} else {
		tell_single(t, r, out);
		return;
	}
	*out = (struct tally_row){
		.kind = r->kind,
		.story = story,
		.first_us = sum.first_us,
		.last_us = sum.last_us,
		.count = sum.count,
		.gap_count = sum.gap_count,
		.login_count = sum.login_count,
		.scsv_count = sum.scsv_count,
		.fallback_count = sum.fallback_count,
		.ended_count = sum.ended_count,
		.dropped_early_count = sum.dropped_early_count,
		.dropped_early_us = (int64_t)sum.dropped_early_ms * 1000,
		.dropped_early_len = sum.dropped_early_len,
	};
}

void
tally_row_shared(const struct tally *t, size_t index, uint32_t *kind, uint32_t *story)
{
	uint32_t first = t->order.findings[index];
	const struct tally_record *r = &t->records[first & ~TALLY_MORE];

	if (index + ROWS_AHEAD < t->order.finding_count)
		tally_ask_for_records(t, t->order.findings + index + ROWS_AHEAD, 1);
	*kind = r->kind;
	*story = (first & TALLY_MORE) != 0 ? run_of(t, index)->story : r->story;
}

void
tally_row_finding(
    const struct tally *t, size_t index, const struct tally_row *row, struct finding *out)
{
	const struct tally_record *r = &t->records[t->order.findings[index] & ~TALLY_MORE];

	out->key.client_ip = t->clients[r->client].ip;
	tally_kind_at(t, row->kind, &out->key);
	out->count = row->count;
	out->gap_count = row->gap_count;
	out->login_count = row->login_count;
	out->scsv_count = row->scsv_count;
	out->fallback_count = row->fallback_count;
	out->ended_count = row->ended_count;
	out->dropped_early_count = row->dropped_early_count;
	out->dropped_early_us = row->dropped_early_us;
	out->dropped_early_len = row->dropped_early_len;
	out->first_us = row->first_us;
	out->last_us = row->last_us;
	tally_story_at(t, row->story, out);
}

void
tally_finding_at(const struct tally *t, size_t index, struct finding *out)
{
	struct tally_row row;

	tally_row_at(t, index, &row);
	tally_row_finding(t, index, &row, out);
}

void
tally_day_at(const struct tally *t, size_t index, struct tally_day *out)
{
	const struct tally_day_entry *d = &t->order.days[index];
	const struct tally_record *r = &t->records[d->record];
	const struct tally_kind *k = &t->kinds[r->kind];

	*out = (struct tally_day){
		.day = tally_day_of(tally_record_time(t, r)),
		.tls_version = k->tls_version,
		.outcome = (enum outcome)k->outcome,
		.count = d->count,
	};
}
