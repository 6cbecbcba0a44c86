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
compare_kinds(const void *pa, const void *pb, void *arg)
{
	const struct tally_kind *kinds = arg;
	const struct tally_kind *a = &kinds[*(const uint32_t *)pa];
	const struct tally_kind *b = &kinds[*(const uint32_t *)pb];

	return tally_kind_compare(a, b);
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
