/* What the end of a session suggests. */
#include "event/event.h"

#include "tls/names.h"

#include "base/banned.h"

void
event_ending_limits_init(struct event_ending_limits *limits)
{
	*limits = (struct event_ending_limits){
		.minimum = TLS_VERSION_1_2,
		.dropped_us = 10 * INT64_C(1000000),
		.dropped_len = 512,
		.short_us = 30 * INT64_C(1000000),
		.short_len = 4096,
	};
}

static bool
is_dropped_early(const struct event *ev, const struct event_ending_limits *limits)
{
	const struct event_ending *e = &ev->ending;

	return e->by == SIDE_SERVER && ev->outcome == OUTCOME_ESTABLISHED &&
	       tls_version_compare(ev->tls_version, limits->minimum) < 0 &&
	       e->duration_us <= limits->dropped_us && e->server_len <= limits->dropped_len;
}

void
event_ending_judge(struct event *ev, const struct event_ending_limits *limits)
{
	struct event_ending *e = &ev->ending;

	e->dropped_early = is_dropped_early(ev, limits);
	e->is_short = e->how != SESSION_END_UNSEEN && e->duration_us <= limits->short_us &&
		      e->client_len <= limits->short_len && e->server_len <= limits->short_len;
}
