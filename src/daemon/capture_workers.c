#include "daemon/capture_workers.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/open_files.h"

#include "base/banned.h"

/* Descriptors: of a worker (socket, handle, loop, waking, what the interface drops), and of
 * everything else, with room. */
#define WORKER_FILES_MAX 10
#define FILES_MAX 24

static struct capture_worker *
open_worker(
    const struct capture_workers *w, size_t index, const struct config *config, struct error *err)
{
	size_t interface = index / config->threads;
	struct capture_worker_options options = {
		.live = {
			.interface = config->interfaces.items[interface],
			.snap_len = (uint32_t)config->snap_len,
			.buffer_len = (uint32_t)config->buffer_len,
			.promiscuous = config->promiscuous,
			.source = (uint32_t)index,
		},
		.tunnels = config->tunnels,
		.vxlan_ports = config->vxlan_ports,
		.names = config->names,
		.share = (unsigned)(index % config->threads),
		.share_count = (unsigned)config->threads,
		.services = &config->services,
		.internal = &config->internal,
		.minimum = config->minimum,
		.name_key = &w->name_key,
		.wake_fd = w->wake_fd,
	};

	flow_options_init(&options.flows);
	options.flows.max_flows = config->max_flows;
	options.flows.max_unsettled = config->max_unsettled;
	options.flows.max_held_len = config->max_held_len;
	return capture_worker_new(&options, err);
}

/* An interface may have several names (ip-link(8), altname). */
static int
check_names(const struct config_texts *interfaces, struct error *err)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		const char *name = interfaces->items[i];
		unsigned index = if_nametoindex(name);

		for (size_t k = 0; index != 0 && k < i; k++) {
			if (if_nametoindex(interfaces->items[k]) != index)
				continue;
			error_set(err,
			    "%s and %s are names of one interface, so what passes there would "
			    "count twice: give one of them",
			    interfaces->items[k], name);
			return -1;
		}
	}
	return 0;
}

int
capture_workers_open(struct capture_workers *w, const struct config *config, struct error *err)
{
	size_t wanted = config->interfaces.count * config->threads;

	if (check_names(&config->interfaces, err) != 0 ||
	    open_files_allow(FILES_MAX + wanted * WORKER_FILES_MAX, err) != 0)
		return -1;
	w->name_key = hash_key_random();
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wake_fd < 0) {
		error_set(err, "cannot make what wakes a thread: %s", strerror(errno));
		return -1;
	}
	w->items = xcalloc(wanted, sizeof(struct capture_worker *));
	for (size_t i = 0; i < wanted; i++) {
		w->items[i] = open_worker(w, i, config, err);
		if (w->items[i] == NULL)
			return -1;
		w->count++;
	}
	return 0;
}

int
capture_workers_start(struct capture_workers *w, struct error *err)
{
	for (size_t i = 0; i < w->count; i++) {
		if (capture_worker_start(w->items[i], err) != 0)
			return -1;
	}
	return 0;
}

void
capture_workers_reload(struct capture_workers *w, const struct config *config)
{
	for (size_t i = 0; i < w->count; i++)
		capture_worker_reload(
		    w->items[i], &config->services, &config->internal, config->minimum);
}

void
capture_workers_release(struct capture_workers *w)
{
	for (size_t i = 0; i < w->count; i++)
		capture_worker_free(w->items[i]);
	free(w->items);
	if (w->wake_fd >= 0)
		(void)close(w->wake_fd);
	*w = (struct capture_workers){ .wake_fd = -1 };
}
