/*
 * policy_setup - the policy of a command that is given by hand: its options over the [policy] of a
 * configuration, and the list of services that are switching old versions off.
 */
#ifndef TLSTALLY_APP_POLICY_SETUP_H
#define TLSTALLY_APP_POLICY_SETUP_H

#include <stdint.h>

#include "app/services_file.h"
#include "config/config.h"
#include "policy/verdict.h"
#include "report/report.h"

/* Of the command line; NULL and 0: not given. */
struct policy_options {
	const char *config;
	const char *services_file;
	uint16_t minimum;
};

/*
 * Takes --minimum ('m'), --config ('C') and --services-file (OPTION_SERVICES_FILE).  Returns -1
 * after it has logged what is wrong with the text, and for any other option, about which
 * getopt_long() has spoken.
 */
int policy_options_parse(struct policy_options *options, int option, const char *text);

struct policy_setup {
	struct config config; /* without a file: what is compiled in */
	struct services_file services;
	struct policy policy; /* borrows from both */
};

/*
 * Reads the configuration that is named, else the usual one where there is one and it may be read.
 * Returns -1 after it has logged what is wrong; `out` is to be released either way.
 */
int policy_setup_load(struct policy_setup *out, const struct policy_options *options);
/* What the report needs of it; borrowed. */
void policy_setup_for_report(const struct policy_setup *setup, struct report_options *options);
void policy_setup_release(struct policy_setup *setup);

#endif
