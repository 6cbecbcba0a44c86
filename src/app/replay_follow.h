/*
 * replay_follow - `tlstally replay --follow`: captures that another program rotates into a folder.
 *
 * All files are one stream for one pipeline, so a connection may span them; each file is stored
 * with what it brought in one transaction, so that a new start goes on behind it.
 */
#ifndef TLSTALLY_APP_REPLAY_FOLLOW_H
#define TLSTALLY_APP_REPLAY_FOLLOW_H

#include <signal.h>

#include "app/replay_options.h"

/* Goes on until *stop is set.  Returns the exit status. */
int replay_follow(struct replay_command *command, const volatile sig_atomic_t *stop);

#endif
