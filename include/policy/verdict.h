/*
 * verdict - what findings mean: SPEC section 6.
 *
 * Pure functions over findings: no store, no clock.
 */
#ifndef TLSTALLY_POLICY_VERDICT_H
#define TLSTALLY_POLICY_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "event/finding.h"
#include "policy/switch_off.h"

/* From the worst to the best; the number is the rank that is stored and sorted by. */
enum verdict {
	VERDICT_BROKEN,
	VERDICT_WILL_BREAK,
	VERDICT_LEGACY,
	VERDICT_SERVER_LIMITED,
	VERDICT_CLEARTEXT,
	VERDICT_UNCLEAR,
	VERDICT_OK,
};
#define VERDICT_COUNT (VERDICT_OK + 1)

struct policy {
	uint16_t minimum; /* TLS_VERSION_*: what counts as current; SPEC default TLSv1.2 */
	/* Borrowed; NULL: no service is known to switch a version off, and nothing "will break". */
	const struct switch_off *services;
	int64_t fallback_window_us; /* how long after a failed try a lower one belongs to it */
};

const char *verdict_name(enum verdict verdict);
/* False for a text that names none. */
bool verdict_from_text(const char *text, enum verdict *out);

/*
 * Judges all findings of ONE client together (`broken` depends on successes in the others): writes
 * one verdict per finding to `out`, which has room for `count`.
 */
void policy_judge(
    const struct policy *policy, const struct finding *findings, size_t count, enum verdict *out);

/*
 * The client's verdict is the worst of its rows.  Writes it and appends the reason, one sentence
 * for people with its evidence (server, counts, dates), to `reason`.  Names are escaped for the
 * terminal.
 */
enum verdict policy_judge_client(const struct policy *policy, const struct finding *findings,
    const enum verdict *verdicts, size_t count, struct buf *reason);

/* Counts the different servers (name or address, and port) among the findings of each verdict. */
void policy_count_servers(const struct finding *findings, const enum verdict *verdicts,
    size_t count, size_t servers[VERDICT_COUNT]);

#endif
