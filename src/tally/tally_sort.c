/* Putting a tally in order, and finding what of it belongs together. */
/* For qsort_r. */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier) */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "tally/tally_internal.h"
#include "tally/tally_log.h"

#include "base/banned.h"

static int
compare_kinds(const void *pa, const void *pb, void *arg)
{
	const struct tally_kind *kinds = arg;

	return tally_kind_compare(&kinds[*(const uint32_t *)pa], &kinds[*(const uint32_t *)pb]);
}

/* The numbers below `count`; owned by the caller. */
static uint32_t *
all_numbers(size_t count)
{
	uint32_t *numbers = xreallocarray(NULL, count + 1, sizeof(*numbers));

	for (size_t i = 0; i < count; i++)
		numbers[i] = (uint32_t)i; /* entries are numbered in 32 bits */
	return numbers;
}

static void
rank_kinds(struct tally *t)
{
	uint32_t *order = all_numbers(t->kind_count);

	qsort_r(order, t->kind_count, sizeof(*order), compare_kinds, t->kinds);
	for (size_t i = 0; i < t->kind_count; i++)
		t->kinds[order[i]].rank = (uint32_t)i;
	free(order);
}

/* Eight bytes as the number that sorts as they do. */
static uint64_t
word_of(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return be64toh(word);
}

/* Of IPv4 addresses only the first four bytes differ. */
static uint64_t
low_of_client(const struct tally *t, uint32_t number)
{
	const struct addr *ip = &t->clients[number].ip;

	return ip->family == 4 ? 0 : word_of(ip->bytes + 8);
}

static uint64_t
high_of_client(const struct tally *t, uint32_t number)
{
	const struct addr *ip = &t->clients[number].ip;

	return ip->family == 4 ? word_of(ip->bytes) >> 32 : word_of(ip->bytes);
}

static uint64_t
family_of_client(const struct tally *t, uint32_t number)
{
	return t->clients[number].ip.family;
}

static void
order_clients(struct tally *t)
{
	struct tally_order *o = &t->order;

	o->clients = all_numbers(t->client_count);
	o->ranks = xreallocarray(NULL, t->client_count + 1, sizeof(*o->ranks));
	tally_sort_numbers(t, low_of_client, o->clients, t->client_count);
	tally_sort_numbers(t, high_of_client, o->clients, t->client_count);
	tally_sort_numbers(t, family_of_client, o->clients, t->client_count);
	for (uint32_t i = 0; i < t->client_count; i++)
		o->ranks[o->clients[i]] = i;
}

int64_t
tally_day_of(int64_t time_us)
{
	return time_us / USEC_PER_DAY - (time_us % USEC_PER_DAY < 0);
}

/* Day, version, outcome: a day takes 28 bits, and none is below 0 then. */
static uint64_t
day_key(const struct tally *t, uint32_t number)
{
	const struct tally_record *r = &t->records[number];
	const struct tally_kind *k = &t->kinds[r->kind];
	uint64_t day = (uint64_t)(tally_day_of(tally_record_time(t, r)) + (INT64_C(1) << 27));

	return day << 24 | (uint64_t)k->tls_version << 8 | k->outcome;
}

static uint64_t
rank_key(const struct tally *t, uint32_t number)
{
	return t->kinds[t->records[number].kind].rank;
}

static struct tally_day_entry *
add_day(struct tally_order *o, uint32_t record)
{
	struct tally_day_entry *day;

	o->days = xgrow(o->days, o->day_count, &o->day_room, sizeof(*o->days));
	day = &o->days[o->day_count++];
	*day = (struct tally_day_entry){ .record = record };
	return day;
}

/* A client's days; its records become sorted by them. */
static void
add_many_days(struct tally *t, uint32_t *numbers, size_t count)
{
	struct tally_day_entry *day = NULL;
	uint64_t last_key = 0;

	tally_sort_numbers(t, day_key, numbers, count);
	for (size_t i = 0; i < count; i++) {
		const struct tally_record *r = &t->records[numbers[i]];
		uint64_t key = day_key(t, numbers[i]);

		if (!tally_is_attempt(t, r))
			continue;
		if (day == NULL || key != last_key) {
			day = add_day(&t->order, numbers[i]);
			last_key = key;
		}
		day->count += tally_attempts(t, r);
	}
}

/*
 * Versions and outcomes, of which there are few: numbered in order, so that those that a client's
 * records have are the bits of a word.
 */
#define RESULTS_MAX 64

struct results {
	uint8_t *of_kinds; /* owned; NULL: they are too many */
	uint32_t items[RESULTS_MAX];
	size_t count;
};

static uint32_t
result_of(const struct tally_kind *k)
{
	return (uint32_t)k->tls_version << 8 | k->outcome;
}

/* Where it is, or would be. */
static size_t
place_of_result(const struct results *results, uint32_t result)
{
	size_t at = 0;

	while (at < results->count && results->items[at] < result)
		at++;
	return at;
}

static bool
add_result(struct results *results, uint32_t result)
{
	size_t at = place_of_result(results, result);

	if (at < results->count && results->items[at] == result)
		return true;
	if (results->count == RESULTS_MAX)
		return false;
	memmove(results->items + at + 1, results->items + at,
	    (results->count - at) * sizeof(*results->items));
	results->items[at] = result;
	results->count++;
	return true;
}

static void
number_results(const struct tally *t, struct results *results)
{
	*results = (struct results){ 0 };
	for (size_t i = 0; i < t->kind_count; i++) {
		if (!add_result(results, result_of(&t->kinds[i])))
			return;
	}
	results->of_kinds = xreallocarray(NULL, t->kind_count + 1, 1);
	for (size_t i = 0; i < t->kind_count; i++)
		results->of_kinds[i] = (uint8_t)place_of_result(results, result_of(&t->kinds[i]));
}

/* The same as above for records that are all of one day; false: they are not. */
static bool
add_one_day(struct tally *t, const struct results *results, const uint32_t *numbers, size_t count)
{
	uint32_t firsts[RESULTS_MAX], counts[RESULTS_MAX];
	uint64_t seen = 0, day_us = 0; /* before the first times there are as well: modulo 2^64 */

	for (size_t i = 0; i < count; i++) {
		const struct tally_record *r = &t->records[numbers[i]];
		uint32_t attempts = tally_attempts(t, r);
		int64_t time_us;
		uint8_t result;

		if (attempts == 0)
			continue;
		time_us = tally_record_time(t, r);
		if (seen == 0)
			day_us = (uint64_t)tally_day_of(time_us) * USEC_PER_DAY;
		if ((uint64_t)time_us - day_us >= USEC_PER_DAY)
			return false;
		result = results->of_kinds[r->kind];
		if ((seen >> result & 1) == 0) {
			firsts[result] = numbers[i];
			counts[result] = 0;
			seen |= UINT64_C(1) << result;
		}
		counts[result] += attempts;
	}
	for (; seen != 0; seen &= seen - 1) {
		unsigned result = (unsigned)__builtin_ctzll(seen);

		add_day(&t->order, firsts[result])->count = counts[result];
	}
	return true;
}

/* The story of several records: one that is kept, or a number for one that is not. */
static uint32_t
story_of_run(const struct tally *t, const uint32_t *numbers, size_t count)
{
	struct tally_joint j;
	uint32_t story;

	tally_joint_begin(t, &j, &t->records[numbers[0]]);
	for (size_t i = 1; i < count; i++)
		tally_joint_add(t, &j, &t->records[numbers[i]]);
	story = j.story_number != TALLY_NONE ? j.story_number : tally_story_find(t, &j.story);
	return story != TALLY_NONE ? story : (uint32_t)(t->story_count + t->order.run_count);
}

static void
add_run(struct tally *t, const uint32_t *numbers, size_t count)
{
	struct tally_order *o = &t->order;

	o->runs = xgrow(o->runs, o->run_count, &o->run_room, sizeof(*o->runs));
	o->runs[o->run_count] = (struct tally_run){
		.finding = (uint32_t)o->finding_count,
		.first_more = (uint32_t)o->more_count,
		.story = story_of_run(t, numbers, count),
	};
	o->run_count++;
	for (size_t i = 1; i < count; i++) {
		o->more = xgrow(o->more, o->more_count, &o->more_room, sizeof(*o->more));
		o->more[o->more_count++] = numbers[i];
	}
}

/* A client's findings; `numbers` is in o->findings, no further in front than what is written. */
static void
add_findings(struct tally *t, uint32_t *numbers, size_t count)
{
	struct tally_order *o = &t->order;

	tally_sort_numbers(t, rank_key, numbers, count);
	for (size_t i = 0, end; i < count; i = end) {
		uint32_t first = numbers[i];

		for (end = i + 1; end < count; end++) {
			if (t->records[numbers[end]].kind != t->records[first].kind)
				break;
		}
		if (end - i > 1) {
			add_run(t, numbers + i, end - i);
			first |= TALLY_MORE;
		}
		o->findings[o->finding_count++] = first;
	}
}

/* What is a client's, whose records are `numbers`: in o->findings, as in add_findings. */
static void
order_client(struct tally *t, const struct results *results, uint32_t *numbers, size_t count)
{
	uint32_t *copy;

	if (results->of_kinds == NULL || !add_one_day(t, results, numbers, count)) {
		copy = xreallocarray(NULL, count + 1, sizeof(*copy));
		memcpy(copy, numbers, count * sizeof(*copy));
		add_many_days(t, copy, count);
		free(copy);
	}
	add_findings(t, numbers, count);
}

static void
order_records(struct tally *t)
{
	struct tally_order *o = &t->order;
	uint32_t *firsts = xreallocarray(NULL, t->client_count + 1, sizeof(*firsts));
	struct results results;

	number_results(t, &results);
	o->findings = tally_group(t, o->ranks, tally_record_client, t->record_count, firsts);
	for (size_t i = 0; i < t->client_count; i++) {
		o->shares[i].first_day = (uint32_t)o->day_count;
		o->shares[i].first_finding = (uint32_t)o->finding_count;
		if (i + 1 < t->client_count)
			tally_ask_for_records(
			    t, o->findings + firsts[i + 1], firsts[i + 2] - firsts[i + 1]);
		order_client(t, &results, o->findings + firsts[i], firsts[i + 1] - firsts[i]);
	}
	o->shares[t->client_count].first_day = (uint32_t)o->day_count;
	o->shares[t->client_count].first_finding = (uint32_t)o->finding_count;
	free(results.of_kinds);
	free(firsts);
}

void
tally_sort(struct tally *t)
{
	if (t->order.valid && !t->order.outdated)
		return;
	tally_drop_order(t);
	rank_kinds(t);
	order_clients(t);
	t->order.shares = xcalloc(t->client_count + 1, sizeof(*t->order.shares));
	order_records(t);
	tally_sort_hours(t);
	t->order.valid = true;
	t->order.outdated = false;
}

void
tally_drop_order(struct tally *t)
{
	struct tally_order *o = &t->order;

	if (o->shares == NULL)
		return;
	free(o->clients);
	free(o->ranks);
	free(o->shares);
	free(o->findings);
	free(o->more);
	free(o->runs);
	free(o->days);
	free(o->hours);
	*o = (struct tally_order){ 0 };
}
