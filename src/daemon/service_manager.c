#include "daemon/service_manager.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "base/library.h"

#include "base/banned.h"

#define SYSTEMD_LIBRARY "libsystemd.so.0"
#define SYSTEMD_FUNCTIONS(f) f(sd_notify) f(sd_watchdog_enabled)

struct systemd_library {
	SYSTEMD_FUNCTIONS(LIBRARY_POINTER)
};

LIBRARY_NAMES(systemd_library, SYSTEMD_FUNCTIONS);

/* As there is one systemd; set once, before there are threads. */
static struct systemd_library lib;

int
service_manager_find(struct error *err)
{
	if (getenv("NOTIFY_SOCKET") == NULL && getenv("WATCHDOG_USEC") == NULL)
		return 0;
	if (LIBRARY_LOAD(SYSTEMD_LIBRARY, systemd_library, &lib, err) == 0)
		return 0;
	error_prefix(err, "cannot tell systemd that the daemon runs");
	return -1;
}

void
service_manager_tell(const char *state)
{
	if (lib.sd_notify != NULL)
		(void)lib.sd_notify(0, state);
}

bool
service_manager_asks(uint64_t *limit_us)
{
	return lib.sd_watchdog_enabled != NULL && lib.sd_watchdog_enabled(0, limit_us) > 0;
}
