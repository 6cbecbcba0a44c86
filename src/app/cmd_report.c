#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "app/cmd_report.h"
#include "app/devices.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/policy_setup.h"
#include "app/selection.h"
#include "app/what_if_options.h"
#include "base/log.h"
#include "base/output_file.h"
#include "base/timestamp.h"
#include "report/export.h"
#include "report/logins.h"
#include "report/table.h"

#include "base/banned.h"

static const char help_text[] =
    "Usage: tlstally report [OPTION...]\n"
    "\n"
    "Shows what is known of each client: its verdict, the versions of TLS it uses and\n"
    "offers, the servers, and the reason with its evidence. The worst come first.\n"
    "\n"
    "What to look at:\n"
    "  -d, --db FILE          the database (default: tlstally.db)\n"
    "  -s, --since TIME       only what was seen at TIME or later\n"
    "  -u, --until TIME       only what was seen before TIME\n"
    "  -c, --client NET[,NET] only clients with these addresses, or in these networks\n"
    "  -n, --names FILE       your own names, as CSV: network, name, owner, note\n"
    "      --resolve          ask DNS for clients without a name, 5 s at most\n"
    "      --resolver ADDR[:PORT]  ask this one, not those of /etc/resolv.conf\n"
    "\n"
    "How to judge it:\n"
    "  -m, --minimum VERSION  lowest version that is enough (default: that of the\n"
    "                         configuration, else TLSv1.2)\n"
    "      --services-file FILE\n"
    "                         the services that are switching old versions off\n"
    "                         (default: /etc/tlstally/switching-off.conf, else the\n"
    "                         one that came with the program)\n"
    "  -C, --config FILE      the configuration, of which [policy] counts here\n"
    "                         (default: /etc/tlstally/tlstally.conf, if it is there)\n"
    "\n"
    "What to ask (of what clients offered; will-break: it would be too little;\n"
    "unclear: what is stored does not settle it, and the reason says why):\n"
    "      --what-if VERSION  who would break if no server took less than VERSION?\n"
    "      --what-if-ciphers FILE\n"
    "                         who would break if servers took the cipher suites in\n"
    "                         FILE alone? IANA names, one a line; # begins a comment\n"
    "\n"
    "What to show:\n"
    "  -V, --verdict V[,V]    only clients with these verdicts\n"
    "  -v, --verbose          also the rows behind each verdict, and all counters\n"
    "  -q, --quiet            the table alone, without header, reasons, totals\n"
    "  -w, --width COLUMNS    fit to that width; 0: one line per client, nothing cut\n"
    "                         (default: the terminal's width; 0 in a file or pipe)\n"
    "  -H, --html FILE        also write it as one self-contained page; -: standard\n"
    "                         output, instead of the table\n"
    "\n"
    "Guessed passwords, instead of all that:\n"
    "      --logins           the hours in which a client has many sessions that end\n"
    "                         within seconds with little data, or failed logins in\n"
    "                         the clear with many names; -v: also each client's\n"
    "                         busiest hour\n"
    "      --login-sessions N fewer short sessions in an hour than N are passed over\n"
    "                         (default: 20)\n"
    "      --login-factor N   so many times what is usual stands out (default: 5)\n"
    "      --login-names N    so do N different names that failed (default: 5)\n"
    "\n"
    "What to answer:\n"
    "      --fail-on V[,V]    exit with status 3 when such clients exist\n"
    "  -h, --help             show this help\n"
    "\n"
    "TIME is RFC 3339 (2026-11-19T22:00:00Z), a date (2026-11-19, UTC), or an age\n"
    "(90s, 30m, 24h, 7d, 2w). All times shown are UTC. What was counted together\n"
    "counts as seen when any of it lies in the time asked for.\n"
    "\n"
    "Verdicts, the worst first:\n"
    "  broken          offers too little and is refused, with no success there since\n"
    "  will-break      works with too little, at a service that is switching it off\n"
    "  legacy          works with too little anywhere else\n"
    "  server-limited  offers enough, but the server chooses less\n"
    "  cleartext       mail without TLS\n"
    "  unclear         not enough evidence; the reason says what is missing\n"
    "  ok              at or above the minimum\n"
    "\n"
    "Columns: WORST is the lowest version the client negotiated with any server;\n"
    "OFFERS, SERVER (+ how many others), COUNT and LAST are those behind the verdict.\n"
    "\n"
    "Exit status: 0 done; 1 no report could be made, or lines of a list were wrong;\n"
    "2 wrong usage; 3 clients as in --fail-on exist. NO_COLOR turns colours off.\n"
    "\n"
    "Examples:\n"
    "  tlstally report --verdict broken,legacy --since 7d\n"
    "  tlstally report --client 10.1.2.14 --verbose\n"
    "  tlstally report --what-if TLSv1.3 --since 30d\n"
    "  tlstally report --quiet --minimum TLSv1.3 --fail-on broken,legacy\n";

/* So wide is no terminal, and so much stands out nowhere. */
#define WIDTH_MAX 10000
#define LOGINS_MAX 1000000

struct command {
	const char *db;
	struct devices_options devices;
	struct policy_options policy;
	struct report_options options;
	struct what_if what_if;
	const char *what_if_ciphers; /* NULL: no list */
	struct report_view view;
	struct network_set clients;
	uint32_t fail_on; /* bit 1 << verdict each */
	const char *html; /* NULL: no page */
	struct logins_options logins;
	bool has_logins, has_login_limits;
	bool has_width;
	bool help;
};

static int
parse_width(const char *text, size_t *out)
{
	uint64_t value;

	if (option_number_from_text(text, 0, WIDTH_MAX, &value) != 0 ||
	    (value > 0 && value < TERMINAL_WIDTH_MIN)) {
		log_error("--width: '%.40s' is no number from %d to %d, nor 0", text,
		    TERMINAL_WIDTH_MIN, WIDTH_MAX);
		return -1;
	}
	*out = (size_t)value;
	return 0;
}

static int
parse_option(struct command *c, int option)
{
	switch (option) {
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
	case OPTION_WHAT_IF:
		c->options.what_if = &c->what_if;
		return what_if_options_set_version(&c->what_if, optarg);
	case OPTION_WHAT_IF_CIPHERS:
		c->options.what_if = &c->what_if;
		c->what_if_ciphers = optarg;
		return 0;
	case OPTION_LOGINS:
		c->has_logins = true;
		return 0;
	case OPTION_LOGIN_SESSIONS:
		c->has_login_limits = true;
		return option_number(
		    "login-sessions", optarg, 1, LOGINS_MAX, &c->logins.min_sessions);
	case OPTION_LOGIN_FACTOR:
		c->has_login_limits = true;
		return option_number("login-factor", optarg, 1, LOGINS_MAX, &c->logins.factor);
	case OPTION_LOGIN_NAMES:
		c->has_login_limits = true;
		return option_number("login-names", optarg, 1, LOGINS_MAX, &c->logins.min_names);
	case 'V':
		return selection_parse_verdicts("verdict", optarg, &c->view.verdicts);
	case OPTION_FAIL_ON:
		return selection_parse_verdicts("fail-on", optarg, &c->fail_on);
	case 'w':
		c->has_width = true;
		return parse_width(optarg, &c->view.terminal.width);
	case 'H':
		c->html = optarg;
		return 0;
	case 'v':
		c->view.verbose = true;
		return 0;
	case 'q':
		c->view.quiet = true;
		return 0;
	case 'h':
		c->help = true;
		return 0;
	default:
		return policy_options_parse(&c->policy, option, optarg);
	}
}

/* What does not go together. */
static int
check_command(struct command *c)
{
	const char *const inputs[] = { c->devices.names, c->policy.services_file, c->policy.config,
		c->what_if_ciphers };

	if (selection_check_times(c->options.has_since, c->options.since_us, c->options.has_until,
		c->options.until_us) != 0)
		return -1;
	/* A script that asks for verdicts would take the silence for a good answer. */
	if (c->has_logins && (c->fail_on != 0 || c->view.verdicts != 0 || c->html != NULL ||
				 c->options.what_if != NULL)) {
		log_error("--logins shows hours and no verdicts: --verdict, --fail-on, --html and "
			  "--what-if do not go with it");
		return -1;
	}
	if (c->has_login_limits && !c->has_logins) {
		log_error(
		    "--login-sessions, --login-factor and --login-names go with --logins only");
		return -1;
	}
	return selection_check_output("html", c->html, inputs, sizeof(inputs) / sizeof(inputs[0]));
}

static int
parse_command(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "db", required_argument, NULL, 'd' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "client", required_argument, NULL, 'c' },
		{ "names", required_argument, NULL, 'n' },
		{ "resolve", no_argument, NULL, OPTION_RESOLVE },
		{ "resolver", required_argument, NULL, OPTION_RESOLVER },
		{ "minimum", required_argument, NULL, 'm' },
		{ "config", required_argument, NULL, 'C' },
		{ "services-file", required_argument, NULL, OPTION_SERVICES_FILE },
		{ "what-if", required_argument, NULL, OPTION_WHAT_IF },
		{ "what-if-ciphers", required_argument, NULL, OPTION_WHAT_IF_CIPHERS },
		{ "logins", no_argument, NULL, OPTION_LOGINS },
		{ "login-sessions", required_argument, NULL, OPTION_LOGIN_SESSIONS },
		{ "login-factor", required_argument, NULL, OPTION_LOGIN_FACTOR },
		{ "login-names", required_argument, NULL, OPTION_LOGIN_NAMES },
		{ "verdict", required_argument, NULL, 'V' },
		{ "fail-on", required_argument, NULL, OPTION_FAIL_ON },
		{ "width", required_argument, NULL, 'w' },
		{ "html", required_argument, NULL, 'H' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct terminal detected = terminal_detect(stdout);
	int option;

	c->view.terminal = detected;
	optind = 1;
	while ((option = getopt_long(argc, argv, "d:s:u:c:n:m:C:V:w:H:vqh", options, NULL)) != -1) {
		if (parse_option(c, option) != 0)
			return -1;
	}
	if (c->help)
		return 0;
	if (optind < argc) {
		log_error("report takes no '%s': name the database with --db", argv[optind]);
		return -1;
	}
	if (check_command(c) != 0)
		return -1;
	if (c->clients.count > 0 || c->clients.any)
		c->options.clients = &c->clients;
	c->options.keep_rows = c->view.verbose || c->html != NULL;
	c->options.keep_details = c->html != NULL;
	return 0;
}

static bool
write_all(struct buf *text)
{
	if ((text->len == 0 || fwrite(text->data, 1, text->len, stdout) == text->len) &&
	    fflush(stdout) == 0)
		return true;
	/* A reader that has seen enough (`| head`) is no news. */
	if (errno != EPIPE)
		log_error("cannot write the report: %s", strerror(errno));
	return false;
}

static int
write_page(const struct command *c, const struct report *report, struct error *err)
{
	const struct export_view view = {
		.verdicts = c->view.verdicts,
		.made_us = timestamp_now(),
	};
	struct buf page = { 0 };
	int rc;

	export_write(EXPORT_HTML, report, &c->options, &view, &page);
	rc = output_file_write(c->html, span_from(page.data, page.len), err);
	buf_release(&page);
	return rc;
}

static int
write_logins(const struct command *c, struct store *store, const struct report *report,
    struct buf *text, struct error *err)
{
	struct logins_options options = c->logins;
	struct buf hours = { 0 };
	size_t count;
	int rc;

	options.filter = (struct store_filter){
		.has_since = c->options.has_since,
		.has_until = c->options.has_until,
		.since_us = c->options.since_us,
		.until_us = c->options.until_us,
		.clients = c->options.clients,
	};
	options.devices = report;
	options.all = c->view.verbose;
	options.quiet = c->view.quiet;
	if (!c->view.quiet) {
		report_write_coverage(report, &c->options, &c->view, text);
		buf_add_char(text, '\n');
	}
	rc = logins_report(store, &options, &hours, &count, err);
	terminal_add_text(&c->view.terminal, text, buf_text(&hours));
	buf_release(&hours);
	return rc;
}

/* The table, the page, or both; -1: `err` says why not, and there is nothing in `text`. */
static int
write_verdicts(
    const struct command *c, const struct report *report, struct buf *text, struct error *err)
{
	if (c->html != NULL && write_page(c, report, err) != 0)
		return -1;
	if (c->html == NULL || strcmp(c->html, "-") != 0)
		report_write(report, &c->options, &c->view, text);
	return 0;
}

/* A script that sees no line, and no status but 0, would take that for a good answer. */
static void
warn_of_nothing(const struct command *c, const struct report *report)
{
	struct buf text = { 0 };

	report_add_nothing(report, &c->options, &text);
	log_warning("%s", buf_text(&text));
	buf_release(&text);
}

static int
run(struct command *c)
{
	struct report report = { 0 };
	struct policy_setup setup;
	struct buf text = { 0 };
	struct store *store = NULL;
	struct error err;
	int status = APP_EXIT_FAILED, devices_rc, rc;

	if (policy_setup_load(&setup, &c->policy) != 0)
		goto out;
	if (c->what_if_ciphers != NULL &&
	    what_if_options_read_ciphers(&c->what_if, c->what_if_ciphers) != 0)
		goto out;
	policy_setup_for_report(&setup, &c->options);
	store = store_open(c->db, STORE_READ, &err);
	if (store == NULL || report_load(&report, store, &c->options, &err) != 0) {
		log_error("%s", err.text);
		goto out;
	}
	/* What else is known of devices does not stand beside hours. */
	devices_rc = c->has_logins && c->devices.names == NULL && !c->devices.resolve
			 ? 0
			 : devices_join(&report, &c->devices);
	rc = c->has_logins ? write_logins(c, store, &report, &text, &err)
			   : write_verdicts(c, &report, &text, &err);
	if (rc != 0) {
		log_error("%s", err.text);
		goto out;
	}
	if (!write_all(&text))
		goto out;
	if (c->view.quiet && report.client_count == 0)
		warn_of_nothing(c, &report);
	status =
	    setup.services.fault_count == 0 && devices_rc == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		if ((c->fail_on & 1U << v) != 0 && report.totals[v] > 0)
			status = APP_EXIT_FOUND;
	}
out:
	buf_release(&text);
	report_release(&report);
	store_close(store);
	policy_setup_release(&setup);
	return status;
}

int
cmd_report(int argc, char **argv)
{
	struct command c = {
		.db = OPTION_DEFAULT_DB,
		.options = { .now_us = timestamp_now() },
	};
	int status;

	(void)setlocale(LC_CTYPE, "");
	logins_options_init(&c.logins);
	if (parse_command(&c, argc, argv) != 0) {
		status = option_usage_error("report");
	} else if (c.help) {
		(void)fputs(help_text, stdout);
		status = APP_EXIT_DONE;
	} else {
		status = run(&c);
	}
	network_set_release(&c.clients);
	return status;
}
