/* Reading a tally in order. */
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

/* `client` is the rank of the client by now, so that no address is compared. */
static int
compare_findings(const void *pa, const void *pb)
{
	const struct tally_finding_entry *a = pa, *b = pb;
	int order;

	if ((order = compare_u64(a->client, b->client)) != 0 ||
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
compare_days(const void *pa, const void *pb)
{
	const struct tally_day_entry *a = pa, *b = pb;
	int order;

	if ((order = compare_u64(a->client, b->client)) != 0)
		return order;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if ((order = compare_u64(a->tls_version, b->tls_version)) != 0)
		return order;
	return compare_u64(a->outcome, b->outcome);
}

static int
compare_clients(const void *pa, const void *pb)
{
	const struct tally_client_entry *a = pa, *b = pb;

	return addr_compare(&a->ip, &b->ip);
}

/* Puts the clients in order; `rank[i]` is where the one that was number i stands now. */
static void
sort_clients(struct tally *t, uint32_t *rank)
{
	for (size_t i = 0; i < t->client_count; i++)
		t->clients[i].first_finding = (uint32_t)i; /* its old number, for a moment */
	qsort(t->clients, t->client_count, sizeof(*t->clients), compare_clients);
	for (size_t i = 0; i < t->client_count; i++)
		rank[t->clients[i].first_finding] = (uint32_t)i;
}

void
tally_sort(struct tally *t)
{
	uint32_t *rank;

	if (t->sorted || t->client_count == 0)
		return;
	t->sorted = true;
	rank = xmalloc(t->client_count * sizeof(*rank));
	sort_clients(t, rank);
	for (size_t i = 0; i < t->client_count; i++) {
		t->clients[i].finding_count = t->clients[i].day_count = 0;
		t->clients[i].first_finding = t->clients[i].first_day = 0;
	}
	for (size_t i = 0; i < t->finding_count; i++)
		t->findings[i].client = rank[t->findings[i].client];
	for (size_t i = 0; i < t->day_count; i++)
		t->days[i].client = rank[t->days[i].client];
	free(rank);
	if (t->finding_count > 0)
		qsort(t->findings, t->finding_count, sizeof(*t->findings), compare_findings);
	if (t->day_count > 0)
		qsort(t->days, t->day_count, sizeof(*t->days), compare_days);
	for (size_t i = t->finding_count; i-- > 0;) {
		t->clients[t->findings[i].client].first_finding = (uint32_t)i;
		t->clients[t->findings[i].client].finding_count++;
	}
	for (size_t i = t->day_count; i-- > 0;) {
		t->clients[t->days[i].client].first_day = (uint32_t)i;
		t->clients[t->days[i].client].day_count++;
	}
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
	const struct tally_client_entry *c = &t->clients[index];

	*out = (struct tally_client){
		.ip = c->ip,
		.has_mac = c->has_mac,
		.name = span_from(c->name.data, c->name.len),
		.name_source = (enum name_source)c->name_source,
		.first_us = c->first_us,
		.last_us = c->last_us,
		.event_count = c->event_count,
		.first_finding = c->first_finding,
		.finding_count = c->finding_count,
		.first_day = c->first_day,
		.day_count = c->day_count,
	};
	memcpy(out->mac, c->mac, sizeof(out->mac));
}

void
tally_finding_at(const struct tally *t, size_t index, struct finding *out)
{
	const struct tally_finding_entry *e = &t->findings[index];

	memset(out, 0, offsetof(struct finding, certificate_subject));
	out->key.client_ip = t->clients[e->client].ip;
	out->key.protocol = (enum protocol)e->protocol;
	out->key.tls_mode = (enum tls_mode)e->tls_mode;
	event_text_set(&out->key.server, span_from(e->server.data, e->server.len));
	out->key.server_port = e->server_port;
	out->key.tls_version = e->tls_version;
	out->key.offered_version = e->offered_version;
	out->key.outcome = (enum outcome)e->outcome;
	out->key.refused_by = (enum event_side)e->refused_by;
	out->key.refusal = (enum refusal_kind)e->refusal;
	out->key.refusal_alert = e->refusal_alert;
	out->count = e->count;
	out->gap_count = e->gap_count;
	out->login_count = e->login_count;
	out->scsv_count = e->scsv_count;
	out->first_us = e->first_us;
	out->last_us = e->last_us;
	out->server_ip = e->server_ip;
	out->server_name_source = (enum name_source)e->server_name_source;
	out->has_cipher_suite = e->has_cipher_suite;
	out->cipher_suite = e->cipher_suite;
	out->has_ja4 = e->has_ja4;
	memcpy(out->ja4, e->ja4, EVENT_JA4_LEN);
	out->limited_by = (enum event_side)e->limited_by;
	event_text_set(&out->certificate_subject, span_from(e->subject.data, e->subject.len));
	out->has_certificate_not_after = e->has_not_after;
	out->certificate_not_after_us = e->not_after_us;
	out->offers_aead = e->offers_aead;
	out->offers_ecdhe = e->offers_ecdhe;
}

void
tally_day_at(const struct tally *t, size_t index, struct tally_day *out)
{
	const struct tally_day_entry *d = &t->days[index];

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
