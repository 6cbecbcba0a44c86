/*
 * second_stop - who is told to stop for a second time ends at once.
 *
 * Source: signal-safety(7).
 */
#ifndef TLSTALLY_BASE_SECOND_STOP_H
#define TLSTALLY_BASE_SECOND_STOP_H

#include <signal.h>
#include <stdint.h>

#include "base/clock.h"

/* timeout(1) sends a signal to the program and to its group. */
#define SAME_STOP_US INT64_C(100000)

/*
 * For a signal's handler: ends the program by that signal, unless it comes so soon after the first
 * one that it is the same.  `first_us`: when that came, by clock_monotonic_us.
 */
static inline void
second_stop(int signal_number, int64_t first_us)
{
	if (clock_monotonic_us() - first_us < SAME_STOP_US)
		return;
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}

#endif
