#include "app/capture_options.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "app/app.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/text_file.h"
#include "base/buf.h"
#include "base/log.h"
#include "tls/names.h"

#include "base/banned.h"

static const char help_text[] =
    "Usage: tlstally capture -i IFACE... [OPTION...]\n"
    "\n"
    "Captures on one or more interfaces until told to stop, and keeps the inventory\n"
    "up to date. Once the interfaces are open it becomes an unprivileged user.\n"
    "Options override the file.\n"
    "\n"
    "  -i, --interface IFACE  capture there; may be repeated\n"
    "  -C, --config FILE      the configuration (default:\n"
    "                         /etc/tlstally/tlstally.conf, if it is there)\n"
    "  -d, --db FILE          the database (default: that of the configuration;\n"
    "                         tlstally.db without one)\n"
    "  -e, --events FILE      also write each event as a line of JSON; - for standard\n"
    "                         output, syslog for the system's log\n"
    "      --events-as FORM   in words of tlstally (default), ecs, zeek, eve, splunk\n"
    "      --internal LIST    networks whose clients count, with commas between them,\n"
    "                         or any\n"
    "  -S, --service PORT=imap|pop3|smtp|tls[+starttls]\n"
    "                         add or change a service; may be repeated\n"
    "  -m, --minimum VERSION  the lowest version that is good enough\n"
    "                         (default: TLSv1.2)\n"
    "      --services-file FILE\n"
    "                         the services that are switching old versions off\n"
    "                         (default: /etc/tlstally/switching-off.conf, else the\n"
    "                         one that came with the program)\n"
    "      --sensor NAME      name of the place of capture (default: the host's)\n"
    "  -B, --buffer SIZE      the kernel's ring, for each thread, such as 64MiB\n"
    "      --snap-length SIZE bytes kept of each packet, such as 64KiB\n"
    "  -j, --threads N        threads for each interface\n"
    "  -p, --no-promiscuous   only what is sent to or by this host\n"
    "      --tunnels          also look into tunnels\n"
    "      --vxlan-port LIST  UDP ports that carry VXLAN, besides 4789, 4790 and 8472\n"
    "      --no-names         do not learn names from DNS, DHCP, mDNS and NBNS\n"
    "      --flush-interval T how often the database is written, such as 1s\n"
    "      --user NAME        whom to run as after the start\n"
    "  -q, --quiet            warnings and errors only\n"
    "  -v, --verbose          also what is of interest to developers\n"
    "  -h, --help             show this help\n"
    "\n"
    "SIGTERM and SIGINT flush and stop, a second one leaves at once; SIGHUP reads the\n"
    "file again and opens the events file anew; SIGUSR1 logs a status line.\n"
    "\n"
    "Exit status: 0 stopped as told; 1 it could not start or go on; 2 wrong usage, or\n"
    "faults in the configuration.\n";

static const struct option long_options[] = {
	{ "interface", required_argument, NULL, 'i' },
	{ "config", required_argument, NULL, 'C' },
	{ "db", required_argument, NULL, 'd' },
	{ "events", required_argument, NULL, 'e' },
	{ "events-as", required_argument, NULL, OPTION_EVENTS_AS },
	{ "internal", required_argument, NULL, OPTION_INTERNAL },
	{ "service", required_argument, NULL, 'S' },
	{ "minimum", required_argument, NULL, 'm' },
	{ "services-file", required_argument, NULL, OPTION_SERVICES_FILE },
	{ "sensor", required_argument, NULL, OPTION_SENSOR },
	{ "buffer", required_argument, NULL, 'B' },
	{ "snap-length", required_argument, NULL, OPTION_SNAP_LENGTH },
	{ "threads", required_argument, NULL, 'j' },
	{ "no-promiscuous", no_argument, NULL, 'p' },
	{ "tunnels", no_argument, NULL, OPTION_TUNNELS },
	{ "vxlan-port", required_argument, NULL, OPTION_VXLAN_PORT },
	{ "no-names", no_argument, NULL, OPTION_NO_NAMES },
	{ "flush-interval", required_argument, NULL, OPTION_FLUSH_INTERVAL },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Options that stand for a key of the file; `value`: for those without an argument. */
static const struct {
	int option;
	const char *key;
	const char *value;
} keys[] = {
	{ 'i', "capture.interface", NULL },
	{ 'd', "store.database", NULL },
	{ 'e', "events.to", NULL },
	{ OPTION_EVENTS_AS, "events.as", NULL },
	{ OPTION_INTERNAL, "scope.internal", NULL },
	{ 'S', "scope.service", NULL },
	{ 'm', "policy.minimum", NULL },
	{ OPTION_SERVICES_FILE, "policy.services_file", NULL },
	{ OPTION_SENSOR, "sensor.name", NULL },
	{ 'B', "capture.buffer", NULL },
	{ OPTION_SNAP_LENGTH, "capture.snap_length", NULL },
	{ 'j', "capture.threads", NULL },
	{ 'p', "capture.promiscuous", "no" },
	{ OPTION_TUNNELS, "capture.tunnels", "yes" },
	{ OPTION_VXLAN_PORT, "capture.vxlan_port", NULL },
	{ OPTION_NO_NAMES, "scope.names", "no" },
	{ OPTION_FLUSH_INTERVAL, "store.flush_interval", NULL },
	{ OPTION_USER, "daemon.user", NULL },
};

#define SHORT_OPTIONS "i:C:d:e:S:m:B:j:pqvh"

static const char *
long_name(int option)
{
	const struct option *o = long_options;

	while (o->val != option)
		o++;
	return o->name;
}

static int
set_key(struct config *config, int option, const char *arg)
{
	struct error err;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].option != option)
			continue;
		if (config_set(config, keys[i].key, arg != NULL ? arg : keys[i].value, &err) == 0)
			return 0;
		log_error("--%s: %s", long_name(option), err.text);
		return -1;
	}
	return 0;
}

static void
log_faults(const struct config_faults *faults, const char *file)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct buf text = { 0 };

		config_fault_to_text(&faults->items[i], file, &text);
		log_error("%s", buf_text(&text));
		buf_release(&text);
	}
}

/* Options may not name a pipe: each SIGHUP reads the files again, while packets wait. */
static bool
can_be_read_again(const char *path)
{
	if (path == NULL || !text_file_is_stream(path))
		return true;
	log_error("%s is a pipe, which cannot be read again: give a file", path);
	return false;
}

int
capture_command_load(const struct capture_command *command, struct config *config)
{
	const struct config_versions versions = { tls_version_from_text, tls_version_name };
	struct config_faults faults = { 0 };
	int option, result = -1;

	config_init_defaults(config, &versions);
	if (!can_be_read_again(command->config))
		goto out;
	if (command->config != NULL && config_read_file(config, command->config, &faults) != 0)
		goto out;
	/* Run by hand, without a configuration, the database is in the current folder. */
	if (command->config == NULL && set_key(config, 'd', OPTION_DEFAULT_DB) != 0)
		goto out;
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(
		    command->argc, command->argv, SHORT_OPTIONS, long_options, NULL)) != -1) {
		if (set_key(config, option, optarg) != 0)
			goto out;
	}
	if (!can_be_read_again(config->services_file) || config_check(config, &faults) != 0)
		goto out;
	result = 0;
out:
	log_faults(&faults, command->config != NULL ? command->config : "the options");
	config_faults_release(&faults);
	if (result != 0)
		config_release(config);
	return result;
}

bool
capture_command_parse(
    int argc, char **argv, struct capture_command *c, struct config *config, int *status)
{
	int option;

	*c = (struct capture_command){ .argc = argc, .argv = argv };
	optind = 0;
	while ((option = getopt_long(argc, argv, SHORT_OPTIONS, long_options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help_text, stdout);
			*status = APP_EXIT_DONE;
			return false;
		}
		if (option == '?') {
			*status = option_usage_error("capture");
			return false;
		}
		if (option == 'C')
			c->config = optarg;
		c->quiet = c->quiet || option == 'q';
		c->verbose = c->verbose || option == 'v';
	}
	if (optind < argc) {
		log_error("'%s' is no option: interfaces are given with -i", argv[optind]);
		*status = option_usage_error("capture");
		return false;
	}
	if (c->config == NULL)
		c->config = text_file_default(CONFIG_DEFAULT_PATH);
	if (capture_command_load(c, config) != 0) {
		*status = option_usage_error("capture");
		return false;
	}
	if (config->interfaces.count == 0) {
		log_error("capture needs at least one interface: -i IFACE, or 'interface' in the "
			  "configuration");
		config_release(config);
		*status = option_usage_error("capture");
		return false;
	}
	c->has_user = config->layer[CONFIG_DAEMON_USER] != CONFIG_LAYER_DEFAULT;
	return true;
}
