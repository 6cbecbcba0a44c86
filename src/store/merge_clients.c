/*
 * The clients of a sensor: what their rows grew by since they were last taken in is added to the
 * sums, and what they are now is kept beside them for the next time.
 *
 * That copy is a client like any other, with findings and days, of a sensor that no view knows: the
 * number of the part, negative.  So whatever columns those tables have, it has them too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/client_row.h"
#include "store/merge_internal.h"

#include "base/banned.h"

/* One client on its way. */
struct client_news {
	struct tally_client client;
	struct cadence cadence, new_cadence; /* as it is there, and what it grew by */
	struct finding *whole, *news;        /* as they are there, and what they grew by */
	size_t whole_count, news_count, room;
	struct tally_day *whole_days, *news_days;
	size_t whole_day_count, news_day_count, day_room;
	struct tally_hour *hours, *news_hours;
	size_t hour_count, news_hour_count;
};

static void
release(struct client_news *c)
{
	free(c->whole);
	free(c->news);
	free(c->whole_days);
	free(c->news_days);
	free(c->hours);
	free(c->news_hours);
}

static int
read_client(struct merge *m, const struct store_client *from, struct client_news *c)
{
	struct store_client_row row;

	if (store_client_load(m->from, from->id, &from->ip, &row, m->err) != 0)
		return -1;
	c->client = (struct tally_client){
		.ip = from->ip,
		.has_mac = from->has_mac,
		.name = event_text_span(&from->name),
		.name_source = from->name_source,
		.first_us = from->first_us,
		.last_us = from->last_us,
	};
	memcpy(c->client.mac, from->mac, sizeof(c->client.mac));
	c->client.name_us = row.name_us;
	c->cadence = c->new_cadence = row.cadence;
	c->whole_count = m->from->set.count;
	if (c->whole_count > c->room) {
		c->room = c->whole_count;
		c->whole = xreallocarray(c->whole, c->room, sizeof(*c->whole));
		c->news = xreallocarray(c->news, c->room, sizeof(*c->news));
	}
	if (c->whole_count > 0)
		memcpy(c->whole, m->from->set.items, c->whole_count * sizeof(*c->whole));
	return 0;
}

static bool
take_day(void *arg, const struct store_day *day)
{
	struct client_news *c = arg;

	if (c->whole_day_count == c->day_room) {
		c->day_room = c->day_room == 0 ? 64 : 2 * c->day_room;
		c->whole_days = xreallocarray(c->whole_days, c->day_room, sizeof(*c->whole_days));
		c->news_days = xreallocarray(c->news_days, c->day_room, sizeof(*c->news_days));
	}
	c->whole_days[c->whole_day_count++] = (struct tally_day){
		.day = day->day,
		.tls_version = day->tls_version,
		.outcome = day->outcome,
		.count = day->count,
	};
	return true;
}

static int
compare_findings(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	return tally_key_compare(&x->key, &y->key);
}

/*
 * What a row grew by since the copy was made.  A row that begins after the copy's was removed by
 * retention there, and has begun anew.
 */
static bool
subtract(struct finding *f, const struct finding *copy)
{
	if (copy == NULL || f->first_us > copy->first_us)
		return true;
	return tally_finding_subtract(f, copy);
}

/* Compares with the copy in `into`, which is loaded there. */
static void
find_news(struct merge *m, struct client_news *c)
{
	const struct finding_set *copy = &m->into->set;

	c->news_count = 0;
	c->client.event_count = 0;
	for (size_t i = 0; i < c->whole_count; i++) {
		struct finding *f = &c->news[c->news_count];
		const struct finding *before = copy->count > 0
						   ? bsearch(&c->whole[i], copy->items, copy->count,
							 sizeof(*copy->items), compare_findings)
						   : NULL;

		*f = c->whole[i];
		if (!subtract(f, before))
			continue;
		c->client.event_count += f->count;
		c->news_count++;
	}
}

static int
compare_days(const struct tally_day *a, const struct tally_day *b)
{
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->tls_version != b->tls_version)
		return (int)a->tls_version - (int)b->tls_version;
	return (int)a->outcome - (int)b->outcome;
}

/* The same for days; `copy` in the same order. */
static void
find_new_days(struct client_news *c, const struct client_news *copy)
{
	size_t k = 0;

	c->news_day_count = 0;
	for (size_t i = 0; i < c->whole_day_count; i++) {
		struct tally_day day = c->whole_days[i];

		while (k < copy->whole_day_count && compare_days(&copy->whole_days[k], &day) < 0)
			k++;
		if (k < copy->whole_day_count && compare_days(&copy->whole_days[k], &day) == 0) {
			if (day.count <= copy->whole_days[k].count)
				continue;
			day.count -= copy->whole_days[k].count;
		}
		c->news_days[c->news_day_count++] = day;
	}
}

static uint64_t
growth(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* What the hours grew by since the copy; of names that failed only the larger number is known. */
static void
find_new_hours(struct client_news *c, const struct client_news *copy)
{
	size_t k = 0;

	c->news_hour_count = 0;
	c->news_hours = xreallocarray(c->news_hours, c->hour_count + 1, sizeof(*c->news_hours));
	for (size_t i = 0; i < c->hour_count; i++) {
		struct tally_hour hour = c->hours[i];

		while (k < copy->hour_count && copy->hours[k].hour < hour.hour)
			k++;
		if (k < copy->hour_count && copy->hours[k].hour == hour.hour) {
			const struct tally_hour *before = &copy->hours[k];

			if (hour.sessions <= before->sessions)
				continue;
			hour.sessions -= before->sessions;
			hour.short_sessions = growth(hour.short_sessions, before->short_sessions);
			hour.failed_logins = growth(hour.failed_logins, before->failed_logins);
			hour.accepted_logins =
			    growth(hour.accepted_logins, before->accepted_logins);
		}
		c->news_hours[c->news_hour_count++] = hour;
	}
}

static int
load_hours(struct store *s, int64_t client_id, struct client_news *c, struct error *err)
{
	free(c->hours);
	return store_load_hours(s, client_id, &c->hours, &c->hour_count, err);
}

/* Loads the copy from the last merge into the set of `into`; nothing the first time. */
static int
read_copy(struct merge *m, int64_t copy_id, const struct addr *ip, struct client_news *copy)
{
	struct store_client_row row;

	store_set_clear(&m->into->set);
	if (copy_id == 0)
		return 0;
	if (load_hours(m->into, copy_id, copy, m->err) != 0 ||
	    store_each_day_of(m->into, copy_id, take_day, copy, m->err) != 0 ||
	    store_client_load(m->into, copy_id, ip, &row, m->err) != 0)
		return -1;
	copy->cadence = row.cadence;
	store_set_sort(&m->into->set);
	return 0;
}

static int
add_news(struct merge *m, struct client_news *c)
{
	const struct store_addition more = {
		.client = &c->client,
		.findings = c->news,
		.finding_count = c->news_count,
		.days = c->news_days,
		.day_count = c->news_day_count,
		.hours = c->news_hours,
		.hour_count = c->news_hour_count,
	};

	m->out->event_count += c->client.event_count;
	c->client.cadence = c->new_cadence;
	return store_add_client(m->into, m->into_sensor, &more, m->err);
}

/* Replaces the copy: what is gone there is gone here. */
static int
replace_copy(struct merge *m, int64_t copy_id, uint64_t count, struct client_news *c)
{
	const struct store_addition whole = {
		.client = &c->client,
		.findings = c->whole,
		.finding_count = c->whole_count,
		.days = c->whole_days,
		.day_count = c->whole_day_count,
		.hours = c->hours,
		.hour_count = c->hour_count,
		.bounded = true,
	};

	c->client.event_count = count;
	c->client.cadence = c->cadence;
	if (store_forget_client(m->into, -m->part, &c->client.ip, copy_id, m->err) != 0)
		return -1;
	return store_add_client(m->into, -m->part, &whole, m->err);
}

static int
merge_client(struct merge *m, const struct store_client *from, struct client_news *c)
{
	struct client_news copy = { 0 };
	int64_t copy_id;
	int rc = -1;

	c->whole_day_count = 0;
	if (read_client(m, from, c) != 0 || load_hours(m->from, from->id, c, m->err) != 0 ||
	    store_each_day_of(m->from, from->id, take_day, c, m->err) != 0 ||
	    store_find_client(m->into, -m->part, &from->ip, &copy_id, m->err) != 0 ||
	    read_copy(m, copy_id, &from->ip, &copy) != 0)
		goto out;
	cadence_subtract(&c->new_cadence, &copy.cadence);
	find_news(m, c);
	find_new_days(c, &copy);
	find_new_hours(c, &copy);
	if (c->news_count == 0 && c->news_day_count == 0 && c->news_hour_count == 0)
		rc = 0;
	else if (add_news(m, c) == 0)
		rc = replace_copy(m, copy_id, from->count, c);
out:
	release(&copy);
	return rc;
}

struct merging {
	struct merge *m;
	struct client_news news;
	int rc;
};

static bool
each_client(void *arg, const struct store_client *client)
{
	struct merging *x = arg;

	x->rc = merge_client(x->m, client, &x->news);
	return x->rc == 0;
}

int
merge_clients(struct merge *m)
{
	const struct store_filter filter = { .sensor = m->sensor };
	struct merging x = { .m = m };
	int rc = store_each_client(m->from, &filter, each_client, &x, m->err);

	release(&x.news);
	if (rc == 0)
		rc = x.rc;
	return rc == 0 ? store_write_rest(m->into, m->err) : rc;
}
