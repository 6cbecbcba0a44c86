/*
 * player - conversations, played at the same time, into one capture and its truth.
 *
 * What is due first is played first; at the same microsecond, what was due for longer.
 * Conversations come from a source that is asked for the next one when its time has come.
 */
#ifndef TLSTALLY_BENCH_PLAYER_H
#define TLSTALLY_BENCH_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "conversation.h"

/* 2026-11-16 00:00 UTC */
#define PLAYER_START_US INT64_C(1794787200000000)
#define PLAYER_NEVER INT64_MAX

struct player_source {
	/* When the next conversation begins, microseconds after the start; PLAYER_NEVER: none. */
	int64_t (*next_us)(void *arg);
	/* Writes it. */
	void (*write)(void *arg, struct conversation *c);
	void *arg;
};

struct player_counts {
	uint64_t packets, bytes, conversations, events;
	uint64_t reordered, duplicated, retransmitted;
};

/* Into FOLDER/NAME.pcap and .truth.csv; false: it could not be written, which was said. */
bool player_run(const char *folder, const char *name, struct dice *dice,
    const struct player_source *source, struct player_counts *counts);

#endif
