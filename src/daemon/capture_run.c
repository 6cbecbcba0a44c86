#include "daemon/capture_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

#include "base/banned.h"

#define HOUR_US (INT64_C(3600) * USEC_PER_SEC)
/* A clock set by no more than this does not end a run. */
#define LEAP_US (INT64_C(60) * USEC_PER_SEC)
/* Losses below this share of an hour's packets are not worth a word: 1 in 1000. */
#define DROP_SHARE 1000
/* What the pipelines do not count themselves. */
#define OWN_COUNTERS 10
#define COUNTERS_MAX (PIPELINE_COUNTERS_MAX + OWN_COUNTERS)

/* What is counted outside of the workers, cumulative. */
struct outside {
	uint64_t lost_events, lost_lines, flush_failures;
};

struct capture_run {
	struct capture_run_options options;
	struct capture_snapshot *now, *at_hour; /* per worker; the latter when the run began */
	struct outside outside, outside_at_hour;
	struct store_worker_state store;
	size_t most_flows, most_held_len; /* of all workers together, in this run */
	int64_t worst_latency_us;         /* of a flush, in this run */
	int64_t hour_us;                  /* when the run began */
	int64_t now_us, monotonic_us;     /* of the last update */
	bool told_full, told_late;        /* why events are lost, in this run */
	bool told_same;                   /* that two names mean one interface now */
	bool leapt;                       /* the clock, since the run began */
	int64_t leapt_from_us;            /* where the run ends then */
	int64_t leapt_to_us;              /* where the next one begins */
	unsigned serial;
	struct store_run run;
	struct store_counter counters[COUNTERS_MAX];
	struct store_source *sources; /* one for each interface */
};

struct capture_run *
capture_run_new(const struct capture_run_options *options, int64_t now_us, int64_t monotonic_us)
{
	struct capture_run *r = xcalloc(1, sizeof(*r));

	r->options = *options;
	r->now = xcalloc(options->worker_count, sizeof(*r->now));
	r->at_hour = xcalloc(options->worker_count, sizeof(*r->at_hour));
	r->sources = xcalloc(options->worker_count, sizeof(*r->sources));
	r->hour_us = r->now_us = now_us;
	r->monotonic_us = monotonic_us;
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
capture_run_set_lost_events(struct capture_run *r, uint64_t count)
{
	r->outside.lost_events = count;
}

void
capture_run_set_lost_lines(struct capture_run *r, uint64_t count)
{
	r->outside.lost_lines = count;
}

/* Whether this is the interface's first thread, which alone tells of the interface as a whole. */
static bool
is_first_of_interface(const struct capture_run *r, size_t i)
{
	return i == 0 || strcmp(capture_worker_interface(r->options.workers[i]),
			     capture_worker_interface(r->options.workers[i - 1])) != 0;
}

/* How many threads the interface has whose first one this is. */
static size_t
threads_of_interface(const struct capture_run *r, size_t first)
{
	size_t i = first + 1;

	while (i < r->options.worker_count && !is_first_of_interface(r, i))
		i++;
	return i - first;
}

/* Each thread takes the interface up by itself; until the last one has, its packets are missing. */
static bool
is_down(const struct capture_run *r, size_t first)
{
	size_t count = threads_of_interface(r, first);

	for (size_t i = first; i < first + count; i++) {
		if (!r->now[i].bound)
			return true;
	}
	return false;
}

/* For how long the thread that lacked the interface longest has done so since the hour began. */
static uint64_t
down_us(const struct capture_run *r, size_t first)
{
	size_t count = threads_of_interface(r, first);
	uint64_t longest = 0;

	for (size_t i = first; i < first + count; i++) {
		uint64_t us = r->now[i].down_us - r->at_hour[i].down_us;

		if (us > longest)
			longest = us;
	}
	return longest;
}

static uint64_t
dropped_by_interface(
    const struct capture_run *r, const struct capture_snapshot *snapshots, size_t i)
{
	return is_first_of_interface(r, i) ? snapshots[i].live.dropped_by_interface : 0;
}

bool
capture_run_is_loss_worth_a_word(uint64_t lost, uint64_t received)
{
	return lost > 0 && lost >= received / DROP_SHARE;
}

/* Once an hour and interface: what was lost, and what to do about it. */
static void
warn_of_drops(const struct capture_run *r)
{
	uint64_t lost = 0, received = 0;

	for (size_t i = 0; i < r->options.worker_count; i++) {
		const char *name = capture_worker_interface(r->options.workers[i]);
		const char *next = i + 1 < r->options.worker_count
				       ? capture_worker_interface(r->options.workers[i + 1])
				       : "";

		lost += r->now[i].live.dropped_by_kernel - r->at_hour[i].live.dropped_by_kernel +
			dropped_by_interface(r, r->now, i) - dropped_by_interface(r, r->at_hour, i);
		received += r->now[i].live.received - r->at_hour[i].live.received;
		if (strcmp(name, next) == 0)
			continue;
		if (capture_run_is_loss_worth_a_word(lost, received))
			log_warning("%s lost %" PRIu64 " of %" PRIu64
				    " packets in the last hour: give it a larger capture.buffer "
				    "or more capture.threads, or mirror less",
			    name, lost, received);
		lost = received = 0;
	}
}

/* That were not taken from the workers in time. */
static uint64_t
late_events(const struct capture_run *r, const struct capture_snapshot *snapshots)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < r->options.worker_count; i++)
		lost += snapshots[i].lost_events;
	return lost;
}

static void
tell_lost_events(struct capture_run *r)
{
	if (!r->told_full && r->outside.lost_events != r->outside_at_hour.lost_events) {
		log_error("the memory for findings (budgets.tally) is full: handshakes and "
			  "sessions are lost until the database takes some");
		r->told_full = true;
	}
	if (!r->told_late && late_events(r, r->now) != late_events(r, r->at_hour)) {
		log_error("handshakes and sessions are lost: more come than can be counted, or to "
			  "write the log or the events file takes too long");
		r->told_late = true;
	}
}

static void
warn_of_lost_events(const struct capture_run *r)
{
	uint64_t lost = r->outside.lost_events - r->outside_at_hour.lost_events +
			late_events(r, r->now) - late_events(r, r->at_hour);
	char since[TIMESTAMP_TEXT_LEN];

	if (lost > 0)
		log_warning("handshakes and sessions that did not get into the database since %s: "
			    "%" PRIu64,
		    timestamp_to_text(r->hour_us, since), lost);
}

/* Another one on the interface of worker `i`, by another of its names; NULL: none is. */
static const char *
other_name(const struct capture_run *r, size_t i)
{
	if (r->now[i].interface_index == 0 || !is_first_of_interface(r, i))
		return NULL;
	for (size_t k = 0; k < i; k++) {
		if (r->now[k].interface_index == r->now[i].interface_index &&
		    is_first_of_interface(r, k))
			return capture_worker_interface(r->options.workers[k]);
	}
	return NULL;
}

/* At the start such names are refused; but an interface may come late, or be given another name. */
static void
tell_same_interfaces(struct capture_run *r)
{
	bool told = r->told_same;

	r->told_same = false;
	for (size_t i = 1; i < r->options.worker_count; i++) {
		const char *name = other_name(r, i);

		if (name == NULL)
			continue;
		r->told_same = true;
		if (!told)
			log_error("%s and %s are names of one interface now, so what passes there "
				  "counts twice: start anew with one of them",
			    name, capture_worker_interface(r->options.workers[i]));
	}
}

static void
begin_hour(struct capture_run *r)
{
	memcpy(r->at_hour, r->now, r->options.worker_count * sizeof(*r->now));
	r->outside_at_hour = r->outside;
	r->most_flows = r->most_held_len = 0;
	r->worst_latency_us = 0;
	r->hour_us = r->leapt ? r->leapt_to_us : r->now_us;
	r->leapt = r->told_full = r->told_late = false;
	r->serial++;
}

void
capture_run_pushed(struct capture_run *r)
{
	if (!r->leapt && r->now_us - r->hour_us < HOUR_US)
		return;
	warn_of_drops(r);
	warn_of_lost_events(r);
	begin_hour(r);
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
add_interface(struct capture_run *r, size_t i)
{
	struct store_run *run = &r->run;

	if (!is_first_of_interface(r, i))
		return;
	add_counter(run, r->counters, "interface_dropped",
	    r->now[i].live.dropped_by_interface - r->at_hour[i].live.dropped_by_interface);
	add_counter(run, r->counters, "interface_down_ms", down_us(r, i) / 1000);
}

static void
add_worker(struct capture_run *r, size_t i)
{
	const struct capture_snapshot *now = &r->now[i], *old = &r->at_hour[i];
	struct store_run *run = &r->run;
	struct store_source *source;
	uint64_t packets = now->packet_count - old->packet_count;

	for (size_t k = 0; k < now->counter_count; k++)
		add_counter(run, r->counters, now->counters[k].name,
		    now->counters[k].value - (k < old->counter_count ? old->counters[k].value : 0));
	add_counter(run, r->counters, "kernel_dropped",
	    now->live.dropped_by_kernel - old->live.dropped_by_kernel);
	add_interface(r, i);
	add_counter(run, r->counters, "events_lost", now->lost_events - old->lost_events);
	add_counter(run, r->counters, "names_lost", now->lost_names - old->lost_names);
	if (is_first_of_interface(r, i))
		r->sources[run->source_count++] =
		    (struct store_source){ .name =
					       capture_worker_interface(r->options.workers[i]) };
	source = &r->sources[run->source_count - 1];
	source->packet_count += packets;
	source->byte_count += now->byte_count - old->byte_count;
	source->snapped_count += now->snapped_count - old->snapped_count;
	run->packet_count += packets;
	run->byte_count += now->byte_count - old->byte_count;
}

static void
add_outside(struct capture_run *r)
{
	struct store_run *run = &r->run;
	const struct outside *now = &r->outside, *old = &r->outside_at_hour;

	add_counter(run, r->counters, "events_lost", now->lost_events - old->lost_events);
	add_counter(run, r->counters, "event_lines_lost", now->lost_lines - old->lost_lines);
	add_counter(run, r->counters, "flush_failures", now->flush_failures - old->flush_failures);
	add_counter(run, r->counters, "worst_flush_ms", (uint64_t)(r->worst_latency_us / 1000));
	add_counter(run, r->counters, "most_flows", r->most_flows);
	add_counter(run, r->counters, "most_held_bytes", r->most_held_len);
}

static void
take_figures(struct capture_run *r, const struct store_worker_state *store)
{
	size_t flows = 0, held_len = 0;

	for (size_t i = 0; i < r->options.worker_count; i++) {
		capture_worker_snapshot(r->options.workers[i], &r->now[i]);
		flows += r->now[i].flow_count;
		held_len += r->now[i].held_len;
	}
	r->store = *store;
	r->outside.flush_failures = store->failure_count;
	if (flows > r->most_flows)
		r->most_flows = flows;
	if (held_len > r->most_held_len)
		r->most_held_len = held_len;
	if (store->last_latency_us > r->worst_latency_us)
		r->worst_latency_us = store->last_latency_us;
}

/*
 * A sleeping machine captures nothing, and one without a clock of its own wakes up in a time that
 * is over.  Of several leaps before the run is stored, what lies between counts as not captured.
 */
static void
follow_clock(struct capture_run *r, int64_t now_us, int64_t monotonic_us)
{
	int64_t due_us = r->now_us + monotonic_us - r->monotonic_us;
	char from[TIMESTAMP_TEXT_LEN], to[TIMESTAMP_TEXT_LEN];

	r->now_us = now_us;
	r->monotonic_us = monotonic_us;
	if (now_us > due_us - LEAP_US && now_us < due_us + LEAP_US)
		return;
	log_notice("the clock went from %s to %s at once: a new run begins",
	    timestamp_to_text(due_us, from), timestamp_to_text(now_us, to));
	if (!r->leapt)
		r->leapt_from_us = due_us;
	r->leapt_to_us = now_us;
	r->leapt = true;
}

void
capture_run_update(struct capture_run *r, const struct store_worker_state *store, int64_t now_us,
    int64_t monotonic_us)
{
	int64_t end_us;

	take_figures(r, store);
	tell_lost_events(r);
	tell_same_interfaces(r);
	follow_clock(r, now_us, monotonic_us);
	end_us = r->leapt ? r->leapt_from_us : now_us;
	r->run = (struct store_run){
		.command = "capture",
		.started_us = r->hour_us,
		/* A live sensor covers time also when nothing comes by. */
		.begin_us = r->hour_us,
		.end_us = end_us > r->hour_us ? end_us : r->hour_us,
	};
	for (size_t i = 0; i < r->options.worker_count; i++)
		add_worker(r, i);
	add_outside(r);
	r->run.counters = r->counters;
	r->run.sources = r->sources;
}

const struct store_run *
capture_run_get(const struct capture_run *r)
{
	return &r->run;
}

bool
capture_run_has_leapt(const struct capture_run *r)
{
	return r->leapt;
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

	for (size_t i = 0; i < r->options.worker_count; i++) {
		for (size_t k = 0; k < r->now[i].counter_count; k++) {
			if (strcmp(r->now[i].counters[k].name, name) == 0)
				sum += r->now[i].counters[k].value;
		}
	}
	return sum;
}

/* " undecodable=3 (bad_ip_header=2 cut_header=1)" */
static void
add_undecodable(const struct capture_run *r, struct buf *text)
{
	static const char *const kinds[] = { "cut_header", "bad_link_header", "bad_ip_header",
		"bad_tcp_header", "nested_too_deep", "unknown_link_type" };
	const char *before = " (";

	buf_addf(text, " undecodable=%" PRIu64, total(r, "undecodable"));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t count = total(r, kinds[i]);

		if (count == 0)
			continue;
		buf_addf(text, "%s%s=%" PRIu64, before, kinds[i], count);
		before = " ";
	}
	if (strcmp(before, " ") == 0)
		buf_add_char(text, ')');
}

static void
add_packets(const struct capture_run *r, struct buf *text)
{
	uint64_t received = 0, by_kernel = 0, by_interface = 0;
	unsigned down = 0;

	for (size_t i = 0; i < r->options.worker_count; i++) {
		received += r->now[i].live.received;
		by_kernel += r->now[i].live.dropped_by_kernel;
		by_interface += dropped_by_interface(r, r->now, i);
		down += is_first_of_interface(r, i) && is_down(r, i);
	}
	buf_addf(text,
	    "received=%" PRIu64 " kernel_dropped=%" PRIu64 " interface_dropped=%" PRIu64
	    " interfaces_down=%u",
	    received, by_kernel, by_interface, down);
	add_undecodable(r, text);
}

static void
add_budgets(const struct capture_run *r, struct buf *text)
{
	size_t flows = 0, unsettled = 0, held_len = 0, count = r->options.worker_count;

	for (size_t i = 0; i < count; i++) {
		flows += r->now[i].flow_count;
		unsettled += r->now[i].unsettled_count;
		held_len += r->now[i].held_len;
	}
	buf_addf(text,
	    " gaps=%" PRIu64 " flows=%zu/%zu unsettled=%zu/%zu evicted=%" PRIu64
	    " held_bytes=%zu/%zu",
	    total(r, "gaps"), flows, count * r->options.max_flows, unsettled,
	    count * r->options.max_unsettled, total(r, "flows_evicted"), held_len,
	    count * r->options.max_held_len);
}

static void
add_results(const struct capture_run *r, struct buf *text)
{
	buf_addf(text,
	    " events=%" PRIu64 " events_lost=%" PRIu64 " event_lines_lost=%" PRIu64
	    " flushes=%" PRIu64 " flush_failures=%" PRIu64 " flush_ms=%" PRId64
	    " worst_flush_ms=%" PRId64,
	    total(r, "events"), r->outside.lost_events + late_events(r, r->now),
	    r->outside.lost_lines, r->store.flush_count, r->store.failure_count,
	    r->store.last_latency_us / 1000, r->store.worst_latency_us / 1000);
}

void
capture_run_log_status(const struct capture_run *r, bool asked)
{
	struct buf text = { 0 };

	add_packets(r, &text);
	add_budgets(r, &text);
	add_results(r, &text);
	if (asked)
		log_answer("status: %s", buf_text(&text));
	else
		log_notice("status: %s", buf_text(&text));
	buf_release(&text);
}
