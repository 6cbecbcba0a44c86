#include "app/doctor_gather.h"

#include <string.h>

#include "app/replay_losses.h"
#include "app/replay_summary.h"
#include "base/log.h"
#include "capture/link_name.h"
#include "capture/saved.h"
#include "pipeline/pipeline.h"
#include "replay/progress.h"
#include "tls/names.h"

#include "base/banned.h"

#define BATCH 512

static void
add_client(struct doctor_feed *feed, const struct addr *client, bool has_ja4, const char *ja4)
{
	doctor_feed_add_client(feed, client, span_from(ja4, has_ja4 ? EVENT_JA4_LEN : 0));
}

static void
on_event(void *arg, const struct event *ev)
{
	add_client(arg, &ev->client_ip, ev->has_ja4, ev->ja4);
}

static void
read_frames(const struct doctor_captures *captures, struct saved *saved, struct pipeline *pipeline)
{
	struct frame frames[BATCH];
	struct progress progress;
	size_t count;

	progress_start(&progress, true);
	while (!*captures->stop && (count = saved_read(saved, frames, BATCH)) > 0) {
		pipeline_add_many(pipeline, frames, count);
		progress_update(&progress, saved_bytes_done(saved), saved_bytes_total(saved));
	}
	progress_end(&progress);
	pipeline_finish(pipeline);
}

static void
take_counters(const struct pipeline *pipeline, struct doctor_feed *feed, struct buf *links)
{
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	struct pipeline_unknown_link unknown[PIPELINE_UNKNOWN_LINKS_MAX];
	size_t count = pipeline_counters(pipeline, counters);

	for (size_t i = 0; i < count; i++)
		(void)doctor_feed_add(feed, counters[i].name, counters[i].value);
	count = pipeline_unknown_links(pipeline, unknown);
	for (size_t i = 0; i < count; i++) {
		buf_add_text(links, i > 0 ? ", " : "number ");
		link_name_add(unknown[i].link_type, links);
	}
	if (count > 0)
		feed->unknown_links = buf_text(links);
}

/* Counts the packets; says what could not be read. */
static int
take_files(const struct saved *saved, struct doctor_feed *feed)
{
	struct store_counter losses[REPLAY_LOSSES_MAX];
	size_t loss_count = replay_losses(saved, losses);
	int result = 0;

	for (size_t i = 0; i < loss_count; i++)
		(void)doctor_feed_add(feed, losses[i].name, losses[i].value);
	for (size_t i = 0; i < saved_file_count(saved); i++) {
		const struct saved_file *f = saved_file_at(saved, i);

		(void)doctor_feed_add(feed, "packets", f->packet_count);
		if (!f->failed)
			continue;
		log_error("%s", f->error.text);
		result = -1;
	}
	replay_summary_print_passed_over(saved);
	return result;
}

int
doctor_gather_captures(
    const struct doctor_captures *captures, struct doctor_feed *feed, struct buf *links)
{
	struct pipeline_options options = {
		.services = captures->services,
		.internal = captures->internal,
		.packets.vxlan_ports = *captures->vxlan_ports,
		.minimum = TLS_VERSION_1_2,
		.event = on_event,
		.arg = feed,
	};
	struct saved *saved = saved_open(captures->paths, captures->path_count, NULL);
	struct pipeline *pipeline;
	int result;

	flow_options_init(&options.flows);
	options.flows.is_saved = true; /* the same numbers each time */
	pipeline = pipeline_new(&options);
	read_frames(captures, saved, pipeline);
	take_counters(pipeline, feed, links);
	result = take_files(saved, feed);
	pipeline_free(pipeline);
	saved_free(saved);
	return result;
}

struct runs {
	struct doctor_feed *feed;
	struct store_filter filter; /* what was asked for, widened to whole runs */
};

static bool
on_run(void *arg, const struct store_run *run)
{
	struct runs *runs = arg;
	struct doctor_feed *feed = runs->feed;

	feed->has_no_run = false;
	(void)doctor_feed_add(feed, "packets", run->packet_count);
	if (strcmp(run->command, "capture") == 0 && run->end_us > run->begin_us)
		(void)doctor_feed_add(feed, "capture_ms",
		    (uint64_t)(run->end_us - run->begin_us) / 1000 * run->source_count);
	for (size_t i = 0; i < run->counter_count; i++)
		(void)doctor_feed_add(feed, run->counters[i].name, run->counters[i].value);
	if (run->packet_count == 0)
		return true;
	if (run->begin_us < runs->filter.since_us)
		runs->filter.since_us = run->begin_us;
	if (run->end_us >= runs->filter.until_us)
		runs->filter.until_us = run->end_us + 1;
	return true;
}

static bool
on_finding(
    void *arg, const struct store_client *client, const struct finding *finding, uint8_t verdict)
{
	(void)verdict;
	add_client(arg, &client->ip, finding->has_ja4, finding->ja4);
	return true;
}

int
doctor_gather_database(
    const char *path, const struct store_filter *filter, struct doctor_feed *feed)
{
	/* A run's counters are those of all its clients, whenever it saw them. */
	struct runs runs = { feed, *filter };
	struct error err;
	struct store *store = store_open(path, STORE_READ, &err);
	int result = -1;

	if (store == NULL || store_snapshot_begin(store, &err) != 0) {
		log_error("%s", err.text);
		goto out;
	}
	feed->has_no_run = true;
	if (store_each_run(store, filter, on_run, &runs, &err) == 0 &&
	    store_each_finding(store, &runs.filter, on_finding, feed, &err) == 0)
		result = 0;
	else
		log_error("%s", err.text);
	store_snapshot_end(store);
out:
	store_close(store);
	return result;
}
