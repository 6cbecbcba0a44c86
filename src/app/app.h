/*
 * app - what the commands share: the command table and exit statuses.
 */
#ifndef TLSTALLY_APP_APP_H
#define TLSTALLY_APP_APP_H

/* SPEC section 2. */
#define APP_EXIT_DONE 0
#define APP_EXIT_FAILED 1 /* something could not be done; what could be was, and is kept */
#define APP_EXIT_USAGE 2
#define APP_EXIT_FOUND 3 /* report and diff --fail-on */

struct app_command {
	const char *name;
	const char *summary;
	/* argv[0] is what messages begin with.  Returns the exit status. */
	int (*run)(int argc, char **argv);
};

int cmd_capture(int argc, char **argv);
int cmd_replay(int argc, char **argv);

#endif
