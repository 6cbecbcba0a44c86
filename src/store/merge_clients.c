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
	struct tally_hour *hours;
	size_t hour_count;
};

static void
release(struct client_news *c)
{
	free(c->whole);
	free(c->news);
	free(c->whole_days);
	free(c->news_days);
	free(c->hours);
}

/* What a query of the inventory does not tell: when a client had its name, and its counted gaps. */
static int
read_cadence(
    struct store *s, int64_t client_id, int64_t *name_us, struct cadence *out, struct error *err)
{
	sqlite3_stmt *st =
	    merge_prepare(s, "SELECT name_us, cadence FROM client_state WHERE id = ?1", err);
	int status;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	status = sqlite3_step(st);
	*name_us = status == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	*out = (struct cadence){ 0 };
	if (status == SQLITE_ROW)
		(void)cadence_read(store_column_span(st, 1), out);
	return merge_finish(s, st, status, err);
}

static int
read_client(struct merge *m, const struct store_client *from, struct client_news *c)
{
	store_set_clear(&m->from->set);
	if (store_set_load(m->from, from->id, &from->ip, m->err) != 0)
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
	if (read_cadence(m->from, from->id, &c->client.name_us, &c->cadence, m->err) != 0)
		return -1;
	c->new_cadence = c->cadence;
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
static size_t
find_new_hours(const struct client_news *c, const struct client_news *copy, struct tally_hour *out)
{
	size_t k = 0, count = 0;

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
		out[count++] = hour;
	}
	return count;
}

static int
add_hours(struct merge *m, int64_t sensor_id, const struct addr *ip, const struct tally_hour *hours,
    size_t count)
{
	int64_t client_id;

	if (store_find_client(m->into, sensor_id, ip, &client_id, m->err) != 0)
		return -1;
	for (size_t i = 0; i < count && client_id != 0; i++) {
		if (store_add_hour(m->into, client_id, &hours[i], m->err) != 0)
			return -1;
	}
	return client_id != 0 ? store_trim_hours(m->into, client_id, m->err) : 0;
}

/* Behind the rest of the client; `copy`: its hours as they were taken in last. */
static int
merge_hours(struct merge *m, const struct client_news *c, const struct client_news *copy)
{
	struct tally_hour *news = xcalloc(c->hour_count + 1, sizeof(*news));
	size_t count = find_new_hours(c, copy, news);
	int rc = add_hours(m, m->into_sensor, &c->client.ip, news, count);

	if (rc == 0)
		rc = add_hours(m, -m->part, &c->client.ip, c->hours, c->hour_count);
	free(news);
	return rc;
}

static int
load_hours(struct store *s, int64_t client_id, struct client_news *c, struct error *err)
{
	free(c->hours);
	return store_load_hours(s, client_id, &c->hours, &c->hour_count, err);
}

static int
merge_client(struct merge *m, const struct store_client *from, struct client_news *c)
{
	struct client_news copy = { 0 };
	int64_t copy_id, name_us;
	int rc = -1;

	c->whole_day_count = 0;
	if (read_client(m, from, c) != 0 || load_hours(m->from, from->id, c, m->err) != 0 ||
	    store_each_day_of(m->from, from->id, take_day, c, m->err) != 0 ||
	    store_find_client(m->into, -m->part, &from->ip, &copy_id, m->err) != 0)
		goto out;
	store_set_clear(&m->into->set);
	if (copy_id != 0 &&
	    (load_hours(m->into, copy_id, &copy, m->err) != 0 ||
		store_set_load(m->into, copy_id, &from->ip, m->err) != 0 ||
		store_each_day_of(m->into, copy_id, take_day, &copy, m->err) != 0 ||
		read_cadence(m->into, copy_id, &name_us, &copy.cadence, m->err) != 0))
		goto out;
	store_set_sort(&m->into->set);
	cadence_subtract(&c->new_cadence, &copy.cadence);
	find_news(m, c);
	find_new_days(c, &copy);
	if (c->news_count == 0 && c->news_day_count == 0) {
		rc = 0;
		goto out;
	}
	m->out->handshake_count += c->client.event_count;
	c->client.cadence = c->new_cadence;
	if (store_add_client(m->into, m->into_sensor, &c->client, c->news, c->news_count,
		c->news_days, c->news_day_count, m->err) != 0)
		goto out;
	/* The copy is replaced: what is gone there is gone. */
	c->client.event_count = from->count;
	c->client.cadence = c->cadence;
	if (store_forget_client(m->into, copy_id, m->err) != 0 ||
	    store_add_client(m->into, -m->part, &c->client, c->whole, c->whole_count, c->whole_days,
		c->whole_day_count, m->err) != 0)
		goto out;
	rc = merge_hours(m, c, &copy);
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
