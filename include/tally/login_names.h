/*
 * login_names - how many different names of each client and hour failed to log in.
 *
 * Takes keyed hashes of names and keeps them for as long as an hour goes on, so that a name counts
 * once however many sessions it fails in.  Only the numbers leave this place: without the key,
 * which is random, in memory alone and gone with the process, the hashes say nothing, and they are
 * stored nowhere.
 *
 * The number is a lower bound: names beyond LOGIN_NAMES_MAX are not told apart, a new start
 * forgets, and of too many clients at a time the earliest hours give way.
 *
 * Memory:  about 2 MiB at most, from the first failed login on.
 * Threads: one at a time.
 */
#ifndef TLSTALLY_TALLY_LOGIN_NAMES_H
#define TLSTALLY_TALLY_LOGIN_NAMES_H

#include "event/event.h"

/* Names of one client in one hour. */
#define LOGIN_NAMES_MAX 128

struct login_names; /* opaque */

struct login_names *login_names_new(void);
void login_names_free(struct login_names *n);

/* Sets ev->ending.names_in_hour, after its own names were added; an EVENT_SESSION_END. */
void login_names_apply(struct login_names *n, struct event *ev);

#endif
