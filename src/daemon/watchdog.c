#include "daemon/watchdog.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/service_manager.h"

#include "base/banned.h"

int64_t
watchdog_interval_us(void)
{
	uint64_t limit_us;

	if (!service_manager_asks(&limit_us))
		return 0;
	/* Often enough that one late call does no harm. */
	return limit_us < 3000000 ? INT64_C(100000) : (int64_t)(limit_us / 4);
}

bool
watchdog_is_alive(int64_t now_us, int64_t beat_us, int64_t patience_us)
{
	return beat_us == 0 || now_us - beat_us <= patience_us;
}

/* The name of what hangs; NULL: nothing does. */
static const char *
find_hung(const struct watchdog *w, int64_t now_us)
{
	struct store_worker_state store;

	for (size_t i = 0; i < w->worker_count; i++) {
		struct capture_snapshot s;

		capture_worker_snapshot(w->workers[i], &s);
		if (!s.ended && !watchdog_is_alive(now_us, s.beat_us, WATCHDOG_CAPTURE_PATIENCE_US))
			return capture_worker_interface(w->workers[i]);
	}
	store_worker_get_state(w->store, &store);
	if (!watchdog_is_alive(now_us, store.busy_since_us, WATCHDOG_STORE_PATIENCE_US))
		return "the database";
	return NULL;
}

void
watchdog_tick(void *watchdog)
{
	struct watchdog *w = watchdog;
	const char *hung = find_hung(w, clock_monotonic_us());

	if (hung == NULL)
		service_manager_tell("WATCHDOG=1");
	else if (!w->silent)
		log_error(
		    "the thread of %s hangs: systemd is not told any more that all is well", hung);
	w->silent = hung != NULL;
}
