/* tlstally doctor: is the feed any good? */
#include "app/cmd_doctor.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "app/doctor_gather.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/selection.h"
#include "app/stop.h"
#include "base/log.h"
#include "report/terminal.h"

#include "base/banned.h"

#define INDENT 10
#define TEXT_WIDTH_MAX 110 /* longer lines are hard to read */

static const char help_text[] =
    "Usage: tlstally doctor [OPTION...] PATH...\n"
    "       tlstally doctor [OPTION...] --db FILE\n"
    "\n"
    "Says what is wrong with the feed and what to change: lost, cut, repeated or\n"
    "one-way traffic, none at all on the mail ports, a sensor on the wrong side of\n"
    "the NAT, clocks that jump. Each finding comes with its number, its share and\n"
    "what to do, the worst first.\n"
    "\n"
    "PATH is a capture, a folder of them, or - for standard input; it is read without\n"
    "a database. With --db the runs of that database are looked at.\n"
    "\n"
    "  -d, --db FILE          the database whose runs to look at\n"
    "  -s, --since TIME       of the database, only runs at TIME or later\n"
    "  -u, --until TIME       of the database, only runs before TIME\n"
    "      --internal LIST    of captures: networks whose clients count, with commas\n"
    "                         between them, or any (default: the private and local\n"
    "                         ranges)\n"
    "  -S, --service PORT=imap|pop3|smtp|tls[+starttls]\n"
    "                         of captures: add or change a service; may be repeated\n"
    "      --vxlan-port LIST  of captures: UDP ports that carry VXLAN, besides 4789,\n"
    "                         4790 and 8472\n"
    "  -h, --help             show this help\n"
    "\n"
    "critical: most of the traffic is hidden, what is reported is worth little;\n"
    "warning: part of it is; note: the results are right all the same.\n"
    "\n"
    "Exit status: 0 done, whatever was found; 1 something could not be read; 2 wrong\n"
    "usage.\n"
    "\n"
    "Examples:\n"
    "  tcpdump -i eth0 -s 0 -c 100000 -w - | tlstally doctor -\n"
    "  tlstally doctor --db /var/lib/tlstally/tlstally.db --since 24h\n";

struct command {
	const char *db; /* NULL: captures */
	struct store_filter filter;
	struct service_set services;
	struct network_set internal;
	struct port_list vxlan_ports;
	bool has_capture_options; /* of the three above */
	bool help;
};

static int
parse_option(struct command *c, int option)
{
	struct error err;

	switch (option) {
	case 'd':
		c->db = optarg;
		return 0;
	case 's':
		return selection_parse_time(
		    "since", optarg, &c->filter.has_since, &c->filter.since_us);
	case 'u':
		return selection_parse_time(
		    "until", optarg, &c->filter.has_until, &c->filter.until_us);
	case OPTION_INTERNAL:
		c->has_capture_options = true;
		if (network_set_add_text(&c->internal, optarg, &err) == 0)
			return 0;
		log_error("--internal: %s", err.text);
		return -1;
	case 'S':
		c->has_capture_options = true;
		if (service_set_add_text(&c->services, optarg, &err) == 0)
			return 0;
		log_error("--service: %s", err.text);
		return -1;
	case OPTION_VXLAN_PORT:
		c->has_capture_options = true;
		if (port_list_add_text(&c->vxlan_ports, optarg, &err) == 0)
			return 0;
		log_error("--vxlan-port: %s", err.text);
		return -1;
	case 'h':
		c->help = true;
		return 0;
	default: /* getopt_long has said what is wrong */
		return -1;
	}
}

/* What does not go together, or is missing. */
static int
check_command(const struct command *c, int path_count)
{
	if (c->db != NULL && path_count > 0) {
		log_error("--db and captures do not go together");
		return -1;
	}
	if (c->db == NULL && path_count == 0) {
		log_error("doctor needs a capture (a file, a folder, or - for standard input), or "
			  "a database (--db)");
		return -1;
	}
	if (c->db == NULL && (c->filter.has_since || c->filter.has_until)) {
		log_error("--since and --until go with --db only");
		return -1;
	}
	/* Who was internal, and what a service, was settled when its runs were counted. */
	if (c->db != NULL && c->has_capture_options) {
		log_error("--internal, --service and --vxlan-port go with captures only");
		return -1;
	}
	if (selection_check_times(c->filter.has_since, c->filter.since_us, c->filter.has_until,
		c->filter.until_us) != 0)
		return -1;
	return 0;
}

static int
parse_command(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "db", required_argument, NULL, 'd' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "internal", required_argument, NULL, OPTION_INTERNAL },
		{ "service", required_argument, NULL, 'S' },
		{ "vxlan-port", required_argument, NULL, OPTION_VXLAN_PORT },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 0; /* glibc: start anew, with the command's own argv */
	while ((option = getopt_long(argc, argv, "d:s:u:S:h", options, NULL)) != -1) {
		if (parse_option(c, option) != 0)
			return -1;
	}
	if (c->help)
		return 0;
	if (c->internal.count == 0 && !c->internal.any)
		network_set_add_internal_defaults(&c->internal);
	return check_command(c, argc - optind);
}

static void
add_finding(const struct doctor_finding *finding, const struct doctor_feed *feed, size_t width,
    struct buf *out)
{
	struct buf text = { 0 };

	buf_addf(out, "\n%-*s", INDENT, doctor_severity_name(finding->severity));
	doctor_add_sentence(finding, feed, &text);
	buf_addf(&text, " %s", doctor_advice(finding->rule));
	terminal_add_wrapped(out, buf_text(&text), INDENT, width);
	buf_release(&text);
}

static int
write_findings(const struct doctor_feed *feed)
{
	struct terminal terminal = terminal_detect(stdout);
	struct doctor_finding findings[DOCTOR_RULE_COUNT];
	size_t count = doctor_examine(feed, findings), width = terminal.width;
	struct buf out = { 0 };
	bool written;

	if (width > 0)
		width = width > INDENT + TEXT_WIDTH_MAX ? TEXT_WIDTH_MAX : width - INDENT;
	buf_addf(&out, "%-*s", INDENT, "Examined");
	doctor_add_examined(feed, &out);
	buf_add_char(&out, '\n');
	for (size_t i = 0; i < count; i++)
		add_finding(&findings[i], feed, width, &out);
	if (count == 0)
		buf_add_text(&out, "\nNothing is wrong with this feed.\n");
	written = fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
	/* A reader that has seen enough (`| head`) is no news. */
	if (!written && errno != EPIPE)
		log_error("cannot write the findings: %s", strerror(errno));
	buf_release(&out);
	return written ? 0 : -1;
}

/* Nothing that was named could be read: there is no feed to speak of. */
static bool
has_nothing(const struct command *c, const struct doctor_feed *feed, int gathered)
{
	return gathered != 0 && (c->db != NULL || feed->counters[DOCTOR_PACKETS] == 0);
}

static int
run(const struct command *c, const char *const *paths, int path_count)
{
	struct doctor_captures captures = {
		.services = &c->services,
		.internal = &c->internal,
		.vxlan_ports = &c->vxlan_ports,
		.paths = paths,
		.path_count = (size_t)path_count,
		.stop = stop_on_signals(),
	};
	struct doctor_feed feed = { 0 };
	struct buf links = { 0 };
	int gathered, written = 0;

	if (c->db != NULL)
		gathered = doctor_gather_database(c->db, &c->filter, &feed);
	else
		gathered = doctor_gather_captures(&captures, &feed, &links);
	if (!has_nothing(c, &feed, gathered))
		written = write_findings(&feed);
	buf_release(&links);
	return gathered == 0 && written == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
}

int
cmd_doctor(int argc, char **argv)
{
	struct command c = { 0 };
	int status;

	(void)setlocale(LC_CTYPE, "");
	service_set_init_defaults(&c.services);
	if (parse_command(&c, argc, argv) != 0) {
		status = option_usage_error("doctor");
	} else if (c.help) {
		(void)fputs(help_text, stdout);
		status = APP_EXIT_DONE;
	} else {
		status = run(&c, (const char *const *)argv + optind, argc - optind);
	}
	network_set_release(&c.internal);
	return status;
}
