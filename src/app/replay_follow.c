#include "app/replay_follow.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/known_captures.h"
#include "app/replay_losses.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "capture/follow.h"
#include "capture/link_name.h"
#include "capture/saved.h"
#include "flow/flow_table.h"
#include "pipeline/pipeline.h"
#include "sink/ending_limits.h"
#include "sink/event_flush.h"
#include "sink/event_sink.h"
#include "sink/event_writer.h"
#include "sink/judge.h"
#include "store/store.h"

#include "base/banned.h"

#define BATCH 512
#define WAIT_MS 1000
#define RETRY_MS 2000
/* No connection lasts over so many files. */
#define NAMES_MAX 1024

struct follower {
	struct replay_command *command;
	const volatile sig_atomic_t *stop;
	struct follow *follow;
	struct store *store;
	struct known_captures known;
	struct pipeline *pipeline;
	struct tally *tally;
	struct event_writer *writer; /* NULL: no events file */
	struct event_flush event_flush;
	struct naming *naming;
	struct event_sink *sink;
	struct hash_key name_key; /* of users' names */
	char *names[NAMES_MAX];   /* of the files; serial % NAMES_MAX */
	uint32_t serial;          /* of the file that is read; for frame.source */
	struct store_counter counted[PIPELINE_COUNTERS_MAX]; /* with the files before */
	int64_t end_us;    /* packet time up to which files were read */
	size_t link_count; /* unknown link types so far, which were logged */
	bool in_transaction;
	bool closing;        /* what is open is settled because the program ends */
	bool failing;        /* the database does not work, which was logged */
	bool is_incomplete;  /* something could not be read, which was logged */
	bool folder_failing; /* the same of the folder */
	struct error error;
};

/*
 * What was begun, but not answered, when the program was stopped goes on in the next file, and is
 * counted there by the next start; with a ServerHello it would not be.
 */
static void
on_event(void *arg, const struct event *ev)
{
	struct follower *f = arg;

	if (f->closing && (ev->outcome == OUTCOME_UNANSWERED || ev->outcome == OUTCOME_CLEARTEXT))
		return;
	event_sink_add(f->sink, ev);
}

static void
on_name(void *arg, const struct name_seen *seen)
{
	struct follower *f = arg;

	event_sink_add_name(f->sink, seen);
}

static const char *
source_name(void *arg, uint32_t source)
{
	struct follower *f = arg;

	return f->names[source % NAMES_MAX];
}

/* The database is locked, or its disk full: says so, once.  False: there is no time to wait. */
static bool
wait_for_store(struct follower *f)
{
	if (*f->stop)
		return false;
	if (!f->failing)
		log_error("%s; waiting for it", f->error.text);
	f->failing = true;
	(void)!poll(NULL, 0, RETRY_MS);
	return true;
}

static void
store_works(struct follower *f)
{
	if (f->failing)
		log_notice("the database works again");
	f->failing = false;
}

/* A full tally goes to the database at once, in the transaction of its file. */
static int
flush_full_tally(void *arg)
{
	struct follower *f = arg;
	bool is_first = !f->in_transaction;

	do {
		f->in_transaction = !is_first || store_begin(f->store, &f->error) == 0;
		if (f->in_transaction &&
		    store_flush(f->store, f->known.sensor_id, f->tally, NULL, &f->error) == 0) {
			store_works(f);
			return 0;
		}
		/* What was flushed in it before is lost, so trying again cannot help. */
		if (!is_first)
			return -1;
		store_rollback(f->store);
		f->in_transaction = false;
	} while (wait_for_store(f));
	return -1;
}

static int
open_store(struct follower *f)
{
	f->store = store_open(f->command->db, STORE_WRITE, &f->error);
	if (f->store == NULL ||
	    store_sensor(f->store, f->command->sensor, &f->known.sensor_id, &f->error) != 0)
		return -1;
	f->known.store = f->store;
	store_set_judge(f->store, judge_client, &f->command->policy.policy);
	return 0;
}

static int
open_follower(struct follower *f)
{
	const struct replay_command *c = f->command;
	struct pipeline_options options = {
		.services = &c->services,
		.packets.vxlan_ports = c->vxlan_ports,
		.internal = &c->internal,
		.minimum = c->policy.policy.minimum,
		.event = on_event,
		.name = c->no_names ? NULL : on_name,
		.ending = on_event,
		.name_key = &f->name_key,
		.arg = f,
	};
	const struct tally_options tally_options = { .max_bytes = c->tally_len };
	const struct event_writer_options writer_options = {
		.target = EVENT_TARGET_FILE,
		.path = c->events,
		.append = true,
		.sensor = c->sensor,
		.form = c->events_as,
	};
	struct event_sink_options sink_options = {
		.make_room = flush_full_tally,
		.fallback_window_us = c->policy.config.fallback_window_us,
		.source_name = source_name,
		.arg = f,
	};

	f->follow = follow_open(c->follow, &f->error);
	if (f->follow == NULL || open_store(f) != 0)
		return -1;
	if (c->events != NULL && (f->writer = event_writer_new(&writer_options, &f->error)) == NULL)
		return -1;
	f->event_flush.writer = f->writer;
	f->tally = tally_new(&tally_options);
	f->name_key = hash_key_random();
	sink_options.limits = ending_limits(&c->policy.config, c->policy.policy.minimum);
	sink_options.writer = f->writer;
	sink_options.tally = f->tally;
	sink_options.naming = f->naming = naming_new();
	f->sink = event_sink_new(&sink_options);
	flow_options_init(&options.flows);
	options.flows.is_saved = true;
	f->pipeline = pipeline_new(&options);
	return 0;
}

static void
close_follower(struct follower *f)
{
	pipeline_free(f->pipeline);
	event_sink_free(f->sink);
	naming_free(f->naming);
	event_writer_free(f->writer);
	tally_free(f->tally);
	store_close(f->store);
	known_captures_release(&f->known);
	follow_free(f->follow);
	for (size_t i = 0; i < NAMES_MAX; i++)
		free(f->names[i]);
}

static int
read_frames(struct follower *f, struct saved *saved)
{
	struct frame frames[BATCH];
	size_t count;

	while (!*f->stop && (count = saved_read(saved, frames, BATCH)) > 0) {
		for (size_t i = 0; i < count; i++)
			frames[i].source = f->serial;
		pipeline_add_many(f->pipeline, frames, count);
		if (event_sink_end_batch(f->sink) != 0)
			return -1;
	}
	return 0;
}

/* The counters of this file alone: those of the pipeline never start again. */
static size_t
count_file(struct follower *f, struct store_counter *out)
{
	struct pipeline_counter counters[PIPELINE_COUNTERS_MAX];
	size_t count = pipeline_counters(f->pipeline, counters);

	for (size_t i = 0; i < count; i++) {
		out[i] = (struct store_counter){ counters[i].name,
			counters[i].value - f->counted[i].value };
		f->counted[i].value = counters[i].value;
	}
	return count;
}

/* Tries again while the database is locked or its disk full; -1 where that cannot help. */
static int
store_patiently(struct follower *f, struct store_run *run)
{
	for (;;) {
		int result = store_flush(f->store, f->known.sensor_id, f->tally, run, &f->error);

		if (result == 0 && f->in_transaction)
			result = store_commit(f->store, &f->error);
		if (result == 0)
			store_works(f);
		/*
		 * A failed transaction has lost what was flushed in it before, so trying again
		 * cannot help.
		 */
		if (result == 0 || f->in_transaction || !wait_for_store(f)) {
			f->in_transaction = false;
			return result;
		}
	}
}

static int
store_file(struct follower *f, const struct saved *saved)
{
	const struct saved_file *file = saved_file_at(saved, 0);
	struct store_counter counters[PIPELINE_COUNTERS_MAX + REPLAY_LOSSES_MAX];
	const struct store_source source = {
		.name = file->name,
		.has_identity = true,
		.identity = { file->identity.head_hash, file->identity.packet_count,
		    file->identity.stream_hash },
		.packet_count = file->packet_count - file->skipped_count,
		.byte_count = file->byte_count - file->skipped_byte_count,
		.snapped_count = file->snapped_count,
		.skipped_count = file->skipped_count,
		.begin_us = file->begin_us,
		.end_us = file->end_us,
		.error = file->failed ? file->error.text : NULL,
	};
	struct store_run run = {
		.command = "replay",
		.started_us = timestamp_now(),
		.begin_us = file->begin_us,
		.end_us = file->end_us,
		.packet_count = source.packet_count,
		.byte_count = source.byte_count,
		.counters = counters,
		.counter_count = count_file(f, counters),
		.sources = &source,
		.source_count = 1,
	};

	run.counter_count += replay_losses(saved, counters + run.counter_count);
	log_notice("%s: %" PRIu64 " packets", file->name, source.packet_count);
	return store_patiently(f, &run);
}

/* What of the file, or of all that have such frames, could not be read. */
static void
tell_of_unread(struct follower *f, const struct saved_file *file)
{
	struct pipeline_unknown_link links[PIPELINE_UNKNOWN_LINKS_MAX];
	size_t count = pipeline_unknown_links(f->pipeline, links);

	if (file->failed)
		log_warning("%s", file->error.text);
	for (; f->link_count < count; f->link_count++) {
		struct buf link = { 0 };

		link_name_add(links[f->link_count].link_type, &link);
		log_error("%s has link type %s, which is not supported: no packet of that type "
			  "can be read",
		    file->name, buf_text(&link));
		buf_release(&link);
	}
	f->is_incomplete = f->is_incomplete || file->failed || count > 0;
}

static int
read_file(struct follower *f, const char *path)
{
	const struct saved_options options = { .known = known_captures_ask,
		.known_arg = &f->known };
	struct saved *saved = saved_open(&path, 1, &options);
	const struct saved_file *file = saved_file_at(saved, 0);
	int result = 0;

	f->serial++;
	free(f->names[f->serial % NAMES_MAX]);
	f->names[f->serial % NAMES_MAX] = xstrdup(file->name);
	if (read_frames(f, saved) != 0) {
		result = -1;
		goto out;
	}
	event_flush_try(&f->event_flush);
	tell_of_unread(f, file);
	if (file->end_us > f->end_us)
		f->end_us = file->end_us;
	if (file->packet_count > file->skipped_count)
		result = store_file(f, saved);
	else if (file->packet_count > 0)
		log_notice("%s is in the database already", file->name);
out:
	saved_free(saved);
	return result;
}

/* Settles what can be settled without being counted twice after a new start. */
static int
finish(struct follower *f)
{
	/* What has ended already does not go on in the next file. */
	pipeline_advance(f->pipeline, f->end_us + FLOW_LINGER_US);
	f->closing = true;
	pipeline_finish(f->pipeline);
	if (event_sink_end_batch(f->sink) != 0)
		return -1;
	if (store_patiently(f, NULL) != 0)
		return -1;
	if (f->writer != NULL && event_writer_flush(f->writer, &f->error) != 0) {
		error_prefix(&f->error, "the last events are lost");
		return -1;
	}
	return 0;
}

static void
tell_of_folder(struct follower *f)
{
	struct error err;
	bool failing = !follow_is_readable(f->follow, &err);

	if (failing && !f->folder_failing)
		log_error("%s; waiting for it", err.text);
	else if (!failing && f->folder_failing)
		log_notice("folder %s is there again", f->command->follow);
	f->folder_failing = failing;
}

int
replay_follow(struct replay_command *command, const volatile sig_atomic_t *stop)
{
	struct follower f = { .command = command, .stop = stop };
	int result = open_follower(&f);

	if (result == 0)
		log_notice("following %s into %s", command->follow, command->db);
	while (result == 0 && !*stop) {
		const char *path = follow_next(f.follow, WAIT_MS);

		tell_of_folder(&f);
		if (path != NULL)
			result = read_file(&f, path);
	}
	if (result == 0)
		result = finish(&f);
	if (result != 0)
		log_error("%s", f.error.text);
	close_follower(&f);
	return result == 0 && !f.is_incomplete ? APP_EXIT_DONE : APP_EXIT_FAILED;
}
