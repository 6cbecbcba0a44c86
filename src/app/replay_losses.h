/*
 * replay_losses - what the files of a replay say was lost while they were written, under the names
 * that a live run has for it.
 */
#ifndef TLSTALLY_APP_REPLAY_LOSSES_H
#define TLSTALLY_APP_REPLAY_LOSSES_H

#include <stddef.h>

#include "capture/saved.h"
#include "store/store.h"

#define REPLAY_LOSSES_MAX 2

/*
 * Of the files with something new, to be asked behind the last frame.  Returns how many; what is
 * not known, which is not zero, is left out.
 */
size_t replay_losses(const struct saved *saved, struct store_counter out[REPLAY_LOSSES_MAX]);

#endif
