#include "base/second_stop.h"

#include <signal.h>

#include "base/clock.h"

#include "base/banned.h"

/* timeout(1) sends a signal to the program and to its group. */
#define SAME_STOP_US INT64_C(100000)

void
second_stop(int signal_number, int64_t first_us)
{
	if (clock_monotonic_us() - first_us < SAME_STOP_US)
		return;
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}
