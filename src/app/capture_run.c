#include "app/capture_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define HOUR_US (INT64_C(3600) * USEC_PER_SEC)
/* Losses below this share of an hour's packets are not worth a word: 1 in 1000. */
#define DROP_SHARE 1000
/* What the workers do not count themselves. */
#define OWN_COUNTERS 4
#define COUNTERS_MAX (PIPELINE_COUNTERS_MAX + OWN_COUNTERS)

struct capture_run {
	struct capture_worker *const *workers;
	size_t worker_count;
	struct capture_snapshot *now, *at_hour; /* per worker; the latter when the run began */
	uint64_t lost, lost_at_hour;
	int64_t hour_us; /* when the run began */
	unsigned serial;
	struct store_run run;
	struct store_counter counters[COUNTERS_MAX];
	struct store_source *sources;
};

struct capture_run *
capture_run_new(struct capture_worker *const *workers, size_t count, int64_t now_us)
{
	struct capture_run *r = xcalloc(1, sizeof(*r));

	r->workers = workers;
	r->worker_count = count;
	r->now = xcalloc(count, sizeof(*r->now));
	r->at_hour = xcalloc(count, sizeof(*r->at_hour));
	r->sources = xcalloc(count, sizeof(*r->sources));
	r->hour_us = now_us;
	r->serial = 1;
	return r;
}

void
capture_run_free(struct capture_run *r)
{
	if (r == NULL)
		return;
	free(r->now);
	free(r->at_hour);
	free(r->sources);
	free(r);
}

void
capture_run_add_lost(struct capture_run *r, uint64_t count)
{
	r->lost += count;
}

static uint64_t
dropped(const struct capture_snapshot *s)
{
	return s->live.dropped_by_kernel + s->live.dropped_by_interface;
}

/* RFC-less but useful: what to do about losses, once an hour. */
static void
warn_of_drops(const struct capture_run *r)
{
	for (size_t i = 0; i < r->worker_count; i++) {
		uint64_t lost = dropped(&r->now[i]) - dropped(&r->at_hour[i]);
		uint64_t seen = r->now[i].live.received - r->at_hour[i].live.received;

		if (lost == 0 || lost < seen / DROP_SHARE)
			continue;
		log_warning(
		    "%s lost %" PRIu64 " of %" PRIu64
		    " packets in the last hour: give it a larger buffer or more threads, or "
		    "mirror less",
		    capture_worker_interface(r->workers[i]), lost, seen + lost);
	}
}

static void
begin_hour(struct capture_run *r, int64_t now_us)
{
	memcpy(r->at_hour, r->now, r->worker_count * sizeof(*r->now));
	for (size_t i = 0; i < r->worker_count; i++)
		r->at_hour[i].end_us = 0;
	r->lost_at_hour = r->lost;
	r->hour_us = now_us;
	r->serial++;
}

static void
add_counter(struct store_run *run, struct store_counter *counters, const char *name, uint64_t value)
{
	for (size_t i = 0; i < run->counter_count; i++) {
		if (strcmp(counters[i].name, name) == 0) {
			counters[i].value += value;
			return;
		}
	}
	counters[run->counter_count++] = (struct store_counter){ .name = name, .value = value };
}

static void
add_worker(struct capture_run *r, size_t i)
{
	const struct capture_snapshot *now = &r->now[i], *old = &r->at_hour[i];
	struct store_run *run = &r->run;
	uint64_t packets = now->packet_count - old->packet_count;

	for (size_t k = 0; k < now->counter_count; k++)
		add_counter(run, r->counters, now->counters[k].name,
		    now->counters[k].value - (k < old->counter_count ? old->counters[k].value : 0));
	add_counter(run, r->counters, "kernel_dropped",
	    now->live.dropped_by_kernel - old->live.dropped_by_kernel);
	add_counter(run, r->counters, "interface_dropped",
	    now->live.dropped_by_interface - old->live.dropped_by_interface);
	add_counter(run, r->counters, "events_lost", now->lost_events - old->lost_events);
	r->sources[i] = (struct store_source){
		.name = capture_worker_interface(r->workers[i]),
		.packet_count = packets,
		.byte_count = now->byte_count - old->byte_count,
	};
	run->packet_count += packets;
	run->byte_count += now->byte_count - old->byte_count;
}

void
capture_run_update(struct capture_run *r, int64_t now_us)
{
	for (size_t i = 0; i < r->worker_count; i++)
		capture_worker_snapshot(r->workers[i], &r->now[i]);
	if (now_us - r->hour_us >= HOUR_US) {
		warn_of_drops(r);
		begin_hour(r, now_us);
	}
	r->run = (struct store_run){
		.command = "capture",
		.started_us = r->hour_us,
		/* A live sensor covers time also when nothing comes by. */
		.begin_us = r->hour_us,
		.end_us = now_us > r->hour_us ? now_us : r->hour_us,
	};
	for (size_t i = 0; i < r->worker_count; i++)
		add_worker(r, i);
	add_counter(&r->run, r->counters, "events_lost", r->lost - r->lost_at_hour);
	r->run.counters = r->counters;
	r->run.sources = r->sources;
	r->run.source_count = r->worker_count;
}

const struct store_run *
capture_run_get(const struct capture_run *r)
{
	return &r->run;
}

unsigned
capture_run_serial(const struct capture_run *r)
{
	return r->serial;
}

static uint64_t
total(const struct capture_run *r, const char *name)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->worker_count; i++) {
		for (size_t k = 0; k < r->now[i].counter_count; k++) {
			if (strcmp(r->now[i].counters[k].name, name) == 0)
				sum += r->now[i].counters[k].value;
		}
	}
	return sum;
}

void
capture_run_log_status(const struct capture_run *r, const struct store_worker_state *store)
{
	uint64_t received = 0, by_kernel = 0, by_interface = 0, lost = r->lost;
	size_t flows = 0, unsettled = 0;

	for (size_t i = 0; i < r->worker_count; i++) {
		received += r->now[i].live.received;
		by_kernel += r->now[i].live.dropped_by_kernel;
		by_interface += r->now[i].live.dropped_by_interface;
		lost += r->now[i].lost_events;
		flows += r->now[i].flow_count;
		unsettled += r->now[i].unsettled_count;
	}
	log_notice("status: received=%" PRIu64 " kernel_dropped=%" PRIu64
		   " interface_dropped=%" PRIu64 " undecodable=%" PRIu64 " gaps=%" PRIu64
		   " flows=%zu unsettled=%zu evicted=%" PRIu64 " events=%" PRIu64
		   " events_lost=%" PRIu64 " flushes=%" PRIu64 " flush_failures=%" PRIu64
		   " flush_ms=%" PRId64 " worst_flush_ms=%" PRId64,
	    received, by_kernel, by_interface, total(r, "undecodable"), total(r, "gaps"), flows,
	    unsettled, total(r, "flows_evicted"), total(r, "events"), lost, store->flush_count,
	    store->failure_count, store->last_latency_us / 1000, store->worst_latency_us / 1000);
}
