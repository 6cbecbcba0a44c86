/*
 * replay_options - the command line of `tlstally replay`.
 */
#ifndef TLSTALLY_APP_REPLAY_OPTIONS_H
#define TLSTALLY_APP_REPLAY_OPTIONS_H

#include <stdbool.h>

#include "app/policy_setup.h"
#include "base/addr.h"
#include "base/record_form.h"
#include "base/service.h"

struct replay_command {
	const char *db;
	const char *events; /* NULL: none; "-": standard output */
	enum record_form events_as;
	char sensor[65];
	struct policy_options policy_options;
	struct policy_setup policy; /* loaded from these */
	const char *follow;         /* a folder; NULL: `paths` are read once */
	size_t tally_len;           /* what waits to be stored of it, at most; 0: the default */
	unsigned thread_count;      /* up to REPLAY_THREADS_MAX; 0: as many as cost no more */
	bool again, no_names, quiet, verbose;
	struct service_set services;
	struct network_set internal;
	struct port_list vxlan_ports;
	const char *const *paths; /* borrowed from argv */
	size_t path_count;
};

/*
 * Returns true when the command is to be run; else *status is what to exit with.  `out` is to be
 * released either way.
 */
bool replay_command_parse(int argc, char **argv, struct replay_command *out, int *status);
void replay_command_release(struct replay_command *command);

#endif
