#include "app/stop.h"

#include "base/clock.h"
#include "base/second_stop.h"
#include "capture/saved.h"

#include "base/banned.h"

static volatile sig_atomic_t asked;
static int64_t asked_us; /* for the handler of a second one */

static void
on_stop(int signal_number)
{
	if (asked) {
		second_stop(signal_number, asked_us);
		return;
	}
	asked_us = clock_monotonic_us();
	asked = 1;
	saved_interrupt();
}

const volatile sig_atomic_t *
stop_on_signals(void)
{
	struct sigaction action = { .sa_handler = on_stop };

	/* One at a time. */
	(void)sigaddset(&action.sa_mask, SIGINT);
	(void)sigaddset(&action.sa_mask, SIGTERM);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	return &asked;
}
