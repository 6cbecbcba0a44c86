/*
 * replay_summary - what a replay read, found and could not read, in a few lines on standard error.
 */
#ifndef TLSTALLY_APP_REPLAY_SUMMARY_H
#define TLSTALLY_APP_REPLAY_SUMMARY_H

#include <stdbool.h>

#include "capture/saved.h"
#include "replay/work.h"

/* Names what could not be read, even when `quiet`; returns -1 where there was something. */
int replay_summary_print(const struct saved *saved, const struct replay_work *work, bool quiet);
/* Of that the files which folders hold and which are no captures. */
void replay_summary_print_passed_over(const struct saved *saved);

#endif
