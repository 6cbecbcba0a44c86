/*
 * interrupt - nobody waits for a pipe's next bytes once the program is to stop.
 *
 * A read that is blocked comes back for a signal only in the thread that took the signal, and with
 * several threads that is seldom the one that reads.  So a stream is waited for together with a
 * descriptor that the signal's handler can make readable.
 *
 * Threads: any.  There is one for the process, as there is one handler for each signal.
 */
#ifndef TLSTALLY_CAPTURE_INTERRUPT_H
#define TLSTALLY_CAPTURE_INTERRUPT_H

#include <stdbool.h>

/* Before the first wait.  Where the system has no descriptor left, waits end with bytes only. */
void interrupt_prepare(void);

/* Waits until `fd` has bytes, or its end; false: it was interrupted, now or before. */
bool interrupt_wait(int fd);

bool interrupt_was_raised(void);

#endif
