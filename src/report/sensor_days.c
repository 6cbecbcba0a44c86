#include "report/sensor_days.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

struct sensor_captures {
	char *name; /* NULL: not known which */
	struct report_interval *intervals;
	size_t count, room;
	struct observed_days days;
};

static struct sensor_captures *
find(const struct sensor_days *d, const char *sensor)
{
	for (size_t i = 0; i < d->count; i++) {
		const char *name = d->sensors[i].name;

		if (name == sensor || (name != NULL && sensor != NULL && strcmp(name, sensor) == 0))
			return &d->sensors[i];
	}
	return NULL;
}

static struct sensor_captures *
find_or_make(struct sensor_days *d, const char *sensor)
{
	struct sensor_captures *s = find(d, sensor);

	if (s != NULL)
		return s;
	d->sensors = xreallocarray(d->sensors, d->count + 1, sizeof(*d->sensors));
	s = &d->sensors[d->count++];
	*s = (struct sensor_captures){ .name = sensor != NULL ? xstrdup(sensor) : NULL };
	return s;
}

static void
add_interval(struct sensor_captures *s, struct report_interval interval)
{
	s->intervals = xgrow(s->intervals, s->count, &s->room, sizeof(*s->intervals));
	s->intervals[s->count++] = interval;
}

void
sensor_days_add(struct sensor_days *d, const char *sensor, int64_t begin_us, int64_t end_us)
{
	add_interval(find_or_make(d, sensor), (struct report_interval){ begin_us, end_us });
}

void
sensor_days_know(struct sensor_days *d, const char *sensor)
{
	(void)find_or_make(d, sensor);
}

void
sensor_days_finish(struct sensor_days *d)
{
	const struct sensor_captures *unknown = find(d, NULL);

	for (size_t i = 0; i < d->count; i++) {
		struct sensor_captures *s = &d->sensors[i];

		for (size_t k = 0; unknown != NULL && s != unknown && k < unknown->count; k++)
			add_interval(s, unknown->intervals[k]);
	}
	for (size_t i = 0; i < d->count; i++)
		observed_days_init(
		    &d->sensors[i].days, d->sensors[i].intervals, d->sensors[i].count);
}

const struct observed_days *
sensor_days_of(const struct sensor_days *d, const char *sensor)
{
	static const struct observed_days none = { 0 };
	const struct sensor_captures *s = find(d, sensor);

	if (s == NULL)
		s = find(d, NULL);
	return s != NULL ? &s->days : &none;
}

void
sensor_days_detach(struct sensor_days *d, struct report_observed *to)
{
	to->sensors = xcalloc(d->count, sizeof(*to->sensors));
	to->sensor_count = d->count;
	for (size_t i = 0; i < d->count; i++) {
		struct sensor_captures *s = &d->sensors[i];

		to->sensors[i] = (struct report_sensor){ s->name, s->days.days, s->days.count };
		s->name = NULL;
		s->days = (struct observed_days){ 0 };
	}
	sensor_days_release(d);
}

void
sensor_days_release(struct sensor_days *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->sensors[i].name);
		free(d->sensors[i].intervals);
		observed_days_release(&d->sensors[i].days);
	}
	free(d->sensors);
	*d = (struct sensor_days){ 0 };
}
