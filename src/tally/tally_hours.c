/* Hours of each client: how its sessions and logins went. */
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "tally/tally_internal.h"

#include "base/banned.h"

static uint64_t
hour_hash(const struct tally *t, const struct addr *ip, int64_t hour)
{
	uint8_t key[sizeof(ip->bytes) + sizeof(hour)];

	memcpy(key, ip->bytes, sizeof(ip->bytes));
	memcpy(key + sizeof(ip->bytes), &hour, sizeof(hour));
	return hash_bytes(&t->key, key, sizeof(key));
}

static struct tally_hour_entry *
hour_of(struct tally *t, uint32_t client, int64_t hour)
{
	uint64_t hash = hour_hash(t, &t->clients[client].ip, hour);
	uint32_t probe = 0, i;

	do {
		i = tally_index_next(&t->hour_index, hash, &probe);
	} while (i != TALLY_NONE && (t->hours[i].hour != hour || t->hours[i].client != client));
	if (i != TALLY_NONE)
		return &t->hours[i];
	if (tally_is_full(t))
		return NULL;
	i = (uint32_t)t->hour_count;
	t->hours = tally_make_room(t->hours, i, &t->hour_room, sizeof(*t->hours));
	t->hours[i] = (struct tally_hour_entry){ .hour = hour, .client = client };
	t->hour_count++;
	t->bytes += sizeof(*t->hours) + 2 * sizeof(struct tally_slot);
	tally_index_add(&t->hour_index, hash, i);
	return &t->hours[i];
}

bool
tally_count_hour(struct tally *t, uint32_t client, const struct event *ev)
{
	const struct event_ending *e = &ev->ending;
	struct tally_hour_entry *h = hour_of(t, client, timestamp_hour(ev->timestamp_us));

	if (h == NULL)
		return false;
	h->sessions++;
	h->short_sessions += e->is_short;
	h->failed_logins += e->failed_logins;
	h->accepted_logins += e->accepted_logins;
	if (e->names_in_hour > h->failed_names)
		h->failed_names = e->names_in_hour;
	return true;
}

void
tally_reindex_hours(struct tally *t)
{
	for (uint32_t i = 0; i < t->hour_count; i++) {
		const struct tally_hour_entry *h = &t->hours[i];

		tally_index_add(
		    &t->hour_index, hour_hash(t, &t->clients[h->client].ip, h->hour), i);
	}
}

static int
compare_hours(const void *pa, const void *pb)
{
	const struct tally_hour_entry *a = pa, *b = pb;

	if (a->client != b->client)
		return a->client < b->client ? -1 : 1;
	return a->hour < b->hour ? -1 : a->hour > b->hour;
}

void
tally_sort_hours(struct tally *t)
{
	for (size_t i = 0; i < t->client_count; i++)
		t->clients[i].first_hour = t->clients[i].hour_count = 0;
	tally_index_shrink(&t->hour_index);
	if (t->hour_count > 0)
		qsort(t->hours, t->hour_count, sizeof(*t->hours), compare_hours);
	for (size_t i = t->hour_count; i-- > 0;) {
		t->clients[t->hours[i].client].first_hour = (uint32_t)i;
		t->clients[t->hours[i].client].hour_count++;
	}
}

void
tally_hour_at(const struct tally *t, size_t index, struct tally_hour *out)
{
	const struct tally_hour_entry *h = &t->hours[index];

	*out = (struct tally_hour){
		.hour = h->hour,
		.sessions = h->sessions,
		.short_sessions = h->short_sessions,
		.failed_logins = h->failed_logins,
		.accepted_logins = h->accepted_logins,
		.failed_names = h->failed_names,
	};
}
