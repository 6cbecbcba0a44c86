/*
 * config_fixture - configurations for the suites of module config.
 */
#ifndef TLSTALLY_TESTS_CONFIG_FIXTURE_H
#define TLSTALLY_TESTS_CONFIG_FIXTURE_H

#include <check.h>

#include "config/config.h"
#include "tls/names.h"

static const struct config_versions config_fixture_versions = {
	.from_text = tls_version_from_text,
	.name = tls_version_name,
};

static inline void
config_fixture_init(struct config *c)
{
	config_init_defaults(c, &config_fixture_versions);
}

/* A configuration from the content of a file that has no fault. */
static inline void
config_fixture_read(struct config *c, const char *text)
{
	struct config_faults faults = { 0 };
	int result;

	config_fixture_init(c);
	result = config_read_bytes(c, span_from_text(text), &faults);
	ck_assert_msg(result == 0, "line %u: %s: %s", faults.items[0].line, faults.items[0].key,
	    faults.items[0].text);
	ck_assert_uint_eq(faults.count, 0);
}

static inline void
config_fixture_expect(const struct config *c, enum config_key key, const char *expected)
{
	struct buf text = { 0 };

	config_value_to_text(c, key, &text);
	ck_assert_str_eq(buf_text(&text), expected);
	buf_release(&text);
}

#endif
