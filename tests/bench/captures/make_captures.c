/*
 * make_captures - writes captures to measure with, and what is true of them.
 *
 * usage: make_captures [--seed N] [--scale X] FOLDER [NAME...]
 *
 * FOLDER/NAME.pcap and FOLDER/NAME.truth.csv, for mirror, mail, handshakes and synflood.  The same
 * seed and scale give the same bytes.  All names and addresses are those of documentation, or
 * private.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scenario.h"

#include "base/banned.h"

/* Below it the averages that sizes are made from mean nothing. */
#define SCALE_LEAST 0.0005
#define SCALE_MOST 100

static bool
parse_options(int argc, char **argv, struct scenario_options *options)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "scale", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		char *end = NULL;

		if (option == 's')
			options->seed = strtoull(optarg, &end, 10);
		else if (option == 'x')
			options->scale = strtod(optarg, &end);
		if (end == NULL || end == optarg || *end != '\0')
			return false;
	}
	return optind < argc && options->scale >= SCALE_LEAST && options->scale <= SCALE_MOST;
}

static int
scenario_called(const char *name)
{
	for (int i = 0; i < SCENARIO_COUNT; i++) {
		if (strcmp(name, scenario_name(i)) == 0)
			return i;
	}
	return -1;
}

static bool
make(int scenario, const char *folder, const struct scenario_options *options)
{
	struct player_counts n = { 0 };

	if (!scenario_make(scenario, folder, options, &n))
		return false;
	(void)printf("%s: %" PRIu64 " MB, %" PRIu64 " packets, %" PRIu64 " connections, %" PRIu64
		     " events; %" PRIu64 " packets late, %" PRIu64 " twice, %" PRIu64
		     " sent again\n",
	    scenario_name(scenario), n.bytes / 1000000, n.packets, n.conversations, n.events,
	    n.reordered, n.duplicated, n.retransmitted);
	return true;
}

int
main(int argc, char **argv)
{
	struct scenario_options options = { .seed = 1, .scale = 1 };
	bool chosen[SCENARIO_COUNT] = { false }, is_any_chosen = false;
	const char *folder;

	if (!parse_options(argc, argv, &options)) {
		(void)fprintf(
		    stderr, "usage: make_captures [--seed N] [--scale X] FOLDER [NAME...]\n");
		return 2;
	}
	folder = argv[optind++];
	for (; optind < argc; optind++, is_any_chosen = true) {
		int scenario = scenario_called(argv[optind]);

		if (scenario < 0) {
			(void)fprintf(
			    stderr, "make_captures: there is no capture %s\n", argv[optind]);
			return 2;
		}
		chosen[scenario] = true;
	}
	if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
		(void)fprintf(stderr, "make_captures: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	for (int i = 0; i < SCENARIO_COUNT; i++) {
		if ((chosen[i] || !is_any_chosen) && !make(i, folder, &options))
			return 1;
	}
	return 0;
}
