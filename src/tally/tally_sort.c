/* Reading a tally in order. */
/* For qsort_r. */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier) */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

static int
compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t len = a_len < b_len ? a_len : b_len;
	int order = len > 0 ? memcmp(a, b, len) : 0;

	return order != 0 ? order : compare_u64(a_len, b_len);
}

int
tally_key_compare(const struct finding_key *a, const struct finding_key *b)
{
	int order;

	if ((order = addr_compare(&a->client_ip, &b->client_ip)) != 0 ||
	    (order = compare_bytes(a->server.data, a->server.len, b->server.data, b->server.len)) !=
		0 ||
	    (order = compare_u64(a->server_port, b->server_port)) != 0 ||
	    (order = compare_u64(a->protocol, b->protocol)) != 0 ||
	    (order = compare_u64(a->tls_mode, b->tls_mode)) != 0 ||
	    (order = compare_u64(a->tls_version, b->tls_version)) != 0 ||
	    (order = compare_u64(a->offered_version, b->offered_version)) != 0 ||
	    (order = compare_u64(a->outcome, b->outcome)) != 0 ||
	    (order = compare_u64(a->refused_by, b->refused_by)) != 0 ||
	    (order = compare_u64(a->refusal, b->refusal)) != 0)
		return order;
	return compare_u64(a->refusal_alert, b->refusal_alert);
}

static int
compare_kinds(const void *pa, const void *pb, void *arg)
{
	const struct tally_kind *kinds = arg;
	const struct tally_kind *a = &kinds[*(const uint32_t *)pa];
	const struct tally_kind *b = &kinds[*(const uint32_t *)pb];
	int order;

	if ((order = compare_bytes(a->server.data, a->server.len, b->server.data, b->server.len)) !=
		0 ||
	    (order = compare_u64(a->server_port, b->server_port)) != 0 ||
	    (order = compare_u64(a->protocol, b->protocol)) != 0 ||
	    (order = compare_u64(a->tls_mode, b->tls_mode)) != 0 ||
	    (order = compare_u64(a->tls_version, b->tls_version)) != 0 ||
	    (order = compare_u64(a->offered_version, b->offered_version)) != 0 ||
	    (order = compare_u64(a->outcome, b->outcome)) != 0 ||
	    (order = compare_u64(a->refused_by, b->refused_by)) != 0 ||
	    (order = compare_u64(a->refusal, b->refusal)) != 0)
		return order;
	return compare_u64(a->refusal_alert, b->refusal_alert);
}

static int
compare_findings(const void *pa, const void *pb, void *arg)
{
	const struct tally *t = arg;
	const struct tally_finding_entry *a = &t->findings[*(const uint32_t *)pa];
	const struct tally_finding_entry *b = &t->findings[*(const uint32_t *)pb];

	return compare_u64(t->kinds[a->kind].rank, t->kinds[b->kind].rank);
}

static int
compare_days(const void *pa, const void *pb, void *arg)
{
	const struct tally_day_entry *days = arg;
	const struct tally_day_entry *a = &days[*(const uint32_t *)pa];
	const struct tally_day_entry *b = &days[*(const uint32_t *)pb];
	int order;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if ((order = compare_u64(a->tls_version, b->tls_version)) != 0)
		return order;
	return compare_u64(a->outcome, b->outcome);
}

static int
compare_clients(const void *pa, const void *pb, void *arg)
{
	const struct tally_client_entry *clients = arg;

	return addr_compare(&clients[*(const uint32_t *)pa].ip, &clients[*(const uint32_t *)pb].ip);
}

/* The numbers below `count`, sorted; owned by the caller. */
static uint32_t *
sort_numbers(size_t count, int (*compare)(const void *, const void *, void *), void *arg)
{
	uint32_t *order = xreallocarray(NULL, count + 1, sizeof(*order));

	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i; /* entries are numbered in 32 bits */
	qsort_r(order, count, sizeof(*order), compare, arg);
	return order;
}

static void
rank_kinds(struct tally *t)
{
	uint32_t *order = sort_numbers(t->kind_count, compare_kinds, t->kinds);

	for (size_t i = 0; i < t->kind_count; i++)
		t->kinds[order[i]].rank = (uint32_t)i;
	free(order);
}

/* Groups by client, in a pass each for counting and for putting down, then sorts each group. */
static void
order_findings(struct tally *t)
{
	uint32_t next = 0;

	t->finding_order = xreallocarray(NULL, t->finding_count + 1, sizeof(uint32_t));
	for (size_t i = 0; i < t->finding_count; i++)
		t->clients[t->findings[i].client].finding_count++;
	for (size_t i = 0; i < t->client_count; i++) {
		struct tally_client_entry *c = &t->clients[t->client_order[i]];

		c->first_finding = next;
		next += c->finding_count;
		c->finding_count = 0;
	}
	for (uint32_t i = 0; i < t->finding_count; i++) {
		struct tally_client_entry *c = &t->clients[t->findings[i].client];

		t->finding_order[c->first_finding + c->finding_count++] = i;
	}
	for (size_t i = 0; i < t->client_count; i++) {
		const struct tally_client_entry *c = &t->clients[i];

		qsort_r(t->finding_order + c->first_finding, c->finding_count, sizeof(uint32_t),
		    compare_findings, t);
	}
}

static void
order_days(struct tally *t)
{
	uint32_t next = 0;

	t->day_order = xreallocarray(NULL, t->day_count + 1, sizeof(uint32_t));
	for (size_t i = 0; i < t->day_count; i++)
		t->clients[t->days[i].client].day_count++;
	for (size_t i = 0; i < t->client_count; i++) {
		struct tally_client_entry *c = &t->clients[t->client_order[i]];

		c->first_day = next;
		next += c->day_count;
		c->day_count = 0;
	}
	for (uint32_t i = 0; i < t->day_count; i++) {
		struct tally_client_entry *c = &t->clients[t->days[i].client];

		t->day_order[c->first_day + c->day_count++] = i;
	}
	for (size_t i = 0; i < t->client_count; i++) {
		const struct tally_client_entry *c = &t->clients[i];

		qsort_r(t->day_order + c->first_day, c->day_count, sizeof(uint32_t), compare_days,
		    t->days);
	}
}

void
tally_sort(struct tally *t)
{
	if (t->sorted)
		return;
	t->sorted = true;
	/* Nothing is searched for in a sorted tally, and the store can use the memory. */
	tally_index_shrink(&t->client_index);
	tally_index_shrink(&t->finding_index);
	tally_index_shrink(&t->day_index);
	for (size_t i = 0; i < t->client_count; i++)
		t->clients[i].finding_count = t->clients[i].day_count = 0;
	rank_kinds(t);
	t->client_order = sort_numbers(t->client_count, compare_clients, t->clients);
	order_findings(t);
	order_days(t);
	tally_sort_hours(t);
}

void
tally_drop_order(struct tally *t)
{
	free(t->client_order);
	free(t->finding_order);
	free(t->day_order);
	t->client_order = t->finding_order = t->day_order = NULL;
	t->sorted = false;
}

bool
tally_is_full(const struct tally *t)
{
	return t->bytes >= t->max_bytes;
}

bool
tally_is_empty(const struct tally *t)
{
	return t->event_count == 0 && t->ending_count == 0;
}

size_t
tally_bytes(const struct tally *t)
{
	return t->bytes;
}

uint64_t
tally_event_count(const struct tally *t)
{
	return t->event_count;
}

size_t
tally_client_count(const struct tally *t)
{
	return t->client_count;
}

size_t
tally_finding_count(const struct tally *t)
{
	return t->finding_count;
}

void
tally_client_at(const struct tally *t, size_t index, struct tally_client *out)
{
	const struct tally_client_entry *c = &t->clients[t->client_order[index]];

	*out = (struct tally_client){
		.ip = c->ip,
		.has_mac = c->has_mac,
		.name = span_from(c->name.data, c->name.len),
		.name_source = (enum name_source)c->name_source,
		.name_us = c->name_us,
		.first_us = c->first_us,
		.last_us = c->last_us,
		.event_count = c->event_count,
		.first_finding = c->first_finding,
		.finding_count = c->finding_count,
		.first_day = c->first_day,
		.day_count = c->day_count,
		.first_hour = c->first_hour,
		.hour_count = c->hour_count,
	};
	memcpy(out->mac, c->mac, sizeof(out->mac));
	tally_tell_cadence(t, c, &out->cadence);
}

size_t
tally_kind_count(const struct tally *t)
{
	return t->kind_count;
}

size_t
tally_story_count(const struct tally *t)
{
	return t->story_count;
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

void
tally_story_at(const struct tally *t, uint32_t story, struct finding *out)
{
	const struct tally_story *s = &t->stories[story];

	out->server_ip = s->server_ip;
	out->server_name_source = (enum name_source)s->server_name_source;
	out->has_cipher_suite = s->has_cipher_suite;
	out->cipher_suite = s->cipher_suite;
	out->has_ja4 = s->has_ja4;
	memcpy(out->ja4, s->ja4, EVENT_JA4_LEN);
	out->limited_by = (enum event_side)s->limited_by;
	event_text_set(&out->certificate_subject, span_from(s->subject.data, s->subject.len));
	out->has_certificate_not_after = s->has_not_after;
	out->certificate_not_after_us = s->not_after_us;
	out->offers_aead = s->offers_aead;
	out->offers_ecdhe = s->offers_ecdhe;
	out->fallback_from = s->fallback_from;
	out->suites_all = s->suites_all;
	out->suites_any = s->suites_any;
}

void
tally_row_at(const struct tally *t, size_t index, struct tally_row *out)
{
	const struct tally_finding_entry *e = &t->findings[t->finding_order[index]];

	*out = (struct tally_row){
		.kind = e->kind,
		.story = e->story,
		.first_us = e->first_us,
		.last_us = e->last_us,
		.count = e->count,
		.gap_count = e->gap_count,
		.login_count = e->login_count,
		.scsv_count = e->scsv_count,
		.fallback_count = e->fallback_count,
		.ended_count = e->ended_count,
		.dropped_early_count = e->dropped_early_count,
		.dropped_early_us = (int64_t)e->dropped_early_ms * 1000,
		.dropped_early_len = e->dropped_early_len,
	};
}

void
tally_finding_at(const struct tally *t, size_t index, struct finding *out)
{
	const struct tally_finding_entry *e = &t->findings[t->finding_order[index]];
	struct tally_row row;

	memset(out, 0, offsetof(struct finding, certificate_subject));
	tally_row_at(t, index, &row);
	out->key.client_ip = t->clients[e->client].ip;
	tally_kind_at(t, row.kind, &out->key);
	out->count = row.count;
	out->gap_count = row.gap_count;
	out->login_count = row.login_count;
	out->scsv_count = row.scsv_count;
	out->fallback_count = row.fallback_count;
	out->ended_count = row.ended_count;
	out->dropped_early_count = row.dropped_early_count;
	out->dropped_early_us = row.dropped_early_us;
	out->dropped_early_len = row.dropped_early_len;
	out->first_us = row.first_us;
	out->last_us = row.last_us;
	tally_story_at(t, row.story, out);
}

void
tally_day_at(const struct tally *t, size_t index, struct tally_day *out)
{
	const struct tally_day_entry *d = &t->days[t->day_order[index]];

	*out = (struct tally_day){
		.day = d->day,
		.tls_version = d->tls_version,
		.outcome = (enum outcome)d->outcome,
		.count = d->count,
	};
}

/* What is added up when two findings become one, and told apart when they were. */
static const size_t sums[] = {
	offsetof(struct finding, count),
	offsetof(struct finding, gap_count),
	offsetof(struct finding, login_count),
	offsetof(struct finding, scsv_count),
	offsetof(struct finding, fallback_count),
	offsetof(struct finding, ended_count),
	offsetof(struct finding, dropped_early_count),
};
#define SUM_COUNT (sizeof(sums) / sizeof(sums[0]))

static uint64_t *
sum_of(struct finding *f, size_t index)
{
	return (uint64_t *)(void *)((char *)f + sums[index]);
}

static uint64_t
sum_in(const struct finding *f, size_t index)
{
	uint64_t sum;

	memcpy(&sum, (const char *)f + sums[index], sizeof(sum));
	return sum;
}

void
tally_finding_merge(struct finding *into, const struct finding *from)
{
	bool latest = from->last_us >= into->last_us;

	if (latest || into->server_ip.family == 0) {
		into->server_ip = from->server_ip;
		into->server_name_source = from->server_name_source;
	}
	if (from->has_cipher_suite && (latest || !into->has_cipher_suite)) {
		into->has_cipher_suite = true;
		into->cipher_suite = from->cipher_suite;
	}
	if (from->has_ja4 && (latest || !into->has_ja4)) {
		into->has_ja4 = true;
		memcpy(into->ja4, from->ja4, EVENT_JA4_LEN);
	}
	if (from->limited_by != SIDE_NONE && (latest || into->limited_by == SIDE_NONE))
		into->limited_by = from->limited_by;
	if (from->certificate_subject.len > 0 && (latest || into->certificate_subject.len == 0)) {
		into->certificate_subject = from->certificate_subject;
		into->has_certificate_not_after = from->has_certificate_not_after;
		into->certificate_not_after_us = from->certificate_not_after_us;
	}
	if (from->key.offered_version != 0 && latest) {
		into->offers_aead = from->offers_aead;
		into->offers_ecdhe = from->offers_ecdhe;
	}
	for (size_t i = 0; i < SUM_COUNT; i++)
		*sum_of(into, i) += sum_in(from, i);
	into->suites_all &= from->suites_all;
	into->suites_any |= from->suites_any;
	if (from->fallback_from > into->fallback_from)
		into->fallback_from = from->fallback_from;
	if (from->dropped_early_us > into->dropped_early_us)
		into->dropped_early_us = from->dropped_early_us;
	if (from->dropped_early_len > into->dropped_early_len)
		into->dropped_early_len = from->dropped_early_len;
	into->first_us = from->first_us < into->first_us ? from->first_us : into->first_us;
	into->last_us = from->last_us > into->last_us ? from->last_us : into->last_us;
}

bool
tally_finding_subtract(struct finding *f, const struct finding *before)
{
	bool left = false;

	for (size_t i = 0; i < SUM_COUNT; i++) {
		uint64_t *sum = sum_of(f, i);
		uint64_t known = sum_in(before, i);

		*sum = *sum > known ? *sum - known : 0;
		left = left || *sum > 0;
	}
	return left;
}
