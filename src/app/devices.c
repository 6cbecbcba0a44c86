#include "app/devices.h"

#include "app/resolve.h"
#include "app/text_file.h"
#include "base/log.h"

#include "base/banned.h"

int
devices_set_resolver(struct devices_options *options, const char *text)
{
	if (!resolve_is_resolver(text)) {
		log_error("--resolver: '%.80s' is no address of a resolver: give one such as "
			  "192.0.2.53, or [2001:db8::53]:5353",
		    text);
		return -1;
	}
	options->resolve = true;
	options->resolver = text;
	return 0;
}

static void
on_fault(void *arg, unsigned line, const char *what)
{
	struct text_file_faults *faults = arg;

	if (faults->count++ < TEXT_FILE_FAULTS_SHOWN)
		log_error("%s:%u: %s; the line is left out", faults->path, line, what);
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

static int
resolve(struct report *r, const char *resolver)
{
	struct error err;
	size_t unanswered;

	if (resolve_clients(r, resolver, &unanswered, &err) != 0) {
		log_error("--resolve: %s", err.text);
		return -1;
	}
	if (unanswered > 0)
		log_warning("--resolve: %zu client%s without an answer", unanswered,
		    unanswered == 1 ? "" : "s");
	return 0;
}

int
devices_join(struct report *r, const struct devices_options *options)
{
	const char *names = options->names;
	struct text_file_faults faults = { .path = names };
	struct vendors *vendors = NULL;
	struct owners *owners = NULL;
	struct error err;
	int result = 0;

	if (has_macs(r) && vendors_open(&vendors, &err) != 0) {
		log_error("%s: makers of devices are missing", err.text);
		result = -1;
	}
	if (names != NULL) {
		owners = owners_read_file(names, on_fault, &faults, &err);
		if (owners == NULL)
			log_error("--names: %s", err.text);
		if (faults.count > TEXT_FILE_FAULTS_SHOWN)
			log_error("%s: and %zu more faults", names,
			    faults.count - TEXT_FILE_FAULTS_SHOWN);
		if (owners == NULL || owners_bad_count(owners) > 0)
			result = -1;
	}
	report_join_devices(r, vendors, owners);
	vendors_free(vendors);
	owners_free(owners);
	if (options->resolve && resolve(r, options->resolver) != 0)
		result = -1;
	return result;
}
