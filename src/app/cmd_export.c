#include "app/cmd_export.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "app/devices.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/policy_setup.h"
#include "app/selection.h"
#include "base/log.h"
#include "base/output_file.h"
#include "base/timestamp.h"
#include "report/export.h"

#include "base/banned.h"

#define KEEP_MAX 100000

static const char help_text[] =
    "Usage: tlstally export --format FORMAT [OPTION...]\n"
    "       tlstally export --as FORM [OPTION...]\n"
    "\n"
    "Writes the inventory for other programs. Each export begins with its coverage:\n"
    "what was observed and what was not, because \"not in it\" does not mean \"clean\".\n"
    "\n"
    "  -F, --format FORMAT    csv     one line per row of the inventory (RFC 4180);\n"
    "                                 fields that a spreadsheet would take for a\n"
    "                                 formula get an apostrophe in front\n"
    "                         json    one document: coverage, clients, their rows\n"
    "                         ndjson  one object per line: coverage, then the rows\n"
    "                         html    one self-contained page, for people\n"
    "  -a, --as FORM          instead: one object per line in the words of ecs\n"
    "                         (Elastic Common Schema), zeek (ssl.log), eve (Suricata)\n"
    "                         or splunk (CIM), each with our own record inside;\n"
    "                         tlstally: as ndjson\n"
    "\n"
    "What to look at:\n"
    "  -d, --db FILE          the database (default: tlstally.db)\n"
    "  -s, --since TIME       only what was seen at TIME or later\n"
    "  -u, --until TIME       only what was seen before TIME\n"
    "  -c, --client NET[,NET] only clients with these addresses, or in these networks\n"
    "  -n, --names FILE       your own names, as CSV: network, name, owner, note\n"
    "      --resolve          ask DNS for clients without a name, 5 s at most\n"
    "      --resolver ADDR[:PORT]  ask this one, not those of /etc/resolv.conf\n"
    "  -V, --verdict V[,V]    only clients with these verdicts\n"
    "  -m, --minimum VERSION  lowest version that is enough (default: that of the\n"
    "                         configuration, else TLSv1.2)\n"
    "      --services-file FILE\n"
    "                         the services that are switching old versions off\n"
    "                         (default: /etc/tlstally/switching-off.conf, else the\n"
    "                         one that came with the program)\n"
    "  -C, --config FILE      the configuration, of which [policy] counts here\n"
    "                         (default: /etc/tlstally/tlstally.conf, if it is there)\n"
    "\n"
    "Where to:\n"
    "  -o, --output FILE      this file, replaced in one step; - (the default):\n"
    "                         standard output\n"
    "  -D, --dir FOLDER       a file there whose name has the time of the export,\n"
    "                         tlstally-20261120T221400Z.csv\n"
    "  -k, --keep N           with --dir: remove the oldest of these files, of the\n"
    "                         same format, until N are left\n"
    "  -h, --help             show this help\n"
    "\n"
    "TIME is RFC 3339 (2026-11-19T22:00:00Z), a date (2026-11-19, UTC), or an age\n"
    "(90s, 30m, 24h, 7d, 2w). All times are UTC. Verdicts: see 'tlstally help\n"
    "report'.\n"
    "\n"
    "Exit status: 0 done; 1 the export could not be made, and what was there before\n"
    "is as it was, or lines of a list were wrong and left out; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  tlstally export --format csv --output inventory.csv\n"
    "  tlstally export --format json --verdict broken,legacy --since 7d\n"
    "  tlstally export --as ecs --output inventory.ndjson\n"
    "  tlstally export --format html --dir /var/lib/tlstally/exports --keep 30\n";

struct command {
	const char *db, *output, *dir;
	size_t keep; /* 0: all */
	bool has_format, has_form, help;
	enum record_form form;
	enum export_format format;
	struct devices_options devices;
	struct policy_options policy;
	struct report_options options;
	struct export_view view;
	struct network_set clients;
};

static int
parse_format(struct command *c, const char *text)
{
	c->has_format = export_format_from_text(text, &c->format);
	if (c->has_format)
		return 0;
	log_error("--format: '%.40s' is no format: give csv, json, ndjson or html", text);
	return -1;
}

static int
parse_keep(const char *text, size_t *out)
{
	uint64_t value;

	if (option_number("keep", text, 1, KEEP_MAX, &value) != 0)
		return -1;
	*out = (size_t)value;
	return 0;
}

static int
parse_option(struct command *c, int option)
{
	switch (option) {
	case 'F':
		return parse_format(c, optarg);
	case 'a':
		c->has_form = true;
		return option_form("as", optarg, &c->form);
	case 'd':
		c->db = optarg;
		return 0;
	case 'n':
		c->devices.names = optarg;
		return 0;
	case OPTION_RESOLVE:
		c->devices.resolve = true;
		return 0;
	case OPTION_RESOLVER:
		return devices_set_resolver(&c->devices, optarg);
	case 's':
		return selection_parse_time(
		    "since", optarg, &c->options.has_since, &c->options.since_us);
	case 'u':
		return selection_parse_time(
		    "until", optarg, &c->options.has_until, &c->options.until_us);
	case 'c':
		return selection_parse_clients(optarg, &c->clients);
	case 'V':
		return selection_parse_verdicts("verdict", optarg, &c->view.verdicts);
	case 'o':
		c->output = optarg;
		return 0;
	case 'D':
		c->dir = optarg;
		return 0;
	case 'k':
		return parse_keep(optarg, &c->keep);
	case 'h':
		c->help = true;
		return 0;
	default:
		return policy_options_parse(&c->policy, option, optarg);
	}
}

/* What does not go together, or is missing. */
static int
check_command(struct command *c)
{
	const char *const inputs[] = { c->devices.names, c->policy.services_file,
		c->policy.config };

	if (!c->has_format && !c->has_form) {
		log_error("export wants --format csv, json, ndjson or html, or --as FORM");
		return -1;
	}
	/* A form of --as is lines of JSON anyway: --format ndjson beside it does no harm. */
	if (c->has_format && c->has_form && c->format != EXPORT_NDJSON) {
		log_error("--as is one object per line; it goes with --format ndjson or none");
		return -1;
	}
	if (c->output != NULL && c->dir != NULL) {
		log_error("--output and --dir do not go together");
		return -1;
	}
	if (c->keep > 0 && c->dir == NULL) {
		log_error("--keep goes with --dir only");
		return -1;
	}
	if (selection_check_output(
		"output", c->output, inputs, sizeof(inputs) / sizeof(inputs[0])) != 0)
		return -1;
	if (selection_check_times(c->options.has_since, c->options.since_us, c->options.has_until,
		c->options.until_us) != 0)
		return -1;
	if (c->clients.count > 0 || c->clients.any)
		c->options.clients = &c->clients;
	return 0;
}

static int
parse_command(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'F' },
		{ "as", required_argument, NULL, 'a' },
		{ "db", required_argument, NULL, 'd' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "client", required_argument, NULL, 'c' },
		{ "names", required_argument, NULL, 'n' },
		{ "resolve", no_argument, NULL, OPTION_RESOLVE },
		{ "resolver", required_argument, NULL, OPTION_RESOLVER },
		{ "verdict", required_argument, NULL, 'V' },
		{ "minimum", required_argument, NULL, 'm' },
		{ "config", required_argument, NULL, 'C' },
		{ "services-file", required_argument, NULL, OPTION_SERVICES_FILE },
		{ "output", required_argument, NULL, 'o' },
		{ "dir", required_argument, NULL, 'D' },
		{ "keep", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "F:a:d:s:u:c:n:V:m:C:o:D:k:h", options, NULL)) !=
	       -1) {
		if (parse_option(c, option) != 0)
			return -1;
	}
	if (c->help)
		return 0;
	if (optind < argc) {
		log_error("export takes no '%s': name the file with --output", argv[optind]);
		return -1;
	}
	return check_command(c);
}

/* Forms are kept apart from each other in a folder as formats are. */
static const char *
ending_of(const struct command *c)
{
	static const char *const endings[RECORD_FORM_COUNT] = {
		[RECORD_FORM_TLSTALLY] = "ndjson",
		[RECORD_FORM_ECS] = "ecs.ndjson",
		[RECORD_FORM_ZEEK] = "zeek.ndjson",
		[RECORD_FORM_EVE] = "eve.ndjson",
		[RECORD_FORM_SPLUNK] = "splunk.ndjson",
	};

	return c->has_form ? endings[c->form] : export_format_name(c->format);
}

static int
run(struct command *c)
{
	struct report report = { 0 };
	struct policy_setup setup;
	struct buf text = { 0 };
	struct store *store = NULL;
	struct error err;
	struct span content;
	int status = APP_EXIT_FAILED, devices_rc, rc;

	if (policy_setup_load(&setup, &c->policy) != 0)
		goto out;
	policy_setup_for_report(&setup, &c->options);
	store = store_open(c->db, STORE_READ, &err);
	if (store == NULL || report_load(&report, store, &c->options, &err) != 0) {
		log_error("%s", err.text);
		goto out;
	}
	devices_rc = devices_join(&report, &c->devices);
	if (c->has_form)
		export_write_as(c->form, &report, &c->options, &c->view, &text);
	else
		export_write(c->format, &report, &c->options, &c->view, &text);
	content = span_from(text.data, text.len);
	if (c->dir != NULL)
		rc = output_file_write_dated(
		    c->dir, c->view.made_us, ending_of(c), c->keep, content, &err);
	else
		rc = output_file_write(c->output != NULL ? c->output : "-", content, &err);
	if (rc != 0) {
		/* A reader that has seen enough (`| head`) is no news. */
		if (c->output != NULL || c->dir != NULL || errno != EPIPE)
			log_error("%s", err.text);
		goto out;
	}
	status =
	    setup.services.fault_count == 0 && devices_rc == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
out:
	buf_release(&text);
	report_release(&report);
	store_close(store);
	policy_setup_release(&setup);
	return status;
}

int
cmd_export(int argc, char **argv)
{
	struct command c = {
		.db = OPTION_DEFAULT_DB,
		.options = {
			.now_us = timestamp_now(),
			.keep_rows = true,
			.keep_details = true,
		},
		.view = { .made_us = timestamp_now() },
	};
	int status;

	if (parse_command(&c, argc, argv) != 0) {
		status = option_usage_error("export");
	} else if (c.help) {
		(void)fputs(help_text, stdout);
		status = APP_EXIT_DONE;
	} else {
		status = run(&c);
	}
	network_set_release(&c.clients);
	return status;
}
