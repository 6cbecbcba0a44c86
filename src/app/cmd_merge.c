#include "app/cmd_merge.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "app/option_values.h"
#include "app/options.h"
#include "app/policy_setup.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "policy/printable.h"
#include "sink/judge.h"
#include "store/merge.h"

#include "base/banned.h"

#define NAME_SHOWN_MAX 1024

static const char help_text[] =
    "Usage: tlstally merge [OPTION...] INTO.db FROM.db...\n"
    "\n"
    "Takes what other sensors' databases hold into INTO.db, which is made where it is\n"
    "not there. Sensors are kept apart by their names (--sensor when they capture).\n"
    "FROM.db is only read, also while its sensor goes on.\n"
    "\n"
    "Merging the same database again adds what is new in it since; nothing is counted\n"
    "twice. Databases of one sensor are added up, as long as they have counted\n"
    "different captures. What cannot be separated is refused with one sentence: the\n"
    "same capture counted in two databases of one sensor, live captures of the same\n"
    "interface at the same time, copies of one database that have each gone on by\n"
    "themselves.\n"
    "\n"
    "All of it is done, or nothing: after a failure INTO.db is as it was.\n"
    "\n"
    "  -m, --minimum VERSION  lowest version that is enough (default: that of the\n"
    "                         configuration, else TLSv1.2)\n"
    "      --services-file FILE\n"
    "                         the services that are switching old versions off\n"
    "                         (default: /etc/tlstally/switching-off.conf, else the\n"
    "                         one that came with the program)\n"
    "  -C, --config FILE      the configuration, of which [policy] counts here\n"
    "                         (default: /etc/tlstally/tlstally.conf, if it is there)\n"
    "  -q, --quiet            no line per database: warnings and errors only\n"
    "  -h, --help             show this help\n"
    "\n"
    "Exit status: 0 done; 1 nothing was merged, or lines of the list of services were\n"
    "wrong; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  tlstally merge all.db berlin.db vienna.db\n"
    "  tlstally report --db all.db\n";

struct command {
	const char *into;
	char **from; /* of argv */
	size_t from_count;
	bool quiet, help;
	struct policy_options policy;
};

static int
parse_option(struct command *c, int option)
{
	switch (option) {
	case 'q':
		c->quiet = true;
		return 0;
	case 'h':
		c->help = true;
		return 0;
	default:
		return policy_options_parse(&c->policy, option, optarg);
	}
}

static int
parse_command(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "minimum", required_argument, NULL, 'm' },
		{ "config", required_argument, NULL, 'C' },
		{ "services-file", required_argument, NULL, OPTION_SERVICES_FILE },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "m:C:qh", options, NULL)) != -1) {
		if (parse_option(c, option) != 0)
			return -1;
	}
	if (c->help)
		return 0;
	if (argc - optind < 2) {
		log_error("merge wants the database to merge into, and at least one to take from");
		return -1;
	}
	c->into = argv[optind];
	c->from = argv + optind + 1;
	c->from_count = (size_t)(argc - optind - 1);
	return 0;
}

/* Opens all files before anything begins: one may be missing, or not ours. */
static int
open_all(const struct command *c, struct store **stores)
{
	struct stat into, from;
	bool exists = stat(c->into, &into) == 0;
	struct error err;

	for (size_t i = 0; i < c->from_count; i++) {
		if (exists && stat(c->from[i], &from) == 0 && from.st_dev == into.st_dev &&
		    from.st_ino == into.st_ino) {
			log_error("%s is the database to merge into; name another one", c->from[i]);
			return -1;
		}
		stores[i] = store_open(c->from[i], STORE_READ, &err);
		if (stores[i] == NULL) {
			log_error("%s", err.text);
			return -1;
		}
	}
	return 0;
}

static void
add_line(const char *from, const struct store_merged *merged, struct buf *text)
{
	size_t changed = merged->sensor_count - merged->unchanged_count;

	printable_add(text, span_from_text(from), NAME_SHOWN_MAX);
	if (changed == 0) {
		buf_add_text(text, ": nothing new since the last merge\n");
		return;
	}
	buf_addf(text, ": new from %zu of %zu sensor%s: %zu run%s, %" PRIu64 " %s\n", changed,
	    merged->sensor_count, merged->sensor_count == 1 ? "" : "s", merged->run_count,
	    merged->run_count == 1 ? "" : "s", merged->event_count,
	    merged->event_count == 1 ? "TLS handshake or mail session in cleartext"
				     : "TLS handshakes and mail sessions in cleartext");
}

/* All in one transaction. */
static int
merge_all(const struct command *c, const struct policy *policy, struct store *into,
    struct store **from, struct buf *text)
{
	struct store_merged merged;
	struct error err;

	store_set_judge(into, judge_client, (void *)(uintptr_t)policy);
	if (store_begin(into, &err) != 0)
		goto bad;
	for (size_t i = 0; i < c->from_count; i++) {
		if (store_merge(into, from[i], &merged, &err) != 0) {
			store_rollback(into);
			goto bad;
		}
		add_line(c->from[i], &merged, text);
	}
	if (store_commit(into, &err) == 0)
		return 0;
bad:
	log_error("%s", err.text);
	return -1;
}

static int
run(const struct command *c)
{
	struct store **from = xcalloc(c->from_count, sizeof(struct store *));
	struct store *into = NULL;
	bool is_new = access(c->into, F_OK) != 0;
	struct buf text = { 0 };
	struct policy_setup setup;
	struct error err;
	int status = APP_EXIT_FAILED;

	if (policy_setup_load(&setup, &c->policy) != 0)
		goto out;
	if (open_all(c, from) != 0)
		goto out;
	into = store_open(c->into, STORE_WRITE, &err);
	if (into == NULL) {
		log_error("%s", err.text);
		goto out;
	}
	if (merge_all(c, &setup.policy, into, from, &text) == 0) {
		/* Wrong lines of the list were named at the start. */
		if (setup.services.fault_count == 0)
			status = APP_EXIT_DONE;
		is_new = false;
		if (!c->quiet)
			(void)fputs(buf_text(&text), stdout);
	}
out:
	for (size_t i = 0; i < c->from_count; i++)
		store_close(from[i]);
	store_close(into);
	if (into != NULL && is_new)
		(void)unlink(c->into);
	free(from);
	buf_release(&text);
	policy_setup_release(&setup);
	return status;
}

int
cmd_merge(int argc, char **argv)
{
	struct command c = { 0 };

	if (parse_command(&c, argc, argv) != 0)
		return option_usage_error("merge");
	if (c.help) {
		(void)fputs(help_text, stdout);
		return APP_EXIT_DONE;
	}
	return run(&c);
}
