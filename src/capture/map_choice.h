/*
 * map_choice - whether large files are mapped or read: what takes less of the processor.
 *
 * A map saves the copy, waits for memory at every packet, and needs each page to be mapped where
 * the page cache has it in small ones; a read copies it, and finds it in the second-level cache
 * afterwards.  Which takes less is a matter of the machine: by a third of a replay, either way.  So
 * both are tried in turns, and that again now and then.
 *
 * Threads: one at a time.
 */
#ifndef TLSTALLY_CAPTURE_MAP_CHOICE_H
#define TLSTALLY_CAPTURE_MAP_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read before a trial: what a program begins with is slow. */
#define MAP_CHOICE_FIRST_LEN ((uint64_t)4 << 20)
/*
 * At most so many turns, in the order read, mapped, mapped, read: it may go on getting faster.
 * Fewer where each four of them leave no doubt.
 */
#define MAP_CHOICE_TURNS 12
#define MAP_CHOICE_TURN_LEN ((uint64_t)4 << 20)
/* The dearest turn of one, so many times, is less than the cheapest of the other: no doubt. */
#define MAP_CHOICE_CLEAR 1.125
/* About so many of a turn's short readings are timed: the clock of a thread is slow. */
#define MAP_CHOICE_SAMPLES 16
/* As was found best goes on so long, twice as long where it was found again, and so on. */
#define MAP_CHOICE_LASTS_LEN_MIN ((uint64_t)64 << 20)
#define MAP_CHOICE_LASTS_LEN_MAX ((uint64_t)512 << 20)

/* Of the turns of a trial, in nanoseconds for a byte; the least first. */
struct map_costs {
	double of[MAP_CHOICE_TURNS / 2];
	size_t count;
};

struct map_choice {
	bool is_mapped;     /* how to go on */
	unsigned turn;      /* 0: before them; 1 and up; behind the last: it is decided */
	uint64_t len;       /* read in this turn, or before or behind them */
	uint64_t lasts_len; /* of what was found best; 0: nothing yet */
	bool was_mapped;    /* found best */
	int64_t spent_ns;
	uint64_t reading_count;    /* short ones, as long as `len` */
	uint64_t stride;           /* one of so many stands for all of them */
	struct map_costs costs[2]; /* [0] read, [1] mapped */
};

void map_choice_init(struct map_choice *c);
/* So many bytes more were read; may change c->is_mapped. */
void map_choice_add(struct map_choice *c, uint64_t len);

/* What reading takes of the processor's time is of interest now. */
static inline bool
map_choice_is_trial(const struct map_choice *c)
{
	return c != NULL && c->turn > 0 && c->turn <= MAP_CHOICE_TURNS;
}

/* A short reading that stands for c->stride of them. */
static inline bool
map_choice_is_sampled(struct map_choice *c)
{
	return c != NULL && c->reading_count++ % c->stride == 0 && map_choice_is_trial(c);
}

/* It has taken so much. */
static inline void
map_choice_spend(struct map_choice *c, int64_t ns)
{
	c->spent_ns += ns;
}

#endif
