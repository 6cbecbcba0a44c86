/*
 * event_sink - where settled events go: they get their names, then the tally counts them and the
 * events file takes them, in the order of settling.
 *
 * A batch of events is put in order before it is handed on: by the packet time at which they were
 * settled, then the packet time at which they began, then client and server with their ports.  So
 * what one pipeline or several settle in a batch always comes out the same way.  How sessions ended
 * is judged here and counted, but is no line of the file.
 *
 * Names that were seen in a batch are learned between its events, each before the first that was
 * settled at its time or later.
 *
 * Fallbacks are told here, where all events of a sensor come by in their final order, and counted
 * with them.
 *
 * Memory: a batch has as many events as its owner lets come together; of a pipeline no more than
 *         it has connections, which all end at once when the capture does.
 */
#ifndef TLSTALLY_SINK_EVENT_SINK_H
#define TLSTALLY_SINK_EVENT_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "event/event_list.h"
#include "pipeline/naming.h"
#include "sink/event_writer.h"
#include "tally/tally.h"

struct event_sink; /* opaque */

struct event_sink_options {
	struct event_writer *writer; /* borrowed; NULL: no events file */
	struct tally *tally;         /* borrowed */
	int64_t fallback_window_us;  /* 0: FALLBACK_DEFAULT_WINDOW_US */
	struct naming *naming;       /* borrowed; NULL: events stay as they are */
	struct event_ending_limits limits;
	/* The tally is full: makes room, or returns -1. */
	int (*make_room)(void *arg);
	/* The name of a frame's source. */
	const char *(*source_name)(void *arg, uint32_t source);
	void *arg;
};

struct event_sink *event_sink_new(const struct event_sink_options *options);
void event_sink_free(struct event_sink *sink);

/* For pipeline_options.event and .ending; `arg` is the sink.  May call what the options name. */
void event_sink_add(void *arg, const struct event *ev);
/* For pipeline_options.name; `arg` is the sink.  One of the batch that is not handed on yet. */
void event_sink_add_name(void *arg, const struct name_seen *seen);
/*
 * Puts the events of a batch in order and hands them on.  Returns how many could not be counted
 * because there was no room in the tally.
 */
size_t event_sink_end_batch(struct event_sink *sink);
/* The same for events that others have gathered, which form one batch; the lists stay as they are.
 */
size_t event_sink_hand_on(
    struct event_sink *sink, const struct event_list *lists, size_t list_count);
/* Of these since the start: handshakes and sessions, but not ends of sessions. */
uint64_t event_sink_lost(const struct event_sink *sink);
/*
 * What is handed on after the next batch was settled no earlier than this (INT64_MAX: nothing is
 * known of it, as at the start): names that were seen later wait for it.
 */
void event_sink_expect(struct event_sink *sink, int64_t settled_us);
/* How long after a failed try a lower one is a fallback, from now on. */
void event_sink_set_fallback_window(struct event_sink *sink, int64_t window_us);
/* Judges endings by these from now on. */
void event_sink_set_limits(struct event_sink *sink, const struct event_ending_limits *limits);
/* Counts into another tally from now on. */
void event_sink_set_tally(struct event_sink *sink, struct tally *tally);

#endif
