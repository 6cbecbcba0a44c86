/* Findings as values: their order, and what two of them are together. */
#include <stddef.h>
#include <string.h>

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
tally_kind_compare(const struct tally_kind *a, const struct tally_kind *b)
{
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

struct tally_kind
tally_kind_of(const struct finding_key *k)
{
	return (struct tally_kind){
		.server = { k->server.data, k->server.len },
		.server_port = k->server_port,
		.tls_version = k->tls_version,
		.offered_version = k->offered_version,
		.protocol = (uint8_t)k->protocol,
		.tls_mode = (uint8_t)k->tls_mode,
		.outcome = (uint8_t)k->outcome,
		.refused_by = (uint8_t)k->refused_by,
		.refusal = (uint8_t)k->refusal,
		.refusal_alert = k->refusal_alert,
	};
}

int
tally_key_compare(const struct finding_key *a, const struct finding_key *b)
{
	int order = addr_compare(&a->client_ip, &b->client_ip);
	struct tally_kind x, y;

	if (order != 0)
		return order;
	x = tally_kind_of(a);
	y = tally_kind_of(b);
	return tally_kind_compare(&x, &y);
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
	if (finding_has_certificate(from) && (latest || !finding_has_certificate(into))) {
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
