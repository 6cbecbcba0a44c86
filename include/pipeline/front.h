/*
 * front - the first half of a pipeline: frames in, TCP packets on ports of interest out.
 *
 * Takes the wrapping off, joins fragments, passes names on, and counts what the frames say of the
 * feed.  What becomes of the packets is pipeline/lanes.h's.
 *
 * How the packets are cut into epochs depends on nothing but them, so that whoever puts the results
 * of several lanes in order, an epoch at a time, does the same on each run and with any number of
 * threads.  An epoch ends after FRONT_EPOCH_PACKETS packets, FRONT_EPOCH_LEN bytes of payload or
 * FRONT_EPOCH_NAMES names, or where the clock was set back.
 *
 * Memory:  bounded by struct packet_options.
 * Threads: one at a time per front.
 */
#ifndef TLSTALLY_PIPELINE_FRONT_H
#define TLSTALLY_PIPELINE_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "packet/packet.h"
#include "pipeline/pipeline.h"

#define FRONT_EPOCH_PACKETS 1024
#define FRONT_EPOCH_LEN ((size_t)256 << 10)
#define FRONT_EPOCH_NAMES 512

struct front; /* opaque */

struct front *front_new(const struct pipeline_options *options);
void front_free(struct front *f);

/*
 * Decodes frames until `max` packets are found, and tells how many in *out_count.  Returns how many
 * frames that took: fewer than `count` also where an epoch ends, or where what a packet borrows
 * would not last.  The packets are valid as long as their frames, and until the next call.
 */
size_t front_read(struct front *f, const struct frame *frames, size_t count, struct packet *out,
    size_t max, size_t *out_count);
/* The capture is over. */
void front_finish(struct front *f);

/* True: nothing more is read before front_next_epoch. */
bool front_epoch_is_over(const struct front *f);
/* The packet time at the end of the epoch, for the lanes; INT64_MIN: it is not sure. */
int64_t front_now(const struct front *f);
/* Returns by how much the clock was set back between both epochs, for lanes_set_back; mostly 0. */
int64_t front_next_epoch(struct front *f);

/* As pipeline_unknown_links. */
size_t front_unknown_links(
    const struct front *f, struct pipeline_unknown_link out[PIPELINE_UNKNOWN_LINKS_MAX]);

#endif
