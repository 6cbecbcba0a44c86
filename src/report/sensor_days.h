/*
 * sensor_days - on which days each sensor captured something.
 *
 * Sensors stand in different places: what one of them captures says nothing of the clients of
 * another one, which may be away, or not be merged yet.
 */
#ifndef TLSTALLY_REPORT_SENSOR_DAYS_H
#define TLSTALLY_REPORT_SENSOR_DAYS_H

#include "report/silence.h"

struct sensor_days {
	struct sensor_captures *sensors;
	size_t count;
};

/* `sensor` is copied; NULL: it is not known which, so it counts for each of them. */
void sensor_days_add(struct sensor_days *d, const char *sensor, int64_t begin_us, int64_t end_us);
/* One that may have captured nothing. */
void sensor_days_know(struct sensor_days *d, const char *sensor);
/* Once, when everything was added. */
void sensor_days_finish(struct sensor_days *d);
/* Without any day where nothing is known of that sensor. */
const struct observed_days *sensor_days_of(const struct sensor_days *d, const char *sensor);
/* Once each sensor's name is known: hands all over to the report, and is empty then. */
void sensor_days_detach(struct sensor_days *d, struct report_observed *to);
void sensor_days_release(struct sensor_days *d);

#endif
