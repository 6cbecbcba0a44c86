/*
 * map - the bytes of a file where the system's page cache has them, without a copy.
 *
 * For large files that only grow or stay.  What is touched was asked for by map_reach first, so
 * that a fault of the disk is an answer and not a signal.  One that is cut meanwhile takes pages
 * away that were there: they read as zeros from then on, and map_was_cut tells it.
 *
 * Memory:  what lies between map_drop and map_reach, and what is kept; address space for all of it.
 * Threads: one at a time per map, and for all that are kept together; any may touch the bytes.
 */
#ifndef TLSTALLY_CAPTURE_MAP_H
#define TLSTALLY_CAPTURE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot; /* what the signal's handler knows of a map */

/* A piece of a map that was dropped and is still there. */
struct map_piece {
	uint8_t *bytes;
	size_t len;
	struct map_slot *slot;
	bool is_last; /* of its map */
};

/* What was dropped of several maps, and who looked at it is not done with yet; begins as zeros. */
struct map_kept {
	struct map_piece *pieces; /* owned, in the order in which they were dropped */
	size_t count, room;
	uint64_t released_count; /* pieces that were in front of these */
	uint64_t unwanted_count; /* so many, to come or not, are not to be kept */
};

struct map {
	uint8_t *bytes; /* NULL: none.  What was dropped and what was not reached is not there. */
	size_t len;
	size_t dropped; /* bytes in front that are gone */
	struct map_slot *slot;
	struct map_kept *kept; /* borrowed: where it goes what is dropped; NULL: away */
};

/* Maps `len` bytes from the front of a file.  False: it has to be read in another way. */
bool map_open(struct map *m, int fd, size_t len);
void map_close(struct map *m);
/* Makes bytes[begin..end) touchable.  False: they are not all there, or cannot be read. */
bool map_reach(struct map *m, size_t begin, size_t end);
/* What lies before `upto` is not touched any more, but by who was handed it where it is kept. */
void map_drop(struct map *m, size_t upto);
/*
 * The first `count` pieces that were ever kept go away; those of them that are still to come do as
 * soon as they are dropped, unless a later call says less.
 */
void map_kept_release(struct map_kept *k, uint64_t count);
/* Pieces that were ever kept, those that went away at once among them. */
uint64_t map_kept_count(const struct map_kept *k);
/* All go away. */
void map_kept_free(struct map_kept *k);
/* Bytes that were reached may have turned into zeros. */
bool map_was_cut(const struct map *m);

#endif
