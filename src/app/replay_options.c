#include "app/replay_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/option_values.h"
#include "app/options.h"
#include "base/log.h"
#include "replay/work.h"
#include "tls/names.h"

#include "base/banned.h"

static const char help_text[] =
    "Usage: tlstally replay [OPTION...] PATH...\n"
    "       tlstally replay [OPTION...] --follow FOLDER\n"
    "\n"
    "Reads saved captures (pcap or pcapng, plain or compressed) and adds what it\n"
    "finds to the inventory. PATH is a file, a folder, or - for standard input;\n"
    "several are read as one stream in time order, so that a connection may span\n"
    "rotated files. A capture that is in the database already is noticed and changes\n"
    "nothing.\n"
    "\n"
    "  -d, --db FILE          the database (default: tlstally.db); made where it is\n"
    "                         not there\n"
    "  -e, --events FILE      also write each event as a line of JSON; - for standard\n"
    "                         output\n"
    "      --events-as FORM   in words of tlstally (default), ecs, zeek, eve, splunk\n"
    "      --internal LIST    networks whose clients count, with commas between them,\n"
    "                         or any (default: the private and local ranges)\n"
    "  -S, --service PORT=imap|pop3|smtp|tls[+starttls]\n"
    "                         add or change a service; may be repeated\n"
    "                         (default: 993, 995, 465, 587, 143, 110)\n"
    "  -m, --minimum VERSION  the lowest version that is good enough (default: that\n"
    "                         of the configuration, else TLSv1.2)\n"
    "      --services-file FILE\n"
    "                         the services that are switching old versions off\n"
    "                         (default: /etc/tlstally/switching-off.conf, else the\n"
    "                         one that came with the program)\n"
    "  -C, --config FILE      the configuration, of which [policy] and [sessions]\n"
    "                         count here (default: /etc/tlstally/tlstally.conf, if it\n"
    "                         is there)\n"
    "      --sensor NAME      name of the place of capture (default: the host's)\n"
    "  -f, --follow FOLDER    read each capture that another program (tcpdump -G,\n"
    "                         dumpcap -b) rotates into the folder, once and in order,\n"
    "                         until told to stop\n"
    "  -j, --threads N        share the work among N threads, 1 to 64; the results\n"
    "                         are the same (default: auto: one, or up to four where\n"
    "                         captures are large and handshakes many)\n"
    "      --vxlan-port LIST  UDP ports that carry VXLAN, besides 4789, 4790 and 8472\n"
    "      --no-names         do not learn names from DNS, DHCP, mDNS and NBNS\n"
    "      --again            count captures that are in the database already once\n"
    "                         more\n"
    "  -q, --quiet            no progress and no summary: warnings and errors only\n"
    "  -v, --verbose          also each file that was passed over, and what is of\n"
    "                         interest to developers\n"
    "  -h, --help             show this help\n"
    "\n"
    "Exit status: 0 done; 1 something could not be read or written (it is named, and\n"
    "the rest was done and kept); 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  tlstally replay --db audit.db /var/captures\n"
    "  tcpdump -i eth0 -w - 'tcp port 993' | tlstally replay -\n"
    "  tlstally replay --follow /var/spool/captures --db audit.db\n"
    "  tlstally replay --service 2525=smtp+starttls --events - mail.pcapng\n";

static const struct option long_options[] = {
	{ "db", required_argument, NULL, 'd' },
	{ "events", required_argument, NULL, 'e' },
	{ "events-as", required_argument, NULL, OPTION_EVENTS_AS },
	{ "internal", required_argument, NULL, OPTION_INTERNAL },
	{ "service", required_argument, NULL, 'S' },
	{ "minimum", required_argument, NULL, 'm' },
	{ "services-file", required_argument, NULL, OPTION_SERVICES_FILE },
	{ "config", required_argument, NULL, 'C' },
	{ "sensor", required_argument, NULL, OPTION_SENSOR },
	{ "follow", required_argument, NULL, 'f' },
	{ "again", no_argument, NULL, OPTION_AGAIN },
	{ "no-names", no_argument, NULL, OPTION_NO_NAMES },
	{ "threads", required_argument, NULL, 'j' },
	{ "vxlan-port", required_argument, NULL, OPTION_VXLAN_PORT },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
set_sensor(struct replay_command *c, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof(c->sensor)) {
		log_error(
		    "--sensor: '%.80s' is no name of 1 to %zu bytes", name, sizeof(c->sensor) - 1);
		return -1;
	}
	memcpy(c->sensor, name, len + 1);
	return 0;
}

static int
set_threads(struct replay_command *c, const char *text)
{
	uint64_t count = 0;

	if (strcmp(text, "auto") != 0 &&
	    option_number_from_text(text, 1, REPLAY_THREADS_MAX, &count) != 0) {
		log_error("--threads: '%.40s' is no number from 1 to %u, nor auto", text,
		    REPLAY_THREADS_MAX);
		return -1;
	}
	c->thread_count = (unsigned)count;
	return 0;
}

static void
set_defaults(struct replay_command *c)
{
	c->db = OPTION_DEFAULT_DB;
	service_set_init_defaults(&c->services);
	if (gethostname(c->sensor, sizeof(c->sensor) - 1) != 0 || c->sensor[0] == '\0')
		memcpy(c->sensor, "local", sizeof("local"));
}

/* Returns -1 after a message when the argument is wrong. */
static int
take_option(struct replay_command *c, int option, const char *arg)
{
	struct error err;

	switch (option) {
	case 'd':
		c->db = arg;
		return 0;
	case 'e':
		c->events = arg;
		return 0;
	case OPTION_EVENTS_AS:
		return option_form("events-as", arg, &c->events_as);
	case OPTION_INTERNAL:
		if (network_set_add_text(&c->internal, arg, &err) == 0)
			return 0;
		log_error("--internal: %s", err.text);
		return -1;
	case 'S':
		if (service_set_add_text(&c->services, arg, &err) == 0)
			return 0;
		log_error("--service: %s", err.text);
		return -1;
	case OPTION_SENSOR:
		return set_sensor(c, arg);
	case 'f':
		c->follow = arg;
		return 0;
	case 'j':
		return set_threads(c, arg);
	case OPTION_AGAIN:
		c->again = true;
		return 0;
	case OPTION_VXLAN_PORT:
		if (port_list_add_text(&c->vxlan_ports, arg, &err) == 0)
			return 0;
		log_error("--vxlan-port: %s", err.text);
		return -1;
	case OPTION_NO_NAMES:
		c->no_names = true;
		return 0;
	case 'q':
		c->quiet = true;
		return 0;
	case 'v':
		c->verbose = true;
		return 0;
	default:
		return policy_options_parse(&c->policy_options, option, arg);
	}
}

/* What does not go together, or is missing. */
static int
check_command(const struct replay_command *c)
{
	if (c->follow != NULL && c->thread_count > 1) {
		log_error("--follow works with one thread: leave --threads out");
		return -1;
	}
	if (c->follow != NULL && (c->path_count > 0 || c->again)) {
		log_error("--follow goes without other captures, and without --again");
		return -1;
	}
	if (c->follow == NULL && c->path_count == 0) {
		log_error("replay needs at least one capture: a file, a folder, or - for standard "
			  "input");
		return -1;
	}
	return 0;
}

bool
replay_command_parse(int argc, char **argv, struct replay_command *c, int *status)
{
	int option;

	*c = (struct replay_command){ 0 };
	set_defaults(c);
	optind = 0; /* glibc: start anew, with the command's own argv */
	while ((option = getopt_long(argc, argv, "d:e:S:m:C:f:j:qvh", long_options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help_text, stdout);
			*status = APP_EXIT_DONE;
			return false;
		}
		if (take_option(c, option, optarg) != 0) {
			*status = option_usage_error("replay");
			return false;
		}
	}
	c->paths = (const char *const *)argv + optind;
	c->path_count = (size_t)(argc - optind);
	if (check_command(c) != 0) {
		*status = option_usage_error("replay");
		return false;
	}
	if (c->internal.count == 0 && !c->internal.any)
		network_set_add_internal_defaults(&c->internal);
	if (policy_setup_load(&c->policy, &c->policy_options) == 0)
		return true;
	*status = APP_EXIT_FAILED;
	return false;
}

void
replay_command_release(struct replay_command *command)
{
	network_set_release(&command->internal);
	policy_setup_release(&command->policy);
}
