/* tlstally replay: saved captures in, inventory and events out. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/heap.h"
#include "app/known_captures.h"
#include "app/replay_follow.h"
#include "app/replay_losses.h"
#include "app/replay_options.h"
#include "app/replay_summary.h"
#include "app/stop.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "capture/saved.h"
#include "pipeline/pipeline.h"
#include "replay/work.h"
#include "sink/ending_limits.h"
#include "sink/event_sink.h"
#include "sink/event_writer.h"
#include "sink/judge.h"
#include "store/store.h"

#include "base/banned.h"

/*
 * Measured with a storm of handshakes by 50,000 clients, for a process of less than 64 MiB.  Few
 * mirrors have more connections open at once; of settled ones the oldest are forgotten, and
 * counted.
 */
#define REPLAY_TALLY_LEN ((size_t)32 << 20)
#define REPLAY_FLOWS 32768
#define REPLAY_UNSETTLED 8192

struct replay_run {
	struct replay_command *command;
	const volatile sig_atomic_t *stop;
	struct store *store;
	/* Of the store: a thread may read, and ask it for a capture, while another one fills it. */
	pthread_mutex_t store_lock;
	int64_t sensor_id;
	struct saved *saved;
	struct replay_work *work;
	struct tally *tally;
	struct event_writer *writer; /* NULL: no events file */
	struct naming *naming;
	struct event_sink *sink;
	struct hash_key name_key; /* of users' names */
	struct store_run run;
	bool in_transaction;
	struct known_captures known;
	struct error error; /* of a flush that failed */
};

static const char *
source_name(void *arg, uint32_t source)
{
	struct replay_run *r = arg;

	return saved_file_at(r->saved, source)->name;
}

/* In the one transaction of the whole replay. */
static int
flush_in_transaction(struct replay_run *r)
{
	if (!r->in_transaction) {
		if (store_begin(r->store, &r->error) != 0)
			return -1;
		r->in_transaction = true;
	}
	return store_flush(r->store, r->sensor_id, r->tally, NULL, &r->error);
}

/* A tally that is full goes to the database at once. */
static int
flush_full_tally(void *arg)
{
	struct replay_run *r = arg;
	int result;

	(void)pthread_mutex_lock(&r->store_lock);
	result = flush_in_transaction(r);
	(void)pthread_mutex_unlock(&r->store_lock);
	return result;
}

/* Files with something new, as the store keeps them.  Returns how many. */
static size_t
gather_sources(const struct saved *saved, struct store_source *out, struct store_run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < saved_file_count(saved); i++) {
		const struct saved_file *f = saved_file_at(saved, i);

		if (f->unusable || (f->packet_count > 0 && f->skipped_count == f->packet_count))
			continue;
		out[count++] = (struct store_source){
			.name = f->name,
			.has_identity = f->packet_count > 0,
			.identity = { f->identity.head_hash, f->identity.packet_count,
			    f->identity.stream_hash },
			.packet_count = f->packet_count - f->skipped_count,
			.byte_count = f->byte_count - f->skipped_byte_count,
			.snapped_count = f->snapped_count,
			.skipped_count = f->skipped_count,
			.begin_us = f->begin_us,
			.end_us = f->end_us,
			.error = f->failed ? f->error.text : NULL,
		};
		run->packet_count += f->packet_count - f->skipped_count;
		run->byte_count += f->byte_count - f->skipped_byte_count;
		if (f->packet_count == f->skipped_count)
			continue;
		if (run->begin_us == 0 || f->begin_us < run->begin_us)
			run->begin_us = f->begin_us;
		if (f->end_us > run->end_us)
			run->end_us = f->end_us;
	}
	return count;
}

static int
store_result(struct replay_run *r)
{
	struct store_source *sources =
	    xcalloc(saved_file_count(r->saved), sizeof(struct store_source));
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	struct store_counter stored[PIPELINE_COUNTERS_MAX + REPLAY_LOSSES_MAX];
	size_t source_count = gather_sources(r->saved, sources, &r->run);
	int result = -1;

	if (source_count == 0) {
		result = 0; /* nothing new: the database stays as it is */
		goto out;
	}
	/*
	 * Two replays of one capture may run side by side: the one that ends second stores nothing.
	 */
	for (size_t i = 0; i < source_count; i++)
		sources[i].must_be_new = !r->command->again;
	r->run.sources = sources;
	r->run.source_count = source_count;
	r->run.counter_count = replay_work_counters(r->work, counters);
	for (size_t i = 0; i < r->run.counter_count; i++)
		stored[i] = (struct store_counter){ counters[i].name, counters[i].value };
	r->run.counter_count += replay_losses(r->saved, stored + r->run.counter_count);
	r->run.counters = stored;
	if (replay_work_has_threads(r->work))
		store_use_thread(r->store);
	heap_give_back(); /* no connection is followed any more, and the flush needs room */
	if (store_flush(r->store, r->sensor_id, r->tally, &r->run, &r->error) != 0)
		goto out;
	if (r->in_transaction && store_commit(r->store, &r->error) != 0)
		goto out;
	result = 0;
out:
	free(sources);
	return result;
}

static int
open_store(struct replay_run *r)
{
	struct error err;

	r->store = store_open(r->command->db, STORE_FILL, &err);
	if (r->store == NULL ||
	    store_sensor(r->store, r->command->sensor, &r->sensor_id, &err) != 0) {
		log_error("%s", err.text);
		return -1;
	}
	r->known.store = r->store;
	r->known.lock = &r->store_lock;
	r->known.sensor_id = r->sensor_id;
	store_set_judge(r->store, judge_client, &r->command->policy.policy);
	return 0;
}

static int
open_run(struct replay_run *r)
{
	const struct replay_command *c = r->command;
	const struct tally_options tally_options = { .max_bytes = REPLAY_TALLY_LEN };
	struct saved_options saved_options = { .known = known_captures_ask,
		.known_arg = &r->known };
	struct pipeline_options options = {
		.services = &c->services,
		.packets.vxlan_ports = c->vxlan_ports,
		.internal = &c->internal,
		.minimum = c->policy.policy.minimum,
		.name_key = &r->name_key,
	};
	struct event_writer_options writer_options = {
		.target = EVENT_TARGET_FILE,
		.path = c->events,
		.sensor = c->sensor,
		.form = c->events_as,
	};
	struct event_sink_options sink_options = {
		.make_room = flush_full_tally,
		.fallback_window_us = c->policy.config.fallback_window_us,
		.source_name = source_name,
		.arg = r,
	};
	struct replay_work_options work_options = {
		.pipeline = &options,
		.names = !c->no_names,
		.thread_count = c->thread_count,
		.show_progress = !c->quiet,
		.stop = r->stop,
	};
	struct error err;

	if (open_store(r) != 0)
		return -1;
	r->tally = tally_new(&tally_options);
	if (c->events != NULL && (r->writer = event_writer_new(&writer_options, &err)) == NULL) {
		log_error("%s", err.text);
		return -1;
	}
	r->name_key = hash_key_random();
	sink_options.limits = ending_limits(&c->policy.config, c->policy.policy.minimum);
	sink_options.writer = r->writer;
	sink_options.tally = r->tally;
	sink_options.naming = r->naming = naming_new();
	r->sink = event_sink_new(&sink_options);
	flow_options_init(&options.flows);
	options.flows.max_flows = REPLAY_FLOWS;
	options.flows.max_unsettled = REPLAY_UNSETTLED;
	options.flows.is_saved = true;
	r->saved = saved_open(c->paths, c->path_count, c->again ? NULL : &saved_options);
	work_options.saved = r->saved;
	work_options.sink = r->sink;
	r->work = replay_work_new(&work_options);
	r->run.command = "replay";
	r->run.started_us = timestamp_now();
	return 0;
}

static void
close_run(struct replay_run *r)
{
	replay_work_free(r->work);
	event_sink_free(r->sink);
	naming_free(r->naming);
	event_writer_free(r->writer);
	saved_free(r->saved);
	tally_free(r->tally);
	store_close(r->store);
	known_captures_release(&r->known);
}

/* -1: the file of events is not complete, which was said. */
static int
finish_events(struct replay_run *r)
{
	struct error err;
	uint64_t lost;

	if (r->writer == NULL)
		return 0;
	if (event_writer_finish(r->writer, &err) != 0) {
		log_error("%s: they are not complete", err.text);
		return -1;
	}
	lost = event_writer_lost(r->writer);
	if (lost > 0)
		log_error("%" PRIu64
			  " events are missing in %s, which could not be written for a while",
		    lost, r->command->events);
	return lost > 0 ? -1 : 0;
}

static int
replay_all(struct replay_run *r)
{
	int status = APP_EXIT_DONE;

	/* A tally that cannot be emptied is a database that cannot be written: nothing goes on
	 * then. */
	if (replay_work_run(r->work) != 0 || store_result(r) != 0) {
		log_error("%s; nothing of this replay was stored", r->error.text);
		status = APP_EXIT_FAILED;
	}
	if (finish_events(r) != 0)
		status = APP_EXIT_FAILED;
	if (replay_summary_print(r->saved, r->work, r->command->quiet) != 0)
		status = APP_EXIT_FAILED;
	if (*r->stop) {
		log_error("stopped by a signal; what was read before is kept");
		status = APP_EXIT_FAILED;
	}
	return status;
}

static int
replay_once(struct replay_run *r)
{
	int status = open_run(r) == 0 ? replay_all(r) : APP_EXIT_FAILED;

	close_run(r);
	return status;
}

int
cmd_replay(int argc, char **argv)
{
	struct replay_command command;
	struct replay_run r = { .command = &command, .store_lock = PTHREAD_MUTEX_INITIALIZER };
	int status = APP_EXIT_FAILED;

	if (!replay_command_parse(argc, argv, &command, &status)) {
		replay_command_release(&command);
		return status;
	}
	log_set_level(command.verbose ? LOG_DEBUG : command.quiet ? LOG_WARNING : LOG_NOTICE);
	r.stop = stop_on_signals();
	if (command.follow != NULL)
		status = replay_follow(&command, r.stop);
	else
		status = replay_once(&r);
	/* Wrong lines of the list were named at the start. */
	if (status == APP_EXIT_DONE && command.policy.services.fault_count > 0)
		status = APP_EXIT_FAILED;
	replay_command_release(&command);
	return status;
}
