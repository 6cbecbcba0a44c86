#include "app/devices.h"

#include "base/log.h"

#include "base/banned.h"

static void
on_fault(void *arg, unsigned line, const char *what)
{
	log_error("%s:%u: %s; the line is left out", (const char *)arg, line, what);
}

/* The registry is large: not read for nothing. */
static bool
has_macs(const struct report *r)
{
	for (size_t i = 0; i < r->client_count; i++) {
		if (r->clients[i].has_mac)
			return true;
	}
	return false;
}

int
devices_join(struct report *r, const char *names)
{
	struct vendors *vendors = NULL;
	struct owners *owners = NULL;
	struct error err;
	int result = 0;

	if (has_macs(r))
		vendors = vendors_open();
	if (names != NULL) {
		/* The callback does not change it. */
		owners = owners_read_file(names, on_fault, (void *)(uintptr_t)names, &err);
		if (owners == NULL)
			log_error("--names: %s", err.text);
		if (owners == NULL || owners_bad_count(owners) > 0)
			result = -1;
	}
	report_join_devices(r, vendors, owners);
	vendors_free(vendors);
	owners_free(owners);
	return result;
}
