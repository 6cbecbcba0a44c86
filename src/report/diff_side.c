/* One side of a diff: growing it, and putting it in order. */
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "report/diff_internal.h"

#include "base/banned.h"

/* Room for one more item of `size` bytes; `count` and `room` count items. */
static void *
grow(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room == 0 ? 8 : 2 * *room;
	return xreallocarray(items, *room, size);
}

struct diff_client *
diff_side_add_client(struct diff_side *side)
{
	struct diff_client *c;

	side->clients =
	    grow(side->clients, side->client_count, &side->client_room, sizeof(*side->clients));
	c = &side->clients[side->client_count++];
	*c = (struct diff_client){ 0 };
	return c;
}

struct diff_row *
diff_client_add_row(struct diff_client *c)
{
	struct diff_row *row;

	c->rows = grow(c->rows, c->row_count, &c->row_room, sizeof(*c->rows));
	row = &c->rows[c->row_count++];
	*row = (struct diff_row){ 0 };
	return row;
}

struct diff_day *
diff_client_add_day(struct diff_client *c)
{
	struct diff_day *day;

	c->days = grow(c->days, c->day_count, &c->day_room, sizeof(*c->days));
	day = &c->days[c->day_count++];
	*day = (struct diff_day){ 0 };
	return day;
}

void
diff_side_add_interval(struct diff_side *side, const char *sensor, int64_t begin_us, int64_t end_us)
{
	if (!side->has_time || begin_us < side->begin_us)
		side->begin_us = begin_us;
	if (!side->has_time || end_us > side->end_us)
		side->end_us = end_us;
	side->has_time = true;
	side->captured = grow(
	    side->captured, side->captured_count, &side->captured_room, sizeof(*side->captured));
	side->captured[side->captured_count++] = (struct diff_captured){
		.sensor = sensor != NULL ? xstrdup(sensor) : NULL,
		.begin_us = begin_us,
		.end_us = end_us,
	};
}

void
diff_side_drop_unnamed(struct diff_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->captured_count; i++) {
		if (side->captured[i].sensor != NULL)
			side->captured[kept++] = side->captured[i];
	}
	side->captured_count = kept;
}

int
diff_client_compare(const struct diff_client *a, const struct diff_client *b)
{
	int order = addr_compare(&a->ip, &b->ip);

	return order != 0 ? order : strcmp(a->sensor, b->sensor);
}

int
diff_row_compare(const struct diff_row *a, const struct diff_row *b)
{
	int order = strcmp(a->server, b->server);

	if (order == 0)
		order = (int)a->server_port - (int)b->server_port;
	if (order == 0)
		order = (int)a->protocol - (int)b->protocol;
	if (order == 0)
		order = (int)a->tls_version - (int)b->tls_version;
	if (order == 0)
		order = (int)a->offered_version - (int)b->offered_version;
	return order != 0 ? order : (int)a->outcome - (int)b->outcome;
}

static int
compare_clients(const void *a, const void *b)
{
	return diff_client_compare(a, b);
}

static int
compare_rows(const void *a, const void *b)
{
	return diff_row_compare(a, b);
}

int
diff_day_compare(const struct diff_day *a, const struct diff_day *b)
{
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->tls_version != b->tls_version)
		return (int)a->tls_version - (int)b->tls_version;
	return (int)a->outcome - (int)b->outcome;
}

static int
compare_days(const void *a, const void *b)
{
	return diff_day_compare(a, b);
}

/* Rows that differ only in what a diff does not look at (who refused, and how) become one. */
static void
join_rows(struct diff_client *c)
{
	size_t kept = 0;

	for (size_t i = 1; i < c->row_count; i++) {
		struct diff_row *into = &c->rows[kept], *from = &c->rows[i];

		if (diff_row_compare(into, from) != 0) {
			c->rows[++kept] = *from;
			continue;
		}
		into->count += from->count;
		if (from->first_us < into->first_us)
			into->first_us = from->first_us;
		if (from->last_us > into->last_us) {
			into->last_us = from->last_us;
			into->is_cut = from->is_cut;
		}
		if (from->verdict < into->verdict)
			into->verdict = from->verdict;
		free(from->server);
	}
	if (c->row_count > 0)
		c->row_count = kept + 1;
}

static void
sort_client(struct diff_client *c)
{
	if (c->row_count > 0)
		qsort(c->rows, c->row_count, sizeof(*c->rows), compare_rows);
	join_rows(c);
	if (c->day_count > 0)
		qsort(c->days, c->day_count, sizeof(*c->days), compare_days);
}

/* The names of the sensors of a side, each once; borrowed. */
static size_t
list_sensors(const struct diff_side *side, const char ***names)
{
	size_t count = 0, k;

	*names = NULL;
	for (size_t i = 0; i < side->client_count; i++) {
		const char *sensor = side->clients[i].sensor;

		for (k = 0; k < count && strcmp((*names)[k], sensor) != 0; k++)
			;
		if (k < count)
			continue;
		*names = xreallocarray(*names, count + 1, sizeof(**names));
		(*names)[count++] = sensor;
	}
	return count;
}

bool
diff_sides_share_sensor(const struct diff_side *a, const struct diff_side *b)
{
	const char **ours, **theirs;
	size_t our_count = list_sensors(a, &ours), their_count = list_sensors(b, &theirs);
	bool shared = our_count == 0 || their_count == 0;

	for (size_t i = 0; i < our_count; i++) {
		for (size_t k = 0; k < their_count && !shared; k++)
			shared = strcmp(ours[i], theirs[k]) == 0;
	}
	free(ours);
	free(theirs);
	return shared;
}

static void
release_client(struct diff_client *c)
{
	for (size_t i = 0; i < c->row_count; i++)
		free(c->rows[i].server);
	free(c->rows);
	free(c->days);
	free(c->sensor);
	free(c->name);
}

/* An export that somebody has sorted has a client's rows in several places. */
static void
join_clients(struct diff_side *side)
{
	size_t kept = 0;

	for (size_t i = 1; i < side->client_count; i++) {
		struct diff_client *into = &side->clients[kept], *from = &side->clients[i];

		if (diff_client_compare(into, from) != 0) {
			side->clients[++kept] = *from;
			continue;
		}
		for (size_t k = 0; k < from->row_count; k++)
			*diff_client_add_row(into) = from->rows[k];
		from->row_count = 0;
		release_client(from);
	}
	if (side->client_count > 0)
		side->client_count = kept + 1;
}

void
diff_side_finish(struct diff_side *side)
{
	if (side->client_count > 0)
		qsort(side->clients, side->client_count, sizeof(*side->clients), compare_clients);
	join_clients(side);
	for (size_t i = 0; i < side->client_count; i++)
		sort_client(&side->clients[i]);
}

void
diff_side_release(struct diff_side *side)
{
	for (size_t i = 0; i < side->client_count; i++)
		release_client(&side->clients[i]);
	free(side->clients);
	for (size_t i = 0; i < side->captured_count; i++)
		free(side->captured[i].sensor);
	free(side->captured);
	free(side->coverage);
	*side = (struct diff_side){ 0 };
}

int64_t
diff_day_floor(int64_t time_us)
{
	int64_t rest = time_us % USEC_PER_DAY;

	return time_us - (rest < 0 ? rest + USEC_PER_DAY : rest);
}

int64_t
diff_day_ceil(int64_t time_us)
{
	int64_t floor = diff_day_floor(time_us);

	return floor == time_us ? floor : floor + USEC_PER_DAY;
}

bool
diff_is_bad(enum verdict verdict)
{
	return verdict < VERDICT_UNCLEAR;
}

bool
diff_is_good(const struct diff_row *row)
{
	return row->verdict == VERDICT_OK && row->tls_version != 0 &&
	       (row->outcome == OUTCOME_ESTABLISHED || row->outcome == OUTCOME_NEGOTIATED);
}
