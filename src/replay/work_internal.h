/*
 * work_internal - shared by one thread alone (work.c) and several (crew.c).
 */
#ifndef TLSTALLY_REPLAY_WORK_INTERNAL_H
#define TLSTALLY_REPLAY_WORK_INTERNAL_H

#include "pipeline/front.h"
#include "pipeline/lanes.h"
#include "replay/progress.h"
#include "replay/work.h"

#define REPLAY_FRAMES 64
/* Packets that go through the halves of the pipeline together. */
#define REPLAY_BATCH 32

/* Some of the lanes, served by one thread at a time. */
struct replay_group {
	struct lanes *lanes;
	struct event_list *outbox; /* where what they settle goes; NULL: to the sink at once */
	struct event_sink *sink;
};

struct replay_work {
	struct replay_work_options options;
	struct front *front;
	struct replay_group groups[LANES];
	size_t group_count;
	bool is_auto; /* threads share the work only while that is worth it */
	struct progress progress;

	/* Of whoever reads. */
	struct frame frames[REPLAY_FRAMES];
	size_t frame_count, frame_at;
	uint64_t frames_seen; /* by the front, in all */
	/* Where names go; NULL: to the sink at once. */
	void (*on_name)(void *arg, const struct name_seen *seen);
	void *on_name_arg;
};

/*
 * Packets of the next frames, as front_read.  Returns false at the end of the captures, or when the
 * replay is to stop.
 */
bool replay_work_read(
    struct replay_work *w, struct packet *packets, size_t max, size_t *packet_count);

/* The next replay_work_read may go on in another piece of a file: see saved_is_at_border. */
bool replay_work_is_at_border(const struct replay_work *w);
/* Behind the packets of an epoch.  `last`: nothing follows, so all that is open is settled. */
void replay_work_end_epoch(struct lanes *lanes, int64_t now_us, int64_t set_back_us, bool last);

/*
 * Reads an epoch and follows each batch of its packets while it is in the first-level cache; for
 * who has all groups.  Returns false where there is nothing behind it.
 */
bool replay_work_follow_epoch(struct replay_work *w);

/* crew.c: replay_work_run with several threads that share all the work. */
int replay_crew_run(struct replay_work *w);

#endif
