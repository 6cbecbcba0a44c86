/* Hours of each client: how its sessions and logins went. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "tally/login_names.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

/*
 * So many of a client's entries are searched for an hour, the newest first; then it gets another.
 */
#define SEARCHED_MAX 64
/* More names than are told apart: tally/login_names.h. */
#define NAMES_MAX 0xffu
_Static_assert(LOGIN_NAMES_MAX <= NAMES_MAX, "all that are told apart");

struct tally_hour_entry *
tally_hour_of(struct tally *t, uint32_t client, int64_t hour, bool may_make)
{
	uint32_t i = t->clients[client].newest_hour;

	for (unsigned n = 0; i != TALLY_NONE && n < SEARCHED_MAX; n++, i = t->hours[i].older) {
		if (t->hours[i].hour == hour)
			return &t->hours[i];
	}
	if (!may_make)
		return NULL;
	tally_drop_order(t);
	i = (uint32_t)t->hour_count;
	t->hours = xgrow(t->hours, i, &t->hour_room, sizeof(*t->hours));
	t->hours[i] = (struct tally_hour_entry){
		.hour = hour,
		.client = client & TALLY_NUMBER_MAX,
		.older = t->clients[client].newest_hour,
	};
	t->clients[client].newest_hour = i;
	t->hour_count++;
	t->bytes += TALLY_HOUR_LEN;
	return &t->hours[i];
}

static uint32_t
sum_of(uint32_t a, uint32_t b)
{
	return a < UINT32_MAX - b ? a + b : UINT32_MAX;
}

void
tally_count_hour(struct tally_hour_entry *h, const struct event_ending *e)
{
	unsigned failed_names = e->names_in_hour < NAMES_MAX ? e->names_in_hour : NAMES_MAX;

	h->sessions = sum_of(h->sessions, 1);
	h->short_sessions = sum_of(h->short_sessions, e->is_short);
	h->failed_logins = sum_of(h->failed_logins, e->failed_logins);
	h->accepted_logins = sum_of(h->accepted_logins, e->accepted_logins);
	if (failed_names > h->failed_names)
		h->failed_names = failed_names & NAMES_MAX;
}

static uint64_t
hour_key(const struct tally *t, uint32_t number)
{
	return (uint64_t)t->hours[number].hour ^ UINT64_C(1) << 63;
}

static uint64_t
hour_client(const struct tally *t, uint32_t number)
{
	return t->hours[number].client;
}

/* Leaves nothing in `from`, so that it can be joined again. */
static void
join(struct tally_hour_entry *into, struct tally_hour_entry *from)
{
	into->sessions = sum_of(into->sessions, from->sessions);
	into->short_sessions = sum_of(into->short_sessions, from->short_sessions);
	into->failed_logins = sum_of(into->failed_logins, from->failed_logins);
	into->accepted_logins = sum_of(into->accepted_logins, from->accepted_logins);
	if (from->failed_names > into->failed_names)
		into->failed_names = from->failed_names;
	from->sessions = from->short_sessions = from->failed_logins = from->accepted_logins = 0;
}

/* A client's hours, at the end of o->hours: `numbers` are in it, no further in front than that. */
static void
add_hours(struct tally *t, uint32_t *numbers, size_t count)
{
	struct tally_order *o = &t->order;
	size_t begin = o->hour_count;

	tally_sort_numbers(t, hour_key, numbers, count);
	for (size_t i = 0; i < count; i++) {
		struct tally_hour_entry *h = &t->hours[numbers[i]], *last = NULL;

		if (o->hour_count > begin)
			last = &t->hours[o->hours[o->hour_count - 1]];
		if (last != NULL && last->hour == h->hour)
			join(last, h);
		else
			o->hours[o->hour_count++] = numbers[i];
	}
}

void
tally_sort_hours(struct tally *t)
{
	struct tally_order *o = &t->order;
	uint32_t *firsts = xreallocarray(NULL, t->client_count + 1, sizeof(*firsts));

	o->hours = tally_group(t, o->ranks, hour_client, t->hour_count, firsts);
	for (size_t i = 0; i < t->client_count; i++) {
		o->shares[i].first_hour = (uint32_t)o->hour_count;
		add_hours(t, o->hours + firsts[i], firsts[i + 1] - firsts[i]);
	}
	o->shares[t->client_count].first_hour = (uint32_t)o->hour_count;
	free(firsts);
}

void
tally_hour_at(const struct tally *t, size_t index, struct tally_hour *out)
{
	const struct tally_hour_entry *h = &t->hours[t->order.hours[index]];

	*out = (struct tally_hour){
		.hour = h->hour,
		.sessions = h->sessions,
		.short_sessions = h->short_sessions,
		.failed_logins = h->failed_logins,
		.accepted_logins = h->accepted_logins,
		.failed_names = h->failed_names,
	};
}
