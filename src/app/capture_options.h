/*
 * capture_options - the configuration of `tlstally capture`: file, then command line.
 */
#ifndef TLSTALLY_APP_CAPTURE_OPTIONS_H
#define TLSTALLY_APP_CAPTURE_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

struct capture_command {
	int argc;
	char **argv;        /* borrowed: a reload reads them once more */
	const char *config; /* NULL: no file */
	bool quiet, verbose;
	bool has_user; /* named by file or option: then it must exist */
};

/*
 * Returns true when the command is to be run; else *status is what to exit with.  `config` is to be
 * released when true.
 */
bool capture_command_parse(
    int argc, char **argv, struct capture_command *out, struct config *config, int *status);
/* The configuration anew, for a reload: -1 after its faults were logged. */
int capture_command_load(const struct capture_command *command, struct config *config);

#endif
