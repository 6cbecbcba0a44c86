/*
 * stop - SIGINT and SIGTERM of a command that reads captures: the first one lets it settle and keep
 * what was read, a second one ends it at once.
 */
#ifndef TLSTALLY_APP_STOP_H
#define TLSTALLY_APP_STOP_H

#include <signal.h>

/* From now on.  What is returned is set by the first signal. */
const volatile sig_atomic_t *stop_on_signals(void);

#endif
