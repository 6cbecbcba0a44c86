/*
 * daemon - live interfaces in, inventory and events out, until told to stop.
 *
 * Opens the interfaces and the outputs, drops its privileges, confines itself, and only then reads
 * a packet.  Threads of its own capture (src/daemon/capture_worker.h) and write the database
 * (src/daemon/store_worker.h); the calling one takes events from those to this.
 *
 * SIGTERM and SIGINT flush and stop, SIGHUP reads the configuration again and opens the events file
 * anew, SIGUSR1 logs a status line.  Tells systemd how it is (sd_notify(3)).
 *
 * Threads: once in a process, from its first thread.
 */
#ifndef TLSTALLY_DAEMON_DAEMON_H
#define TLSTALLY_DAEMON_DAEMON_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "policy/switch_off.h"

struct daemon_options {
	/* The configuration's user is the default one, which a machine need not have. */
	bool user_may_be_missing;
	/* An option set the log level: a reload leaves it alone. */
	bool keep_log_level;
	/* The configuration anew, to be released: -1 after its faults were logged. */
	int (*load_config)(void *arg, struct config *out);
	/* The list of services anew, to be freed; NULL: it cannot be read. */
	struct switch_off *(*load_services)(
	    void *arg, const struct config *config, struct error *err);
	void *arg;
};

/*
 * Runs with `config`, which a reload changes where it can.  Returns 0 when it was stopped and
 * nothing is lost; else -1, after that was logged.
 */
int daemon_run(struct config *config, const struct daemon_options *options);

#endif
