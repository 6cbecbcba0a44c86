/*
 * second_stop - who is told to stop for a second time ends at once.
 *
 * Source: signal-safety(7).
 */
#ifndef TLSTALLY_BASE_SECOND_STOP_H
#define TLSTALLY_BASE_SECOND_STOP_H

#include <stdint.h>

/*
 * For a signal's handler: ends the program by that signal, unless it comes so soon after the first
 * one that it is the same.  `first_us`: when that came, by clock_monotonic_us.
 */
void second_stop(int signal_number, int64_t first_us);

#endif
