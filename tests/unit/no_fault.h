/*
 * no_fault - lists that a person could have written, in which no line is wrong.
 */
#ifndef TLSTALLY_TESTS_NO_FAULT_H
#define TLSTALLY_TESTS_NO_FAULT_H

#include "policy/switch_off.h"
#include "suite.h"

/* For readers that report a fault by its line. */
static inline void
no_fault(void *arg, unsigned line, const char *text)
{
	(void)arg;
	ck_abort_msg("%u: %s", line, text);
}

/* A list of services, the caller's. */
static inline struct switch_off *
services_from(const char *text)
{
	struct switch_off *services = switch_off_new();

	ck_assert_uint_eq(switch_off_read(services, span_from_text(text), no_fault, NULL), 0);
	return services;
}

#endif
