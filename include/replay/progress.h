/*
 * progress - one line on the terminal that tells how far a long read has come.
 */
#ifndef TLSTALLY_REPLAY_PROGRESS_H
#define TLSTALLY_REPLAY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool enabled;
	bool shown;
	int64_t started_us, last_us; /* the machine's clock */
};

/* Shows nothing unless standard error is a terminal and `wanted`. */
void progress_start(struct progress *p, bool wanted);
/* `total` 0: not known.  Cheap when the last line is fresh. */
void progress_update(struct progress *p, uint64_t done, uint64_t total);
/* Takes the line away. */
void progress_end(struct progress *p);

/* "1.2 GB"; returns `out`. */
#define PROGRESS_BYTES_TEXT_LEN 24
const char *progress_bytes_text(uint64_t bytes, char out[PROGRESS_BYTES_TEXT_LEN]);

#endif
