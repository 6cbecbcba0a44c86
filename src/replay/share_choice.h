/*
 * share_choice - whether it pays that threads share a replay's work.
 *
 * Packets that go from one processor to another cost more than those that stay: on the same machine
 * a tenth of all that one thread takes, or more than all of it, as it suits the host where it has
 * the processors at that moment.  So what a frame takes of the processors' time is watched, and
 * where threads together take much more than one alone, that one goes on alone for a while.  What
 * becomes of the packets does not depend on it.
 *
 * Threads: one at a time.
 */
#ifndef TLSTALLY_REPLAY_SHARE_CHOICE_H
#define TLSTALLY_REPLAY_SHARE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Ends of sessions are events, too: a mirror's mix has one in 43 to 78 frames, a storm in 10 to 25.
 * What has fewer is not worth it anywhere.
 */
#define SHARE_FRAMES_PER_EVENT_MAX 32
/* So many stretches of work are needed to tell a cost, beside the first, which is not usual. */
#define SHARE_STRETCHES_ALONE 2
#define SHARE_STRETCHES_SHARED 4
/* Two threads that take so many times one's processor time save a quarter of its time at most. */
#define SHARE_COST_MAX 1.5
/* For so many stretches one goes on alone; each time that sharing costs too much, twice as many. */
#define SHARE_PATIENCE_MIN 128
#define SHARE_PATIENCE_MAX 1024

/* What was worked on between two decisions. */
struct share_stretch {
	bool is_shared;
	uint64_t frame_count, event_count;
	int64_t spent_ns; /* of the processors' time */
};

struct share_choice {
	double alone_cost; /* nanoseconds a frame, of the latest stretches; 0: not known yet */
	unsigned wait;     /* stretches for which one goes on alone */
	unsigned patience;
	/* Since threads began to share, or one to work alone: */
	bool is_shared;
	unsigned count; /* of stretches */
	uint64_t frame_count;
	int64_t spent_ns;
};

void share_choice_init(struct share_choice *c);
/* Behind one stretch: is the next one to be shared? */
bool share_choice_add(struct share_choice *c, const struct share_stretch *stretch);

#endif
