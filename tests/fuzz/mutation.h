/*
 * mutation - a saved capture, damaged the way that taps, sensors, disks and attackers do it.
 *
 * First the packets (flipped, dropped, swapped, repeated, cut, lied about, moved in time), then the
 * file that holds them.  All of it follows from a seed number.
 *
 * Memory: mutated packets live in an arena of fixed size; what does not fit stays as it was.
 */
#ifndef TLSTALLY_TESTS_FUZZ_MUTATION_H
#define TLSTALLY_TESTS_FUZZ_MUTATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/frame.h"

/* SplitMix64 (Steele, Lea, Flood): small, and the same everywhere. */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);
/* 0 to count - 1; 0 for a count of 0. */
size_t random_below(struct random *r, size_t count);

#define MUTATION_FRAMES_MAX 4096
#define MUTATION_ARENA_LEN ((size_t)4 << 20)

/* A capture in memory; frames borrow their bytes from a seed or from a mutation's arena. */
struct capture {
	struct frame *frames; /* owned */
	size_t count, room;
};

void capture_add(struct capture *c, const struct frame *frame);
void capture_release(struct capture *c);

struct mutation {
	struct random random;
	struct capture capture;
	uint8_t *arena; /* owned; MUTATION_ARENA_LEN bytes */
	size_t arena_len;
};

void mutation_init(struct mutation *m);
void mutation_release(struct mutation *m);

/* Mutant number `number` of the seeds: one of them, or some joined, and then changed. */
void mutation_make(
    struct mutation *m, const struct capture *seeds, size_t seed_count, uint64_t number);
/* The mutant as a file in one of the formats, which may be damaged too; `out` is emptied first. */
void mutation_write(struct mutation *m, struct buf *out);

#endif
