/* One side of a diff from a database: what was known of each client before a moment. */
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "report/diff_internal.h"
#include "report/report_internal.h"

#include "base/banned.h"

struct loading {
	struct diff_side *side;
	struct store *store;
	const struct diff_options *options;
	int64_t until_us;
	struct error *err;
	int result;

	/* The client that is being read. */
	int64_t client_id; /* 0: none */
	struct diff_client *client;
	struct finding *findings;
	enum verdict *verdicts;
	bool *cut;
	size_t count, room;
};

static bool
take_day(void *arg, const struct store_day *day)
{
	struct loading *l = arg;
	struct diff_day *to;

	if (l->until_us != INT64_MAX && day->day >= l->until_us / USEC_PER_DAY)
		return false;
	to = diff_client_add_day(l->client);
	*to = (struct diff_day){
		.day = day->day,
		.tls_version = day->tls_version,
		.outcome = day->outcome,
		.count = day->count,
	};
	return true;
}

/*
 * A finding that goes on after the moment is cut there: the days say when it was last seen before,
 * and how often (at most, where several findings share a version and an outcome).
 */
static bool
cut_at_the_moment(const struct loading *l, struct finding *f)
{
	uint64_t count = 0;
	int64_t last_us = f->first_us;

	if (f->last_us < l->until_us)
		return false;
	for (size_t i = 0; i < l->client->day_count; i++) {
		const struct diff_day *day = &l->client->days[i];
		int64_t end_us = (day->day + 1) * USEC_PER_DAY - 1;

		if (day->tls_version != f->key.tls_version || day->outcome != f->key.outcome)
			continue;
		count += day->count;
		if (end_us > last_us)
			last_us = end_us;
	}
	f->last_us = last_us;
	if (count > 0 && count < f->count)
		f->count = count;
	return true;
}

static void
add_row(struct loading *l, const struct finding *f, bool is_cut, enum verdict verdict)
{
	struct diff_row *row = diff_client_add_row(l->client);

	*row = (struct diff_row){
		.server = report_bare_server(f),
		.server_port = f->key.server_port,
		.protocol = f->key.protocol,
		.tls_version = f->key.tls_version,
		.offered_version = f->key.offered_version,
		.outcome = f->key.outcome,
		.verdict = verdict,
		.count = f->count,
		.first_us = f->first_us,
		.last_us = f->last_us,
		.is_cut = is_cut,
	};
}

static void
finish_client(struct loading *l)
{
	if (l->client_id == 0)
		return;
	if (store_each_day_of(l->store, l->client_id, take_day, l, l->err) != 0)
		l->result = -1;
	for (size_t i = 0; i < l->count; i++)
		l->cut[i] = cut_at_the_moment(l, &l->findings[i]);
	policy_judge(&l->options->policy, l->findings, l->count, l->verdicts);
	for (size_t i = 0; i < l->count; i++)
		add_row(l, &l->findings[i], l->cut[i], l->verdicts[i]);
	l->count = 0;
	l->client_id = 0;
}

static void
begin_client(struct loading *l, const struct store_client *from)
{
	struct diff_client *c = diff_side_add_client(l->side);

	l->client_id = from->id;
	l->client = c;
	c->ip = from->ip;
	c->sensor = report_printable(span_from_text(from->sensor));
	if (from->name.len > 0)
		c->name = report_printable(event_text_span(&from->name));
	c->has_mac = from->has_mac;
	c->interval_us = from->interval_us;
	memcpy(c->mac, from->mac, sizeof(c->mac));
}

static bool
take_finding(
    void *arg, const struct store_client *client, const struct finding *finding, uint8_t verdict)
{
	struct loading *l = arg;

	(void)verdict; /* judged afresh: as of the moment, and the minimum may differ */
	if (l->client_id != client->id) {
		finish_client(l);
		if (l->result != 0)
			return false;
		begin_client(l, client);
	}
	if (l->count == l->room) {
		l->room = l->room == 0 ? 64 : 2 * l->room;
		l->findings = xreallocarray(l->findings, l->room, sizeof(*l->findings));
		l->verdicts = xreallocarray(l->verdicts, l->room, sizeof(*l->verdicts));
		l->cut = xreallocarray(l->cut, l->room, sizeof(*l->cut));
	}
	l->findings[l->count++] = *finding;
	return true;
}

static void
add_captured(void *arg, const char *sensor, int64_t begin_us, int64_t end_us)
{
	const struct loading *l = arg;

	if (end_us >= l->until_us)
		end_us = l->until_us - 1;
	if (begin_us <= end_us)
		diff_side_add_interval(l->side, sensor, begin_us, end_us);
}

static bool
take_run(void *arg, const struct store_run *run)
{
	report_each_capture(run, add_captured, arg);
	return true;
}

int
diff_side_load(struct diff_side *out, struct store *s, const struct diff_options *options,
    int64_t until_us, struct error *err)
{
	struct loading l = {
		.side = out, .store = s, .options = options, .until_us = until_us, .err = err
	};
	const struct store_filter filter = {
		.has_until = until_us != INT64_MAX,
		.until_us = until_us,
		.clients = options->clients,
	};
	int rc = -1;

	*out = (struct diff_side){ 0 };
	if (store_snapshot_begin(s, err) != 0)
		return -1;
	if (store_each_run(s, &filter, take_run, &l, err) == 0 &&
	    store_each_finding(s, &filter, take_finding, &l, err) == 0) {
		if (l.result == 0)
			finish_client(&l);
		rc = l.result;
	}
	store_snapshot_end(s);
	diff_side_finish(out);
	free(l.findings);
	free(l.verdicts);
	free(l.cut);
	return rc;
}
