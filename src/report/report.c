#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "report/phrase.h"
#include "report/report_internal.h"

#include "base/banned.h"

void
report_client_release(struct report_client *c)
{
	for (size_t i = 0; c->rows != NULL && i < c->row_count; i++)
		free(c->rows[i].server);
	for (size_t i = 0; c->details != NULL && i < c->row_count; i++)
		report_detail_release(&c->details[i]);
	free(c->details);
	free(c->rows);
	free(c->sensor);
	free(c->name);
	report_device_release(c);
	free(c->reason);
	free(c->server);
	*c = (struct report_client){ 0 };
}

void
report_release(struct report *r)
{
	for (size_t i = 0; i < r->client_count; i++)
		report_client_release(&r->clients[i]);
	free(r->clients);
	for (size_t i = 0; i < r->observed.counter_count; i++)
		free(r->observed.counters[i].name);
	free(r->observed.counters);
	free(r->observed.days);
	for (size_t i = 0; i < r->observed.sensor_count; i++) {
		free(r->observed.sensors[i].name);
		free(r->observed.sensors[i].days);
	}
	free(r->observed.sensors);
	*r = (struct report){ 0 };
}

void
report_add_fallbacks(const struct report_row *row, struct buf *out)
{
	if (row->fallback_count == 0)
		return;
	buf_add_text(out, ", ");
	phrase_add_count(out, row->fallback_count, "fallback", "fallbacks");
}

bool
report_services_are_old(const struct report_options *options)
{
	int64_t oldest_us;

	return options->policy.services != NULL &&
	       switch_off_oldest(options->policy.services, &oldest_us) &&
	       options->now_us - oldest_us > 365 * USEC_PER_DAY;
}

const struct report_counter *
report_counter_find(const struct report_observed *observed, const char *name)
{
	for (size_t i = 0; i < observed->counter_count; i++) {
		if (strcmp(observed->counters[i].name, name) == 0)
			return &observed->counters[i];
	}
	return NULL;
}
