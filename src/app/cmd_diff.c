#include "app/cmd_diff.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "app/diff_input.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/policy_setup.h"
#include "app/selection.h"
#include "base/log.h"
#include "base/output_file.h"
#include "base/timestamp.h"
#include "policy/printable.h"
#include "report/diff.h"

#include "base/banned.h"

static const char help_text[] =
    "Usage: tlstally diff [--db FILE] [--from TIME] [--to TIME] [OPTION...]\n"
    "       tlstally diff OLD NEW [OPTION...]\n"
    "\n"
    "Says what changed: between two moments in one database, or between two files,\n"
    "each a database or an export of one (JSON, NDJSON, CSV). Made for a nightly\n"
    "mail.\n"
    "\n"
    "  new    a client below the minimum that was not seen before\n"
    "  worse  seen before with a better verdict\n"
    "  back   below the minimum again after it was quiet\n"
    "  fixed  was below the minimum, and succeeded with a good version since\n"
    "  quiet  was below the minimum, and did not come for longer than it used to: it\n"
    "         may be mended, or switched off; nothing proves either\n"
    "\n"
    "What to compare:\n"
    "  -d, --db FILE          the database (default: tlstally.db)\n"
    "      --from TIME        what was known before TIME is the old state (--since\n"
    "                         does the same; default: a day before --to)\n"
    "      --to TIME          what was known before TIME is the new one (--until does\n"
    "                         the same; default: with --from all that is there, else\n"
    "                         the end of the last day that is over)\n"
    "  -c, --client NET[,NET] only clients with these addresses, or in these networks\n"
    "  -m, --minimum VERSION  lowest version that is enough (default: that of the\n"
    "                         configuration, else TLSv1.2); an export keeps the\n"
    "                         verdicts with which it was made\n"
    "      --services-file FILE\n"
    "                         the services that are switching old versions off\n"
    "                         (default: /etc/tlstally/switching-off.conf, else the\n"
    "                         one that came with the program)\n"
    "  -C, --config FILE      the configuration, of which [policy] counts here\n"
    "                         (default: /etc/tlstally/tlstally.conf, if it is there)\n"
    "\n"
    "What to show:\n"
    "  -F, --format FORMAT    table (default) or json\n"
    "  -q, --quiet            the changes alone; nothing at all where there are none\n"
    "  -o, --output FILE      this file, replaced in one step; - (the default):\n"
    "                         standard output\n"
    "      --fail-on CHANGE[,CHANGE]\n"
    "                         exit with status 3 when there are such changes\n"
    "  -h, --help             show this help\n"
    "\n"
    "TIME is RFC 3339 (2026-11-19T22:00:00Z), a date (2026-11-19), or an age (24h,\n"
    "7d), and stands for whole days (UTC), because days are what is counted: --from\n"
    "for the beginning of its day, --to for the end of it, unless it is a day's\n"
    "beginning. How often a client comes is told from the days on which it came; a\n"
    "day on which the sensor saw nothing is no silence. An export does not have a\n"
    "client's days: its average gap counts. A CSV does not tell of days without a\n"
    "capture either: from its first packet to its last each counts as observed.\n"
    "\n"
    "Exit status: 0 done; 1 the states could not be read, or lines of the list of\n"
    "services were wrong; 2 wrong usage; 3 changes as in --fail-on exist.\n"
    "\n"
    "Examples:\n"
    "  tlstally diff --db /var/lib/tlstally/tlstally.db --quiet | mail -E -s TLS me\n"
    "  tlstally diff --from 7d --format json\n"
    "  tlstally diff july.db august.json --fail-on new,worse\n";

struct command {
	const char *db, *output;
	const char *old_name, *new_name; /* files; NULL: one database */
	bool has_from, has_to, json, help;
	int64_t from_us, to_us;
	uint32_t fail_on; /* bit 1 << change each */
	struct policy_options policy;
	struct diff_options options;
	struct diff_view view;
	struct network_set clients;
};

static int
parse_changes(const char *text, uint32_t *out)
{
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, ",");
		char name[16] = "";
		enum diff_change change;

		if (len < sizeof(name))
			memcpy(name, p, len);
		if (!diff_change_from_text(name, &change)) {
			log_error("--fail-on: '%.*s' is no change: give new, worse, back, fixed "
				  "or quiet",
			    (int)(len < 64 ? len : 64), p);
			return -1;
		}
		*out |= 1U << change;
		p += len;
		if (*p == '\0')
			return 0;
	}
}

static int
parse_format(struct command *c, const char *text)
{
	c->json = strcmp(text, "json") == 0;
	if (c->json || strcmp(text, "table") == 0)
		return 0;
	log_error("--format: '%.40s' is no format: give table or json", text);
	return -1;
}

static int
parse_option(struct command *c, int option)
{
	switch (option) {
	case 'd':
		c->db = optarg;
		return 0;
	case OPTION_FROM:
		return selection_parse_time("from", optarg, &c->has_from, &c->from_us);
	case OPTION_TO:
		return selection_parse_time("to", optarg, &c->has_to, &c->to_us);
	case 'c':
		return selection_parse_clients(optarg, &c->clients);
	case 'F':
		return parse_format(c, optarg);
	case 'q':
		c->view.quiet = true;
		return 0;
	case 'o':
		c->output = optarg;
		return 0;
	case OPTION_FAIL_ON:
		return parse_changes(optarg, &c->fail_on);
	case 'h':
		c->help = true;
		return 0;
	default:
		return policy_options_parse(&c->policy, option, optarg);
	}
}

static int
check_output(const struct command *c)
{
	const char *const inputs[] = { c->old_name, c->new_name, c->policy.services_file,
		c->policy.config };

	return selection_check_output(
	    "output", c->output, inputs, sizeof(inputs) / sizeof(inputs[0]));
}

/* What does not go together, or is missing. */
static int
check_command(struct command *c, int argc, char **argv)
{
	if (c->clients.count > 0 || c->clients.any)
		c->options.clients = &c->clients;
	/* A file is no terminal, however wide the one is that it was asked for on. */
	if (c->output != NULL && strcmp(c->output, "-") != 0)
		c->view.terminal.width = 0;
	if (argc == 0 && c->db == NULL)
		c->db = OPTION_DEFAULT_DB;
	if (argc != 0 && argc != 2) {
		log_error("diff takes two files, the older one first, or none and --db");
		return -1;
	}
	if (argc == 2 && (c->db != NULL || c->has_from || c->has_to)) {
		log_error("--db, --from and --to do not go together with two files");
		return -1;
	}
	if (argc == 2) {
		c->old_name = argv[0];
		c->new_name = argv[1];
	}
	return check_output(c);
}

static int
parse_command(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "db", required_argument, NULL, 'd' },
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "since", required_argument, NULL, OPTION_FROM },
		{ "to", required_argument, NULL, OPTION_TO },
		{ "until", required_argument, NULL, OPTION_TO },
		{ "client", required_argument, NULL, 'c' },
		{ "minimum", required_argument, NULL, 'm' },
		{ "config", required_argument, NULL, 'C' },
		{ "services-file", required_argument, NULL, OPTION_SERVICES_FILE },
		{ "format", required_argument, NULL, 'F' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "output", required_argument, NULL, 'o' },
		{ "fail-on", required_argument, NULL, OPTION_FAIL_ON },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	c->view.terminal = terminal_detect(stdout);
	optind = 1;
	while ((option = getopt_long(argc, argv, "d:c:m:C:F:qo:h", options, NULL)) != -1) {
		if (parse_option(c, option) != 0)
			return -1;
	}
	return c->help ? 0 : check_command(c, argc - optind, argv + optind);
}

/*
 * Nobody reads the moments; and silence would look as if all were well.  Only what came before the
 * later one counts: the sensor may be back today, or its clock was ahead for an hour.
 */
static void
warn_of_silence(const struct command *c, const struct diff_input_times *seen, int64_t today_us)
{
	char date[TIMESTAMP_TEXT_LEN], to[TIMESTAMP_TEXT_LEN];

	if (c->to_us < today_us)
		log_warning("nothing was captured since %s, so what changed is told as of then",
		    timestamp_to_date(c->to_us, date));
	else if (seen->any && seen->end_us < c->from_us)
		log_warning("nothing was captured from %s to %s, so nothing is known of what "
			    "changed then",
		    timestamp_to_date(seen->end_us, date), timestamp_to_date(c->to_us, to));
	else if (seen->heard_us == INT64_MIN)
		log_warning("no packet has come yet, so nothing is known of what changed");
	else if (seen->heard_us < c->from_us)
		log_warning("no packet came since %s, so nothing is known of what changed since",
		    timestamp_to_date(seen->heard_us, date));
}

/* Chooses the moments that were not given. */
static int
choose_moments(struct command *c, struct store *s)
{
	int64_t today_us = diff_day_floor(timestamp_now());
	struct diff_input_times seen;
	struct error err;

	if (diff_input_times(s, INT64_MAX, &seen, &err) != 0) {
		log_error("%s", err.text);
		return APP_EXIT_FAILED;
	}
	if (!seen.any)
		seen.begin_us = seen.end_us = timestamp_now();
	if (!c->has_to) {
		c->to_us = diff_day_ceil(seen.end_us + 1);
		if (!c->has_from && c->to_us > today_us && seen.begin_us < today_us)
			c->to_us = today_us;
	}
	c->to_us = diff_day_ceil(c->to_us);
	if (!c->has_from)
		c->from_us = c->to_us - USEC_PER_DAY;
	c->from_us = diff_day_floor(c->from_us);
	if (c->view.quiet && !c->has_to) {
		if (diff_input_times(s, c->to_us, &seen, &err) != 0) {
			log_error("%s", err.text);
			return APP_EXIT_FAILED;
		}
		warn_of_silence(c, &seen, today_us);
	}
	if (c->from_us < c->to_us)
		return APP_EXIT_DONE;
	log_error(c->has_to ? "--from is not before --to, so nothing lies between them"
			    : "nothing was captured since --from");
	return c->has_to ? APP_EXIT_USAGE : APP_EXIT_FAILED;
}

static int
load_moments(struct command *c, struct diff_side *old, struct diff_side *new, struct buf *coverage)
{
	struct error err;
	struct store *store = store_open(c->db, STORE_READ, &err);
	int status = APP_EXIT_FAILED;

	if (store == NULL) {
		log_error("%s", err.text);
		return status;
	}
	status = choose_moments(c, store);
	if (status == APP_EXIT_DONE &&
	    (diff_side_load(old, store, &c->options, c->from_us, &err) != 0 ||
		diff_side_load(new, store, &c->options, c->to_us, &err) != 0 ||
		diff_input_coverage(store, &c->options, c->from_us, c->to_us, coverage, &err) !=
		    0)) {
		log_error("%s", err.text);
		status = APP_EXIT_FAILED;
	}
	store_close(store);
	return status;
}

static void
tell_partial(const struct diff_side *side, const char *name, struct buf *coverage)
{
	if (!side->is_partial)
		return;
	buf_add_char(coverage, ' ');
	printable_add(coverage, span_from_text(name), SIZE_MAX);
	buf_add_text(coverage,
	    " holds only what its filter let through: what is missing in it counts as not seen.");
}

static int
load_files(struct command *c, struct diff_side *old, struct diff_side *new, struct buf *coverage)
{
	char from[TIMESTAMP_TEXT_LEN], to[TIMESTAMP_TEXT_LEN];
	struct buf ignored = { 0 };
	struct error err;
	int rc = -1;

	if (diff_input_load(old, c->old_name, &c->options, &ignored, &err) != 0 ||
	    diff_input_load(new, c->new_name, &c->options, coverage, &err) != 0) {
		log_error("%s", err.text);
		goto out;
	}
	if (!old->has_time || !new->has_time) {
		log_error("%s holds no capture, so there is nothing to compare",
		    old->has_time ? c->new_name : c->old_name);
		goto out;
	}
	if (old->end_us > new->end_us) {
		log_error("%s ends at %s, after %s (%s); name the older one first", c->old_name,
		    timestamp_to_text(old->end_us, from), c->new_name,
		    timestamp_to_text(new->end_us, to));
		goto out;
	}
	if (!diff_sides_share_sensor(old, new))
		log_warning(
		    "%s and %s have no sensor in common, so each client of one is unknown in "
		    "the other; where both are of one place, give it one name (--sensor)",
		    c->old_name, c->new_name);
	tell_partial(old, c->old_name, coverage);
	tell_partial(new, c->new_name, coverage);
	c->from_us = old->end_us + 1;
	c->to_us = new->end_us + 1;
	rc = 0;
out:
	buf_release(&ignored);
	return rc == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
}

/* Two files are compared as of their ends; the old one's last day counts as a whole. */
static void
compare(const struct command *c, const struct diff_side *old, const struct diff_side *new,
    struct diff *d)
{
	int64_t from_us = c->old_name != NULL ? diff_day_ceil(c->from_us) : c->from_us;

	diff_compare(d, old, new, from_us, c->to_us);
}

static int
write_out(const struct command *c, const struct diff *d)
{
	const char *output = c->output != NULL ? c->output : "-";
	struct buf text = { 0 };
	struct error err;
	int rc;

	if (c->json)
		diff_write_json(d, &c->view, &text);
	else
		diff_write_text(d, &c->view, &text);
	rc = output_file_write(output, span_from(text.data, text.len), &err);
	/* A reader that has seen enough (`| head`) is no news. */
	if (rc != 0 && (strcmp(output, "-") != 0 || errno != EPIPE))
		log_error("%s", err.text);
	buf_release(&text);
	return rc == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
}

static int
run(struct command *c)
{
	struct diff_side old = { 0 }, new = { 0 };
	struct diff d = { 0 };
	struct policy_setup setup;
	struct buf coverage = { 0 };
	int status = APP_EXIT_FAILED;

	if (policy_setup_load(&setup, &c->policy) != 0)
		goto out;
	c->options.policy = setup.policy;
	status = c->old_name != NULL ? load_files(c, &old, &new, &coverage)
				     : load_moments(c, &old, &new, &coverage);
	if (status != APP_EXIT_DONE)
		goto out;
	compare(c, &old, &new, &d);
	c->view.coverage = buf_text(&coverage);
	c->view.old_name = c->old_name;
	c->view.new_name = c->new_name;
	status = write_out(c, &d);
	if (status != APP_EXIT_DONE)
		goto out;
	/* Wrong lines of the list were named at the start. */
	if (setup.services.fault_count > 0)
		status = APP_EXIT_FAILED;
	for (int i = 0; i < DIFF_CHANGE_COUNT; i++) {
		if ((c->fail_on & 1U << i) != 0 && d.totals[i] > 0)
			status = APP_EXIT_FOUND;
	}
out:
	diff_release(&d);
	diff_side_release(&old);
	diff_side_release(&new);
	buf_release(&coverage);
	policy_setup_release(&setup);
	return status;
}

int
cmd_diff(int argc, char **argv)
{
	struct command c = { 0 };
	int status;

	(void)setlocale(LC_CTYPE, "");
	if (parse_command(&c, argc, argv) != 0) {
		status = APP_EXIT_USAGE;
	} else if (c.help) {
		(void)fputs(help_text, stdout);
		status = APP_EXIT_DONE;
	} else {
		status = run(&c);
	}
	if (status == APP_EXIT_USAGE)
		(void)option_usage_error("diff");
	network_set_release(&c.clients);
	return status;
}
