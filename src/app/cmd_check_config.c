/* tlstally check-config: what is wrong with the configuration, line by line. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/cmd_check_config.h"
#include "app/option_values.h"
#include "app/services_file.h"
#include "base/log.h"
#include "config/config.h"
#include "policy/printable.h"
#include "tls/names.h"

#include "base/banned.h"

#define LINE_MAX_SHOWN 4096

static const char help_text[] =
    "Usage: tlstally check-config [OPTION...]\n"
    "\n"
    "Reads the configuration and says what is wrong with it, a line for each fault,\n"
    "on standard error: FILE:LINE: [section] key: what is wrong, and what would be\n"
    "right. A user that this machine does not have is told, too, but is no fault.\n"
    "Then the same for the list of services that are switching old versions off,\n"
    "which it names or leaves to the default.\n"
    "\n"
    "  -C, --config FILE      the file (default:\n"
    "                         " CONFIG_DEFAULT_PATH ", if it is there)\n"
    "  -v, --verbose          also show all settings as they are in force, in the\n"
    "                         form of the file; defaults begin with a #\n"
    "  -q, --quiet            nothing but faults\n"
    "  -h, --help             show this help\n"
    "\n"
    "Exit status: 0 both are fine; 1 one has faults, or cannot be read; 2 wrong\n"
    "usage.\n"
    "\n"
    "Examples:\n"
    "  tlstally check-config\n"
    "  tlstally check-config --config new.conf --verbose\n";

struct command {
	const char *path;
	bool has_path; /* else `path` is the default, which need not be there */
	bool verbose, quiet;
	bool help;
};

static int
parse_command(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'C' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 0; /* glibc: start anew, with the command's own argv */
	while ((option = getopt_long(argc, argv, "C:c:vqh", options, NULL)) != -1) {
		switch (option) {
		case 'C':
		case 'c': /* its first name */
			c->path = optarg;
			c->has_path = true;
			break;
		case 'v':
			c->verbose = true;
			break;
		case 'q':
			c->quiet = true;
			break;
		case 'h':
			c->help = true;
			return 0;
		default: /* getopt_long has said what is wrong */
			return -1;
		}
	}
	if (optind < argc) {
		log_error("check-config takes no '%s': name the file with --config", argv[optind]);
		return -1;
	}
	return 0;
}

static int
write_text(FILE *stream, const struct buf *text)
{
	if ((text->len == 0 || fwrite(text->data, 1, text->len, stream) == text->len) &&
	    fflush(stream) == 0)
		return 0;
	if (stream != stderr)
		log_error("cannot write the answer: %s", strerror(errno));
	return -1;
}

/* A file may hold anything, and so may its name. */
static void
add_shown(struct buf *out, const struct buf *line)
{
	printable_add(out, span_from(line->data, line->len), LINE_MAX_SHOWN);
	buf_add_char(out, '\n');
}

static void
print_faults(const char *path, const struct config_faults *faults)
{
	struct buf line = { 0 }, out = { 0 };

	for (size_t i = 0; i < faults->count; i++) {
		buf_clear(&line);
		config_fault_to_text(&faults->items[i], path, &line);
		add_shown(&out, &line);
	}
	if (faults->more_count > 0) {
		buf_clear(&line);
		buf_addf(&line, "%s: and %zu more faults", path, faults->more_count);
		add_shown(&out, &line);
	}
	(void)write_text(stderr, &out);
	buf_release(&line);
	buf_release(&out);
}

/* Line by line, because line ends must not be escaped. */
static void
add_settings(struct buf *out, const struct config *config)
{
	struct buf text = { 0 }, line = { 0 };
	const char *p, *end;

	config_to_text(config, &text);
	for (p = buf_text(&text); (end = strchr(p, '\n')) != NULL; p = end + 1) {
		buf_clear(&line);
		buf_add(&line, p, (size_t)(end - p));
		add_shown(out, &line);
	}
	buf_release(&text);
	buf_release(&line);
}

/*
 * Settings that are in force, and "FILE is fine" for each file.  `has_file`: false where there is
 * no configuration, and none was named.
 */
static int
print_fine(
    const struct command *c, const struct config *config, bool has_file, const char *services)
{
	struct buf line = { 0 }, out = { 0 };
	int result;

	if (c->verbose)
		add_settings(&out, config);
	if (!c->quiet) {
		/* After the settings it is one more comment, so that all is in the form of the
		 * file.
		 */
		buf_addf(&line,
		    has_file ? "%s%s is fine" : "%sthere is no %s: the defaults are in force",
		    c->verbose ? "# " : "", c->path);
		add_shown(&out, &line);
		buf_clear(&line);
		if (services != NULL) {
			buf_addf(&line, "%s%s is fine", c->verbose ? "# " : "", services);
			add_shown(&out, &line);
		}
	}
	result = write_text(stdout, &out);
	buf_release(&line);
	buf_release(&out);
	return result;
}

/* The key names what this machine does not have. */
static void
print_missing(const struct command *c, const struct config *config, enum config_key key,
    const char *what, const char *remedy)
{
	struct buf line = { 0 }, out = { 0 };

	buf_addf(&line, "%s:%u: [%s] %s: %s: %s", c->path, config->line[key],
	    config_key_section(key), config_key_name(key), what, remedy);
	add_shown(&out, &line);
	(void)write_text(stderr, &out);
	buf_release(&line);
	buf_release(&out);
}

/* Faults are told as they are found. */
static int
check_services(const struct command *c, struct services_file *services, const struct config *config)
{
	struct error err;

	if (services_file_load(services, NULL, config, &err) != 0) {
		if (config->line[CONFIG_POLICY_SERVICES_FILE] != 0)
			print_missing(c, config, CONFIG_POLICY_SERVICES_FILE, err.text,
			    "name one that can be read, or take the key out");
		else
			log_error("%s", err.text);
		return -1;
	}
	services_file_warn_if_missing(services);
	return services->fault_count == 0 ? 0 : -1;
}

/*
 * Without the one that the file names, `capture` does not start as root; the default may miss.  No
 * fault of the file, which may be meant for another machine.
 */
static void
warn_of_user(const struct command *c, const struct config *config)
{
	if (config->line[CONFIG_DAEMON_USER] != 0 && getpwnam(config->user) == NULL)
		print_missing(c, config, CONFIG_DAEMON_USER, "this machine has no such user",
		    "make it before capture is started as root, or name another one");
}

static int
run(const struct command *c)
{
	static const struct config_versions versions = {
		.from_text = tls_version_from_text,
		.name = tls_version_name,
	};
	struct config config;
	struct services_file services = { 0 };
	struct config_faults faults = { 0 };
	bool has_file = c->has_path || access(c->path, F_OK) == 0 || errno != ENOENT;
	int status = APP_EXIT_FAILED;

	config_init_defaults(&config, &versions);
	if (has_file && config_read_file(&config, c->path, &faults) != 0)
		print_faults(c->path, &faults);
	else {
		warn_of_user(c, &config);
		if (check_services(c, &services, &config) == 0 &&
		    print_fine(c, &config, has_file, services.path) == 0)
			status = APP_EXIT_DONE;
	}
	services_file_release(&services);
	config_faults_release(&faults);
	config_release(&config);
	return status;
}

int
cmd_check_config(int argc, char **argv)
{
	struct command c = { .path = CONFIG_DEFAULT_PATH };

	if (parse_command(&c, argc, argv) != 0)
		return option_usage_error("check-config");
	if (c.help) {
		(void)fputs(help_text, stdout);
		return APP_EXIT_DONE;
	}
	return run(&c);
}
