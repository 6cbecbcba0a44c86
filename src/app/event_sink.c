#include "app/event_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

#define WRITE_AT 262144 /* bytes of JSON per write */

struct event_sink {
	struct event_sink_options options;
	struct event *batch;
	size_t count, room;
	FILE *file;
	struct buf json;
	int write_errno; /* of the first write that failed; 0: none */
};

struct event_sink *
event_sink_new(const struct event_sink_options *options, struct error *err)
{
	struct event_sink *sink = xcalloc(1, sizeof(*sink));

	sink->options = *options;
	if (options->events_path == NULL)
		return sink;
	if (strcmp(options->events_path, "-") == 0)
		sink->file = stdout;
	else
		sink->file = fopen(options->events_path, "we");
	if (sink->file == NULL) {
		error_set(
		    err, "cannot write events to %s: %s", options->events_path, strerror(errno));
		free(sink);
		return NULL;
	}
	return sink;
}

void
event_sink_free(struct event_sink *sink)
{
	if (sink == NULL)
		return;
	if (sink->file != NULL && sink->file != stdout)
		(void)fclose(sink->file);
	buf_release(&sink->json);
	free(sink->batch);
	free(sink);
}

void
event_sink_add(void *arg, const struct event *ev)
{
	struct event_sink *sink = arg;

	if (sink->count == sink->room) {
		sink->room = sink->room < 64 ? 64 : sink->room * 2;
		sink->batch = xreallocarray(sink->batch, sink->room, sizeof(*sink->batch));
	}
	sink->batch[sink->count++] = *ev;
}

static void
write_json(struct event_sink *sink)
{
	if (sink->json.len > 0 && sink->write_errno == 0) {
		errno = 0;
		if (fwrite(sink->json.data, 1, sink->json.len, sink->file) != sink->json.len ||
		    fflush(sink->file) != 0)
			sink->write_errno = errno != 0 ? errno : EIO;
	}
	buf_clear(&sink->json);
}

static int
hand_on(struct event_sink *sink, const struct event *ev)
{
	const struct event_sink_options *o = &sink->options;

	if (sink->file != NULL) {
		event_write_json(ev, o->sensor, o->source_name(o->arg, ev->source), &sink->json);
		if (sink->json.len >= WRITE_AT)
			write_json(sink);
	}
	if (tally_add(o->tally, ev))
		return 0;
	return o->flush(o->arg) == 0 && tally_add(o->tally, ev) ? 0 : -1;
}

static int
compare_events(const void *a, const void *b)
{
	return event_compare(a, b);
}

int
event_sink_end_batch(struct event_sink *sink)
{
	int result = 0;

	if (sink->count > 1)
		qsort(sink->batch, sink->count, sizeof(*sink->batch), compare_events);
	for (size_t i = 0; i < sink->count && result == 0; i++)
		result = hand_on(sink, &sink->batch[i]);
	sink->count = 0;
	return result;
}

int
event_sink_close(struct event_sink *sink, struct error *err)
{
	if (sink->file != NULL) {
		write_json(sink);
		if (sink->file != stdout && fclose(sink->file) != 0 && sink->write_errno == 0)
			sink->write_errno = errno;
		sink->file = NULL;
	}
	if (sink->write_errno == 0)
		return 0;
	error_set(err, "the events in %s are not complete: %s", sink->options.events_path,
	    strerror(sink->write_errno));
	return -1;
}
