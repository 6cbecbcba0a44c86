#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/cmd_check_config.h"
#include "app/cmd_diff.h"
#include "app/cmd_doctor.h"
#include "app/cmd_export.h"
#include "app/cmd_merge.h"
#include "app/cmd_report.h"
#include "app/heap.h"
#include "app/option_values.h"
#include "base/log.h"

#include "base/banned.h"

static const struct app_command commands[] = {
	{ "replay", "read saved captures and update the inventory", cmd_replay },
	{ "capture", "the daemon: capture on interfaces until told to stop", cmd_capture },
	{ "report", "show the findings as a table for people", cmd_report },
	{ "export", "write the inventory for other programs, and as a page", cmd_export },
	{ "diff", "show what changed between two times, or two databases", cmd_diff },
	{ "merge", "join sensors' databases without counting anything twice", cmd_merge },
	{ "doctor", "say what is wrong with the feed and what to change", cmd_doctor },
	{ "check-config", "read the configuration and say what is wrong with it",
	    cmd_check_config },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* getopt begins its messages with argv[0]: all messages begin alike. */
static char program_name[] = "tlstally";

static void
print_usage(FILE *out)
{
	(void)fprintf(out,
	    "Usage: tlstally COMMAND [OPTION...]\n"
	    "\n"
	    "Tells which internal device negotiated which TLS version with which mail server.\n"
	    "\n"
	    "Commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		(void)fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].summary);
	(void)fprintf(out,
	    "  %-14s show the options of a command\n"
	    "\n"
	    "'tlstally COMMAND --help' shows the same; '--version', with or without a\n"
	    "command, the version.\n",
	    "help COMMAND");
}

static const struct app_command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int
unknown_command(const char *name)
{
	log_error("'%s' is no command; 'tlstally help' lists them", name);
	return APP_EXIT_USAGE;
}

/* Before a "--", as any option. */
static bool
has_version_option(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--version") == 0)
			return true;
	}
	return false;
}

/* No option and no file has an empty name: as a value, or as "--option=". */
static bool
has_empty_argument(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		const char *equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;

		if (argv[i][0] != '\0' && (equals == NULL || equals[1] != '\0'))
			continue;
		log_error("the argument behind '%.*s' is empty: give a value, or leave it out",
		    equals != NULL ? (int)(equals - argv[i]) : INT_MAX,
		    argv[equals != NULL ? i : i - 1]);
		(void)option_usage_error(argv[1]);
		return true;
	}
	return false;
}

static int
help(int argc, char **argv)
{
	const struct app_command *command;
	char help_option[] = "--help";
	char *help_argv[] = { program_name, help_option, NULL };

	if (argc < 3 || strcmp(argv[2], "help") == 0 || strcmp(argv[2], "--help") == 0 ||
	    strcmp(argv[2], "-h") == 0) {
		print_usage(stdout);
		return APP_EXIT_DONE;
	}
	command = find_command(argv[2]);
	if (command == NULL)
		return unknown_command(argv[2]);
	return command->run(2, help_argv);
}

static int
run(int argc, char **argv)
{
	const struct app_command *command;

	if (argc < 2) {
		print_usage(stderr);
		return APP_EXIT_USAGE;
	}
	command = find_command(argv[1]);
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0 ||
	    ((command != NULL || strcmp(argv[1], "help") == 0) && has_version_option(argc, argv))) {
		(void)printf("tlstally %s\n", TLSTALLY_VERSION);
		return APP_EXIT_DONE;
	}
	if (strcmp(argv[1], "help") == 0)
		return help(argc, argv);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return APP_EXIT_DONE;
	}
	if (command == NULL)
		return unknown_command(argv[1]);
	if (has_empty_argument(argc, argv))
		return APP_EXIT_USAGE;
	argv[1] = program_name;
	return command->run(argc - 1, argv + 1);
}

/*
 * A file opened first would get the number of a standard stream that is closed (`2>&-`), and what
 * is written to that.  What takes the stream's place here is open for the other direction, so to
 * read or write fails as before.
 */
static void
occupy_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			(void)!open("/", O_RDONLY | O_DIRECTORY); /* has no /dev */
	}
}

int
main(int argc, char **argv)
{
	int status;

	occupy_standard_streams();
	heap_keep_large_tables_off();
	/* A reader that goes away (`| head`) shows as an error of the write. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* So does a bound on the size of files (ulimit -f), where the disk would be full. */
	(void)signal(SIGXFSZ, SIG_IGN);
	status = run(argc, argv);
	/*
	 * Catches failures of what was written without a check, such as a help text; others were
	 * told.
	 */
	if (fflush(stdout) != 0 && status == APP_EXIT_DONE) {
		if (errno != EPIPE)
			log_error("cannot write to standard output: %s", strerror(errno));
		status = APP_EXIT_FAILED;
	}
	return status;
}
